#include "store/sqlite/commit_queue.hpp"

#include "store/commit_rules.hpp"

#include <algorithm>
#include <cstddef>

namespace ragstone::sqlite {
namespace {

constexpr std::size_t kMaxGroupBytes = std::size_t{8} << 20;

}  // namespace

void CommitQueue::run(std::span<PendingCommit* const> commits) {
  Call mine{commits};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  turn_.wait(lock, [&] { return mine.is_done || !is_led_; });
  if (mine.is_done) return;
  is_led_ = true;
  while (!mine.is_done) {
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
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(group.size()));
    lock.unlock();
    carry_out_(together);
    lock.lock();
    for (Call* call : group) call->is_done = true;
    turn_.notify_all();
  }
  is_led_ = false;
  turn_.notify_all();
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
