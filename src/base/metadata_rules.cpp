#include "base/metadata_rules.hpp"

#include <ragstone/base/utf8.hpp>

#include <cmath>

namespace ragstone::detail {
namespace {

constexpr std::size_t kMaxNameBytes = 255;

bool has_control(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (decoded.code_point < 0x20 || (decoded.code_point >= 0x7F && decoded.code_point < 0xA0)) return true;
    at += decoded.size;
  }
  return false;
}

}  // namespace

std::string name_problem(std::string_view name) {
  if (name.empty()) return "a name is empty; give it at least one character";
  if (name.size() > kMaxNameBytes)
    return "a name has " + std::to_string(name.size()) + " bytes; at most 255 are allowed";
  if (const std::size_t bad = utf8::find_invalid(name); bad != utf8::npos)
    return "a name is not valid UTF-8 at byte " + std::to_string(bad);
  if (has_control(name)) return "a name holds a control character; remove it";
  return {};
}

std::string value_problem(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (const std::size_t bad = utf8::find_invalid(*text); bad != utf8::npos)
      return "the value is not valid UTF-8 at byte " + std::to_string(bad) + "; convert it first";
  } else if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number)) {
    return "the value is not a finite number; leave it out";
  }
  return {};
}

}  // namespace ragstone::detail
