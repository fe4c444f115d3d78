#include "check/co_await_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace ragstone::check {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// What a "{" opens.
enum class Brace { block, initialiser, lambda };

/// A heuristic reader of C++: it knows brackets, words and what may stand before a block.
class Reader {
 public:
  /// `code` is code_of(source).
  Reader(std::string_view source, std::string_view code) : source_(source), code_(code) {}

  std::vector<Finding> findings() const {
    std::vector<Finding> found;
    for (std::size_t at = code_.find("co_await"); at != kNone; at = code_.find("co_await", at + 1)) {
      if (word_at(at) != "co_await" || word_before(at) == "operator") continue;
      const std::string_view expression = full_expression(at, found);
      if (expression.find('?') != kNone) report(found, at, "?:");
    }
    return found;
  }

 private:
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

  void report(std::vector<Finding>& found, std::size_t at, const char* what) const {
    found.push_back({line_of(source_, at), std::string(what) + " in an expression with co_await"});
  }

  /// The last character before `position` that is no space; kNone at the start.
  std::size_t previous(std::size_t position) const {
    while (position-- > 0)
      if (std::isspace(static_cast<unsigned char>(code_[position])) == 0) return position;
    return kNone;
  }

  std::size_t word_start(std::size_t last) const {
    while (last > 0 && is_word(code_[last - 1])) --last;
    return last;
  }

  std::string_view word_ending_at(std::size_t last) const {
    if (last == kNone || !is_word(code_[last])) return {};
    return code_.substr(word_start(last), last + 1 - word_start(last));
  }

  std::string_view word_before(std::size_t position) const { return word_ending_at(previous(position)); }

  std::string_view word_at(std::size_t position) const {
    if (position > 0 && is_word(code_[position - 1])) return {};
    std::size_t end = position;
    while (end < code_.size() && is_word(code_[end])) ++end;
    return code_.substr(position, end - position);
  }

  static bool opens(char c) { return c == '(' || c == '[' || c == '{'; }
  static bool closes(char c) { return c == ')' || c == ']' || c == '}'; }

