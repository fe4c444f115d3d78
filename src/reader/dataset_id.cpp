#include "reader/dataset_id.hpp"

#include <ragstone/text/utf8.hpp>

namespace ragstone {
namespace {

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool reads_as_escape(std::string_view after_percent) noexcept {
  if (after_percent.size() < 2) return false;
  const int high = hex_value(after_percent[0]);
  const int low = hex_value(after_percent[1]);
  return high >= 0 && low >= 0 && (high >= 8 || (high == 2 && low == 5));
}

}  // namespace

std::string dataset_id(std::string_view path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string id;
  id.reserve(path.size());
  for (const utf8::CodePoint point : utf8::CodePoints(path)) {
    const std::string_view bytes = path.substr(point.begin, point.end - point.begin);
    if (point.value == utf8::kInvalid) {
      for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        id += {'%', kDigits[value >> 4], kDigits[value & 15]};
      }
    } else {
      id += bytes;
      if (point.value == U'%' && reads_as_escape(path.substr(point.end))) id += "25";
    }
  }
  return id;
}

}  // namespace ragstone
