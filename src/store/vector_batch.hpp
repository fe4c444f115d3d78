#pragma once

#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ragstone {

/// How many hits a request takes from each of its members.
std::size_t member_hits(const SearchRequest& request) noexcept;

/// The vector searches of several requests that differ in nothing but the query, carried out together.
class VectorBatch {
 public:
  struct Found {
    std::vector<ScoredNode> hits;
    std::string plan;
  };

  /// No searches.
  VectorBatch() = default;
  /// What fails here fails again, alone, when it is not found. Errors: cancellation.
  VectorBatch(const StoreSnapshot& snapshot, std::span<const SearchRequest> requests, const StopToken& stop,
              const Parallel* parallel);

  /// Of the member of that name of a request, by its number; once. Null if it was not searched with others.
  Found* find(std::size_t request, const std::string& member);

 private:
  std::map<std::pair<std::size_t, std::string>, Found> found_;
};

}  // namespace ragstone
