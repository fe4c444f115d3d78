#include <ragstone/model/usage.hpp>

namespace ragstone {
namespace {

using Count = std::optional<std::uint64_t>;

Count sum(const Count& a, const Count& b) {
  if (!a || !b) return a ? a : b;
  return *a + *b;
}

/// As reported, or what follows from the other counts.
Count total_of(const Usage& usage) {
  if (usage.total || !usage.input) return usage.total;
  return *usage.input + usage.output.value_or(0);
}

/// It is told that nothing was used: a cache's answer.
bool is_free(const Usage& usage) {
  if (usage.empty()) return false;
  return usage.input.value_or(0) + usage.output.value_or(0) + usage.total.value_or(0) + usage.searches.value_or(0) == 0;
}

constexpr char kSource[] = "usage_source";
constexpr char kPartial[] = "usage_partial";

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
  if (a.total || b.total) both.total = sum(total_of(a), total_of(b));
  both.searches = sum(a.searches, b.searches);
  both.estimated = a.estimated || b.estimated;
  both.partial = a.partial || b.partial;
  if (!a.empty() && !b.empty() && (is_free(a) || is_free(b))) return both;
  for (const auto count : {&Usage::input, &Usage::output, &Usage::searches})
    both.partial = both.partial || (a.*count).has_value() != (b.*count).has_value();
  both.partial = both.partial || total_of(a).has_value() != total_of(b).has_value();
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
  if (usage.partial) attributes.set(kPartial, true);
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
  const Scalar* partial = attributes.find(kPartial);
  usage.partial = partial != nullptr && *partial == Scalar(true);
  return usage;
}

}  // namespace ragstone
