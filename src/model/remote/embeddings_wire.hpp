#pragma once

#include <ragstone/http/provider_profile.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/model_server.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Embedding requests as bytes; no I/O.
namespace ragstone::detail {

/// How many of `texts`, from the first on, go into one request; at least 1. Each has the prefix; `frame_bytes` are
/// those of a request without texts.
std::size_t batch_size(const ProviderProfile& profile, std::size_t max_batch, std::size_t frame_bytes,
                       std::string_view prefix, std::span<const std::string> texts);

/// `options`: its extra and send_dimensions. Errors: Errc::invalid_argument for members that cannot be added.
std::string embeddings_body(const ProviderProfile& profile, const EmbedderIdentity& identity,
                            std::span<const std::string> texts, const std::string& prefix,
                            const RemoteEmbedderOptions& options);

/// Appends [count x dimension] floats to `values`, in the order of the texts, whatever the order of the reply. Accepts
/// arrays and base64 (little-endian f32) whatever was asked for. `dimension` 0: any, the same for all; set to it.
/// Errors: those of no_json(); Errc::dimension_mismatch; Errc::rejected for a missing, repeated
/// or unknown index, another count, NaN, infinity or a vector of zeros.
Usage read_embeddings(std::string_view body, std::size_t count, std::uint32_t& dimension, std::vector<float>& values);

}  // namespace ragstone::detail
