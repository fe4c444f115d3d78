#pragma once

#include <cstddef>

namespace ragstone::test {

/// How many descriptors this process has open.
std::size_t open_descriptors();

/// How much resident memory this process has come to hold, at most, since the object was made. Free memory is given
/// back first, so that what comes counts whole. One at a time.
class PeakMemory {
 public:
  PeakMemory();

  std::size_t bytes() const;
  /// False under sanitizers, whose own memory hides the program's.
  static bool counts() noexcept;

 private:
  std::size_t before_ = 0;
};

}  // namespace ragstone::test
