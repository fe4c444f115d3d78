#include "text/abbreviations.hpp"
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <array>

#include <unicode/uchar.h>

namespace ragstone {
namespace {

// Sentence_Break of UAX 29, with what Ragstone adds.
enum class Kind : std::uint8_t {
  other,
  extend,  // Extend and Format: part of the character before
  line_end,
  space,
  lower,
  upper,
  letter,
  digit,
  stop,          // ATerm
  ellipsis,      // U+2026: like a stop, but letters and digits may follow at once
  terminator,    // STerm, and U+FF1B
  continuation,  // SContinue
  opening,       // Close that opens
  closing,       // Close that closes, and straight quotes
};

Kind kind_of_property(UChar32 c) noexcept {
  switch (u_getIntPropertyValue(c, UCHAR_SENTENCE_BREAK)) {
    case U_SB_EXTEND:
    case U_SB_FORMAT:
      return Kind::extend;
    case U_SB_SEP:
    case U_SB_CR:
    case U_SB_LF:
      return Kind::line_end;
    case U_SB_SP:
      return Kind::space;
    case U_SB_LOWER:
      return Kind::lower;
    case U_SB_UPPER:
      return Kind::upper;
    case U_SB_OLETTER:
      return Kind::letter;
    case U_SB_NUMERIC:
      return Kind::digit;
    case U_SB_ATERM:
      return Kind::stop;
    case U_SB_STERM:
      return Kind::terminator;
    case U_SB_SCONTINUE:
      return Kind::continuation;
    case U_SB_CLOSE: {
      const auto type = u_charType(c);
      return type == U_START_PUNCTUATION || type == U_INITIAL_PUNCTUATION ? Kind::opening : Kind::closing;
    }
    default:
      return Kind::other;
  }
}

Kind kind_of(char32_t c) noexcept {
  static const std::array<Kind, 128> ascii = [] {
    std::array<Kind, 128> kinds{};
    for (std::size_t i = 0; i < kinds.size(); ++i) kinds[i] = kind_of_property(static_cast<UChar32>(i));
    return kinds;
  }();
  if (c < ascii.size()) return ascii[c];
  if ((c >= 0x4E00 && c < 0xA000) || (c >= 0xAC00 && c < 0xD7A4)) return Kind::letter;
  if (c == utf8::kInvalid) return Kind::other;
  if (c == 0x2026) return Kind::ellipsis;
  if (c == 0xFF1B) return Kind::terminator;
  return kind_of_property(static_cast<UChar32>(c));
}

// Bytes that can neither end a sentence nor begin a character that might.
constexpr std::array<bool, 256> make_plain_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0; i < 0x80; ++i) plain[i] = i != '\n' && i != '\r' && i != '.' && i != '!' && i != '?';
  plain['\v'] = plain['\f'] = true;
  return plain;
}

constexpr std::array<bool, 256> kPlainBytes = make_plain_bytes();

class SentenceScanner {
 public:
  explicit SentenceScanner(std::string_view text) : text_(text) {}

