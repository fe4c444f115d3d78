#include "rag/ingest.hpp"
#include "rag/scan.hpp"
#include "rag/text_rates.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/rag/sync_plan.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// All that a plan is made from.
struct Findings {
  std::shared_ptr<const Records> records;
  Difference difference;
  std::shared_ptr<const IngestPlan> in_use;  ///< What a sync makes.
  TextRates rates;

  StoredRetry retry() const {
    StoredRetry retry;
    retry.without_file = difference.kept;
    return retry;
  }
};

/// Adds up what one embedder is asked, batch by batch.
class EmbedSum {
 public:
  explicit EmbedSum(const PlannedColumn& column) : max_batch_(static_cast<double>(column.max_batch())) {
    sum_.key = column.key;
    sum_.model = column.model();
    sum_.from_stored = true;
  }

  void add(const TextRates& rates, const std::string& group, std::uint64_t bytes, bool doubtful) {
    const TextRates::Amount amount = rates.of(group, bytes);
    sum_.from_stored = sum_.from_stored && rates.from_stored(group);
    (doubtful ? doubtful_ : batch_) += amount.texts;
    tokens_ += doubtful ? 0 : amount.tokens;
  }

  void end_batch() {
    const double texts = std::ceil(std::exchange(batch_, 0));
    sum_.texts += static_cast<std::size_t>(texts);
    sum_.calls += static_cast<std::size_t>(std::ceil(texts / max_batch_));
  }

  EmbedEstimate result() {
    sum_.tokens = static_cast<std::uint64_t>(std::ceil(tokens_));
    sum_.doubtful_texts = static_cast<std::size_t>(std::ceil(doubtful_));
    return sum_;
  }

 private:
  double max_batch_;
  EmbedEstimate sum_;
  double batch_ = 0;
  double doubtful_ = 0;
  double tokens_ = 0;
};

PlannedRead read_of(const Difference& difference, std::size_t i) {
  PlannedRead read;
  read.id = difference.items[i].id;
  read.bytes = difference.items[i].bytes;
  read.reason = difference.reasons[i];
  return read;
}

/// A source that a sync embeds what it does not find stored of.
struct PlannedText {
  std::uint64_t bytes = 0;
  bool doubtful = false;
};

/// What reads and retries cost in embeddings.
class ReadEstimate {
 public:
  explicit ReadEstimate(const Findings& findings) : findings_(findings) {
    for (const PlannedGroup& group : findings.in_use->groups)
      for (const PlannedColumn& column : group.columns)
        if (!column.is_bm25()) sums_.try_emplace(column.key, column);
  }

  /// In the batches that end there.
  void add(const std::vector<PlannedText>& texts, const std::vector<std::size_t>& batch_ends) {
    std::size_t begin = 0;
    for (const std::size_t end : batch_ends) {
      for (; begin < end; ++begin) add(texts[begin]);
      for (auto& [key, sum] : sums_) sum.end_batch();
    }
  }

  std::vector<EmbedEstimate> results() {
    std::vector<EmbedEstimate> results;
    for (auto& [key, sum] : sums_) results.push_back(sum.result());
    return results;
  }

 private:
  void add(const PlannedText& text) {
    for (const PlannedGroup& group : findings_.in_use->groups)
      for (const PlannedColumn& column : group.columns)
        if (!column.is_bm25()) sums_.at(column.key).add(findings_.rates, group.name, text.bytes, text.doubtful);
  }

  const Findings& findings_;
  std::map<std::string, EmbedSum> sums_;
};

/// The items of retry_stored(), as far as their batches depend on them.
IngestItems retried_items(const Records& records, const StoredRetry& retry) {
  IngestItems items;
  for (const SourceRecord& record : records)
    if (retry.takes(record)) items.emplace_back().bytes = record.text_bytes;
  return items;
}

/// `plan.reads` must be there.
void estimate_reads(const Findings& findings, const DocumentOptions& options, SyncPlan& plan) {
  ReadEstimate estimate(findings);
  std::vector<PlannedText> texts;
  for (const PlannedRead& read : plan.reads) texts.push_back({read.bytes, read.is_likely_unchanged()});
  estimate.add(texts, batch_ends(findings.difference.items, options));
  texts.clear();
  const IngestItems retried = retried_items(*findings.records, findings.retry());
  for (const IngestItem& item : retried) texts.push_back({item.bytes, false});
  estimate.add(texts, batch_ends(retried, options));
  plan.embedding = estimate.results();
}

