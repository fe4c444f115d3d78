#include <ragstone/model/usage.hpp>

namespace ragstone {
namespace {

using Count = std::optional<std::uint64_t>;

Count sum(const Count& a, const Count& b) { return a && b ? Count(*a + *b) : std::nullopt; }

constexpr char kSource[] = "usage_source";

void set(Metadata& attributes, const char* name, const Count& count) {
  if (count) attributes.set(name, static_cast<std::int64_t>(*count));
}

Count count_in(const Metadata& attributes, const char* name) {
  const Scalar* value = attributes.find(name);
  const auto* count = value ? std::get_if<std::int64_t>(value) : nullptr;
  return count && *count >= 0 ? Count(static_cast<std::uint64_t>(*count)) : std::nullopt;
}

}  // namespace

const char* name_of(UsageSource source) noexcept {
  switch (source) {
    case UsageSource::missing:
      return "missing";
    case UsageSource::provider:
      return "provider";
    case UsageSource::estimated:
      return "estimated";
  }
  return "unknown";
}

UsageSource Usage::source() const noexcept {
  if (empty()) return UsageSource::missing;
  return estimated ? UsageSource::estimated : UsageSource::provider;
}

Usage operator+(const Usage& a, const Usage& b) {
  Usage both;
  both.input = sum(a.input, b.input);
  both.output = sum(a.output, b.output);
  both.cache_read = sum(a.cache_read, b.cache_read);
  both.cache_write = sum(a.cache_write, b.cache_write);
  both.reasoning = sum(a.reasoning, b.reasoning);
  both.total = sum(a.total, b.total);
  both.searches = sum(a.searches, b.searches);
  both.estimated = a.estimated || b.estimated;
  return both;
}

void set_usage(Metadata& attributes, const Usage& usage) {
  set(attributes, "input_tokens", usage.input);
  set(attributes, "output_tokens", usage.output);
  set(attributes, "cache_read_tokens", usage.cache_read);
  set(attributes, "cache_write_tokens", usage.cache_write);
  set(attributes, "reasoning_tokens", usage.reasoning);
  set(attributes, "total_tokens", usage.total);
  set(attributes, "searches", usage.searches);
  if (usage.estimated) attributes.set(kSource, name_of(UsageSource::estimated));
}

Usage usage_of(const Metadata& attributes) {
  Usage usage;
  usage.input = count_in(attributes, "input_tokens");
  usage.output = count_in(attributes, "output_tokens");
  usage.cache_read = count_in(attributes, "cache_read_tokens");
  usage.cache_write = count_in(attributes, "cache_write_tokens");
  usage.reasoning = count_in(attributes, "reasoning_tokens");
  usage.total = count_in(attributes, "total_tokens");
  usage.searches = count_in(attributes, "searches");
  usage.estimated = attributes.text(kSource) == name_of(UsageSource::estimated);
  return usage;
}

}  // namespace ragstone
