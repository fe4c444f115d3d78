#include "support/errors.hpp"
#include "support/recording_observer.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/embedder.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::RecordingObserver;

/// Counts itself, also when its coroutine is cancelled.
class Running {
 public:
  explicit Running(std::size_t& count) : count_(count) { ++count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { --count_; }

 private:
  std::size_t& count_;
};

/// Row: [length of the text, position in the batch]. `spoil` breaks the contract afterwards.
class CountingEmbedder final : public Embedder {
 public:
  CountingEmbedder() {
    identity_.name = "counting";
    identity_.dimension = 2;
  }

  const EmbedderIdentity& identity() const noexcept override { return identity_; }
  std::size_t max_batch() const noexcept override { return batch; }
  std::size_t max_concurrency() const noexcept override { return concurrency; }

  EmbedderIdentity identity_;
  std::size_t batch = 3;
  std::size_t concurrency = 2;
  void (*spoil)(std::vector<float>&) = nullptr;
  bool hangs = false;
  bool throws = false;

  std::vector<std::vector<std::string>> calls;
  std::vector<EmbedRole> roles;
  std::size_t running = 0;
  std::size_t most_running = 0;

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext) override {
    calls.emplace_back(texts.begin(), texts.end());
    roles.push_back(role);
    const Running here(running);
    most_running = std::max(most_running, running);
    auto executor = co_await boost::asio::this_coro::executor;
    for (int i = 0; i < 3; ++i) co_await boost::asio::post(executor, boost::asio::use_awaitable);
    if (hangs) {
      boost::asio::steady_timer timer(executor, std::chrono::steady_clock::time_point::max());
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    if (throws) throw std::runtime_error("the model is on fire");
    std::vector<float> values;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      values.push_back(static_cast<float>(texts[i].size()));
      values.push_back(static_cast<float>(i));
    }
    if (spoil) spoil(values);
    co_return values;
  }
};

class EmbedderTest : public ::testing::Test {
 protected:
  Embeddings embed(std::vector<std::string> texts, CallContext context = {}) {
    return runtime.run(embedder.embed(std::move(texts), EmbedRole::document, context));
  }

  Runtime runtime;
  CountingEmbedder embedder;
};

TEST_F(EmbedderTest, RowsFollowTheOrderOfTheTextsAcrossBatches) {
  const auto embeddings = embed({"a", "bb", "ccc", "dddd", "五", "ffffff", "ggggggg"});
  ASSERT_EQ(embeddings.size(), 7u);
  const std::vector<float> lengths = {1, 2, 3, 4, 3, 6, 7};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    EXPECT_EQ(embeddings.row(i)[0], lengths[i]);
    EXPECT_EQ(embeddings.row(i)[1], static_cast<float>(i % 3));
  }
  EXPECT_EQ(embedder.calls.size(), 3u);
}

TEST_F(EmbedderTest, RunsBatchesSideBySideUpToItsLimit) {
  embed({"a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg", "hhhhhhhh", "iiiiiiiii", "j1", "k22"});
  EXPECT_EQ(embedder.most_running, 2u);
  EXPECT_EQ(embedder.running, 0u);
}

TEST_F(EmbedderTest, EqualTextsAreEmbeddedOnce) {
  const auto embeddings = embed({"same", "other!", "same", "same", "other!"});
  ASSERT_EQ(embedder.calls.size(), 1u);
  EXPECT_EQ(embedder.calls[0], (std::vector<std::string>{"same", "other!"}));
  EXPECT_EQ(embeddings.values, (std::vector<float>{4, 0, 6, 1, 4, 0, 4, 0, 6, 1}));
}

TEST_F(EmbedderTest, NoTextsCallNothing) {
  auto observer = std::make_shared<RecordingObserver>();
  const auto embeddings = embed({}, CallContext().with_observer(observer));
  EXPECT_EQ(embeddings.size(), 0u);
  EXPECT_EQ(embeddings.dimension, 2u);
  EXPECT_TRUE(embedder.calls.empty());
  EXPECT_TRUE(observer->events().empty());
}

TEST_F(EmbedderTest, PassesTheRoleOn) {
  runtime.run(embedder.embed({"question"}, EmbedRole::query));
  embed({"text"});
  EXPECT_EQ(embedder.roles, (std::vector<EmbedRole>{EmbedRole::query, EmbedRole::document}));
}

TEST_F(EmbedderTest, OtherDimensionIsAnErrorNamingBoth) {
  embedder.spoil = [](std::vector<float>& values) { values.resize(values.size() / 2 * 3); };
  const auto error = test::error_of([&] { embed({"a", "b", "c"}); });
  EXPECT_EQ(error.errc(), Errc::dimension_mismatch);
  EXPECT_STREQ(error.what(),
               "embedder 'counting' returned 9 floats for 3 texts of dimension 2: vectors of dimension 3");
}

TEST_F(EmbedderTest, TooFewVectorsAreAnErrorWithTheirNumber) {
  embedder.spoil = [](std::vector<float>& values) { values.resize(values.size() - 2); };
  const auto error = test::error_of([&] { embed({"a", "b", "c"}); });
  EXPECT_EQ(error.errc(), Errc::rejected);
  EXPECT_STREQ(error.what(), "embedder 'counting' returned 4 floats for 3 texts of dimension 2: only 2 vectors");
}

