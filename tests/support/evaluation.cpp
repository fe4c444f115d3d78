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
  Quality sum;
  for (const BeirText& query : collection_.queries) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Hit> hits = runtime_.run(retriever.retrieve(query.text));
    sum.query_time += std::chrono::steady_clock::now() - start;
    std::vector<std::string> ranking;
    for (const Hit& hit : hits) ranking.push_back(hit.source);
    const Judgements& judgements = collection_.judgements.at(query.id);
    sum.ndcg_at_10 += ndcg(ranking, judgements, 10);
    sum.recall_at_100 += recall(ranking, judgements, 100);
  }
  const auto count = static_cast<double>(collection_.queries.size());
  return {sum.ndcg_at_10 / count, sum.recall_at_100 / count, sum.query_time / count};
}

}  // namespace ragstone::test
