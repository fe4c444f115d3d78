#include "rag/fused_hits.hpp"
#include "store/run_search.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/rag/rerank.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace ragstone {
namespace {

class Reranked final : public HitSource {
 public:
  Reranked(std::shared_ptr<HitSource> source, std::shared_ptr<Reranker> reranker, std::size_t top_k,
           std::size_t candidates, OnMemberFailure on_failure)
      : HitSource("reranked"),
        source_(std::move(source)),
        reranker_(std::move(reranker)),
        top_k_(top_k),
        candidates_(candidates),
        on_failure_(on_failure) {}

 private:
  Task<Retrieval> do_retrieve(Query query, CallContext context) override {
    const std::size_t top_k = query.top_k.value_or(top_k_);
    query.top_k = std::max(candidates_, top_k);
    Retrieval retrieval = co_await source_->retrieve(query, context);
    std::exception_ptr error;
    try {
      std::vector<Hit> candidates = retrieval.hits;
      retrieval.hits = co_await rerank(reranker_, query.text, std::move(candidates), top_k, context);
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) co_return retrieval;
    if (!may_degrade(error, on_failure_, context)) std::rethrow_exception(error);
    retrieval.failures.push_back(failure_of(std::string(reranker_->name()), error));
    if (retrieval.hits.size() > top_k) retrieval.hits.resize(top_k);
    co_return retrieval;
  }

  const std::shared_ptr<HitSource> source_;
  const std::shared_ptr<Reranker> reranker_;
  const std::size_t top_k_;
  const std::size_t candidates_;
  const OnMemberFailure on_failure_;
};

}  // namespace

std::shared_ptr<HitSource> reranked(std::shared_ptr<HitSource> source, std::shared_ptr<Reranker> reranker,
                                    std::size_t top_k, std::size_t candidates, OnMemberFailure on_failure) {
  if (!source || !reranker) throw Error(Errc::invalid_argument, "reranked: needs a source and a reranker");
  if (top_k == 0) throw Error(Errc::invalid_argument, "reranked: top_k is 0; ask for at least 1 hit");
  return std::make_shared<Reranked>(std::move(source), std::move(reranker), top_k, candidates, on_failure);
}

}  // namespace ragstone
