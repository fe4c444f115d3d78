#pragma once

#include "model/paid_error.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/model/usage.hpp>

#include <exception>
#include <optional>
#include <string_view>

#include <simdjson.h>

/// Reading what servers send: any member may be missing or of another type, and that is no error until it is needed.
namespace ragstone::detail {

namespace dom = simdjson::dom;

/// A parser that refuses what is nested deeper than 128 times.
dom::parser reply_parser();

/// The error of a reply that is no JSON. Errc::transient where it broke off or is a proxy's page; Errc::rejected where
/// it is whole, with all brackets closed: its server writes what JSON does not know, such as NaN, and would do so
/// again.
Error no_json(std::string_view reply);

/// A member of an object; none if `value` is no object or has no such member.
std::optional<dom::element> member(const dom::element& value, std::string_view name) noexcept;

std::optional<std::string_view> text_of(const std::optional<dom::element>& value) noexcept;
std::optional<std::uint64_t> count_of(const std::optional<dom::element>& value) noexcept;
std::optional<double> number_of(const std::optional<dom::element>& value) noexcept;
std::optional<dom::array> array_of(const std::optional<dom::element>& value) noexcept;

/// `usage` of a reply, in the spellings of OpenAI (chat and embeddings), DashScope and Cohere (`meta.billed_units`);
/// null leaves `usage` alone.
void read_usage(const dom::element& reply, Usage& usage) noexcept;

/// Reads on in a reply. An error is one whose call has used what the reply says.
template <class Read>
auto read_paid(const dom::element& reply, Read read) {
  try {
    return read();
  } catch (...) {
    Usage usage;
    read_usage(reply, usage);
    std::rethrow_exception(paid(std::current_exception(), usage));
  }
}

}  // namespace ragstone::detail
