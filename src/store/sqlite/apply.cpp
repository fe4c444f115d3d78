#include "store/sqlite/apply.hpp"

#include "store/sqlite/blobs.hpp"
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
// What is larger gains nothing by one page less.
constexpr std::size_t kMostSourcesAtOnce = 4;
constexpr std::size_t kMostSourceBytes = std::size_t{8} << 10;
// Fresh sources are in memory, and are read at each opening.
constexpr std::size_t kMostFresh = 64;
constexpr std::size_t kMostFreshBytes = std::size_t{256} << 10;

// Of the hashes and numbers of a node.
constexpr std::size_t kNodeBytes = 64;

/// About what the source takes in the log.
std::size_t bytes_of(const SourceWrite& write) {
  std::size_t bytes = write.text.size() + write.record.offset_map.size() + write_metadata(write.record.metadata).size();
  for (const GroupRows& group : write.groups)
    for (const NodeRow& node : group.rows) {
      bytes += kNodeBytes + node.text.size();
      if (!node.metadata.empty()) bytes += write_metadata(node.metadata).size();
      if (bytes > kMostSourceBytes) return bytes;
    }
  return bytes;
}

bool may_stay_fresh(Database& database, const State& state, const Commit& commit) {
  const bool brings_sources_alone = commit.groups.empty() && commit.failures.empty() && commit.touches.empty() &&
                                    commit.removals.empty() && !commit.sources.empty();
  if (!brings_sources_alone || commit.sources.size() > kMostSourcesAtOnce) return false;
  if (state.fresh->size() + commit.sources.size() > kMostFresh || state.fresh->bytes() > kMostFreshBytes) return false;
  return std::all_of(commit.sources.begin(), commit.sources.end(), [&](const SourceWrite& write) {
    const SourceRecord& record = write.record;
    return !write.replaces && bytes_of(write) <= kMostSourceBytes && state.fresh->find(record.id) == nullptr &&
           !find_source(database, record.id);
  });
}

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
    for (const SparseVectors& vectors : rows.vectors)
      for (std::uint32_t n = 0; n < vectors.size(); ++n)
        sparse.push_back({rows.keys[sparse.size()], &vectors, n, rows.lengths[sparse.size()]});
    if (!sorted)
      std::sort(sparse.begin(), sparse.end(), [](const auto& a, const auto& b) { return a.key.node < b.key.node; });
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
  /// `staged` (null: each gets a row of its own) is given the small parts, for the commit's row of the log.
  PartWriter(Database& database, PartContext& context, State& state, FileChanges& files, std::string* staged)
      : database_(database), context_(context), state_(state), files_(files), staged_(staged) {}

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
    if (part.is_staged() && staged_ != nullptr) {
      part.commit = state_.catalog.generation;
      stage_part(definition, part, *staged_);
    } else {
      insert_part(database_, definition, part);
    }
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
    erase_part(database_, state_.catalog, part);
    if (!part.is_staged()) files_.obsolete.push_back(part.file);
  }

  Database& database_;
  PartContext& context_;
  State& state_;
  FileChanges& files_;
  std::string* staged_;
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
    draft.remove(std::move(source), commit.removals_as_of, result);
  }
  draft.finish();
}

/// Puts what a finished draft leaves into parts and the catalog.
State settle(Database& database, PartContext& context, const State& state, Draft& draft, FileChanges& files,
             std::string* staged) {
  State next = state;
  next.catalog = draft.catalog();
  next.lost = draft.lost();
  PartWriter parts(database, context, next, files, staged);
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

State unfold(Database& database, const State& state) {
  if (state.fresh->empty()) return state;
  State next = state;
  unfold(database, next.catalog, *state.fresh);
  next.fresh = std::make_shared<const FreshSources>();
  return next;
}

State apply_commit(Database& database, PartContext& context, const State& state, Commit commit, bool is_alone,
                   CommitResult& result, FileChanges& files, const StopToken& stop) {
  throw_if_stopped(stop);
  const bool stays_fresh = is_alone && may_stay_fresh(database, state, commit);
  const State base = stays_fresh ? state : unfold(database, state);
  std::vector<FreshSources::Pointer> fresh;
  Draft draft(database, base, base.catalog.generation + 1, stays_fresh ? &fresh : nullptr);
  run(draft, commit, result, stop);
  std::string staged;
  State next = settle(database, context, base, draft, files, &staged);
  std::string sources;
  for (FreshSources::Pointer& source : fresh) {
    append_fresh(sources, *source);
    next.fresh = std::make_shared<const FreshSources>(next.fresh->with(std::move(source)));
  }
  log_commit(database, next.catalog, draft.changes(), staged, sources);
  throw_if_stopped(stop);

  result.generation = next.catalog.generation;
  result.changes = std::move(draft.changes());
  return next;
}

State apply_field_rebuild(Database& database, PartContext& context, const State& state, FileChanges& files) {
  const State base = unfold(database, state);
  Draft draft(database, base, base.catalog.generation);
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
  State next = settle(database, context, base, draft, files, nullptr);
  update_counters(database, next.catalog);
  next.fields = std::make_shared<const FieldSettings>(std::move(settings));
  return next;
}

}  // namespace ragstone::sqlite
