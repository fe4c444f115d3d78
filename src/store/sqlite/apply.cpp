#include "store/sqlite/apply.hpp"

#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/draft.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace ragstone::sqlite {
namespace {

// Of a rebuild of field columns in one transaction: commits wait for it.
constexpr std::size_t kRebuiltSources = 256;

std::string build_field_image(const ColumnRows& rows, std::span<const std::size_t> order, Generation generation) {
  std::vector<segment::RowKey> keys;
  std::vector<std::optional<Scalar>> values;
  keys.reserve(rows.keys.size());
  values.reserve(rows.fields.size());
  for (const std::size_t i : order) {
    keys.push_back(rows.keys[i]);
    const auto begin = rows.fields.begin() + static_cast<std::ptrdiff_t>(i * rows.field_names.size());
    values.insert(values.end(), begin, begin + static_cast<std::ptrdiff_t>(rows.field_names.size()));
  }
  return segment::build_fields(generation, rows.field_names, keys, values);
}

std::string build_image(const ColumnRows& rows, const ColumnDefinition& column, Generation generation) {
  std::vector<std::size_t> order(rows.keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto by_node = [&](std::size_t a, std::size_t b) { return rows.keys[a].node < rows.keys[b].node; };
  const bool sorted = std::is_sorted(order.begin(), order.end(), by_node);
  if (!sorted) std::sort(order.begin(), order.end(), by_node);

  if (column.is_fields()) return build_field_image(rows, order, generation);
  if (!column.is_dense()) {
    std::vector<segment::SparseRow> sparse;
    sparse.reserve(order.size());
    for (const std::size_t i : order) sparse.push_back({rows.keys[i], rows.terms[i], rows.lengths[i]});
    return segment::build_sparse(generation, sparse);
  }
  if (sorted) return segment::build_dense(generation, column.dimension, rows.keys, rows.values);
  std::vector<segment::RowKey> keys;
  std::vector<float> values;
  values.reserve(rows.values.size());
  for (const std::size_t i : order) {
    keys.push_back(rows.keys[i]);
    const auto begin = rows.values.begin() + static_cast<std::ptrdiff_t>(i * column.dimension);
    values.insert(values.end(), begin, begin + column.dimension);
  }
  return segment::build_dense(generation, column.dimension, keys, values);
}

/// Puts parts into the columns of the state that a commit makes.
class PartWriter {
 public:
  PartWriter(Database& database, PartContext& context, State& state, FileChanges& files)
      : database_(database), context_(context), state_(state), files_(files) {}

  void replace(DefinitionNumber definition, Column column) {
    std::erase_if(column.parts, [this](const Part& part) {
      if (part.live_rows() > 0 || context_.busy.contains(part.number)) return false;
      forget(part);
      return true;
    });
    put(definition, std::move(column));
  }

  void add(DefinitionNumber definition, const ColumnRows& rows) {
    const ColumnDefinition& of_column = state_.catalog.column(definition);
    Part part = part_of_image(context_.folder, context_.next_part++, of_column,
                              build_image(rows, of_column, state_.catalog.generation));
    if (!part.is_staged()) files_.created.push_back(part.file);
    insert_part(database_, definition, part);
    Column column = column_of(definition);
    column.parts.push_back(std::move(part));
    put(definition, std::move(column));
  }

  /// Forgets the columns whose definitions are gone.
  void drop_orphans() {
    for (auto item = state_.columns.begin(); item != state_.columns.end();) {
      const auto& [definition, column] = *item;
      if (state_.catalog.columns().contains(definition)) {
        ++item;
        continue;
      }
      for (const Part& part : column->parts) forget(part);
      item = state_.columns.erase(item);
    }
  }

 private:
  Column column_of(DefinitionNumber definition) const {
    const Column* column = state_.column(definition);
    return column ? *column : Column();
  }

  void put(DefinitionNumber definition, Column column) {
    if (column.parts.empty()) {
      state_.columns.erase(definition);
    } else {
      state_.columns[definition] = std::make_shared<const Column>(std::move(column));
    }
  }

  void forget(const Part& part) {
    erase_part(database_, part);
    if (!part.is_staged()) files_.obsolete.push_back(part.file);
  }

  Database& database_;
  PartContext& context_;
  State& state_;
  FileChanges& files_;
};

void run(Draft& draft, Commit& commit, CommitResult& result, const StopToken& stop) {
  for (SourceWrite& write : commit.sources) {
    throw_if_stopped(stop);
    std::string source = write.record.id;
    if (!draft.write(std::move(write))) result.skipped.push_back(std::move(source));
  }
  for (GroupWrite& write : commit.groups) {
    throw_if_stopped(stop);
    std::string source = write.source;
    if (!draft.write(std::move(write))) result.skipped.push_back(std::move(source));
  }
  for (SourceFailure& failure : commit.failures) draft.fail(std::move(failure));
  for (const SourceTouch& touch : commit.touches) draft.touch(touch);
  for (std::string& source : commit.removals) {
    throw_if_stopped(stop);
    if (draft.remove(source)) result.removed.push_back(std::move(source));
  }
  draft.finish();
}

/// Puts what a finished draft leaves into parts and the catalog.
State settle(Database& database, PartContext& context, const State& state, Draft& draft, FileChanges& files) {
  State next = state;
  next.catalog = draft.catalog();
  next.lost = draft.lost();
  PartWriter parts(database, context, next, files);
  for (auto& [definition, column] : draft.thinned()) parts.replace(definition, std::move(column));
  for (const auto& [definition, rows] : draft.new_rows())
    if (!rows.keys.empty()) parts.add(definition, rows);
  next.catalog.prune();
  parts.drop_orphans();
  next.catalog.next_part = context.next_part;
  next.catalog.save_definitions(database, state.catalog);
  return next;
}

}  // namespace

State apply_commit(Database& database, PartContext& context, const State& state, Commit commit, CommitResult& result,
                   FileChanges& files, const StopToken& stop) {
  throw_if_stopped(stop);
  Draft draft(database, state, state.catalog.generation + 1);
  run(draft, commit, result, stop);
  State next = settle(database, context, state, draft, files);
  log_commit(database, next.catalog, draft.changes());
  throw_if_stopped(stop);

  result.generation = next.catalog.generation;
  result.changes = std::move(draft.changes());
  return next;
}

State apply_field_rebuild(Database& database, PartContext& context, const State& state, FileChanges& files) {
  Draft draft(database, state, state.catalog.generation);
  FieldSettings settings = *state.fields;
  const std::vector<SourceRow> sources = read_sources(database, *settings.next_source, kRebuiltSources);
  for (const SourceRow& source : sources) draft.renew_fields(source);
  draft.finish();
  if (sources.size() < kRebuiltSources) {
    settings.next_source.reset();
  } else {
    settings.next_source = sources.back().number + 1;
  }
  save_fields(database, settings);
  State next = settle(database, context, state, draft, files);
  update_counters(database, next.catalog);
  next.fields = std::make_shared<const FieldSettings>(std::move(settings));
  return next;
}

}  // namespace ragstone::sqlite
