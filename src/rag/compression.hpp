#pragma once

#include <ragstone/rag/hit.hpp>

#include <vector>

namespace ragstone {

/// Appends the hit, cut down to the bytes from its first to its last part; nothing if it has no part.
void keep_parts(Hit hit, const std::vector<Span>& parts, std::vector<Hit>& kept);

}  // namespace ragstone
