#pragma once

#include "store/segment/image_sink.hpp"
#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/store/upkeep.hpp>

#include <cstddef>
#include <optional>
#include <set>
#include <string>

namespace ragstone::sqlite {

/// Parts of one column that should become one.
struct Merge {
  DefinitionNumber definition = 0;
  ColumnDefinition column;
  Column inputs;  ///< As they are when the work begins.
  segment::DenseForm form;
  bool stays_staged = false;  ///< The result is small enough for the database, in all likelihood.
};

/// How much of a column may wait in the database.
struct StagedLimit {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  std::size_t small_parts = 1;  ///< Of few rows each: a search looks into all of them. At least 1.

  StagedLimit times(std::size_t factor) const noexcept { return {rows * factor, bytes * factor, small_parts * factor}; }
};

/// Of a column whose staged parts hold more than that: those, or the small ones of them where only these are too many.
/// Unread parts count, but are among the inputs only once they are read. A commit may wait for it: no graph is built.
/// Columns of `without` are not chosen.
std::optional<Merge> choose_seal(const State& state, const StagedLimit& limit,
                                 const std::set<DefinitionNumber>& without = {});

/// Sealed parts that a graph should span, eight of about equal size, or one that is dead for more than a quarter or has
/// not its key's form. For `graph_rows` see form_of().
std::optional<Merge> choose_merge(const State& state, Upkeep upkeep, std::size_t graph_rows);

/// Writes the live rows of some parts of a column as one image; see merge_dense() for `form` and `parallel`.
void write_merged(const ColumnDefinition& column, const Column& inputs, Generation generation, segment::ImageSink& to,
                  const StopToken& stop, const segment::DenseForm& form = {}, const Parallel* parallel = nullptr);

/// Writes the live rows of the inputs to a part of that number. One that is sealed is durable when this returns; the
/// image of one that stays staged is in memory. `parallel` helps with a graph.
Part merge_parts(const Merge& merge, const PartFolder& folder, PartNumber number, Generation generation,
                 const Parallel& parallel, const StopToken& stop);

/// Marks rows of `merged` dead that died in the inputs since the merge began; `now` is their column as it is.
void kill_since(const Merge& merge, const Column& now, Part& merged);

}  // namespace ragstone::sqlite
