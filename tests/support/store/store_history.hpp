#pragma once

#include "support/store/plain_model.hpp"
#include "support/store/random_commits.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/store/commit.hpp>

#include <cstdint>
#include <deque>
#include <vector>

namespace ragstone::test {

/// A seeded sequence of commits, and the state that each generation must show: the same in every process.
class StoreHistory {
 public:
  explicit StoreHistory(std::uint64_t seed) : random_(seed) {}

  /// The state of a generation, without node ids; 0 is the empty store.
  const PlainModel& at(Generation generation);
  /// What to commit at a generation, in this order: the last one leads to the next generation, those before it are
  /// refused.
  const std::vector<Commit>& commits_after(Generation generation);

 private:
  void extend(Generation generation);

  RandomCommits random_;
  std::deque<PlainModel> models_ = {PlainModel()};
  std::deque<std::vector<Commit>> commits_;
};

}  // namespace ragstone::test