  std::vector<Span> scan() {
    std::vector<Span> spans;
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = skip_blank_lines(sentence_end(begin));
      spans.push_back({begin, end});
      begin = end;
    }
    return spans;
  }

 private:
  struct Char {
    Kind kind = Kind::other;
    std::size_t end = 0;
  };

  // The character at `at` with its combining marks. At the end of the text: of kind line_end and empty.
  Char read(std::size_t at) const noexcept {
    if (at >= text_.size()) return {Kind::line_end, text_.size()};
    const utf8::Decoded first = utf8::decode(text_, at);
    Char one{kind_of(first.code_point), at + first.size};
    if (one.kind == Kind::line_end) {
      if (text_[at] == '\r' && one.end < text_.size() && text_[one.end] == '\n') ++one.end;
      return one;
    }
    while (one.end < text_.size() && static_cast<unsigned char>(text_[one.end]) >= 0x80) {
      const utf8::Decoded next = utf8::decode(text_, one.end);
      if (kind_of(next.code_point) != Kind::extend) break;
      one.end += next.size;
    }
    return one;
  }

  std::size_t sentence_end(std::size_t begin) const {
    Kind before = Kind::other;
    for (std::size_t at = begin; at < text_.size();) {
      if (kPlainBytes[static_cast<unsigned char>(text_[at])]) {
        std::size_t end = at + 1;
        while (end < text_.size() && kPlainBytes[static_cast<unsigned char>(text_[end])]) ++end;
        // Marks may follow the last of them, so that it is read as a character below.
        const Char last = read(end - 1);
        before = last.kind;
        at = last.end;
        continue;
      }
      const Char one = read(at);
      if (one.kind == Kind::line_end) return one.end;
      if (one.kind == Kind::stop || one.kind == Kind::ellipsis || one.kind == Kind::terminator) {
        if (const std::size_t end = end_after(begin, at, one, before); end > 0) return end;
      }
      before = one.kind;
      at = one.end;
    }
    return text_.size();
  }

  // The end of the sentence whose terminator `one` stands at `at`; 0 if the sentence goes on. Rules SB6 to SB11.
  std::size_t end_after(std::size_t begin, std::size_t at, const Char& one, Kind before) const {
    Char next = read(one.end);
    if (one.kind == Kind::stop) {
      if (next.kind == Kind::digit) return 0;
      if (next.kind == Kind::upper && (before == Kind::upper || before == Kind::lower)) return 0;
    }
    std::size_t end = one.end;
    for (; next.kind == Kind::closing; next = read(end)) end = next.end;
    for (; next.kind == Kind::space; next = read(end)) end = next.end;
    if (next.kind == Kind::line_end) return next.end;
    if (next.kind == Kind::continuation || next.kind == Kind::stop || next.kind == Kind::ellipsis ||
        next.kind == Kind::terminator)
      return 0;
    if (one.kind == Kind::terminator) return end;
    if (lower_follows(end)) return 0;
    if (text_[at] == '.' && detail::is_abbreviation(word_before(begin, at), next.kind == Kind::digit)) return 0;
    return end;
  }

  // SB8: a lower-case letter comes before any other letter, line end or terminator.
  bool lower_follows(std::size_t at) const noexcept {
    while (at < text_.size()) {
      const Char one = read(at);
      switch (one.kind) {
        case Kind::lower:
          return true;
        case Kind::upper:
        case Kind::letter:
        case Kind::line_end:
        case Kind::stop:
        case Kind::ellipsis:
        case Kind::terminator:
          return false;
        default:
          at = one.end;
      }
    }
    return false;
  }

  // ASCII letters with stops between them, before the stop at `at`; nothing if they follow a letter or digit.
  std::string_view word_before(std::size_t begin, std::size_t at) const noexcept {
    constexpr std::size_t kLongest = 16;
    std::size_t from = at;
    while (from > begin && at - from < kLongest) {
      const char c = text_[from - 1];
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && c != '.') break;
      --from;
    }
    if (from > begin) {
      const auto c = static_cast<unsigned char>(text_[from - 1]);
      if ((c >= '0' && c <= '9') || c >= 0x80) return {};
    }
    return text_.substr(from, at - from);
  }

  // Whole lines of white space after a line end go with the sentence before them, and so does white space at the end.
  std::size_t skip_blank_lines(std::size_t end) const noexcept {
    if (end == text_.size() || (text_[end - 1] != '\n' && text_[end - 1] != '\r')) return end;
    std::size_t at = end;
    for (Char one = read(at); one.kind == Kind::space || one.kind == Kind::line_end; one = read(at)) {
      at = one.end;
      if (one.kind == Kind::line_end) end = at;
      if (at == text_.size()) return at;
    }
    return end;
  }

  std::string_view text_;
};

}  // namespace

std::vector<Span> sentences(std::string_view text) { return SentenceScanner(text).scan(); }

}  // namespace ragstone
