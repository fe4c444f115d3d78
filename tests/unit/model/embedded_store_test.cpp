#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/store.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

Commit lines(const std::string& id, const std::string& text) {
  Commit commit;
  commit.sources.push_back(sample_lines(id, text));
  return commit;
}

SearchRequest words(const std::string& text) {
  TextMember member;
  member.key = kBm25Key;
  member.text = text;
  member.analyzer = standard_analyzer();
  SearchRequest request;
  request.group = "line";
  request.members.emplace_back();
  request.members[0].name = "bm25";
  request.members[0].query = member;
  return request;
}

class EmbeddedStoreTest : public testing::Test {
 protected:
  EmbeddedStoreTest() : store_(runtime_.run(memory_store()->open(runtime_.pool()))) {}

  std::uint64_t jobs(Lane lane) const { return runtime_.pool().stats(lane).finished; }

  Runtime runtime_;
  std::shared_ptr<Store> store_;
};

TEST_F(EmbeddedStoreTest, OffersWhatTheEngineOffers) {
  EXPECT_EQ(store_->capabilities().name, "memory");
  EXPECT_EQ(runtime_.run(store_->commit(lines("a", "river stone\n石头\n"))).generation, 1u);
  const SearchResponse response = runtime_.run(store_->search(words("石头")));
  ASSERT_EQ(response.hits.size(), 1u);
  EXPECT_EQ(response.hits[0].node.text, "石头");

  NodeQuery nodes;
  nodes.group = "line";
  const std::vector<Node> found = runtime_.run(store_->nodes(nodes));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(runtime_.run(store_->sources({})).size(), 1u);
  EXPECT_EQ(runtime_.run(store_->text("a")), "river stone\n石头\n");
  EXPECT_EQ(runtime_.run(store_->text("b")), std::nullopt);
  PendingQuery pending;
  pending.group = "word";
  EXPECT_EQ(runtime_.run(store_->pending(pending)), std::vector<std::string>{"a"});
  std::vector<Hash128> contents(2);
  EXPECT_EQ(runtime_.run(store_->vectors("e", "s", contents)).size(), 2u);
  EXPECT_EQ(runtime_.run(store_->sparse_vectors("e", "s", contents)).size(), 2u);
  EXPECT_EQ(runtime_.run(store_->changes("line", 0))->upserts, (std::vector<NodeId>{found[0].id, found[1].id}));
}

TEST_F(EmbeddedStoreTest, APinnedSnapshotIsReadWhileCommitsGoOn) {
  runtime_.run(store_->commit(lines("a", "river\n")));
  const Snapshot at = runtime_.run(store_->pin());
  EXPECT_TRUE(at);
  EXPECT_EQ(at.generation(), 1u);
  runtime_.run(store_->commit(lines("a", "bridge\n")));
  EXPECT_EQ(runtime_.run(store_->search(words("river"), at)).hits.size(), 1u);
  EXPECT_EQ(runtime_.run(store_->search(words("river"))).hits.size(), 0u);
  EXPECT_EQ(runtime_.run(store_->text("a", at)), "river\n");
  EXPECT_EQ(runtime_.run(store_->text("a")), "bridge\n");
  EXPECT_TRUE(runtime_.run(store_->changes("line", 1, at))->upserts.empty());
}

TEST_F(EmbeddedStoreTest, OneCallIsOneJobOnItsLane) {
  runtime_.run(store_->commit(lines("a", "river\n")));
  EXPECT_EQ(jobs(Lane::writer), 1u);
  EXPECT_EQ(jobs(Lane::foreground) + jobs(Lane::background), 0u);
  SearchRequest request = words("river");
  request.target = kRootGroup;
  EXPECT_EQ(runtime_.run(store_->search(request)).hits.size(), 1u);
  EXPECT_EQ(jobs(Lane::foreground), 1u) << "search, target and fetch are one job";
  PendingQuery pending;
  pending.group = "line";
  runtime_.run(store_->pending(pending));
  runtime_.run(store_->changes("line", 0));
  EXPECT_EQ(jobs(Lane::background), 2u);
  runtime_.run(store_->pin());
  EXPECT_EQ(jobs(Lane::foreground), 2u);
  EXPECT_EQ(jobs(Lane::writer), 1u);
}

