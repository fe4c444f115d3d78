#include "text/term_maker.hpp"

#include "text/term_key.hpp"
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/normalize.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <array>

namespace ragstone::detail {
namespace {

constexpr std::size_t kMaxTermBytes = 255;
// Bounds memory for a long run of ideographs. The last unit is then kept for its pair with the next.
constexpr std::size_t kMaxUnits = 4096;
// A character with more marks than this is divided.
constexpr std::size_t kMaxClusterBytes = 256;

// Lucene's classic English list.
constexpr std::array<std::string_view, 33> kStopWords{
    "a",   "an",    "and",  "are",   "as",    "at",   "be",   "but", "by",  "for",  "if",
    "in",  "into",  "is",   "it",    "no",    "not",  "of",   "on",  "or",  "such", "that",
    "the", "their", "then", "there", "these", "they", "this", "to",  "was", "will", "with"};

// term_prefix() of a word of at most 8 bytes, when compiling.
constexpr std::uint64_t packed(std::string_view word) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number = number << 8 | (i < word.size() ? static_cast<unsigned char>(word[i]) : 0);
  return number;
}

// A table with free places, so that most other words meet one at once.
class StopWords {
 public:
  constexpr StopWords() {
    for (const std::string_view word : kStopWords) {
      std::size_t slot = slot_of(packed(word));
      while (slots_[slot] != 0) slot = (slot + 1) % kSlots;
      slots_[slot] = packed(word);
    }
  }
  bool contains(std::string_view word) const noexcept {
    if (word.size() > 5) return false;
    const std::uint64_t key = term_prefix(word);
    for (std::size_t slot = slot_of(key); slots_[slot] != 0; slot = (slot + 1) % kSlots)
      if (slots_[slot] == key) return true;
    return false;
  }

 private:
  static constexpr std::size_t kSlots = 256;
  static constexpr std::size_t slot_of(std::uint64_t key) noexcept { return key * 0x9E3779B97F4A7C15 >> 56; }

  std::array<std::uint64_t, kSlots> slots_{};
};

constexpr StopWords kStopWordTable;

bool is_stop_word(std::string_view word) noexcept { return kStopWordTable.contains(word); }

// Of each byte: its lower-case letter or its digit; or what it is instead.
constexpr char kSeparator = 0;
constexpr char kNotAscii = 1;

constexpr auto kLower = [] {
  std::array<char, 256> lower{};
  for (unsigned c = '0'; c <= '9'; ++c) lower[c] = static_cast<char>(c);
  for (unsigned c = 'a'; c <= 'z'; ++c) lower[c] = lower[c - ('a' - 'A')] = static_cast<char>(c);
  for (unsigned c = 0x80; c < 256; ++c) lower[c] = kNotAscii;
  return lower;
}();

char lower_of(char c) noexcept { return kLower[static_cast<unsigned char>(c)]; }

bool is_simple_cjk(char32_t c) noexcept {
  return (c >= 0x4E00 && c < 0xA000) || (c >= 0xAC00 && c < 0xD7A4) || (c >= 0x3041 && c < 0x3097) ||
         (c >= 0x30A1 && c < 0x30FB) || c == 0x30FC;
}

// Marks, the half-width sound marks, and the vowels and final consonants of Hangul written in parts.
bool joins_previous(char32_t c) noexcept {
  if (is_simple_cjk(c)) return false;
  if (c == 0xFF9E || c == 0xFF9F || (c >= 0x1160 && c < 0x1200) || (c >= 0xD7B0 && c < 0xD800)) return true;
  return class_of(c) == CharClass::mark;
}

}  // namespace

void TermMaker::make(std::string_view text) {
  for (std::size_t at = 0;;) {
    while (at < text.size() && lower_of(text[at]) == kSeparator) ++at;
    if (at == text.size()) return;
    if (const std::size_t end = add_word_at(text, at); end > at) {
      at = end;
      continue;
    }
    const Run run = RunScanner(text, rules_.divide_scripts, at).next();
    if (run.kind == RunKind::none) return;
    add_run(text, run);
    at = run.span.end;
  }
}

std::size_t TermMaker::add_word_at(std::string_view text, std::size_t begin) {
  std::array<char, kMaxTermBytes> word;
  std::size_t size = 0;
  char last = kSeparator;
  bool letters = true;
  while (begin + size < text.size() && (last = lower_of(text[begin + size])) > kNotAscii) {
    if (size == word.size()) return begin;
    word[size++] = last;
    letters = letters && last >= 'a';
  }
  if (size == 0 || (begin + size < text.size() && last == kNotAscii)) return begin;
  add_term({word.data(), size}, letters ? Letters::ascii : Letters::ascii_and_digits, {begin, begin + size});
  return begin + size;
}

