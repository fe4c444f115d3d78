#include "base/filter_rules.hpp"
#include <ragstone/base/filter.hpp>

#include <array>
#include <charconv>

namespace ragstone {
namespace {

void print_text(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte == 0x7F) {
      out.append("\\u00");
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void print_number(std::string& out, double number) {
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  const std::string_view digits(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  out.append(digits);
  // Without a point it would be read as an integer.
  if (digits.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  void operator()(const FilterNever&) const { out_.append("false"); }
  void operator()(const FilterCompare& node) const {
    print_field(node.field);
    out_.append(" ").append(symbol_of(node.op)).append(" ");
    print_value(node.value);
  }
  void operator()(const FilterIn& node) const {
    print_field(node.field);
    out_.append(" in [");
    for (std::size_t i = 0; i < node.values.size(); ++i) {
      if (i > 0) out_.append(", ");
      print_value(node.values[i]);
    }
    out_.append("]");
  }
  void operator()(const FilterLike& node) const {
    print_field(node.field);
    out_.append(" like ");
    print_text(out_, node.pattern);
  }
  void operator()(const FilterExists& node) const {
    out_.append("exists ");
    print_field(node.field);
  }
  void operator()(const FilterAnd& node) const { print_terms(node.terms, " and "); }
  void operator()(const FilterOr& node) const { print_terms(node.terms, " or "); }
  void operator()(const FilterNot& node) const {
    out_.append("not ");
    const auto& term = node.term->value();
    print_nested(node.term, std::holds_alternative<FilterAnd>(term) || std::holds_alternative<FilterOr>(term));
  }

 private:
  void print_terms(const std::vector<FilterNodePtr>& terms, std::string_view between) const {
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (i > 0) out_.append(between);
      print_nested(terms[i], std::holds_alternative<FilterOr>(terms[i]->value()));
    }
  }

  void print_nested(const FilterNodePtr& node, bool parentheses) const {
    if (parentheses) out_.push_back('(');
    std::visit(*this, node->value());
    if (parentheses) out_.push_back(')');
  }

  void print_field(std::string_view name) const {
    if (detail::is_plain_field(name)) {
      out_.append(name);
      return;
    }
    out_.push_back('`');
    for (const char c : name) out_.append(c == '`' ? 2 : 1, c);
    out_.push_back('`');
  }

  void print_value(const Scalar& value) const {
    if (const auto* flag = std::get_if<bool>(&value)) out_.append(*flag ? "true" : "false");
    if (const auto* integer = std::get_if<std::int64_t>(&value)) out_.append(std::to_string(*integer));
    if (const auto* number = std::get_if<double>(&value)) print_number(out_, *number);
    if (const auto* text = std::get_if<std::string>(&value)) print_text(out_, *text);
  }

  std::string& out_;
};

}  // namespace

std::string Filter::to_string() const {
  std::string text;
  if (root_) std::visit(Printer(text), root_->value());
  return text;
}

}  // namespace ragstone
