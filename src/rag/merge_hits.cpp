#include "rag/merge_hits.hpp"

#include <utility>

namespace ragstone {

std::vector<Hit> merge_hits(std::vector<std::vector<Hit>> of_documents, std::size_t top_k) {
  std::vector<std::size_t> places(of_documents.size());
  std::vector<Hit> merged;
  while (merged.size() < top_k) {
    std::size_t best = of_documents.size();
    for (std::size_t i = 0; i < of_documents.size(); ++i) {
      if (places[i] == of_documents[i].size()) continue;
      if (best == of_documents.size() || of_documents[i][places[i]].score > of_documents[best][places[best]].score)
        best = i;
    }
    if (best == of_documents.size()) break;
    merged.push_back(std::move(of_documents[best][places[best]++]));
  }
  return merged;
}

void score_by_ranks(std::vector<Hit>& hits, double rrf_k) {
  double rank = 0;
  for (Hit& hit : hits) hit.score = 1 / (rrf_k + ++rank);
}

}  // namespace ragstone
