#include "rag/prose.hpp"

#include "text/affixes.hpp"
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <cctype>

namespace ragstone {
namespace {

constexpr std::string_view kWhite = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWhite);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhite) - begin + 1);
}

/// Bytes of a bullet ("- ", "* ", "12. ") and the white space after it; 0 for a line that is no list item.
std::size_t bullet_size(std::string_view line) {
  if (starts_with_any(line, {"- ", "* ", "+ "})) return line.find_first_not_of(" \t", 1);
  const std::size_t digits = line.find_first_not_of("0123456789");
  if (digits == 0 || digits == line.npos || digits > 3) return 0;
  if (!starts_with_any(line.substr(digits), {". ", ") "})) return 0;
  return line.find_first_not_of(" \t", digits + 1);
}

/// A line of directives (":label:`x`"), and not one that begins with a reference within a sentence (":numref:`x`
/// shows").
bool is_directive(std::string_view line) {
  return line.starts_with(":") &&
         !starts_with_any(line, {":numref:", ":ref:", ":eqref:", ":cite:", ":citet:", ":citep:", ":doc:", ":term:"});
}

/// A line of code without a fence: the passage has the middle of a block. It assigns, calls or decorates, and ends as
/// code does.
bool is_code(std::string_view line) {
  if (ends_with_any(line, {".", "!", "?", "。", "！", "？"})) return false;
  if (line.starts_with("@") || line.ends_with("):") || line.find(" = ") != line.npos) return true;
  if (std::string_view("):,({[;}]").find(line.back()) == std::string_view::npos) return false;
  for (std::size_t i = line.find('('); i != line.npos; i = line.find('(', i + 1))
    if (i > 0 && (std::isalnum(static_cast<unsigned char>(line[i - 1])) != 0 || line[i - 1] == '_')) return true;
  return false;
}

/// Where a text begins that has the end of a block whose beginning is in another passage: a first fence that names no
/// language, while the next one does, or there is none.
std::size_t begin_of_own(std::string_view text) {
  std::size_t fences = 0;
  std::size_t after_first = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (!starts_with_any(line, {"```", "~~~"})) continue;
    const bool is_bare = line.size() == 3;
    if (++fences == 1 && !is_bare) return 0;
    if (fences == 1) after_first = std::min(begin, text.size());
    if (fences == 2) return is_bare ? 0 : after_first;
  }
  return after_first;
}

/// Copies prose to where it is, with a space for each line end inside a paragraph; everything else becomes line ends,
/// which end sentences.
class ProseCopy {
 public:
  explicit ProseCopy(std::string_view text) : text_(text), copy_(text.size(), '\n') {
    for (std::size_t begin = begin_of_own(text); begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      take(begin, end);
      begin = end + 1;
    }
  }

  const std::string& text() const noexcept { return copy_; }

 private:
  void take(std::size_t begin, std::size_t end) {
    const std::string_view line = trimmed(text_.substr(begin, end - begin));
    if (in_block_) {
      in_block_ = line != fence_ && !(fence_ == "$$" && line.ends_with("$$"));
      goes_on_ = false;
      return;
    }
    if (opens_block(line) || line.empty() || is_directive(line) || is_code(line) ||
        starts_with_any(line, {"#", "|", "![", "<", "```", "~~~", "$$", "---"})) {
      goes_on_ = false;
      return;
    }
    std::size_t first = text_.find_first_not_of(kWhite, begin);
    const std::size_t bullet = bullet_size(line);
    if (bullet != 0 && bullet != line.npos) {
      goes_on_ = false;
      first += bullet;
    }
    if (goes_on_) copy_[begin - 1] = ' ';
    std::copy(text_.begin() + static_cast<std::ptrdiff_t>(first), text_.begin() + static_cast<std::ptrdiff_t>(end),
              copy_.begin() + static_cast<std::ptrdiff_t>(first));
    for (std::size_t i = begin; goes_on_ && i < first; ++i) copy_[i] = ' ';
    goes_on_ = true;
  }

  bool opens_block(std::string_view line) {
    if (starts_with_any(line, {"```", "~~~"})) {
      fence_ = line.substr(0, 3);
    } else if (line.starts_with("$$") && !(line.size() > 2 && line.ends_with("$$"))) {
      fence_ = "$$";
    } else {
      return false;
    }
    // A fence that nothing closes is the end of a block whose beginning is in another passage, unless it names a
    // language.
    in_block_ = (fence_ != "$$" && line.size() > fence_.size()) ||
                text_.find(fence_, static_cast<std::size_t>(line.data() - text_.data()) + fence_.size()) != text_.npos;
    return true;
  }

  std::string_view text_;
  std::string copy_;
  std::string_view fence_;
  bool in_block_ = false;
  bool goes_on_ = false;
};

bool has_letter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0;
  });
}

bool is_wide(char32_t c) { return c >= 0x2E80 && c < 0x1F000 && !(c >= 0xAC00 && c <= 0xD7A3); }

}  // namespace

std::vector<Span> prose_sentences(std::string_view text) {
  const ProseCopy copy(text);
  std::vector<Span> found;
  for (const Span sentence : sentences(copy.text())) {
    const std::string_view words = trimmed(sentence.of(copy.text()));
    if (!has_letter(words)) continue;
    const auto begin = static_cast<std::uint64_t>(words.data() - copy.text().data());
    found.push_back(Span{begin, begin + words.size()});
  }
  return found;
}

std::string joined_lines(std::string_view sentence) {
  std::string out;
  char32_t last = 0;
  bool space = false;
  for (const auto c : utf8::CodePoints(sentence)) {
    if (c.value <= 0x20) {
      space = !out.empty();
      continue;
    }
    if (space && !(is_wide(last) && is_wide(c.value))) out += ' ';
    space = false;
    utf8::append(out, c.value == utf8::kInvalid ? utf8::kReplacement : c.value);
    last = c.value;
  }
  return out;
}

}  // namespace ragstone
