#include "store/commit_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/engine.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace ragstone {

CommitResult StoreEngine::commit(Commit commit, const StopToken& stop) {
  check_commit(commit, stop);
  return do_commit(std::move(commit), stop);
}

std::size_t StoreEngine::commit_together(std::span<PendingCommit* const> commits) {
  std::vector<PendingCommit*> sound;
  sound.reserve(commits.size());
  for (PendingCommit* pending : commits) try {
      check_commit(pending->commit, pending->stop);
      sound.push_back(pending);
    } catch (...) {
      pending->error = std::current_exception();
    }
  const std::size_t count = sound.empty() ? 0 : do_commit_together(sound);
  if (count == sound.size()) return commits.size();
  const auto left = std::find(commits.begin(), commits.end(), sound[count]);
  std::for_each(left, commits.end(), [](PendingCommit* pending) { pending->error = nullptr; });
  return static_cast<std::size_t>(left - commits.begin());
}

std::size_t StoreEngine::do_commit_together(std::span<PendingCommit* const> commits) {
  for (PendingCommit* pending : commits) try {
      pending->result = do_commit(std::move(pending->commit), pending->stop);
    } catch (...) {
      pending->error = std::current_exception();
    }
  return commits.size();
}

void StoreEngine::declare_vector_indexes(VectorIndexes indexes, const StopToken& stop) {
  for (const auto& [key, options] : indexes) check_vector_index(key, options);
  do_declare_vector_indexes(std::move(indexes), stop);
}

void StoreEngine::do_declare_vector_indexes(VectorIndexes indexes, const StopToken&) {
  if (!indexes.empty())
    throw Error(Errc::unsupported, "vector index of \"" + indexes.begin()->first + "\": the store \"" +
                                       capabilities().name + "\" chooses its indexes itself");
}

void StoreEngine::do_backup(const std::filesystem::path&, const StopToken&) const {
  throw Error(Errc::unsupported, "backup: the store \"" + capabilities().name + "\" has no files to copy");
}

}  // namespace ragstone
