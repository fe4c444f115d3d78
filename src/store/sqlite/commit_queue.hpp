#pragma once

#include <ragstone/store/engine.hpp>

#include <condition_variable>
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
  /// Carries out a group, in its order; sets the error of those that fail and throws nothing.
  using CarryOut = std::function<void(const std::vector<PendingCommit*>&)>;

  explicit CommitQueue(CarryOut carry_out) : carry_out_(std::move(carry_out)) {}

  /// Returns when all of these have been carried out, in one group. If it throws (std::bad_alloc), none was.
  void run(std::span<PendingCommit* const> commits);

 private:
  struct Call {
    std::span<PendingCommit* const> commits;
    bool is_done = false;
  };

  std::vector<Call*> choose_group() const;

  const CarryOut carry_out_;
  std::mutex mutex_;
  std::condition_variable turn_;
  bool is_led_ = false;
  std::deque<Call*> waiting_;
};

}  // namespace ragstone::sqlite
