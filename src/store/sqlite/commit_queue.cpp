#include "store/sqlite/commit_queue.hpp"

#include <algorithm>
#include <cstddef>

namespace ragstone::sqlite {
namespace {

constexpr std::size_t kMaxGroupBytes = std::size_t{8} << 20;

std::size_t bytes_of(const Commit& commit) {
  std::size_t bytes = 0;
  for (const SourceWrite& write : commit.sources) {
    bytes += write.text.size();
    for (const GroupRows& group : write.groups)
      for (const DenseRows& dense : group.dense) bytes += dense.values.size() * sizeof(float);
  }
  return bytes;
}

}  // namespace

void CommitQueue::run(WaitingCommit& mine) {
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  turn_.wait(lock, [&] { return mine.is_done || !is_led_; });
  if (mine.is_done) return;
  is_led_ = true;
  while (!mine.is_done) {
    std::vector<WaitingCommit*> group;
    try {
      group = take_group();
    } catch (...) {
      // Others go on without this one.
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &mine));
      is_led_ = false;
      turn_.notify_all();
      throw;
    }
    lock.unlock();
    carry_out_(group);
    lock.lock();
    for (WaitingCommit* commit : group) commit->is_done = true;
    turn_.notify_all();
  }
  is_led_ = false;
  turn_.notify_all();
}

std::vector<WaitingCommit*> CommitQueue::take_group() {
  auto end = waiting_.begin();
  std::size_t bytes = 0;
  do {
    bytes += bytes_of(*(*end)->commit);
    ++end;
  } while (end != waiting_.end() && bytes < kMaxGroupBytes);
  std::vector<WaitingCommit*> group(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return group;
}

}  // namespace ragstone::sqlite
