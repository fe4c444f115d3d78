#include "support/store/store_history.hpp"

namespace ragstone::test {

void StoreHistory::extend(Generation generation) {
  while (models_.size() <= generation) {
    PlainModel next = models_.back();
    std::vector<Commit>& commits = commits_.emplace_back();
    do {
      commits.push_back(random_.next(next));
    } while (next.apply(commits.back()).error);
    models_.push_back(std::move(next));
  }
}

const PlainModel& StoreHistory::at(Generation generation) {
  extend(generation);
  return models_.at(generation);
}

const std::vector<Commit>& StoreHistory::commits_after(Generation generation) {
  extend(generation + 1);
  return commits_.at(generation);
}

}  // namespace ragstone::test
