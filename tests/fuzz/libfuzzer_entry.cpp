#include "fuzz/targets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ragstone::test::RAGSTONE_FUZZ_FUNCTION({reinterpret_cast<const char*>(data), size});
  return 0;
}

#if defined(RAGSTONE_FUZZ_SAMPLE)

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

// Mutations alone do not come to bytes that a reader takes: one input in so many is a whole one, to go on from.
constexpr unsigned kWholeShare = 500;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  if (size > 1 && seed % kWholeShare != 0) return LLVMFuzzerMutate(data, size, most);
  const std::string sample = ragstone::test::RAGSTONE_FUZZ_SAMPLE(seed / kWholeShare);
  if (sample.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(sample.begin(), sample.end(), data);
  return sample.size();
}

#endif
