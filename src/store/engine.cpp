#include "store/commit_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/engine.hpp>

#include <utility>
#include <vector>

namespace ragstone {

CommitResult StoreEngine::commit(Commit commit, const StopToken& stop) {
  check_commit(commit, stop);
  return do_commit(std::move(commit), stop);
}

void StoreEngine::commit_together(std::span<PendingCommit* const> commits) {
  std::vector<PendingCommit*> sound;
  sound.reserve(commits.size());
  for (PendingCommit* pending : commits) try {
      check_commit(pending->commit, pending->stop);
      sound.push_back(pending);
    } catch (...) {
      pending->error = std::current_exception();
    }
  if (!sound.empty()) do_commit_together(sound);
}

void StoreEngine::do_commit_together(std::span<PendingCommit* const> commits) {
  for (PendingCommit* pending : commits) try {
      pending->result = do_commit(std::move(pending->commit), pending->stop);
    } catch (...) {
      pending->error = std::current_exception();
    }
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
