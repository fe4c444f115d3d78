#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <exception>
#include <string>

namespace ragstone {

/// What can be said about a request before any store is asked. Errors: Errc::invalid_argument.
void check_search(const SearchRequest& request);

/// One retrieval from one state, whatever store it is of. A group or target that no source has gives no hits.
/// Errors: Errc::invalid_argument, Errc::dimension_mismatch, what a registered index throws.
SearchResponse run_search(const StoreSnapshot& snapshot, SearchRequest request, const StopToken& stop);

/// A member that failed, and what the notes say of it.
MemberFailure failure_of(std::string member, const std::exception_ptr& error);
std::string note_of(const MemberFailure& failure);

}  // namespace ragstone
