#include "model/remote/embeddings_wire.hpp"
#include "model/remote/model_server_core.hpp"
#include "support/http/model_servers.hpp"
#include "support/rounds.hpp"
#include "unit/model/remote/remote_bed.hpp"
#include <ragstone/model/usage_meter.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::json;
using test::base64;
using test::error_of;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;

/// What the server of these tests makes of a text: its length, and half of it.
std::vector<float> vector_of(const std::string& text) {
  return {static_cast<float>(text.size()), static_cast<float>(text.size()) / 2};
}

ServerReply embedded(const ServerRequest& request, bool shuffled = true) {
  const json body = json::parse(request.body);
  json data = json::array();
  std::size_t index = 0;
  for (const auto& text : body["input"]) {
    const auto row = vector_of(text.get<std::string>());
    json item;
    item["index"] = index++;
    if (body["encoding_format"] == "base64") {
      item["embedding"] = base64(row);
    } else {
      item["embedding"] = row;
    }
    data.push_back(std::move(item));
  }
  if (shuffled) std::shuffle(data.begin(), data.end(), std::mt19937(static_cast<unsigned>(request.number)));
  json reply;
  reply["data"] = std::move(data);
  reply["usage"]["prompt_tokens"] = index;
  reply["usage"]["total_tokens"] = index;
  return ServerReply::text(200, reply.dump());
}

std::vector<std::string> texts(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 1; i <= count; ++i) all.push_back(std::string(i, 'x'));
  return all;
}

