#include "rag/ingest.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace ragstone {

bool StoredRetry::takes(const SourceRecord& record) const {
  if (record.state != SourceState::failed || !record.failed_as_stored) return false;
  return all || !record.stamp || (without_file != nullptr && without_file->contains(record.id));
}

Task<void> retry_stored(std::shared_ptr<DocumentCore> core, StoredRetry retry, CallContext context) {
  context = context.with_lane(Lane::background);
  SourceQuery query;
  query.failed_only = true;
  const Snapshot latest;
  std::vector<SourceRecord> failed = co_await core->store->sources(query, latest, context);
  IngestItems items;
  for (SourceRecord& record : failed) {
    if (!retry.takes(record)) continue;
    std::optional<std::string> text = co_await core->store->text(record.id, latest, context);
    if (!text) continue;
    IngestItem item;
    item.id = record.id;
    item.replaces = record.content;
    item.metadata = record.metadata;
    item.text = std::move(*text);
    item.bytes = item.text.size();
    if (record.stamp) item.was_file = std::make_shared<const SourceRecord>(std::move(record));
    items.push_back(std::move(item));
  }
  IngestRun ingest(core, std::move(items), context);
  co_await ingest.run();
}

}  // namespace ragstone
