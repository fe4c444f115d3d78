#include "reader/unit_division.hpp"

#include "reader/white_space.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <memory>

#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <xxhash.h>

namespace ragstone::detail {
namespace {

constexpr std::size_t kHashedBytes = 8;
constexpr std::size_t kUsualBlock = 32;
constexpr std::size_t kLargestBlock = 64;

/// Offsets where the parts of `text` after the first begin.
using Places = std::vector<std::size_t>;

Places clause_places(std::string_view text) {
  Places places;
  for (const Span clause : clauses(text))
    if (clause.begin > 0) places.push_back(clause.begin);
  return places;
}

/// A word takes the punctuation before it along, up to white space.
Places word_places(std::string_view text) {
  Places places;
  std::size_t before = 0;
  for (const Span word : words(text)) {
    const std::size_t space = text.substr(before, word.begin - before).find_last_of(" \t\r\n\v\f");
    const std::size_t place = space == std::string_view::npos ? word.begin : before + space + 1;
    // Indentation and an opening quote stay with the first word.
    if (before > 0 || place > kLargestBlock) places.push_back(place);
    before = word.end;
  }
  return places;
}

Places code_point_places(std::string_view text) {
  Places places;
  for (const utf8::CodePoint point : utf8::CodePoints(text))
    if (point.begin > 0) places.push_back(point.begin);
  return places;
}

struct CloseBreaks {
  void operator()(UBreakIterator* breaks) const noexcept { ubrk_close(breaks); }
};

Places grapheme_places(std::string_view text) {
  if (utf8::ascii_prefix(text) == text.size() && text.find('\r') == std::string_view::npos)
    return code_point_places(text);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UBreakIterator, CloseBreaks> breaks(ubrk_open(UBRK_CHARACTER, "", nullptr, 0, &status));
  UText utf8_text = UTEXT_INITIALIZER;
  utext_openUTF8(&utf8_text, text.data(), static_cast<std::int64_t>(text.size()), &status);
  if (U_SUCCESS(status)) ubrk_setUText(breaks.get(), &utf8_text, &status);
  if (U_FAILURE(status)) throw Error(Errc::internal, "chunk: ICU has no character rules; install ICU's data");
  Places places;
  ubrk_first(breaks.get());
  for (auto at = ubrk_next(breaks.get()); at != UBRK_DONE; at = ubrk_next(breaks.get()))
    if (static_cast<std::size_t>(at) < text.size()) places.push_back(static_cast<std::size_t>(at));
  utext_close(&utf8_text);
  return places;
}

/// Some of the graphemes' places: where the bytes before hash to it, so that they do not depend on where `text` begins.
Places block_places(std::string_view text) {
  Places places;
  std::size_t begin = 0;
  for (const std::size_t place : grapheme_places(text)) {
    const bool decided =
        place >= kHashedBytes && XXH3_64bits(text.data() + place - kHashedBytes, kHashedBytes) % kUsualBlock == 0;
    if (!decided && place - begin < kLargestBlock) continue;
    places.push_back(place);
    begin = place;
  }
  return places;
}

Places places_of(std::string_view text, Level level) {
  switch (level) {
    case Level::clause:
      return clause_places(text);
    case Level::word:
      return word_places(text);
    case Level::block:
      return block_places(text);
    case Level::grapheme:
      return grapheme_places(text);
    case Level::code_point:
      return code_point_places(text);
    case Level::sentence:
      break;
  }
  return {};
}

Strength strength_of(Level level) noexcept {
  if (level == Level::clause) return Strength::clause;
  return level == Level::word ? Strength::word : Strength::character;
}

Unit part_of(std::string_view text, std::size_t begin, std::size_t end, Level level, const TokenCounter& counter) {
  Unit part;
  part.begin = begin;
  part.end = end;
  part.level = level;
  part.opens = strength_of(level);
  part.tokens = counter.count(text.substr(begin, end - begin));
  part.blank = skip_white_space(text, begin, end) == end;
  return part;
}

/// Counted alone, parts usually have more tokens than the whole, small ones by far. They get the whole's tokens in
/// proportion, but no more than they have alone.
void share_out(std::size_t tokens, std::vector<Unit>& parts) {
  std::uint64_t all = 0;
  for (const Unit& part : parts) all += part.tokens;
  std::uint64_t counted = 0;
  std::uint64_t given = 0;
  for (Unit& part : parts) {
    counted += part.tokens;
    const std::uint64_t due = all == 0 ? 0 : counted * tokens / all;
    part.tokens = std::min(part.tokens, static_cast<std::size_t>(due - given));
    given = due;
  }
}

}  // namespace

std::vector<Unit> divide(std::string_view text, const Unit& unit, const TokenCounter& counter) {
  std::vector<Unit> parts;
  const std::string_view bytes = text.substr(unit.begin, unit.end - unit.begin);
  for (auto level = unit.level; parts.empty() && level != Level::code_point;) {
    level = static_cast<Level>(static_cast<int>(level) + 1);
    const Places places = places_of(bytes, level);
    if (places.empty()) continue;
    std::size_t begin = unit.begin;
    for (const std::size_t place : places) {
      parts.push_back(part_of(text, begin, unit.begin + place, level, counter));
      begin = unit.begin + place;
    }
    parts.push_back(part_of(text, begin, unit.end, level, counter));
    parts.front().opens = unit.opens;
    share_out(unit.tokens, parts);
  }
  return parts;
}

}  // namespace ragstone::detail
