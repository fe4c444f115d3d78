// S8: fifty tenants, interleaved at random over one document, one cache, one embedder and one memory. Every text holds
// its tenant's secret, and every answer is looked through for others'.

#include "support/rounds.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/ragstone.hpp>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr int kTenants = 50;

std::string name_of_tenant(int tenant) { return "tenant-" + std::to_string(tenant) + "."; }

/// How many secrets of others a text holds: the tenants' names are the secrets.
std::size_t leaks(const std::string& text, int tenant) {
  std::size_t count = 0;
  const std::string own = name_of_tenant(tenant);
  for (std::size_t at = text.find("tenant-"); at != text.npos; at = text.find("tenant-", at + 1))
    if (text.compare(at, own.size(), own) != 0) ++count;
  return count;
}

/// Says back all it is shown.
class Parrot final : public ChatModel {
 public:
  const std::string& name() const noexcept override { return name_; }

 private:
  Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) override {
    ChatReply reply;
    for (const ChatMessage& message : request.messages) reply.text += message.text + "\n";
    co_await pieces.put(reply.text, context);
    co_return reply;
  }
  std::string name_ = "parrot";
};

class Tenants : public testing::Test {
 protected:
  Tenants() {
    DocumentOptions options;
    options.embedders["test"] = cached_embedder(std::make_shared<CountingEmbedder>(), cache);
    document = runtime.run(Document::open(runtime, options));
    std::vector<Source> sources;
    for (int tenant = 0; tenant < kTenants; ++tenant)
      for (int i = 0; i < 4; ++i) {
        Metadata metadata;
        metadata.set("tenant", name_of_tenant(tenant));
        sources.emplace_back(name_of_tenant(tenant) + std::to_string(i),
                             "The password 密码 number " + std::to_string(i) + " is of " + name_of_tenant(tenant),
                             metadata);
      }
    runtime.run(document.add_all(sources));
    retriever = Retriever(document, RetrieverOptions());
    AssistantOptions answering;
    answering.model = cached_chat_model(std::make_shared<Parrot>(), cache);
    answering.memory = window_memory(sessions, 2);
    assistant = Assistant(retriever, answering);
    for (int tenant = 0; tenant < kTenants; ++tenant) {
      filters.push_back(Filter::parse("tenant == \"" + name_of_tenant(tenant) + "\""));
      ChatCacheOptions own;
      own.tenant = name_of_tenant(tenant);
      models.push_back(cached_chat_model(std::make_shared<Parrot>(), cache, own));
    }
  }

  static Task<std::size_t> retrieve(Retriever from, Query query, int tenant) {
    const std::vector<Hit> hits = co_await from.retrieve(std::move(query));
    std::size_t count = hits.size() == 4 ? 0 : 1;  // each tenant's own, and no others
    for (const Hit& hit : hits) count += leaks(hit.text + hit.source, tenant);
    co_return count;
  }
  static Task<std::size_t> ask(Assistant from, Question question, int tenant) {
    const Answer answer = co_await from.ask(std::move(question));
    std::size_t count = leaks(answer.text, tenant);
    for (const auto& passage : answer.passages) count += leaks(passage.source, tenant);
    co_return count;
  }
  /// Equal questions of all tenants: what the first of them was told must not be what the others get. The cache_key is
  /// equal too, as if a caller had forgotten whose prompt it is.
  static Task<std::size_t> chat(std::shared_ptr<ChatModel> model, ChatRequest request, int tenant) {
    const ChatReply reply = co_await model->chat(std::move(request));
    co_return leaks(reply.text, tenant);
  }

  Task<std::size_t> random_query(std::mt19937& random) {
    const int tenant = static_cast<int>(random() % kTenants);
    const std::string text = "Which password 密码 number " + std::to_string(random() % 4) + "?";
    switch (random() % 16) {
      case 0: {
        Question question(text);
        question.filter = filters[static_cast<std::size_t>(tenant)];
        question.session = SessionId("chat", name_of_tenant(tenant));
        return ask(assistant, question, tenant);
      }
      case 1: {
        ChatRequest request;
        request.messages.emplace_back(ChatRole::user, "I am " + name_of_tenant(tenant));
        request.cache_key = hash128(text);
        return chat(models[static_cast<std::size_t>(tenant)], request, tenant);
      }
      default: {
        Query query(text);
        query.filter = filters[static_cast<std::size_t>(tenant)];
        return retrieve(retriever, query, tenant);
      }
    }
  }

  Runtime runtime;
  std::shared_ptr<Cache> cache = memory_cache();
  std::shared_ptr<SessionStore> sessions = memory_sessions();
  Document document;
  Retriever retriever;
  Assistant assistant;
  std::vector<Filter> filters;
  std::vector<std::shared_ptr<ChatModel>> models;
};

TEST_F(Tenants, NoneSeesAnothersInAnyOfThousandsOfQueries) {
  std::mt19937 random(1);
  const std::size_t count = rounds(10'000);
  std::size_t leaked = 0;
  for (std::size_t asked = 0; asked < count; asked += 500) {
    std::vector<Task<std::size_t>> queries;
    for (int i = 0; i < 500; ++i) queries.push_back(random_query(random));
    for (const std::size_t one : runtime.run(gather(std::move(queries)))) leaked += one;
    ASSERT_EQ(leaked, 0u) << "after " << asked << " queries";
  }
}

}  // namespace
}  // namespace ragstone::test
