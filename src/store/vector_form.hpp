#pragma once

#include "store/segment/dense_part.hpp"
#include <ragstone/index/vector_index.hpp>

#include <string>

namespace ragstone {

/// What parts of a key hold besides their rows; a key that is not named has default options.
segment::DenseForm form_of(const VectorIndexes& indexes, const std::string& key);

}  // namespace ragstone
