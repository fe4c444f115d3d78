#pragma once

#include <ragstone/model/usage.hpp>

#include <optional>
#include <string_view>

#include <simdjson.h>

/// Reading what servers send: any member may be missing or of another type, and that is no error until it is needed.
namespace ragstone::detail {

namespace dom = simdjson::dom;

/// A member of an object; none if `value` is no object or has no such member.
std::optional<dom::element> member(const dom::element& value, std::string_view name) noexcept;

std::optional<std::string_view> text_of(const std::optional<dom::element>& value) noexcept;
std::optional<std::uint64_t> count_of(const std::optional<dom::element>& value) noexcept;
std::optional<double> number_of(const std::optional<dom::element>& value) noexcept;
std::optional<dom::array> array_of(const std::optional<dom::element>& value) noexcept;

/// `usage` of a reply, in the spellings of OpenAI (chat and embeddings) and DashScope; null leaves `usage` alone.
void read_usage(const dom::element& reply, Usage& usage) noexcept;

}  // namespace ragstone::detail
