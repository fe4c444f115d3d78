#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/model/hashing_embedder.hpp>

#include <span>
#include <string_view>

namespace ragstone {

/// Writes the vector of a folded text (NFKC, case-folded) to `vector`, options.dimension floats of length 1, or zeros
/// for a text without letters and digits. The same bits on every machine. Linear in the text but for a sort.
void hash_features(std::string_view folded, const HashingEmbedderOptions& options, std::span<float> vector,
                   const StopToken& stop);

}  // namespace ragstone
