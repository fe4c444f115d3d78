#pragma once

#include <string>

namespace ragstone {

/// One element of a sparse vector.
struct TermWeight {
  std::string term;
  float weight = 0;  ///< For BM25: how often the term occurs.

  friend bool operator==(const TermWeight&, const TermWeight&) = default;
};

}  // namespace ragstone
