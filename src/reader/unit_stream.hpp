#pragma once

#include "reader/markdown_lines.hpp"
#include "reader/text_unit.hpp"
#include <ragstone/text/token_counter.hpp>

#include <optional>
#include <string_view>
#include <vector>

namespace ragstone::detail {

/// The sentences of a text as units, read in blocks, so that the memory it takes does not grow with the text.
class UnitStream {
 public:
  /// `text` is valid UTF-8; both outlive the stream.
  UnitStream(std::string_view text, const TokenCounter& counter) : text_(text), counter_(counter) {}

  /// Nothing at the end of the text.
  std::optional<Unit> next();

 private:
  void read_block();
  void add(std::size_t begin, std::size_t end);
  Strength strength_at(std::size_t begin);
  Strength strength_of_line(std::size_t begin) const;

  std::string_view text_;
  const TokenCounter& counter_;
  MarkdownLines lines_;
  LineKind line_ = LineKind::text;
  std::size_t at_ = 0;
  std::vector<Unit> block_;
  std::size_t taken_ = 0;
};

}  // namespace ragstone::detail
