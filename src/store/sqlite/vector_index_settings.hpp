#pragma once

#include "store/sqlite/database.hpp"
#include <ragstone/index/vector_index.hpp>

namespace ragstone::sqlite {

/// What was declared of embedders' keys. Errors: Errc::corrupt_store for what could not have been declared.
VectorIndexes load_vector_indexes(Database& database);
void save_vector_indexes(Database& database, const VectorIndexes& indexes);

}  // namespace ragstone::sqlite
