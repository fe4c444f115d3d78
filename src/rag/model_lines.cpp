#include "rag/model_lines.hpp"

#include <algorithm>
#include <cctype>

namespace ragstone {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view white = " \t\r";
  const std::size_t begin = text.find_first_not_of(white);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(white) - begin + 1);
}

std::string_view without_bullet(std::string_view line) {
  for (const std::string_view bullet : {"- ", "* ", "• "})
    if (line.starts_with(bullet)) return trimmed(line.substr(bullet.size()));
  const std::size_t digits = line.find_first_not_of("0123456789");
  if (digits == 0 || digits == line.npos) return line;
  for (const std::string_view end : {". ", ") ", "、", "．", "）"})
    if (line.substr(digits).starts_with(end)) return trimmed(line.substr(digits + end.size()));
  return line;
}

std::string_view without_quotes(std::string_view line) {
  constexpr std::string_view quotes[][2] = {{"\"", "\""}, {"“", "”"}, {"「", "」"}, {"《", "》"}};
  for (const auto& [open, close] : quotes)
    if (line.size() > open.size() + close.size() && line.starts_with(open) && line.ends_with(close))
      return line.substr(open.size(), line.size() - open.size() - close.size());
  return line;
}

bool has_letter(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0;
  });
}

}  // namespace

std::vector<std::string> model_lines(std::string_view reply, std::size_t limit) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < reply.size() && lines.size() < limit;) {
    const std::size_t end = std::min(reply.find('\n', begin), reply.size());
    const std::string_view line = without_quotes(without_bullet(trimmed(reply.substr(begin, end - begin))));
    if (has_letter(line) && std::find(lines.begin(), lines.end(), line) == lines.end()) lines.emplace_back(line);
    begin = end + 1;
  }
  return lines;
}

}  // namespace ragstone
