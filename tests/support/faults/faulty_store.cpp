#include "support/faults/faulty_store.hpp"

#include "support/faults/faulty_file_system.hpp"

#include <utility>

namespace ragstone::test {

FaultyStore::FaultyStore(std::shared_ptr<FaultPlan> plan) : plan_(std::move(plan)), vfs_(plan_) {}

std::shared_ptr<StoreEngine> FaultyStore::open(const std::filesystem::path& folder,
                                               const SqliteOptions& options) const {
  return sqlite::make_engine(folder, options, hooks());
}

sqlite::EngineHooks FaultyStore::hooks() const {
  sqlite::EngineHooks hooks;
  hooks.files = faulty_file_system(plan_, segment::posix_file_system());
  hooks.vfs = vfs_.name();
  hooks.graph_rows = 8;
  return hooks;
}

SqliteOptions busy_options(Durability durability) {
  SqliteOptions options;
  options.durability = durability;
  options.seal_rows = 6;
  return options;
}

}  // namespace ragstone::test
