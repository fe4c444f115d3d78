#include "store/sqlite/commit_queue.hpp"

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
    const std::vector<WaitingCommit*> group = take_group();
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
  std::vector<WaitingCommit*> group;
  std::size_t bytes = 0;
  do {
    bytes += bytes_of(*waiting_.front()->commit);
    group.push_back(waiting_.front());
    waiting_.pop_front();
  } while (!waiting_.empty() && bytes < kMaxGroupBytes);
  return group;
}

}  // namespace ragstone::sqlite
