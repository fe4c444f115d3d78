#pragma once

#include "store/sqlite/database.hpp"
#include <ragstone/async/offload.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <utility>

namespace ragstone::sqlite {

/// How long a connection to one waits for another: SQL.
inline constexpr const char* kSideBusyTimeout = "PRAGMA busy_timeout = 5000";

/// What a database beside a store's is.
struct SideSchema {
  const char* file;
  std::int64_t application_id;
  std::int64_t version;
  const char* tables;       ///< SQL that makes them.
  const char* synchronous;  ///< FULL, or NORMAL where the loss of power may take the last commits.
};

/// A small database of its own in a store's folder, used by one job at a time. It has a rollback journal instead of a
/// write-ahead log: any number of processes may write to it in turn, without the trouble that several writers of a log
/// have had in SQLite before 3.51.3.
class SideDatabase {
 public:
  /// Opens it, or makes it and the folder. Errors: those of Database; Errc::already_exists for a database of another
  /// application; Errc::unsupported for another version.
  SideDatabase(const std::filesystem::path& folder, const SideSchema& schema);

  Database& database() noexcept { return database_; }
  std::mutex& mutex() noexcept { return mutex_; }

 private:
  std::mutex mutex_;
  Database database_;
};

/// Runs `job(Database&)` on a lane of the pool while nobody else uses the database.
template <class T, class Job>
Task<T> on_side_database(std::shared_ptr<SideDatabase> side, Pool pool, Lane lane, Job job, CallContext context) {
  Work<T> work;
  work.set([side, job = std::move(job)](const StopToken&) mutable {
    const std::lock_guard lock(side->mutex());
    return job(side->database());
  });
  return offload(std::move(pool), lane, std::move(work), std::move(context));
}

}  // namespace ragstone::sqlite
