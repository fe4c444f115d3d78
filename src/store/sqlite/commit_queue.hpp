#pragma once

#include <ragstone/store/engine.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace ragstone::sqlite {

/// Brings commits of several threads together: one of them carries out what waits, while the others' commits gather.
class CommitQueue {
 public:
  /// Carries out the first of a group, at least one, in its order, and gives how many; sets the error of those that
  /// fail and throws nothing.
  using CarryOut = std::function<std::size_t(const std::vector<PendingCommit*>&)>;

  explicit CommitQueue(CarryOut carry_out) : carry_out_(std::move(carry_out)) {}

  /// Returns when the first of these have been carried out, in one group, and gives how many. If it throws
  /// (std::bad_alloc), none was.
  std::size_t run(std::span<PendingCommit* const> commits);

 private:
  struct Call {
    std::span<PendingCommit* const> commits;
    std::size_t carried_out = 0;
  };

  std::vector<Call*> choose_group() const;
  void settle(const std::vector<Call*>& group, std::size_t count);

  const CarryOut carry_out_;
  std::mutex mutex_;
  std::condition_variable turn_;
  bool is_led_ = false;
  std::deque<Call*> waiting_;
};

}  // namespace ragstone::sqlite
