#pragma once

#include "store/sqlite/engine.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_vfs.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <memory>

namespace ragstone::test {

/// Opens SQLite stores whose databases and files go through one FaultPlan, and whose graphs, where they are asked for,
/// span a few rows. Stores end before it.
class FaultyStore {
 public:
  explicit FaultyStore(std::shared_ptr<FaultPlan> plan);

  std::shared_ptr<StoreEngine> open(const std::filesystem::path& folder, const SqliteOptions& options = {}) const;
  /// For the tools that take a store as a whole.
  sqlite::EngineHooks hooks() const;
  FaultPlan& plan() const noexcept { return *plan_; }

 private:
  std::shared_ptr<FaultPlan> plan_;
  FaultyVfs vfs_;
};

/// Options that make small stores seal and merge often.
SqliteOptions busy_options(Durability durability = Durability::durable);

}  // namespace ragstone::test
