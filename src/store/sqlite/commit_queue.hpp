#pragma once

#include "store/sqlite/writer.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace ragstone::sqlite {

/// Brings commits of several threads together: one of them carries out what waits, while the others' commits gather.
class CommitQueue {
 public:
  /// Carries out a group, in its order; sets the error of those that fail and throws nothing.
  using CarryOut = std::function<void(const std::vector<WaitingCommit*>&)>;

  explicit CommitQueue(CarryOut carry_out) : carry_out_(std::move(carry_out)) {}

  /// Returns when `mine` has been carried out.
  void run(WaitingCommit& mine);

 private:
  std::vector<WaitingCommit*> take_group();

  const CarryOut carry_out_;
  std::mutex mutex_;
  std::condition_variable turn_;
  bool is_led_ = false;
  std::deque<WaitingCommit*> waiting_;
};

}  // namespace ragstone::sqlite
