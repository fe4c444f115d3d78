#include "rag/document_core.hpp"
#include "rag/draft.hpp"
#include "rag/ingest.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

namespace ragstone {
namespace {

/// What of a group is built.
enum class Missing {
  nodes,         ///< Where the nodes are missing: they, with the columns.
  columns,       ///< Where the nodes are there, but not the columns.
  lost_columns,  ///< Where damage took rows of the columns.
};

/// Builds one group where something of it is missing.
class GroupBuild {
 public:
  /// `plan` ends with the group, its ancestors before it. Sources in `failed` are left out, and those that fail are put
  /// in.
  GroupBuild(std::shared_ptr<DocumentCore> core, IngestPlan plan, Missing missing, std::set<std::string>& failed,
             CallContext context)
      : core_(std::move(core)),
        plan_(std::make_shared<const IngestPlan>(std::move(plan))),
        missing_(missing),
        failed_(failed),
        context_(std::move(context)) {}

  /// Errors: the first one, if sources failed and no source has what was to be built; none where it was lost.
  Task<void> run() {
    PendingQuery query = sources_to_build();
    query.limit = core_->options.batch_sources;
    for (;;) {
      std::vector<std::string> sources = co_await core_->store->pending(query, latest_, context_);
      if (sources.empty()) break;
      query.after = sources.back();
      std::erase_if(sources, [&](const std::string& id) { return failed_.contains(id); });
      if (!sources.empty()) core_->check_writable("build of what sources lack of group \"" + group().name + '"');
      co_await run_batch(sources);
    }
    if (!first_error_ || built_ > 0 || missing_ == Missing::lost_columns) co_return;
    const bool some_have_it = co_await any_source_has_it();
    if (!some_have_it) std::rethrow_exception(first_error_);
  }

  const EmbedCounts& counts() const noexcept { return counts_; }

 private:
  const PlannedGroup& group() const { return plan_->groups.back(); }

  PendingQuery sources_to_build() const {
    PendingQuery query = group().pending();
    if (missing_ == Missing::nodes) query.columns.clear();
    query.lost_only = missing_ == Missing::lost_columns;
    return query;
  }

  Task<bool> any_source_has_it() {
    PendingQuery query = sources_to_build();
    const std::vector<std::string> lacking = co_await core_->store->pending(query, latest_, context_);
    SourceQuery all;
    const std::vector<SourceRecord> records = co_await core_->store->sources(all, latest_, context_);
    const auto stored = std::count_if(records.begin(), records.end(),
                                      [](const SourceRecord& record) { return record.generation != 0; });
    co_return lacking.size() < static_cast<std::size_t>(stored);
  }

  Task<void> run_batch(const std::vector<std::string>& sources) {
    auto drafts = std::make_shared<Drafts>();
    co_await load(sources, *drafts);
    Work<void> work;
    work.set([plan = plan_, drafts](const StopToken& stop) { cut(*plan, *drafts, stop); });
    co_await offload(core_->pool, Lane::background, std::move(work), context_);
    const EmbedCounts counts = co_await embed_drafts(core_, plan_, drafts, nullptr, refusing_, context_);
    counts_.embedded += counts.embedded;
    counts_.reused += counts.reused;

    auto changes = std::make_shared<Commit>();
    for (Draft& draft : *drafts) add_to(*changes, draft);
    co_await core_->commit(changes, std::nullopt, context_);
  }

  /// Texts and records as one state of the store has them.
  Task<void> load(const std::vector<std::string>& sources, Drafts& drafts) {
    const Snapshot at = co_await core_->store->pin(context_);
    for (const std::string& id : sources) {
      SourceQuery query;
      query.id = id;
      std::vector<SourceRecord> records = co_await core_->store->sources(query, at, context_);
      std::optional<std::string> text = co_await core_->store->text(id, at, context_);
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
      failed_.insert(draft.item.id);
      SourceFailure failure = failure_of(draft.item.id, *draft.failure);
      failure.content = draft.write.record.content;
      changes.failures.push_back(std::move(failure));
      return;
    }
    ++built_;
    GroupWrite write;
    write.source = draft.item.id;
    write.content = draft.write.record.content;
    if (missing_ == Missing::nodes) {
      write.groups = std::move(draft.write.groups);
    } else {
      draft.write.groups.front().rows.clear();
      write.columns = std::move(draft.write.groups);
    }
    changes.groups.push_back(std::move(write));
  }

