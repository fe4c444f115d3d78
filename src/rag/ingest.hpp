#pragma once

#include "rag/document_core.hpp"
#include "rag/draft.hpp"
#include "rag/prepare.hpp"
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ragstone {

/// What became of an item.
struct IngestResult {
  std::string id;
  std::optional<StageError> failure;
  bool unchanged = false;
  std::uint64_t bytes = 0;         ///< Of the file, as it was listed, or of the text.
  std::optional<Hash128> content;  ///< None if it failed before it was read.
  std::uint64_t text_bytes = 0;
};

/// Where each of the batches that items are ingested in ends.
std::vector<std::size_t> batch_ends(const IngestItems& items, const DocumentOptions& options);

/// One call of sync() or add_all(): its batches run side by side on one executor and share this.
class IngestRun {
 public:
  IngestRun(std::shared_ptr<DocumentCore> core, IngestItems items, CallContext context);

  /// Reads, cuts, embeds and stores all items. A failing item is told in its result. Throws when cancelled, past the
  /// deadline, or when the store itself fails.
  Task<void> run();

  /// After run(): result i belongs to item i.
  std::vector<IngestResult> take_results() noexcept { return std::move(results_); }
  const EmbedCounts& counts() const noexcept { return counts_; }

 private:
  Task<void> run_batch(std::size_t begin, std::size_t end);
  /// Vectors of an earlier plan's rows go to `kept`.
  Task<void> prepare(std::shared_ptr<Drafts> drafts, std::shared_ptr<const IngestPlan> plan,
                     std::shared_ptr<VectorsByContent> kept, CallContext context);
  /// From files and texts to stored sources.
  Task<void> process(std::shared_ptr<Drafts> drafts, CallContext context);
  /// The same for each draft alone, after the store refused them together.
  Task<void> process_singly(Drafts& drafts, CallContext context);
  /// False, and nothing is stored, if the plan is no longer in force.
  Task<bool> store(Drafts& drafts, std::optional<std::uint64_t> plan_version, CallContext context);
  void record(std::size_t begin, Drafts& drafts);

  std::shared_ptr<DocumentCore> core_;
  CallContext context_;
  IngestItems items_;
  std::vector<IngestResult> results_;
  EmbedCounts counts_;
  const std::shared_ptr<EmbedderErrors> refusing_ = std::make_shared<EmbedderErrors>();
  Progress progress_;
};

/// Which of the sources that a build of a group failed for, and whose texts are stored, are ingested again from those.
struct StoredRetry {
  bool all = false;  ///< Also files of the dataset, whichever of them are there; a sync reads those itself,
  std::shared_ptr<const SourceIds> without_file;  ///< but for these (null: none).

  bool takes(const SourceRecord& record) const;
};

Task<void> retry_stored(std::shared_ptr<DocumentCore> core, StoredRetry retry, CallContext context);

/// Makes the rows anew that damage took from the columns of a group in use, and nothing else of it. Sources in `failed`
/// are left out; those that fail are recorded as failed, and put in. Is one index run of that name.
Task<EmbedCounts> heal_group(std::shared_ptr<DocumentCore> core, std::string group, std::set<std::string>& failed,
                             CallContext context);

/// A failure as it can be stored and shown.
SourceFailure failure_of(const std::string& source, const StageError& error);

SourceStatus status_of(const IngestResult& result);
SourceStatus status_of(SourceRecord record);

}  // namespace ragstone
