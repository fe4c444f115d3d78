#include "store/commit_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/engine.hpp>

#include <utility>

namespace ragstone {

CommitResult StoreEngine::commit(Commit commit, const StopToken& stop) {
  check_commit(commit, stop);
  return do_commit(std::move(commit), stop);
}

void StoreEngine::do_backup(const std::filesystem::path&, const StopToken&) const {
  throw Error(Errc::unsupported, "backup: the store \"" + capabilities().name + "\" has no files to copy");
}

}  // namespace ragstone
