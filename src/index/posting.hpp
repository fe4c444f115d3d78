#pragma once

#include <cstdint>

namespace ragstone {

/// That a row holds a term.
struct Posting {
  std::uint32_t row = 0;
  float weight = 0;
};

}  // namespace ragstone
