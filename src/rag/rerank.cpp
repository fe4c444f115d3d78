#include <ragstone/base/error.hpp>
#include <ragstone/rag/rerank.hpp>

#include <utility>

namespace ragstone {

Task<std::vector<Hit>> rerank(std::shared_ptr<Reranker> reranker, std::string query, std::vector<Hit> hits,
                              std::size_t top_n, CallContext context) {
  if (!reranker) throw Error(Errc::invalid_argument, "rerank: the reranker is null");
  std::vector<std::string> texts;
  texts.reserve(hits.size());
  for (const Hit& hit : hits) texts.push_back(hit.text);
  const std::vector<RankedText> ranked = co_await reranker->rerank(std::move(query), std::move(texts), top_n, context);
  std::vector<Hit> kept;
  kept.reserve(ranked.size());
  for (const RankedText& entry : ranked) {
    Hit& hit = kept.emplace_back(std::move(hits[entry.index]));
    if (entry.score) hit.score = *entry.score;
    MemberRank rank;
    rank.member = "rerank";
    rank.rank = kept.size();
    rank.score = hit.score;
    hit.ranks.push_back(std::move(rank));
  }
  co_return kept;
}

}  // namespace ragstone
