#pragma once

#include <ragstone/base/metadata.hpp>

#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The tree of a Filter, for those who translate it (SQL, a remote store's dialect). Trees are immutable and shared;
/// they are made by Filter::parse() and the builders of filter.hpp, which keep every rule stated here.
namespace ragstone {

class FilterNode;
using FilterNodePtr = std::shared_ptr<const FilterNode>;

enum class CompareOp { equal, not_equal, less, less_equal, greater, greater_equal };

/// Its spelling: "<=".
const char* symbol_of(CompareOp op) noexcept;

/// False for every row. Only a root: inside a tree it is folded away, like the empty filter, which is its opposite.
struct FilterNever {};

/// field op value. False if the field is missing or of another type, for not_equal too. Numbers are one type: int and
/// double compare exactly. Texts compare by bytes. A bool is compared by equal and not_equal only.
struct FilterCompare {
  std::string field;
  CompareOp op = CompareOp::equal;
  Scalar value;
};

/// True if the field equals one of the values; false for an empty list.
struct FilterIn {
  std::string field;
  std::vector<Scalar> values;
};

/// True if the field is text and all of it matches: `%` any run of code points, `_` one code point, `\` makes the next
/// character plain. Case-sensitive. The pattern does not end within an escape.
struct FilterLike {
  std::string field;
  std::string pattern;
};

/// True if the field is present.
struct FilterExists {
  std::string field;
};

/// At least two terms, none of them a FilterAnd.
struct FilterAnd {
  std::vector<FilterNodePtr> terms;
};

/// At least two terms, none of them a FilterOr.
struct FilterOr {
  std::vector<FilterNodePtr> terms;
};

struct FilterNot {
  FilterNodePtr term;
};

class FilterNode {
 public:
  using Value =
      std::variant<FilterNever, FilterCompare, FilterIn, FilterLike, FilterExists, FilterAnd, FilterOr, FilterNot>;

  /// Nodes nest at most this deep, so that recursion over a tree is safe.
  static constexpr std::size_t kMaxDepth = 200;

  /// Errors: Errc::limit_exceeded beyond kMaxDepth.
  explicit FilterNode(Value value);

  const Value& value() const noexcept { return value_; }
  std::size_t depth() const noexcept { return depth_; }

 private:
  Value value_;
  std::size_t depth_ = 1;
};

/// Orders two values: int and double exactly, without rounding either; texts by bytes; unordered if the types differ.
std::partial_ordering compare(const Scalar& a, const Scalar& b) noexcept;

/// True if the whole of `text` matches a FilterLike pattern. At most text x pattern steps, no recursion.
bool like_matches(std::string_view text, std::string_view pattern) noexcept;

}  // namespace ragstone
