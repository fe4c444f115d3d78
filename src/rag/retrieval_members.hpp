#pragma once

#include "rag/document_core.hpp"
#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/rag/retriever.hpp>
#include <ragstone/store/search.hpp>

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What can be said about a retriever's options before there is a document. Errors: Errc::invalid_argument.
void check_numbers(const RetrieverOptions& options);
/// What a document must have for them. Errors: Errc::not_found, Errc::invalid_argument, Errc::unsupported.
void check_members(const RetrieverOptions& options, const DocumentCore& core);

/// The columns that a retrieval needs. Errors: Errc::invalid_argument.
std::vector<std::string> keys_for(const RetrieverOptions& options, const DocumentCore& core);

/// What the scores of a document's hits come from: where it differs, they cannot be compared. `failures` took no part.
std::vector<std::string> scored_by(const RetrieverOptions& options, const DocumentCore& core,
                                   const std::vector<MemberFailure>& failures);

/// The members of the requests for some queries, and those that could not be made for any.
class QueryMembers {
 public:
  QueryMembers() = default;

  std::vector<std::vector<SearchMember>> of_query;
  std::vector<MemberFailure> failures;
  std::exception_ptr first_error;
};

static_assert(!std::is_aggregate_v<QueryMembers>);

/// Asks each embedder once for all queries. Errors: the first one, where the options do not say that members may fail,
/// or all do.
Task<QueryMembers> members_for(std::shared_ptr<DocumentCore> core, std::shared_ptr<const RetrieverOptions> options,
                               std::shared_ptr<const std::vector<Query>> queries, CallContext context);

}  // namespace ragstone
