#include "rag/document_core.hpp"

#include <ragstone/async/gather.hpp>
#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

std::vector<std::shared_ptr<const Reader>> with_defaults(std::vector<std::shared_ptr<const Reader>> readers) {
  readers.push_back(text_reader());
  readers.push_back(markdown_reader());
  return readers;
}

std::shared_ptr<const Analyzer> or_standard(std::shared_ptr<const Analyzer> analyzer) {
  return analyzer ? analyzer : standard_analyzer();
}

Task<void> run_first_sync(std::shared_ptr<DocumentCore> core, CallContext context) {
  SyncOptions options;
  co_await sync_dataset(core, options, context);
}

bool is_empty(const Commit& changes) {
  return changes.sources.empty() && changes.groups.empty() && changes.failures.empty() && changes.touches.empty() &&
         changes.removals.empty();
}

/// Who watches, without the deadline: the operation is not its caller's.
CallContext watched_as(const CallContext& context) {
  CallContext own;
  for (const std::shared_ptr<Observer>& observer : context.observers()) own = own.with_observer(observer);
  return own.with_token_counter(context.token_counter());
}

}  // namespace

struct DocumentCore::PendingCommit {
  std::shared_ptr<Commit> changes;
  std::optional<std::uint64_t> plan_version;
  CallContext context;
  std::optional<CommitResult> result;
};

DocumentCore::DocumentCore(Runtime& document_runtime, DocumentOptions document_options,
                           std::shared_ptr<Store> document_store, VectorIndexes in_force)
    : runtime(document_runtime),
      pool(document_runtime.pool()),
      options(std::move(document_options)),
      readers(with_defaults(options.readers)),
      store(std::move(document_store)),
      vector_indexes(std::move(in_force)),
      groups(std::make_shared<const TextTerms>(or_standard(options.analyzer), options.analyzers, options.text_fields),
             options.embedders, options.sparse_embedders),
      scope_(document_runtime) {}

Task<std::optional<CommitResult>> DocumentCore::commit(std::shared_ptr<Commit> changes,
                                                       std::optional<std::uint64_t> plan_version, CallContext context) {
  auto pending = std::make_shared<PendingCommit>();
  pending->changes = std::move(changes);
  pending->plan_version = plan_version;
  pending->context = context;
  const SharedOperation operation;
  co_await operation.run(scope_, carry_out(shared_from_this(), pending), context);
  co_return std::move(pending->result);
}

Task<void> DocumentCore::carry_out(Self self, std::shared_ptr<PendingCommit> pending) {
  if (is_empty(*pending->changes)) {
    co_await drain(self);
    pending->result.emplace();
    co_return;
  }
  const Permit permit = co_await self->commit_limiter_.acquire();
  if (pending->plan_version && *pending->plan_version != self->groups.plan()->version) co_return;
  Metadata attributes;
  if (const std::size_t sources = pending->changes->sources.size(); pending->context.observed() && sources > 1)
    attributes.set("sources", static_cast<std::int64_t>(sources));
  RunScope run(pending->context, EventKind::store_write, self->store->capabilities().name, std::move(attributes));
  Task<CommitResult> applying = self->store->commit(std::move(*pending->changes));
  try {
    pending->result = co_await in_run(run, std::move(applying));
  } catch (const Error& error) {
    // The store knows what it met, and takes it out, so that later commits go on.
    if (error.errc() == Errc::corrupt_store) self->start_maintenance(pending->context);
    throw;
  }
  run.end();
  self->has_committed_ = true;
  self->start_maintenance(pending->context);
  co_await update_indexes(self, pending->context);
}

Task<void> DocumentCore::drain(Self self) {
  const Permit alone = co_await self->drain_limiter_.acquire();
  // All stand in line at once, so that commits which come later do not get in between.
  std::vector<Task<Permit>> places;
  for (std::size_t i = 0; i < kCommitsAtOnce; ++i) places.push_back(self->commit_limiter_.acquire());
  const std::vector<Permit> all = co_await gather(std::move(places));
}

