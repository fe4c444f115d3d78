#include "support/errors.hpp"
#include "support/scripted_chat_model.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/json_lines.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::json;
using test::ChatScript;
using test::ScriptedChatModel;

class JsonLines : public ::testing::Test {
 protected:
  std::vector<json> spans() const {
    std::vector<json> spans;
    for (const std::string& line : lines) spans.push_back(json::parse(line));
    return spans;
  }

  Runtime runtime;
  std::vector<std::string> lines;
  CallContext context =
      CallContext().with_observer(json_lines_observer([this](std::string_view line) { lines.emplace_back(line); }));
};

TEST_F(JsonLines, ACallIsOneSpanInTheWordsOfOpenTelemetry) {
  ScriptedChatModel model("qwen-max");
  ChatScript script;
  model.add(script.piece("因为").piece("散射。").usage(12, 4));
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, "一个秘密的问题");
  request.temperature = 0.5;
  request.max_tokens = 100;
  request.stop = {"\n\n", "完"};
  AsyncStream<std::string> stream(10);
  runtime.run(model.chat_stream(request, stream.producer(),
                                context.with_metadata("session", Scalar(std::string("s-1"))).with_tag("web")));
  ASSERT_EQ(lines.size(), 1u);
  const json span = spans()[0];
  EXPECT_EQ(span["name"], "chat qwen-max");
  EXPECT_EQ(span["kind"], "CLIENT");
  EXPECT_EQ(span["traceId"].get<std::string>().size(), 32u);
  EXPECT_EQ(span["spanId"].get<std::string>().size(), 16u);
  EXPECT_EQ(span["status"]["code"], "OK");
  EXPECT_GE(span["endTimeUnixNano"].get<std::int64_t>(), span["startTimeUnixNano"].get<std::int64_t>());
  const json& attributes = span["attributes"];
  EXPECT_EQ(attributes["gen_ai.operation.name"], "chat");
  EXPECT_EQ(attributes["gen_ai.request.model"], "qwen-max");
  EXPECT_EQ(attributes["gen_ai.request.temperature"], 0.5);
  EXPECT_EQ(attributes["gen_ai.request.max_tokens"], 100);
  EXPECT_EQ(attributes["gen_ai.request.stream"], true);
  EXPECT_EQ(attributes["gen_ai.request.stop_sequences"], json::array({"\n\n", "完"}));
  EXPECT_EQ(attributes["gen_ai.usage.input_tokens"], 12);
  EXPECT_EQ(attributes["gen_ai.usage.output_tokens"], 4);
  EXPECT_EQ(attributes["gen_ai.response.finish_reasons"], json::array({"stop"}));
  EXPECT_EQ(attributes["gen_ai.conversation.id"], "s-1");
  EXPECT_TRUE(attributes.contains("gen_ai.response.time_to_first_chunk"));
  EXPECT_EQ(attributes["ragstone.tags"], json::array({"web"}));
  EXPECT_EQ(lines[0].find("秘密"), std::string::npos) << "what was asked is no part of it";
}

// CB-2
TEST_F(JsonLines, AFailureHasItsCodeAndACancelledRunSaysSo) {
  ScriptedChatModel model("m");
  ChatScript script;
  model.add(script.fail(Errc::rejected, "no such model"));
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, "?");
  EXPECT_THROW(runtime.run(model.chat(request, context)), Error);
  { RunScope abandoned(context, EventKind::rerank, "r"); }
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(spans()[0]["status"]["code"], "ERROR");
  EXPECT_EQ(spans()[0]["attributes"]["error.type"], "rejected");
  EXPECT_EQ(spans()[1]["attributes"]["error.type"], "cancelled");
}