TEST_F(EmbeddedStoreTest, ReadsOnTheLaneOfItsContext) {
  runtime_.run(store_->commit(lines("a", "river\n")));
  CallContext context;
  context = context.with_lane(Lane::background);
  NodeQuery nodes;
  nodes.group = "line";
  const std::uint64_t before = jobs(Lane::background);
  EXPECT_EQ(runtime_.run(store_->nodes(nodes, {}, context)).size(), 1u);
  EXPECT_EQ(runtime_.run(store_->sources({}, {}, context)).size(), 1u);
  EXPECT_EQ(runtime_.run(store_->text("a", {}, context)), "river\n");
  EXPECT_EQ(runtime_.run(store_->groups({}, context)).size(), 2u);
  EXPECT_EQ(jobs(Lane::background) - before, 4u);
  EXPECT_EQ(jobs(Lane::foreground), 0u);
  EXPECT_EQ(runtime_.run(store_->groups()).size(), 2u);
  EXPECT_EQ(jobs(Lane::foreground), 1u);
}

/// So many rows that two threads share a scan of them.
std::shared_ptr<StoreEngine> engine_of_many_vectors() {
  constexpr std::size_t kRows = 70'000;
  std::string text;
  std::vector<std::vector<float>> rows;
  for (std::size_t row = 0; row < kRows; ++row) {
    text += std::to_string(row) + "\n";
    rows.push_back({static_cast<float>(row % 1000) - 500, static_cast<float>(row % 7)});
  }
  SourceWrite write = test::sample_lines("many", text);
  write.groups[1].sparse.clear();
  write.groups[1].dense.push_back(test::sample_vectors("e", "two", rows, 2));
  Commit commit;
  commit.sources.push_back(std::move(write));
  auto engine = memory_engine();
  engine->commit(std::move(commit));
  return engine;
}

SearchRequest nearest(std::vector<float> to) {
  VectorMember vector;
  vector.key = "e";
  vector.vector = std::move(to);
  SearchRequest request;
  request.group = "line";
  request.members.emplace_back();
  request.members.back().name = "e";
  request.members.back().query = vector;
  return request;
}

RuntimeOptions of_two_threads() {
  RuntimeOptions options;
  options.threads = 2;
  return options;
}

std::uint64_t jobs_ever(const Runtime& runtime) {
  const auto stats = runtime.pool().stats(Lane::foreground);
  return stats.finished + stats.queued + stats.running;
}

TEST_F(EmbeddedStoreTest, ALargeScanIsSharedAmongTheThreadsForQueries) {
  const auto engine = engine_of_many_vectors();
  Runtime runtime(of_two_threads());
  const std::vector<float> query = {3, 1};
  const auto store = embedded_store(engine, runtime.pool());
  const SearchResponse response = runtime.run(store->search(nearest(query)));
  const auto expected = engine->snapshot()->search_vectors("line", "e", query, Metric::cosine, {}, 6);
  ASSERT_EQ(response.hits.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(response.hits[i].node.id, expected[i].id);
  EXPECT_EQ(jobs_ever(runtime), 2u) << "the search and one helper";
}

TEST_F(EmbeddedStoreTest, CancellationEndsAScanOnAllItsThreads) {
  Runtime runtime(of_two_threads());
  const auto store = embedded_store(engine_of_many_vectors(), runtime.pool());
  const std::vector<SearchRequest> requests(10'000, nearest({3, 1}));  // seconds of work
  boost::asio::cancellation_signal signal;
  std::promise<bool> cancelled;
  runtime.spawn(
      store->search_all(requests),
      boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, std::vector<SearchResponse>) {
        cancelled.set_value(error != nullptr && is_cancelled(error));
      }));
  const auto running = [&] { return runtime.pool().stats(Lane::foreground).running; };
  while (running() < 2) std::this_thread::yield();
  signal.emit(boost::asio::cancellation_type::terminal);
  EXPECT_TRUE(cancelled.get_future().get());
  while (running() > 0) std::this_thread::yield();
  EXPECT_EQ(runtime.pool().stats(Lane::foreground).queued, 0u);
  EXPECT_EQ(runtime.operations(), 0u);
  // Both threads are there for the next.
  EXPECT_EQ(runtime.run(store->search_all({requests.begin(), requests.begin() + 8})).back().hits.size(), 6u);
  EXPECT_EQ(jobs_ever(runtime), 4u) << "twice a search and its helper";
}

/// Tells which thread gave the last state up.
class ObservedEngine final : public StoreEngine {
 public:
  explicit ObservedEngine(std::promise<std::thread::id>& released) : released_(released) {}

  const StoreCapabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  Generation opened_at() const noexcept override { return inner_->opened_at(); }
  std::shared_ptr<const StoreSnapshot> snapshot() const override {
    auto state = inner_->snapshot();
    const StoreSnapshot* address = state.get();
    return std::shared_ptr<const StoreSnapshot>(address, [this, state = std::move(state)](const StoreSnapshot*) {
      released_.set_value(std::this_thread::get_id());
    });
  }
  void close() override {}

