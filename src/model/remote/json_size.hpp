#pragma once

#include <cstddef>
#include <string_view>

namespace ragstone::detail {

/// Bytes of a text in JSON without its quotes: characters that are escaped count as their escapes, and a byte that is
/// no UTF-8 as U+FFFD.
std::size_t json_bytes(std::string_view text) noexcept;

/// Quotes and a comma around a text in an array.
inline constexpr std::size_t kJsonTextFrame = 3;

}  // namespace ragstone::detail
