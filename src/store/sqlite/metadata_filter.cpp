#include "store/sqlite/metadata_filter.hpp"

#include "kernel/stop_poll.hpp"
#include "store/overlay.hpp"
#include "store/sqlite/blobs.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <utility>

namespace ragstone::sqlite {
namespace {

/// Of a filter's conditions, which all must hold, those that these fields answer; whether they are all.
std::pair<Filter, bool> covered_conditions(const Filter& filter, std::span<const std::string> fields) {
  if (segment::is_covered(*filter.root(), fields)) return {filter, true};
  std::vector<Filter> covered;
  for (const Filter& condition : filter.conditions())
    if (segment::is_covered(*condition.root(), fields)) covered.push_back(condition);
  return {Filter::all_of(covered), false};
}

}  // namespace

MetadataFilter::MetadataFilter(const State& state, ReaderSet& readers, FilterCache& cache, std::string_view group,
                               const Filter& filter)
    : state_(state), readers_(readers), cache_(cache), group_(group), filter_(filter) {
  for (const auto& [number, definition] : state.catalog.groups())
    own_metadata_ = own_metadata_ || (definition.name == group && definition.own_metadata > 0);
  std::size_t most_rows = 0;
  std::size_t field_rows = 0;
  for (const auto& [number, definition] : state.catalog.columns()) {
    const Column* column = state.column(number);
    if (!column || definition.group != group) continue;
    std::size_t rows = 0;
    for (const Part& part : column->parts) rows += part.live_rows();
    if (!definition.is_fields()) {
      most_rows = std::max(most_rows, rows);
      continue;
    }
    // There is another declaration's column for a while after a change. It serves as well if it covers as much.
    std::vector<segment::FieldView> views = column->fields();
    auto [covered, is_whole] = covered_conditions(filter, views.front().part->fields());
    if (covered.empty() || (!columns_.empty() && !(covered == covered_))) continue;
    covered_ = std::move(covered);
    is_whole_ = is_whole;
    field_rows += rows;
    for (segment::FieldView& view : views) columns_.push_back({std::move(view), std::nullopt});
  }
  has_all_rows_ = field_rows >= most_rows;
}

bool MetadataFilter::allows(NodeId node, segment::SourceNumber source) const {
  switch (ask_columns(node)) {
    case Verdict::no:
      return false;
    case Verdict::yes:
      return is_whole_ || ask_metadata(node, source);
    case Verdict::unknown:
      break;
  }
  return ask_metadata(node, source);
}

MetadataFilter::Verdict MetadataFilter::ask_columns(NodeId node) const {
  for (const Columns& columns : columns_) {
    const std::optional<std::uint32_t> row = columns.view.part->find(node);
    if (row && !columns.view.dead.contains(*row))
      return allowed_in(columns, {}).contains(*row) ? Verdict::yes : Verdict::no;
  }
  return Verdict::unknown;
}

const RowBitmap& MetadataFilter::allowed_in(const Columns& columns, const StopToken& stop) const {
  if (!columns.allowed) columns.allowed = segment::select_rows(*columns.view.part, *covered_.root(), stop);
  return *columns.allowed;
}

bool MetadataFilter::ask_metadata(NodeId node, segment::SourceNumber number) const {
  const Source& of_source = source(number);
  if (!own_metadata_) return of_source.matches;
  if (const StoredNode* fresh = state_.fresh->find_node(node))
    return filter_.matches(OverlayFields(fresh->metadata, of_source.metadata));
  Statement& read = (**database_).statement("SELECT metadata FROM node_extra WHERE id = ?1");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(node));
  if (!read.step()) return of_source.matches;
  const Metadata own = read_metadata(read.blob(0));
  return filter_.matches(OverlayFields(own, of_source.metadata));
}

