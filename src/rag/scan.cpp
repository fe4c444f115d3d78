#include "rag/scan.hpp"

#include "reader/dataset.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace ragstone {
namespace {

using Readers = std::vector<std::shared_ptr<const Reader>>;
using Stored = std::map<std::string_view, const SourceRecord*>;
using Places = std::set<std::string_view>;

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

/// Of the places that could not be looked at the one that is this source, or hides it.
std::optional<std::string_view> hiding_place(std::string_view id, const Places& places) {
  if (places.contains("")) return "";
  while (!places.contains(id)) {
    const std::size_t slash = id.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    id = id.substr(0, slash);
  }
  return id;
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

/// Adds the problems, and tells whether missing files may be where one of them is: in a folder of which nothing is
/// known from before.
bool add_problems(const std::vector<DatasetProblem>& problems, const Places& known, Difference& difference) {
  bool may_hold_missing = false;
  for (const DatasetProblem& problem : problems) {
    SourceStatus& status = difference.problems.emplace_back(status_of(problem));
    if (difference.missing.empty() || !problem.may_hold_files || known.contains(problem.id)) continue;
    status.reason += "; what is missing elsewhere may be in there, and is kept";
    may_hold_missing = true;
  }
  return may_hold_missing;
}

Difference compare(DatasetListing listing, Stored stored, const Readers& readers, const SyncOptions& options) {
  Difference difference;
  difference.ignored = listing.ignored;
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
  Places places;
  Places known;
  for (const DatasetProblem& problem : listing.problems) places.insert(problem.id);
  for (const auto& [id, record] : stored) {
    if (!record->stamp) continue;
    if (const auto place = hiding_place(id, places)) {
      known.insert(*place);
    } else {
      difference.missing.push_back(*record);
    }
  }
  const bool may_hold_missing = add_problems(listing.problems, known, difference);
  // A dataset without any file may be a volume that is not mounted.
  difference.kept_because_empty = listing.files.empty() && !difference.missing.empty() && !options.allow_empty;
  if (difference.kept_because_empty) {
    keep_missing(difference, [](const SourceRecord&) { return true; });
  } else if (may_hold_missing || options.cleanup == SyncCleanup::incremental) {
    keep_missing(difference, [](const SourceRecord& record) { return record.generation != 0; });
  }
  return difference;
}

/// Lists the dataset. That no reader accepts the file of a source that has content is a problem: its reader may have
/// been forgotten.
DatasetListing list_files(const DocumentCore& core, const Stored& stored, const StopToken& stop) {
  std::vector<DatasetProblem> forgotten;
  const auto accepts = [&](std::string_view id) {
    if (reader_for(core.readers, id) != nullptr) return true;
    const auto found = stored.find(id);
    if (found != stored.end() && found->second->stamp && found->second->generation != 0)
      forgotten.push_back({std::string(id),
                           "no reader accepts it any more, and what is stored of it is kept; add its reader to "
                           "DocumentOptions::readers, or remove() the source"});
    return false;
  };
  DatasetListing listing = list_dataset(core.options.dataset, accepts, stop);
  listing.ignored -= forgotten.size();
  listing.problems.insert(listing.problems.end(), forgotten.begin(), forgotten.end());
  std::sort(listing.problems.begin(), listing.problems.end(),
            [](const DatasetProblem& a, const DatasetProblem& b) { return a.id < b.id; });
  return listing;
}

}  // namespace

Task<Difference> scan_dataset(std::shared_ptr<DocumentCore> core, std::shared_ptr<const Records> records,
                              SyncOptions options, CallContext context) {
  const Pool pool = core->pool;
  Work<Difference> work;
  work.set([core = std::move(core), records = std::move(records), options](const StopToken& stop) {
    Stored stored;
    for (const SourceRecord& record : *records) stored.emplace(record.id, &record);
    DatasetListing listing = list_files(*core, stored, stop);
    return compare(std::move(listing), std::move(stored), core->readers, options);
  });
  co_return co_await offload(pool, Lane::background, std::move(work), context);
}

void check_dataset(const DocumentCore& core, const char* operation) {
  if (core.options.dataset.empty())
    throw Error(Errc::invalid_argument,
                std::string(operation) + ": DocumentOptions::dataset names no folder; use add() for single texts");
}

}  // namespace ragstone
