#include "support/kept_store.hpp"

#include <ragstone/base/error.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <utility>

namespace ragstone::test {
namespace {

/// One opening: closing it closes nothing else.
class Opening final : public StoreEngine {
 public:
  Opening(std::shared_ptr<StoreEngine> engine, std::shared_ptr<std::atomic<std::size_t>> commits)
      : engine_(std::move(engine)), commits_(std::move(commits)), opened_at_(engine_->snapshot()->generation()) {}

  const StoreCapabilities& capabilities() const noexcept override { return engine_->capabilities(); }
  Generation opened_at() const noexcept override { return opened_at_; }
  std::shared_ptr<const StoreSnapshot> snapshot() const override { return engine_->snapshot(); }
  VectorIndexes vector_indexes() const override { return engine_->vector_indexes(); }
  void close() override { closed_ = true; }

 private:
  CommitResult do_commit(Commit commit, const StopToken& stop) override {
    if (closed_) throw Error(Errc::closed, "commit: the store is closed");
    ++*commits_;
    return engine_->commit(std::move(commit), stop);
  }
  void do_declare_fields(std::vector<FieldDeclaration> fields, const StopToken& stop) override {
    engine_->declare_fields(std::move(fields), stop);
  }
  void do_declare_vector_indexes(VectorIndexes indexes, const StopToken& stop) override {
    engine_->declare_vector_indexes(std::move(indexes), stop);
  }
  bool do_maintain(const StopToken& stop, Upkeep upkeep) override { return engine_->maintain(stop, upkeep); }

  const std::shared_ptr<StoreEngine> engine_;
  const std::shared_ptr<std::atomic<std::size_t>> commits_;
  const Generation opened_at_;
  std::atomic<bool> closed_ = false;
};

}  // namespace

KeptStore::KeptStore() : engine_(memory_engine()), commits_(std::make_shared<std::atomic<std::size_t>>(0)) {}

Task<std::shared_ptr<Store>> KeptStore::do_open(Pool pool, CallContext) {
  auto opening = std::make_shared<Opening>(engine_, commits_);
  co_return embedded_store(std::move(opening), std::move(pool));
}

}  // namespace ragstone::test
