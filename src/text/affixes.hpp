#pragma once

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string_view>

namespace ragstone {

/// Whether `text` begins with one of a list of prefixes.
template <class List = std::initializer_list<std::string_view>>
bool starts_with_any(std::string_view text, const List& prefixes) {
  return std::any_of(std::begin(prefixes), std::end(prefixes),
                     [text](std::string_view prefix) { return text.starts_with(prefix); });
}

/// Whether `text` ends with one of a list of suffixes.
template <class List = std::initializer_list<std::string_view>>
bool ends_with_any(std::string_view text, const List& suffixes) {
  return std::any_of(std::begin(suffixes), std::end(suffixes),
                     [text](std::string_view suffix) { return text.ends_with(suffix); });
}

}  // namespace ragstone