SyncPlan plan_of(const Findings& findings, const DocumentOptions& options) {
  SyncPlan plan;
  const Difference& difference = findings.difference;
  for (std::size_t i = 0; i < difference.items.size(); ++i) plan.reads.push_back(read_of(difference, i));
  for (const SourceRecord& record : difference.missing) plan.removals.push_back(record.id);
  const StoredRetry retry = findings.retry();
  for (const SourceRecord& record : *findings.records)
    if (retry.takes(record)) plan.retries.push_back(record.id);
  plan.unchanged = difference.unchanged;
  plan.ignored = difference.ignored;
  plan.kept_because_empty = difference.kept_because_empty;
  plan.problems = difference.problems;
  estimate_reads(findings, options, plan);
  return plan;
}

/// Sources that a sync reads anew, or removes, and so need no build of what is in use.
std::set<std::string, std::less<>> renewed(const SyncPlan& plan) {
  std::set<std::string, std::less<>> ids(plan.removals.begin(), plan.removals.end());
  for (const PlannedRead& read : plan.reads)
    if (!read.is_likely_unchanged()) ids.insert(read.id);
  return ids;
}

/// Makes the entry of one column (or of the nodes: null) that these sources lack.
PendingBuild pending_of(const Findings& findings, const SyncPlan& plan, const DocumentOptions& options,
                        const PlannedGroup& group, const PlannedColumn* column,
                        const std::vector<std::string>& lacking) {
  PendingBuild build;
  build.group = group.name;
  build.key = column ? column->key : std::string();
  const PlannedGroup* used = findings.in_use->find(group.name);
  const bool in_use = used && (!column || std::any_of(used->columns.begin(), used->columns.end(),
                                                      [&](const PlannedColumn& c) { return c.key == column->key; }));
  const auto left_out = in_use ? renewed(plan) : std::set<std::string, std::less<>>();
  std::unordered_map<std::string_view, std::uint64_t> sizes;
  for (const SourceRecord& record : *findings.records) sizes.emplace(record.id, record.text_bytes);
  std::optional<EmbedSum> sum;
  if (column && !column->is_bm25()) sum.emplace(*column);
  for (const std::string& id : lacking) {
    if (left_out.contains(id)) continue;
    ++build.sources;
    if (!sum) continue;
    const auto size = sizes.find(id);
    if (size != sizes.end()) sum->add(findings.rates, group.name, size->second, false);
    if (build.sources % options.batch_sources == 0) sum->end_batch();
  }
  if (!sum) return build;
  sum->end_batch();
  build.embedding = sum->result();
  return build;
}

/// The columns of a group, and null for its nodes.
std::vector<const PlannedColumn*> parts_of(const PlannedGroup& group) {
  std::vector<const PlannedColumn*> parts(1, nullptr);
  for (const PlannedColumn& column : group.columns) parts.push_back(&column);
  return parts;
}

/// Ids of sources, ascending.
struct Lacking {
  std::vector<std::string> all;
  std::vector<std::string> lost;  ///< Those of them that damage took rows of.
};

/// Takes the failed ones out of the lost, since they are not healed, and the lost out of `all`.
void tell_apart(Lacking& lacking, const Records& records) {
  std::set<std::string_view> failed;
  for (const SourceRecord& record : records)
    if (record.state == SourceState::failed) failed.insert(record.id);
  std::erase_if(lacking.lost, [&](const std::string& id) { return failed.contains(id); });
  std::vector<std::string> others;
  std::set_difference(lacking.all.begin(), lacking.all.end(), lacking.lost.begin(), lacking.lost.end(),
                      std::back_inserter(others));
  lacking.all = std::move(others);
}

