#include "index/word_fields.hpp"

#include <ragstone/text/normalize.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <variant>

namespace ragstone {

std::string_view WordFields::word_of(const Node& node, std::string& normal) const {
  std::string_view word = node.text;
  if (!options_.word_field.empty()) {
    const Scalar* value = node.metadata.find(options_.word_field);
    const auto* text = value ? std::get_if<std::string>(value) : nullptr;
    word = text ? std::string_view(*text) : std::string_view();
  }
  return comparable(word, normal);
}

float WordFields::weight_of(const Node& node) const {
  if (options_.weight_field.empty()) return 1;
  const Scalar* value = node.metadata.find(options_.weight_field);
  if (!value) return 0;
  constexpr double most = std::numeric_limits<float>::max();
  if (const auto* number = std::get_if<double>(value)) return static_cast<float>(std::clamp(*number, -most, most));
  if (const auto* number = std::get_if<std::int64_t>(value)) return static_cast<float>(*number);
  return 0;
}

std::string_view WordFields::comparable(std::string_view text, std::string& normal) const {
  if (!options_.normalized) return text;
  normal.clear();
  append_normalized(normal, text);
  return normal;
}

std::string WordFields::form() const {
  return "normalized=" + std::to_string(options_.normalized) + " word=" + options_.word_field +
         " weight=" + options_.weight_field;
}

}  // namespace ragstone
