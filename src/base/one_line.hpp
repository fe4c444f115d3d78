#pragma once

#include <string>
#include <string_view>

namespace ragstone {

/// Whether a text is valid UTF-8 without control characters and without the separators of lines and paragraphs, so that
/// it can neither end the line of a log that it is written to nor steer a terminal.
bool is_one_line(std::string_view text) noexcept;

/// The text with a space for each of them, and the replacement character for what is not UTF-8.
std::string one_line(std::string_view text);

}  // namespace ragstone
