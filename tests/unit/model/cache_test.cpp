#include "support/cache_cases.hpp"
#include "support/scripted_chat_model.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/cache.hpp>
#include <ragstone/model/usage_meter.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::ChatScript;
using test::CountingEmbedder;
using test::ScriptedChatModel;

ChatRequest question(std::string text = "为什么？") {
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, std::move(text));
  return request;
}

class CacheTest : public ::testing::Test {
 protected:
  Embeddings embed(const std::shared_ptr<Embedder>& embedder, std::vector<std::string> texts,
                   EmbedRole role = EmbedRole::document, CallContext context = {}) {
    return runtime.run(embedder->embed(std::move(texts), role, std::move(context)));
  }
  std::shared_ptr<ChatModel> cached(ChatCacheOptions options = {}) { return cached_chat_model(model, cache, options); }

  Runtime runtime;
  std::shared_ptr<Cache> cache = memory_cache();
  std::shared_ptr<CountingEmbedder> counting = std::make_shared<CountingEmbedder>();
  std::shared_ptr<ScriptedChatModel> model = std::make_shared<ScriptedChatModel>("m");
};

TEST_F(CacheTest, KeepsWhatItIsGiven) { test::expect_cache_keeps(runtime, *cache); }

// CA-2
TEST_F(CacheTest, ForgetsTheLeastRecentlyUsedAndWhatIsTooOld) {
  test::expect_cache_forgets(runtime, [](CacheOptions options) { return memory_cache(options); });
}

// CA-1
TEST_F(CacheTest, AnEmbedderIsAskedForEachTextOnce) {
  const auto embedder = cached_embedder(counting, cache);
  const Embeddings first = embed(embedder, {"天空", "sky", "天空"});
  EXPECT_EQ(counting->texts(), 2u);
  const Embeddings again = embed(embedder, {"sky", "sea", "天空"});
  EXPECT_EQ(counting->texts(), 3u);
  EXPECT_TRUE(std::ranges::equal(first.row(0), again.row(2)));
  EXPECT_TRUE(std::ranges::equal(first.row(1), again.row(0)));
  EXPECT_TRUE(std::ranges::equal(embed(counting, {"sea"}).row(0), again.row(1)));
}

// CA-1, S8: model, revision, role and tenant are part of the key.
TEST_F(CacheTest, NothingIsSharedBetweenModelsRolesAndTenants) {
  embed(cached_embedder(counting, cache), {"天空"});
  embed(cached_embedder(counting, cache), {"天空"}, EmbedRole::query);
  EXPECT_EQ(counting->texts(), 2u);
  embed(cached_embedder(counting, cache, "tenant"), {"天空"});
  EXPECT_EQ(counting->texts(), 3u);
  const auto other = std::make_shared<CountingEmbedder>("other");
  embed(cached_embedder(other, cache), {"天空"});
  EXPECT_EQ(other->texts(), 1u);
}

// CA-1
TEST_F(CacheTest, ConcurrentMissesOfATextAreOneCall) {
  const auto embedder = cached_embedder(counting, cache);
  std::vector<Task<Embeddings>> calls;
  for (int i = 0; i < 50; ++i)
    calls.push_back(embedder->embed({"同一段文字", "own " + std::to_string(i % 5)}, EmbedRole::document));
  const auto results = runtime.run(gather(std::move(calls)));
  EXPECT_EQ(counting->texts(), 6u);
  for (const Embeddings& result : results) EXPECT_TRUE(std::ranges::equal(result.row(0), results[0].row(0)));
}

// Each of many calls gets its own rows, whatever fails in between.
TEST_F(CacheTest, RandomCallsWithFailuresGetTheirOwnVectors) {
  const auto embedder = cached_embedder(counting, cache);
  std::mt19937 random(3);
  std::atomic<int> count = 0;
  counting->before = [&count](std::span<const std::string>) {
    if (++count % 3 == 0) throw Error(Errc::transient, "busy");
  };
  for (int round = 0; round < 30; ++round) {
    std::vector<Task<Embeddings>> calls;
    std::vector<std::vector<std::string>> asked;
    for (int i = 0; i < 20; ++i) {
      std::vector<std::string> texts;
      for (int n = 0; n < 4; ++n) texts.push_back("t" + std::to_string(random() % 400));
      asked.push_back(texts);
      calls.push_back(embedder->embed(texts, EmbedRole::document));
    }
    auto results = runtime.run(gather_outcomes(std::move(calls)));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i]) {
        EXPECT_EQ(errc_of(results[i].error()), Errc::transient);
        continue;
      }
      CountingEmbedder same;
      const Embeddings wanted = runtime.run(same.embed(asked[i], EmbedRole::document));
      EXPECT_EQ(results[i].value().values, wanted.values);
    }
  }
}