 private:
  CommitResult do_commit(Commit commit, const StopToken& stop) override {
    return inner_->commit(std::move(commit), stop);
  }

  std::promise<std::thread::id>& released_;
  const std::shared_ptr<StoreEngine> inner_ = memory_engine();
};

Task<std::thread::id> pin_and_drop(std::shared_ptr<Store> store) {
  Snapshot at = co_await store->pin();
  at = Snapshot();
  co_return std::this_thread::get_id();
}

TEST_F(EmbeddedStoreTest, APinnedStateIsGivenUpOnThePoolsThreads) {
  std::promise<std::thread::id> released;
  const auto store = embedded_store(std::make_shared<ObservedEngine>(released), runtime_.pool());
  const std::thread::id dropped_by = runtime_.run(pin_and_drop(store));
  EXPECT_NE(released.get_future().get(), dropped_by);
}

TEST_F(EmbeddedStoreTest, APinnedStateThatOutlivesItsRuntimeIsGivenUpWhereItIsDropped) {
  std::promise<std::thread::id> released;
  const auto engine = std::make_shared<ObservedEngine>(released);
  Snapshot at;
  {
    Runtime runtime;
    at = runtime.run(embedded_store(engine, runtime.pool())->pin());
  }
  at = Snapshot();
  EXPECT_EQ(released.get_future().get(), std::this_thread::get_id());
}

/// Waits in its first commit until it is let go, and counts what it is given at once. Of that it carries out `most`.
class PatientEngine final : public StoreEngine {
 public:
  const StoreCapabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  Generation opened_at() const noexcept override { return inner_->opened_at(); }
  std::shared_ptr<const StoreSnapshot> snapshot() const override { return inner_->snapshot(); }
  void close() override {}

  std::promise<void> begun;
  std::promise<void> let_go;
  std::vector<std::size_t> groups;
  std::size_t most = SIZE_MAX;

 private:
  CommitResult do_commit(Commit commit, const StopToken& stop) override {
    return inner_->commit(std::move(commit), stop);
  }
  std::size_t do_commit_together(std::span<PendingCommit* const> commits) override {
    groups.push_back(commits.size());
    if (groups.size() == 1) {
      begun.set_value();
      let_go.get_future().wait();
    }
    return inner_->commit_together(commits.first(std::min(most, commits.size())));
  }

  const std::shared_ptr<StoreEngine> inner_ = memory_engine();
};

TEST_F(EmbeddedStoreTest, CommitsThatWaitForTheWriterAreCarriedOutTogetherAndFailAlone) {
  constexpr std::size_t kWaiting = 5;
  const auto engine = std::make_shared<PatientEngine>();
  const auto store = embedded_store(engine, runtime_.pool());
  std::vector<std::future<CommitResult>> calls;
  calls.push_back(runtime_.spawn(store->commit(lines("first", "river\n")), boost::asio::use_future));
  engine->begun.get_future().wait();
  for (std::size_t i = 0; i < kWaiting; ++i) {
    Commit commit = lines(std::to_string(i), "bridge\n");
    if (i == 2) commit.sources[0].groups[1].rows[0].span.end = 99;
    calls.push_back(runtime_.spawn(store->commit(std::move(commit)), boost::asio::use_future));
  }
  while (runtime_.pool().stats(Lane::writer).queued < kWaiting) std::this_thread::yield();
  engine->let_go.set_value();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (i == 3) {
      EXPECT_EQ(error_of([&] { calls[i].get(); }).errc(), Errc::invalid_argument);
    } else {
      EXPECT_GT(calls[i].get().generation, 0u);
    }
  }
  EXPECT_EQ(engine->groups, (std::vector<std::size_t>{1, kWaiting - 1}));
  EXPECT_EQ(runtime_.run(store->sources({})).size(), kWaiting);
}

TEST_F(EmbeddedStoreTest, CommitsThatTheEngineLeavesComeNextInTheirOrder) {
  constexpr std::size_t kWaiting = 5;
  const auto engine = std::make_shared<PatientEngine>();
  engine->most = 2;
  const auto store = embedded_store(engine, runtime_.pool());
  std::vector<std::future<CommitResult>> calls;
  calls.push_back(runtime_.spawn(store->commit(lines("first", "river\n")), boost::asio::use_future));
  engine->begun.get_future().wait();
  for (std::size_t i = 0; i < kWaiting; ++i) {
    calls.push_back(runtime_.spawn(store->commit(lines(std::to_string(i), "bridge\n")), boost::asio::use_future));
    while (runtime_.pool().stats(Lane::writer).queued < i + 1) std::this_thread::yield();
  }
  engine->let_go.set_value();
  for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_EQ(calls[i].get().generation, i + 1);
  EXPECT_EQ(engine->groups, (std::vector<std::size_t>{1, kWaiting, kWaiting - 2, kWaiting - 4}));
}

