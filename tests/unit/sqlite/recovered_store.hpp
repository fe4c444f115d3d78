#pragma once

#include "support/store/store_history.hpp"
#include <ragstone/base/ids.hpp>

#include <cstddef>
#include <filesystem>

namespace ragstone::test {

/// Expects the database to be sound and to name exactly the segment files that are there.
void expect_sound(const std::filesystem::path& folder);

/// Opens a store after a crash, expects its generation to be in [at_least, at_most] and its state to be the history's,
/// and gives the generation. What is saved of an index is as save_words() left it. With `goes_on` it also commits,
/// seals and reopens.
Generation expect_recovered(const std::filesystem::path& folder, StoreHistory& history, Generation at_least,
                            Generation at_most, bool goes_on = false);

/// Backups in a folder that are there under their names, "backup...", are whole, whenever the program that made them
/// ended. Gives how many there are.
std::size_t expect_whole_backups(const std::filesystem::path& folder, StoreHistory& history, Generation at_most);

/// How many of a store's segment files have a graph.
std::size_t graphs_in(const std::filesystem::path& store);

}  // namespace ragstone::test
