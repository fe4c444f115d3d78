#include "support/rounds.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace ragstone::test {

std::size_t rounds(std::size_t usual) {
  const char* text = std::getenv("RAGSTONE_TEST_FACTOR");
  if (text == nullptr) return usual;
  const std::string_view digits(text);
  std::size_t factor = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), factor);
  if (error != std::errc() || end != digits.data() + digits.size() || factor == 0)
    throw std::invalid_argument("RAGSTONE_TEST_FACTOR must be a positive whole number");
  return usual * factor;
}

std::size_t stride(std::size_t all, std::size_t usual) {
  constexpr std::size_t kLong = 100;
  return rounds(1) >= kLong ? 1 : std::max<std::size_t>(1, all / rounds(usual));
}

}  // namespace ragstone::test