TEST_F(JsonLines, RunsBelowARunNameTheirParent) {
  RunScope query(context, EventKind::query, "assistant");
  {
    RunScope retrieve(query.context(), EventKind::retrieve, "MediumChunk");
    Metadata again;
    again.set("attempt", 2);
    retrieve.retry(again);
    retrieve.end();
  }
  query.end();
  ASSERT_EQ(lines.size(), 2u);
  const json retrieve = spans()[0];
  const json query_span = spans()[1];
  EXPECT_EQ(retrieve["name"], "retrieval MediumChunk");
  EXPECT_EQ(retrieve["attributes"]["gen_ai.data_source.id"], "MediumChunk");
  EXPECT_EQ(retrieve["parentSpanId"], query_span["spanId"]);
  EXPECT_EQ(retrieve["traceId"], query_span["traceId"]);
  EXPECT_EQ(retrieve["events"][0]["name"], "retry");
  EXPECT_EQ(query_span["name"], "invoke_workflow assistant");
  EXPECT_EQ(query_span["kind"], "INTERNAL");
}

TEST_F(JsonLines, EveryKindHasANameAndAnEmbedderItsDimension) {
  test::CountingEmbedder embedder("bge-m3");
  runtime.run(embedder.embed({"天空"}, EmbedRole::query, context));
  EXPECT_EQ(spans()[0]["name"], "embeddings bge-m3");
  EXPECT_EQ(spans()[0]["attributes"]["gen_ai.embeddings.dimension.count"], 32);
  for (const EventKind kind : {EventKind::store_read, EventKind::cache, EventKind::chunk, EventKind::tool})
    RunScope(context, kind, "x").end();
  EXPECT_EQ(spans()[1]["attributes"]["db.system.name"], "x");
  EXPECT_EQ(spans()[1]["attributes"]["db.operation.name"], "search");
  EXPECT_EQ(spans()[2]["name"], "cache x");
  EXPECT_EQ(spans()[4]["attributes"]["gen_ai.tool.name"], "x");
}

TEST_F(JsonLines, StoresAreDatabases) {
  Metadata search;
  search.set("group", Scalar(std::string("MediumChunk")));
  search.set("queries", 3);
  RunScope read(context, EventKind::store_read, "sqlite", search);
  Metadata found;
  found.set("hits", 12);
  read.end(found);
  RunScope(context, EventKind::store_write, "sqlite maintenance").end();
  const json attributes = spans()[0]["attributes"];
  EXPECT_EQ(spans()[0]["name"], "search MediumChunk");
  EXPECT_EQ(spans()[1]["name"], "maintenance sqlite");
  EXPECT_EQ(attributes["db.system.name"], "sqlite");
  EXPECT_EQ(attributes["db.operation.name"], "search");
  EXPECT_EQ(attributes["db.collection.name"], "MediumChunk");
  EXPECT_EQ(attributes["db.operation.batch.size"], 3);
  EXPECT_EQ(attributes["db.response.returned_rows"], 12);
  EXPECT_EQ(spans()[1]["attributes"]["db.system.name"], "sqlite");
  EXPECT_EQ(spans()[1]["attributes"]["db.operation.name"], "maintenance");
  EXPECT_EQ(spans()[1]["kind"], "CLIENT");
}

TEST_F(JsonLines, MetadataMayHaveTheNamesOfWhatIsAList) {
  RunScope(context.with_metadata("stop_sequences", Scalar(std::string("完"))), EventKind::chat, "m").end();
  RunScope(context.with_metadata("stop_sequences", Scalar(3.0)), EventKind::chat, "m").end();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(spans()[0]["attributes"]["gen_ai.request.stop_sequences"], "完");
  EXPECT_EQ(spans()[1]["attributes"]["gen_ai.request.stop_sequences"], 3.0);
}

TEST_F(JsonLines, EncodingsAreAList) {
  Metadata attributes;
  attributes.set("encoding_format", Scalar(std::string("base64")));
  RunScope(context, EventKind::embed, "m", attributes).end();
  EXPECT_EQ(spans()[0]["attributes"]["gen_ai.request.encoding_formats"], json::array({"base64"}));
}

}  // namespace
}  // namespace ragstone
