#include "support/rounds.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/utf8.hpp>

#include <cmath>
#include <functional>
#include <random>

#include <gtest/gtest.h>

// Random filters, each made twice: as a Filter, and as a plain function over the row that knows nothing of Ragstone's
// evaluator.

namespace ragstone {
namespace {

using Naive = std::function<bool(const Metadata&)>;

struct Pair {
  Filter filter;
  Naive naive;
};

const std::vector<std::string> kFields{"a", "year", "作者", "shelf mark", "x`y", "and", "a.b", "$meta"};

// long double holds every int64 and every double exactly.
static_assert(std::numeric_limits<long double>::digits >= 64);

std::optional<long double> number_of(const Scalar& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<long double>(*i);
  if (const auto* d = std::get_if<double>(&value)) return static_cast<long double>(*d);
  return std::nullopt;
}

bool naive_compare(const Scalar& a, CompareOp op, const Scalar& b) {
  int order = 0;
  if (const auto x = number_of(a), y = number_of(b); x && y) {
    order = *x < *y ? -1 : *x > *y;
  } else if (a.index() != b.index()) {
    return false;
  } else {
    order = a < b ? -1 : b < a;
  }
  return op == CompareOp::equal        ? order == 0
         : op == CompareOp::not_equal  ? order != 0
         : op == CompareOp::less       ? order < 0
         : op == CompareOp::less_equal ? order <= 0
         : op == CompareOp::greater    ? order > 0
                                       : order >= 0;
}

std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    points.push_back(decoded.code_point);
    at += decoded.size;
  }
  return points;
}

// Exponential, but right by its brevity; patterns and texts here are short.
bool naive_like(std::u32string_view text, std::u32string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%')
    return naive_like(text, pattern.substr(1)) || (!text.empty() && naive_like(text.substr(1), pattern));
  if (text.empty()) return false;
  if (pattern[0] == '\\') return text[0] == pattern[1] && naive_like(text.substr(1), pattern.substr(2));
  return (pattern[0] == '_' || pattern[0] == text[0]) && naive_like(text.substr(1), pattern.substr(1));
}

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  Scalar scalar() {
    const std::vector<Scalar> values{true,
                                     false,
                                     std::int64_t{0},
                                     std::int64_t{1},
                                     std::int64_t{-7},
                                     (std::int64_t{1} << 53) + 1,
                                     std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::min(),
                                     0.0,
                                     -0.0,
                                     0.5,
                                     1.0,
                                     9007199254740992.0,
                                     9223372036854775808.0,
                                     -9223372036854775808.0,
                                     5e-324,
                                     1.7976931348623157e308,
                                     std::string(),
                                     std::string("ab"),
                                     std::string("a'b\"c\\"),
                                     std::string("鲁迅"),
                                     std::string("\n\x7F\0x", 4)};
    return values[below(values.size())];
  }

  std::string word() {
    std::string text;
    for (std::size_t n = below(6); n > 0; --n) text += std::vector<std::string>{"a", "b", "%", "鲁"}[below(4)];
    return text;
  }

  Metadata row() {
    Metadata metadata;
    for (const std::string& name : kFields) {
      if (below(3) == 0) continue;
      metadata.set(name, below(3) == 0 ? Scalar(word()) : scalar());
    }
    return metadata;
  }

  Pair leaf() {
    const std::string name = kFields[below(kFields.size())];
    const auto get = [name](const Metadata& row) { return row.find(name); };
    switch (below(6)) {
      case 0:
        return {field(name).exists(), [get](const Metadata& row) { return get(row) != nullptr; }};
      case 1: {
        std::vector<Scalar> values;
        for (std::size_t n = below(4); n > 0; --n) values.push_back(scalar());
        return {field(name).in(values), [get, values](const Metadata& row) {
                  for (const Scalar& value : values)
                    if (get(row) && naive_compare(*get(row), CompareOp::equal, value)) return true;
                  return false;
                }};
      }
      case 2: {
        std::string pattern;
        for (std::size_t n = below(5); n > 0; --n)
          pattern += std::vector<std::string>{"a", "b", "_", "%", "\\%", "鲁"}[below(6)];
        return {field(name).like(pattern), [get, pattern](const Metadata& row) {
                  const auto* text = get(row) ? std::get_if<std::string>(get(row)) : nullptr;
                  return text && naive_like(code_points(*text), code_points(pattern));
                }};
      }
      default: {
        const Scalar value = scalar();
        const bool flag = std::holds_alternative<bool>(value);
        const auto op = static_cast<CompareOp>(below(flag ? 2 : 6));
        return {field(name).compare(op, value),
                [get, op, value](const Metadata& row) { return get(row) && naive_compare(*get(row), op, value); }};
      }
    }
  }

  Pair tree(std::size_t depth) {
    if (depth == 0 || below(4) == 0) return leaf();
    const Pair a = tree(depth - 1);
    if (below(3) == 0) return {!a.filter, [a](const Metadata& row) { return !a.naive(row); }};
    const Pair b = tree(depth - 1);
    if (below(2) == 0)
      return {a.filter && b.filter, [a, b](const Metadata& row) { return a.naive(row) && b.naive(row); }};
    return {a.filter || b.filter, [a, b](const Metadata& row) { return a.naive(row) || b.naive(row); }};
  }

 private:
  std::mt19937 random_;
};

TEST(FilterRandom, EvaluatesAsANaiveEvaluatorDoes) {
  Generator generator(20240607);
  std::size_t held = 0;
  const std::size_t count = test::rounds(20'000);
  for (std::size_t i = 0; i < count; ++i) {
    const Pair pair = generator.tree(generator.below(6));
    for (int n = 0; n < 3; ++n) {
      const Metadata row = generator.row();
      const bool expected = pair.naive(row);
      held += expected;
      ASSERT_EQ(pair.filter.matches(row), expected) << pair.filter.to_string();
    }
  }
  EXPECT_GT(held, count / 2);
  EXPECT_LT(held, 3 * count - count / 2);
}

TEST(FilterRandom, WhatIsPrintedReadsBackEqual) {
  Generator generator(11);
  for (std::size_t i = 0; i < test::rounds(20'000); ++i) {
    const Filter filter = generator.tree(generator.below(8)).filter;
    const std::string text = filter.to_string();
    const Filter read = Filter::parse(text);
    ASSERT_EQ(read.to_string(), text);
    const Metadata row = generator.row();
    ASSERT_EQ(read.matches(row), filter.matches(row)) << text;
  }
}

}  // namespace
}  // namespace ragstone