Task<void> DocumentCore::update_indexes(Self self, CallContext context) {
  const Permit permit = co_await self->index_limiter_.acquire();
  for (const std::shared_ptr<RegisteredIndex>& index : self->indexes.current()) {
    RunScope update(context, EventKind::index_run, index->name());
    try {
      co_await bring_up_to_date(self->store, self->pool, index, false);
    } catch (...) {
      // The commit is stored, whatever becomes of an index.
      const std::exception_ptr error = std::current_exception();
      if (is_cancelled(error)) throw;
      index->set_failure(error);
    }
    if (const std::exception_ptr error = index->failure()) {
      update.fail(error);
    } else {
      update.end();
    }
  }
}

void DocumentCore::start_maintenance(const CallContext& context) {
  {
    const std::lock_guard lock(mutex_);
    committed_since_ = true;
    if (is_maintaining_) return;
    is_maintaining_ = true;
  }
  if (scope_.spawn(maintain(shared_from_this(), watched_as(context)))) return;
  const std::lock_guard lock(mutex_);
  is_maintaining_ = false;
}

bool DocumentCore::is_busy() {
  const std::lock_guard lock(mutex_);
  return committed_since_;
}

Task<void> DocumentCore::maintain(Self self, CallContext context) {
  const auto is_done = [](DocumentCore& core) {
    const std::lock_guard lock(core.mutex_);
    core.is_maintaining_ = core.committed_since_;
    core.committed_since_ = false;
    return !core.is_maintaining_;
  };
  try {
    while (!is_done(*self)) {
      RunScope run(context, EventKind::store_write, self->store->capabilities().name + " maintenance");
      for (Upkeep upkeep = Upkeep::due;;) {
        Task<bool> work = self->store->maintain(upkeep);
        const bool more = co_await in_run(run, std::move(work));
        if (!more && (upkeep == Upkeep::idle || self->is_busy())) break;
        upkeep = more ? Upkeep::due : Upkeep::idle;
      }
      for (const std::shared_ptr<RegisteredIndex>& index : self->indexes.current())
        co_await save_index(self->store, self->pool, index, SaveWhen::due);
      run.end();
    }
  } catch (...) {
    // The observers know; the next commit tries again.
    const std::lock_guard lock(self->mutex_);
    self->is_maintaining_ = false;
    throw;
  }
}

Task<void> DocumentCore::catch_up(Self self, std::shared_ptr<RegisteredIndex> index, bool from_scratch) {
  const Permit permit = co_await self->index_limiter_.acquire();
  co_await bring_up_to_date(self->store, self->pool, index, from_scratch);
}

SharedOperation DocumentCore::build_of(const std::string& group) {
  const std::lock_guard lock(mutex_);
  return builds_[group];
}

Task<void> DocumentCore::ensure_built(std::string group, std::vector<std::string> keys, CallContext context) {
  groups.use(group, keys);
  while (!groups.is_ready(group, keys)) {
    const SharedOperation build = build_of(group);
    std::exception_ptr error;
    try {
      co_await build.run(scope_, build_group(shared_from_this(), group, watched_as(context)), context);
    } catch (...) {
      error = std::current_exception();
    }
    if (error && (is_cancelled(error) || !groups.is_ready(group, keys))) std::rethrow_exception(error);
  }
}

Task<void> DocumentCore::ensure_synced(CallContext context) {
  if (options.auto_sync == AutoSync::none) co_return;
  {
    const std::lock_guard lock(mutex_);
    if (synced_) co_return;
  }
  if (options.auto_sync == AutoSync::background) {
    first_sync_.start(scope_, run_first_sync(shared_from_this(), watched_as(context)));
  } else {
    co_await first_sync_.run(scope_, run_first_sync(shared_from_this(), watched_as(context)), context);
  }
  const std::lock_guard lock(mutex_);
  synced_ = true;
}

