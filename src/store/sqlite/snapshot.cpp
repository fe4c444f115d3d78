#include "store/sqlite/snapshot.hpp"

#include "kernel/stop_poll.hpp"
#include "store/segment/dense_search.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/metadata_filter.hpp"
#include "store/sqlite/node_reader.hpp"
#include "store/sqlite/source_rows.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace ragstone::sqlite {
namespace {

/// Which definitions meet a PendingQuery, and whether all sources have them.
class Needs {
 public:
  Needs(const State& state, const PendingQuery& query)
      : lost_(*state.lost), end_(state.catalog.next_node), lost_only_(query.lost_only) {
    const Catalog& catalog = state.catalog;
    bool any_lost = false;
    std::int64_t sources = 0;
    for (const auto& [number, group] : catalog.groups()) {
      if (group.name != query.group || group.signature != query.signature) continue;
      groups_.insert(number);
      sources += group.sources;
    }
    complete_ = sources == catalog.stored;
    for (const ColumnNeed& need : query.columns) {
      std::set<DefinitionNumber>& columns = columns_.emplace_back();
      sources = 0;
      for (const auto& [number, column] : catalog.columns()) {
        if (column.group != query.group || column.key != need.key || column.signature != need.signature) continue;
        columns.insert(number);
        sources += column.sources;
        any_lost = any_lost || lost_.has(number);
      }
      complete_ = complete_ && sources == catalog.stored;
    }
    complete_ = (complete_ || lost_only_) && !any_lost;
  }

  bool complete() const noexcept { return complete_; }
  /// Whether a source with these groups has all that is needed; see SourceRow::groups.
  bool are_met(std::int64_t source, std::string_view groups) const {
    for (const SourceGroup& group : parse_groups(groups, end_))
      if (groups_.contains(group.definition))
        return lost_only_ ? !has_lost(group.columns, source) : has_columns(group.columns, source);
    return lost_only_;
  }

 private:
  bool has_columns(const std::vector<DefinitionNumber>& columns, std::int64_t source) const {
    return std::all_of(columns_.begin(), columns_.end(), [&](const std::set<DefinitionNumber>& need) {
      return std::any_of(columns.begin(), columns.end(),
                         [&](DefinitionNumber c) { return need.contains(c) && !lost_.has(c, source); });
    });
  }

  bool has_lost(const std::vector<DefinitionNumber>& columns, std::int64_t source) const {
    return std::any_of(columns_.begin(), columns_.end(), [&](const std::set<DefinitionNumber>& need) {
      return std::any_of(columns.begin(), columns.end(),
                         [&](DefinitionNumber c) { return need.contains(c) && lost_.has(c, source); });
    });
  }

  const LostColumns& lost_;
  const NodeId end_;
  const bool lost_only_;
  bool complete_ = false;
  std::set<DefinitionNumber> groups_;
  std::vector<std::set<DefinitionNumber>> columns_;
};

/// Puts in order what comes from the tables, `in_order` of them, and from fresh sources after it; keeps the first.
template <class Item, class Key>
void keep_first(std::vector<Item>& items, std::size_t in_order, std::size_t limit, Key key) {
  if (items.size() == in_order) return;
  const auto less = [key](const Item& a, const Item& b) { return key(a) < key(b); };
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(in_order);
  std::sort(middle, items.end(), less);
  std::inplace_merge(items.begin(), middle, items.end(), less);
  if (items.size() > limit) items.resize(limit);
}

}  // namespace

SqliteSnapshot::SqliteSnapshot(std::shared_ptr<const State> state, std::shared_ptr<ReaderPool> pool,
                               std::shared_ptr<SharedBySnapshots> shared)
    : state_(std::move(state)), readers_(std::move(pool), state_->catalog.generation), shared_(std::move(shared)) {}

std::vector<SourceRecord> SqliteSnapshot::do_sources(const SourceQuery& query, const StopToken& stop) const {
  static const std::string columns = std::string("SELECT ") + kSourceColumns + " FROM source WHERE ";
  static const std::string all = columns + "id > ?1 ORDER BY id";
  static const std::string failed = columns + "id > ?1 AND state = 1 ORDER BY id";
  const ReaderSet::Lease lease(readers_);
  std::vector<SourceRecord> records;
  const FreshSources& fresh = *state_->fresh;
  if (query.id) {
    const FreshSource* newest = fresh.find(*query.id);
    std::optional<SourceRow> row = newest != nullptr ? newest->row : find_source(*lease, *query.id);
    const bool wanted =
        row && *query.id > query.after && (!query.failed_only || row->record.state == SourceState::failed);
    if (wanted) records.push_back(std::move(row->record));
    return records;
  }
  kernel::StopPoll poll(stop);
  Statement& read = (*lease).statement(query.failed_only ? failed : all);
  const Rows guard(read);
  read.bind_text(1, query.after);
  while (records.size() < query.limit && read.step()) {
    poll.spend(2000);
    if (!fresh.holds(read.integer(0))) records.push_back(read_source(read).record);
  }
  const std::size_t in_order = records.size();
  for (const FreshSources::Pointer& source : fresh.all())
    if (source->row.record.id > query.after && !query.failed_only) records.push_back(source->row.record);
  keep_first(records, in_order, query.limit,
             [](const SourceRecord& record) -> const std::string& { return record.id; });
  return records;
}

