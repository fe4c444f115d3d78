#include <ragstone/base/error.hpp>
#include <ragstone/base/filter_ast.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <cmath>

namespace ragstone {
namespace {

std::size_t depth_of(const std::vector<FilterNodePtr>& terms) {
  std::size_t depth = 0;
  for (const FilterNodePtr& term : terms) depth = std::max(depth, term->depth());
  return depth;
}

std::partial_ordering compare_exactly(std::int64_t a, double b) noexcept {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= kTwo63) return std::partial_ordering::less;
  if (b < -kTwo63) return std::partial_ordering::greater;
  const double whole = std::trunc(b);
  if (const auto order = a <=> static_cast<std::int64_t>(whole); order != 0) return order;
  return whole <=> b;
}

std::partial_ordering reversed(std::partial_ordering order) noexcept { return 0 <=> order; }

}  // namespace

const char* symbol_of(CompareOp op) noexcept {
  switch (op) {
    case CompareOp::equal:
      return "==";
    case CompareOp::not_equal:
      return "!=";
    case CompareOp::less:
      return "<";
    case CompareOp::less_equal:
      return "<=";
    case CompareOp::greater:
      return ">";
    case CompareOp::greater_equal:
      return ">=";
  }
  return "?";
}

FilterNode::FilterNode(Value value) : value_(std::move(value)) {
  if (const auto* all = std::get_if<FilterAnd>(&value_)) depth_ += depth_of(all->terms);
  if (const auto* any = std::get_if<FilterOr>(&value_)) depth_ += depth_of(any->terms);
  if (const auto* negation = std::get_if<FilterNot>(&value_)) depth_ += negation->term->depth();
  if (depth_ > kMaxDepth) throw Error(Errc::limit_exceeded, "filter: nested deeper than 200 levels; flatten it");
}

std::partial_ordering compare(const Scalar& a, const Scalar& b) noexcept {
  if (const auto* integer = std::get_if<std::int64_t>(&a)) {
    if (const auto* other = std::get_if<std::int64_t>(&b)) return *integer <=> *other;
    if (const auto* other = std::get_if<double>(&b)) return compare_exactly(*integer, *other);
    return std::partial_ordering::unordered;
  }
  if (const auto* number = std::get_if<double>(&a)) {
    if (const auto* other = std::get_if<double>(&b)) return *number <=> *other;
    if (const auto* other = std::get_if<std::int64_t>(&b)) return reversed(compare_exactly(*other, *number));
    return std::partial_ordering::unordered;
  }
  if (a.index() != b.index()) return std::partial_ordering::unordered;
  if (const auto* text = std::get_if<std::string>(&a)) return *text <=> *std::get_if<std::string>(&b);
  return *std::get_if<bool>(&a) <=> *std::get_if<bool>(&b);
}

bool like_matches(std::string_view text, std::string_view pattern) noexcept {
  std::size_t at = 0;
  std::size_t p = 0;
  // Where to go on after a mismatch: behind the last '%', which then takes one more code point.
  std::size_t retry_pattern = utf8::npos;
  std::size_t retry_text = 0;
  for (;;) {
    if (p < pattern.size() && pattern[p] == '%') {
      retry_pattern = ++p;
      retry_text = at;
      continue;
    }
    if (p == pattern.size() && at == text.size()) return true;
    if (p < pattern.size() && at < text.size()) {
      if (pattern[p] == '_') {
        at += utf8::decode(text, at).size;
        ++p;
        continue;
      }
      const std::size_t plain = p + (pattern[p] == '\\' && p + 1 < pattern.size() ? 1 : 0);
      if (pattern[plain] == text[at]) {
        ++at;
        p = plain + 1;
        continue;
      }
    }
    if (retry_pattern == utf8::npos || retry_text >= text.size()) return false;
    retry_text += utf8::decode(text, retry_text).size;
    at = retry_text;
    p = retry_pattern;
  }
}

}  // namespace ragstone
