// 7. Retrieve, rerank, print.
//
// Retrieval is fast and looks at each text alone. A reranker then takes the best few and looks closer: it puts them in
// a better order, or drops some. Rerankers can follow each other.

#include <ragstone/ragstone.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <iostream>
#include <set>

namespace {

// Scores a text by the share of the question's different terms in it. Where a cross-encoder can be had, it goes here;
// like all that computes for more than a few milliseconds it should then run on the pool: see ragstone::offload.
class CoverageReranker final : public ragstone::Reranker {
 public:
  std::string_view name() const noexcept override { return "coverage"; }

 private:
  ragstone::Task<ragstone::Reranking> do_rerank(std::string_view query, std::span<const std::string> texts, std::size_t,
                                                ragstone::CallContext) override {
    const auto wanted = terms(query);
    std::vector<ragstone::RankedText> ranked;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto found = terms(texts[i]);
      const auto shared = std::count_if(wanted.begin(), wanted.end(), [&](const auto& t) { return found.contains(t); });
      ranked.emplace_back(ragstone::RankedText{i, static_cast<double>(shared) / static_cast<double>(wanted.size())});
    }
    co_return ranked;  // In any order: the scores decide.
  }

  // Words without their endings; characters and pairs of characters of Chinese.
  std::set<std::string> terms(std::string_view text) const {
    std::set<std::string> terms;
    for (const auto& token : analyzer_->analyze(text)) terms.insert(token.term);
    return terms;
  }

  std::shared_ptr<const ragstone::Analyzer> analyzer_ = ragstone::standard_analyzer();
};

void print(const char* title, const std::vector<ragstone::Hit>& hits) {
  std::cout << title << '\n';
  for (std::size_t i = 0; i < hits.size(); ++i) {
    std::cout << "  " << i + 1 << ". " << hits[i].source << " (" << hits[i].score << ")";
    for (const auto& rank : hits[i].ranks) std::cout << ", " << rank.member << " had it " << rank.rank;
    std::cout << "\n     " << hits[i].text << '\n';
  }
}

}  // namespace

int main() {
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  std::vector<ragstone::Source> sources;
  sources.emplace_back("a", "Multi-head, multi-head, multi-head: the fashion of the year.");
  sources.emplace_back("b",
                       "A linear layer joins the outputs of all heads, which lets attention look at several places.");
  sources.emplace_back("c", "The head of the department asked everybody for attention.");
  sources.emplace_back("d", "多头注意力用线性层合并各个头的输出。");
  sources.emplace_back("e", "Deprecated: attention joins its heads by their mean.");
  runtime.run(document.add_all(sources));

  // Take more candidates than will be shown.
  ragstone::RetrieverOptions retrieval;
  retrieval.top_k = 20;
  ragstone::Retriever retriever(document, retrieval);

  const std::string question = "How does multi-head attention join its heads?";
  const auto found = runtime.run(retriever.retrieve(question));
  print("retrieved:", found);

  auto coverage = std::make_shared<CoverageReranker>();
  const auto better = runtime.run(ragstone::rerank(coverage, question, found, 3));
  print("reranked:", better);

  // The keyword reranker drops texts and keeps order and scores. Words match whatever their case and ending.
  ragstone::KeywordRerankerOptions keywords;
  keywords.required = {"head"};
  keywords.excluded = {"deprecated", "废弃"};
  auto filter = ragstone::keyword_reranker(runtime.pool(), keywords);
  print("filtered:", runtime.run(ragstone::rerank(filter, question, better, 3)));
}
