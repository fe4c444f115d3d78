#include "rag/citation_marks.hpp"

#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <optional>

namespace ragstone {
namespace {

constexpr std::size_t kMostNumbers = 64;    // of one mark; a range does not make more of them either
constexpr std::size_t kLongestNumber = 6;   // digits
constexpr std::size_t kLongestMark = 1024;  // bytes
constexpr std::string_view kOpening[] = {"[", "【", "［"};
constexpr std::string_view kClosing[] = {"]", "】", "］"};
constexpr std::string_view kSeparators[] = {",", ";", "，", "、", "；"};
constexpr std::string_view kDashes[] = {"-", "–", "—"};

/// Reads from a text, a piece at a time.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t at) : text_(text), at_(at) {}

  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  template <std::size_t n>
  bool take_one_of(const std::string_view (&words)[n]) {
    return std::any_of(std::begin(words), std::end(words), [this](std::string_view word) { return take(word); });
  }

  void skip_spaces() {
    while (take(" ")) {
    }
  }

  std::optional<std::size_t> number() {
    std::size_t value = 0;
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - begin <= kLongestNumber)
      value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    if (at_ == begin || at_ - begin > kLongestNumber) return std::nullopt;
    return value;
  }

  std::size_t at() const noexcept { return at_; }

 private:
  std::string_view text_;
  std::size_t at_;
};

/// One number, or a range of them.
bool read_numbers(Scanner& scanner, std::vector<std::size_t>& numbers) {
  scanner.skip_spaces();
  scanner.take("^");
  const auto first = scanner.number();
  if (!first) return false;
  std::size_t last = *first;
  scanner.skip_spaces();
  if (scanner.take_one_of(kDashes)) {
    scanner.skip_spaces();
    const auto end = scanner.number();
    if (!end || *end < *first) return false;
    last = *end;
  }
  for (std::size_t n = *first; n <= last; ++n) {
    if (numbers.size() == kMostNumbers) return false;
    numbers.push_back(n);
  }
  scanner.skip_spaces();
  return true;
}

bool begins_line(std::string_view text, std::size_t at) {
  const std::size_t before = text.substr(0, at).find_last_not_of(' ');
  return before == text.npos || text[before] == '\n';
}

/// The mark that begins at `at`, if there is one: no Markdown link, image or definition of a reference.
std::optional<CitationMark> mark_at(std::string_view text, std::size_t at) {
  Scanner scanner(text.substr(0, std::min(text.size(), at + kLongestMark)), at);
  if (!scanner.take_one_of(kOpening)) return std::nullopt;
  CitationMark mark;
  do {
    if (!read_numbers(scanner, mark.numbers)) return std::nullopt;
  } while (scanner.take_one_of(kSeparators));
  if (!scanner.take_one_of(kClosing)) return std::nullopt;
  mark.span = Span{at, scanner.at()};
  const std::string_view after = text.substr(scanner.at());
  if (after.starts_with('(') || (after.starts_with(':') && begins_line(text, at))) return std::nullopt;
  return mark;
}

}  // namespace

std::vector<CitationMark> citation_marks(std::string_view text) {
  std::vector<CitationMark> marks;
  for (std::size_t at = 0; at < text.size();) {
    std::optional<CitationMark> mark;
    // The brackets' first bytes.
    if (text[at] == '[' || text[at] == '\xE3' || text[at] == '\xEF') mark = mark_at(text, at);
    if (mark) {
      at = mark->span.end;
      marks.push_back(std::move(*mark));
    } else {
      ++at;
    }
  }
  return marks;
}

std::string without_marks(std::string_view text) {
  std::string out;
  std::size_t at = 0;
  for (const CitationMark& mark : citation_marks(text)) {
    std::size_t end = mark.span.begin;
    while (end > at && text[end - 1] == ' ') --end;
    out += text.substr(at, end - at);
    at = mark.span.end;
  }
  out += text.substr(at);
  return out;
}

}  // namespace ragstone
