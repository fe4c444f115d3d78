#include "model/group_commit.hpp"

#include "store/commit_rules.hpp"

#include <cstddef>
#include <exception>
#include <vector>

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
  while (entry->state_ != Entry::State::done) {
    if (entry->state_ == Entry::State::taken) {
      ended_.wait(lock);
      continue;
    }
    Entries group = take_group();
    lock.unlock();
    const std::size_t done = carry_out(group);
    lock.lock();
    settle(group, done);
    ended_.notify_all();
  }
  if (entry->pending_.error) std::rethrow_exception(entry->pending_.error);
  return std::move(entry->pending_.result);
}

GroupCommit::Entries GroupCommit::take_group() {
  auto end = line_.begin();
  for (std::size_t bytes = 0; end != line_.end() && bytes < kMaxGroupBytes; ++end)
    bytes += bytes_of((*end)->pending_.commit);
  Entries group;
  group.splice(group.begin(), line_, line_.begin(), end);
  for (const std::shared_ptr<Entry>& entry : group) entry->state_ = Entry::State::taken;
  return group;
}

std::size_t GroupCommit::carry_out(const Entries& group) {
  try {
    std::vector<PendingCommit*> commits;
    commits.reserve(group.size());
    for (const std::shared_ptr<Entry>& entry : group) commits.push_back(&entry->pending_);
    return engine_->commit_together(commits);
  } catch (...) {
    for (const std::shared_ptr<Entry>& entry : group) entry->pending_.error = std::current_exception();
    return group.size();
  }
}

void GroupCommit::settle(Entries& group, std::size_t done) noexcept {
  auto entry = group.begin();
  for (std::size_t i = 0; i < done; ++i) (*entry++)->state_ = Entry::State::done;
  for (auto left = entry; left != group.end(); ++left) (*left)->state_ = Entry::State::waiting;
  line_.splice(line_.begin(), group, entry, group.end());
}

}  // namespace ragstone
