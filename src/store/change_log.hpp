#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/store/commit.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace ragstone {

/// Makes one change of a group out of several, given in commit order.
class ChangeFold {
 public:
  void add(std::span<const NodeId> upserts, std::span<const NodeId> removed);
  GroupChange take(std::string_view group) const;

 private:
  std::set<NodeId> upserts_;
  std::set<NodeId> removed_;
};

/// What the last commits did, one entry per commit, oldest forgotten first. Thread-safe.
class ChangeLog {
 public:
  using Changes = std::vector<GroupChange>;

  /// Keeps at most so many commits and so many ids in all, but the last commit in any case.
  ChangeLog(std::size_t max_commits, std::size_t max_ids) : max_commits_(max_commits), max_ids_(max_ids) {}

  /// Generations follow each other without gap, from 1.
  void append(Generation generation, Changes changes);

  /// What happened to a group in (since, until]; none if that is no longer known. since <= until.
  std::optional<GroupChange> fold(std::string_view group, Generation since, Generation until) const;

 private:
  struct Entry {
    std::shared_ptr<const Changes> changes;
    std::size_t ids = 0;
  };

  const std::size_t max_commits_;
  const std::size_t max_ids_;
  mutable std::mutex mutex_;
  Generation last_ = 0;
  std::size_t ids_ = 0;
  std::deque<Entry> entries_;  ///< Up to and including last_.
};

}  // namespace ragstone
