#include "rag/scan.hpp"

#include "reader/dataset.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace ragstone {
namespace {

using Readers = std::vector<std::shared_ptr<const Reader>>;

const Reader* reader_for(const Readers& readers, std::string_view path) {
  for (const auto& reader : readers)
    if (reader->accepts(path)) return reader.get();
  return nullptr;
}

/// Why a file must be read; none if it need not.
std::optional<ReadReason> reason_to_read(const DatasetFile& file, const SourceRecord* record, const Readers& readers,
                                         const SyncOptions& options) {
  if (record == nullptr) return ReadReason::added;
  if (record->state == SourceState::failed) return ReadReason::failed;
  if (!record->stamp || record->stamp->size != file.stamp.size) return ReadReason::changed;
  const Reader* reader = reader_for(readers, file.id);
  if (reader == nullptr || record->reader != reader->signature()) return ReadReason::reader_changed;
  if (record->stamp != file.stamp) return ReadReason::doubtful;
  if (options.verify_content) return ReadReason::asked;
  return std::nullopt;
}

IngestItem item_for(DatasetFile file, const SourceRecord* record) {
  IngestItem item;
  item.id = std::move(file.id);
  item.path = std::move(file.path);
  item.stamp = file.stamp;
  item.bytes = file.stamp.size;
  if (record != nullptr && record->state == SourceState::ready) {
    item.known_content = record->content;
    item.known_reader = record->reader;
    item.known_stamp = record->stamp;
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

SourceStatus status_of(const DatasetProblem& problem) {
  SourceStatus status;
  status.id = problem.id;
  status.state = SourceState::failed;
  status.stage = Stage::scan;
  status.reason = problem.reason;
  return status;
}

/// Those for which `stays` holds are not to be removed.
template <class Predicate>
void keep_missing(Difference& difference, Predicate stays) {
  const auto kept = std::make_shared<SourceIds>();
  std::erase_if(difference.missing, [&](const SourceRecord& record) {
    if (!stays(record)) return false;
    difference.unchanged += record.state == SourceState::ready ? 1 : 0;
    kept->insert(record.id);
    return true;
  });
  difference.kept = kept;
}

Difference compare(DatasetListing listing, const Records& records, const Readers& readers, const SyncOptions& options) {
  Difference difference;
  difference.ignored = listing.ignored;
  std::map<std::string_view, const SourceRecord*> stored;
  for (const SourceRecord& record : records) stored.emplace(record.id, &record);
  for (DatasetFile& file : listing.files) {
    const auto found = stored.find(file.id);
    const SourceRecord* record = found == stored.end() ? nullptr : found->second;
    if (found != stored.end()) stored.erase(found);
    if (const auto reason = reason_to_read(file, record, readers, options)) {
      difference.items.push_back(item_for(std::move(file), record));
      difference.reasons.push_back(*reason);
      difference.known.push_back(record != nullptr && record->generation != 0);
    } else {
      ++difference.unchanged;
    }
  }
  for (const auto& [id, record] : stored) {
    if (record->stamp && !is_hidden(record->id, listing.problems)) difference.missing.push_back(*record);
  }
  for (const DatasetProblem& problem : listing.problems) difference.problems.push_back(status_of(problem));
  // A dataset without any file may be a volume that is not mounted.
  difference.kept_because_empty = listing.files.empty() && !difference.missing.empty() && !options.allow_empty;
  if (difference.kept_because_empty) {
    keep_missing(difference, [](const SourceRecord&) { return true; });
  } else if (options.cleanup == SyncCleanup::incremental) {
    keep_missing(difference, [](const SourceRecord& record) { return record.generation != 0; });
  }
  return difference;
}

}  // namespace

Task<Difference> scan_dataset(std::shared_ptr<DocumentCore> core, std::shared_ptr<const Records> records,
                              SyncOptions options, CallContext context) {
  const Pool pool = core->pool;
  Work<Difference> work;
  work.set([core = std::move(core), records = std::move(records), options](const StopToken& stop) {
    const auto accepts = [&](std::string_view path) { return reader_for(core->readers, path) != nullptr; };
    return compare(list_dataset(core->options.dataset, accepts, stop), *records, core->readers, options);
  });
  co_return co_await offload(pool, Lane::background, std::move(work), context);
}

void check_dataset(const DocumentCore& core, const char* operation) {
  if (core.options.dataset.empty())
    throw Error(Errc::invalid_argument,
                std::string(operation) + ": DocumentOptions::dataset names no folder; use add() for single texts");
}

}  // namespace ragstone
