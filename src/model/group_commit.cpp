#include "model/group_commit.hpp"

#include "store/commit_rules.hpp"

#include <cstddef>
#include <exception>

namespace ragstone {
namespace {

constexpr std::size_t kMaxGroupBytes = std::size_t{8} << 20;

}  // namespace

std::shared_ptr<GroupCommit::Entry> GroupCommit::add(Commit commit) {
  auto entry = std::make_shared<Entry>(std::move(commit));
  const std::lock_guard lock(mutex_);
  line_.push_back(entry);
  return entry;
}

CommitResult GroupCommit::run(const std::shared_ptr<Entry>& entry) {
  std::unique_lock lock(mutex_);
  while (entry->state_ == Entry::State::waiting) {
    const std::vector<std::shared_ptr<Entry>> group = take_group();
    lock.unlock();
    carry_out(group);
    lock.lock();
    for (const std::shared_ptr<Entry>& done : group) done->state_ = Entry::State::done;
    ended_.notify_all();
  }
  ended_.wait(lock, [&entry] { return entry->state_ == Entry::State::done; });
  if (entry->pending_.error) std::rethrow_exception(entry->pending_.error);
  return std::move(entry->pending_.result);
}

std::vector<std::shared_ptr<GroupCommit::Entry>> GroupCommit::take_group() {
  auto end = line_.begin();
  for (std::size_t bytes = 0; end != line_.end() && bytes < kMaxGroupBytes; ++end)
    bytes += bytes_of((*end)->pending_.commit);
  std::vector<std::shared_ptr<Entry>> group(line_.begin(), end);
  // Nothing below can fail.
  line_.erase(line_.begin(), end);
  for (const std::shared_ptr<Entry>& entry : group) entry->state_ = Entry::State::taken;
  return group;
}

void GroupCommit::carry_out(const std::vector<std::shared_ptr<Entry>>& group) {
  try {
    std::vector<PendingCommit*> commits;
    commits.reserve(group.size());
    for (const std::shared_ptr<Entry>& entry : group) commits.push_back(&entry->pending_);
    engine_->commit_together(commits);
  } catch (...) {
    for (const std::shared_ptr<Entry>& entry : group) entry->pending_.error = std::current_exception();
  }
}

}  // namespace ragstone