// TK-5
TEST_F(CacheTest, HitsAreCountedApartAndCostNothing) {
  const UsageMeter meter;
  const auto embedder = cached_embedder(counting, cache);
  embed(embedder, {"a", "b"}, EmbedRole::document, meter.context());
  embed(embedder, {"a", "b", "c"}, EmbedRole::document, meter.context());
  ChatScript script;
  model->add(script.piece("因为。").usage(10, 5));
  runtime.run(cached()->chat(question(), meter.context()));
  runtime.run(cached()->chat(question(), meter.context()));
  const UsageReport report = meter.report();
  EXPECT_EQ(report.total(EventKind::embed).requests, 2u);
  EXPECT_EQ(report.total(EventKind::embed).cache_hits, 2u);
  EXPECT_EQ(report.total(EventKind::chat).requests, 1u);
  EXPECT_EQ(report.total(EventKind::chat).cache_hits, 1u);
  EXPECT_EQ(report.total(EventKind::chat).input, 10u);
}

/// Fails always.
class BrokenCache final : public Cache {
  Task<std::vector<std::optional<std::string>>> do_get(CacheKind, std::vector<Hash128>, CallContext) override {
    throw Error(Errc::io_error, "no disk");
  }
  Task<void> do_put(CacheKind, std::vector<CacheEntry>, std::optional<std::chrono::seconds>, CallContext) override {
    throw Error(Errc::io_error, "no disk");
  }
  Task<CacheStats> do_stats(CallContext) override { co_return CacheStats(); }
};

TEST_F(CacheTest, ACacheThatFailsIsAMissThatObserversSee) {
  std::vector<std::string> lines;
  const auto context =
      CallContext().with_observer(log_observer([&lines](std::string_view line) { lines.emplace_back(line); }));
  const auto broken = std::make_shared<BrokenCache>();
  EXPECT_EQ(embed(cached_embedder(counting, broken), {"a"}, EmbedRole::document, context).size(), 1u);
  ChatScript script;
  model->add(script.piece("x"));
  EXPECT_EQ(runtime.run(cached_chat_model(model, broken)->chat(question(), context)).text, "x");
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return line.find("no disk") != line.npos; }), 4);
}

/// Gives fewer values than it was asked for.
class ShortCache final : public Cache {
  Task<std::vector<std::optional<std::string>>> do_get(CacheKind, std::vector<Hash128>, CallContext) override {
    co_return std::vector<std::optional<std::string>>();
  }
  Task<void> do_put(CacheKind, std::vector<CacheEntry>, std::optional<std::chrono::seconds>, CallContext) override {
    co_return;
  }
  Task<CacheStats> do_stats(CallContext) override { co_return CacheStats(); }
};

TEST_F(CacheTest, ACacheThatGivesTooLittleIsAMissToo) {
  const auto too_short = std::make_shared<ShortCache>();
  EXPECT_THROW(runtime.run(too_short->get(CacheKind::chat, std::vector<Hash128>(1))), Error);
  EXPECT_EQ(embed(cached_embedder(counting, too_short), {"a", "甲"}).size(), 2u);
}

// CA-2
TEST_F(CacheTest, AReplyIsGivenAgainAlsoAsAStream) {
  ChatScript script;
  model->add(script.piece("因为").piece("散射。").usage(10, 5));
  EXPECT_EQ(runtime.run(cached()->chat(question())).text, "因为散射。");
  AsyncStream<std::string> stream(4);
  const ChatReply again = runtime.run(cached()->chat_stream(question(), stream.producer()));
  EXPECT_EQ(again.text, "因为散射。");
  EXPECT_EQ(again.usage.output, 0u);
  EXPECT_EQ(runtime.run(stream.next()), "因为散射。");
  EXPECT_EQ(runtime.run(stream.next()), std::nullopt);
  EXPECT_EQ(model->requests().size(), 1u);
}

