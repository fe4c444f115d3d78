#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ragstone::detail {

enum class FilterTokenKind { end, word, quoted_field, text, integer, real, symbol };

struct FilterToken {
  FilterTokenKind kind = FilterTokenKind::end;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;  ///< Word, symbol; unescaped content of quotes.
  std::int64_t integer = 0;
  double real = 0;
};

/// Splits a filter's text into tokens, one at a time. The text must be valid UTF-8 and outlive the lexer.
/// Errors: FilterSyntaxError.
class FilterLexer {
 public:
  explicit FilterLexer(std::string_view text) : text_(text) {}

  FilterToken next();

 private:
  FilterToken read_word();
  FilterToken read_number();
  FilterToken read_quoted(char quote);
  FilterToken read_backquoted();
  FilterToken read_symbol();
  void read_escape(std::string& out, std::size_t begin);
  char32_t read_hex4(std::size_t begin);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace ragstone::detail
