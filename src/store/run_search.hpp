#pragma once

#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <exception>
#include <string>
#include <vector>

namespace ragstone {

/// What can be said about a request before any store is asked. Errors: Errc::invalid_argument.
void check_search(const SearchRequest& request);

/// One retrieval from one state, whatever store it is of. A group or target that no source has gives no hits.
/// Errors: Errc::invalid_argument, Errc::dimension_mismatch, what a registered index throws.
/// `parallel` (null: none) helps with large scans.
SearchResponse run_search(const StoreSnapshot& snapshot, SearchRequest request, const StopToken& stop,
                          const Parallel* parallel = nullptr);

/// Several retrievals from one state, each with the response that run_search() gives; their vector searches in the same
/// column with the same options share passes over the rows. Errors: the first one.
std::vector<SearchResponse> run_searches(const StoreSnapshot& snapshot, std::vector<SearchRequest> requests,
                                         const StopToken& stop, const Parallel* parallel = nullptr);

/// A member that failed, and what the notes say of it.
MemberFailure failure_of(std::string member, const std::exception_ptr& error);
std::string note_of(const MemberFailure& failure);

}  // namespace ragstone
