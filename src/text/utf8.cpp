#include <ragstone/text/utf8.hpp>

#include <algorithm>

namespace ragstone::utf8 {
namespace {

bool begins(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u; }

}  // namespace

std::size_t length(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

std::size_t offset_of(std::string_view text, std::size_t n) noexcept {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!begins(text[at])) continue;
    if (n == 0) break;
    --n;
  }
  return at;
}

}  // namespace ragstone::utf8
