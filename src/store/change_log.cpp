#include "store/change_log.hpp"

#include <set>
#include <string>
#include <utility>

namespace ragstone {

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

  std::set<NodeId> upserts;
  std::set<NodeId> removed;
  for (const auto& changes : range)
    for (const GroupChange& change : *changes) {
      if (change.group != group) continue;
      upserts.insert(change.upserts.begin(), change.upserts.end());
      for (const NodeId id : change.removed) {
        upserts.erase(id);
        removed.insert(id);
      }
    }

  GroupChange folded;
  folded.group = group;
  folded.upserts.assign(upserts.begin(), upserts.end());
  folded.removed.assign(removed.begin(), removed.end());
  return folded;
}

}  // namespace ragstone
