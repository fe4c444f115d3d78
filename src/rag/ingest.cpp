#include "rag/ingest.hpp"

#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

/// Reads what has not been read, and cuts it by the plan. On a pool thread.
void prepare_draft(Draft& draft, const DocumentCore& core, const IngestPlan& plan, const StopToken& stop) {
  if (draft.failure) return;
  Stage stage = Stage::load;
  try {
    if (!draft.read) {
      ReadItem read = read_item(draft.item, core.readers, core.options.max_source_bytes, stop, stage);
      draft.write = std::move(read.write);
      draft.unchanged = read.unchanged;
      draft.restamped = read.restamped;
      draft.content = draft.write.record.content;
      draft.text_bytes = draft.write.text.size();
      draft.read = true;
    }
    if (!draft.unchanged)
      draft.write.groups = make_groups(draft.item.id, draft.write.text, draft.write.record.metadata, plan, stop, stage);
  } catch (...) {
    throw_if_stopped(stop);
    draft.failure = StageError{stage, std::current_exception()};
  }
}

/// Moves what a draft has to say into `changes`.
void add_to(Commit& changes, Draft& draft) {
  if (draft.failure) {
    if (!is_valid_source_id(draft.item.id)) return;  // nothing can be kept under such a name
    SourceFailure failure = failure_of(draft.item.id, *draft.failure);
    if (draft.item.is_file()) failure.stamp = draft.item.stamp;
    failure.content = draft.item.replaces;
    changes.failures.push_back(std::move(failure));
  } else if (draft.restamped) {
    SourceTouch touch;
    touch.source = draft.item.id;
    touch.stamp = *draft.write.record.stamp;
    changes.touches.push_back(std::move(touch));
  } else if (!draft.unchanged) {
    changes.sources.push_back(std::move(draft.write));
  }
}

bool is_empty(const Commit& changes) {
  return changes.sources.empty() && changes.failures.empty() && changes.touches.empty();
}

/// Whether it is the store or its medium that failed, so that no single source would fare better.
bool is_of_store(Errc code) {
  return code == Errc::closed || code == Errc::storage_full || code == Errc::io_error || code == Errc::corrupt_store ||
         code == Errc::locked || code == Errc::unsupported;
}

void take_back(Commit& changes, Drafts& drafts) {
  std::size_t next = 0;
  for (Draft& draft : drafts)
    if (draft.wants_groups()) draft.write = std::move(changes.sources[next++]);
}

}  // namespace

std::vector<std::size_t> batch_ends(const IngestItems& items, const DocumentOptions& options) {
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool full = i - begin == options.batch_sources || bytes + items[i].bytes > options.batch_bytes;
    if (full && i > begin) {
      ends.push_back(begin = i);
      bytes = 0;
    }
    bytes += items[i].bytes;
  }
  if (!items.empty()) ends.push_back(items.size());
  return ends;
}

IngestRun::IngestRun(std::shared_ptr<DocumentCore> core, IngestItems items, CallContext context)
    : core_(std::move(core)),
      context_(context.with_lane(Lane::background)),
      items_(std::move(items)),
      results_(items_.size()) {
  progress_.sources_total = items_.size();
  for (const IngestItem& item : items_) progress_.bytes_total += item.bytes;
}

Task<void> IngestRun::run() {
  if (items_.empty()) co_return;
  core_->check_writable("ingest (sources: " + std::to_string(items_.size()) + ")");
  co_await adopt_stored_groups(core_, context_);
  core_->report_progress(progress_);
  std::vector<Task<void>> batches;
  std::size_t begin = 0;
  for (const std::size_t end : batch_ends(items_, core_->options))
    batches.push_back(run_batch(std::exchange(begin, end), end));
  GatherOptions options;
  options.limit = core_->options.batches_in_flight;
  co_await gather(std::move(batches), options);
}

Task<void> IngestRun::run_batch(std::size_t begin, std::size_t end) {
  auto drafts = std::make_shared<Drafts>(end - begin);
  for (std::size_t i = begin; i < end; ++i) (*drafts)[i - begin].item = std::move(items_[i]);
  RunScope run(context_, EventKind::load, "batch");
  co_await in_run(run, process(drafts, run.context()));
  run.end();
  record(begin, *drafts);
}

Task<void> IngestRun::process(std::shared_ptr<Drafts> drafts, CallContext context) {
  std::exception_ptr error;
  const auto kept = std::make_shared<VectorsByContent>();
  for (bool stored = false; !stored && !error;) {
    const std::shared_ptr<const IngestPlan> plan = core_->groups.plan();
    co_await prepare(drafts, plan, kept, context);
    const EmbedCounts counts = co_await embed_drafts(core_, plan, drafts, kept, refusing_, context);
    counts_.embedded += counts.embedded;
    counts_.reused += counts.reused;
    try {
      stored = co_await store(*drafts, plan->version, context);
    } catch (...) {
      error = std::current_exception();
    }
  }
  if (!error) co_return;
  if (ends_operation(error, context_) || is_of_store(errc_of(error))) std::rethrow_exception(error);
  if (drafts->size() > 1) {
    co_await process_singly(*drafts, context);
  } else {
    drafts->front().failure = StageError{Stage::store, error};
    co_await store(*drafts, std::nullopt, context);
  }
}

Task<void> IngestRun::process_singly(Drafts& drafts, CallContext context) {
  for (Draft& draft : drafts) {
    auto single = std::make_shared<Drafts>(1);
    single->front().item = std::move(draft.item);
    co_await process(single, context);
    draft = std::move(single->front());
  }
}

Task<void> IngestRun::prepare(std::shared_ptr<Drafts> drafts, std::shared_ptr<const IngestPlan> plan,
                              std::shared_ptr<VectorsByContent> kept, CallContext context) {
  RunScope run(context, EventKind::chunk, "batch");
  Work<void> work;
  work.set([core = core_, drafts, plan, kept](const StopToken& stop) {
    keep_vectors(*drafts, *kept);
    for (Draft& draft : *drafts) {
      throw_if_stopped(stop);
      prepare_draft(draft, *core, *plan, stop);
    }
  });
  Task<void> preparing = offload(core_->pool, Lane::background, std::move(work), run.context());
  co_await in_run(run, std::move(preparing));
  run.end();
}

Task<bool> IngestRun::store(Drafts& drafts, std::optional<std::uint64_t> plan_version, CallContext context) {
  auto changes = std::make_shared<Commit>();
  for (Draft& draft : drafts) add_to(*changes, draft);
  if (is_empty(*changes)) co_return true;
  const std::optional<CommitResult> result = co_await core_->commit(changes, plan_version, context);
  if (!result) take_back(*changes, drafts);
  co_return result.has_value();
}

void IngestRun::record(std::size_t begin, Drafts& drafts) {
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    Draft& draft = drafts[i];
    IngestResult& result = results_[begin + i];
    result.failure = draft.failure;
    result.unchanged = draft.unchanged;
    result.bytes = draft.item.bytes;
    result.content = draft.content;
    result.text_bytes = draft.text_bytes;
    progress_.sources_done += 1;
    progress_.sources_failed += draft.failure ? 1 : 0;
    progress_.bytes_done += draft.item.bytes;
    progress_.source = draft.item.id;
    core_->report_progress(progress_);
    result.id = std::move(draft.item.id);
  }
}

}  // namespace ragstone
