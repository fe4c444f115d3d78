#include "model/group_commit.hpp"
#include "store/run_search.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/model/store.hpp>

#include <utility>

namespace ragstone {
namespace {

/// The state that a call reads; an unpinned call takes the latest one when its turn on the pool comes.
class View {
 public:
  View(std::shared_ptr<StoreEngine> engine, const Snapshot& at)
      : engine_(std::move(engine)), pinned_(std::static_pointer_cast<const StoreSnapshot>(at.state())) {}

  std::shared_ptr<const StoreSnapshot> get() const { return pinned_ ? pinned_ : engine_->snapshot(); }

 private:
  std::shared_ptr<StoreEngine> engine_;
  std::shared_ptr<const StoreSnapshot> pinned_;
};

/// Gives a commit up where the coroutine that waits for it ends.
class GivenUp {
 public:
  explicit GivenUp(std::shared_ptr<GroupCommit::Entry> entry) : entry_(std::move(entry)) {}
  ~GivenUp() { entry_->give_up(); }
  GivenUp(const GivenUp&) = delete;
  GivenUp& operator=(const GivenUp&) = delete;

  const std::shared_ptr<GroupCommit::Entry>& get() const noexcept { return entry_; }

 private:
  const std::shared_ptr<GroupCommit::Entry> entry_;
};

class EmbeddedStore final : public Store {
 public:
  EmbeddedStore(std::shared_ptr<StoreEngine> engine, Pool pool)
      : engine_(std::move(engine)), commits_(std::make_shared<GroupCommit>(engine_)), pool_(std::move(pool)) {}

  const StoreCapabilities& capabilities() const noexcept override { return engine_->capabilities(); }
  Generation opened_at() const noexcept override { return engine_->opened_at(); }
  std::shared_ptr<IndexFiles> index_files() const override { return engine_->index_files(); }

 private:
  Task<CommitResult> do_commit(Commit commit, CallContext) override {
    const GivenUp entry(commits_->add(std::move(commit)));
    Work<CommitResult> work;
    work.set([commits = commits_, entry = entry.get()](const StopToken&) { return commits->run(entry); });
    co_return co_await offload(pool_, Lane::writer, std::move(work));
  }

  Task<Snapshot> do_pin(CallContext context) override {
    // To take a snapshot of what another process writes is to read its files.
    Work<std::shared_ptr<const StoreSnapshot>> work;
    work.set([engine = engine_](const StopToken&) { return engine->snapshot(); });
    std::shared_ptr<const StoreSnapshot> state = co_await offload(pool_, context.lane(), std::move(work));
    const Generation generation = state->generation();
    co_return Snapshot(generation, pool_.released_on(Lane::background, std::move(state)));
  }

  Task<SearchResponse> do_search(SearchRequest request, Snapshot at, CallContext context) override {
    Work<SearchResponse> work;
    work.set([view = View(engine_, at), request = std::move(request),
              helpers = helpers_of(context)](const StopToken& stop) mutable {
      return run_search(*view.get(), std::move(request), stop, helpers.get());
    });
    return offload(pool_, context.lane(), std::move(work));
  }

  Task<std::vector<SearchResponse>> do_search_all(std::vector<SearchRequest> requests, Snapshot at,
                                                  CallContext context) override {
    Work<std::vector<SearchResponse>> work;
    work.set([view = View(engine_, at), requests = std::move(requests),
              helpers = helpers_of(context)](const StopToken& stop) mutable {
      return run_searches(*view.get(), std::move(requests), stop, helpers.get());
    });
    return offload(pool_, context.lane(), std::move(work));
  }

  Task<std::vector<Node>> do_nodes(NodeQuery query, Snapshot at, CallContext context) override {
    Work<std::vector<Node>> work;
    work.set([view = View(engine_, at), query = std::move(query)](const StopToken& stop) {
      return view.get()->nodes(query, stop);
    });
    return offload(pool_, context.lane(), std::move(work));
  }

  Task<std::vector<SourceRecord>> do_sources(SourceQuery query, Snapshot at, CallContext context) override {
    Work<std::vector<SourceRecord>> work;
    work.set([view = View(engine_, at), query = std::move(query)](const StopToken& stop) {
      return view.get()->sources(query, stop);
    });
    return offload(pool_, context.lane(), std::move(work));
  }

  Task<std::optional<std::string>> do_text(std::string source, Snapshot at, CallContext context) override {
    Work<std::optional<std::string>> work;
    work.set(
        [view = View(engine_, at), source = std::move(source)](const StopToken&) { return view.get()->text(source); });
    return offload(pool_, context.lane(), std::move(work));
  }

