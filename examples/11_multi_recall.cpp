// 11. Several retrievers at once, one answer, streamed.
//
// The pipeline of many a lecture, as a coroutine: two retrievers side by side, their hits together in one ranking, a
// prompt, a model whose reply is shown as it arrives. Nothing here needs a language for flows: gather() runs things in
// parallel, and the rest is what C++ has. (The same in one object: ragstone::Assistant over ragstone::ensemble.)

#include "offline_model.hpp"
#include <ragstone/ragstone.hpp>

#include <iostream>

namespace {

ragstone::Task<void> show(ragstone::AsyncStream<std::string> pieces) {
  while (auto piece = co_await pieces.next()) std::cout << *piece << std::flush;
  std::cout << '\n';
}

ragstone::Task<void> chat(ragstone::ChatModel& model, ragstone::ChatRequest request,
                          ragstone::StreamProducer<std::string> pieces) {
  co_await model.chat_stream(std::move(request), std::move(pieces));
}

ragstone::Task<void> answer(ragstone::Document document, ragstone::ChatModel& model,
                            std::shared_ptr<ragstone::Reranker> reranker, std::string question) {
  ragstone::RetrieverOptions coarse;
  coarse.group = ragstone::kCoarseChunk;
  coarse.top_k = 3;
  ragstone::RetrieverOptions fine;
  fine.group = ragstone::kFineChunk;
  fine.similarity = ragstone::Similarity::cosine;
  std::vector<ragstone::Task<std::vector<ragstone::Hit>>> recalls;
  recalls.push_back(ragstone::Retriever(document, coarse).retrieve(question));
  recalls.push_back(ragstone::Retriever(document, fine).retrieve(question));
  auto found = co_await ragstone::gather(std::move(recalls));

  std::vector<ragstone::Hit> hits = std::move(found[0]);
  std::move(found[1].begin(), found[1].end(), std::back_inserter(hits));
  const auto best = co_await ragstone::rerank(reranker, question, std::move(hits), 3);

  ragstone::ChatRequest request;
  request.messages = ragstone::Prompt().render(question, best).messages;
  ragstone::AsyncStream<std::string> pieces(16);
  std::vector<ragstone::Task<void>> both;
  both.push_back(chat(model, std::move(request), pieces.producer()));
  both.push_back(show(std::move(pieces)));
  co_await ragstone::gather(std::move(both));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  options.dataset = argv[1];
  options.embedders["hash"] = ragstone::hashing_embedder(runtime.pool());
  auto document = runtime.run(ragstone::Document::open(runtime, options));
  runtime.run(document.sync());

  OfflineModel model;
  ragstone::KeywordRerankerOptions keywords;
  keywords.required = {"attention"};
  auto reranker = ragstone::keyword_reranker(runtime.pool(), keywords);
  runtime.run(answer(document, model, reranker, "How does multi-head attention join its heads?"));
}