TEST_F(EmbedderTest, TooManyVectorsAreAnError) {
  embedder.spoil = [](std::vector<float>& values) { values.resize(values.size() + 2); };
  EXPECT_EQ(test::error_of([&] { embed({"a", "b", "c"}); }).errc(), Errc::rejected);
}

TEST_F(EmbedderTest, BrokenRowsAreAnError) {
  embedder.spoil = [](std::vector<float>& values) { values.pop_back(); };
  EXPECT_EQ(test::error_of([&] { embed({"a", "b", "c"}); }).errc(), Errc::dimension_mismatch);
}

TEST_F(EmbedderTest, NoVectorsAreAnError) {
  embedder.spoil = [](std::vector<float>& values) { values.clear(); };
  EXPECT_EQ(test::error_of([&] { embed({"a"}); }).errc(), Errc::rejected);
}

TEST_F(EmbedderTest, NanIsAnErrorThatTellsWhere) {
  embedder.spoil = [](std::vector<float>& values) { values[3] = std::nanf(""); };
  const auto error = test::error_of([&] { embed({"a", "b", "c"}); });
  EXPECT_EQ(error.errc(), Errc::rejected);
  EXPECT_STREQ(error.what(), "embedder 'counting' returned NaN in element 1 of vector 1 of 3");
}

TEST_F(EmbedderTest, InfinityIsAnError) {
  embedder.spoil = [](std::vector<float>& values) { values[0] = -std::numeric_limits<float>::infinity(); };
  EXPECT_EQ(test::error_of([&] { embed({"a"}); }).errc(), Errc::rejected);
}

TEST_F(EmbedderTest, IncompleteIdentityIsAnErrorBeforeAnyCall) {
  embedder.identity_.dimension = 0;
  EXPECT_EQ(test::error_of([&] { embed({"a"}); }).errc(), Errc::invalid_argument);
  embedder.identity_.dimension = 2;
  embedder.identity_.name.clear();
  EXPECT_EQ(test::error_of([&] { embed({"a"}); }).errc(), Errc::invalid_argument);
  EXPECT_TRUE(embedder.calls.empty());
}

TEST_F(EmbedderTest, ZeroBatchAndConcurrencyCountAsOne) {
  embedder.batch = 0;
  embedder.concurrency = 0;
  EXPECT_EQ(embed({"a", "b", "c"}).size(), 3u);
  EXPECT_EQ(embedder.calls.size(), 3u);
  EXPECT_EQ(embedder.most_running, 1u);
}

TEST_F(EmbedderTest, WhatTheModelThrowsPassesUnchanged) {
  embedder.throws = true;
  EXPECT_THROW(embed({"a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg"}), std::runtime_error);
  EXPECT_LT(embedder.calls.size(), 3u) << "batches started after the first failure";
}

TEST_F(EmbedderTest, DeadlineEndsAModelThatNeverReturns) {
  embedder.hangs = true;
  const auto context = CallContext().with_timeout(std::chrono::milliseconds(5));
  EXPECT_EQ(test::error_of([&] { embed({"a"}, context); }).errc(), Errc::timeout);
  EXPECT_EQ(embedder.running, 0u);
}

TEST_F(EmbedderTest, ObserversSeeOneRun) {
  auto observer = std::make_shared<RecordingObserver>();
  embed({"a", "a", "b", "c", "d"}, CallContext().with_observer(observer));
  ASSERT_EQ(observer->phases(), (std::vector<EventPhase>{EventPhase::start, EventPhase::end}));
  const Event start = observer->events()[0];
  EXPECT_EQ(start.kind(), EventKind::embed);
  EXPECT_EQ(start.name(), "counting");
  EXPECT_EQ(*start.attributes().find("texts"), Scalar(std::int64_t{5}));
  EXPECT_EQ(*start.attributes().find("distinct_texts"), Scalar(std::int64_t{4}));
}

TEST_F(EmbedderTest, ObserversSeeTheErrorOfAFailedRun) {
  auto observer = std::make_shared<RecordingObserver>();
  embedder.throws = true;
  EXPECT_THROW(embed({"a"}, CallContext().with_observer(observer)), std::runtime_error);
  ASSERT_EQ(observer->phases(), (std::vector<EventPhase>{EventPhase::start, EventPhase::error}));
  EXPECT_EQ(message_of(observer->events()[1].error()), "the model is on fire");
}

TEST_F(EmbedderTest, AnObserverThatKeepsEventsIsStillDestroyed) {
  auto observer = std::make_shared<RecordingObserver>();
  const std::weak_ptr<RecordingObserver> alive = observer;
  embed({"a"}, CallContext().with_observer(observer));
  EXPECT_EQ(observer->events().size(), 2u);
  observer.reset();
  EXPECT_TRUE(alive.expired());
}

// IX-4
TEST(EmbedderIdentity, SignatureIsOneLineAndDiffersWithEveryMember) {
  EmbedderIdentity base;
  base.name = "bge m3\n模型";
  base.revision = "a=b";
  base.dimension = 8;
  EXPECT_EQ(base.signature(), "name=bge%20m3%0A模型 revision=a=b dimension=8 normalized=0");
  EmbedderIdentity other = base;
  other.normalized = true;
  EXPECT_NE(base.signature(), other.signature());
  other = base;
  other.revision = "";
  EXPECT_NE(base.signature(), other.signature());
  other = base;
  other.name = "bge%20m3\n模型";
  EXPECT_NE(base.signature(), other.signature());
}

}  // namespace
}  // namespace ragstone
