#include "rag/index_registry.hpp"

#include "rag_fixture.hpp"
#include <ragstone/async/gather.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace ragstone::test {
namespace {

/// An index that holds nothing, and calls what a test puts in.
class HookedIndex final : public Index {
 public:
  std::function<void()> on_query = [] {};
  std::function<void()> on_save = [] {};

 private:
  void do_update(const IndexUpdate&, const StopToken&) override {}
  void do_clear() override {}
  std::vector<ScoredNode> do_query(const IndexQuery&, const StopToken&) const override {
    on_query();
    return {};
  }
  std::string do_form() const override { return "hooked"; }
  void do_save(IndexOutput&, const StopToken&) const override { on_save(); }
  void do_load(std::shared_ptr<const IndexImage>) override {}
};

IndexUpdate update_to(Generation generation) {
  IndexUpdate update;
  update.to = generation;
  return update;
}

TEST(RegisteredIndex, ReadersWithoutAGapDoNotKeepAnUpdateOut) {
  constexpr int kQueries = 20'000;
  const auto index = std::make_shared<HookedIndex>();
  std::atomic<int> entered = 0;
  // Each query stays until another one has come in.
  index->on_query = [&] {
    const int before = ++entered;
    for (int i = 0; i < 1000 && entered == before; ++i) std::this_thread::yield();
  };
  RegisteredIndex registered("words", "Word", index, 0);
  IndexQuery query;
  query.top_k = 1;
  const auto ask = [&] {
    while (entered < kQueries) registered.query(query, {});
  };
  std::thread one(ask);
  std::thread other(ask);
  while (entered < 10) std::this_thread::yield();
  for (Generation generation = 1; generation <= 5; ++generation) registered.update(update_to(generation), {});
  const int answered = entered;
  entered = kQueries;
  one.join();
  other.join();
  EXPECT_LT(answered, kQueries);
  EXPECT_EQ(registered.generation(), 5u);
}

class SavedRegistryTest : public testing::Test {
 protected:
  static RuntimeOptions four_threads() {
    RuntimeOptions options;
    options.threads = 4;
    return options;
  }

  void SetUp() override { registered->update(update_to(7), {}); }

  Runtime runtime{four_threads()};
  std::shared_ptr<Store> store = runtime.run(memory_store()->open(runtime.pool()));
  std::shared_ptr<HookedIndex> index = std::make_shared<HookedIndex>();
  std::shared_ptr<RegisteredIndex> registered = std::make_shared<RegisteredIndex>("words", "Word", index, 0);
};

TEST_F(SavedRegistryTest, IsSavedByOneAtATime) {
  std::mutex mutex;
  std::condition_variable changed;
  int saves = 0;
  index->on_save = [&] {
    std::unique_lock lock(mutex);
    ++saves;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return saves > 1; });
  };
  std::vector<Task<void>> all;
  for (int i = 0; i < 2; ++i) all.push_back(save_index(store, runtime.pool(), registered, SaveWhen::changed));
  runtime.run(gather(std::move(all)));
  EXPECT_EQ(saves, 1) << "the second one finds it saved";
  EXPECT_EQ(registered->saved(), 7u);
}

}  // namespace
}  // namespace ragstone::test
