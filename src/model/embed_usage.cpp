#include "model/embed_usage.hpp"

#include <ragstone/text/token_counter.hpp>

#include <cstdint>

namespace ragstone {

Usage usage_or_estimate(const Usage& told, const CallContext& context, std::span<const std::string> texts) {
  const auto& counter = context.token_counter();
  if (!told.empty() || !counter) return told;
  Usage usage;
  usage.input = 0;
  for (const std::string& text : texts) *usage.input += counter->count(text);
  usage.estimated = true;
  return usage;
}

Usage usage_or_estimate(const Usage& told, const CallContext& context, std::string_view query,
                        std::span<const std::string> texts) {
  Usage usage = usage_or_estimate(told, context, texts);
  if (told.empty() && !usage.empty()) *usage.input += context.token_counter()->count(query) * texts.size();
  return usage;
}

Metadata usage_attributes(const CallContext& context, const Usage& usage) {
  Metadata attributes;
  if (context.observed()) set_usage(attributes, usage);
  return attributes;
}

Metadata failure_attributes(const CallContext& context, const UsageSum& used) {
  Metadata attributes = usage_attributes(context, used.total());
  if (context.observed() && used.calls() > 0) attributes.set("calls", static_cast<std::int64_t>(used.calls()));
  return attributes;
}

}  // namespace ragstone
