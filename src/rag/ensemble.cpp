#include "rag/fused_hits.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone {
namespace {

class Ensemble final : public HitSource {
 public:
  Ensemble(std::vector<std::shared_ptr<HitSource>> sources, EnsembleOptions options)
      : HitSource("ensemble"), sources_(std::move(sources)), options_(std::move(options)) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      // Members of the same name are told apart by their places.
      std::size_t same = 0;
      for (const auto& other : sources_) same += other->name() == sources_[i]->name() ? 1 : 0;
      names_.push_back(sources_[i]->name() + (same > 1 ? "_" + std::to_string(i + 1) : ""));
    }
  }

 private:
  Task<Retrieval> do_retrieve(Query query, CallContext context) override {
    std::vector<Task<Retrieval>> tasks;
    for (std::size_t i = 0; i < sources_.size(); ++i)
      tasks.push_back(sources_[i]->retrieve(query, context.with_tag(names_[i])));
    const std::size_t top_k = query.top_k.value_or(options_.top_k);
    std::vector<MemberFailure> failures;
    std::vector<RankedHits> rankings;
    if (options_.on_failure == OnMemberFailure::fail) {
      // Fails fast: the others are cancelled.
      std::vector<Retrieval> retrievals = co_await gather(std::move(tasks));
      std::vector<Outcome<Retrieval>> outcomes;
      for (Retrieval& retrieval : retrievals) outcomes.emplace_back(std::move(retrieval));
      rankings = rankings_of(std::move(outcomes), names_, options_.weights, OnMemberFailure::fail, failures);
    } else {
      std::vector<Outcome<Retrieval>> outcomes = co_await gather_outcomes(std::move(tasks));
      for (const auto& outcome : outcomes)
        if (outcome.error() && !may_degrade(outcome.error(), options_.on_failure, context))
          std::rethrow_exception(outcome.error());
      rankings = rankings_of(std::move(outcomes), names_, options_.weights, options_.on_failure, failures);
    }
    Retrieval fused = fuse_hits(std::move(rankings), options_.rrf_k, top_k);
    fused.failures.insert(fused.failures.begin(), failures.begin(), failures.end());
    co_return fused;
  }

  const std::vector<std::shared_ptr<HitSource>> sources_;
  const EnsembleOptions options_;
  std::vector<std::string> names_;
};

}  // namespace

std::shared_ptr<HitSource> ensemble(std::vector<std::shared_ptr<HitSource>> sources, EnsembleOptions options) {
  if (sources.empty()) throw Error(Errc::invalid_argument, "ensemble: no source");
  for (const auto& source : sources)
    if (!source) throw Error(Errc::invalid_argument, "ensemble: a source is null");
  if (!options.weights.empty() && options.weights.size() != sources.size())
    throw Error(Errc::invalid_argument, "ensemble: there must be one weight for each source");
  for (const double weight : options.weights)
    if (!(weight > 0)) throw Error(Errc::invalid_argument, "ensemble: a weight must be above 0");
  if (!(options.rrf_k > 0) || options.top_k == 0)
    throw Error(Errc::invalid_argument, "ensemble: rrf_k must be above 0, top_k at least 1");
  return std::make_shared<Ensemble>(std::move(sources), std::move(options));
}

}  // namespace ragstone
