#pragma once

#include "support/faults/fault_plan.hpp"

#include <memory>
#include <string>

namespace ragstone::test {

/// A file layer of SQLite over the default one, whose calls a FaultPlan counts and lets fail, and whose changes go to
/// the plan's disk. Locks in shared memory are passed on uncounted, and syncs are only counted and noted. Databases are
/// opened by its name and closed before it ends.
class FaultyVfs {
 public:
  explicit FaultyVfs(std::shared_ptr<FaultPlan> plan);
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  const char* name() const noexcept;

 private:
  struct Registration;
  std::unique_ptr<Registration> registration_;
};

}  // namespace ragstone::test
