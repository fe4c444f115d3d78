#include "rag/quoted.hpp"

#include <ragstone/text/utf8.hpp>

namespace ragstone {
namespace {

constexpr std::size_t kLongestLabel = 200;  // bytes

}  // namespace

std::string one_line_label(std::string_view text) {
  std::string out;
  for (const auto c : utf8::CodePoints(text)) {
    if (out.size() >= kLongestLabel) return out + "...";
    const bool is_plain = c.value >= 0x20 && !(c.value >= 0x7F && c.value < 0xA0) && c.value != utf8::kInvalid &&
                          c.value != 0x2028 && c.value != 0x2029;
    utf8::append(out, is_plain ? c.value : U' ');
  }
  return out;
}

std::string quoted(std::string_view nonce, std::string_view label, std::string_view text) {
  std::string out = "<<" + std::string(nonce) + " " + std::string(label) + ">>\n";
  out += text;
  if (out.back() != '\n') out += '\n';
  return out + "<<" + std::string(nonce) + " end>>\n";
}

std::string quoted_passage(const Hit& hit, std::size_t number, std::string_view nonce) {
  const std::string label = std::to_string(number) + " " + one_line_label(hit.source) + ", bytes " +
                            std::to_string(hit.file_span.begin) + "-" + std::to_string(hit.file_span.end);
  return quoted(nonce, label, hit.text);
}

}  // namespace ragstone
