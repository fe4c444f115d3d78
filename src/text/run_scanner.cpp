#include "text/run_scanner.hpp"

#include <ragstone/base/utf8.hpp>

#include <array>

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

namespace ragstone::detail {
namespace {

constexpr std::array<bool, 256> make_ascii_words() {
  std::array<bool, 256> words{};
  for (unsigned c = '0'; c <= '9'; ++c) words[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) words[c] = words[c + ('a' - 'A')] = true;
  return words;
}

constexpr std::array<bool, 256> kAsciiWords = make_ascii_words();

bool is_ascii_word(char c) noexcept { return kAsciiWords[static_cast<unsigned char>(c)]; }

CharClass class_by_script(UChar32 c) noexcept {
  // The sound marks of kana have no script of their own.
  if (c == 0x30FC || c == 0xFF70 || c == 0xFF9E || c == 0xFF9F) return CharClass::cjk;
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(c, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_HANGUL:
      return CharClass::cjk;
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return CharClass::dictionary;
    default:
      return CharClass::word;
  }
}

// A symbol that normalises to letters (a squared "kg", say) belongs with them.
CharClass class_of_symbol(UChar32 c) noexcept {
  // A static: ThreadSanitizer does not see how ICU guards its own first use.
  static const icu::Normalizer2* const normalizer = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* found = icu::Normalizer2::getNFKCInstance(status);
    return U_FAILURE(status) ? nullptr : found;
  }();
  icu::UnicodeString mapping;
  if (normalizer == nullptr || !normalizer->getDecomposition(c, mapping) || mapping.isEmpty()) return CharClass::other;
  const UChar32 first = mapping.char32At(0);
  return first != c && u_isalnum(first) ? class_by_script(first) : CharClass::other;
}

RunKind kind_of(CharClass one) noexcept {
  switch (one) {
    case CharClass::word:
      return RunKind::word;
    case CharClass::cjk:
      return RunKind::cjk;
    case CharClass::dictionary:
      return RunKind::dictionary;
    default:
      return RunKind::none;
  }
}

}  // namespace

CharClass class_of(char32_t code_point) noexcept {
  if (code_point < 0x80) return is_ascii_word(static_cast<char>(code_point)) ? CharClass::word : CharClass::other;
  if ((code_point >= 0x4E00 && code_point < 0x9FFD) || (code_point >= 0xAC00 && code_point < 0xD7A4))
    return CharClass::cjk;
  if (code_point > 0x10FFFF) return CharClass::other;
  const auto c = static_cast<UChar32>(code_point);
  switch (u_charType(c)) {
    case U_UPPERCASE_LETTER:
    case U_LOWERCASE_LETTER:
    case U_TITLECASE_LETTER:
    case U_MODIFIER_LETTER:
    case U_OTHER_LETTER:
      // The Hangul fillers are letters that show and mean nothing.
      return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ? CharClass::mark : class_by_script(c);
    case U_DECIMAL_DIGIT_NUMBER:
    case U_LETTER_NUMBER:
    case U_OTHER_NUMBER:
      return class_by_script(c);
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_COMBINING_SPACING_MARK:
      return CharClass::mark;
    case U_FORMAT_CHAR:
      // A zero-width space divides words; joiners, soft hyphens and direction marks do not.
      return c != 0x200B && u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ? CharClass::mark
                                                                                       : CharClass::other;
    case U_OTHER_SYMBOL:
    case U_MATH_SYMBOL:
      return class_of_symbol(c);
    default:
      return CharClass::other;
  }
}

Run RunScanner::next() noexcept {
  Run run;
  while (at_ < text_.size()) {
    if (is_ascii_word(text_[at_])) {
      run.kind = RunKind::word;
      break;
    }
    const utf8::Decoded decoded = utf8::decode(text_, at_);
    run.kind = decoded.code_point < 0x80 ? RunKind::none : kind_of(class_of(decoded.code_point));
    if (run.kind != RunKind::none) break;
    at_ += decoded.size;
  }
  if (!divide_scripts_ && run.kind != RunKind::none) run.kind = RunKind::word;
  run.span.begin = at_;
  while (at_ < text_.size()) {
    if (static_cast<unsigned char>(text_[at_]) < 0x80) {
      if (!is_ascii_word(text_[at_]) || run.kind != RunKind::word) break;
      ++at_;
      continue;
    }
    const utf8::Decoded decoded = utf8::decode(text_, at_);
    const CharClass one = class_of(decoded.code_point);
    const bool continues =
        one == CharClass::mark || (one != CharClass::other && (!divide_scripts_ || kind_of(one) == run.kind));
    if (!continues) break;
    run.ascii = false;
    at_ += decoded.size;
  }
  run.span.end = at_;
  return run;
}

}  // namespace ragstone::detail
