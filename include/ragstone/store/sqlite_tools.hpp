#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/store/verify.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

/// What can be done with a store of sqlite_engine() as a whole. The path of what is made must name something
/// (Errc::invalid_argument) in a folder that is there (Errc::io_error). A store in a folder that must not be written,
/// on a read-only medium for example, is recovered and exported if its last writer has closed it; else a copy of it can
/// be.
namespace ragstone {

/// What recover_store() saved and what it could not.
class RecoveryReport {
 public:
  RecoveryReport() = default;

  std::uint64_t sources = 0;  ///< Saved with their text.
  std::uint64_t nodes = 0;
  /// Sources that are gone, and groups and columns that must be made anew: the next sync or use of the group does.
  std::vector<StoreFinding> lost;
  /// Files of the damaged store that nothing was taken from: see VerifyReport::set_aside.
  std::vector<std::string> set_aside;
};

/// Copies what is readable and matches its checksums to a new store, with its sessions. Of the damaged one nothing
/// is changed, but that SQLite rolls back what a crash left half done in its sessions, and makes store.db-shm anew.
/// A database that was cut short is read as far as it goes.
/// Where its log (store.db-wal) is damaged, commits behind the damage are lost, as wholes, and not among what is told.
/// Dense vectors are taken over, so that nothing is embedded twice; postings are left to be made from the text, and
/// sparse vectors of a model by the model: those are among what is lost.
/// Errors: Errc::already_exists for `target`; Errc::locked while another call makes it, as of all functions here;
/// Errc::not_found; Errc::corrupt_store if nothing at all can be read;
/// Errc::io_error, Errc::storage_full.
RecoveryReport recover_store(const std::filesystem::path& damaged, const std::filesystem::path& target,
                             const StopToken& stop = {});

/// Writes a store, which another process may be writing to, to a single file. It is an SQLite database of numbered
/// pieces with checksums. Errors: Errc::already_exists for `archive`; Errc::not_found; the store's own.
void export_store(const std::filesystem::path& store, const std::filesystem::path& archive, const StopToken& stop = {});

/// Makes a store of what export_store() wrote. Errors: Errc::already_exists for `store`; Errc::not_found;
/// Errc::corrupt_store for a file that is damaged or no archive; Errc::unsupported for one of another version;
/// Errc::io_error, Errc::storage_full.
void import_store(const std::filesystem::path& archive, const std::filesystem::path& store, const StopToken& stop = {});

static_assert(!std::is_aggregate_v<RecoveryReport>);

}  // namespace ragstone