  std::shared_ptr<DocumentCore> core_;
  std::shared_ptr<const IngestPlan> plan_;
  Missing missing_;
  std::set<std::string>& failed_;
  const Snapshot latest_;
  const CallContext context_;
  const std::shared_ptr<EmbedderErrors> refusing_ = std::make_shared<EmbedderErrors>();
  EmbedCounts counts_;
  std::size_t built_ = 0;
  std::exception_ptr first_error_;
};

/// The plan up to a group, with these columns of it and none of its ancestors'.
IngestPlan plan_for(const IngestPlan& plan, const std::string& group, std::vector<PlannedColumn> columns) {
  IngestPlan chain = plan.chain(group);
  for (PlannedGroup& planned : chain.groups) planned.columns.clear();
  chain.groups.back().columns = std::move(columns);
  return chain;
}

/// The nodes first, with the columns that cost no model, so that a model that is down keeps nothing else from being
/// built. Returns the first error of the columns.
Task<std::exception_ptr> build_one(std::shared_ptr<DocumentCore> core, const IngestPlan& plan,
                                   const PlannedGroup& group, CallContext context) {
  std::vector<PlannedColumn> terms;
  std::vector<PlannedColumn> embedded;
  for (const PlannedColumn& column : group.columns) (column.is_bm25() ? terms : embedded).push_back(column);

  std::set<std::string> failed;
  GroupBuild nodes(core, plan_for(plan, group.name, terms), Missing::nodes, failed, context);
  co_await nodes.run();
  core->groups.set_ready(group.name, {});
  std::vector<PlannedColumn> columns = std::move(terms);
  columns.insert(columns.end(), embedded.begin(), embedded.end());
  std::exception_ptr first_error;
  for (const PlannedColumn& column : columns) {
    std::vector<PlannedColumn> single(1, column);
    GroupBuild build(core, plan_for(plan, group.name, std::move(single)), Missing::columns, failed, context);
    std::exception_ptr error;
    try {
      co_await build.run();
      core->groups.set_ready(group.name, std::vector<std::string>(1, column.key));
    } catch (...) {
      error = std::current_exception();
    }
    if (error && (is_cancelled(error) || errc_of(error) == Errc::closed)) std::rethrow_exception(error);
    if (error && !first_error) first_error = error;
  }
  co_return first_error;
}

Task<void> build_chain(std::shared_ptr<DocumentCore> core, std::string group, CallContext context) {
  // Commits that were prepared before the group came into use have ended when this one has.
  auto barrier = std::make_shared<Commit>();
  co_await core->commit(barrier, std::nullopt, context);
  const std::shared_ptr<const IngestPlan> plan = core->groups.plan();
  const IngestPlan chain = plan->chain(group);
  std::exception_ptr first_error;
  for (const PlannedGroup& planned : chain.groups) {
    const std::exception_ptr error = co_await build_one(core, *plan, planned, context);
    if (error && !first_error) first_error = error;
  }
  if (first_error) std::rethrow_exception(first_error);
}

Task<EmbedCounts> heal_columns(std::shared_ptr<DocumentCore> core, std::string group, std::set<std::string>& failed,
                               CallContext context) {
  const std::shared_ptr<const IngestPlan> plan = core->groups.plan();
  const IngestPlan chain = plan->chain(group);
  EmbedCounts counts;
  for (const PlannedColumn& column : chain.groups.back().columns) {
    std::vector<PlannedColumn> single(1, column);
    GroupBuild build(core, plan_for(*plan, group, std::move(single)), Missing::lost_columns, failed, context);
    co_await build.run();
    counts.embedded += build.counts().embedded;
    counts.reused += build.counts().reused;
  }
  co_return counts;
}

}  // namespace

Task<EmbedCounts> heal_group(std::shared_ptr<DocumentCore> core, std::string group, std::set<std::string>& failed,
                             CallContext context) {
  RunScope run(context.with_lane(Lane::background), EventKind::index_run, group);
  const EmbedCounts counts = co_await in_run(run, heal_columns(core, group, failed, run.context()));
  run.end();
  co_return counts;
}

Task<void> build_group(std::shared_ptr<DocumentCore> core, std::string group, CallContext context) {
  RunScope run(context.with_lane(Lane::background), EventKind::index_run, group);
  co_await in_run(run, build_chain(core, group, run.context()));
  run.end();
}

}  // namespace ragstone
