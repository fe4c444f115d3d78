#include "store/commit_rules.hpp"
#include "store/sqlite/access.hpp"
#include "store/sqlite/digest.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/field_settings.hpp"
#include "store/sqlite/salvage.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/tools.hpp"
#include "store/sqlite/unfinished.hpp"
#include "store/sqlite/vector_index_settings.hpp"
#include "store/sqlite/whole_store.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kSourcesAtOnce = 64;
constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;

/// None if they cannot be read: filters are slower until they are declared again.
std::vector<FieldDeclaration> readable_fields(sqlite::Database& database) {
  try {
    return checked_fields(sqlite::load_fields(database).declared);
  } catch (const Error&) {
    return {};
  }
}

/// None if they cannot be read: vectors are kept by default options then.
VectorIndexes readable_vector_indexes(sqlite::Database& database) {
  try {
    return sqlite::load_vector_indexes(database);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

namespace sqlite {
namespace {

/// Brings what was salvaged into a new store, many sources at once. What the store refuses is told in the report, and
/// costs nothing else.
class SalvagedSources {
 public:
  /// All outlive it.
  SalvagedSources(StoreEngine& engine, RecoveryReport& report, const StopToken& stop)
      : engine_(engine), report_(report), stop_(stop) {}

  /// Where Salvage puts them.
  Commit& waiting() noexcept { return waiting_; }
  void commit_if_many() {
    if (waiting_.sources.size() + waiting_.failures.size() >= kSourcesAtOnce || bytes_of(waiting_) >= kBytesAtOnce)
      commit();
  }
  void commit() {
    const Commit all = std::exchange(waiting_, Commit());
    if (const std::string refusal = try_to_commit(all); !refusal.empty()) commit_singly(all);
    while (engine_.maintain(stop_)) {
    }
  }

 private:
  void commit_singly(const Commit& all) {
    for (const SourceWrite& write : all.sources) {
      Commit single;
      single.sources.push_back(write);
      const std::string refusal = try_to_commit(single);
      if (refusal.empty()) continue;
      lose("groups of source \"" + write.record.id + '"', refusal, write.record.id);
      single.sources.front().groups.clear();
      lose_if("source \"" + write.record.id + '"', try_to_commit(single), write.record.id);
    }
    for (const SourceFailure& failure : all.failures) {
      Commit single;
      single.failures.push_back(failure);
      lose_if("source \"" + failure.source + '"', try_to_commit(single), failure.source);
    }
  }

  /// Empty, or why the store refuses what the commit says.
  std::string try_to_commit(const Commit& commit) {
    try {
      engine_.commit(commit, stop_);
    } catch (const Error& error) {
      const Errc code = error.errc();
      if (code != Errc::invalid_argument && code != Errc::dimension_mismatch && code != Errc::limit_exceeded) throw;
      return error.what();
    }
    report_.sources += commit.sources.size();
    for (const SourceWrite& write : commit.sources)
      for (const GroupRows& group : write.groups) report_.nodes += group.rows.size();
    return {};
  }

  void lose_if(std::string object, const std::string& problem, const std::string& source) {
    if (!problem.empty()) lose(std::move(object), problem, source);
  }

  void lose(std::string object, const std::string& problem, const std::string& source) {
    StoreFinding& finding = report_.lost.emplace_back();
    finding.object = std::move(object);
    finding.problem = problem;
    finding.sources.push_back(source);
  }

  StoreEngine& engine_;
  RecoveryReport& report_;
  const StopToken& stop_;
  Commit waiting_;
};

void save_sessions(const std::filesystem::path& damaged, const std::filesystem::path& to, const EngineHooks& hooks,
                   RecoveryReport& report, const StopToken& stop) {
  try {
    copy_sessions(*hooks.files, damaged, to, hooks.vfs, stop);
  } catch (const Error& error) {
    if (error.errc() == Errc::storage_full) throw;
    hooks.files->remove(to / kSessionsFile);
    StoreFinding& finding = report.lost.emplace_back();
    finding.object = kSessionsFile;
    finding.problem = error.what();
  }
}

}  // namespace

RecoveryReport recover_store(const std::filesystem::path& damaged, const std::filesystem::path& target,
                             const EngineHooks& hooks, const StopToken& stop) {
  if (hooks.files->type_of(damaged / kDatabaseFile) == segment::FileType::none)
    throw Error(Errc::not_found, "recover store \"" + damaged.string() + "\": there is no store");
  const OpenMode mode = access_to_read(damaged) == StoreAccess::immutable ? OpenMode::immutable : OpenMode::read;
  Database database(damaged / kDatabaseFile, mode, hooks.vfs_name(), kMomentaryLocks);
  database.read_damaged();
  database.execute("BEGIN");
  check_schema(database);
  RecoveryReport report;
  Unfinished unfinished(*hooks.files, target, "recover to");
  const PartFolder parts{hooks.files, damaged / kPartFolder, true};
  report.set_aside = files_set_aside(parts);
  Salvage salvage(database, parts, report);
  {
    const std::shared_ptr<StoreEngine> engine = make_engine(unfinished.path(), SqliteOptions(), hooks);
    engine->declare_fields(readable_fields(database));
    engine->declare_vector_indexes(readable_vector_indexes(database));
    SalvagedSources sources(*engine, report, stop);
    while (salvage.next(sources.waiting())) {
      throw_if_stopped(stop);
      sources.commit_if_many();
    }
    sources.commit();
    engine->close();
  }
  save_sessions(damaged, unfinished.path(), hooks, report, stop);
  unfinished.become_target(unfinished.path());
  return report;
}

}  // namespace sqlite

RecoveryReport recover_store(const std::filesystem::path& damaged, const std::filesystem::path& target,
                             const StopToken& stop) {
  return sqlite::recover_store(damaged, target, sqlite::EngineHooks(), stop);
}

}  // namespace ragstone
