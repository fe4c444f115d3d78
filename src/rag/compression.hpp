#pragma once

#include <ragstone/rag/hit.hpp>

#include <vector>

namespace ragstone {

/// Appends the hit, cut down to the bytes from its first to its last part; nothing if it has no part.
void keep_parts(Hit hit, const std::vector<Span>& parts, std::vector<Hit>& kept);

/// Leaves of the highlights what is in `part` of the text, which becomes the text.
void clip_highlights(Hit& hit, Span part);

}  // namespace ragstone