// CA-2
TEST_F(CacheTest, NeverKeepsErrorsOrTruncatedReplies) {
  ChatScript failing;
  model->add(failing.piece("half").fail(Errc::transient, "reset"));
  ChatScript cut;
  model->add(cut.piece("half").finish(FinishReason::length));
  ChatScript whole;
  model->add(whole.piece("whole"));
  EXPECT_THROW(runtime.run(cached()->chat(question())), Error);
  EXPECT_EQ(runtime.run(cached()->chat(question())).finish, FinishReason::length);
  EXPECT_EQ(runtime.run(cached()->chat(question())).text, "whole");
  EXPECT_EQ(runtime.run(cached()->chat(question())).text, "whole");
  EXPECT_EQ(model->requests().size(), 3u);
}

// CA-2, S8
TEST_F(CacheTest, EveryOptionOfARequestIsPartOfItsKey) {
  ChatScript script;
  model->add(script.piece("x"));
  std::vector<ChatRequest> requests(10, question());
  requests[1].temperature = 0.5;
  requests[2].max_tokens = 10;
  requests[3].seed = 10;
  requests[4].stop.emplace_back("x");
  requests[5].schema = ReplySchema("n", "{}");
  requests[6].messages.emplace_back(ChatRole::assistant, "x");
  requests[7].top_p = 0.5;
  requests[8].pattern = "x+";
  requests[9].extra = R"({"frequency_penalty": 0.5})";
  for (const ChatRequest& request : requests) runtime.run(cached()->chat(request));
  EXPECT_EQ(model->requests().size(), 10u);
  ChatCacheOptions tenant;
  tenant.tenant = "other";
  runtime.run(cached(tenant)->chat(question()));
  EXPECT_EQ(model->requests().size(), 11u);
  ChatRequest keyed = question("nonce 1");
  keyed.cache_key = hash128("same");
  ChatRequest same = question("nonce 2");
  same.cache_key = hash128("same");
  runtime.run(cached()->chat(keyed));
  runtime.run(cached()->chat(same));
  EXPECT_EQ(model->requests().size(), 12u);
}

TEST_F(CacheTest, EqualCallsInFlightAreOneRequest) {
  ChatScript script;
  model->add(script.piece("因为").delay(std::chrono::milliseconds(20)).piece("散射。"));
  const auto shared = cached();
  std::vector<Task<ChatReply>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(shared->chat(question()));
  for (const ChatReply& reply : runtime.run(gather(std::move(calls)))) EXPECT_EQ(reply.text, "因为散射。");
  EXPECT_EQ(model->requests().size(), 1u);
}

// C1
TEST_F(CacheTest, AnotherTakesOverWhenTheOneWhoAskedGivesUp) {
  ChatScript hanging;
  model->add(hanging.piece("half ").hang());
  ChatScript whole;
  model->add(whole.piece("whole"));
  const auto shared = cached();
  boost::asio::cancellation_signal cancel;
  std::promise<void> gone;
  runtime.spawn(
      shared->chat(question()),
      boost::asio::bind_cancellation_slot(cancel.slot(), [&gone](std::exception_ptr, ChatReply) { gone.set_value(); }));
  while (model->requests().empty()) std::this_thread::yield();
  auto follower = runtime.spawn(shared->chat(question()), boost::asio::use_future);
  cancel.emit(boost::asio::cancellation_type::terminal);
  EXPECT_EQ(follower.get().text, "whole");
  gone.get_future().get();
  EXPECT_EQ(model->requests().size(), 2u);
}

// CA-2: who joins a call waits for its model, not for the one who reads its pieces.
TEST_F(CacheTest, ACallThatIsJoinedIsAsFastAsItsModelHoweverSlowItsReader) {
  ChatScript script;
  std::string whole;
  for (int i = 0; i < 100; ++i) {
    script.piece("散射 " + std::to_string(i));
    whole += "散射 " + std::to_string(i);
  }
  model->add(script.delay(std::chrono::milliseconds(20)));
  const auto shared = cached();
  AsyncStream<std::string> unread(1);
  auto leader = runtime.spawn(shared->chat_stream(question(), unread.producer()), boost::asio::use_future);
  EXPECT_FALSE(runtime.run(unread.next())->empty());
  const CallContext bounded = CallContext().with_timeout(std::chrono::seconds(20));
  EXPECT_EQ(runtime.run(shared->chat(question(), bounded)).text, whole);
  std::string read = "散射 0";
  while (const auto piece = runtime.run(unread.next())) read += *piece;
  EXPECT_EQ(read, whole);
  EXPECT_EQ(leader.get().text, whole);
  EXPECT_EQ(model->requests().size(), 1u);
}

}  // namespace
}  // namespace ragstone
