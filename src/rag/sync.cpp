#include "rag/ingest.hpp"
#include "rag/scan.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// What a sync knows when its files have been read; on a pool thread from then on, since a dataset may be large.
struct Ingested {
  std::vector<bool> known;
  std::vector<IngestResult> results;
  std::vector<SourceRecord> missing;
};

/// What a sync takes out of the store.
struct Removals {
  std::vector<std::string> ids;
  std::set<std::string> moved;  ///< Of them, those whose content has a new name,
  std::set<std::string> empty;  ///< and those that held none.
};

/// Sorts results into the report; gives the sources to be removed. A file that moved and could not be stored under its
/// new name stays searchable under the old one; one that could not even be read may have moved from any of its size.
Removals tally(const Ingested& ingested, SyncReport& report) {
  std::unordered_multimap<Hash128, std::string> gone;
  for (const SourceRecord& record : ingested.missing)
    if (record.generation != 0) gone.emplace(record.content, record.id);
  std::set<std::string> kept;
  std::set<std::uint64_t> unread_sizes;
  Removals removals;
  for (std::size_t i = 0; i < ingested.results.size(); ++i) {
    const IngestResult& result = ingested.results[i];
    const bool is_new = !ingested.known[i] && !result.unchanged;
    const auto origin = is_new && result.content ? gone.find(*result.content) : gone.end();
    if (is_new && !result.content) unread_sizes.insert(result.bytes);
    if (result.failure) {
      report.failures.push_back(status_of(result));
    } else if (result.unchanged) {
      ++report.unchanged;
    } else if (ingested.known[i]) {
      ++report.changed;
    } else if (origin != gone.end()) {
      ++report.moved;
    } else {
      ++report.added;
    }
    if (origin != gone.end()) {
      (result.failure ? kept : removals.moved).insert(origin->second);
      gone.erase(origin);
    }
  }
  for (const SourceRecord& record : ingested.missing) {
    const bool has_moved = removals.moved.contains(record.id);
    const bool is_empty = record.generation == 0;
    if (kept.contains(record.id)) continue;
    if (!has_moved && !is_empty && unread_sizes.contains(record.stamp->size)) continue;
    removals.ids.push_back(record.id);
    if (is_empty) removals.empty.insert(record.id);
    report.removed += has_moved || is_empty ? 0 : 1;
  }
  return removals;
}

/// Takes what was not removed back out of the report.
void untally(const std::vector<std::string>& skipped, const Removals& removals, SyncReport& report) {
  for (const std::string& id : skipped) {
    if (removals.moved.contains(id)) {
      --report.moved;
      ++report.added;
    } else if (!removals.empty.contains(id)) {
      --report.removed;
    }
  }
}

/// Removes the sources that `scanned` held, and leaves those that were added under such an id since.
Task<void> remove_missing(std::shared_ptr<DocumentCore> core, std::shared_ptr<Removals> removals, Generation scanned,
                          std::shared_ptr<SyncReport> report, CallContext context) {
  if (removals->ids.empty()) co_return;
  auto changes = std::make_shared<Commit>();
  changes->removals = std::move(removals->ids);
  changes->removals_as_of = scanned;
  std::optional<CommitResult> result = co_await core->commit(changes, std::nullopt, context);
  Work<void> work;
  work.set([removals = std::move(removals), skipped = std::move(result->skipped), report](const StopToken&) {
    untally(skipped, *removals, *report);
  });
  co_await offload(core->pool, Lane::background, std::move(work), context);
}

/// Adds the failed sources that the report does not tell of yet, those that a build of a group failed for, and counts
/// attempts.
Task<void> add_other_failures(std::shared_ptr<DocumentCore> core, std::shared_ptr<SyncReport> report,
                              CallContext context) {
  SourceQuery query;
  query.failed_only = true;
  const Snapshot latest;
  auto failed = std::make_shared<Records>();
  *failed = co_await core->store->sources(query, latest, context);
  Work<void> work;
  work.set([failed = std::move(failed), report](const StopToken&) {
    std::map<std::string_view, SourceStatus*> told;
    for (SourceStatus& status : report->failures) told.emplace(status.id, &status);
    std::vector<SourceStatus> others;
    for (SourceRecord& record : *failed) {
      if (const auto known = told.find(record.id); known != told.end()) {
        known->second->attempts = record.attempts;
      } else {
        others.push_back(status_of(std::move(record)));
      }
    }
    std::move(others.begin(), others.end(), std::back_inserter(report->failures));
    report->failed = report->failures.size();
  });
  co_await offload(core->pool, Lane::background, std::move(work), context);
}

