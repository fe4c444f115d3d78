#pragma once

#include <string>
#include <string_view>

namespace ragstone {

/// The id of a path whose bytes need not be UTF-8. Valid names stay as they are: "100%.md", "读我.md". A byte that is
/// not UTF-8 becomes "%" and two upper-case hexadecimal digits (80 to FF). So that no two paths share an id, a "%" is
/// written "%25" where the two bytes after it would read as such an escape: 80 to FF or 25 in upper-case digits.
std::string dataset_id(std::string_view path);

}  // namespace ragstone
