#include <ragstone/model/usage.hpp>

namespace ragstone {
namespace {

using Count = std::optional<std::uint64_t>;

Count sum(const Count& a, const Count& b) { return a && b ? Count(*a + *b) : std::nullopt; }

void set(Metadata& attributes, const char* name, const Count& count) {
  if (count) attributes.set(name, static_cast<std::int64_t>(*count));
}

}  // namespace

Usage operator+(const Usage& a, const Usage& b) {
  Usage both;
  both.input = sum(a.input, b.input);
  both.output = sum(a.output, b.output);
  both.cache_read = sum(a.cache_read, b.cache_read);
  both.cache_write = sum(a.cache_write, b.cache_write);
  both.reasoning = sum(a.reasoning, b.reasoning);
  both.total = sum(a.total, b.total);
  return both;
}

void set_usage(Metadata& attributes, const Usage& usage) {
  set(attributes, "input_tokens", usage.input);
  set(attributes, "output_tokens", usage.output);
  set(attributes, "cache_read_tokens", usage.cache_read);
  set(attributes, "cache_write_tokens", usage.cache_write);
  set(attributes, "reasoning_tokens", usage.reasoning);
  set(attributes, "total_tokens", usage.total);
}

}  // namespace ragstone
