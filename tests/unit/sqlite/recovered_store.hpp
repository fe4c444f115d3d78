#pragma once

#include "support/store/store_history.hpp"
#include <ragstone/base/ids.hpp>

#include <filesystem>

namespace ragstone::test {

/// Expects the database to be sound and to name exactly the segment files that are there.
void expect_sound(const std::filesystem::path& folder);

/// Opens a store after a crash, expects its generation to be in [at_least, at_most] and its state to be the history's,
/// and gives the generation. With `goes_on` it also commits, seals and reopens.
Generation expect_recovered(const std::filesystem::path& folder, StoreHistory& history, Generation at_least,
                            Generation at_most, bool goes_on = false);

}  // namespace ragstone::test