/// Makes anew what damage took from the groups in use, whether a query has opened them or not, and builds what those
/// lack that were built already.
Task<EmbedCounts> build_what_was_lost(std::shared_ptr<DocumentCore> core, CallContext context) {
  SourceQuery all_failed;
  all_failed.failed_only = true;
  const Snapshot latest;
  std::set<std::string> failed;
  const std::vector<SourceRecord> records = co_await core->store->sources(all_failed, latest, context);
  for (const SourceRecord& record : records) failed.insert(record.id);
  const std::shared_ptr<const IngestPlan> plan = core->groups.plan();
  EmbedCounts counts;
  for (const PlannedGroup& group : plan->groups) {
    PendingQuery lost = group.pending();
    lost.lost_only = true;
    lost.limit = 1;
    const std::vector<std::string> first_lost = co_await core->store->pending(lost, latest, context);
    if (!first_lost.empty()) {
      const EmbedCounts healed = co_await heal_group(core, group.name, failed, context);
      counts.embedded += healed.embedded;
      counts.reused += healed.reused;
    }
    std::vector<std::string> keys;
    for (const PlannedColumn& column : group.columns) keys.push_back(column.key);
    if (!core->groups.is_ready(group.name, keys)) continue;
    PendingQuery query = group.pending();
    std::vector<std::string> lacking = co_await core->store->pending(query, latest, context);
    std::erase_if(lacking, [&](const std::string& id) { return failed.contains(id); });
    if (!lacking.empty()) co_await build_group(core, group.name, context);
  }
  co_return counts;
}

Task<SyncReport> bring_up_to_date(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  co_await adopt_stored_groups(core, context);
  Snapshot scanned = co_await core->store->pin(context);
  const Generation generation = scanned.generation();
  SourceQuery all;
  auto records = std::make_shared<Records>();
  *records = co_await core->store->sources(all, scanned, context);
  scanned = Snapshot();
  Difference difference = co_await scan_dataset(core, std::move(records), options, context);

  auto report = std::make_shared<SyncReport>();
  report->ignored = difference.ignored;
  report->unchanged = difference.unchanged;
  report->failures = std::move(difference.problems);
  report->kept_because_empty = difference.kept_because_empty;

  auto ingested = std::make_shared<Ingested>();
  ingested->known = std::move(difference.known);
  ingested->missing = std::move(difference.missing);
  StoredRetry retry;
  retry.without_file = std::move(difference.kept);
  IngestRun ingest(core, std::move(difference.items), context);
  co_await ingest.run();
  report->texts_embedded = ingest.counts().embedded;
  report->texts_reused = ingest.counts().reused;
  ingested->results = ingest.take_results();

  Work<Removals> work;
  work.set([ingested = std::move(ingested), report](const StopToken&) { return tally(*ingested, *report); });
  auto removals = std::make_shared<Removals>();
  *removals = co_await offload(core->pool, Lane::background, std::move(work), context);
  co_await remove_missing(core, std::move(removals), generation, report, context);
  co_await retry_stored(core, std::move(retry), context);
  const EmbedCounts healed = co_await build_what_was_lost(core, context);
  report->texts_embedded += healed.embedded;
  report->texts_reused += healed.reused;
  co_await add_other_failures(core, report, context);

  const Snapshot at = co_await core->store->pin(context);
  report->generation = at.generation();
  co_return std::move(*report);
}

}  // namespace

Task<SyncReport> sync_dataset(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  check_dataset(*core, "sync");
  const Permit permit = co_await core->sync_limiter.acquire(context);
  RunScope run(context.with_lane(Lane::background), EventKind::index_run, "sync");
  SyncReport report = co_await in_run(run, bring_up_to_date(core, options, run.context()));
  run.end();
  co_return report;
}

}  // namespace ragstone