std::optional<std::string> SqliteSnapshot::do_text(std::string_view source) const {
  if (const FreshSource* fresh = state_->fresh->find(source)) return fresh->text;
  const ReaderSet::Lease lease(readers_);
  const std::optional<SourceRow> row = find_source(*lease, source);
  if (!row || !row->has_content()) return std::nullopt;
  return read_text(*lease, row->text, {0, row->text.size});
}

std::vector<Node> SqliteSnapshot::do_nodes(const NodeQuery& query, const StopToken& stop) const {
  const ReaderSet::Lease lease(readers_);
  return NodeReader(*lease, *state_, query, {sources_, readers_.text_blocks()}, stop).read();
}

std::vector<NodeId> SqliteSnapshot::do_select(std::string_view group, const Filter& filter,
                                              const StopToken& stop) const {
  NodeQuery query;
  query.group = group;
  const auto read_all = [&] {
    // A thread has one reader at a time: the filter may need it next.
    const ReaderSet::Lease lease(readers_);
    return NodeReader(*lease, *state_, query, {sources_, readers_.text_blocks()}, stop).read_sources();
  };
  NodeSources all = read_all();
  const std::unique_ptr<const MetadataFilter> allowed = row_filter(group, filter, stop);
  if (!allowed) return std::move(all.nodes);
  return noting_damage(*state_, group, {}, [&] {
    std::vector<NodeId> ids;
    const Selection rows = allowed->select(all.nodes, all.sources, stop);
    rows->for_each(0, all.nodes.size(), [&](std::size_t row) { ids.push_back(all.nodes[row]); });
    return ids;
  });
}

std::shared_ptr<const OffsetMap> SqliteSnapshot::do_offset_map(std::string_view source) const {
  const auto known = sources_.find(source);
  if (known && !known->has_offset_map) return nullptr;
  if (std::shared_ptr<const OffsetMap> map = sources_.find_map(source)) return map;
  std::shared_ptr<const OffsetMap> map =
      known ? read_offset_map(*ReaderSet::Lease(readers_), known->number) : StoreSnapshot::do_offset_map(source);
  if (map) sources_.add_map(source, map);
  return map;
}

std::vector<std::string> SqliteSnapshot::do_pending(const PendingQuery& query, const StopToken& stop) const {
  std::vector<std::string> ids;
  const Needs needs(*state_, query);
  if (needs.complete()) return ids;
  const ReaderSet::Lease lease(readers_);
  kernel::StopPoll poll(stop);
  Statement& read =
      (*lease).statement("SELECT id, number, groups FROM source WHERE id > ?1 AND generation > 0 ORDER BY id");
  const Rows guard(read);
  read.bind_text(1, query.after);
  while (ids.size() < query.limit && read.step()) {
    poll.spend(1000);
    if (!state_->fresh->holds(read.integer(1)) && !needs.are_met(read.integer(1), read.blob(2)))
      ids.emplace_back(read.text(0));
  }
  const std::size_t in_order = ids.size();
  for (const FreshSources::Pointer& source : state_->fresh->all())
    if (source->row.record.id > query.after && !needs.are_met(source->row.number, source->row.groups))
      ids.push_back(source->row.record.id);
  keep_first(ids, in_order, query.limit, [](const std::string& id) -> const std::string& { return id; });
  return ids;
}

std::vector<std::vector<float>> SqliteSnapshot::do_vectors(std::string_view key, std::string_view signature,
                                                           std::span<const Hash128> contents) const {
  std::vector<segment::DenseView> views;
  std::vector<PartNumber> parts;
  // What is damaged holds no vectors of texts that come again.
  const std::shared_ptr<const State> state = complete_state().state;
  for (const auto& [number, definition] : state->catalog.columns()) {
    const Column* column = state->column(number);
    if (!column || definition.key != key || definition.signature != signature || definition.dimension == 0) continue;
    for (segment::DenseView& view : column->dense()) views.push_back(std::move(view));
    for (const Part& part : column->parts) parts.push_back(part.number);
  }
  return segment::find_vectors(views, contents, [&](std::size_t part) { shared_->damage.suspect(parts[part]); });
}

std::vector<std::optional<std::vector<TermWeight>>> SqliteSnapshot::do_sparse_vectors(std::string_view key,
                                                                                      std::string_view signature,
                                                                                      std::span<const Hash128> contents,
                                                                                      const StopToken& stop) const {
  std::vector<segment::SparseView> views;
  for (const auto& [number, definition] : state_->catalog.columns()) {
    const Column* column = state_->column(number);
    if (!column || definition.key != key || definition.signature != signature || definition.dimension != 0) continue;
    for (const Part& part : column->parts)
      if (const auto* data = std::get_if<decltype(segment::SparseView::part)>(&part.data);
          data != nullptr && shared_->first_use.is_sound(*state_, part.number, stop))
        views.push_back({*data, part.dead});
  }
  return segment::find_sparse_vectors(views, contents, stop);
}

