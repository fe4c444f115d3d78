#include "fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ragstone::test::RAGSTONE_FUZZ_FUNCTION({reinterpret_cast<const char*>(data), size});
  return 0;
}
