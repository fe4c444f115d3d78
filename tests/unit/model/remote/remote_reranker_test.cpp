#include "unit/model/remote/remote_bed.hpp"
#include <ragstone/model/usage_meter.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::json;
using test::error_of;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;

const std::vector<std::string> kTexts = {"bb", "a", "dddd", "ccc"};

/// Scores texts by their length.
ServerReply ranked(RerankDialect dialect, const json& body) {
  json results = json::array();
  const json& texts = dialect == RerankDialect::tei          ? body["texts"]
                      : dialect == RerankDialect::vllm_score ? body["text_2"]
                      : dialect == RerankDialect::dashscope  ? body["input"]["documents"]
                                                             : body["documents"];
  const bool plain = dialect == RerankDialect::tei || dialect == RerankDialect::vllm_score;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    json item;
    item["index"] = i;
    item[plain ? "score" : "relevance_score"] = texts[i].get<std::string>().size();
    results.push_back(std::move(item));
  }
  json reply;
  switch (dialect) {
    case RerankDialect::tei:
      reply = std::move(results);
      break;
    case RerankDialect::vllm_score:
      reply["data"] = std::move(results);
      break;
    case RerankDialect::dashscope:
      reply["output"]["results"] = std::move(results);
      reply["usage"]["total_tokens"] = 11;
      break;
    default:
      reply["results"] = std::move(results);
      reply["usage"]["total_tokens"] = 11;
  }
  return ServerReply::text(200, reply.dump());
}

// HT-1, HT-4
TEST(RemoteReranker, SpeaksEachDialect) {
  for (const auto dialect :
       {RerankDialect::jina, RerankDialect::vllm_score, RerankDialect::tei, RerankDialect::dashscope}) {
    RemoteBed bed([&](const ServerRequest& request) {
      EXPECT_EQ(request.target, "/v1/rerank");
      return ranked(dialect, json::parse(request.body));
    });
    bed.options.profile.rerank = dialect;
    const auto observer = std::make_shared<test::RecordingObserver>();
    CallContext context;
    context = context.with_observer(observer);
    const auto best = bed.runtime.run(bed.reranker()->rerank("问题", kTexts, 3, context));
    ASSERT_EQ(best.size(), 3u);
    EXPECT_EQ(best[0].index, 2u);
    EXPECT_EQ(best[1].index, 3u);
    EXPECT_EQ(best[2].index, 0u);
    EXPECT_EQ(best[0].score, 4.0);
    if (dialect == RerankDialect::jina) {
      EXPECT_EQ(*observer->events().back().attributes().find("total_tokens"), Scalar(std::int64_t{11}));
    }
  }
}

TEST(RemoteReranker, AsksInPartsWhereTheServerTakesNoMore) {
  RemoteBed bed([](const ServerRequest& request) { return ranked(RerankDialect::tei, json::parse(request.body)); },
                "tei");
  bed.options.profile.max_documents = 3;
  const auto best = bed.runtime.run(bed.reranker()->rerank("q", kTexts, 2));
  EXPECT_EQ(bed.server.requests(), 2u);
  EXPECT_EQ(best[0].index, 2u);
  EXPECT_EQ(best[1].index, 3u);
}

// TK-5
TEST(RemoteReranker, ACallThatFailsCountsTheRequestsThatDidNot) {
  RemoteBed bed([](const ServerRequest& request) {
    return request.number == 3 ? ServerReply::text(400, "no") : ranked(RerankDialect::jina, json::parse(request.body));
  });
  bed.options.profile.rerank = RerankDialect::jina;
  bed.options.profile.max_documents = 1;
  const UsageMeter meter;
  RemoteRerankerOptions one;
  one.max_concurrency = 1;
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.reranker(one)->rerank("q", kTexts, 2, meter.context())); }).errc(),
            Errc::rejected);
  EXPECT_EQ(meter.report().total(EventKind::rerank).failures, 1u);
  EXPECT_EQ(meter.report().total(EventKind::rerank).input, 22u);
}

// N8, N9
TEST(RemoteReranker, RefusesWhatCannotBeARanking) {
  std::string body;
  RemoteBed bed([&](const ServerRequest&) { return ServerReply::text(200, body); }, "vllm");
  bed.options.retry.max_retries = 0;
  const auto reranker = bed.reranker();
  for (const char* bad :
       {"{}", "[]", R"({"results":null})", R"({"results":[{"index":9,"relevance_score":1}]})",
        R"({"results":[{"index":-1,"relevance_score":1}]})", R"({"results":[{"index":0}]})",
        R"({"results":[{"relevance_score":1}]})", R"({"results":[{"index":0,"relevance_score":"1"}]})",
        R"({"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":2}]})",
        R"({"error":{"message":"x"}})"}) {
    body = bad;
    EXPECT_EQ(error_of([&] { bed.runtime.run(reranker->rerank("q", kTexts, 2)); }).errc(), Errc::rejected) << bad;
  }
}

