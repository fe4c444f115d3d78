#pragma once

#include "store/segment/container.hpp"

#include <string>
#include <string_view>

/// Uses of an image whose bytes may hold anything.
namespace ragstone::segment {

/// What an image answers.
struct Probe {
  bool opens = false;
  bool verifies = false;
  std::string answers;  ///< To searches, filters, look-ups and a merge; errors by name.
};

/// Opens the image as what its header says and uses it in every way. Throws std::logic_error if a promise is broken
/// that holds for any bytes: errors of the promised codes only, finite scores, at most k hits.
Probe probe(std::string_view image);

/// The image with right checksums, as a forger would store it, as far as its table can be read.
std::string with_right_checksums(std::string image);

}  // namespace ragstone::segment
