#include "rag/ingest.hpp"

#include <optional>
#include <utility>

namespace ragstone {

bool is_retried_as_stored(const SourceRecord& record) {
  return record.state == SourceState::failed && !record.stamp && record.failed_as_stored;
}

Task<void> retry_stored(std::shared_ptr<DocumentCore> core, CallContext context) {
  context = context.with_lane(Lane::background);
  SourceQuery query;
  query.failed_only = true;
  const Snapshot latest;
  std::vector<SourceRecord> failed = co_await core->store->sources(query, latest, context);
  IngestItems items;
  for (SourceRecord& record : failed) {
    if (!is_retried_as_stored(record)) continue;
    std::optional<std::string> text = co_await core->store->text(record.id, latest, context);
    if (!text) continue;
    IngestItem item;
    item.id = std::move(record.id);
    item.replaces = record.content;
    item.metadata = std::move(record.metadata);
    item.text = std::move(*text);
    item.bytes = item.text.size();
    items.push_back(std::move(item));
  }
  IngestRun ingest(core, std::move(items), context);
  co_await ingest.run();
}

}  // namespace ragstone
