#include "support/evaluation.hpp"

#include <stdexcept>
#include <utility>
#include <vector>

namespace ragstone::test {

Evaluation::Evaluation(Runtime& runtime, BeirCollection collection, std::shared_ptr<Embedder> embedder)
    : runtime_(runtime), collection_(std::move(collection)) {
  const auto start = std::chrono::steady_clock::now();
  DocumentOptions options;
  if (embedder) options.embedders["embedder"] = std::move(embedder);
  document_ = runtime_.run(Document::open(runtime_, options));
  std::vector<Source> sources;
  for (const BeirText& text : collection_.corpus) sources.emplace_back(text.id, text.text);
  for (const SourceStatus& status : runtime_.run(document_.add_all(std::move(sources))))
    if (status.state != SourceState::ready) throw std::runtime_error(status.id + ": " + status.reason);
  runtime_.run(document_.build(kRootGroup));
  build_time_ = std::chrono::steady_clock::now() - start;
}

Quality Evaluation::measure(RetrieverOptions options) const {
  options.group = kRootGroup;
  options.top_k = 100;
  const Retriever retriever(document_, options);
  Quality quality;
  quality.details = runtime_.run(evaluate(retriever, collection_.queries));
  quality.ndcg_at_10 = quality.details.mean(&QueryScore::ndcg_at_10).mean;
  quality.recall_at_100 = quality.details.mean(&QueryScore::recall_at_100).mean;
  quality.query_time = quality.details.mean_time();
  return quality;
}

}  // namespace ragstone::test
