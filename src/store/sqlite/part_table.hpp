#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ragstone::sqlite {

/// A row of the table `part` that is to be written.
struct PartRecord {
  std::int64_t number = 0;
  DefinitionNumber definition = 0;
  std::size_t rows = 0;
  std::string_view file;  ///< Empty while the image is staged.
  std::uint64_t dead_tokens = 0;
  std::int64_t digest = 0;
  std::string_view dead;
  std::optional<std::string_view> image;  ///< None of a part that has a file.
};

void insert_part(Database& database, const PartRecord& part);

}  // namespace ragstone::sqlite
