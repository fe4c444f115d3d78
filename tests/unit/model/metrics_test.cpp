#include "support/scripted_chat_model.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/metrics.hpp>

#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::json;
using test::ChatScript;
using test::ScriptedChatModel;

class MetricsTest : public ::testing::Test {
 protected:
  /// The only one with that name and that value of an attribute.
  Histogram find(const std::string& name, const std::string& key, const std::string& value) const {
    std::vector<Histogram> found;
    for (const Histogram& histogram : metrics.histograms()) {
      const auto attribute = histogram.attributes.find(key);
      if (histogram.name == name && attribute != histogram.attributes.end() && attribute->second == value)
        found.push_back(histogram);
    }
    EXPECT_EQ(found.size(), 1u) << name << ' ' << value;
    return found.empty() ? Histogram() : found.front();
  }
  static ChatRequest question() {
    ChatRequest request;
    request.messages.emplace_back(ChatRole::user, "天空为什么是蓝的?");
    return request;
  }

  Runtime runtime;
  Metrics metrics;
  CallContext context = CallContext().with_observer(metrics.observer());
};

TEST_F(MetricsTest, AStreamedChatHasItsDurationsAndTokens) {
  ScriptedChatModel model("qwen-max");
  for (int i = 0; i < 3; ++i) {
    ChatScript script;
    model.add(script.piece("因为").piece("散射").piece("。").usage(17, 4));
  }
  for (int i = 0; i < 3; ++i) {
    AsyncStream<std::string> stream(10);
    runtime.run(model.chat_stream(question(), stream.producer(), context));
  }
  const Histogram time = find("gen_ai.client.operation.duration", "gen_ai.request.model", "qwen-max");
  EXPECT_EQ(time.unit, "s");
  EXPECT_EQ(time.count, 3u);
  EXPECT_EQ(time.attributes.at("gen_ai.operation.name"), "chat");
  EXPECT_EQ(time.attributes.count("error.type"), 0u);
  EXPECT_EQ(time.bounds.size(), 14u);
  EXPECT_DOUBLE_EQ(time.bounds.front(), 0.01);
  EXPECT_DOUBLE_EQ(time.bounds.back(), 81.92);
  EXPECT_EQ(std::accumulate(time.buckets.begin(), time.buckets.end(), std::uint64_t{0}), 3u);
  EXPECT_EQ(find("gen_ai.client.operation.time_to_first_chunk", "gen_ai.operation.name", "chat").count, 3u);
  EXPECT_EQ(find("gen_ai.client.operation.time_per_output_chunk", "gen_ai.operation.name", "chat").count, 6u);
  const Histogram input = find("gen_ai.client.token.usage", "gen_ai.token.type", "input");
  EXPECT_EQ(input.unit, "{token}");
  EXPECT_EQ(input.sum, 51);
  EXPECT_EQ(input.bounds[2], 16);
  EXPECT_EQ(input.buckets[3], 3u) << "above 16, at most 64";
  EXPECT_EQ(find("gen_ai.client.token.usage", "gen_ai.token.type", "output").sum, 12);
}

TEST_F(MetricsTest, AFailureAndACancellationAreToldApart) {
  ScriptedChatModel model("m");
  ChatScript script;
  model.add(script.fail(Errc::rejected, "no such model"));
  EXPECT_THROW(runtime.run(model.chat(question(), context)), Error);
  { RunScope abandoned(context, EventKind::retrieve, "MediumChunk"); }
  EXPECT_EQ(find("gen_ai.client.operation.duration", "error.type", "rejected").count, 1u);
  EXPECT_EQ(find("gen_ai.client.operation.duration", "error.type", "cancelled").count, 1u);
}

TEST_F(MetricsTest, EachKindOfRunHasItsHistogram) {
  test::CountingEmbedder embedder("bge-m3");
  runtime.run(embedder.embed({"天空", "sky"}, EmbedRole::document, context));
  RunScope(context, EventKind::store_read, "sqlite").end();
  RunScope(context, EventKind::rerank, "bge-reranker").end();
  EXPECT_EQ(find("gen_ai.client.operation.duration", "gen_ai.operation.name", "embeddings").count, 1u);
  const Histogram read = find("db.client.operation.duration", "db.system.name", "sqlite");
  EXPECT_EQ(read.attributes.at("db.operation.name"), "search");
  EXPECT_EQ(read.bounds.front(), 0.001);
  EXPECT_EQ(find("ragstone.operation.duration", "ragstone.operation.name", "rerank").count, 1u);
}

TEST_F(MetricsTest, TokensThatNobodyCountedAreNotMeasured) {
  ScriptedChatModel model("m");
  ChatScript script;
  model.add(script.piece("ok"));
  runtime.run(model.chat(question(), context));
  for (const Histogram& histogram : metrics.histograms()) EXPECT_NE(histogram.name, "gen_ai.client.token.usage");
}

TEST_F(MetricsTest, AreWrittenAsACollectorTakesThem) {
  ScriptedChatModel model("m");
  ChatScript script;
  model.add(script.piece("ok").usage(5, 1));
  runtime.run(model.chat(question(), context));
  const json request = json::parse(metrics.otlp_json("手册"));
  const json& resource = request["resourceMetrics"][0];
  EXPECT_EQ(resource["resource"]["attributes"][0]["value"]["stringValue"], "手册");
  const json& all = resource["scopeMetrics"][0]["metrics"];
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["name"], "gen_ai.client.operation.duration");
  EXPECT_EQ(all[1]["name"], "gen_ai.client.token.usage");
  EXPECT_EQ(all[1]["histogram"]["dataPoints"].size(), 2u) << "input and output";
  const json& point = all[0]["histogram"]["dataPoints"][0];
  EXPECT_EQ(point["count"], "1");
  EXPECT_EQ(point["bucketCounts"].size(), point["explicitBounds"].size() + 1);
  EXPECT_EQ(all[0]["histogram"]["aggregationTemporality"], 2);
}

}  // namespace
}  // namespace ragstone