TEST_F(EmbeddedStoreTest, ErrorsPassThrough) {
  EXPECT_EQ(error_of([&] { runtime_.run(store_->search({})); }).errc(), Errc::invalid_argument);
  Commit bad = lines("a", "river\n");
  bad.sources[0].groups[1].rows[0].span.end = 99;
  EXPECT_EQ(error_of([&] { runtime_.run(store_->commit(bad)); }).errc(), Errc::invalid_argument);
  runtime_.run(store_->close());
  EXPECT_EQ(error_of([&] { runtime_.run(store_->commit(lines("a", "x\n"))); }).errc(), Errc::closed);
}

TEST_F(EmbeddedStoreTest, APassedDeadlineEndsEveryCall) {
  CallContext late;
  late = late.with_deadline(CallContext::Clock::now());
  EXPECT_EQ(error_of([&] { runtime_.run(store_->search(words("river"), {}, late)); }).errc(), Errc::timeout);
  NodeQuery nodes;
  nodes.group = "line";
  EXPECT_EQ(error_of([&] { runtime_.run(store_->nodes(nodes, {}, late)); }).errc(), Errc::timeout);
  EXPECT_EQ(error_of([&] { runtime_.run(store_->commit(lines("a", "x\n"), late)); }).errc(), Errc::timeout);
}

/// An index whose query lasts until it is stopped.
class EndlessIndex final : public Index {
 public:
  void wait_until_asked() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return asked_; });
  }
  void wait_until_stopped() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_; });
  }

 private:
  void do_update(const IndexUpdate&, const StopToken&) override {}
  void do_clear() override {}
  std::vector<ScoredNode> do_query(const IndexQuery&, const StopToken& stop) const override {
    std::unique_lock lock(mutex_);
    asked_ = true;
    changed_.notify_all();
    changed_.wait(lock, stop, [] { return false; });
    stopped_ = true;
    changed_.notify_all();
    throw_if_stopped(stop);
    return {};
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable bool asked_ = false;
  mutable bool stopped_ = false;
};

SearchRequest endless(std::shared_ptr<const Index> index) {
  IndexMember member;
  member.index = std::move(index);
  SearchRequest request = words("river");
  request.members[0].query = member;
  return request;
}

TEST_F(EmbeddedStoreTest, CancellationStopsASearchThatIsUnderWay) {
  runtime_.run(store_->commit(lines("a", "river\n")));
  const auto index = std::make_shared<EndlessIndex>();
  boost::asio::cancellation_signal signal;
  std::promise<bool> cancelled;
  runtime_.spawn(store_->search(endless(index)),
                 boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, SearchResponse) {
                   cancelled.set_value(error != nullptr && is_cancelled(error));
                 }));
  index->wait_until_asked();
  signal.emit(boost::asio::cancellation_type::terminal);
  EXPECT_TRUE(cancelled.get_future().get());
  index->wait_until_stopped();
}

TEST_F(EmbeddedStoreTest, ADeadlineEndsASearchThatIsUnderWay) {
  runtime_.run(store_->commit(lines("a", "river\n")));
  const SearchRequest request = endless(std::make_shared<EndlessIndex>());
  CallContext context;
  context = context.with_timeout(std::chrono::milliseconds(20));
  EXPECT_EQ(error_of([&] { runtime_.run(store_->search(request, {}, context)); }).errc(), Errc::timeout);
}

TEST_F(EmbeddedStoreTest, ManyCallsAtOnceAllEnd) {
  std::vector<Task<CommitResult>> commits;
  for (int i = 0; i < 200; ++i) commits.push_back(store_->commit(lines("s" + std::to_string(i), "river\n")));
  runtime_.run(gather(std::move(commits)));
  std::vector<Task<SearchResponse>> searches;
  for (int i = 0; i < 500; ++i) searches.push_back(store_->search(words("river")));
  for (const SearchResponse& response : runtime_.run(gather(std::move(searches)))) {
    EXPECT_EQ(response.generation, 200u);
    EXPECT_EQ(response.hits.size(), 6u);
  }
}

}  // namespace
}  // namespace ragstone::test