// N8, N9
TEST(RemoteReranker, RefusesARankingThatLeavesTextsOut) {
  struct Row {
    RerankDialect dialect;
    const char* body;
    std::size_t least;
  };
  const std::vector<Row> rows = {
      {RerankDialect::jina, R"({"results":[{"index":0,"relevance_score":1},{"index":2,"relevance_score":2}]})", 3},
      {RerankDialect::jina, R"({"results":[]})", 1},
      {RerankDialect::dashscope, R"({"output":{"results":[{"index":0,"relevance_score":1}]}})", 2},
      {RerankDialect::tei, R"([{"index":0,"score":1},{"index":1,"score":1},{"index":2,"score":1}])", 1},
      {RerankDialect::vllm_score, R"({"data":[{"index":0,"score":1},{"index":1,"score":1}]})", 1},
  };
  for (const Row& row : rows) {
    RemoteBed bed([&](const ServerRequest&) { return ServerReply::text(200, row.body); });
    bed.options.profile.rerank = row.dialect;
    const Error error = error_of([&] { bed.runtime.run(bed.reranker()->rerank("问题", kTexts, row.least)); });
    EXPECT_EQ(error.errc(), Errc::rejected) << row.body;
    EXPECT_NE(std::string(error.what()).find("the reply ranks"), std::string::npos) << error.what();
  }
}

TEST(RemoteReranker, AServerWithoutRerankingIsRefused) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply(); }, "openai");
  EXPECT_EQ(error_of([&] { bed.reranker(); }).errc(), Errc::unsupported);
}

TEST(RemoteReranker, ThePartsOfACallAreAskedForAtOnce) {
  RemoteBed bed(
      [](const ServerRequest& request) {
        ServerReply late;
        return late.pause(std::chrono::milliseconds(50)).then(ranked(RerankDialect::tei, json::parse(request.body)));
      },
      "tei");
  bed.options.profile.max_documents = 1;
  const auto best = bed.runtime.run(bed.reranker()->rerank("q", kTexts, 2));
  EXPECT_EQ(bed.server.connections(), 4u);
  EXPECT_EQ(best[0].index, 2u);
  EXPECT_EQ(best[1].index, 3u);
  RemoteRerankerOptions one;
  one.max_concurrency = 1;
  RemoteBed serial([](const ServerRequest& request) { return ranked(RerankDialect::tei, json::parse(request.body)); },
                   "tei");
  serial.options.profile.max_documents = 1;
  serial.runtime.run(serial.reranker(one)->rerank("q", kTexts, 2));
  EXPECT_EQ(serial.server.connections(), 1u);
}

// TK-1, TK-5
TEST(RemoteReranker, ARequestWithoutUsageLeavesTheOthersCounted) {
  RemoteBed bed([](const ServerRequest& request) {
    return request.number == 2 ? ServerReply::text(200, R"({"results":[{"index":0,"relevance_score":1}]})")
                               : ranked(RerankDialect::jina, json::parse(request.body));
  });
  bed.options.profile.rerank = RerankDialect::jina;
  bed.options.profile.max_documents = 1;
  const auto observer = std::make_shared<test::RecordingObserver>();
  bed.runtime.run(bed.reranker()->rerank("问题", kTexts, 4, CallContext().with_observer(observer)));
  const Usage usage = usage_of(observer->events().back().attributes());
  EXPECT_EQ(usage.total, 33u);
  EXPECT_TRUE(usage.partial);
}

// HT-2
TEST(RemoteReranker, RequestsStayWithinTheServersBytes) {
  std::size_t largest = 0;
  RemoteBed bed(
      [&](const ServerRequest& request) {
        largest = std::max(largest, request.body.size());
        return ranked(RerankDialect::tei, json::parse(request.body));
      },
      "tei");
  bed.options.profile.max_request_bytes = 1'000;
  const std::vector<std::string> texts(10, std::string(100, '"') + std::string(30, '\n'));
  EXPECT_EQ(bed.runtime.run(bed.reranker()->rerank("\"问题\"", texts, 10)).size(), 10u);
  EXPECT_LE(largest, 1'000u);
}

}  // namespace
}  // namespace ragstone
