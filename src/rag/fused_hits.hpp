#pragma once

#include <ragstone/async/outcome.hpp>
#include <ragstone/rag/retrieval_steps.hpp>

#include <string>
#include <vector>

namespace ragstone {

/// One ranking for fuse_hits().
struct RankedHits {
  std::string name;
  double weight = 1;
  Retrieval retrieval;
};

/// Weighted reciprocal rank fusion: see ensemble().
Retrieval fuse_hits(std::vector<RankedHits> rankings, double rrf_k, std::size_t top_k);

/// What is left of outcomes after failures: throws, or records them in `failures`. `names` and `weights` belong to the
/// outcomes by place; no weights: 1 each.
std::vector<RankedHits> rankings_of(std::vector<Outcome<Retrieval>> outcomes, const std::vector<std::string>& names,
                                    const std::vector<double>& weights, OnMemberFailure on_failure,
                                    std::vector<MemberFailure>& failures);

/// Whether a failure may be left out. Cancellation and the passed deadline end everything.
bool may_degrade(const std::exception_ptr& error, OnMemberFailure on_failure, const CallContext& context);

}  // namespace ragstone