Task<void> add_pending(std::shared_ptr<DocumentCore> core, std::shared_ptr<const IngestPlan> wanted,
                       std::shared_ptr<const Findings> findings, std::shared_ptr<SyncPlan> plan, Snapshot at,
                       CallContext context) {
  for (const PlannedGroup& group : wanted->groups) {
    for (const PlannedColumn* column : parts_of(group)) {
      PendingQuery query = group.pending();
      std::erase_if(query.columns, [&](const ColumnNeed& need) { return !column || need.key != column->key; });
      auto lacking = std::make_shared<Lacking>();
      lacking->all = co_await core->store->pending(query, at, context);
      if (lacking->all.empty()) continue;
      query.lost_only = true;
      lacking->lost = co_await core->store->pending(query, at, context);
      Work<void> work;
      work.set([core, wanted, findings, plan, &group, column, lacking = std::move(lacking)](const StopToken&) {
        tell_apart(*lacking, *findings->records);
        PendingBuild lost = pending_of(*findings, *plan, core->options, group, column, lacking->lost);
        if (lost.sources > 0) plan->lost.push_back(std::move(lost));
        PendingBuild build = pending_of(*findings, *plan, core->options, group, column, lacking->all);
        if (build.sources > 0) plan->pending.push_back(std::move(build));
      });
      co_await offload(core->pool, Lane::background, std::move(work), context);
    }
  }
}

Task<SyncPlan> make_plan(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  co_await adopt_stored_groups(core, context);
  const Snapshot at = co_await core->store->pin(context);
  SourceQuery all;
  auto records = std::make_shared<Records>();
  *records = co_await core->store->sources(all, at, context);
  auto findings = std::make_shared<Findings>();
  findings->records = records;
  findings->difference = co_await scan_dataset(core, records, options, context);
  findings->in_use = core->groups.plan();
  const std::vector<GroupInfo> stored = co_await core->store->groups(at, context);
  const auto wanted = std::make_shared<const IngestPlan>(core->groups.plan_with(stored));
  findings->rates = co_await sample_rates(core, records, wanted, context);
  records.reset();

  auto plan = std::make_shared<SyncPlan>();
  Work<SyncPlan> work;
  work.set([core, findings](const StopToken&) { return plan_of(*findings, core->options); });
  *plan = co_await offload(core->pool, Lane::background, std::move(work), context);
  plan->generation = at.generation();
  co_await add_pending(core, wanted, findings, plan, at, context);
  Work<void> release;
  release.set([findings = std::move(findings)](const StopToken&) {});
  co_await offload(core->pool, Lane::background, std::move(release), context);
  co_return std::move(*plan);
}

}  // namespace

const char* name_of(ReadReason reason) noexcept {
  switch (reason) {
    case ReadReason::added:
      return "added";
    case ReadReason::changed:
      return "changed";
    case ReadReason::doubtful:
      return "doubtful";
    case ReadReason::reader_changed:
      return "reader changed";
    case ReadReason::failed:
      return "failed";
    case ReadReason::asked:
      return "asked";
  }
  return "unknown";
}

std::uint64_t SyncPlan::bytes_to_read() const noexcept {
  std::uint64_t bytes = 0;
  for (const PlannedRead& read : reads) bytes += read.bytes;
  return bytes;
}

std::optional<double> EmbedEstimate::cost(const PriceTable& prices) const {
  if (tokens == 0) return 0;
  const Price* price = prices.find(model);
  if (price == nullptr) return std::nullopt;
  Usage usage;
  usage.input = tokens;
  return cost_of(usage, *price, false);
}

std::map<std::string, double> SyncPlan::costs(const PriceTable& prices) const {
  std::map<std::string, double> costs;
  const auto add = [&](const EmbedEstimate& estimate) {
    const Price* price = prices.find(estimate.model);
    const std::optional<double> cost = estimate.cost(prices);
    if (price != nullptr && cost) costs[price->currency] += *cost;
  };
  for (const EmbedEstimate& estimate : embedding) add(estimate);
  for (const PendingBuild& build : lost) add(build.embedding);
  return costs;
}

Task<SyncPlan> plan_sync(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  check_dataset(*core, "plan");
  RunScope run(context.with_lane(Lane::background), EventKind::load, "plan");
  SyncPlan plan = co_await in_run(run, make_plan(core, options, run.context()));
  run.end();
  co_return plan;
}

}  // namespace ragstone
