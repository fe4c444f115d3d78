#include "store/vector_batch.hpp"

#include "store/run_member.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <variant>

namespace ragstone {
namespace {

/// One search, and whose queries it holds.
struct Shared {
  VectorSearch search;
  std::vector<std::pair<std::size_t, std::string>> members;
};

bool differ_in_query_alone(const VectorSearch& a, const VectorSearch& b) {
  return a.group == b.group && a.key == b.key && a.signature == b.signature && a.dimension == b.dimension &&
         a.metric == b.metric && a.k == b.k && a.recall == b.recall && a.ef == b.ef && a.exact == b.exact &&
         a.filter == b.filter;
}

std::vector<Shared> share(std::span<const SearchRequest> requests) {
  std::vector<Shared> all;
  for (std::size_t r = 0; r < requests.size(); ++r)
    for (const SearchMember& member : requests[r].members) {
      const auto* vector = std::get_if<VectorMember>(&member.query);
      if (!vector) continue;
      VectorSearch search = vector_search(requests[r], *vector, member_hits(requests[r]));
      const auto same = std::find_if(
          all.begin(), all.end(), [&](const Shared& shared) { return differ_in_query_alone(shared.search, search); });
      if (same == all.end()) {
        all.push_back({std::move(search), {{r, member.name}}});
      } else {
        same->search.queries.insert(same->search.queries.end(), vector->vector.begin(), vector->vector.end());
        same->members.emplace_back(r, member.name);
      }
    }
  return all;
}

}  // namespace

std::size_t member_hits(const SearchRequest& request) noexcept {
  const bool carries = !request.target.empty() && request.target != request.group;
  std::size_t hits = request.top_k;
  if (carries || request.members.size() > 1) hits = std::max(hits, request.depth);
  if (request.diversity) hits = std::max(hits, request.diversity->candidates);
  return hits;
}

VectorBatch::VectorBatch(const StoreSnapshot& snapshot, std::span<const SearchRequest> requests, const StopToken& stop,
                         const Parallel* parallel) {
  for (Shared& shared : share(requests)) {
    if (shared.members.size() < 2) continue;
    shared.search.parallel = parallel;
    VectorHits hits;
    try {
      hits = snapshot.search_vectors(shared.search, stop);
    } catch (const Error&) {
      continue;
    }
    for (std::size_t i = 0; i < shared.members.size(); ++i)
      found_[std::move(shared.members[i])] = {std::move(hits.hits[i]), hits.plan};
  }
}

VectorBatch::Found* VectorBatch::find(std::size_t request, const std::string& member) {
  const auto found = found_.find({request, member});
  return found == found_.end() ? nullptr : &found->second;
}

}  // namespace ragstone
