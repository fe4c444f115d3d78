#pragma once

#include <ragstone/model/store.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

namespace ragstone::test {

/// A memory store that outlives the Documents which are opened over it, one after the other, and counts what is written
/// to it. It stands for a persistent store where only the layers above are under test.
class KeptStore final : public StoreFactory {
 public:
  KeptStore();

  /// Commits ever, empty ones included.
  std::size_t commits() const noexcept { return commits_->load(); }
  const std::shared_ptr<StoreEngine>& engine() const noexcept { return engine_; }

 private:
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext context) override;

  std::shared_ptr<StoreEngine> engine_;
  std::shared_ptr<std::atomic<std::size_t>> commits_;
};

}  // namespace ragstone::test
