#include "reader/markdown_lines.hpp"

#include <algorithm>

namespace ragstone::detail {
namespace {

std::size_t run_length(std::string_view text, char byte) noexcept {
  return std::min(text.find_first_not_of(byte), text.size());
}

}  // namespace

LineKind MarkdownLines::next(std::string_view line) noexcept {
  const LineKind usual = fence_ == 0 ? LineKind::text : LineKind::code;
  const std::size_t indentation = run_length(line, ' ');
  if (indentation > 3 || indentation == line.size()) return usual;
  line.remove_prefix(indentation);
  const char first = line.front();
  const std::size_t run = run_length(line, first);
  const std::string_view rest = line.substr(run);
  if (fence_ != 0) {
    const bool closes =
        first == fence_ && run >= fence_size_ && rest.find_first_not_of(" \t") == std::string_view::npos;
    if (closes) fence_ = 0;
  } else if (first == '#' && run <= 6 && (rest.empty() || rest.front() == ' ' || rest.front() == '\t')) {
    return LineKind::heading;
  } else if (run >= 3 && (first == '~' || (first == '`' && rest.find('`') == std::string_view::npos))) {
    fence_ = first;
    fence_size_ = run;
  }
  return usual;
}

}  // namespace ragstone::detail