void TermMaker::add_run(std::string_view text, const Run& run) {
  const std::string_view bytes = run.span.of(text);
  if (run.kind == RunKind::cjk || run.kind == RunKind::dictionary) {
    add_characters(text, run.span);
  } else if (run.ascii) {
    for (std::size_t at = 0; at < bytes.size(); at += kMaxTermBytes) {
      const std::string_view piece = bytes.substr(at, kMaxTermBytes);
      add_ascii_word(piece, {run.span.begin + at, run.span.begin + at + piece.size()});
    }
  } else {
    // Long enough for any word, short enough to bound memory for a run that is none.
    constexpr std::size_t kPieceBytes = 4096;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = std::max(utf8::floor_boundary(bytes, at + kPieceBytes), at + 1);
      const std::string folded = normalize(bytes.substr(at, end - at));
      add_folded(folded, run.kind, {run.span.begin + at, run.span.begin + end});
      at = end;
    }
  }
}

void TermMaker::add_ascii_word(std::string_view word, Span span) {
  std::array<char, kMaxTermBytes> lower;
  std::transform(word.begin(), word.end(), lower.begin(), lower_of);
  add_term({lower.data(), word.size()}, letters_of({lower.data(), word.size()}), span);
}

// Normalising may have brought in symbols (one half: "1", U+2044, "2"), so that the text is scanned again.
void TermMaker::add_folded(std::string_view folded, RunKind kind, Span span) {
  RunScanner scanner(folded, rules_.divide_scripts);
  for (Run run = scanner.next(); run.kind != RunKind::none; run = scanner.next()) {
    if (run.kind == RunKind::cjk && kind != RunKind::cjk) {
      for (const utf8::CodePoint c : utf8::CodePoints(run.span.of(folded))) {
        units_.push_back({units_text_.size(), units_text_.size() + (c.end - c.begin), span});
        units_text_.append(folded.substr(run.span.begin + c.begin, c.end - c.begin));
      }
      emit_units(0);
      continue;
    }
    for (std::size_t at = run.span.begin; at < run.span.end;) {
      const std::size_t end = std::min<std::size_t>(utf8::floor_boundary(folded, at + kMaxTermBytes), run.span.end);
      const std::string_view term = folded.substr(at, end - at);
      add_term(term, run.ascii ? letters_of(term) : Letters::any, span);
      at = end;
    }
  }
}

TermMaker::Letters TermMaker::letters_of(std::string_view ascii) noexcept {
  const bool alone = std::all_of(ascii.begin(), ascii.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return alone ? Letters::ascii : Letters::ascii_and_digits;
}

void TermMaker::add_term(std::string_view term, Letters letters, Span span) {
  const std::uint32_t position = position_++;
  if (rules_.stop_words && letters == Letters::ascii && is_stop_word(term)) return;
  visitor_(rules_.stem && letters == Letters::ascii ? stemmer_->stem(term) : term, span, position);
}

void TermMaker::add_characters(std::string_view text, Span run) {
  for (std::size_t at = run.begin; at < run.end;) {
    const utf8::Decoded first = utf8::decode(text, at);
    std::size_t end = at + first.size;
    bool simple = is_simple_cjk(first.code_point);
    while (end < run.end && end - at < kMaxClusterBytes) {
      const utf8::Decoded next = utf8::decode(text, end);
      if (!joins_previous(next.code_point)) break;
      simple = false;
      end += next.size;
    }
    const std::string_view cluster = text.substr(at, end - at);
    const std::size_t before = units_text_.size();
    if (simple)
      units_text_.append(cluster);
    else
      append_normalized(units_text_, cluster);
    for (std::size_t unit = before; unit < units_text_.size();) {
      const utf8::Decoded c = utf8::decode(units_text_, unit);
      const CharClass one = simple ? CharClass::cjk : class_of(c.code_point);
      if (one == CharClass::mark && unit > before && !units_.empty())
        units_.back().end = unit + c.size;
      else if (one != CharClass::other)
        units_.push_back({unit, unit + c.size, {at, end}});
      unit += c.size;
    }
    at = end;
    if (units_.size() >= kMaxUnits && at < run.end) emit_units(1);
  }
  emit_units(0);
}

void TermMaker::emit_units(std::size_t keep) {
  const std::size_t count = units_.size() - std::min(keep, units_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Unit& unit = units_[i];
    const std::string_view term = std::string_view(units_text_).substr(unit.begin, unit.end - unit.begin);
    const std::uint32_t position = position_++;
    visitor_(term, unit.span, position);
    if (!rules_.pairs || i + 1 == units_.size()) continue;
    const Unit& next = units_[i + 1];
    pair_.assign(term).append(units_text_, next.begin, next.end - next.begin);
    visitor_(pair_, {unit.span.begin, next.span.end}, position);
  }
  units_.erase(units_.begin(), units_.begin() + static_cast<std::ptrdiff_t>(count));
  const std::size_t used = units_.empty() ? units_text_.size() : units_.front().begin;
  units_text_.erase(0, used);
  for (Unit& unit : units_) {
    unit.begin -= used;
    unit.end -= used;
  }
}

}  // namespace ragstone::detail
