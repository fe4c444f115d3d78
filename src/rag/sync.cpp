#include "rag/document_core.hpp"
#include "rag/ingest.hpp"
#include "reader/dataset.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// The dataset against the store.
struct Difference {
  std::vector<IngestItem> items;      ///< To be read.
  std::vector<std::string> ids;       ///< Of the items.
  std::vector<bool> known;            ///< Whether items[i] has content in the store.
  std::vector<SourceRecord> missing;  ///< In the store, no longer in the dataset.
  std::vector<SourceStatus> problems;
  std::size_t unchanged = 0;
  std::size_t ignored = 0;
  bool empty = false;  ///< No file was found.
};

using Readers = std::vector<std::shared_ptr<const Reader>>;

const Reader* reader_for(const Readers& readers, std::string_view path) {
  for (const auto& reader : readers)
    if (reader->accepts(path)) return reader.get();
  return nullptr;
}

bool is_current(const SourceRecord& record, const DatasetFile& file, const Readers& readers) {
  const Reader* reader = reader_for(readers, file.id);
  return record.state == SourceState::ready && record.stamp == file.stamp && reader != nullptr &&
         record.reader == reader->signature();
}

IngestItem item_for(const DatasetFile& file, const SourceRecord* record) {
  IngestItem item;
  item.id = file.id;
  item.bytes = file.stamp.size;
  item.file = file;
  if (record != nullptr && record->state == SourceState::ready) {
    item.known_content = record->content;
    item.known_reader = record->reader;
  }
  return item;
}

/// Whether a place that could not be looked at hides this source.
bool is_hidden(const std::string& id, const std::vector<DatasetProblem>& problems) {
  return std::any_of(problems.begin(), problems.end(), [&](const DatasetProblem& problem) {
    return id == problem.id || problem.id.empty() ||
           (id.starts_with(problem.id) && id.size() > problem.id.size() && id[problem.id.size()] == '/');
  });
}

Difference compare(const DatasetListing& listing, const std::vector<SourceRecord>& records, const Readers& readers,
                   const SyncOptions& options) {
  Difference difference;
  difference.ignored = listing.ignored;
  difference.empty = listing.files.empty();
  std::map<std::string_view, const SourceRecord*> stored;
  for (const SourceRecord& record : records) stored.emplace(record.id, &record);
  for (const DatasetFile& file : listing.files) {
    const auto found = stored.find(file.id);
    const SourceRecord* record = found == stored.end() ? nullptr : found->second;
    if (found != stored.end()) stored.erase(found);
    if (record != nullptr && !options.verify_content && is_current(*record, file, readers)) {
      ++difference.unchanged;
      continue;
    }
    difference.items.push_back(item_for(file, record));
    difference.ids.push_back(file.id);
    difference.known.push_back(record != nullptr && record->generation != 0);
  }
  for (const auto& [id, record] : stored) {
    if (record->stamp && !is_hidden(record->id, listing.problems)) difference.missing.push_back(*record);
  }
  for (const DatasetProblem& problem : listing.problems) {
    SourceStatus status;
    status.id = problem.id;
    status.state = SourceState::failed;
    status.stage = Stage::scan;
    status.reason = problem.reason;
    difference.problems.push_back(std::move(status));
  }
  return difference;
}

Task<Difference> scan(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  SourceQuery all;
  auto records = std::make_shared<std::vector<SourceRecord>>();
  *records = co_await core->store->sources(all, Snapshot(), context);
  Work<Difference> work;
  work.set([core, records, options](const StopToken& stop) {
    const auto accepts = [&](std::string_view path) { return reader_for(core->readers, path) != nullptr; };
    return compare(list_dataset(core->options.dataset, accepts, stop), *records, core->readers, options);
  });
  co_return co_await offload(core->pool, Lane::background, std::move(work), context);
}

/// What a sync knows when its files have been read; on a pool thread from then on, since a dataset may be large.
struct Ingested {
  std::vector<std::string> ids;
  std::vector<bool> known;
  std::vector<IngestResult> results;
  std::vector<SourceRecord> missing;
};

