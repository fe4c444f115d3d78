#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/source.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/index/vector_index.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/sparse_embedder.hpp>
#include <ragstone/model/store.hpp>
#include <ragstone/rag/node_group.hpp>
#include <ragstone/rag/sync_plan.hpp>
#include <ragstone/rag/sync_report.hpp>
#include <ragstone/reader/reader.hpp>
#include <ragstone/store/text_field.hpp>
#include <ragstone/text/analyzer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// When a Document reads its dataset without being asked.
enum class AutoSync {
  none,
  background,          ///< Once, after open(); its failure goes to the observers of open()'s context.
  before_first_query,  ///< Once; the first query waits for it.
};

class DocumentOptions {
 public:
  DocumentOptions() = default;

  /// A folder; empty: sources come by add() only. What is in it of persistent stores is left out, also of those that
  /// are being made (`NAME.unfinished`), and so are names with a dot in front and `lost+found`.
  std::filesystem::path dataset;
  std::shared_ptr<StoreFactory> store;  ///< Null: memory_store().
  /// By key. With none, and no sparse ones, retrieval is by BM25 and nothing is embedded.
  std::map<std::string, std::shared_ptr<Embedder>> embedders;
  /// By key as well, of other keys: their vectors are kept beside BM25's terms, and fused with the other rankings.
  std::map<std::string, std::shared_ptr<SparseEmbedder>> sparse_embedders;
  std::shared_ptr<const Analyzer> analyzer;  ///< Null: standard_analyzer().
  /// For single groups, by name, in place of `analyzer`.
  std::map<std::string, std::shared_ptr<const Analyzer>> analyzers;
  std::vector<TextField> text_fields;  ///< Of metadata, that BM25 searches together with the texts.
  /// Asked in this order, before text_reader() and markdown_reader().
  std::vector<std::shared_ptr<const Reader>> readers;
  AutoSync auto_sync = AutoSync::none;
  /// Fields of metadata that filters often ask for, in place of those declared when the store was opened before; none:
  /// those stay. Filters over them are fast, whatever number of sources; all others give the same answers, only later.
  std::vector<FieldDeclaration> fields;

  /// How the vectors of embedders are kept to be searched, by their keys: metric_type, index_type, M and so on. Keys
  /// that are not named keep what the store has for them, or default options. A persistent store remembers them. What
  /// is stored already is built anew in the background, from the stored vectors: nothing is embedded.
  VectorIndexes vector_indexes;

  std::uint64_t max_source_bytes = std::uint64_t{256}
                                   << 20;  ///< Larger files and texts fail with Errc::limit_exceeded.
  /// For each call of an embedder, above 0. It begins when the call's turn at rate limits has come; that of a query's
  /// counts from the query on.
  std::chrono::milliseconds embed_timeout{60'000};
  std::size_t batch_sources = 128;                     ///< Sources prepared, embedded and committed together,
  std::uint64_t batch_bytes = std::uint64_t{4} << 20;  ///< or fewer if they are larger together than this.
  std::size_t batches_in_flight = 2;

  /// How long after open(), and after each end, the store is verified in the background; 0: never. The observers of
  /// open()'s context see a run of kind store_read, which fails with Errc::corrupt_store if something is wrong.
  std::chrono::milliseconds scrub_interval{0};
};

/// How an index that was registered is doing.
class IndexStatus {
 public:
  IndexStatus() = default;

  std::string name;
  std::string group;
  Generation generation = 0;
  bool stale = false;
  std::string reason;  ///< Empty unless stale.
  /// How it came to hold what it holds: "loaded at generation 7", "replayed: nothing was saved"; and why the last
  /// save failed, if it did.
  std::string note;
};

class DocumentCore;

/// A knowledge base: a dataset, its sources, node groups over them, one store, indexes, and embedders by key.
///
/// A cheap handle; copies share one core, a default-made one is empty and throws Errc::closed. An operation in flight
/// keeps the core alive. Any number of operations may run at once, on any serial executors; the Runtime outlives them.
/// Every Task can be cancelled (terminal) and honours its context's deadline. A source is stored whole or not at all,
/// whatever happens to the operation that brought it.
class Document {
 public:
  Document() = default;

  /// Opens or creates the store; never touches the dataset.
  /// Errors: Errc::invalid_argument; Errc::unsupported for sparse embedders with a store that keeps no sparse vectors;
  /// the store's own.
  static Task<Document> open(Runtime& runtime, DocumentOptions options, CallContext context = {});

  explicit operator bool() const noexcept { return core_ != nullptr; }

  /// Brings the store up to date with the dataset: reads what is new or changed, forgets what is gone (unless
  /// SyncOptions::cleanup says otherwise), tries failed sources again. A failing source is reported and stops no other.
  /// Calls queue up behind each other. What add() brings meanwhile is not removed. What it reads gets the groups that
  /// are in use, or that the store holds already under today's signatures of chunker, analyser and embedder. A dataset
  /// without a change costs no read, no embedding and no commit. Errors: Errc::not_found or Errc::invalid_argument for
  /// the dataset folder itself; Errc::unsupported if there is something to do and the store is open for reading only;
  /// the store's own.
  Task<SyncReport> sync(SyncOptions options = {}, CallContext context = {});

