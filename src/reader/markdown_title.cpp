#include "reader/markdown_title.hpp"

#include <ragstone/text/utf8.hpp>

#include <charconv>
#include <optional>

#include <md4c.h>

namespace ragstone {
namespace {

// A title stands near the top; md4c reads all that it is given before its first callback.
constexpr std::size_t kWindow = 64 << 10;
constexpr std::size_t kMaxTitle = 1000;
constexpr int kAbort = -1;  // md4c 0.4.8 passes no positive value on

std::string one_line(std::string_view text) {
  std::string line;
  bool space = false;
  for (const utf8::CodePoint point : utf8::CodePoints(text)) {
    if (point.value <= 0x20 || point.value == 0x7F || point.value == 0xA0 || point.value == 0x3000) {
      space = !line.empty();
      continue;
    }
    if (line.size() + point.end - point.begin + space > kMaxTitle) break;
    if (space) line += ' ';
    space = false;
    line += text.substr(point.begin, point.end - point.begin);
  }
  return line;
}

void append_entity(std::string& text, std::string_view entity) {
  static constexpr std::pair<std::string_view, std::string_view> kNamed[] = {
      {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", " "}};
  for (const auto& [name, value] : kNamed)
    if (name == entity) {
      text += value;
      return;
    }
  if (!entity.starts_with("&#") || entity.size() < 4) {
    text += entity;
    return;
  }
  const bool hexadecimal = entity[2] == 'x' || entity[2] == 'X';
  std::uint32_t value = 0;
  const char* const end = entity.data() + entity.size() - 1;
  const auto parsed = std::from_chars(entity.data() + (hexadecimal ? 3 : 2), end, value, hexadecimal ? 16 : 10);
  utf8::append(text, parsed.ec == std::errc() && parsed.ptr == end && value != 0 ? value : utf8::kReplacement);
}

/// What md4c's callbacks share.
struct HeadingSearch {
  bool inside = false;
  bool found = false;
  std::string text;
};

int enter_block(MD_BLOCKTYPE type, void*, void* user) {
  auto& search = *static_cast<HeadingSearch*>(user);
  search.inside = type == MD_BLOCK_H;
  search.text.clear();
  return 0;
}

int leave_block(MD_BLOCKTYPE, void*, void* user) {
  auto& search = *static_cast<HeadingSearch*>(user);
  if (search.inside) search.text = one_line(search.text);
  search.found = search.inside && !search.text.empty();
  search.inside = false;
  return search.found ? kAbort : 0;
}

int ignore_span(MD_SPANTYPE, void*, void*) { return 0; }

int take_text(MD_TEXTTYPE type, const MD_CHAR* bytes, MD_SIZE size, void* user) {
  auto& search = *static_cast<HeadingSearch*>(user);
  if (!search.inside || type == MD_TEXT_HTML) return 0;
  const std::string_view text(bytes, size);
  if (type == MD_TEXT_ENTITY)
    append_entity(search.text, text);
  else if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
    search.text += ' ';
  else
    search.text += text;
  return 0;
}

std::string first_heading(std::string_view text) {
  MD_PARSER parser{};
  parser.flags = MD_DIALECT_GITHUB;
  parser.enter_block = enter_block;
  parser.leave_block = leave_block;
  parser.enter_span = ignore_span;
  parser.leave_span = ignore_span;
  parser.text = take_text;
  HeadingSearch search;
  md_parse(text.data(), static_cast<MD_SIZE>(text.size()), &parser, &search);
  return search.found ? std::move(search.text) : std::string();
}

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

std::string_view unquoted(std::string_view value) {
  while (value.starts_with(' ')) value.remove_prefix(1);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
    value = value.substr(1, value.size() - 2);
  return value;
}

/// Takes a front matter off the beginning of `text`; its title, empty if it has none.
std::string take_front_matter(std::string_view& text) {
  std::string_view rest = text;
  if (next_line(rest) != "---") return {};
  std::string title;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line == "---" || line == "...") {
      text = rest;
      return title;
    }
    if (line.starts_with("title:")) title = one_line(unquoted(line.substr(6)));
  }
  return {};
}

}  // namespace

std::string markdown_title(std::string_view text) {
  text = text.substr(0, utf8::floor_boundary(text, kWindow));
  std::string title = take_front_matter(text);
  return title.empty() ? first_heading(text) : title;
}

}  // namespace ragstone