  Task<std::vector<GroupInfo>> do_groups(Snapshot at, CallContext context) override {
    Work<std::vector<GroupInfo>> work;
    work.set([view = View(engine_, at)](const StopToken&) { return view.get()->groups(); });
    return offload(pool_, context.lane(), std::move(work));
  }

  Task<std::vector<std::string>> do_pending(PendingQuery query, Snapshot at, CallContext) override {
    Work<std::vector<std::string>> work;
    work.set([view = View(engine_, at), query = std::move(query)](const StopToken& stop) {
      return view.get()->pending(query, stop);
    });
    return offload(pool_, Lane::background, std::move(work));
  }

  Task<std::vector<std::vector<float>>> do_vectors(std::string key, std::string signature,
                                                   std::vector<Hash128> contents, CallContext) override {
    Work<std::vector<std::vector<float>>> work;
    work.set([engine = engine_, key = std::move(key), signature = std::move(signature), contents = std::move(contents)](
                 const StopToken&) { return engine->snapshot()->vectors(key, signature, contents); });
    return offload(pool_, Lane::background, std::move(work));
  }

  Task<std::vector<std::optional<std::vector<TermWeight>>>> do_sparse_vectors(std::string key, std::string signature,
                                                                              std::vector<Hash128> contents,
                                                                              CallContext) override {
    Work<std::vector<std::optional<std::vector<TermWeight>>>> work;
    work.set([engine = engine_, key = std::move(key), signature = std::move(signature), contents = std::move(contents)](
                 const StopToken& stop) { return engine->snapshot()->sparse_vectors(key, signature, contents, stop); });
    return offload(pool_, Lane::background, std::move(work));
  }

  Task<std::optional<GroupChange>> do_changes(std::string group, Generation since, Snapshot at, CallContext) override {
    Work<std::optional<GroupChange>> work;
    work.set([view = View(engine_, at), group = std::move(group), since](const StopToken&) {
      return view.get()->changes(group, since);
    });
    return offload(pool_, Lane::background, std::move(work));
  }

  Task<void> do_declare_fields(std::vector<FieldDeclaration> fields, CallContext) override {
    Work<void> work;
    work.set([engine = engine_, fields = std::move(fields)](const StopToken& stop) mutable {
      engine->declare_fields(std::move(fields), stop);
    });
    return offload(pool_, Lane::writer, std::move(work));
  }

  Task<VectorIndexes> do_declare_vector_indexes(VectorIndexes indexes, CallContext) override {
    Work<VectorIndexes> work;
    work.set([engine = engine_, indexes = std::move(indexes)](const StopToken& stop) mutable {
      if (!indexes.empty()) engine->declare_vector_indexes(std::move(indexes), stop);
      return engine->vector_indexes();
    });
    return offload(pool_, Lane::writer, std::move(work));
  }

  Task<bool> do_maintain(Upkeep upkeep, CallContext) override {
    Work<bool> work;
    work.set([engine = engine_, upkeep](const StopToken& stop) { return engine->maintain(stop, upkeep); });
    return offload(pool_, Lane::upkeep, std::move(work));
  }

  Task<VerifyReport> do_verify(CallContext) override {
    Work<VerifyReport> work;
    work.set([engine = engine_](const StopToken& stop) { return engine->verify(stop); });
    return offload(pool_, Lane::background, std::move(work));
  }

  Task<void> do_backup(std::filesystem::path folder, CallContext) override {
    Work<void> work;
    work.set([engine = engine_, folder = std::move(folder)](const StopToken& stop) { engine->backup(folder, stop); });
    return offload(pool_, Lane::background, std::move(work));
  }

  Task<void> do_close(CallContext) override {
    Work<void> work;
    work.set([engine = engine_](const StopToken&) { engine->close(); });
    return offload(pool_, Lane::background, std::move(work));
  }

  /// Threads for large scans: none that ingest may be busy on.
  std::shared_ptr<const Parallel> helpers_of(const CallContext& context) const {
    return context.lane() == Lane::foreground ? helpers_ : nullptr;
  }

  std::shared_ptr<StoreEngine> engine_;
  std::shared_ptr<GroupCommit> commits_;
  Pool pool_;
  const std::shared_ptr<const Parallel> helpers_ = pool_.helpers(Lane::foreground);
};

}  // namespace

std::shared_ptr<Store> embedded_store(std::shared_ptr<StoreEngine> engine, Pool pool) {
  return std::make_shared<EmbeddedStore>(std::move(engine), std::move(pool));
}

}  // namespace ragstone
