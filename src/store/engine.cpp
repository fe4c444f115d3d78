#include "store/commit_rules.hpp"
#include <ragstone/store/engine.hpp>

#include <utility>

namespace ragstone {

CommitResult StoreEngine::commit(Commit commit, const StopToken& stop) {
  check_commit(commit, stop);
  return do_commit(std::move(commit), stop);
}

}  // namespace ragstone