  std::size_t matching_open(std::size_t close) const {
    std::size_t depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
      if (closes(code_[i])) ++depth;
      if (opens(code_[i]) && --depth == 0) return i;
    }
    return kNone;
  }

  std::size_t matching_close(std::size_t open) const {
    std::size_t depth = 0;
    for (std::size_t i = open; i < code_.size(); ++i) {
      if (opens(code_[i])) ++depth;
      if (closes(code_[i]) && --depth == 0) return i;
    }
    return kNone;
  }

  bool is_lambda_introducer(std::size_t bracket) const {
    if (bracket == kNone || code_[bracket] != '[') return false;
    const std::size_t before = previous(bracket);
    if (before == kNone) return true;
    static constexpr std::array<std::string_view, 6> keywords{"return",   "co_return", "co_await",
                                                              "co_yield", "else",      "throw"};
    if (is_word(code_[before])) return is_one_of(word_ending_at(before), keywords);
    return code_[before] != ')' && code_[before] != ']' && code_[before] != '[';
  }

  /// Where "<" of the template argument list is that ends at `close`; stops at what no type contains.
  std::size_t matching_angle(std::size_t close) const {
    std::size_t depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
      if (code_[i] == '>') ++depth;
      if (code_[i] == '<' && --depth == 0) return i;
      if (code_[i] == ';' || code_[i] == '{' || code_[i] == '}') return kNone;
    }
    return kNone;
  }

  /// If a trailing return type ends at `last`: the last character before its arrow; otherwise `last`.
  std::size_t skip_return_type(std::size_t last) const {
    std::size_t i = last;
    while (i != kNone) {
      const char c = code_[i];
      if (c == '>' && i > 0 && code_[i - 1] == '-') return previous(i - 1);
      if (c == '>')
        i = matching_angle(i);
      else if (c == ')')
        i = matching_open(i);
      else if (!is_word(c) && c != ':' && c != '&' && c != '*')
        return last;
      if (i == kNone) return last;
      i = previous(i);
    }
    return last;
  }

  std::size_t skip_specifiers(std::size_t last) const {
    static constexpr std::array<std::string_view, 6> specifiers{"const", "noexcept", "override",
                                                                "final", "mutable",  "constexpr"};
    while (last != kNone) {
      if (code_[last] == '&')
        last = previous(last);
      else if (is_one_of(word_ending_at(last), specifiers))
        last = previous(word_start(last));
      else if (code_[last] == ')' && word_before(matching_open(last)) == "noexcept")
        last = previous(matching_open(last));
      else
        break;
    }
    return last;
  }

  /// True if what ends at `last` is the head of a class, enumeration or namespace.
  bool is_type_head(std::size_t last) const {
    static constexpr std::array<std::string_view, 5> heads{"namespace", "struct", "class", "enum", "union"};
    std::size_t i = last;
    while (i != kNone) {
      if (is_word(code_[i])) {
        if (is_one_of(word_ending_at(i), heads)) return true;
        i = previous(word_start(i));
      } else if (code_[i] == '>') {
        const std::size_t open = matching_angle(i);
        if (open == kNone) return false;
        i = previous(open);
      } else if (code_[i] == ':' || code_[i] == ',') {
        i = previous(i);
      } else {
        return false;
      }
    }
    return false;
  }

  Brace classify(std::size_t open) const {
    std::size_t last = previous(open);
    if (last == kNone) return Brace::block;
    last = skip_specifiers(last);
    last = skip_specifiers(skip_return_type(last));
    if (last == kNone) return Brace::block;
    const char c = code_[last];
    if (c == ';' || c == '{' || c == '}' || c == ':' || c == '"') return Brace::block;
    if (c == ')') {
      std::size_t before = previous(matching_open(last));
      if (before != kNone && code_[before] == '>') before = previous(matching_angle(before));
      if (before != kNone && code_[before] == ']' && is_lambda_introducer(matching_open(before))) return Brace::lambda;
      return Brace::block;
    }
    if (c == ']') return is_lambda_introducer(matching_open(last)) ? Brace::lambda : Brace::initialiser;
    static constexpr std::array<std::string_view, 3> block_words{"else", "do", "try"};
    if (is_one_of(word_ending_at(last), block_words) || is_type_head(last)) return Brace::block;
    return Brace::initialiser;
  }

  bool is_control(std::size_t open_parenthesis) const {
    static constexpr std::array<std::string_view, 5> words{"if", "for", "while", "switch", "constexpr"};
    return is_one_of(word_before(open_parenthesis), words);
  }

  /// The full expression (or declaration with its initialiser) around the co_await at `at`. Reports braces and lambdas
  /// that belong to it.
  std::string_view full_expression(std::size_t at, std::vector<Finding>& found) const {
    std::size_t limit = code_.size();
    const std::size_t begin = expression_begin(at, limit);
    const std::size_t end = expression_end(at, limit);
    bool has_brace = false;
    bool has_lambda = false;
    for (std::size_t i = begin; i < end; ++i) {
      if (code_[i] != '{') continue;
      const Brace kind = classify(i);
      has_brace |= kind == Brace::initialiser;
      has_lambda |= kind == Brace::lambda;
    }
    if (has_brace) report(found, at, "braces");
    if (has_lambda) report(found, at, "a lambda");
    return code_.substr(begin, end - begin);
  }

  /// Also lowers `limit` to the closing parenthesis of an if, for, while or switch around `at`.
  std::size_t expression_begin(std::size_t at, std::size_t& limit) const {
    for (std::size_t i = at; i-- > 0;) {
      const char c = code_[i];
      if (c == ';') return i + 1;
      if (c == '{' && classify(i) != Brace::initialiser) return i + 1;
      if (c == '(' && is_control(i)) {
        limit = matching_close(i);
        return i + 1;
      }
      if (!closes(c)) continue;
      const std::size_t open = matching_open(i);
      if (open == kNone) return i + 1;
      if (c == '}' && classify(open) == Brace::block) return i + 1;
      if (c == ')' && is_control(open)) return i + 1;
      i = open;
    }
    return 0;
  }

  std::size_t expression_end(std::size_t at, std::size_t limit) const {
    limit = std::min(limit, code_.size());
    for (std::size_t i = at; i < limit; ++i) {
      const char c = code_[i];
      if (c == ';') return i;
      if (c == '}' && classify(matching_open(i)) != Brace::initialiser) return i;
      if (!opens(c)) continue;
      i = matching_close(i);
      if (i == kNone) return limit;
    }
    return limit;
  }

  std::string_view source_;
  std::string_view code_;
};

}  // namespace

std::vector<Finding> co_await_findings(std::string_view source) {
  const std::string code = code_of(source);
  return Reader(source, code).findings();
}

}  // namespace ragstone::check
