#pragma once

#include <ragstone/base/error.hpp>
#include <ragstone/base/filter_ast.hpp>
#include <ragstone/base/metadata.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Where a filter finds the values of the row it is asked about.
class FieldLookup {
 public:
  virtual ~FieldLookup() = default;

  /// Null if the row has no such field.
  virtual const Scalar* find(std::string_view name) const = 0;
};

/// The error of Filter::parse().
class FilterSyntaxError final : public Error {
 public:
  FilterSyntaxError(std::size_t position, const std::string& expected);

  /// Byte offset in the filter's text.
  std::size_t position() const noexcept { return at_; }

 private:
  std::size_t at_;
};

/// A condition on metadata. Cheap to copy; immutable, hence safe to share between threads. Default: matches every row.
///
/// Written like Milvus' expressions:
///
///     year >= 2020 and lang in ["zh", "en"] and not (title like "draft%")
///     1 < price <= 9.5 || exists `shelf mark` || $meta["作者"] == "鲁迅"
///
/// - `==` (or `=`), `!=`, `<`, `<=`, `>`, `>=`; `in [...]`, `not in [...]`; `like`, `not like`; `exists f`;
///   `f is null`, `f is not null`; `and` `&&`, `or` `||`, `not` `!`; parentheses; `true`, `false`. Keywords in any
///   case.
/// - `not` binds tighter than `and`, `and` tighter than `or`. A range may be written `1 < x <= 5`.
/// - Fields: letters of any script, digits, `_` and `.`; any other name in backquotes (a backquote doubled) or as
///   `$meta["name"]`, `meta["name"]`, `metadata["name"]`.
/// - Values: integers of 64 bits, decimal numbers, `true`, `false`, text in single or double quotes with JSON's
/// escapes,
///   `\'`, and `\%` and `\_`, which stay as they are for `like`.
///
/// Two-valued: a comparison with a missing or other-typed field is false, and `not` is plain negation; so `f not in
/// [1]` and `not (f == 1)` hold for a row without f, while `f != 1` does not.
class Filter {
 public:
  Filter() = default;

  /// Limits: 1 MiB of text, FilterNode::kMaxDepth levels, patterns of 4,096 bytes. White space alone is the empty
  /// filter. Errors: FilterSyntaxError (Errc::parse_error), whose message says where, and what was expected.
  static Filter parse(std::string_view text);

  /// True if nothing is asked: every row matches.
  bool empty() const noexcept { return !root_; }
  /// Null if empty. Lives as long as any copy of this filter.
  const FilterNode* root() const noexcept { return root_.get(); }

  bool matches(const FieldLookup& fields) const;
  bool matches(const Metadata& fields) const;

  /// Filters that all must match where this one does, and that match together only there: the terms of an `and`, or the
  /// filter itself. None for the empty filter.
  std::vector<Filter> conditions() const;

  /// Text that parse() turns into an equal filter; empty for the empty filter.
  std::string to_string() const;

  /// The same tree (1 and 1.0 are different values).
  friend bool operator==(const Filter& a, const Filter& b);

  /// Errors, for these five: Errc::limit_exceeded beyond FilterNode::kMaxDepth.
  friend Filter operator&&(const Filter& a, const Filter& b);
  friend Filter operator||(const Filter& a, const Filter& b);
  friend Filter operator!(const Filter& a);

  /// All filters joined by `and`, in linear time; the empty filter for an empty list.
  static Filter all_of(const std::vector<Filter>& filters);
  /// All filters joined by `or`; a filter that matches nothing for an empty list.
  static Filter any_of(const std::vector<Filter>& filters);

 private:
  friend class FilterField;

  explicit Filter(FilterNodePtr root) : root_(std::move(root)) {}

  FilterNodePtr root_;
};

/// A field in a filter written in C++: `field("year") >= 2020 && !field("lang").in({"zh", "en"})`.
///
/// Errors of all members: Errc::invalid_argument for a name or value that Metadata would not take, for a bool compared
/// by order, and for a pattern that ends within an escape or has more than 4,096 bytes.
class FilterField {
 public:
  explicit FilterField(std::string name);

  Filter compare(CompareOp op, Scalar value) const;
  Filter in(std::vector<Scalar> values) const;
  Filter not_in(std::vector<Scalar> values) const { return !in(std::move(values)); }
  Filter like(std::string pattern) const;
  Filter exists() const;

  friend Filter operator==(const FilterField& f, Scalar v) { return f.compare(CompareOp::equal, std::move(v)); }
  friend Filter operator!=(const FilterField& f, Scalar v) { return f.compare(CompareOp::not_equal, std::move(v)); }
  friend Filter operator<(const FilterField& f, Scalar v) { return f.compare(CompareOp::less, std::move(v)); }
  friend Filter operator<=(const FilterField& f, Scalar v) { return f.compare(CompareOp::less_equal, std::move(v)); }
  friend Filter operator>(const FilterField& f, Scalar v) { return f.compare(CompareOp::greater, std::move(v)); }
  friend Filter operator>=(const FilterField& f, Scalar v) { return f.compare(CompareOp::greater_equal, std::move(v)); }

 private:
  std::string name_;
};

inline FilterField field(std::string name) { return FilterField(std::move(name)); }

static_assert(!std::is_aggregate_v<Filter>);

}  // namespace ragstone
