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

namespace {

/// Whether the brackets outside of strings are all closed.
bool is_whole(std::string_view json) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (in_string) continue;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth-- == 0) return false;
  }
  return !in_string && depth == 0;
}

}  // namespace

Error no_json(std::string_view reply) {
  const std::size_t first = reply.find_first_not_of(" \t\r\n");
  if (first != reply.npos && reply[first] == '{' && is_whole(reply))
    return Error(Errc::rejected, "the reply is no JSON, though it is whole: does it hold NaN or Infinity?");
  return Error(Errc::transient, "the reply is no JSON, or broke off");
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
