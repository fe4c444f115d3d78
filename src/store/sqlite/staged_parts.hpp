#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

/// The parts that a commit brings are staged in its own row of the log, so that a small commit changes one page for
/// both. Catalog::staged has the generations of the rows that hold some. A part that outlives its row moves to the
/// table `part`.
namespace ragstone::sqlite {

struct StagedPart {
  std::int64_t number = 0;
  DefinitionNumber definition = 0;
  std::size_t rows = 0;
  std::int64_t digest = 0;  ///< Of a row of `part`.
  std::string_view image;
};

/// Adds a part to what a row of the log holds.
void append_staged(std::string& parts, const StagedPart& part);

/// The parts of one commit; none if there is no such row. Errors: Errc::corrupt_store.
void read_staged(Database& database, Generation generation, const std::function<void(const StagedPart&)>& visit);
/// Those that `wants` says yes to, given a part without its image and the size of that. Of a large row the images of
/// others are not read.
void read_staged(Database& database, Generation generation,
                 const std::function<bool(const StagedPart&, std::size_t bytes)>& wants,
                 const std::function<void(const StagedPart&)>& visit);

/// Takes a part out of its commit's row. False if the row does not hold it.
bool erase_staged(Database& database, Catalog& catalog, Generation generation, std::int64_t number);

/// Moves the parts of commits up to `last` to the table `part`.
void move_staged(Database& database, Catalog& catalog, Generation last);

}  // namespace ragstone::sqlite
