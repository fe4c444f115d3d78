#pragma once

#include <cstddef>
#include <string_view>

namespace ragstone::detail {

/// What a line is as far as the division of a Markdown text is concerned.
enum class LineKind { text, heading, code };

/// Tells headings ("# Title") from lines of fenced code (``` or ~~~), as CommonMark defines them. Lines must be given
/// in order, each once, without their line ends.
class MarkdownLines {
 public:
  /// A fence's own two lines: the opening one is text, the closing one code.
  LineKind next(std::string_view line) noexcept;

 private:
  char fence_ = 0;  // 0 outside code
  std::size_t fence_size_ = 0;
};

}  // namespace ragstone::detail
