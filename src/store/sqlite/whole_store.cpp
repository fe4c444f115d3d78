#include "store/sqlite/whole_store.hpp"

#include "store/segment/image.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/unfinished.hpp"
#include "store/sqlite/verifier.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace {

constexpr int kPagesAtOnce = 256;
constexpr char kWithoutSessions[] =
    "; recover_store() saves the rest of the store, or move sessions.db away to go on without its conversations";

bool is_damage(int code) { return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB; }

void copy_database(Database& from, const std::filesystem::path& file, const std::string& vfs, const StopToken& stop) {
  Database to(file, OpenMode::create, vfs.empty() ? nullptr : vfs.c_str());
  to.execute("PRAGMA synchronous=FULL");
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) raise(sqlite3_extended_errcode(to.handle()), to.handle(), "backup");
  int code = SQLITE_OK;
  while (code == SQLITE_OK && !stop.stop_requested()) code = sqlite3_backup_step(backup, kPagesAtOnce);
  const int finished = sqlite3_backup_finish(backup);
  throw_if_stopped(stop);
  if (code != SQLITE_DONE) raise(code, is_damage(code) ? from.handle() : to.handle(), "backup");
  if (finished != SQLITE_OK) raise(finished, to.handle(), "backup");
}

void copy_part(const Part& part, const PartFolder& folder, const StopToken& stop) {
  write_part_file(folder, part.file, [&](segment::OutputFile& file) {
    std::visit([&](const auto& data) { segment::write_image(file, data->container().image(), stop); }, part.data);
  });
}

/// A reader with the state that it sees.
class WholeState {
 public:
  /// With `findings`, damaged new sources are told there instead of being an error.
  explicit WholeState(const StoreReading& store, std::vector<StoreFinding>* findings = nullptr) {
    Loading loading;
    if (findings != nullptr)
      loading.on_damage = [findings](const std::string& what, const std::string& id, const std::string& why) {
        StoreFinding& finding = findings->emplace_back();
        finding.object = what;
        finding.problem = why;
        if (!id.empty()) finding.sources.push_back(id);
      };
    for (int tries = 1;; ++tries) {
      if (findings != nullptr) findings->clear();
      const std::shared_ptr<const State> known = store.latest();
      loading.known = known.get();
      reader_.emplace(store.readers);
      try {
        state_ = load_state(**reader_, store.folder, loading);
        return;
      } catch (const Error& error) {
        // A merge may have removed a file since the transaction began.
        if (error.errc() != Errc::not_found || tries == kTries) throw;
      }
      reader_.reset();
    }
  }

  Database& database() const noexcept { return **reader_; }
  const State& state() const noexcept { return state_; }

 private:
  static constexpr int kTries = 10;

  std::optional<LongReader> reader_;
  State state_;
};

void copy_parts(const State& state, const PartFolder& to, const StopToken& stop) {
  for (const auto& [definition, column] : state.columns)
    for (const Part& part : column->parts)
      if (!part.is_staged()) copy_part(part, to, stop);
}

/// For writing, so that a journal can be rolled back; for reading where only that may be done. Others may be writing to
/// it. None if there are no sessions.
std::optional<Database> open_sessions(segment::FileSystem& files, const std::filesystem::path& store,
                                      const std::string& vfs) {
  const std::filesystem::path file = store / kSessionsFile;
  if (files.type_of(file) == segment::FileType::none) return std::nullopt;
  const char* const vfs_name = vfs.empty() ? nullptr : vfs.c_str();
  try {
    return Database(file, OpenMode::write, vfs_name, kMomentaryLocks);
  } catch (const Error&) {
    return Database(file, OpenMode::read, vfs_name, kMomentaryLocks);
  }
}

/// What an error of the sessions says, and what to do where they are damaged.
std::string told(const Error& error) {
  return std::string(error.what()) + (error.errc() == Errc::corrupt_store ? kWithoutSessions : "");
}

void verify_sessions(const StoreReading& store, std::vector<StoreFinding>& findings, const StopToken& stop) {
  const auto tell = [&findings](std::string problem) {
    StoreFinding& finding = findings.emplace_back();
    finding.object = kSessionsFile;
    finding.problem = std::move(problem);
  };
  try {
    const PartFolder& folder = store.folder;
    if (auto sessions = open_sessions(*folder.files, folder.path.parent_path(), store.readers.vfs()))
      check_integrity(*sessions, stop, [&](const std::string& problem) { tell(problem + kWithoutSessions); });
  } catch (const Error& error) {
    // That somebody writes to them is no damage.
    if (error.errc() == Errc::locked) throw;
    tell(told(error));
  }
}

}  // namespace

void copy_sessions(segment::FileSystem& files, const std::filesystem::path& store, const std::filesystem::path& to,
                   const std::string& vfs, const StopToken& stop) {
  if (auto sessions = open_sessions(files, store, vfs)) copy_database(*sessions, to / kSessionsFile, vfs, stop);
}

VerifyReport verify_store(const StoreReading& store, const IndexFiles& indexes, DamageLog* damage,
                          const StopToken& stop) {
  std::optional<WholeState> whole;
  std::vector<StoreFinding> damaged;
  try {
    whole.emplace(store, &damaged);
  } catch (const Error& error) {
    VerifyReport report;
    StoreFinding& finding = report.findings.emplace_back();
    finding.object = "store";
    finding.problem = error.what();
    return report;
  }
  VerifyReport report = Verifier(whole->database(), whole->state(), damage, stop).run();
  report.findings.insert(report.findings.begin(), damaged.begin(), damaged.end());
  report.set_aside = files_set_aside(store.folder);
  for (StoreFinding& finding : indexes.verify(stop)) report.findings.push_back(std::move(finding));
  verify_sessions(store, report.findings, stop);
  return report;
}

void copy_store(const StoreReading& store, const segment::IndexFolder& indexes, const std::filesystem::path& target,
                const std::string& vfs, const StopToken& stop) {
  const PartFolder& folder = store.folder;
  segment::FileSystem& files = *folder.files;
  Unfinished copy(files, target, "backup to");
  const WholeState whole(store);
  files.create_directory(copy.path() / kPartFolder);
  copy_parts(whole.state(), {folder.files, copy.path() / kPartFolder, true}, stop);
  copy_database(whole.database(), copy.path() / kDatabaseFile, vfs, stop);
  indexes.copy_to(copy.path() / kIndexFolder, whole.state().catalog.generation, stop);
  try {
    copy_sessions(files, folder.path.parent_path(), copy.path(), vfs, stop);
  } catch (const Error& error) {
    throw Error(error.errc(), told(error));
  }
  files.sync_directory(copy.path());
  copy.become_target(copy.path());
}

}  // namespace ragstone::sqlite
