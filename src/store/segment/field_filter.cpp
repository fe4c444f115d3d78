#include "kernel/stop_poll.hpp"
#include "store/segment/field_part.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace ragstone::segment {
namespace {

/// Numbers of values, from 1: [begin, end).
struct CodeRange {
  std::uint32_t begin = 1;
  std::uint32_t end = 1;

  bool contains(std::uint32_t code) const noexcept { return code - begin < end - begin; }
};

std::partial_ordering order_of(const FieldValue& value, const Scalar& other) noexcept {
  const auto* text = std::get_if<std::string>(&other);
  if (text == nullptr || value.kind() != FieldValue::Class::text) return compare(value.scalar, other);
  return value.text <=> std::string_view(*text);
}

FieldValue::Class class_of(const Scalar& value) noexcept {
  FieldValue probe;
  if (value.index() != 3) probe.scalar = value;
  return value.index() == 3 ? FieldValue::Class::text : probe.kind();
}

/// The values of one field, which ascend.
class Values {
 public:
  Values(const FieldPart& part, std::size_t field) : part_(part), field_(field), count_(part.values(field)) {}

  FieldValue at(std::uint32_t code) const { return part_.value(field_, code - 1); }

  CodeRange of_class(FieldValue::Class kind) const {
    return {first([&](const FieldValue& value) { return value.kind() >= kind; }),
            first([&](const FieldValue& value) { return value.kind() > kind; })};
  }
  /// Those that compare() calls equal.
  CodeRange equal_to(const Scalar& value) const {
    const FieldValue::Class kind = class_of(value);
    const auto reaches = [&](const FieldValue& v) {
      return v.kind() != kind ? v.kind() > kind : order_of(v, value) >= 0;
    };
    const auto exceeds = [&](const FieldValue& v) {
      return v.kind() != kind ? v.kind() > kind : order_of(v, value) > 0;
    };
    return {first(reaches), first(exceeds)};
  }
  /// Texts that begin with it.
  CodeRange with_prefix(std::string_view prefix) const {
    const auto reaches = [&](const FieldValue& v) { return v.kind() == FieldValue::Class::text && v.text >= prefix; };
    const auto exceeds = [&](const FieldValue& v) {
      return v.kind() == FieldValue::Class::text && v.text.substr(0, prefix.size()) > prefix;
    };
    return {first(reaches), first(exceeds)};
  }

 private:
  /// The code of the first value for which `holds`; it holds for all after it too.
  template <class Holds>
  std::uint32_t first(Holds holds) const {
    std::uint32_t begin = 1;
    std::uint32_t end = static_cast<std::uint32_t>(count_) + 1;
    while (begin < end) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      if (holds(at(middle))) {
        end = middle;
      } else {
        begin = middle + 1;
      }
    }
    return begin;
  }

  const FieldPart& part_;
  std::size_t field_;
  std::size_t count_;
};

/// What a pattern begins with before its first wildcard.
std::string plain_prefix(std::string_view pattern) {
  std::string prefix;
  for (std::size_t at = 0; at < pattern.size() && pattern[at] != '%' && pattern[at] != '_'; ++at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    prefix.push_back(pattern[at]);
  }
  return prefix;
}

class Selector {
 public:
  Selector(const FieldPart& part, const StopToken& stop) : part_(part), poll_(stop) {}

  RowBitmap operator()(const FilterNodePtr& node) { return std::visit(*this, node->value()); }

  RowBitmap operator()(const FilterNever&) { return RowBitmap(part_.rows()); }

  RowBitmap operator()(const FilterCompare& node) {
    const std::size_t field = number_of(node.field);
    const Values values(part_, field);
    const CodeRange all = values.of_class(class_of(node.value));
    const CodeRange equal = values.equal_to(node.value);
    switch (node.op) {
      case CompareOp::equal:
        return rows_in(field, equal);
      case CompareOp::not_equal: {
        RowBitmap rows = rows_in(field, {all.begin, equal.begin});
        return rows |= rows_in(field, {equal.end, all.end});
      }
      case CompareOp::less:
        return rows_in(field, {all.begin, equal.begin});
      case CompareOp::less_equal:
        return rows_in(field, {all.begin, equal.end});
      case CompareOp::greater:
        return rows_in(field, {equal.end, all.end});
      case CompareOp::greater_equal:
        return rows_in(field, {equal.begin, all.end});
    }
    return RowBitmap(part_.rows());
  }