void expect_right(const Embeddings& embeddings, std::size_t count) {
  ASSERT_EQ(embeddings.size(), count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(embeddings.row(i)[0], static_cast<float>(i + 1));
}

// HT-4, N9: rows come in any order, as arrays and as base64.
TEST(RemoteEmbedder, PutsRowsInTheOrderOfTheTexts) {
  for (const char* profile : {"openai", "ollama", "dashscope", "tei"}) {
    RemoteBed bed([](const ServerRequest& request) { return embedded(request); }, profile);
    const auto observer = std::make_shared<test::RecordingObserver>();
    CallContext context;
    context = context.with_observer(observer);
    const auto embeddings = bed.runtime.run(bed.embedder(2)->embed(texts(25), EmbedRole::document, context));
    expect_right(embeddings, 25);
    EXPECT_EQ(embeddings.usage.input, 25u) << profile;
    EXPECT_EQ(*observer->events().back().attributes().find("input_tokens"), Scalar(std::int64_t{25}));
  }
}

// HT-4
TEST(RemoteEmbedder, APoolingRouteCallsItsVectorsData) {
  RemoteBed bed(
      [](const ServerRequest& request) {
        EXPECT_EQ(request.target, "/v1/pooling");
        return ServerReply::text(200, R"({"data":[{"index":0,"object":"pooling","data":[3,4]}]})");
      },
      "lmdeploy");
  EXPECT_EQ(bed.runtime.run(bed.embedder(2)->embed(texts(1), EmbedRole::query)).values, (std::vector<float>{3, 4}));
}

// HT-1: ten texts a request is what DashScope takes.
TEST(RemoteEmbedder, BatchesByTheCountThatTheProfileGives) {
  RemoteBed bed([](const ServerRequest& request) { return embedded(request); }, "dashscope");
  bed.runtime.run(bed.embedder(2)->embed(texts(25), EmbedRole::document));
  EXPECT_EQ(bed.server.requests(), 3u);
}

// HT-2
TEST(RemoteEmbedder, BatchesByTokensAndBytes) {
  std::atomic<std::size_t> largest = 0;
  RemoteBed bed([&](const ServerRequest& request) {
    largest = std::max<std::size_t>(largest, request.body.size());
    return embedded(request);
  });
  bed.options.profile.max_request_bytes = 1'000;
  std::vector<std::string> long_texts;
  for (char c = 'a'; c < 'k'; ++c) long_texts.push_back(std::string(400, c));
  bed.runtime.run(bed.embedder(2)->embed(long_texts, EmbedRole::document));
  EXPECT_EQ(bed.server.requests(), 5u);
  EXPECT_LE(largest, 1'100u);
  bed.options.profile.max_request_bytes = 0;
  bed.options.profile.max_request_tokens = 300;
  bed.runtime.run(bed.embedder(2)->embed(long_texts, EmbedRole::document));
  EXPECT_EQ(bed.server.requests(), 10u);
}

// HT-2: a request of all these texts would keep later ones waiting for minutes.
TEST(RemoteEmbedder, ARequestTakesATenthOfTheTokensOfAMinuteAtMost) {
  RemoteBed bed([](const ServerRequest& request) { return embedded(request); });
  bed.options.limits.tokens_per_minute = 1e6;
  std::vector<std::string> long_texts;
  for (char c = 'a'; c < 'k'; ++c) long_texts.push_back(std::string(100'000, c));
  EXPECT_EQ(detail::batch_size(bed.model_server().core()->profile(), 100, 0, "", long_texts), 2u);
  bed.options.profile.max_request_tokens = 50'000;
  EXPECT_EQ(detail::batch_size(bed.model_server().core()->profile(), 100, 0, "", long_texts), 1u);
}

// HT-2
TEST(RemoteEmbedder, HalvesOnceWhatIsTooLarge) {
  const char* coded = R"({"error":{"message":"too large","code":"max_tokens_per_request"}})";
  for (const auto& [status, body] : {std::pair(413, "too large"), std::pair(422, "too large"), std::pair(400, coded)}) {
    std::size_t most = 8;
    RemoteBed bed([&, status = status, body = body](const ServerRequest& request) {
      return json::parse(request.body)["input"].size() > most ? ServerReply::text(status, body) : embedded(request);
    });
    const auto embeddings = bed.runtime.run(bed.embedder(2)->embed(texts(15), EmbedRole::document));
    expect_right(embeddings, 15);
    EXPECT_EQ(embeddings.usage.input, 15u);
    EXPECT_EQ(bed.server.requests(), 3u);
    most = 3;
    EXPECT_EQ(error_of([&] { bed.runtime.run(bed.embedder(2)->embed(texts(15), EmbedRole::document)); }).errc(),
              status == 413 ? Errc::limit_exceeded : Errc::rejected);
  }
}

// TK-5: requests of a batch that went well before another one failed have been paid for.
TEST(RemoteEmbedder, ABatchThatFailsCountsItsRequestsThatDidNot) {
  int bad = 3;
  RemoteBed bed([&](const ServerRequest& request) {
    const auto input = json::parse(request.body)["input"];
    if (input.size() > 2) return ServerReply::text(413, "too large");
    return input[0].get<std::string>().size() == static_cast<std::size_t>(bad) ? ServerReply::text(400, "no")
                                                                               : embedded(request);
  });
  bed.options.profile.max_request_tokens = 6;  // four texts to a request, the server takes two
  const UsageMeter meter;
  RemoteEmbedderOptions one;
  one.max_concurrency = 1;
  const auto embedder = bed.embedder(2, one);
  EXPECT_EQ(error_of([&] { bed.runtime.run(embedder->embed(texts(6), EmbedRole::document, meter.context())); }).errc(),
            Errc::rejected);
  UsageRow total = meter.report().total(EventKind::embed);
  EXPECT_EQ(total.failures, 1u);
  EXPECT_EQ(total.input, 2u);
  bad = 5;
  EXPECT_THROW(bed.runtime.run(embedder->embed(texts(6), EmbedRole::document, meter.context())), Error);
  total = meter.report().total(EventKind::embed);
  EXPECT_EQ(total.failures, 2u);
  EXPECT_EQ(total.input, 6u);
}

// N9
TEST(RemoteEmbedder, RefusesWhatCannotBeTheVectors) {
  std::string body;
  RemoteBed bed([&](const ServerRequest&) { return ServerReply::text(200, body); });
  bed.options.retry.max_retries = 0;
  bed.options.retry.breaker_failures = 0;
  const auto embedder = bed.embedder(2);
  const std::vector<std::pair<const char*, Errc>> bad = {
      {R"({"data":[{"index":0,"embedding":[1,2]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,2]},{"index":2,"embedding":[1,2]}]})",
       Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":0,"embedding":[1,2]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":-1,"embedding":[1,2]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,2,3]}]})", Errc::dimension_mismatch},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[]}]})", Errc::dimension_mismatch},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[0,0]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1e39,0]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1e400,0]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[NaN,0]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[NaN,)", Errc::transient},
      {"<html>Bad gateway</html>", Errc::transient},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":["1",0]}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":null}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"AACAPw=="}]})", Errc::dimension_mismatch},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"AADAfwAAgD8="}]})", Errc::rejected},
      {R"({"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":"!!"}]})", Errc::rejected},
      {R"({"data":null})", Errc::rejected},
      {R"({"error":"out of memory","error_type":"Backend"})", Errc::rejected},
      {"", Errc::transient},
  };
  for (const auto& [reply, code] : bad) {
    body = reply;
    EXPECT_EQ(error_of([&] { bed.runtime.run(embedder->embed(texts(2), EmbedRole::document)); }).errc(), code) << reply;
  }
}