std::optional<GroupChange> SqliteSnapshot::do_changes(std::string_view group, Generation since) const {
  if (since < state_->catalog.oldest_change) return std::nullopt;
  const ReaderSet::Lease lease(readers_);
  // A log that cannot be trusted is one that does not reach back: who asks reads everything instead.
  return fold_changes(*lease, group, since);
}

SqliteSnapshot::SparseColumns SqliteSnapshot::sparse_columns(const TermSearch& search, ColumnChoice& choice,
                                                             const StopToken& stop) const {
  SparseColumns found;
  for (const auto& [number, definition] : state_->catalog.columns()) {
    if (definition.group != search.group || definition.key != search.key || definition.dimension != 0) continue;
    if (!choice.takes(definition.signature, 0, static_cast<std::uint64_t>(definition.sources))) continue;
    const Column* column = state_->column(number);
    if (!column) continue;
    shared_->first_use.check(*state_, number, stop);
    for (segment::SparseView& view : column->sparse()) found.views.push_back(std::move(view));
    const segment::SparseTotals of_column = column->totals();
    found.totals.nodes += of_column.nodes;
    found.totals.tokens += of_column.tokens;
  }
  return found;
}

TermStatistics SqliteSnapshot::do_term_statistics(std::string_view group, std::string_view key,
                                                  std::string_view signature,
                                                  std::span<const std::string> terms) const {
  TermSearch search;
  search.group = group;
  search.key = key;
  search.signature = signature;
  ColumnChoice choice(search);
  const auto [views, totals] = sparse_columns(search, choice, {});
  TermStatistics statistics;
  statistics.nodes = totals.nodes;
  statistics.tokens = totals.tokens;
  statistics.frequencies = segment::count_terms(views, terms);
  return statistics;
}

TermHits SqliteSnapshot::do_search_terms(const TermSearch& search, const StopToken& stop) const {
  ColumnChoice choice(search);
  const SparseColumns columns = sparse_columns(search, choice, stop);
  choice.check();
  TermHits hits;
  choice.tell(hits.plan);
  if (columns.views.empty()) return hits;
  const std::unique_ptr<const MetadataFilter> allowed = row_filter(search.group, search.filter, stop);
  const Bm25Parameters* parameters = search.parameters ? &*search.parameters : nullptr;
  hits.hits = noting_damage(*state_, search.group, search.key, [&] {
    return segment::search_sparse(columns.views, columns.totals, search.terms, parameters, allowed.get(), search.k,
                                  stop);
  });
  return hits;
}

VectorHits SqliteSnapshot::do_search_vectors(const VectorSearch& search, const StopToken& stop) const {
  std::vector<segment::DenseView> views;
  ColumnChoice choice(search);
  const auto [state, lost] = complete_state();
  for (const auto& [number, definition] : state->catalog.columns()) {
    if (definition.group != search.group || definition.key != search.key || definition.dimension == 0) continue;
    if (!choice.takes(definition.signature, definition.dimension, static_cast<std::uint64_t>(definition.sources)))
      continue;
    for (const LostPart& part : lost)
      if (part.definition == number) refuse_damaged(part.part.number);
    shared_->first_use.check(*state, number, stop);
    if (const Column* column = state->column(number))
      for (segment::DenseView& view : column->dense()) views.push_back(std::move(view));
  }
  choice.check();
  if (views.empty()) return {};
  const std::unique_ptr<const MetadataFilter> allowed = row_filter(search.group, search.filter, stop);
  segment::DenseHits found = noting_damage(*state, search.group, search.key, [&] {
    return segment::search_dense(views, segment::query_of(search, allowed.get()), stop);
  });
  VectorHits hits;
  hits.hits = std::move(found.hits);
  hits.plan = std::move(found.plan);
  choice.tell(hits.plan);
  return hits;
}

template <class Search>
std::invoke_result_t<Search> SqliteSnapshot::noting_damage(const State& state, std::string_view group,
                                                           std::string_view key, Search search) const {
  try {
    return search();
  } catch (const Error& error) {
    if (error.errc() == Errc::corrupt_store)
      for (const auto& [number, definition] : state.catalog.columns())
        if (const Column* column = state.column(number);
            column && definition.group == group && (definition.key == key || definition.is_fields()))
          shared_->damage.suspect(*column);
    throw;
  }
}

CompleteState SqliteSnapshot::complete_state() const {
  if (!state_->unread) return {state_, {}};
  CompleteState complete = read_rest(*ReaderSet::Lease(readers_), *state_);
  for (const LostPart& lost : complete.lost) shared_->damage.suspect(lost.part.number);
  return complete;
}

std::unique_ptr<const MetadataFilter> SqliteSnapshot::row_filter(std::string_view group, const Filter& filter,
                                                                 const StopToken& stop) const {
  if (filter.empty()) return nullptr;
  for (const auto& [number, definition] : state_->catalog.columns())
    if (definition.group == group && definition.is_fields()) shared_->first_use.check(*state_, number, stop);
  return std::make_unique<const MetadataFilter>(*state_, readers_, shared_->filters, group, filter);
}

}  // namespace ragstone::sqlite
