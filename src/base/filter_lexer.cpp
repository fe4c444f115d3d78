#include "base/filter_lexer.hpp"

#include "base/filter_rules.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <unicode/uchar.h>

namespace ragstone::detail {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool begins_word(char32_t c) noexcept {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
  return c != utf8::kInvalid && u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_XID_START);
}

bool continues_word(char32_t c) noexcept {
  if (c < 0x80) return begins_word(c) || (c >= '0' && c <= '9') || c == '.';
  return c != utf8::kInvalid && u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_XID_CONTINUE);
}

// Bytes of the word at the start of `text`.
std::size_t word_size(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (!(at == 0 ? begins_word(decoded.code_point) : continues_word(decoded.code_point))) break;
    at += decoded.size;
  }
  return at;
}

}  // namespace

bool is_keyword(std::string_view word) noexcept {
  constexpr std::array<std::string_view, 10> kWords{"and",    "or", "not",  "in",   "like",
                                                    "exists", "is", "null", "true", "false"};
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view keyword) {
    return std::equal(word.begin(), word.end(), keyword.begin(), keyword.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  });
}

bool is_plain_field(std::string_view name) noexcept {
  return name.find('$') == std::string_view::npos && word_size(name) == name.size() && !is_keyword(name);
}

FilterToken FilterLexer::next() {
  while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
  FilterToken token;
  token.begin = token.end = at_;
  if (at_ == text_.size()) return token;
  const char c = text_[at_];
  const bool sign = (c == '-' || c == '+') && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
  if (c == '"' || c == '\'') return read_quoted(c);
  if (c == '`') return read_backquoted();
  if (is_digit(c) || sign) return read_number();
  if (begins_word(utf8::decode(text_, at_).code_point)) return read_word();
  return read_symbol();
}

FilterToken FilterLexer::read_word() {
  FilterToken token;
  token.kind = FilterTokenKind::word;
  token.begin = at_;
  at_ += word_size(text_.substr(at_));
  token.end = at_;
  token.text = text_.substr(token.begin, token.end - token.begin);
  return token;
}

FilterToken FilterLexer::read_number() {
  FilterToken token;
  token.begin = at_;
  std::size_t end = at_ + (is_digit(text_[at_]) ? 0 : 1);
  bool real = false;
  const auto digits = [&] {
    while (end < text_.size() && is_digit(text_[end])) ++end;
  };
  digits();
  if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) {
    real = true;
    ++end;
    digits();
  }
  if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
    std::size_t exponent = end + 1;
    if (exponent < text_.size() && (text_[exponent] == '-' || text_[exponent] == '+')) ++exponent;
    if (exponent < text_.size() && is_digit(text_[exponent])) {
      real = true;
      end = exponent;
      digits();
    }
  }
  if (end < text_.size() && continues_word(utf8::decode(text_, end).code_point))
    throw FilterSyntaxError(end, "expected the end of a number");
  const char* first = text_.data() + at_ + (text_[at_] == '+' ? 1 : 0);
  const char* last = text_.data() + end;
  const auto result = real ? std::from_chars(first, last, token.real) : std::from_chars(first, last, token.integer);
  if (result.ec != std::errc())
    throw FilterSyntaxError(at_, real ? "expected a number that a double can hold"
                                      : "expected an integer of 64 bits; a larger number needs a decimal point");
  token.kind = real ? FilterTokenKind::real : FilterTokenKind::integer;
  token.end = at_ = end;
  return token;
}

FilterToken FilterLexer::read_quoted(char quote) {
  FilterToken token;
  token.kind = FilterTokenKind::text;
  token.begin = at_++;
  for (;;) {
    if (at_ >= text_.size())
      throw FilterSyntaxError(token.begin, "expected a closing quote for the text that begins here");
    const char c = text_[at_];
    if (c == quote) break;
    if (c == '\\') {
      read_escape(token.text, at_);
    } else {
      token.text.push_back(c);
      ++at_;
    }
  }
  token.end = ++at_;
  return token;
}

void FilterLexer::read_escape(std::string& out, std::size_t begin) {
  ++at_;
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  ++at_;
  switch (c) {
    case '"':
    case '\'':
    case '\\':
    case '/':
      out.push_back(c);
      return;
    case 'b':
      out.push_back('\b');
      return;
    case 'f':
      out.push_back('\f');
      return;
    case 'n':
      out.push_back('\n');
      return;
    case 'r':
      out.push_back('\r');
      return;
    case 't':
      out.push_back('\t');
      return;
    // As in MySQL, so that a pattern can be written without doubling its backslashes.
    case '%':
    case '_':
      out.push_back('\\');
      out.push_back(c);
      return;
    case 'u':
      break;
    default:
      throw FilterSyntaxError(begin, "expected a known escape: \\\" \\' \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX \\% \\_");
  }
  char32_t value = read_hex4(begin);
  if (value >= 0xD800 && value < 0xDC00) {
    const bool pair = text_.substr(std::min(at_, text_.size()), 2) == "\\u";
    at_ += 2;
    const char32_t low = pair ? read_hex4(begin) : 0;
    if (low < 0xDC00 || low > 0xDFFF) throw FilterSyntaxError(begin, "expected a pair of surrogates");
    value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
  } else if (value >= 0xDC00 && value < 0xE000) {
    throw FilterSyntaxError(begin, "expected a pair of surrogates");
  }
  utf8::append(out, value);
}

char32_t FilterLexer::read_hex4(std::size_t begin) {
  const std::string_view hex = text_.substr(std::min(at_, text_.size()), 4);
  std::uint32_t value = 0;
  const auto result = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (hex.size() != 4 || result.ec != std::errc() || result.ptr != hex.data() + 4)
    throw FilterSyntaxError(begin, "expected four hexadecimal digits after \\u");
  at_ += 4;
  return value;
}

FilterToken FilterLexer::read_backquoted() {
  FilterToken token;
  token.kind = FilterTokenKind::quoted_field;
  token.begin = at_++;
  for (;; ++at_) {
    if (at_ >= text_.size())
      throw FilterSyntaxError(token.begin, "expected a closing backquote for the field that begins here");
    if (text_[at_] == '`') {
      if (at_ + 1 >= text_.size() || text_[at_ + 1] != '`') break;
      ++at_;
    }
    token.text.push_back(text_[at_]);
  }
  token.end = ++at_;
  return token;
}

FilterToken FilterLexer::read_symbol() {
  constexpr std::array<std::string_view, 15> kSymbols{"==", "!=", "<=", ">=", "&&", "||", "<", ">",
                                                      "=",  "!",  "(",  ")",  "[",  "]",  ","};
  FilterToken token;
  token.kind = FilterTokenKind::symbol;
  token.begin = at_;
  for (std::string_view symbol : kSymbols) {
    if (!text_.substr(at_).starts_with(symbol)) continue;
    token.text = symbol;
    token.end = at_ += symbol.size();
    return token;
  }
  throw FilterSyntaxError(at_, "expected a field, a value or an operator");
}

}  // namespace ragstone::detail
