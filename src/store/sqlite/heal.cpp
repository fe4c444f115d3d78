#include "store/sqlite/heal.hpp"

#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/source_rows.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

namespace ragstone::sqlite {
namespace {

const Part* find_part(const Column& column, PartNumber number) {
  const auto found =
      std::find_if(column.parts.begin(), column.parts.end(), [&](const Part& part) { return part.number == number; });
  return found == column.parts.end() ? nullptr : &*found;
}

bool is_live(const Column& column, NodeId node) {
  return std::any_of(column.parts.begin(), column.parts.end(), [node](const Part& part) {
    const std::optional<std::uint32_t> row = part.find(node);
    return row && !part.dead.contains(*row);
  });
}

/// The sources that should have rows in the column but do not have all.
std::set<std::int64_t> sources_without(Database& database, DefinitionNumber definition, const Column& column,
                                       NodeId end) {
  std::set<std::int64_t> sources;
  for (const std::int64_t source : all_source_numbers(database))
    for (const SourceGroup& group : read_groups(database, source, end)) {
      if (std::find(group.columns.begin(), group.columns.end(), definition) == group.columns.end()) continue;
      if (!std::all_of(group.nodes.begin(), group.nodes.end(), [&](NodeId node) { return is_live(column, node); }))
        sources.insert(source);
    }
  return sources;
}

void note_loss(Database& database, DefinitionNumber definition, const std::set<std::int64_t>& sources, State& state) {
  LostColumns lost = *state.lost;
  for (const std::int64_t source : sources) lost.add(database, definition, source);
  state.lost = std::make_shared<const LostColumns>(std::move(lost));
  if (!state.catalog.column(definition).is_fields() || state.fields->declared.empty()) return;
  FieldSettings settings = *state.fields;
  settings.next_source = 1;
  save_fields(database, settings);
  state.fields = std::make_shared<const FieldSettings>(std::move(settings));
}

}  // namespace

std::optional<PartDamage> find_damage(const State& state, PartNumber number, const StopToken& stop) {
  for (const auto& [definition, column] : state.columns) {
    const Part* part = find_part(*column, number);
    if (part == nullptr) continue;
    PartDamage damage;
    damage.definition = definition;
    damage.number = number;
    segment::DeadRows lost;
    const auto findings = std::visit([&](const auto& data) { return data->verify(stop); }, part->data);
    for (const segment::Finding& finding : findings) {
      damage.is_whole = damage.is_whole || finding.loss == segment::Finding::Loss::part;
      damage.is_derived = damage.is_derived || finding.loss == segment::Finding::Loss::nothing;
      if (finding.loss == segment::Finding::Loss::rows) lost = lost.with(finding.rows);
    }
    damage.rows = lost.rows();
    std::erase_if(damage.rows, [&](std::uint32_t row) { return part->dead.contains(row); });
    return findings.empty() ? std::nullopt : std::optional(std::move(damage));
  }
  return std::nullopt;
}

State apply_healing(Database& database, const State& before_it, const PartDamage& damage, FileChanges& files) {
  const Column* before = before_it.column(damage.definition);
  const Part* damaged = before != nullptr ? find_part(*before, damage.number) : nullptr;
  if (damaged == nullptr) return before_it;
  const State state = unfold(database, before_it);
  State next = state;
  Column column = *before;
  const auto part = column.parts.begin() + (damaged - before->parts.data());
  std::set<std::int64_t> sources;
  if (damage.is_whole) {
    erase_part(database, next.catalog, *part);
    if (!part->is_staged()) files.obsolete.push_back(part->file);
    column.parts.erase(part);
    sources = sources_without(database, damage.definition, column, next.catalog.next_node);
  } else {
    std::vector<std::uint32_t> rows = damage.rows;
    std::erase_if(rows, [&](std::uint32_t row) { return part->dead.contains(row); });
    for (const std::uint32_t row : rows)
      sources.insert(std::visit([row](const auto& data) { return std::int64_t{data->source(row)}; }, part->data));
    kill_rows(database, *part, rows);
  }
  note_loss(database, damage.definition, sources, next);
  if (column.parts.empty()) {
    next.columns.erase(damage.definition);
  } else {
    next.columns[damage.definition] = std::make_shared<const Column>(std::move(column));
  }
  update_counters(database, next.catalog);
  return next;
}

State apply_losses(Database& database, const State& state, std::span<const LostPart> lost) {
  State next = unfold(database, state);
  std::set<DefinitionNumber> definitions;
  for (const LostPart& one : lost) {
    erase_part(database, next.catalog, one.part);
    definitions.insert(one.definition);
  }
  for (const DefinitionNumber definition : definitions) {
    const Column* column = next.column(definition);
    const Column rest = column ? *column : Column();
    note_loss(database, definition, sources_without(database, definition, rest, next.catalog.next_node), next);
  }
  update_counters(database, next.catalog);
  return next;
}

}  // namespace ragstone::sqlite
