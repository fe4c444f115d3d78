#pragma once

#include <ragstone/http/provider_profile.hpp>
#include <ragstone/model/reranker.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Rerank requests in each dialect as bytes; no I/O.
namespace ragstone::detail {

std::string rerank_body(RerankDialect dialect, const std::string& model, std::string_view query,
                        std::span<const std::string> texts, std::size_t top_n);

/// The scored texts, in the reply's order; indexes are moved up by `offset`. Errors: Errc::transient for bytes that are
/// no JSON; Errc::rejected for an index that was not sent or has no score.
Reranking read_reranking(RerankDialect dialect, std::string_view body, std::size_t count, std::size_t offset);

}  // namespace ragstone::detail
