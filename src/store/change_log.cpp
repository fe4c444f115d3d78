#include "store/change_log.hpp"

#include <string>
#include <utility>

namespace ragstone {

void ChangeFold::add(std::span<const NodeId> upserts, std::span<const NodeId> removed) {
  upserts_.insert(upserts.begin(), upserts.end());
  for (const NodeId id : removed) {
    upserts_.erase(id);
    removed_.insert(id);
  }
}

GroupChange ChangeFold::take(std::string_view group) const {
  GroupChange change;
  change.group = group;
  change.upserts.assign(upserts_.begin(), upserts_.end());
  change.removed.assign(removed_.begin(), removed_.end());
  return change;
}

void ChangeLog::append(Generation generation, Changes changes) {
  Entry entry;
  for (const GroupChange& change : changes) entry.ids += change.upserts.size() + change.removed.size();
  entry.changes = std::make_shared<const Changes>(std::move(changes));

  const std::lock_guard lock(mutex_);
  entries_.push_back(std::move(entry));
  ids_ += entries_.back().ids;
  last_ = generation;
  while (entries_.size() > 1 && (entries_.size() > max_commits_ || ids_ > max_ids_)) {
    ids_ -= entries_.front().ids;
    entries_.pop_front();
  }
}

std::optional<GroupChange> ChangeLog::fold(std::string_view group, Generation since, Generation until) const {
  std::vector<std::shared_ptr<const Changes>> range;
  {
    const std::lock_guard lock(mutex_);
    const Generation before_first = last_ - entries_.size();
    if (since < before_first) return std::nullopt;
    for (Generation at = since; at < until; ++at) range.push_back(entries_[at - before_first].changes);
  }

  ChangeFold fold;
  for (const auto& changes : range)
    for (const GroupChange& change : *changes)
      if (change.group == group) fold.add(change.upserts, change.removed);
  return fold.take(group);
}

}  // namespace ragstone
