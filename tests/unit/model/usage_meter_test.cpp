#include "model/paid_error.hpp"
#include "support/errors.hpp"
#include "support/scripted_chat_model.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/cache.hpp>
#include <ragstone/model/hashing_embedder.hpp>
#include <ragstone/model/reranker.hpp>
#include <ragstone/model/usage_meter.hpp>

#include <exception>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::ChatScript;
using test::CountingEmbedder;
using test::ScriptedChatModel;

ChatRequest question(const std::string& text = "为什么天空是蓝色的？") {
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, text);
  return request;
}

std::shared_ptr<const PriceTable> prices() {
  return std::make_shared<const PriceTable>(parse_prices(R"({
    "models": {"qwen-max": {"input": 2, "cached": 0.5, "cache_write": 4, "output": 10, "currency": "CNY"},
               "bge-m3": {"input": 1}},
    "aliases": {"endpoint-7": "qwen-max"}})"));
}

/// A reranker whose provider reports usage.
class PaidReranker final : public Reranker {
 public:
  std::string_view name() const noexcept override { return "rerank-2"; }

 private:
  Task<Reranking> do_rerank(std::string_view, std::span<const std::string> texts, std::size_t, CallContext) override {
    Reranking reranking;
    for (std::size_t i = 0; i < texts.size(); ++i) reranking.texts.push_back(RankedText{i, std::nullopt});
    reranking.usage.total = 40;
    co_return reranking;
  }
};

/// One text a call, a token each. The call for "bad" fails once all others have ended; that for "slow" never ends.
class PaidEmbedder final : public Embedder {
 public:
  explicit PaidEmbedder(std::size_t good) : good_(good) {
    identity_.name = "bge-m3";
    identity_.dimension = 1;
  }

  const EmbedderIdentity& identity() const noexcept override { return identity_; }
  std::size_t max_batch() const noexcept override { return 1; }
  std::size_t max_concurrency() const noexcept override { return 100; }

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole, CallContext) override {
    const bool is_bad = texts.front() == "bad";
    const bool is_slow = texts.front() == "slow";
    while (is_slow || (is_bad && ended_ < good_)) co_await boost::asio::post(boost::asio::use_awaitable);
    if (is_bad) throw Error(Errc::rejected, "no");
    ++ended_;
    EmbeddedBatch batch(std::vector<float>(1, 1.0F));
    batch.usage.input = 1;
    co_return batch;
  }

  EmbedderIdentity identity_;
  const std::size_t good_;
  std::size_t ended_ = 0;
};

class UsageMeterTest : public ::testing::Test {
 protected:
  void answer_with(std::uint64_t input, std::uint64_t output) {
    ChatScript script;
    model.add(script.piece("因为空气散射蓝光。").usage(input, output));
  }

  Runtime runtime;
  ScriptedChatModel model{"qwen-max"};
};

// TK-1
TEST(Usage, TellsWhereItsCountsAreFrom) {
  Usage usage;
  EXPECT_EQ(usage.source(), UsageSource::missing);
  usage.output = 0;
  EXPECT_EQ(usage.source(), UsageSource::provider) << "absent is not 0";
  usage.estimated = true;
  EXPECT_EQ(usage.source(), UsageSource::estimated);
  Metadata attributes;
  set_usage(attributes, usage);
  EXPECT_EQ(usage_of(attributes), usage);
}

// TK-1
TEST(Usage, SumsWhatIsKnownAndSaysWhetherThatIsAll) {
  Usage told;
  told.input = 5;
  told.total = 5;
  EXPECT_FALSE((told + told).partial);
  EXPECT_EQ((told + told).input, 10u);
  EXPECT_TRUE((told + Usage()).partial);
  EXPECT_EQ((Usage() + told).input, 5u);
  Usage cached;
  cached.input = 0;
  EXPECT_FALSE((told + cached).partial) << "what a cache gave is known to be free";
  told.cache_read = 3;
  Usage plain;
  plain.input = plain.total = 1;
  EXPECT_FALSE((told + plain).partial) << "servers leave details out that are 0";
  Metadata attributes;
  set_usage(attributes, told + Usage());
  EXPECT_TRUE(usage_of(attributes).partial);
}

