#pragma once

#include "rag/document_core.hpp"
#include "rag/prepare.hpp"
#include <ragstone/async/task.hpp>
#include <ragstone/rag/sync_plan.hpp>
#include <ragstone/rag/sync_report.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ragstone {

/// The dataset against the store: what both plan() and sync() go by.
struct Difference {
  IngestItems items;                      ///< To be read, ascending by id.
  std::vector<ReadReason> reasons;        ///< For the items.
  std::vector<bool> known;                ///< Whether items[i] has content in the store.
  std::vector<SourceRecord> missing;      ///< In the store, no longer in the dataset, and to be removed.
  std::shared_ptr<const SourceIds> kept;  ///< In the store, no longer in the dataset, and to stay; null: none.
  std::vector<SourceStatus> problems;
  std::size_t unchanged = 0;
  std::size_t ignored = 0;
  bool kept_because_empty = false;
};

using Records = std::vector<SourceRecord>;

/// Lists the dataset and compares it with `records`, all of the store's. Reads no file.
Task<Difference> scan_dataset(std::shared_ptr<DocumentCore> core, std::shared_ptr<const Records> records,
                              SyncOptions options, CallContext context);

/// See Document::plan().
Task<SyncPlan> plan_sync(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context);

/// Errors: Errc::invalid_argument if the Document has no dataset.
void check_dataset(const DocumentCore& core, const char* operation);

}  // namespace ragstone
