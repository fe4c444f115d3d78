#pragma once

#include "store/segment/dense_part.hpp"
#include <ragstone/index/vector_index.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace ragstone {

/// Parts of fewer rows are scanned faster than walked, whoever asks for a graph.
inline constexpr std::size_t kGraphRowsIfAsked = 5'000;

/// What parts of a key hold besides their rows; a key that is not named has default options. From `rows_if_asked` rows
/// on they have a graph if the key asks for one; above kMostDimensions dimensions never.
segment::DenseForm form_of(const VectorIndexes& indexes, const std::string& key, std::uint32_t dimension,
                           std::size_t rows_if_asked = kGraphRowsIfAsked);

}  // namespace ragstone