TEST(RemoteEmbedder, RefusesEmptyTextsAndServersWithoutEmbeddings) {
  RemoteBed bed([](const ServerRequest& request) { return embedded(request); });
  const std::vector<std::string> with_empty = {"a", ""};
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.embedder(2)->embed(with_empty, EmbedRole::query)); }).errc(),
            Errc::invalid_argument);
  bed.options.profile = provider_profile("deepseek");
  EXPECT_EQ(error_of([&] { bed.embedder(2); }).errc(), Errc::unsupported);
}

TEST(RemoteEmbedder, PrefixesAndDimensionsGoAlong) {
  json sent;
  RemoteBed bed([&](const ServerRequest& request) {
    sent = json::parse(request.body);
    return embedded(request);
  });
  RemoteEmbedderOptions options;
  options.query_prefix = "query: ";
  bed.runtime.run(bed.embedder(2, options)->embed(texts(1), EmbedRole::query));
  EXPECT_EQ(sent["input"][0], "query: x");
  EXPECT_EQ(sent["dimensions"], 2);
  EXPECT_EQ(bed.runtime.run(probe_dimension(bed.model_server(), "some-model")), 2u);
  EXPECT_FALSE(sent.contains("dimensions"));
}

// CA-1, IX-4
TEST(RemoteEmbedder, OtherPrefixesAreAnotherIdentity) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(500, ""); });
  RemoteEmbedderOptions options;
  options.query_prefix = "query: ";
  options.document_prefix = "passage: ";
  const std::string first = bed.embedder(2, options)->identity().signature();
  options.document_prefix = "段落: ";
  const std::string second = bed.embedder(2, options)->identity().signature();
  options.query_prefix.clear();
  const std::string third = bed.embedder(2, options)->identity().signature();
  const std::set<std::string> signatures = {first, second, third, bed.embedder(2)->identity().signature()};
  EXPECT_EQ(signatures.size(), 4u);
}

// BT-1: batches overtake each other, and some fail at once, others after a while.
TEST(RemoteEmbedder, LosesNoTextUnderRandomFailuresAndDelays) {
  std::mt19937 random(1);
  RemoteBed bed([&](const ServerRequest& request) {
    ServerReply reply;
    reply.pause(std::chrono::milliseconds(random() % 6));
    switch (random() % 6) {
      case 0:
        return reply.then(ServerReply::text(random() % 2 == 0 ? 429 : 503, "busy"));
      case 1:
        return reply.close();
      default:
        return reply.then(embedded(request));
    }
  });
  bed.options.retry.max_retries = 20;
  bed.options.retry.budget_ratio = 10;
  bed.options.retry.breaker_failures = 0;
  RemoteEmbedderOptions options;
  options.max_batch = 7;
  const auto embedder = bed.embedder(2, options);
  for (std::size_t round = 0; round < test::rounds(3); ++round)
    expect_right(bed.runtime.run(embedder->embed(texts(200), EmbedRole::document)), 200);
}

