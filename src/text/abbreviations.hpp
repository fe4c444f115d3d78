#pragma once

#include <string_view>

namespace ragstone::detail {

/// True if a full stop after `word` (the ASCII letters and inner stops before it: "Dr", "e.g", "J", "U.S") does not end
/// an English sentence although a capital or a digit follows. `before_digit`: a digit follows.
bool is_abbreviation(std::string_view word, bool before_digit) noexcept;

}  // namespace ragstone::detail
