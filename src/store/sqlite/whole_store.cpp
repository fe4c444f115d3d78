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
#include <variant>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace {

constexpr int kPagesAtOnce = 256;

void copy_database(Database& from, const std::filesystem::path& file, const std::string& vfs, const StopToken& stop) {
  Database to(file, OpenMode::create, vfs.empty() ? nullptr : vfs.c_str());
  to.execute("PRAGMA synchronous=FULL");
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) raise(sqlite3_extended_errcode(to.handle()), to.handle(), "backup");
  int code = SQLITE_OK;
  while (code == SQLITE_OK && !stop.stop_requested()) code = sqlite3_backup_step(backup, kPagesAtOnce);
  const int finished = sqlite3_backup_finish(backup);
  throw_if_stopped(stop);
  if (code != SQLITE_DONE) raise(code, to.handle(), "backup");
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
    OnDamagedSource on_damage;
    if (findings != nullptr)
      on_damage = [findings](const std::string& what, const std::string& id, const std::string& why) {
        StoreFinding& finding = findings->emplace_back();
        finding.object = what;
        finding.problem = why;
        if (!id.empty()) finding.sources.push_back(id);
      };
    for (int tries = 1;; ++tries) {
      if (findings != nullptr) findings->clear();
      const std::shared_ptr<const State> known = store.latest();
      reader_.emplace(store.readers);
      try {
        state_ = load_state(**reader_, store.folder, known.get(), on_damage);
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

/// For writing, so that a journal can be rolled back; for reading where only that may be done.
Database open_sessions(const std::filesystem::path& file, const char* vfs) {
  try {
    return Database(file, OpenMode::write, vfs);
  } catch (const Error&) {
    return Database(file, OpenMode::read, vfs);
  }
}

}  // namespace

void copy_sessions(segment::FileSystem& files, const std::filesystem::path& store, const std::filesystem::path& to,
                   const std::string& vfs, const StopToken& stop) {
  if (files.type_of(store / kSessionsFile) == segment::FileType::none) return;
  Database sessions = open_sessions(store / kSessionsFile, vfs.empty() ? nullptr : vfs.c_str());
  // Others may be writing to it.
  sessions.execute("PRAGMA busy_timeout = 5000");
  copy_database(sessions, to / kSessionsFile, vfs, stop);
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
  copy_sessions(files, folder.path.parent_path(), copy.path(), vfs, stop);
  files.sync_directory(copy.path());
  copy.become_target(copy.path());
}

}  // namespace ragstone::sqlite
