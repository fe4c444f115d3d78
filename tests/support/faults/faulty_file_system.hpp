#pragma once

#include "store/segment/file_system.hpp"
#include "support/faults/fault_plan.hpp"

#include <memory>

namespace ragstone::test {

/// `below`, whose calls the plan counts and lets fail, and whose changes go to the plan's disk. Syncs are only counted
/// and noted. Reading from an image that was opened is not counted.
std::shared_ptr<segment::FileSystem> faulty_file_system(std::shared_ptr<FaultPlan> plan,
                                                        std::shared_ptr<segment::FileSystem> below);

}  // namespace ragstone::test
