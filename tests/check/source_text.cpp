#include "check/source_text.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace ragstone::check {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Walks a source once; each function consumes one construct at position_ and blanks what is not code.
class Blanker {
 public:
  explicit Blanker(std::string_view source) : source_(source), code_(source) {}

  std::string run() {
    bool line_start = true;
    while (position_ < source_.size()) {
      const char c = source_[position_];
      if (starts("//"))
        blank_until("\n", 0);
      else if (starts("/*"))
        blank_until("*/", 2);
      else if (c == '#' && line_start)
        directive();
      else if (c == '"')
        is_raw_prefix() ? raw_string() : quoted('"');
      else if (c == '\'' && !is_digit_separator())
        quoted('\'');
      else
        ++position_;
      if (c == '\n')
        line_start = true;
      else if (std::isspace(static_cast<unsigned char>(c)) == 0)
        line_start = false;
    }
    return std::move(code_);
  }

 private:
  bool starts(std::string_view text) const { return source_.substr(position_).starts_with(text); }

  void blank(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (code_[i] != '\n') code_[i] = ' ';
  }

  void blank_until(std::string_view terminator, std::size_t keep_after) {
    const std::size_t found = source_.find(terminator, position_ + 2);
    const std::size_t end = found == source_.npos ? source_.size() : found + keep_after;
    blank(position_, end);
    position_ = end;
  }

  /// The start of the word that ends just before `position`.
  std::size_t word_start(std::size_t position) const {
    while (position > 0 && (is_word(source_[position - 1]) || source_[position - 1] == '\'')) --position;
    return position;
  }

  bool is_digit_separator() const {
    const std::size_t start = word_start(position_);
    return start < position_ && std::isdigit(static_cast<unsigned char>(source_[start])) != 0;
  }

  bool is_raw_prefix() const {
    const std::string_view prefix = source_.substr(word_start(position_), position_ - word_start(position_));
    return prefix == "R" || prefix == "u8R" || prefix == "uR" || prefix == "UR" || prefix == "LR";
  }

  void raw_string() {
    const std::size_t open = source_.find('(', position_);
    const std::string terminator = ")" + std::string(source_.substr(position_ + 1, open - position_ - 1)) + "\"";
    const std::size_t found = source_.find(terminator, open);
    const std::size_t end = found == source_.npos ? source_.size() : found + terminator.size();
    blank(position_ + 1, end - 1);
    position_ = end;
  }

  void quoted(char quote) {
    std::size_t end = position_ + 1;
    while (end < source_.size() && source_[end] != quote && source_[end] != '\n') end += source_[end] == '\\' ? 2 : 1;
    end = std::min(end, source_.size());
    blank(position_ + 1, end);
    position_ = end + 1;
  }

  void directive() {
    std::size_t end = position_;
    do {
      end = source_.find('\n', end + 1);
    } while (end != source_.npos && source_[end - 1] == '\\');
    end = std::min(end, source_.size());
    const bool is_define = source_.substr(position_, end - position_).find("define") != source_.npos;
    code_[position_] = ';';
    if (is_define) {
      for (std::size_t i = position_; i < end; ++i)
        if (code_[i] == '\\') code_[i] = ' ';
      ++position_;
    } else {
      blank(position_ + 1, end);
      position_ = end;
    }
    if (end < code_.size()) code_[end] = ';';
  }

  std::string_view source_;
  std::string code_;
  std::size_t position_ = 0;
};

}  // namespace

std::string code_of(std::string_view source) { return Blanker(source).run(); }

std::size_t line_of(std::string_view source, std::size_t position) {
  const auto end = source.begin() + static_cast<std::ptrdiff_t>(std::min(position, source.size()));
  return 1 + static_cast<std::size_t>(std::count(source.begin(), end, '\n'));
}

std::vector<Include> includes_of(std::string_view source) {
  std::vector<Include> found;
  std::istringstream lines{std::string(source)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    char hash = 0;
    std::string keyword;
    if (!(words >> hash) || hash != '#' || !std::getline(words >> std::ws, keyword)) continue;
    if (!keyword.starts_with("include")) continue;
    const std::size_t open = keyword.find_first_of("<\"");
    if (open == keyword.npos) continue;
    const bool quoted = keyword[open] == '"';
    const std::size_t close = keyword.find(quoted ? '"' : '>', open + 1);
    found.push_back({number, quoted, keyword.substr(open + 1, close - open - 1)});
  }
  return found;
}

std::vector<std::filesystem::path> source_files(const std::filesystem::path& root,
                                                const std::vector<std::string>& folders) {
  std::vector<std::filesystem::path> files;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp" || extension == ".h"))
        files.push_back(entry.path().lexically_relative(root));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace ragstone::check