// HT-2: a limit of bytes is one of the request as it is sent, with prefixes and escapes.
TEST(RemoteEmbedder, BatchesByTheBytesThatAreSent) {
  std::size_t largest = 0;
  RemoteBed bed([&](const ServerRequest& request) {
    largest = std::max(largest, request.body.size());
    return embedded(request);
  });
  bed.options.profile.max_request_bytes = 2'000;
  RemoteEmbedderOptions options;
  options.document_prefix = "为这段文字生成表示：\n";
  for (const std::string piece : {"\"\n\\", "\x01", "中文", "\xFF", "plain"}) {
    std::vector<std::string> long_texts;
    for (std::size_t i = 0; i < 20; ++i) {
      long_texts.push_back(std::to_string(i));
      while (long_texts.back().size() < 200) long_texts.back() += piece;
    }
    largest = 0;
    const std::size_t before = bed.server.requests();
    bed.runtime.run(bed.embedder(2, options)->embed(long_texts, EmbedRole::document));
    EXPECT_LE(largest, 2'000u) << piece;
    EXPECT_GT(largest, 1'000u) << "requests are filled: " << piece;
    EXPECT_LE(bed.server.requests() - before, 20u);
  }
}

// TK-1, TK-5: what is known of a call counts, and says that it is not all.
TEST(RemoteEmbedder, ARequestWithoutUsageLeavesTheOthersCounted) {
  RemoteBed bed(
      [](const ServerRequest& request) {
        if (json::parse(request.body)["input"].size() == 10) return embedded(request);
        json reply;
        reply["data"] = json::array();
        for (int i = 0; i < 5; ++i) reply["data"].push_back({{"embedding", {i + 21, 1}}});
        return ServerReply::text(200, reply.dump());
      },
      "dashscope");
  UsageMeter meter;
  const Embeddings embeddings =
      bed.runtime.run(bed.embedder(2)->embed(texts(25), EmbedRole::document, meter.context()));
  EXPECT_EQ(embeddings.usage.input, 20u);
  EXPECT_TRUE(embeddings.usage.partial);
  const UsageRow row = meter.report().total(EventKind::embed);
  EXPECT_EQ(row.input, 20u);
  EXPECT_EQ(row.partial, 1u);
  EXPECT_EQ(row.missing, 0u);
  EXPECT_NE(meter.report().text().find("counts of a part"), std::string::npos);

  UsageMeterOptions estimating;
  estimating.estimate = estimated_token_counter();
  const UsageMeter whole(CallContext(), estimating);
  const Embeddings all = bed.runtime.run(bed.embedder(2)->embed(texts(25), EmbedRole::document, whole.context()));
  EXPECT_GT(all.usage.input, 20u);
  EXPECT_TRUE(all.usage.estimated);
  EXPECT_FALSE(all.usage.partial);
}

TEST(RemoteEmbedder, TheDimensionIsLeftOutForModelsThatRefuseIt) {
  json sent;
  RemoteBed bed([&](const ServerRequest& request) {
    sent = json::parse(request.body);
    return embedded(request);
  });
  RemoteEmbedderOptions options;
  bed.runtime.run(bed.embedder(2, options)->embed(texts(1), EmbedRole::query));
  EXPECT_EQ(sent["dimensions"], 2);
  options.send_dimensions = false;
  bed.runtime.run(bed.embedder(2, options)->embed(texts(1), EmbedRole::query));
  EXPECT_FALSE(sent.contains("dimensions"));
}

// AS-1, HT-4: requests and replies that are large enough to be written and read on the pool.
TEST(RemoteEmbedder, LargeBatchesComeInOrderToo) {
  for (const char* profile : {"openai", "ollama"}) {
    RemoteBed bed([](const ServerRequest& request) { return embedded(request); }, profile);
    bed.options.profile.max_batch = 2'000;
    std::vector<std::string> many;
    for (std::size_t i = 1; i <= 900; ++i) many.push_back(std::string(i, 'x'));
    expect_right(bed.runtime.run(bed.embedder(2)->embed(many, EmbedRole::document)), 900);
    EXPECT_EQ(bed.server.requests(), 1u);
  }
  RemoteBed broken([](const ServerRequest&) { return ServerReply::text(200, "{" + std::string(200'000, ' ') + "}"); });
  EXPECT_EQ(error_of([&] { broken.runtime.run(broken.embedder(2)->embed(texts(1), EmbedRole::query)); }).errc(),
            Errc::rejected);
}

}  // namespace
}  // namespace ragstone