// TK-4
TEST(Prices, AreFoundByTheExactNameThenByAlias) {
  const auto table = prices();
  EXPECT_EQ(table->find("qwen-max")->output, 10);
  EXPECT_EQ(table->find("endpoint-7"), table->find("qwen-max"));
  EXPECT_EQ(table->find("qwen-max-2025"), nullptr);
  EXPECT_EQ(table->find("qwen"), nullptr);
}

// TK-4
TEST(Prices, CountCachedInputAndReasoningOnce) {
  Usage usage;
  usage.input = 1'000'000;
  usage.cache_read = 400'000;
  usage.cache_write = 100'000;
  usage.output = 200'000;
  usage.reasoning = 150'000;
  const Price price = *prices()->find("qwen-max");
  EXPECT_DOUBLE_EQ(cost_of(usage, price).value(), 0.5 * 2 + 0.4 * 0.5 + 0.1 * 4 + 0.2 * 10);
  usage.output.reset();
  EXPECT_FALSE(cost_of(usage, price).has_value()) << "unknown is not free";
}

TEST(Prices, RefuseWhatIsWrong) {
  for (const char* bad : {"", "[]", "{}", R"({"models": {"m": {"output": 1}}})", R"({"models": {"m": {"input": "1"}}})",
                          R"({"models": {"m": {"input": 1, "ouput": 2}}})", R"({"models": {}, "alias": {}})"})
    EXPECT_EQ(test::error_of([&] { parse_prices(bad); }).errc(), Errc::parse_error) << bad;
  EXPECT_EQ(test::error_of([] { parse_prices(R"({"models": {"m": {"input": -1}}})"); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(test::error_of([] { parse_prices(R"({"models": {}, "aliases": {"a": "m"}})"); }).errc(), Errc::not_found);
}

// TK-5: chat, embedding and rerank all count, by model and operation.
TEST_F(UsageMeterTest, CountsChatEmbeddingAndRerank) {
  UsageMeterOptions options;
  options.prices = prices();
  const UsageMeter meter(CallContext(), options);
  answer_with(100, 20);
  runtime.run(model.chat(question(), meter.context()));
  runtime.run(model.chat(question("Why is the sky blue?"), meter.context()));
  CountingEmbedder embedder("bge-m3");
  runtime.run(embedder.embed({"天空", "sky"}, EmbedRole::query, meter.context()));
  PaidReranker reranker;
  runtime.run(reranker.rerank("q", {"a", "b"}, 2, meter.context()));

  const UsageReport report = meter.report();
  ASSERT_EQ(report.rows.size(), 3u);
  const UsageRow& chat = report.rows[0];
  EXPECT_EQ(chat.model, "qwen-max");
  EXPECT_EQ(chat.requests, 2u);
  EXPECT_EQ(chat.input, 200u);
  EXPECT_EQ(chat.output, 40u);
  EXPECT_EQ(chat.reported, 2u);
  EXPECT_DOUBLE_EQ(chat.cost.value(), (200 * 2 + 40 * 10) / 1e6);
  EXPECT_EQ(chat.currency, "CNY");
  const UsageRow& embed = report.rows[1];
  EXPECT_EQ(embed.operation, EventKind::embed);
  EXPECT_EQ(embed.missing, 1u) << "this embedder reports nothing";
  EXPECT_FALSE(embed.cost.has_value());
  const UsageRow& rerank = report.rows[2];
  EXPECT_EQ(rerank.model, "rerank-2");
  EXPECT_EQ(rerank.input, 40u) << "some servers report the total only";
  EXPECT_NE(report.text().find("chat qwen-max: 2 requests; 200 tokens in, 40 out"), std::string::npos) << report.text();
}

// TK-4, TK-5
TEST_F(UsageMeterTest, WhatCostsNothingLeavesTheTotalsKnown) {
  UsageMeterOptions options;
  options.prices = prices();
  const UsageMeter meter(CallContext(), options);
  PaidEmbedder paid(2);
  const auto cached = cached_embedder(std::make_shared<CountingEmbedder>("counting"), memory_cache());
  runtime.run(paid.embed({"天空", "sky"}, EmbedRole::document, meter.context()));
  runtime.run(cached->embed({"sky"}, EmbedRole::document));
  runtime.run(cached->embed({"sky"}, EmbedRole::document, meter.context()));
  runtime.run(hashing_embedder(runtime.pool())->embed({"sky"}, EmbedRole::document, meter.context()));
  const UsageRow embed = meter.report().total(EventKind::embed);
  EXPECT_EQ(embed.cache_hits, 1u);
  EXPECT_EQ(embed.requests, 2u);
  EXPECT_DOUBLE_EQ(embed.cost.value_or(-1), 2 / 1e6);

  ChatScript failing;
  model.add(failing.fail(Errc::transient, "busy"));
  answer_with(100, 20);
  EXPECT_THROW(runtime.run(model.chat(question(), meter.context())), Error);
  EXPECT_EQ(meter.report().total(EventKind::chat).cost, 0) << "nothing came of the call";
  ScriptedChatModel unpriced("unknown");
  ChatScript script;
  unpriced.add(script.piece("x").usage(7, 1));
  runtime.run(unpriced.chat(question(), meter.context()));
  EXPECT_FALSE(meter.report().total(EventKind::chat).cost);
}

// TK-4
TEST_F(UsageMeterTest, AModelThatIsReportedUnderAnotherNameCostsWhatWasAskedFor) {
  UsageMeterOptions options;
  options.prices = prices();
  const UsageMeter meter(CallContext(), options);
  RunScope run(meter.context(), EventKind::chat, "qwen-max");
  Metadata reply;
  reply.set("model", "qwen-max-2025-01-25");
  Usage usage;
  usage.input = 100;
  usage.output = 20;
  set_usage(reply, usage);
  run.end(reply);
  const UsageRow row = meter.report().rows.at(0);
  EXPECT_EQ(row.model, "qwen-max-2025-01-25");
  EXPECT_DOUBLE_EQ(row.cost.value_or(-1), (100 * 2 + 20 * 10) / 1e6);
}

// TK-5
TEST_F(UsageMeterTest, NestsAndEndsWithItsScope) {
  const UsageMeter outer;
  answer_with(10, 1);
  {
    const UsageMeter inner(outer.context());
    runtime.run(model.chat(question(), inner.context()));
    EXPECT_EQ(inner.report().total(EventKind::chat).input, 10u);
  }
  runtime.run(model.chat(question(), outer.context()));
  runtime.run(model.chat(question()));
  EXPECT_EQ(outer.report().total(EventKind::chat).input, 20u);
}

// TK-5: a scope that an exception leaves breaks no other.
TEST_F(UsageMeterTest, OuterScopesGoOnAfterAnException) {
  const UsageMeter outer;
  ChatScript script;
  model.add(script.fail(Errc::rejected, "no"));
  try {
    const UsageMeter inner(outer.context());
    runtime.run(model.chat(question(), inner.context()));
    FAIL();
  } catch (const Error&) {
  }
  answer_with(10, 1);
  model.add(ChatScript());
  ScriptedChatModel second("qwen-max");
  ChatScript good;
  second.add(good.piece("x").usage(7, 1));
  runtime.run(second.chat(question(), outer.context()));
  const UsageRow total = outer.report().total(EventKind::chat);
  EXPECT_EQ(total.failures, 1u);
  EXPECT_EQ(total.requests, 1u);
  EXPECT_EQ(total.missing, 0u) << "nothing came of the call that failed";
}

// TK-5: batches that went well before another one failed, or time was up, have been paid for.
TEST_F(UsageMeterTest, AnEmbeddingThatFailsCountsTheBatchesThatDidNot) {
  UsageMeterOptions options;
  options.prices = prices();
  const UsageMeter meter(CallContext(), options);
  PaidEmbedder embedder(3);
  EXPECT_EQ(test::error_of([&] {
              runtime.run(embedder.embed({"a", "bad", "天", "c", "slow"}, EmbedRole::document, meter.context()));
            }).errc(),
            Errc::rejected);
  const UsageRow failed = meter.report().total(EventKind::embed);
  EXPECT_EQ(failed.failures, 1u);
  EXPECT_EQ(failed.requests, 0u);
  EXPECT_EQ(failed.reported, 1u);
  EXPECT_EQ(failed.input, 3u);
  EXPECT_DOUBLE_EQ(failed.cost.value(), 3 / 1e6);

  // Longer and longer, until the other batch ends before its deadline.
  for (std::chrono::milliseconds time(100); meter.report().total(EventKind::embed).input == 3; time *= 4) {
    const CallContext hurried = meter.context().with_timeout(time);
    EXPECT_EQ(test::error_of([&] {
                runtime.run(embedder.embed({"d", "slow"}, EmbedRole::query, hurried));
              }).errc(),
              Errc::timeout);
  }
  EXPECT_EQ(meter.report().total(EventKind::embed).input, 4u);

  const UsageMeter silent;
  CountingEmbedder without_usage;
  without_usage.before = [](std::span<const std::string> texts) {
    if (texts.back() == "bad") throw Error(Errc::rejected, "no");
  };
  std::vector<std::string> texts(without_usage.max_batch());
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = std::to_string(i);
  texts.emplace_back("bad");
  EXPECT_THROW(runtime.run(without_usage.embed(texts, EmbedRole::document, silent.context())), Error);
  EXPECT_EQ(silent.report().total(EventKind::embed).missing, 1u) << "something was used, nobody knows how much";
}

/// Fails after it has used three tokens.
class PaidChatModel final : public ChatModel {
 public:
  const std::string& name() const noexcept override { return name_; }

 private:
  Task<ChatReply> do_chat(const ChatRequest&, ChatPieces&, CallContext) override {
    Usage used;
    used.input = 3;
    std::rethrow_exception(paid(std::make_exception_ptr(Error(Errc::rejected, "no")), used));
    co_return ChatReply();
  }

  std::string name_ = "paid";
};

/// Asks another model, which pays.
class AskingReranker final : public Reranker {
 private:
  Task<Reranking> do_rerank(std::string_view query, std::span<const std::string>, std::size_t,
                            CallContext context) override {
    ChatRequest request;
    request.messages.emplace_back(ChatRole::user, std::string(query));
    co_await model_.chat(request, context);
    co_return Reranking();
  }

  PaidChatModel model_;
};

// TK-5: what a call inside another one has used is counted once, where it was used.
TEST_F(UsageMeterTest, AFailureInsideAnotherCallIsPaidOnce) {
  const UsageMeter meter;
  AskingReranker reranker;
  const std::vector<std::string> texts = {"one"};
  EXPECT_EQ(test::error_of([&] { runtime.run(reranker.rerank("q", texts, 1, meter.context())); }).errc(),
            Errc::rejected);
  EXPECT_EQ(meter.report().total(EventKind::chat).input, 3u);
  EXPECT_EQ(meter.report().total(EventKind::rerank).input, 0u);
  EXPECT_EQ(meter.report().total(EventKind::rerank).failures, 1u);
}

// TK-4
TEST_F(UsageMeterTest, WarnsOnceOfAModelWithoutPriceAndGivesNoCost) {
  std::vector<std::string> lines;
  UsageMeterOptions options;
  options.prices = prices();
  options.log = LogSink([&lines](LogLevel, std::string_view line) { lines.emplace_back(line); });
  const UsageMeter meter(CallContext(), options);
  ScriptedChatModel unknown("qwen-max-latest");
  ChatScript script;
  unknown.add(script.piece("x").usage(5, 1));
  for (int i = 0; i < 3; ++i) runtime.run(unknown.chat(question(), meter.context()));
  EXPECT_EQ(lines.size(), 1u);
  EXPECT_FALSE(meter.report().rows.at(0).cost.has_value());
  EXPECT_EQ(meter.report().rows.at(0).input, 15u);
  // As an Assistant does: a meter for each question, with the same options.
  const UsageMeterOptions copy = options;
  const UsageMeter again(CallContext(), copy);
  runtime.run(unknown.chat(question(), again.context()));
  EXPECT_EQ(lines.size(), 1u);
}

// TK-3
TEST_F(UsageMeterTest, AStreamThatBreaksOffIsMissingOrEstimated) {
  ChatScript script;
  for (int i = 0; i < 2; ++i) {
    ChatScript cut;
    model.add(cut.piece("The sky is blue ").piece("因为空气").fail(Errc::transient, "connection reset"));
  }
  const auto stream_once = [&](const CallContext& context) {
    AsyncStream<std::string> stream(100);
    EXPECT_THROW(runtime.run(model.chat_stream(question(), stream.producer(), context)), Error);
  };
  const UsageMeter plain;
  stream_once(plain.context());
  EXPECT_EQ(plain.report().rows.at(0).missing, 1u);
  UsageMeterOptions options;
  options.estimate = estimated_token_counter();
  const UsageMeter estimating(CallContext(), options);
  stream_once(estimating.context());
  const UsageRow row = estimating.report().rows.at(0);
  EXPECT_EQ(row.missing, 0u);
  EXPECT_EQ(row.estimated, 1u);
  EXPECT_GT(row.input, 0u);
  EXPECT_EQ(row.output, options.estimate->count("The sky is blue ") + options.estimate->count("因为空气"));
}

// TK-3
TEST_F(UsageMeterTest, EstimatesWhereAProviderIsSilent) {
  UsageMeterOptions options;
  options.estimate = estimated_token_counter();
  const UsageMeter meter(CallContext(), options);
  ChatScript silent;
  model.add(silent.piece("因为空气散射蓝光。"));
  const ChatReply reply = runtime.run(model.chat(question(), meter.context()));
  EXPECT_EQ(reply.usage.source(), UsageSource::estimated);
  EXPECT_EQ(reply.usage.output, estimated_token_counter()->count("因为空气散射蓝光。"));
  CountingEmbedder embedder;
  runtime.run(embedder.embed({"天空", "天空", "sky"}, EmbedRole::document, meter.context()));
  EXPECT_EQ(meter.report().total(EventKind::embed).input,
            estimated_token_counter()->count("天空") + estimated_token_counter()->count("sky"));
}

// TK-2: the reply's usage is the model's last word; running totals in pieces are never summed.
TEST_F(UsageMeterTest, AStreamCountsOnce) {
  ChatScript script;
  for (int i = 0; i < 50; ++i) script.piece("word ");
  model.add(script.usage(30, 50));
  const UsageMeter meter;
  AsyncStream<std::string> stream(100);
  runtime.run(model.chat_stream(question(), stream.producer(), meter.context()));
  EXPECT_EQ(meter.report().rows.at(0).output, 50u);
  EXPECT_EQ(meter.report().rows.at(0).requests, 1u);
}

// TK-5
TEST_F(UsageMeterTest, CountsEveryCallOfManyThreads) {
  answer_with(3, 2);
  const UsageMeter meter;
  std::vector<std::future<ChatReply>> replies;
  for (int i = 0; i < 500; ++i)
    replies.push_back(runtime.spawn(model.chat(question(), meter.context()), boost::asio::use_future));
  boost::asio::thread_pool threads(3);
  Runtime other(threads.get_executor());
  for (int i = 0; i < 500; ++i)
    replies.push_back(other.spawn(model.chat(question(), meter.context()), boost::asio::use_future));
  for (auto& reply : replies) reply.get();
  threads.join();
  EXPECT_EQ(meter.report().rows.at(0).requests, 1000u);
  EXPECT_EQ(meter.report().rows.at(0).input, 3000u);
}

}  // namespace
}  // namespace ragstone
