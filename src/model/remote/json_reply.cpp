#include "model/remote/json_reply.hpp"

#include <new>

namespace ragstone::detail {

dom::parser reply_parser() {
  constexpr std::size_t kCapacity = 4'096;  // it grows
  constexpr std::size_t kDepth = 128;
  dom::parser parser;
  if (parser.allocate(kCapacity, kDepth) != simdjson::SUCCESS) throw std::bad_alloc();
  return parser;
}

std::optional<dom::element> member(const dom::element& value, std::string_view name) noexcept {
  dom::object object;
  dom::element found;
  if (value.get(object) != simdjson::SUCCESS || object[name].get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

std::optional<std::string_view> text_of(const std::optional<dom::element>& value) noexcept {
  std::string_view text;
  if (!value || value->get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::uint64_t> count_of(const std::optional<dom::element>& value) noexcept {
  std::uint64_t count = 0;
  if (!value || value->get(count) != simdjson::SUCCESS) return std::nullopt;
  return count;
}

std::optional<double> number_of(const std::optional<dom::element>& value) noexcept {
  double number = 0;
  if (!value || value->get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

std::optional<dom::array> array_of(const std::optional<dom::element>& value) noexcept {
  dom::array array;
  if (!value || value->get(array) != simdjson::SUCCESS) return std::nullopt;
  return array;
}

void read_usage(const dom::element& reply, Usage& usage) noexcept {
  auto reported = member(reply, "usage");
  if (!reported)
    if (const auto meta = member(reply, "meta")) reported = member(*meta, "billed_units");
  if (!reported || !reported->is_object()) return;
  const auto first_of = [&](std::string_view a, std::string_view b) {
    const auto count = count_of(member(*reported, a));
    return count ? count : count_of(member(*reported, b));
  };
  usage = Usage();
  usage.input = first_of("prompt_tokens", "input_tokens");
  usage.output = first_of("completion_tokens", "output_tokens");
  usage.total = count_of(member(*reported, "total_tokens"));
  usage.searches = count_of(member(*reported, "search_units"));
  if (const auto details = member(*reported, "prompt_tokens_details")) {
    usage.cache_read = count_of(member(*details, "cached_tokens"));
    usage.cache_write = count_of(member(*details, "cache_write_tokens"));
  }
  if (const auto details = member(*reported, "completion_tokens_details"))
    usage.reasoning = count_of(member(*details, "reasoning_tokens"));
}

}  // namespace ragstone::detail
