#pragma once

#include <algorithm>
#include <cctype>
#include <string_view>

namespace ragstone::detail {

/// Whether two names of ASCII letters are the same but for their case.
inline bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace ragstone::detail
