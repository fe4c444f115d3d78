#include "store/sqlite/digest.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/salvage.hpp"
#include "store/sqlite/schema.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <system_error>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kSourcesAtOnce = 64;
constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;

}  // namespace

RecoveryReport recover_store(const std::filesystem::path& damaged, const std::filesystem::path& target,
                             const StopToken& stop) {
  if (!std::filesystem::exists(damaged / sqlite::kDatabaseFile))
    throw Error(Errc::not_found, "recover store \"" + damaged.string() + "\": there is no store");
  if (std::filesystem::exists(std::filesystem::symlink_status(target)))
    throw Error(Errc::already_exists, "recover to \"" + target.string() + "\": it exists; name a new folder");

  sqlite::Database database(damaged / sqlite::kDatabaseFile, sqlite::OpenMode::read);
  database.execute("BEGIN");
  sqlite::check_schema(database);
  RecoveryReport report;
  sqlite::Salvage salvage(database, damaged / sqlite::kPartFolder, report);
  const std::shared_ptr<StoreEngine> engine = sqlite_engine(target);
  try {
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
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove_all(target, ignored);
    throw;
  }
  return report;
}

}  // namespace ragstone
