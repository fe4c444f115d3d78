#include "rag/document_core.hpp"
#include "rag/draft.hpp"
#include "rag/ingest.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace ragstone {
namespace {

/// Builds one group: its nodes with all columns where the nodes are missing, or one column where nodes are there.
class GroupBuild {
 public:
  GroupBuild(std::shared_ptr<DocumentCore> core, IngestPlan chain, bool columns_only)
      : core_(std::move(core)),
        plan_(std::make_shared<const IngestPlan>(std::move(chain))),
        columns_only_(columns_only) {}

  Task<void> run() {
    PendingQuery query = group().pending();
    if (!columns_only_) query.columns.clear();
    query.limit = core_->options.batch_sources;
    for (;;) {
      const std::vector<std::string> sources = co_await core_->store->pending(query);
      if (sources.empty()) break;
      query.after = sources.back();
      co_await run_batch(sources);
    }
    if (first_error_ && built_ == 0) std::rethrow_exception(first_error_);
  }

 private:
  const PlannedGroup& group() const { return plan_->groups.back(); }

  Task<void> run_batch(const std::vector<std::string>& sources) {
    auto drafts = std::make_shared<Drafts>();
    co_await load(sources, *drafts);
    Work<void> work;
    work.set([plan = plan_, drafts](const StopToken& stop) { cut(*plan, *drafts, stop); });
    co_await offload(core_->runtime.pool(), Lane::background, std::move(work));
    co_await embed_drafts(core_, plan_, drafts, CallContext());

    auto changes = std::make_shared<Commit>();
    for (Draft& draft : *drafts) add_to(*changes, draft);
    co_await core_->commit(changes, std::nullopt, CallContext());
  }

  /// Texts and records as one state of the store has them.
  Task<void> load(const std::vector<std::string>& sources, Drafts& drafts) {
    const Snapshot at = co_await core_->store->pin();
    for (const std::string& id : sources) {
      SourceQuery query;
      query.id = id;
      std::vector<SourceRecord> records = co_await core_->store->sources(query, at);
      std::optional<std::string> text = co_await core_->store->text(id, at);
      if (records.empty() || !text) continue;
      Draft draft;
      draft.item.id = id;
      draft.write.record = std::move(records.front());
      draft.write.text = std::move(*text);
      draft.read = true;
      drafts.push_back(std::move(draft));
    }
  }

  /// Makes the whole chain, since rows come from their parents' rows, and keeps the group.
  static void cut(const IngestPlan& plan, Drafts& drafts, const StopToken& stop) {
    for (Draft& draft : drafts) {
      throw_if_stopped(stop);
      Stage stage = Stage::chunk;
      try {
        std::vector<GroupRows> groups =
            make_groups(draft.item.id, draft.write.text, draft.write.record.metadata, plan, stop, stage);
        draft.write.groups.push_back(std::move(groups.back()));
      } catch (...) {
        throw_if_stopped(stop);
        draft.failure = StageError{stage, std::current_exception()};
      }
    }
  }

  void add_to(Commit& changes, Draft& draft) {
    if (draft.failure) {
      if (!first_error_) first_error_ = draft.failure->error;
      changes.failures.push_back(failure_of(draft.item.id, *draft.failure));
      return;
    }
    ++built_;
    GroupWrite write;
    write.source = draft.item.id;
    write.content = draft.write.record.content;
    if (columns_only_) {
      draft.write.groups.front().rows.clear();
      write.columns = std::move(draft.write.groups);
    } else {
      write.groups = std::move(draft.write.groups);
    }
    changes.groups.push_back(std::move(write));
  }

  std::shared_ptr<DocumentCore> core_;
  std::shared_ptr<const IngestPlan> plan_;
  bool columns_only_;
  std::size_t built_ = 0;
  std::exception_ptr first_error_;
};

}  // namespace

Task<void> build_group(std::shared_ptr<DocumentCore> core, std::string group) {
  // Commits that were prepared before the group came into use have ended when this one has.
  co_await core->commit(std::make_shared<Commit>(), std::nullopt, CallContext());
  const std::shared_ptr<const IngestPlan> plan = core->groups.plan();
  const IngestPlan chain = plan->chain(group);
  for (const PlannedGroup& planned : chain.groups) {
    GroupBuild nodes(core, plan->chain(planned.name), false);
    co_await nodes.run();
    std::vector<std::string> keys;
    for (const PlannedColumn& column : planned.columns) {
      IngestPlan single = plan->chain(planned.name);
      single.groups.back().columns.assign(1, column);
      GroupBuild one_column(core, std::move(single), true);
      co_await one_column.run();
      keys.push_back(column.key);
    }
    core->groups.set_ready(planned.name, keys);
  }
}

}  // namespace ragstone
