#include "store/sqlite/merge.hpp"

#include "store/graph_merge.hpp"
#include "store/sqlite/unread_parts.hpp"
#include "store/vector_form.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace ragstone::sqlite {
namespace {

constexpr std::size_t kFanOut = 8;
constexpr std::size_t kSmallestLevel = 128;
constexpr std::size_t kLevels = 20;
// Commits that bring fewer rows leave small parts.
constexpr std::size_t kSmallRows = 64;

std::size_t level_of(const Part& part) {
  std::size_t level = 0;
  for (std::size_t rows = part.live_rows() / kSmallestLevel; rows > 0; rows /= kFanOut) ++level;
  return std::min(level, kLevels - 1);
}

bool is_small(const Part& part) { return part.is_staged() && part.live_rows() < kSmallRows; }

/// What a column has in the database.
struct StagedAmount {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  std::size_t small_parts = 0;

  void add(std::size_t rows_of_part, std::size_t bytes_of_part) {
    rows += rows_of_part;
    bytes += bytes_of_part;
    if (rows_of_part < kSmallRows) ++small_parts;
  }
  bool exceeds(const StagedLimit& limit) const { return rows > limit.rows || bytes > limit.bytes; }
};

std::map<DefinitionNumber, StagedAmount> staged_amounts(const State& state) {
  std::map<DefinitionNumber, StagedAmount> amounts;
  for (const auto& [definition, column] : state.columns)
    for (const Part& part : column->parts)
      if (part.is_staged())
        amounts[definition].add(part.live_rows(),
                                std::visit([](const auto& data) { return data->container().size(); }, part.data));
  if (state.unread)
    for (const PartRow& part : state.unread->parts()) amounts[part.definition].add(part.rows, part.image_bytes);
  return amounts;
}

bool is_thin(const Part& part) { return part.dead.count() > part.rows() / 4; }

bool has_form(const Part& part, const segment::DenseForm& form) {
  const auto* dense = std::get_if<std::shared_ptr<const segment::DensePart>>(&part.data);
  return dense == nullptr || form.fits(**dense);
}

template <class Wanted>
Column select(const Column& column, Wanted wanted) {
  Column selected;
  std::copy_if(column.parts.begin(), column.parts.end(), std::back_inserter(selected.parts), wanted);
  return selected;
}

/// See choose_for_graph().
Column due_for_graph(const Column& column, const segment::DenseForm& form, Upkeep upkeep) {
  Column sealed = select(column, [](const Part& part) { return !part.is_staged(); });
  std::vector<PartShape> shapes;
  for (const Part& part : sealed.parts) {
    const auto* dense = std::get_if<std::shared_ptr<const segment::DensePart>>(&part.data);
    if (dense == nullptr) return {};
    shapes.push_back({part.live_rows(), (*dense)->graph() != nullptr});
  }
  const std::vector<bool> chosen = choose_for_graph(shapes, form, upkeep);
  std::size_t number = 0;
  std::erase_if(sealed.parts, [&](const Part&) { return !chosen[number++]; });
  return sealed;
}

/// The sealed parts of a column that should become one; none: empty.
Column due_sealed(const Column& column, const segment::DenseForm& form, Upkeep upkeep) {
  if (Column due = due_for_graph(column, form, upkeep); !due.parts.empty()) return due;
  std::array<std::size_t, kLevels> count{};
  for (const Part& part : column.parts) {
    if (part.is_staged()) continue;
    if (++count[level_of(part)] == kFanOut) {
      const std::size_t level = level_of(part);
      return select(column, [&](const Part& p) { return !p.is_staged() && level_of(p) <= level; });
    }
  }
  for (const Part& part : column.parts)
    if (!part.is_staged() && (is_thin(part) || !has_form(part, form)))
      return select(column, [&](const Part& p) { return p.number == part.number; });
  return {};
}

}  // namespace

std::optional<Merge> choose_seal(const State& state, const StagedLimit& limit,
                                 const std::set<DefinitionNumber>& without) {
  for (const auto& [definition, amount] : staged_amounts(state)) {
    if (without.contains(definition)) continue;
    const bool is_due = amount.exceeds(limit);
    if (!is_due && amount.small_parts <= limit.small_parts) continue;
    const ColumnDefinition& of_column = state.catalog.column(definition);
    const Column* column = state.column(definition);
    const Column none;
    Merge merge{definition, of_column,
                select(column ? *column : none,
                       [is_due](const Part& part) { return is_due ? part.is_staged() : is_small(part); }),
                form_of(*state.vector_indexes, of_column.key, of_column.dimension), !is_due};
    merge.form.graph.reset();
    return merge;
  }
  return std::nullopt;
}

std::optional<Merge> choose_merge(const State& state, Upkeep upkeep, std::size_t graph_rows) {
  for (const auto& [definition, column] : state.columns) {
    const ColumnDefinition& of_column = state.catalog.column(definition);
    const segment::DenseForm form = form_of(*state.vector_indexes, of_column.key, of_column.dimension, graph_rows);
    if (Column inputs = due_sealed(*column, form, upkeep); !inputs.parts.empty())
      return Merge{definition, of_column, std::move(inputs), form};
  }
  return std::nullopt;
}

void write_merged(const ColumnDefinition& column, const Column& inputs, Generation generation, segment::ImageSink& to,
                  const StopToken& stop, const segment::DenseForm& form, const Parallel* parallel) {
  if (column.is_fields()) {
    segment::merge_fields(generation, inputs.fields(), to, stop);
  } else if (column.is_dense()) {
    segment::merge_dense(generation, inputs.dense(), to, stop, form, parallel);
  } else {
    segment::merge_sparse(generation, inputs.sparse(), to, stop);
  }
}

Part merge_parts(const Merge& merge, const PartFolder& folder, PartNumber number, Generation generation,
                 const Parallel& parallel, const StopToken& stop) {
  if (merge.stays_staged) {
    segment::StringSink sink;
    write_merged(merge.column, merge.inputs, generation, sink, stop, merge.form);
    return part_of_image(folder, number, merge.column, std::move(sink).take());
  }
  return seal_part(folder, number, merge.column, [&](segment::OutputFile& file) {
    segment::FileSink sink(file);
    write_merged(merge.column, merge.inputs, generation, sink, stop, merge.form, &parallel);
    sink.flush();
  });
}

void kill_since(const Merge& merge, const Column& now, Part& merged) {
  std::vector<std::uint32_t> killed;
  for (const Part& before : merge.inputs.parts) {
    const auto part =
        std::find_if(now.parts.begin(), now.parts.end(), [&](const Part& p) { return p.number == before.number; });
    if (part == now.parts.end() || part->dead.count() == before.dead.count()) continue;
    for (const std::uint32_t row : part->dead.rows()) {
      if (before.dead.contains(row)) continue;
      const NodeId node = std::visit([row](const auto& data) { return data->node(row); }, before.data);
      if (const std::optional<std::uint32_t> moved = merged.find(node)) killed.push_back(*moved);
    }
  }
  merged.kill(killed);
}

}  // namespace ragstone::sqlite
