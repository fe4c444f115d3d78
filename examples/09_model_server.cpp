// 9. Models on a server.
//
// Chat and embeddings from any server of OpenAI's kind, on this machine or elsewhere:
//
//   RAGSTONE_PROVIDER          openai, vllm, lmdeploy, lightllm, llama.cpp, ollama, tei, dashscope, ark or deepseek
//   RAGSTONE_BASE_URL          if it is not where the provider usually is
//   RAGSTONE_CHAT_MODEL        the model to ask
//   RAGSTONE_EMBEDDING_MODEL   the model that embeds
//   OPENAI_API_KEY, DASHSCOPE_API_KEY, ARK_API_KEY, DEEPSEEK_API_KEY: the provider's key

#include <ragstone/ragstone.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

ragstone::Task<void> print(ragstone::AsyncStream<std::string> pieces) {
  while (auto piece = co_await pieces.next()) std::cout << *piece << std::flush;
  std::cout << '\n';
}

ragstone::Task<void> answer(std::shared_ptr<ragstone::ChatModel> model, std::string question,
                            ragstone::StreamProducer<std::string> pieces, ragstone::ChatReply* reply) {
  ragstone::ChatRequest request;
  request.messages.emplace_back(ragstone::ChatRole::user, question);
  *reply = co_await model->chat_stream(request, pieces);
}

// The reply is printed while it arrives: two tasks side by side.
ragstone::Task<void> ask(std::shared_ptr<ragstone::ChatModel> model, std::string question) {
  ragstone::AsyncStream<std::string> pieces(16);
  ragstone::ChatReply reply;
  std::vector<ragstone::Task<void>> tasks;
  tasks.push_back(answer(model, question, pieces.producer(), &reply));
  tasks.push_back(print(std::move(pieces)));
  co_await ragstone::gather(std::move(tasks));
  if (reply.usage.output) std::cout << "(" << *reply.usage.output << " tokens by " << reply.model << ")\n";
}

}  // namespace

int main() {
  const std::string provider = variable("RAGSTONE_PROVIDER");
  const std::string chat_model = variable("RAGSTONE_CHAT_MODEL");
  const std::string embedding_model = variable("RAGSTONE_EMBEDDING_MODEL");
  if (provider.empty() || (chat_model.empty() && embedding_model.empty())) {
    std::cout << "No model server is configured. Set RAGSTONE_PROVIDER to one of:";
    for (const auto& name : ragstone::provider_profile_names()) std::cout << ' ' << name;
    std::cout << "\nand RAGSTONE_CHAT_MODEL or RAGSTONE_EMBEDDING_MODEL to a model there, for example\n"
                 "  RAGSTONE_PROVIDER=ollama RAGSTONE_CHAT_MODEL=qwen3:4b\n"
                 "RAGSTONE_BASE_URL says where the server is if not at its usual place.\n";
    return 0;
  }
  try {
    ragstone::Runtime runtime;
    ragstone::ModelServerOptions options(ragstone::provider_profile(provider));
    options.base_url = variable("RAGSTONE_BASE_URL");
    options.limits.max_concurrency = 8;
    const ragstone::ModelServer server(runtime, options);

    if (!chat_model.empty())
      runtime.run(
          ask(ragstone::remote_chat_model(server, chat_model), "In one sentence: what is 向量检索 in English?"));

    if (!embedding_model.empty()) {
      ragstone::EmbedderIdentity identity;
      identity.name = embedding_model;
      identity.dimension = runtime.run(ragstone::probe_dimension(server, embedding_model));
      std::cout << embedding_model << " gives vectors of dimension " << identity.dimension << '\n';

      // From here on it is an embedder like any other.
      ragstone::DocumentOptions document_options;
      document_options.embedders["remote"] = ragstone::remote_embedder(server, identity);
      auto document = runtime.run(ragstone::Document::open(runtime, document_options));
      runtime.run(document.add(ragstone::Source("a.md", "Keys are rotated every ninety days.")));
      runtime.run(document.add(ragstone::Source("b.md", "每个账户每分钟最多六十次请求。")));
      ragstone::Retriever retriever(document, ragstone::RetrieverOptions());
      for (const auto& hit : runtime.run(retriever.retrieve("How many requests may I send?")))
        std::cout << hit.score << "  " << hit.source << "  " << hit.text << '\n';
      runtime.run(document.close());
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
