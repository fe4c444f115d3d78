#include "support/errors.hpp"
#include "support/recording_observer.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/reranker.hpp>

#include <chrono>
#include <cmath>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::RecordingObserver;

/// Returns what it was told to.
class FixedReranker final : public Reranker {
 public:
  std::vector<RankedText> result;
  bool hangs = false;
  std::size_t calls = 0;

 private:
  Task<Reranking> do_rerank(std::string_view, std::span<const std::string>, std::size_t, CallContext) override {
    ++calls;
    if (hangs) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor,
                                      std::chrono::steady_clock::time_point::max());
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return result;
  }
};

class RerankerTest : public ::testing::Test {
 protected:
  std::vector<std::size_t> rerank(std::size_t top_n, CallContext context = {}) {
    std::vector<std::string> texts = {"zero", "one", "two", "three"};
    std::vector<std::size_t> indexes;
    for (const auto& ranked : runtime.run(reranker.rerank("query", texts, top_n, context)))
      indexes.push_back(ranked.index);
    return indexes;
  }
  Errc rejection() {
    return test::error_of([&] { rerank(4); }).errc();
  }

  Runtime runtime;
  FixedReranker reranker;
};

TEST_F(RerankerTest, ScoresDecideTheOrderAndEqualOnesKeepTheOldOrder) {
  reranker.result = {{3, 0.5}, {0, 0.1}, {2, 0.9}, {1, 0.5}};
  EXPECT_EQ(rerank(4), (std::vector<std::size_t>{2, 1, 3, 0}));
}

TEST_F(RerankerTest, KeepsAtMostTopN) {
  reranker.result = {{3, 0.5}, {0, 0.1}, {2, 0.9}};
  EXPECT_EQ(rerank(2), (std::vector<std::size_t>{2, 3}));
}

TEST_F(RerankerTest, WithoutScoresTheGivenOrderStays) {
  reranker.result = {{3, {}}, {0, {}}, {2, {}}};
  EXPECT_EQ(rerank(4), (std::vector<std::size_t>{3, 0, 2}));
}

TEST_F(RerankerTest, BrokenResultsAreRejected) {
  reranker.result = {{4, 0.5}};
  EXPECT_EQ(rejection(), Errc::rejected);
  reranker.result = {{1, 0.5}, {1, 0.4}};
  EXPECT_EQ(rejection(), Errc::rejected);
  reranker.result = {{1, 0.5}, {2, {}}};
  EXPECT_EQ(rejection(), Errc::rejected);
  reranker.result = {{1, std::nan("")}};
  EXPECT_EQ(rejection(), Errc::rejected);
}

TEST_F(RerankerTest, TopNOfZeroIsAnError) {
  EXPECT_EQ(test::error_of([&] { rerank(0); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(reranker.calls, 0u);
}

TEST_F(RerankerTest, NoTextsCallNothing) {
  EXPECT_TRUE(runtime.run(reranker.rerank("query", {}, 3)).empty());
  EXPECT_EQ(reranker.calls, 0u);
}

TEST_F(RerankerTest, DeadlineEndsACallThatNeverReturns) {
  reranker.hangs = true;
  const auto context = CallContext().with_timeout(std::chrono::milliseconds(5));
  EXPECT_EQ(test::error_of([&] { rerank(4, context); }).errc(), Errc::timeout);
}

TEST_F(RerankerTest, ObserversSeeOneRunWithItsTerminalEvent) {
  auto observer = std::make_shared<RecordingObserver>();
  reranker.result = {{3, 0.5}, {0, 0.1}};
  rerank(4, CallContext().with_observer(observer));
  ASSERT_EQ(observer->phases(), (std::vector<EventPhase>{EventPhase::start, EventPhase::end}));
  EXPECT_EQ(observer->events()[0].kind(), EventKind::rerank);
  EXPECT_EQ(*observer->events()[1].attributes().find("kept"), Scalar(std::int64_t{2}));

  reranker.result = {{9, 0.5}};
  EXPECT_EQ(test::error_of([&] { rerank(4, CallContext().with_observer(observer)); }).errc(), Errc::rejected);
  EXPECT_EQ(observer->phases().back(), EventPhase::error);
}

}  // namespace
}  // namespace ragstone