const MetadataFilter::Source& MetadataFilter::source(segment::SourceNumber number) const {
  if (!database_) database_.emplace(readers_);
  const auto [place, is_new] = sources_.try_emplace(number);
  if (!is_new) return place->second;
  if (const FreshSource* fresh = state_.fresh->find(std::int64_t{number})) {
    place->second.metadata = fresh->row.record.metadata;
    place->second.matches = filter_.matches(place->second.metadata);
    return place->second;
  }
  Statement& read = (**database_).statement("SELECT metadata FROM source WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, number);
  if (read.step()) place->second.metadata = read_metadata(read.blob(0));
  place->second.matches = filter_.matches(place->second.metadata);
  return place->second;
}

const Part* MetadataFilter::part_of(std::span<const NodeId> nodes) const {
  if (parts_.empty())
    for (const auto& [number, definition] : state_.catalog.columns()) {
      const Column* column = state_.column(number);
      if (!column || definition.group != group_) continue;
      for (const Part& part : column->parts) {
        const auto of_part = std::visit([](const auto& data) { return data->nodes(); }, part.data);
        parts_.emplace(of_part.data(), &part);
      }
    }
  const auto found = parts_.find(nodes.data());
  return found != parts_.end() && found->second->rows() == nodes.size() ? found->second : nullptr;
}

Selection MetadataFilter::select(std::span<const NodeId> nodes, std::span<const segment::SourceNumber> sources,
                                 const StopToken& stop) const {
  const Part* part = nodes.empty() ? nullptr : part_of(nodes);
  if (part == nullptr) return std::make_shared<const SelectedRows>(evaluate(nullptr, nodes, sources, stop));
  const auto number = static_cast<std::uint64_t>(part->number);
  const std::string text = filter_.to_string();
  if (Selection known = cache_.find(number, text, state_.catalog.generation)) return known;
  auto rows = std::make_shared<const SelectedRows>(evaluate(part, nodes, sources, stop));
  cache_.put(number, text, state_.catalog.generation, rows);
  return rows;
}

RowBitmap MetadataFilter::evaluate(const Part* part, std::span<const NodeId> nodes,
                                   std::span<const segment::SourceNumber> sources, const StopToken& stop) const {
  kernel::StopPoll poll(stop);
  RowBitmap rows(nodes.size());
  RowBitmap unknown(nodes.size());
  unknown.complement();
  for (const Columns& columns : columns_) {
    const RowBitmap& allowed = allowed_in(columns, stop);
    const std::span<const NodeId> theirs = columns.view.part->nodes();
    poll.spend(theirs.size() + nodes.size());
    const bool has_dead = !columns.view.dead.empty();
    const auto take = [&](std::size_t row, std::size_t their, std::size_t count) {
      if (!has_dead) {
        unknown.erase(row, count);
        rows.assign(row, allowed, their, count);
        return;
      }
      for (std::size_t i = 0; i < count; ++i) {
        if (columns.view.dead.contains(static_cast<std::uint32_t>(their + i))) continue;
        unknown.erase(row + i);
        if (allowed.contains(their + i)) rows.insert(row + i);
      }
    };
    std::size_t row = static_cast<std::size_t>(
        theirs.empty() ? nodes.end() - nodes.begin()
                       : std::lower_bound(nodes.begin(), nodes.end(), theirs.front()) - nodes.begin());
    for (std::size_t their = 0; row < nodes.size() && their < theirs.size();) {
      if (nodes[row] == theirs[their]) {
        // Mostly thousands: the parts hold the same sources in the same order.
        const auto run = std::mismatch(nodes.begin() + static_cast<std::ptrdiff_t>(row), nodes.end(),
                                       theirs.begin() + static_cast<std::ptrdiff_t>(their), theirs.end());
        const auto count = static_cast<std::size_t>(run.first - nodes.begin()) - row;
        take(row, their, count);
        row += count;
        their += count;
      } else if (nodes[row] < theirs[their]) {
        ++row;
      } else {
        ++their;
      }
    }
  }
  RowBitmap& asked = unknown;
  if (!is_whole_) asked |= rows;
  asked.for_each(0, nodes.size(), [&](std::size_t row) {
    // Its successor elsewhere, if it has one, is another row's business.
    if (part != nullptr && part->dead.contains(static_cast<std::uint32_t>(row))) return;
    poll.spend(200);
    if (ask_metadata(nodes[row], sources[row])) {
      rows.insert(row);
    } else {
      rows.erase(row);
    }
  });
  return rows;
}

}  // namespace ragstone::sqlite
