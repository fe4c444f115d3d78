#include "fuzz/targets.hpp"
#include "unit/store/segment_probe.hpp"

#include <string>

namespace ragstone::test {

void fuzz_segment(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string image(bytes.substr(1));
  segment::probe((bytes[0] & 1) == 0 ? segment::with_right_checksums(image) : image);
}

}  // namespace ragstone::test
