#include "support/store/conformance.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <memory>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

class SqliteStoreUnderTest final : public StoreUnderTest {
 public:
  explicit SqliteStoreUnderTest(SqliteOptions options) : options_(options) { open(); }

  StoreEngine& engine() override { return *engine_; }

  void reopen() override {
    engine_->close();
    engine_.reset();
    open();
  }

 private:
  void open() { engine_ = sqlite_engine(folder_.path() / "store", options_); }

  TemporaryFolder folder_;
  SqliteOptions options_;
  std::shared_ptr<StoreEngine> engine_;
};

/// Leaves without closing, as after a crash.
class AbandonedStoreUnderTest final : public StoreUnderTest {
 public:
  AbandonedStoreUnderTest() { open(); }

  StoreEngine& engine() override { return *engine_; }

  void reopen() override {
    engine_.reset();
    open();
  }

 private:
  void open() {
    SqliteOptions options;
    options.durability = Durability::fast;
    options.map_segments = false;
    options.seal_rows = 3;
    engine_ = sqlite_engine(folder_.path() / "store", options);
  }

  TemporaryFolder folder_;
  std::shared_ptr<StoreEngine> engine_;
};

StoreCase default_case() {
  StoreCase store;
  store.name = "sqlite";
  store.make = [] { return std::make_unique<SqliteStoreUnderTest>(SqliteOptions()); };
  return store;
}

StoreCase abandoned_case() {
  StoreCase store;
  store.name = "sqlite_abandoned";
  store.make = [] { return std::make_unique<AbandonedStoreUnderTest>(); };
  return store;
}

StoreCase reopened_case() {
  StoreCase store;
  store.name = "sqlite_reopened";
  store.make = [] {
    SqliteOptions options;
    options.durability = Durability::fast;
    return std::make_unique<SqliteStoreUnderTest>(options);
  };
  store.reopens_always = true;
  return store;
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values(default_case(), abandoned_case(), reopened_case()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace ragstone::test
