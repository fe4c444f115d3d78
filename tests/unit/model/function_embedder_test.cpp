#include "support/errors.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/function_embedder.hpp>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

EmbedderIdentity identity_of_size(std::uint32_t dimension) {
  EmbedderIdentity identity;
  identity.name = "lengths";
  identity.dimension = dimension;
  return identity;
}

std::vector<float> lengths(std::span<const std::string> texts, EmbedRole, const StopToken&) {
  std::vector<float> values;
  for (const auto& text : texts) values.push_back(static_cast<float>(text.size()));
  return values;
}

TEST(FunctionEmbedder, EmbedsWithTheFunction) {
  Runtime runtime;
  const auto embedder = function_embedder(runtime.pool(), identity_of_size(1), lengths);
  EXPECT_EQ(embedder->identity().name, "lengths");
  const auto embeddings = runtime.run(embedder->embed({"a", "知识", "abc"}, EmbedRole::document));
  EXPECT_EQ(embeddings.values, (std::vector<float>{1, 6, 3}));
}

TEST(FunctionEmbedder, RunsOffTheLoopOnTheLaneOfTheRole) {
  Runtime runtime;
  const auto embedder = function_embedder(runtime.pool(), identity_of_size(1), lengths);
  runtime.run(embedder->embed({"question"}, EmbedRole::query));
  EXPECT_EQ(runtime.pool().stats(Lane::foreground).finished, 1u);
  EXPECT_EQ(runtime.pool().stats(Lane::background).finished, 0u);
  runtime.run(embedder->embed({"text"}, EmbedRole::document));
  EXPECT_EQ(runtime.pool().stats(Lane::background).finished, 1u);
}

TEST(FunctionEmbedder, WhatTheFunctionThrowsReachesTheCaller) {
  Runtime runtime;
  const auto embedder =
      function_embedder(runtime.pool(), identity_of_size(1),
                        [](std::span<const std::string>, EmbedRole, const StopToken&) -> std::vector<float> {
                          throw Error(Errc::transient, "the accelerator is busy");
                        });
  const auto error = test::error_of([&] { runtime.run(embedder->embed({"a"}, EmbedRole::query)); });
  EXPECT_EQ(error.errc(), Errc::transient);
}

TEST(FunctionEmbedder, TimeoutReturnsAtOnceAndAsksTheFunctionToStop) {
  std::atomic<int> calls{0};
  std::atomic<int> stops{0};
  {
    Runtime runtime;
    const auto embedder = function_embedder(
        runtime.pool(), identity_of_size(1),
        [&](std::span<const std::string> texts, EmbedRole, const StopToken& stop) -> std::vector<float> {
          ++calls;
          while (!stop.stop_requested()) std::this_thread::yield();
          EXPECT_EQ(texts[0], "a text longer than any small string optimisation holds");
          ++stops;
          throw_if_stopped(stop);
          return {};
        });
    std::vector<std::string> texts{"a text longer than any small string optimisation holds"};
    // On a busy machine the deadline may pass before the function is called at all: then once more.
    while (calls == 0) {
      const auto context = CallContext().with_timeout(std::chrono::milliseconds(2));
      EXPECT_EQ(test::error_of([&] { runtime.run(embedder->embed(texts, EmbedRole::query, context)); }).errc(),
                Errc::timeout);
    }
  }
  EXPECT_EQ(stops, calls);
}

TEST(FunctionEmbedder, RefusesWhatCannotWork) {
  Runtime runtime;
  EXPECT_EQ(test::error_of([&] { function_embedder(runtime.pool(), identity_of_size(0), lengths); }).errc(),
            Errc::invalid_argument);
  EXPECT_EQ(test::error_of([&] { function_embedder(runtime.pool(), EmbedderIdentity(), lengths); }).errc(),
            Errc::invalid_argument);
  EXPECT_EQ(test::error_of([&] { function_embedder(runtime.pool(), identity_of_size(1), nullptr); }).errc(),
            Errc::invalid_argument);
}

TEST(FunctionEmbedder, WithoutARuntimeItIsClosed) {
  Runtime runtime;
  const auto embedder = function_embedder(Pool(), identity_of_size(1), lengths);
  EXPECT_EQ(test::error_of([&] { runtime.run(embedder->embed({"a"}, EmbedRole::query)); }).errc(), Errc::closed);
}

}  // namespace
}  // namespace ragstone
