#include "base/filter_lexer.hpp"
#include "base/filter_rules.hpp"
#include "base/metadata_rules.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

using detail::FilterLexer;
using detail::FilterToken;
using detail::FilterTokenKind;

constexpr std::size_t kMaxTextBytes = 1 << 20;

CompareOp mirrored(CompareOp op) {
  switch (op) {
    case CompareOp::less:
      return CompareOp::greater;
    case CompareOp::less_equal:
      return CompareOp::greater_equal;
    case CompareOp::greater:
      return CompareOp::less;
    case CompareOp::greater_equal:
      return CompareOp::less_equal;
    default:
      return op;
  }
}

// Recursive descent; every recursion passes descend(), which bounds the depth.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) { advance(); }

  Filter parse() {
    if (token_.kind == FilterTokenKind::end) return {};
    Filter filter = parse_or();
    if (token_.kind != FilterTokenKind::end) fail("'and', 'or' or the end of the filter");
    return filter;
  }

 private:
  struct Literal {
    Scalar value;
    std::size_t begin;
  };

  void advance() { token_ = lexer_.next(); }

  [[noreturn]] void fail(const std::string& expected) const {
    std::string found = "the end";
    if (token_.kind != FilterTokenKind::end) {
      constexpr std::size_t kShown = 40;
      std::size_t end = std::min(token_.end, token_.begin + kShown);
      while (end < token_.end && (static_cast<unsigned char>(text_[end]) & 0xC0u) == 0x80u) --end;
      found = "'" + std::string(text_.substr(token_.begin, end - token_.begin)) + (end < token_.end ? "...'" : "'");
    }
    throw FilterSyntaxError(token_.begin, "expected " + expected + ", found " + found);
  }

  bool at_symbol(std::string_view symbol) const {
    return token_.kind == FilterTokenKind::symbol && token_.text == symbol;
  }

  // `keyword` in lower case.
  bool at_keyword(std::string_view keyword) const {
    return token_.kind == FilterTokenKind::word && token_.text.size() == keyword.size() &&
           std::equal(keyword.begin(), keyword.end(), token_.text.begin(),
                      [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
  }

  bool take_symbol(std::string_view symbol) {
    if (!at_symbol(symbol)) return false;
    advance();
    return true;
  }

  bool take_keyword(std::string_view keyword) {
    if (!at_keyword(keyword)) return false;
    advance();
    return true;
  }

  void require_symbol(std::string_view symbol) {
    if (!take_symbol(symbol)) fail("'" + std::string(symbol) + "'");
  }

  // Makes a node through `make`; a tree that grows too deep is an error at `begin`.
  template <class Make>
  Filter build(std::size_t begin, const Make& make) const {
    try {
      return make();
    } catch (const Error& error) {
      if (error.errc() != Errc::limit_exceeded) throw;
      throw FilterSyntaxError(begin, "expected at most 200 nested levels; flatten the filter");
    }
  }

  void descend() {
    if (++depth_ > FilterNode::kMaxDepth)
      throw FilterSyntaxError(token_.begin, "expected at most 200 nested levels; flatten the filter");
  }

  Filter parse_or() {
    const std::size_t begin = token_.begin;
    std::vector<Filter> terms{parse_and()};
    while (take_symbol("||") || take_keyword("or")) terms.push_back(parse_and());
    return build(begin, [&] { return Filter::any_of(terms); });
  }

  Filter parse_and() {
    const std::size_t begin = token_.begin;
    std::vector<Filter> terms{parse_unary()};
    while (take_symbol("&&") || take_keyword("and")) terms.push_back(parse_unary());
    return build(begin, [&] { return Filter::all_of(terms); });
  }

  Filter parse_unary() {
    const std::size_t begin = token_.begin;
    if (take_symbol("!") || take_keyword("not")) {
      descend();
      const Filter term = parse_unary();
      --depth_;
      return build(begin, [&] { return !term; });
    }
    return parse_primary();
  }

  Filter parse_primary() {
    if (take_symbol("(")) {
      descend();
      Filter inner = parse_or();
      --depth_;
      require_symbol(")");
      return inner;
    }
    if (take_keyword("exists")) return parse_field().exists();
    if (at_literal()) return parse_literal_first();
    return parse_predicate(parse_field());
  }

  bool at_literal() const {
    return token_.kind == FilterTokenKind::text || token_.kind == FilterTokenKind::integer ||
           token_.kind == FilterTokenKind::real || at_keyword("true") || at_keyword("false");
  }

  Literal parse_literal() {
    const std::size_t begin = token_.begin;
    if (at_keyword("null")) fail("a value ('is null' asks for a missing field)");
    if (!at_literal()) fail("a value");
    Scalar value;
    switch (token_.kind) {
      case FilterTokenKind::text:
        value = token_.text;
        break;
      case FilterTokenKind::integer:
        value = token_.integer;
        break;
      case FilterTokenKind::real:
        value = token_.real;
        break;
      default:
        value = at_keyword("true");
        break;
    }
    advance();
    return {std::move(value), begin};
  }

  // A condition that begins with a value: `5 < x`, `1 < x <= 5`, or a lone `true`.
  Filter parse_literal_first() {
    const Literal low = parse_literal();
    const bool constant = std::holds_alternative<bool>(low.value);
    const auto op = take_operator();
    if (!op && constant) return std::get<bool>(low.value) ? Filter() : !Filter();
    if (!op) fail("an operator after the value");
    const FilterField field = parse_field();
    const Filter first = comparison(field, mirrored(*op), low);
    const bool range = *op != CompareOp::equal && *op != CompareOp::not_equal;
    const std::size_t second_begin = token_.begin;
    const auto second = range ? take_operator() : std::nullopt;
    if (!second) return first;
    if (*second == CompareOp::equal || *second == CompareOp::not_equal)
      throw FilterSyntaxError(second_begin, "expected <, <=, > or >= in a range");
    return first && comparison(field, *second, parse_literal());
  }

  std::optional<CompareOp> take_operator() {
    for (const CompareOp op : {CompareOp::equal, CompareOp::not_equal, CompareOp::less, CompareOp::less_equal,
                               CompareOp::greater, CompareOp::greater_equal}) {
      if (take_symbol(symbol_of(op))) return op;
    }
    if (take_symbol("=")) return CompareOp::equal;
    return std::nullopt;
  }

  FilterField parse_field() {
    const std::size_t begin = token_.begin;
    std::string name;
    const bool word = token_.kind == FilterTokenKind::word && !detail::is_keyword(token_.text);
    if (!word && token_.kind != FilterTokenKind::quoted_field) fail("a field");
    name = token_.text;
    advance();
    const bool container = word && (name == "$meta" || name == "meta" || name == "metadata");
    if (container && take_symbol("[")) {
      if (token_.kind != FilterTokenKind::text) fail("a field's name in quotes");
      name = token_.text;
      advance();
      require_symbol("]");
    }
    if (const std::string problem = detail::name_problem(name); !problem.empty())
      throw FilterSyntaxError(begin, "expected the name of a field, but " + problem);
    return FilterField(std::move(name));
  }

  Filter comparison(const FilterField& field, CompareOp op, const Literal& literal) const {
    if (const std::string problem = detail::comparison_problem(op, literal.value); !problem.empty())
      throw FilterSyntaxError(literal.begin, "expected a comparable value, but " + problem);
    return field.compare(op, literal.value);
  }

  Filter parse_predicate(const FilterField& field) {
    if (const auto op = take_operator()) return comparison(field, *op, parse_literal());
    if (take_keyword("is")) {
      const bool negated = take_keyword("not");
      if (!take_keyword("null")) fail("'null'");
      return negated ? field.exists() : !field.exists();
    }
    const bool negated = take_keyword("not");
    if (take_keyword("in")) return negated ? !parse_list(field) : parse_list(field);
    if (take_keyword("like")) return negated ? !parse_like(field) : parse_like(field);
    fail(negated ? "'in' or 'like'" : "an operator after the field");
  }

  Filter parse_list(const FilterField& field) {
    std::vector<Scalar> values;
    require_symbol("[");
    while (!at_symbol("]")) {
      if (!values.empty()) require_symbol(",");
      values.push_back(parse_literal().value);
    }
    advance();
    return field.in(std::move(values));
  }

  Filter parse_like(const FilterField& field) {
    if (token_.kind != FilterTokenKind::text) fail("a pattern in quotes");
    if (const std::string problem = detail::pattern_problem(token_.text); !problem.empty())
      throw FilterSyntaxError(token_.begin, "expected a pattern, but " + problem);
    std::string pattern = std::move(token_.text);
    advance();
    return field.like(std::move(pattern));
  }

  std::string_view text_;
  FilterLexer lexer_;
  FilterToken token_;
  std::size_t depth_ = 0;
};

}  // namespace

FilterSyntaxError::FilterSyntaxError(std::size_t position, const std::string& expected)
    : Error(Errc::parse_error, "filter: at byte " + std::to_string(position) + ": " + expected), at_(position) {}

Filter Filter::parse(std::string_view text) {
  if (text.size() > kMaxTextBytes)
    throw FilterSyntaxError(kMaxTextBytes, "expected at most 1 MiB of text; split the filter");
  if (const std::size_t bad = utf8::find_invalid(text); bad != utf8::npos)
    throw FilterSyntaxError(bad, "expected valid UTF-8");
  return Parser(text).parse();
}

}  // namespace ragstone
