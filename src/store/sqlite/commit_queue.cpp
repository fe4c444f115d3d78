#include "store/sqlite/commit_queue.hpp"

#include "store/commit_rules.hpp"

#include <algorithm>
#include <cstddef>

namespace ragstone::sqlite {
namespace {

constexpr std::size_t kMaxGroupBytes = std::size_t{8} << 20;

}  // namespace

std::size_t CommitQueue::run(std::span<PendingCommit* const> commits) {
  Call mine{commits};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  turn_.wait(lock, [&] { return mine.carried_out > 0 || !is_led_; });
  if (mine.carried_out > 0) return mine.carried_out;
  is_led_ = true;
  while (mine.carried_out == 0) {
    std::vector<Call*> group;
    std::vector<PendingCommit*> together;
    try {
      group = choose_group();
      for (const Call* call : group) together.insert(together.end(), call->commits.begin(), call->commits.end());
    } catch (...) {
      // Others go on without this one.
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &mine));
      is_led_ = false;
      turn_.notify_all();
      throw;
    }
    lock.unlock();
    const std::size_t count = carry_out_(together);
    lock.lock();
    settle(group, count);
    turn_.notify_all();
  }
  is_led_ = false;
  turn_.notify_all();
  return mine.carried_out;
}

void CommitQueue::settle(const std::vector<Call*>& group, std::size_t count) {
  for (Call* call : group) {
    if (count == 0) return;
    call->carried_out = std::min(count, call->commits.size());
    count -= call->carried_out;
    waiting_.pop_front();
  }
}

std::vector<CommitQueue::Call*> CommitQueue::choose_group() const {
  auto end = waiting_.begin();
  std::size_t bytes = 0;
  do {
    for (const PendingCommit* commit : (*end)->commits) bytes += bytes_of(commit->commit);
    ++end;
  } while (end != waiting_.end() && bytes < kMaxGroupBytes);
  return {waiting_.begin(), end};
}

}  // namespace ragstone::sqlite