  RowBitmap operator()(const FilterIn& node) {
    const std::size_t field = number_of(node.field);
    const Values values(part_, field);
    std::vector<std::uint8_t> chosen(part_.values(field) + 1);
    for (const Scalar& value : node.values) {
      const CodeRange equal = values.equal_to(value);
      poll_.spend(1000);
      for (std::uint32_t code = equal.begin; code < equal.end; ++code) chosen[code] = 1;
    }
    return rows_of(field, chosen);
  }

  RowBitmap operator()(const FilterLike& node) {
    const std::size_t field = number_of(node.field);
    const Values values(part_, field);
    std::vector<std::uint8_t> chosen(part_.values(field) + 1);
    const CodeRange candidates = values.with_prefix(plain_prefix(node.pattern));
    for (std::uint32_t code = candidates.begin; code < candidates.end; ++code) {
      const FieldValue value = values.at(code);
      poll_.spend(50 + value.text.size());
      chosen[code] = value.kind() == FieldValue::Class::text && like_matches(value.text, node.pattern) ? 1 : 0;
    }
    return rows_of(field, chosen);
  }

  RowBitmap operator()(const FilterExists& node) {
    const std::size_t field = number_of(node.field);
    return rows_in(field, {1, static_cast<std::uint32_t>(part_.values(field)) + 1});
  }

  RowBitmap operator()(const FilterAnd& node) {
    RowBitmap rows = (*this)(node.terms.front());
    for (std::size_t i = 1; i < node.terms.size(); ++i) rows &= (*this)(node.terms[i]);
    return rows;
  }

  RowBitmap operator()(const FilterOr& node) {
    RowBitmap rows = (*this)(node.terms.front());
    for (std::size_t i = 1; i < node.terms.size(); ++i) rows |= (*this)(node.terms[i]);
    return rows;
  }

  RowBitmap operator()(const FilterNot& node) {
    RowBitmap rows = (*this)(node.term);
    rows.complement();
    return rows;
  }

 private:
  std::size_t number_of(const std::string& field) const {
    const std::optional<std::size_t> number = part_.find_field(field);
    if (!number) throw_corrupt("a field has no column");
    return *number;
  }

  RowBitmap rows_in(std::size_t field, CodeRange range) {
    poll_.spend(part_.rows());
    if (range.begin >= range.end) return RowBitmap(part_.rows());
    const std::span<const std::uint32_t> codes = part_.codes(field);
    return RowBitmap::of(codes.size(), [&](std::size_t row) { return range.contains(codes[row]); });
  }

  RowBitmap rows_of(std::size_t field, const std::vector<std::uint8_t>& chosen) {
    poll_.spend(2 * part_.rows());
    const std::span<const std::uint32_t> codes = part_.codes(field);
    return RowBitmap::of(codes.size(),
                         [&](std::size_t row) { return codes[row] < chosen.size() && chosen[codes[row]] != 0; });
  }

  const FieldPart& part_;
  kernel::StopPoll poll_;
};

/// Whether all fields that a filter names are declared.
class Coverage {
 public:
  explicit Coverage(std::span<const std::string> fields) : fields_(fields) {}

  bool operator()(const FilterNodePtr& node) const { return std::visit(*this, node->value()); }
  bool operator()(const FilterNever&) const { return true; }
  bool operator()(const FilterCompare& node) const { return has(node.field); }
  bool operator()(const FilterIn& node) const { return has(node.field); }
  bool operator()(const FilterLike& node) const { return has(node.field); }
  bool operator()(const FilterExists& node) const { return has(node.field); }
  bool operator()(const FilterAnd& node) const { return std::all_of(node.terms.begin(), node.terms.end(), *this); }
  bool operator()(const FilterOr& node) const { return std::all_of(node.terms.begin(), node.terms.end(), *this); }
  bool operator()(const FilterNot& node) const { return (*this)(node.term); }

 private:
  bool has(const std::string& field) const { return std::binary_search(fields_.begin(), fields_.end(), field); }

  std::span<const std::string> fields_;
};

}  // namespace

bool is_covered(const FilterNode& filter, std::span<const std::string> fields) {
  return std::visit(Coverage(fields), filter.value());
}

RowBitmap select_rows(const FieldPart& part, const FilterNode& filter, const StopToken& stop) {
  return std::visit(Selector(part, stop), filter.value());
}

}  // namespace ragstone::segment
