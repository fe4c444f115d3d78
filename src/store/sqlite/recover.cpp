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

void save_sessions(const std::filesystem::path& damaged, const std::filesystem::path& to, const EngineHooks& hooks,
                   RecoveryReport& report, const StopToken& stop) {
  try {
    copy_sessions(damaged, to, hooks.vfs, stop);
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
  if (!std::filesystem::exists(damaged / kDatabaseFile))
    throw Error(Errc::not_found, "recover store \"" + damaged.string() + "\": there is no store");
  Database database(damaged / kDatabaseFile, OpenMode::read, hooks.vfs_name());
  database.execute("BEGIN");
  check_schema(database);
  RecoveryReport report;
  Unfinished unfinished(*hooks.files, target, "recover to");
  Salvage salvage(database, {hooks.files, damaged / kPartFolder, true}, report);
  {
    const std::shared_ptr<StoreEngine> engine = make_engine(unfinished.path(), SqliteOptions(), hooks);
    engine->declare_fields(readable_fields(database));
    engine->declare_vector_indexes(readable_vector_indexes(database));
    Commit commit;
    std::size_t bytes = 0;
    const auto flush = [&] {
      engine->commit(std::exchange(commit, Commit()), stop);
      while (engine->maintain(stop)) {
      }
      bytes = 0;
    };
    while (salvage.next(commit, bytes)) {
      throw_if_stopped(stop);
      if (commit.sources.size() + commit.failures.size() >= kSourcesAtOnce || bytes >= kBytesAtOnce) flush();
    }
    flush();
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
