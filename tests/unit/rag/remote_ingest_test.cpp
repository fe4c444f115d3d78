#include "rag_fixture.hpp"
#include "support/http/scripted_server.hpp"
#include <ragstone/ragstone.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace ragstone::test {
namespace {

using nlohmann::json;

/// The vector of a text is its length.
ServerReply embedded(const json& input) {
  json data = json::array();
  for (const json& text : input) data.push_back({{"embedding", {text.get<std::string>().size(), 1}}});
  return ServerReply::text(200, json{{"data", std::move(data)}}.dump());
}

/// Documents whose embedder is on a server.
class RemoteIngest : public RagTest {
 protected:
  Document open_with(const ScriptedServer& server) {
    ModelServerOptions options = server_options;
    options.base_url = server.url("/v1");
    options.key = KeySource::fixed(Secret("a key of these tests"));
    options.http.addresses = AddressPolicy::with_local();
    EmbedderIdentity identity;
    identity.name = "test-embedder";
    identity.dimension = 2;
    const auto embedder = remote_embedder(ModelServer(runtime, options), identity, embedder_options);
    document_options.embedders["test"] = cache ? cached_embedder(embedder, cache) : embedder;
    Document document = open(document_options);
    runtime.run(document.build(kMediumChunk));
    return document;
  }

  static std::vector<Source> sources(std::size_t count) {
    std::vector<Source> sources;
    for (std::size_t i = 0; i < count; ++i)
      sources.emplace_back(std::to_string(i), "text number " + std::to_string(i) + " 第" + std::to_string(i) + "段");
    return sources;
  }

  std::size_t failures(Document document, std::size_t count) {
    std::size_t failed = 0;
    for (const SourceStatus& status : runtime.run(document.add_all(sources(count))))
      failed += status.state == SourceState::failed ? 1 : 0;
    return failed;
  }

  ModelServerOptions server_options{provider_profile("openai")};
  RemoteEmbedderOptions embedder_options;
  DocumentOptions document_options;
  std::shared_ptr<Cache> cache;
};

// RT-1
TEST_F(RemoteIngest, WhatConcernsTheServerIsNotAskedForEachText) {
  struct Row {
    int status;
    const char* body;
    std::size_t requests;
  };
  const std::vector<Row> rows = {
      {401, R"({"error":{"message":"no such key"}})", 2},
      {402, R"({"error":{"message":"no credit"}})", 2},
      {403, R"({"error":{"message":"not in your country"}})", 2},
      {404, R"({"error":{"message":"no such model"}})", 2},
      {200, R"({"data":[{"embedding":[1,2,3]}]})", 2},
      {400, R"({"error":{"message":"model is required"}})", 15},
  };
  for (const Row& row : rows) {
    ScriptedServer server([&](const ServerRequest& request) {
      if (row.status != 200) return ServerReply::text(row.status, row.body);
      json reply;
      for (std::size_t i = 0; i < json::parse(request.body)["input"].size(); ++i)
        reply["data"].push_back({{"embedding", {1, 2, 3}}});
      return ServerReply::text(200, reply.dump());
    });
    document_options.batch_sources = 128;
    EXPECT_EQ(failures(open_with(server), 100), 100u) << row.status;
    EXPECT_LE(server.requests(), row.requests) << row.status;
    if (row.status == 400) continue;
    document_options.batch_sources = 10;
    const std::size_t before = server.requests();
    EXPECT_EQ(failures(open_with(server), 300), 300u) << row.status;
    EXPECT_LE(server.requests() - before, 2u) << "of thirty batches, two at once: " << row.status;
  }
}

TEST_F(RemoteIngest, ATextThatIsRefusedIsFoundByHalves) {
  for (const int status : {400, 413, 422}) {
    ScriptedServer server([&](const ServerRequest& request) {
      const json input = json::parse(request.body)["input"];
      for (const json& text : input)
        if (text.get<std::string>().starts_with("text number 77 "))
          return ServerReply::text(status, R"({"error":{"message":"a text that is too long"}})");
      return embedded(input);
    });
    Document document = open_with(server);
    EXPECT_EQ(failures(document, 128), 1u);
    EXPECT_LE(server.requests(), status == 400 ? 15u : 40u) << "twice the logarithm of 128, and the whole";
    EXPECT_EQ(runtime.run(document.sources()).at(0).state, SourceState::ready);
  }
}

// What a server has answered is kept, however many requests a batch takes and whatever ends the ingest.
TEST_F(RemoteIngest, NoTextIsPaidForTwiceWithACache) {
  std::map<std::string, std::size_t> answered;
  bool fails = true;
  ScriptedServer server([&](const ServerRequest& request) {
    if (fails && request.number > 5) return ServerReply::text(401, "the key has expired");
    const json input = json::parse(request.body)["input"];
    for (const json& text : input) ++answered[text.get<std::string>()];
    return embedded(input);
  });
  cache = memory_cache();
  server_options.profile.max_request_tokens = 100;
  embedder_options.max_concurrency = 1;
  Document document = open_with(server);
  EXPECT_EQ(failures(document, 100), 100u);
  EXPECT_GT(answered.size(), 10u);
  fails = false;
  EXPECT_EQ(failures(document, 100), 0u);
  EXPECT_EQ(answered.size(), 100u);
  for (const auto& [text, times] : answered) EXPECT_EQ(times, 1u) << text;
}

// A limit of tokens makes an ingest take its time; that is no failure of the embedder.
TEST_F(RemoteIngest, WaitsForALimitOfTokensAreNoPartOfTheTimeout) {
  ScriptedServer server([](const ServerRequest& request) { return embedded(json::parse(request.body)["input"]); });
  server_options.limits.tokens_per_minute = 120'000;  // 1,800 a second for ingest
  embedder_options.max_batch = 2;
  document_options.embed_timeout = std::chrono::milliseconds(500);
  Document document = open_with(server);
  std::vector<Source> sources;
  for (int i = 0; i < 10; ++i) sources.emplace_back(std::to_string(i), std::to_string(i) + std::string(1'200, 'x'));
  for (const SourceStatus& status : runtime.run(document.add_all(sources)))
    EXPECT_EQ(status.state, SourceState::ready) << status.reason;
  EXPECT_GE(server.requests(), 5u);
}

TEST_F(RemoteIngest, ACallThatTakesLongerThanTheTimeoutFailsItsSources) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply().hang(); });
  document_options.embed_timeout = std::chrono::milliseconds(50);
  const std::vector<SourceStatus> statuses = runtime.run(open_with(server).add_all(sources(3)));
  for (const SourceStatus& status : statuses) EXPECT_EQ(status.state, SourceState::failed);
  EXPECT_EQ(server.requests(), 1u);
}

}  // namespace
}  // namespace ragstone::test
