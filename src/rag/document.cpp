#include "rag/document_core.hpp"
#include "rag/ingest.hpp"
#include "rag/scan.hpp"
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/rag/document.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <typeinfo>
#include <utility>

namespace ragstone {
namespace {

void check(const DocumentOptions& options) {
  if (options.batch_sources == 0 || options.batch_bytes == 0 || options.batches_in_flight == 0 ||
      options.max_source_bytes == 0)
    throw Error(Errc::invalid_argument, "Document::open: batch sizes and limits must be above 0");
  if (options.embed_timeout <= std::chrono::milliseconds::zero())
    throw Error(Errc::invalid_argument, "Document::open: embed_timeout must be above 0");
  for (const auto& [key, embedder] : options.embedders) {
    if (key.empty() || key == kBm25Key || !embedder)
      throw Error(Errc::invalid_argument,
                  "Document::open: an embedder needs a key other than \"\" and \"bm25\", and must not be null");
    if (embedder->identity().name.empty() || embedder->identity().dimension == 0)
      throw Error(Errc::invalid_argument,
                  "Document::open: the embedder \"" + key + "\" has an identity without name or dimension");
  }
  for (const auto& [key, embedder] : options.sparse_embedders) {
    if (key.empty() || key == kBm25Key || options.embedders.contains(key) || !embedder)
      throw Error(Errc::invalid_argument,
                  "Document::open: a sparse embedder needs a key other than \"\", \"bm25\" and those of the other "
                  "embedders, and must not be null");
    if (embedder->signature().empty())
      throw Error(Errc::invalid_argument, "Document::open: the sparse embedder \"" + key + "\" has no signature");
  }
  for (const auto& [key, index] : options.vector_indexes) {
    if (!options.embedders.contains(key)) {
      std::string known;
      for (const auto& entry : options.embedders) known += (known.empty() ? "" : ", ") + entry.first;
      throw Error(Errc::invalid_argument,
                  "Document::open: vector_indexes names \"" + key +
                      "\", which is no embedder's key; there are: " + (known.empty() ? "none" : known));
    }
    check_vector_index(key, index);
  }
  if (std::any_of(options.readers.begin(), options.readers.end(), [](const auto& reader) { return !reader; }))
    throw Error(Errc::invalid_argument, "Document::open: a reader is null");
}

Task<std::vector<IngestResult>> ingest_sources(std::shared_ptr<DocumentCore> core, std::vector<Source> sources,
                                               CallContext context) {
  IngestItems items;
  for (Source& source : sources) {
    IngestItem item;
    item.bytes = source.text.size();
    item.id = std::move(source.id);
    item.text = std::move(source.text);
    item.metadata = std::move(source.metadata);
    items.push_back(std::move(item));
  }
  RunScope run(context.with_lane(Lane::background), EventKind::index_run, "add");
  IngestRun ingest(core, std::move(items), run.context());
  co_await in_run(run, ingest.run());
  run.end();
  co_return ingest.take_results();
}

Task<SourceStatus> add_source(std::shared_ptr<DocumentCore> core, Source source, CallContext context) {
  std::vector<Source> sources;
  sources.push_back(std::move(source));
  const std::vector<IngestResult> results = co_await ingest_sources(core, std::move(sources), context);
  if (results.front().failure) std::rethrow_exception(results.front().failure->error);
  co_return status_of(results.front());
}

void check_unique(const std::vector<Source>& sources) {
  std::set<std::string_view> unique;
  for (const Source& source : sources)
    if (!unique.insert(source.id).second)
      throw Error(Errc::invalid_argument, "add_all: the id \"" + source.id + "\" occurs twice");
}

Task<std::vector<SourceStatus>> add_sources(std::shared_ptr<DocumentCore> core, std::vector<Source> sources,
                                            CallContext context) {
  check_unique(sources);
  const std::vector<IngestResult> results = co_await ingest_sources(core, std::move(sources), context);
  std::vector<SourceStatus> statuses;
  statuses.reserve(results.size());
  for (const IngestResult& result : results) statuses.push_back(status_of(result));
  co_return statuses;
}

Task<bool> remove_source(std::shared_ptr<DocumentCore> core, std::string id, CallContext context) {
  auto changes = std::make_shared<Commit>();
  changes->removals.push_back(std::move(id));
  const std::optional<CommitResult> result = co_await core->commit(changes, std::nullopt, context);
  co_return !result->removed.empty();
}

Task<std::vector<SourceStatus>> list_sources(std::shared_ptr<DocumentCore> core, bool failed_only,
                                             CallContext context) {
  SourceQuery query;
  query.failed_only = failed_only;
  const Snapshot latest;
  std::vector<SourceRecord> records = co_await core->store->sources(query, latest, context);
  std::vector<SourceStatus> statuses;
  statuses.reserve(records.size());
  for (SourceRecord& record : records) statuses.push_back(status_of(std::move(record)));
  co_return statuses;
}

Task<std::vector<SourceStatus>> retry(std::shared_ptr<DocumentCore> core, CallContext context) {
  const Permit permit = co_await core->sync_limiter.acquire(context);
  RunScope run(context.with_lane(Lane::background), EventKind::index_run, "retry");
  StoredRetry all;
  all.all = true;
  co_await in_run(run, retry_stored(core, std::move(all), run.context()));
  run.end();
  co_return co_await list_sources(core, true, context);
}

Task<std::string> source_text(std::shared_ptr<DocumentCore> core, std::string id, CallContext context) {
  std::optional<std::string> text = co_await core->store->text(id, Snapshot(), context);
  if (!text) throw Error(Errc::not_found, "there is no source \"" + id + "\"");
  co_return std::move(*text);
}

Task<std::vector<Node>> read_nodes(std::shared_ptr<DocumentCore> core, NodeQuery query, CallContext context) {
  if (!query.group.empty()) co_await core->ensure_built(query.group, std::vector<std::string>(), context);
  co_return co_await core->store->nodes(std::move(query), Snapshot(), context);
}

Task<void> build(std::shared_ptr<DocumentCore> core, std::string group, std::vector<std::string> keys,
                 CallContext context) {
  if (keys.empty()) keys = core->groups.all_keys();
  co_await core->ensure_built(std::move(group), std::move(keys), context);
}

Task<void> rebuild(std::shared_ptr<DocumentCore> core, std::string name, CallContext context) {
  co_await core->rebuild_index(std::move(name), context);
}

Task<void> back_up(std::shared_ptr<DocumentCore> core, std::filesystem::path folder, CallContext context) {
  co_await core->store->backup(std::move(folder), context);
}

Task<void> close_core(std::shared_ptr<DocumentCore> core, CallContext context) { co_await core->close(context); }

/// Awaits the task. That its time was up is told with what was to be done; an error that carries more stays as it is.
template <class T>
Task<T> named(std::string operation, Task<T> task) {
  try {
    co_return co_await std::move(task);
  } catch (const Error& error) {
    if (error.errc() != Errc::timeout || typeid(error) != typeid(Error)) throw;
    throw Error(Errc::timeout, operation + ": " + error.what());
  }
}

/// Carries the operation out, unless the document is closed when it begins.
template <class T>
Task<T> while_open(std::shared_ptr<DocumentCore> core, std::string operation, Task<T> task) {
  core->check_open();
  Task<T> carried_out = named(std::move(operation), std::move(task));
  co_return co_await std::move(carried_out);
}

std::string with_object(const char* operation, const std::string& object) {
  return std::string(operation) + " \"" + object + '"';
}

}  // namespace

Task<Document> Document::open(Runtime& runtime, DocumentOptions options, CallContext context) {
  check(options);
  const std::shared_ptr<StoreFactory> factory = options.store ? options.store : memory_store();
  std::shared_ptr<Store> store = co_await factory->open(runtime.pool(), context);
  if (!options.sparse_embedders.empty() && !store->capabilities().sparse)
    throw Error(Errc::unsupported, "Document::open: the store \"" + store->capabilities().name +
                                       "\" keeps no sparse vectors; leave out sparse_embedders");
  const bool has_fields = !options.fields.empty();
  if (has_fields) co_await store->declare_fields(options.fields, context);
  const bool has_indexes = !options.vector_indexes.empty();
  VectorIndexes indexes = co_await store->declare_vector_indexes(options.vector_indexes, context);
  auto core = std::make_shared<DocumentCore>(runtime, std::move(options), std::move(store), std::move(indexes));
  core->start_scrubbing(context);
  if (has_fields || has_indexes) core->start_maintenance(context);
  if (core->options.auto_sync == AutoSync::background) co_await core->ensure_synced(context);
  co_return Document(std::move(core));
}

const std::shared_ptr<DocumentCore>& Document::core() const {
  if (!core_) throw Error(Errc::closed, "this Document is an empty handle; Document::open() makes one");
  return core_;
}

Task<SyncReport> Document::sync(SyncOptions options, CallContext context) {
  return while_open(core(), "sync", sync_dataset(core(), std::move(options), std::move(context)));
}

Task<SyncPlan> Document::plan(SyncOptions options, CallContext context) {
  return while_open(core(), "plan", plan_sync(core(), std::move(options), std::move(context)));
}

Task<SourceStatus> Document::add(Source source, CallContext context) {
  std::string operation = with_object("add", source.id);
  return while_open(core(), std::move(operation), add_source(core(), std::move(source), std::move(context)));
}

Task<std::vector<SourceStatus>> Document::add_all(std::vector<Source> sources, CallContext context) {
  return while_open(core(), "add_all", add_sources(core(), std::move(sources), std::move(context)));
}

Task<bool> Document::remove(std::string source_id, CallContext context) {
  std::string operation = with_object("remove", source_id);
  return while_open(core(), std::move(operation), remove_source(core(), std::move(source_id), std::move(context)));
}

Task<std::vector<SourceStatus>> Document::sources(CallContext context) {
  return while_open(core(), "sources", list_sources(core(), false, std::move(context)));
}

Task<std::vector<SourceStatus>> Document::retry_failed(CallContext context) {
  return while_open(core(), "retry_failed", retry(core(), std::move(context)));
}

Task<std::string> Document::text(std::string source_id, CallContext context) {
  std::string operation = with_object("text", source_id);
  return while_open(core(), std::move(operation), source_text(core(), std::move(source_id), std::move(context)));
}

Task<std::vector<Node>> Document::nodes(NodeQuery query, CallContext context) {
  return while_open(core(), "nodes", read_nodes(core(), std::move(query), std::move(context)));
}

void Document::add_group(NodeGroup group) {
  core()->check_open();
  core()->groups.add(std::move(group), core()->store->capabilities().persistent);
}

std::vector<std::string> Document::groups() const { return core()->groups.names(); }

Task<void> Document::build(std::string group, std::vector<std::string> keys, CallContext context) {
  std::string operation = with_object("build", group);
  return while_open(core(), std::move(operation),
                    ragstone::build(core(), std::move(group), std::move(keys), std::move(context)));
}

void Document::register_index(std::string name, std::string group, std::shared_ptr<Index> index) {
  core()->check_open();
  core()->groups.check_known(group);
  if (!capabilities().indexes)
    throw Error(Errc::unsupported, "register_index: the store \"" + capabilities().name + "\" keeps no indexes");
  core()->indexes.add(std::move(name), std::move(group), std::move(index), core()->store->opened_at());
}

Task<void> Document::rebuild_index(std::string name, CallContext context) {
  std::string operation = with_object("rebuild_index", name);
  return while_open(core(), std::move(operation), rebuild(core(), std::move(name), std::move(context)));
}

std::vector<IndexStatus> Document::indexes() const { return core()->indexes.statuses(); }

void Document::on_progress(std::function<void(const Progress&)> callback) { core()->set_progress(std::move(callback)); }

const StoreCapabilities& Document::capabilities() const { return core()->store->capabilities(); }

Task<VerifyReport> Document::verify(CallContext context) {
  return while_open(core(), "verify", verify_and_heal(core(), std::move(context)));
}

Task<void> Document::backup(std::filesystem::path folder, CallContext context) {
  std::string operation = with_object("backup", folder.string());
  return while_open(core(), std::move(operation), back_up(core(), std::move(folder), std::move(context)));
}

Task<void> Document::close(CallContext context) { return named("close", close_core(core(), std::move(context))); }

Runtime& Document::runtime() const { return core()->runtime; }

}  // namespace ragstone
