#pragma once

#include <string>
#include <string_view>

namespace ragstone {

/// The title that a Markdown text gives itself: `title:` of a YAML front matter, otherwise its first heading that has a
/// text, without markup, white space runs made one space. Empty if the first 64 KiB have neither. At most 1,000 bytes.
std::string markdown_title(std::string_view text);

}  // namespace ragstone
