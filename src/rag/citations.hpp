#pragma once

#include <ragstone/rag/answer.hpp>

#include <cstddef>

namespace ragstone {

/// A citation of the bytes `within` a passage's text.
Citation citation_of(const Hit& hit, std::size_t passage, Span within, Span mark, double support);

}  // namespace ragstone