  /// What sync() would do with these options: see SyncPlan. Costs one listing of the dataset and readings of the store;
  /// opens no file, writes nothing, calls no embedder. Errors: as sync().
  Task<SyncPlan> plan(SyncOptions options = {}, CallContext context = {});

  /// Adds or replaces one source. Errors: what made it fail (Errc::parse_error for invalid UTF-8, the embedder's, ...);
  /// what was stored under its id before stays.
  Task<SourceStatus> add(Source source, CallContext context = {});
  /// Adds or replaces many; a failing one is told in its status and stops no other. Statuses in the order of `sources`.
  /// Errors: Errc::invalid_argument for an id that occurs twice.
  Task<std::vector<SourceStatus>> add_all(std::vector<Source> sources, CallContext context = {});
  /// False if there was no such source.
  Task<bool> remove(std::string source_id, CallContext context = {});

  /// Tries the failed sources again whose text is stored: those that a later build of a group failed for, files of the
  /// dataset included. Reads no file; sync() does the same, and reads those whose files are there. Returns the sources
  /// that are still failed.
  Task<std::vector<SourceStatus>> retry_failed(CallContext context = {});

  /// All sources in ascending order of their ids, failed ones included.
  Task<std::vector<SourceStatus>> sources(CallContext context = {});
  /// The UTF-8 text that spans refer to. Errors: Errc::not_found.
  Task<std::string> text(std::string source_id, CallContext context = {});
  /// Reads nodes; the group is built if it has not been. Errors: Errc::not_found for an unknown group.
  Task<std::vector<Node>> nodes(NodeQuery query, CallContext context = {});

  /// Makes a group known; it is built when it is first used or asked for by build(). At any time.
  /// Errors: Errc::already_exists; Errc::not_found for the parent; Errc::invalid_argument for a bad name, no chunker,
  /// or a chunker without signature on a persistent store.
  void add_group(NodeGroup group);
  /// The names of all known groups, a parent before its children.
  std::vector<std::string> groups() const;
  /// Builds the group's nodes and the given columns (kBm25Key or embedder keys; empty: all of them) for all sources.
  /// The build belongs to the Document: when the call is cancelled, the build goes on.
  Task<void> build(std::string group, std::vector<std::string> keys = {}, CallContext context = {});

  /// Registers an index over a group. It is brought up to date before it is first queried, and kept so; where the store
  /// is only read, with what its writer has committed before each query.
  /// Errors: Errc::already_exists; Errc::invalid_argument if it is registered under another name; Errc::not_found;
  /// Errc::unsupported.
  void register_index(std::string name, std::string group, std::shared_ptr<Index> index);
  /// Forgets what the index holds and replays the group into it. Errors: Errc::not_found; what the index throws.
  Task<void> rebuild_index(std::string name, CallContext context = {});
  std::vector<IndexStatus> indexes() const;

  /// Called on the executor of the sync() or add_all() that it tells of, never concurrently for one operation. An
  /// exception ends that operation.
  void on_progress(std::function<void(const Progress&)> callback);

  const StoreCapabilities& capabilities() const;

  /// Compares everything that is stored with its checksums and with each other; see StoreEngine::verify().
  Task<VerifyReport> verify(CallContext context = {});
  /// Copies the store to a new folder while it may be written to; see StoreEngine::backup().
  /// Errors: Errc::unsupported for a store without files, Errc::already_exists.
  Task<void> backup(std::filesystem::path folder, CallContext context = {});

  /// Cancels background work, waits for it, and closes the store; later operations of this Document and its Retrievers
  /// fail with Errc::closed at once, while indexes(), groups() and capabilities() still answer. Registered indexes are
  /// saved first; where there were commits also those that nobody has queried, which are brought up to date for it.
  /// Whatever becomes of an index, the store is closed; but where the deadline passes or the call is cancelled, it may
  /// still be open: call close() again.
  Task<void> close(CallContext context = {});

  /// The same operations for callbacks, futures and other completion tokens; signature void(std::exception_ptr, T).
  template <class Token>
  static auto async_open(Runtime& runtime, DocumentOptions options, Token&& token) {
    return runtime.spawn(open(runtime, std::move(options)), std::forward<Token>(token));
  }
  template <class Token>
  auto async_sync(SyncOptions options, Token&& token) {
    return runtime().spawn(sync(std::move(options)), std::forward<Token>(token));
  }
  template <class Token>
  auto async_add(Source source, Token&& token) {
    return runtime().spawn(add(std::move(source)), std::forward<Token>(token));
  }
  template <class Token>
  auto async_remove(std::string source_id, Token&& token) {
    return runtime().spawn(remove(std::move(source_id)), std::forward<Token>(token));
  }

  Runtime& runtime() const;

 private:
  friend class DocumentCore;
  friend class Retriever;
  explicit Document(std::shared_ptr<DocumentCore> core) : core_(std::move(core)) {}
  const std::shared_ptr<DocumentCore>& core() const;

  std::shared_ptr<DocumentCore> core_;
};

static_assert(!std::is_aggregate_v<DocumentOptions> && !std::is_aggregate_v<IndexStatus>);

}  // namespace ragstone
