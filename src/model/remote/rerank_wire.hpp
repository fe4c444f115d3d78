#pragma once

#include <ragstone/http/provider_profile.hpp>
#include <ragstone/model/model_server.hpp>
#include <ragstone/model/reranker.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Rerank requests in each dialect as bytes; no I/O.
namespace ragstone::detail {

/// How many of `texts`, from the first on, go into one request; at least 1. A reranker reads the query with each text.
/// `frame_bytes` are those of a request without query and texts.
std::size_t rerank_batch_size(const ProviderProfile& profile, std::size_t frame_bytes, std::string_view query,
                              std::span<const std::string> texts);

/// Errors: Errc::unsupported, Errc::invalid_argument for options that cannot be sent.
std::string rerank_body(const ProviderProfile& profile, const RemoteRerankerOptions& options, const std::string& model,
                        std::string_view query, std::span<const std::string> texts, std::size_t top_n);

/// The scored texts, in the reply's order; indexes are moved up by `offset`. Errors: those of
/// no_json(); Errc::rejected for an index that was not sent or has no score, and for fewer texts than the `top_n` that
/// were asked for, or than `count` where the dialect ranks all.
Reranking read_reranking(RerankDialect dialect, std::string_view body, std::size_t count, std::size_t top_n,
                         std::size_t offset);

}  // namespace ragstone::detail
