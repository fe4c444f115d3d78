#pragma once

#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <optional>

namespace ragstone::sqlite {

/// Parts of one column that should become one sealed part.
struct Merge {
  DefinitionNumber definition = 0;
  ColumnDefinition column;
  Column inputs;  ///< As they are when the work begins.
};

/// Of a column whose staged parts hold more than `max_staged` live rows: those.
std::optional<Merge> choose_seal(const State& state, std::size_t max_staged);

/// Eight sealed parts of about equal size, or one that is dead for more than a quarter.
std::optional<Merge> choose_merge(const State& state);

/// Rows that wait in the database, of the column that has most.
std::size_t most_staged_rows(const State& state);

/// Writes the live rows of the inputs to a sealed part of that number; durable when it returns.
Part merge_parts(const Merge& merge, const PartFolder& folder, PartNumber number, Generation generation,
                 const StopToken& stop);

/// Marks rows of `merged` dead that died in the inputs since the merge began; `now` is their column as it is.
void kill_since(const Merge& merge, const Column& now, Part& merged);

}  // namespace ragstone::sqlite
