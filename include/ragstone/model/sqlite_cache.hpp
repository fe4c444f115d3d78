#pragma once

#include <ragstone/async/pool.hpp>
#include <ragstone/model/cache.hpp>
#include <ragstone/model/sessions.hpp>

#include <filesystem>
#include <memory>

namespace ragstone {

/// A cache in `folder`/cache.db, which is made if it is not there; the folder of a sqlite_store() is the place for it.
/// What put() has taken survives the end of the process; the loss of power may take the last of it. The file may be
/// deleted while nobody has it open; one that is damaged is replaced by an empty one. Several processes may use it at
/// once. Runs on the background lane of `pool`, look-ups on the lane of their context. Errors: Errc::io_error,
/// Errc::storage_full, Errc::locked if another process keeps it busy for seconds, Errc::already_exists if a file of
/// this name is another program's, Errc::unsupported if it is of another version.
std::shared_ptr<Cache> sqlite_cache(Pool pool, const std::filesystem::path& folder, CacheOptions options = {});

/// Sessions in `folder`/sessions.db, which is made if it is not there. A turn that was added survives the loss of
/// power. Several processes may use it at once. Backups and exports of the store hold it. Errors: as sqlite_cache(),
/// and Errc::corrupt_store.
std::shared_ptr<SessionStore> sqlite_sessions(Pool pool, const std::filesystem::path& folder);

}  // namespace ragstone