Task<void> adopt_stored_groups(std::shared_ptr<DocumentCore> core, CallContext context) {
  if (!core->groups.has_unseen()) co_return;
  const Snapshot latest;
  const std::vector<GroupInfo> stored = co_await core->store->groups(latest, context);
  core->groups.adopt(stored);
}

Task<std::shared_ptr<const Index>> DocumentCore::ensure_index(std::string name, CallContext context) {
  const std::shared_ptr<RegisteredIndex> index = indexes.find(name);
  co_await ensure_built(index->group(), std::vector<std::string>(), context);
  if (!index->in_use()) co_await index->catching_up().run(scope_, catch_up(shared_from_this(), index, false), context);
  if (store->capabilities().follows) co_await follow_store(index, context);
  co_return index;
}

Task<void> DocumentCore::follow_store(std::shared_ptr<RegisteredIndex> index, CallContext context) {
  const Snapshot latest = co_await store->pin(context);
  // A run in progress may have begun before the latest commit, and be a replay, during which queries are refused.
  while (index->generation() < latest.generation() && (!index->failure() || index->catching_up().running()))
    co_await index->catching_up().run(scope_, catch_up(shared_from_this(), index, false), context);
}

Task<void> DocumentCore::rebuild_index(std::string name, CallContext context) {
  const std::shared_ptr<RegisteredIndex> index = indexes.find(name);
  co_await ensure_built(index->group(), std::vector<std::string>(), context);
  const SharedOperation rebuild;
  co_await rebuild.run(scope_, catch_up(shared_from_this(), index, true), context);
  if (const std::exception_ptr error = index->failure()) std::rethrow_exception(error);
}

void DocumentCore::start_scrubbing(const CallContext& context) {
  if (options.scrub_interval.count() > 0)
    scope_.spawn(scrub(weak_from_this(), options.scrub_interval, watched_as(context)));
}

void DocumentCore::check_open() const {
  if (closed_) throw Error(Errc::closed, "this Document is closed; Document::open() opens its store again");
}

void DocumentCore::check_writable(const std::string& operation) const {
  if (store->capabilities().read_only)
    throw Error(Errc::unsupported, operation + ": the store \"" + store->capabilities().name +
                                       "\" is open for reading only; do it where it is open for writing");
}

Task<void> DocumentCore::close(CallContext context) {
  closed_ = true;
  scope_.cancel();
  co_await scope_.join(context);
  std::exception_ptr error;
  try {
    co_await catch_up_idle();
    for (const std::shared_ptr<RegisteredIndex>& index : indexes.current())
      co_await save_index(store, pool, index, SaveWhen::changed);
  } catch (...) {
    error = std::current_exception();
    if (is_cancelled(error)) throw;
  }
  co_await store->close(context);
  if (error) std::rethrow_exception(error);
}

Task<void> DocumentCore::catch_up_idle() {
  if (!has_committed_ || !store->index_files()) co_return;
  for (const std::shared_ptr<RegisteredIndex>& index : indexes.idle()) {
    try {
      const Snapshot latest;
      const std::vector<GroupInfo> stored = co_await store->groups(latest);
      const auto holds = [&](const GroupInfo& info) { return info.group == index->group(); };
      if (std::any_of(stored.begin(), stored.end(), holds)) co_await bring_up_to_date(store, pool, index, false);
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      if (is_cancelled(error)) throw;
      index->set_note("not saved: " + message_of(error));
    }
  }
}

void DocumentCore::set_progress(std::function<void(const Progress&)> callback) {
  const std::lock_guard lock(mutex_);
  progress_ = std::move(callback);
}

void DocumentCore::report_progress(const Progress& progress) {
  std::function<void(const Progress&)> callback;
  {
    const std::lock_guard lock(mutex_);
    callback = progress_;
  }
  if (callback) callback(progress);
}

}  // namespace ragstone
