#include "store/memory/dense_merge.hpp"
#include "store/memory/draft.hpp"
#include "store/memory/memory_snapshot.hpp"
#include "store/own_threads.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <mutex>
#include <optional>
#include <utility>

namespace ragstone {
namespace memory {
namespace {

constexpr std::size_t kLoggedCommits = 4096;
constexpr std::size_t kLoggedIds = 1'000'000;

class MemoryEngine final : public StoreEngine {
 public:
  MemoryEngine() {
    capabilities_.name = "memory";
    capabilities_.snapshots = true;
    capabilities_.dense = true;
    capabilities_.sparse = true;
    capabilities_.filters = true;
    capabilities_.change_log = true;
    capabilities_.indexes = true;
  }

  const StoreCapabilities& capabilities() const noexcept override { return capabilities_; }

  Generation opened_at() const noexcept override { return 0; }

  std::shared_ptr<const StoreSnapshot> snapshot() const override { return current(); }

  VectorIndexes vector_indexes() const override { return current()->state().vector_indexes; }

  void close() override {
    const std::lock_guard lock(commit_mutex_);
    closed_ = true;
  }

 private:
  std::shared_ptr<const MemorySnapshot> current() const {
    const std::lock_guard lock(snapshot_mutex_);
    return snapshot_;
  }

  CommitResult do_commit(Commit commit, const StopToken& stop) override {
    const std::lock_guard lock(commit_mutex_);
    if (closed_) throw Error(Errc::closed, "commit: the memory store is closed");
    throw_if_stopped(stop);
    const std::shared_ptr<const MemorySnapshot> base = current();
    Draft draft(base->state());
    CommitResult result;
    for (SourceWrite& write : commit.sources) {
      std::string source = write.record.id;
      if (!draft.write(std::move(write))) result.skipped.push_back(std::move(source));
    }
    for (GroupWrite& write : commit.groups) {
      std::string source = write.source;
      if (!draft.write(std::move(write))) result.skipped.push_back(std::move(source));
    }
    for (SourceFailure& failure : commit.failures) draft.fail(std::move(failure));
    for (const SourceTouch& touch : commit.touches) draft.touch(touch);
    for (std::string& source : commit.removals) draft.remove(std::move(source), commit.removals_as_of, result);

    result.changes = draft.changes();
    auto next = std::make_shared<const MemorySnapshot>(draft.finish(stop), log_);
    result.generation = next->generation();
    log_->append(result.generation, result.changes);
    publish(std::move(next));
    return result;
  }

  void do_declare_fields(std::vector<FieldDeclaration> fields, const StopToken&) override {
    const std::lock_guard lock(commit_mutex_);
    if (closed_) throw Error(Errc::closed, "declare fields: the memory store is closed");
    State state = current()->state();
    state.fields.clear();
    for (FieldDeclaration& field : fields) state.fields.push_back(std::move(field.name));
    publish(std::make_shared<const MemorySnapshot>(std::move(state), log_));
  }

  void do_declare_vector_indexes(VectorIndexes indexes, const StopToken&) override {
    const std::lock_guard lock(commit_mutex_);
    if (closed_) throw Error(Errc::closed, "declare vector indexes: the memory store is closed");
    State state = current()->state();
    for (const auto& [key, options] : indexes) state.vector_indexes[key] = options;
    publish(std::make_shared<const MemorySnapshot>(std::move(state), log_));
  }

  bool do_maintain(const StopToken& stop, Upkeep upkeep) override {
    const std::lock_guard maintaining(maintenance_mutex_);
    const std::optional<DenseMerge> merge = choose_merge(current()->state(), upkeep);
    if (!merge) return false;
    std::shared_ptr<const DenseSegment> merged = merge->carry_out(helpers_, stop);
    const std::lock_guard lock(commit_mutex_);
    if (closed_) return false;
    std::optional<State> next = put_merged(current()->state(), *merge, std::move(merged));
    if (next) publish(std::make_shared<const MemorySnapshot>(std::move(*next), log_));
    return true;
  }

  /// Under commit_mutex_.
  void publish(std::shared_ptr<const MemorySnapshot> next) {
    const std::lock_guard publishing(snapshot_mutex_);
    snapshot_.swap(next);
  }

  const std::shared_ptr<ChangeLog> log_ = std::make_shared<ChangeLog>(kLoggedCommits, kLoggedIds);
  const OwnThreads helpers_ = OwnThreads::all_but_one();
  StoreCapabilities capabilities_;
  std::mutex maintenance_mutex_;  ///< Before commit_mutex_.
  std::mutex commit_mutex_;
  bool closed_ = false;
  mutable std::mutex snapshot_mutex_;
  std::shared_ptr<const MemorySnapshot> snapshot_ = std::make_shared<const MemorySnapshot>(State(), log_);
};

}  // namespace
}  // namespace memory

std::shared_ptr<StoreEngine> memory_engine() { return std::make_shared<memory::MemoryEngine>(); }

}  // namespace ragstone