/// Sorts results into the report; gives the sources to be removed. A file that moved and could not be stored under its
/// new name stays searchable under the old one.
std::vector<std::string> tally(const Ingested& ingested, SyncReport& report) {
  std::unordered_multimap<Hash128, std::string> gone;
  for (const SourceRecord& record : ingested.missing)
    if (record.generation != 0) gone.emplace(record.content, record.id);
  std::set<std::string> kept;
  std::set<std::string> moved;
  for (std::size_t i = 0; i < ingested.ids.size(); ++i) {
    const IngestResult& result = ingested.results[i];
    const auto origin = ingested.known[i] || result.unchanged ? gone.end() : gone.find(result.content);
    if (result.failure) {
      report.failures.push_back(status_of(ingested.ids[i], result));
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
      (result.failure ? kept : moved).insert(origin->second);
      gone.erase(origin);
    }
  }
  std::vector<std::string> removals;
  for (const SourceRecord& record : ingested.missing) {
    if (kept.contains(record.id)) continue;
    removals.push_back(record.id);
    if (record.generation != 0 && !moved.contains(record.id)) ++report.removed;
  }
  return removals;
}

/// Adds the failed sources that the report does not tell of yet, those that a build of a group failed for, and counts
/// attempts.
Task<void> add_other_failures(std::shared_ptr<DocumentCore> core, std::shared_ptr<SyncReport> report,
                              CallContext context) {
  SourceQuery query;
  query.failed_only = true;
  const Snapshot latest;
  auto failed = std::make_shared<std::vector<SourceRecord>>();
  *failed = co_await core->store->sources(query, latest, context);
  Work<void> work;
  work.set([failed, report](const StopToken&) {
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

Task<SyncReport> bring_up_to_date(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  Difference difference = co_await scan(core, options, context);

  auto report = std::make_shared<SyncReport>();
  report->ignored = difference.ignored;
  report->unchanged = difference.unchanged;
  report->failures = std::move(difference.problems);
  if (difference.empty && !difference.missing.empty() && !options.allow_empty) {
    report->kept_because_empty = true;
    report->unchanged += static_cast<std::size_t>(
        std::count_if(difference.missing.begin(), difference.missing.end(),
                      [](const SourceRecord& record) { return record.state == SourceState::ready; }));
    difference.missing.clear();
  }

  IngestRun ingest(core, std::move(difference.items), context);
  co_await ingest.run();
  report->texts_embedded = ingest.counts().embedded;
  report->texts_reused = ingest.counts().reused;

  auto ingested = std::make_shared<Ingested>();
  ingested->ids = std::move(difference.ids);
  ingested->known = std::move(difference.known);
  ingested->missing = std::move(difference.missing);
  ingested->results = ingest.take_results();
  Work<std::vector<std::string>> work;
  work.set([ingested, report](const StopToken&) { return tally(*ingested, *report); });
  auto changes = std::make_shared<Commit>();
  changes->removals = co_await offload(core->pool, Lane::background, std::move(work), context);
  ingested.reset();
  if (!changes->removals.empty()) co_await core->commit(changes, std::nullopt, context);
  co_await retry_stored(core, context);
  co_await add_other_failures(core, report, context);

  const Snapshot at = co_await core->store->pin(context);
  report->generation = at.generation();
  co_return std::move(*report);
}

}  // namespace

Task<SyncReport> sync_dataset(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context) {
  if (core->options.dataset.empty())
    throw Error(Errc::invalid_argument, "sync: DocumentOptions::dataset names no folder; use add() for single texts");
  const Permit permit = co_await core->sync_limiter.acquire(context);
  RunScope run(context, EventKind::load, "sync");
  SyncReport report = co_await in_run(run, bring_up_to_date(core, options, run.context()));
  run.end();
  co_return report;
}

}  // namespace ragstone
