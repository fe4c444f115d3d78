#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"

namespace ragstone::sqlite {

/// Whether the functions below would find anything to be done.
bool needs_compaction(Database& database);

/// Moves the texts of a few blocks that are less than half in use to new ones, in the open transaction. False if there
/// is no such block.
bool compact_texts(Database& database, Catalog& catalog);

/// Gives a part of the database's free pages back to the file system, in the open transaction, where more than a
/// quarter are free. False if there is nothing to be done.
bool free_pages(Database& database);

}  // namespace ragstone::sqlite
