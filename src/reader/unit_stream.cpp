#include "reader/unit_stream.hpp"

#include "reader/white_space.hpp"
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>

namespace ragstone::detail {
namespace {

constexpr std::size_t kBlock = 64 << 10;
// A line longer than this is read in pieces.
constexpr std::size_t kLongestLine = 1 << 20;
// White space behind a sentence that is no more than this stays with it.
constexpr std::size_t kShortGap = 64;

bool continues_a_line(std::string_view text, std::size_t line_end, std::size_t next) noexcept {
  if (text[next] < 'a' || text[next] > 'z') return false;
  const auto last = static_cast<unsigned char>(text[line_end - 1]);
  return last >= 0x80 || last == ',' || (last >= '0' && last <= '9') || (last >= 'A' && last <= 'Z') ||
         (last >= 'a' && last <= 'z');
}

}  // namespace

std::optional<Unit> UnitStream::next() {
  while (taken_ == block_.size()) {
    if (at_ == text_.size()) return std::nullopt;
    read_block();
  }
  return block_[taken_++];
}

void UnitStream::read_block() {
  block_.clear();
  taken_ = 0;
  const std::size_t begin = at_;
  const std::size_t line_end = text_.find('\n', std::min(begin + kBlock, text_.size()));
  std::size_t end = std::min(line_end, text_.size() - 1) + 1;
  const bool in_line = end - begin > kLongestLine;
  if (in_line) end = utf8::floor_boundary(text_, begin + kLongestLine);
  std::vector<Span> spans = sentences(text_.substr(begin, end - begin));
  // The last sentence goes on behind the piece: it is read again with what follows, unless it fills the piece.
  if (in_line && spans.size() > 1) spans.pop_back();
  for (const Span span : spans) add(begin + span.begin, begin + span.end);
  at_ = begin + spans.back().end;
}

void UnitStream::add(std::size_t begin, std::size_t end) {
  const std::size_t text_end = trim_white_space(text_, begin, end);
  const std::size_t unit_end = end - text_end > kShortGap ? text_end : end;
  if (text_end > begin) {
    Unit unit;
    unit.begin = begin;
    unit.end = unit_end;
    unit.opens = strength_at(begin);
    unit.tokens = counter_.count(text_.substr(begin, unit_end - begin));
    block_.push_back(unit);
  }
  const std::size_t blank_begin = text_end > begin ? unit_end : begin;
  if (blank_begin == end) return;
  Unit blank;
  blank.begin = blank_begin;
  blank.end = end;
  blank.blank = true;
  blank.tokens = counter_.count(text_.substr(blank_begin, end - blank_begin));
  block_.push_back(blank);
}

Strength UnitStream::strength_at(std::size_t begin) {
  if (!is_line_start(text_, begin)) return line_ == LineKind::code ? Strength::clause : Strength::sentence;
  const bool under_heading = line_ == LineKind::heading;
  const std::size_t line_end = std::min(text_.find_first_of("\r\n", begin), text_.size());
  line_ = lines_.next(text_.substr(begin, line_end - begin));
  // A heading stays with what it is the heading of.
  if (under_heading) return Strength::clause;
  if (line_ == LineKind::heading) return Strength::heading;
  const Strength strength = strength_of_line(begin);
  // Code is better kept together: its places are one step weaker than those of prose.
  return line_ == LineKind::code ? static_cast<Strength>(static_cast<int>(strength) - 1) : strength;
}

Strength UnitStream::strength_of_line(std::size_t begin) const {
  const std::size_t before = trim_white_space(text_, 0, begin);
  if (before == 0) return Strength::paragraph;
  const auto gap = text_.substr(before, begin - before);
  const std::size_t first = gap.find_first_of("\r\n");
  const std::size_t second = first + (gap.substr(first).starts_with("\r\n") ? 2 : 1);
  if (gap.find_first_of("\r\n", second) != std::string_view::npos) return Strength::paragraph;
  return continues_a_line(text_, before, begin) ? Strength::clause : Strength::line;
}

}  // namespace ragstone::detail
