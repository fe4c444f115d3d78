#pragma once

#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/commit.hpp>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace ragstone::sqlite {

/// What carries commits out shares with what seals and merges.
struct PartContext {
  PartFolder folder;
  std::atomic<PartNumber> next_part = 1;
  std::set<PartNumber> busy;  ///< Parts that are being merged; guarded by the engine's commit mutex.
};

/// Files that go with a transaction.
struct FileChanges {
  std::vector<std::string> created;   ///< To be removed if it fails.
  std::vector<std::string> obsolete;  ///< To be removed once it is committed.

  /// So that take() of those needs no memory.
  void make_room_for(const FileChanges& others) {
    created.reserve(created.size() + others.created.size());
    obsolete.reserve(obsolete.size() + others.obsolete.size());
  }
  void take(FileChanges& others) noexcept {
    std::move(others.created.begin(), others.created.end(), std::back_inserter(created));
    std::move(others.obsolete.begin(), others.obsolete.end(), std::back_inserter(obsolete));
  }
};

/// The state without fresh sources, which are in the tables then.
State unfold(Database& database, const State& state);

/// Carries `commit` out in the open transaction and gives the state that follows from `state`, which may be the result
/// of an earlier commit in the same transaction. Errors: as StoreEngine::commit(); the caller rolls back.
/// `is_alone`: no other commit shares the transaction; a small one may leave its sources fresh then.
State apply_commit(Database& database, PartContext& context, const State& state, Commit commit, bool is_alone,
                   CommitResult& result, FileChanges& files, const StopToken& stop);

/// Makes the columns of declared fields anew for some sources, in the same way; content and generation stay.
State apply_field_rebuild(Database& database, PartContext& context, const State& state, FileChanges& files);

}  // namespace ragstone::sqlite
