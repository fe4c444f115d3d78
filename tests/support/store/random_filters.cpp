#include "support/store/random_filters.hpp"

#include <cstdint>
#include <limits>

namespace ragstone::test {
namespace {

const std::vector<Scalar>& values() {
  static const std::vector<Scalar> values = {
      Scalar(true),
      Scalar(false),
      Scalar(std::int64_t{0}),
      Scalar(std::int64_t{1}),
      Scalar(std::int64_t{-1}),
      Scalar(std::int64_t{2020}),
      Scalar(std::int64_t{9007199254740993}),
      Scalar(std::numeric_limits<std::int64_t>::max()),
      Scalar(std::numeric_limits<std::int64_t>::min()),
      Scalar(0.0),
      Scalar(-0.0),
      Scalar(1.0),
      Scalar(0.5),
      Scalar(-1e300),
      Scalar(9007199254740992.0),
      Scalar(9223372036854775808.0),
      Scalar(std::numeric_limits<double>::denorm_min()),
      Scalar(std::string()),
      Scalar(std::string("en")),
      Scalar(std::string("EN")),
      Scalar(std::string("english")),
      Scalar(std::string("a%b")),
      Scalar(std::string("a_b")),
      Scalar(std::string("a\\b")),
      Scalar(std::string("鲁迅")),
      Scalar(std::string("鲁迅全集")),
      Scalar(std::string("' OR 1=1 --")),
      Scalar(std::string("1")),
  };
  return values;
}

}  // namespace

const std::vector<std::string>& RandomFilters::names() {
  static const std::vector<std::string> names = {"year", "lang", "作者", "shelf mark", "x\"); DROP TABLE source; --"};
  return names;
}

Scalar RandomFilters::value() { return values()[below(values().size())]; }

Metadata RandomFilters::metadata() {
  Metadata metadata;
  for (const std::string& name : names())
    if (below(3) > 0) metadata.set(name, value());
  return metadata;
}

std::string RandomFilters::pattern() {
  static const std::vector<std::string> pieces = {"%", "_", "e", "en", "a", "b", "\\%", "\\_", "\\\\", "鲁", "迅", "1"};
  std::string pattern;
  for (std::size_t i = below(5); i > 0; --i) pattern += pieces[below(pieces.size())];
  return pattern;
}

Filter RandomFilters::filter(std::size_t depth) {
  const FilterField name = field(names()[below(names().size())]);
  const std::size_t kind = below(depth > 0 ? 10 : 7);
  switch (kind) {
    case 0:
    case 1:
    case 2: {
      const Scalar one = value();
      const std::size_t operators = std::holds_alternative<bool>(one) ? 2 : 6;
      return name.compare(static_cast<CompareOp>(below(operators)), one);
    }
    case 3:
    case 4: {
      std::vector<Scalar> some;
      for (std::size_t i = below(5); i > 0; --i) some.push_back(value());
      return kind == 3 ? name.in(some) : name.not_in(some);
    }
    case 5:
      return name.like(pattern());
    case 6:
      return name.exists();
    case 7:
      return filter(depth - 1) && filter(depth - 1);
    case 8:
      return filter(depth - 1) || filter(depth - 1);
    default:
      return !filter(depth - 1);
  }
}

}  // namespace ragstone::test
