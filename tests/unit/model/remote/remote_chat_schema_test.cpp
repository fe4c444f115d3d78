#include "unit/model/remote/chat_replies.hpp"
#include "unit/model/remote/remote_bed.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::json;
using test::error_of;
using test::kReply;
using test::question;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;

TEST(RemoteChatSchema, ASchemaIsSentInTheServersWayAndTheReplyIsChecked) {
  json sent;
  std::string content = R"({"answer":"yes","score":3})";
  const auto handler = [&](const ServerRequest& request) {
    sent = json::parse(request.body);
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = content;
    return ServerReply::text(200, reply.dump());
  };
  ChatRequest request = question();
  request.schema.emplace("result",
                         R"({"type":"object","properties":{"answer":{"type":"string"},"score":{"type":"integer",
    "minimum":1}},"required":["answer"],"additionalProperties":false})");
  RemoteBed openai(handler);
  EXPECT_EQ(openai.runtime.run(openai.chat_model()->chat(request)).text, content);
  EXPECT_EQ(sent["response_format"]["json_schema"]["name"], "result");
  EXPECT_EQ(sent["response_format"]["json_schema"]["strict"], true);
  RemoteBed llama(handler, "llama.cpp");
  EXPECT_EQ(llama.runtime.run(llama.chat_model()->chat(request)).text, content);
  EXPECT_EQ(sent["response_format"]["schema"]["type"], "object");
  RemoteBed deepseek(handler, "deepseek");
  EXPECT_EQ(deepseek.runtime.run(deepseek.chat_model()->chat(request)).text, content);
  EXPECT_EQ(sent["messages"][0]["role"], "system");
  RemoteBed lightllm(handler, "lightllm");
  EXPECT_EQ(error_of([&] { lightllm.runtime.run(lightllm.chat_model()->chat(request)); }).errc(), Errc::unsupported);
  for (const char* wrong : {"", "no", "{}", R"({"answer":1})", R"({"answer":"a","score":0})", R"({"answer":"a","b":1})",
                            R"({"answer":"a"} x)"}) {
    content = wrong;
    EXPECT_EQ(error_of([&] { openai.runtime.run(openai.chat_model()->chat(request)); }).errc(), Errc::rejected)
        << wrong;
  }
  request.schema->json = R"({"type":"string","pattern":"(?=a)a+"})";
  EXPECT_EQ(error_of([&] { openai.runtime.run(openai.chat_model()->chat(request)); }).errc(), Errc::unsupported);
}

// N8
TEST(RemoteChatSchema, ASchemaIsRefusedWhereItsKeywordsMakeNoSense) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(200, kReply); });
  const auto model = bed.chat_model();
  ChatRequest request = question();
  const auto code = [&](const std::string& schema) {
    request.schema = ReplySchema("result", schema);
    return error_of([&] { bed.runtime.run(model->chat(request)); }).errc();
  };
  for (const char* schema :
       {R"({"type":5})", R"({"type":[1]})", R"({"required":"a"})", R"({"required":[1]})", R"({"properties":[]})",
        R"({"properties":{"a":1}})", R"({"items":[]})", R"({"anyOf":{}})", R"({"enum":1})", R"({"minLength":-1})",
        R"({"maximum":"1"})", R"({"multipleOf":0})", R"({"uniqueItems":1})",
        R"({"$ref":"#/enum/0","enum":[{"type":5}]})", R"({"$ref":"#/title","title":"no schema"})", "[]", "{"})
    EXPECT_EQ(code(schema), Errc::invalid_argument) << schema;
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"not":)";
  EXPECT_EQ(code(deep + "{}" + std::string(100'000, '}')), Errc::invalid_argument);
  EXPECT_EQ(bed.server.requests(), 0u) << "nothing is paid for what cannot be checked";
}

// Each is shallow; only the way from one to the next is long.
TEST(RemoteChatSchema, DefinitionsMayReferToEachOtherHoweverMany) {
  json schema;
  for (int i = 0; i < 100; ++i) {
    json& one = schema["$defs"]["d" + std::to_string(i)];
    one["type"] = "object";
    one["properties"]["next"]["items"]["$ref"] = "#/$defs/d" + std::to_string((i + 1) % 100);
  }
  schema["$ref"] = "#/$defs/d0";
  RemoteBed bed([](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = R"({"next":[{"next":[]}]})";
    return ServerReply::text(200, reply.dump());
  });
  ChatRequest request = question();
  request.schema.emplace("result", schema.dump());
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(request)).text, R"({"next":[{"next":[]}]})");
}

// N8: alternatives that refer to each other would take longer than anyone waits.
TEST(RemoteChatSchema, AReplyIsCheckedInBoundedTime) {
  RemoteBed bed([](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = "[1]";
    return ServerReply::text(200, reply.dump());
  });
  ChatRequest request = question();
  request.schema.emplace("result", R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})");
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(request)); }).errc(), Errc::limit_exceeded);
}

TEST(RemoteChatSchema, MultiplesAreThoseOfTheNumbersAsWritten) {
  std::string content;
  RemoteBed bed([&](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = content;
    return ServerReply::text(200, reply.dump());
  });
  const auto model = bed.chat_model();
  const auto is_taken = [&](const std::string& number, const std::string& of) {
    ChatRequest request = question();
    request.schema.emplace("price", R"({"type":"number","multipleOf":)" + of + "}");
    content = number;
    try {
      bed.runtime.run(model->chat(request));
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  EXPECT_TRUE(is_taken("19.99", "0.01"));
  EXPECT_TRUE(is_taken("-0.3", "0.1"));
  EXPECT_TRUE(is_taken("0", "0.01"));
  EXPECT_TRUE(is_taken("1e308", "0.5"));
  EXPECT_FALSE(is_taken("19.995", "0.01"));
  EXPECT_FALSE(is_taken("7", "2"));
  EXPECT_FALSE(is_taken("1000000.001", "0.01"));
}

TEST(RemoteChatSchema, APatternOfASchemaIsCheckedInLinearTime) {
  std::string content;
  RemoteBed bed([&](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = content;
    return ServerReply::text(200, reply.dump());
  });
  ChatRequest request = question();
  request.schema.emplace("result", R"({"type":"object","properties":{"date":{"type":"string",
    "pattern":"^[0-9]{4}-[0-9]{2}$"},"text":{"pattern":"动量|momentum"},"many":{"pattern":"^(a+)+$"}}})");
  const auto code = [&](const std::string& reply) {
    content = reply;
    try {
      bed.runtime.run(bed.chat_model()->chat(request));
      return std::string("ok");
    } catch (const Error& error) {
      return std::string(name_of(error.errc()));
    }
  };
  EXPECT_EQ(code(R"({"date":"2024-05","text":"the momentum of it"})"), "ok") << "a pattern may match anywhere";
  EXPECT_EQ(code(R"({"text":"动量法","date":"1999-12"})"), "ok");
  EXPECT_EQ(code(R"({"date":"2024-5"})"), "rejected");
  EXPECT_EQ(code(R"({"text":"gradient"})"), "rejected");
  EXPECT_EQ(code(R"({"text":7})"), "ok") << "a pattern says nothing of numbers";
  EXPECT_EQ(code(R"({"many":")" + std::string(50'000, 'a') + R"(b"})"), "rejected");
}

}  // namespace
}  // namespace ragstone
