#include "base/filter_rules.hpp"
#include "base/metadata_rules.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

class MetadataLookup final : public FieldLookup {
 public:
  explicit MetadataLookup(const Metadata& fields) : fields_(fields) {}
  const Scalar* find(std::string_view name) const override { return fields_.find(name); }

 private:
  const Metadata& fields_;
};

bool holds(CompareOp op, std::partial_ordering order) noexcept {
  if (order == std::partial_ordering::unordered) return false;
  switch (op) {
    case CompareOp::equal:
      return order == 0;
    case CompareOp::not_equal:
      return order != 0;
    case CompareOp::less:
      return order < 0;
    case CompareOp::less_equal:
      return order <= 0;
    case CompareOp::greater:
      return order > 0;
    case CompareOp::greater_equal:
      return order >= 0;
  }
  return false;
}

class Evaluator {
 public:
  explicit Evaluator(const FieldLookup& fields) : fields_(fields) {}

  bool operator()(const FilterNodePtr& node) const { return std::visit(*this, node->value()); }

  bool operator()(const FilterNever&) const { return false; }
  bool operator()(const FilterCompare& node) const {
    const Scalar* value = fields_.find(node.field);
    return value && holds(node.op, compare(*value, node.value));
  }
  bool operator()(const FilterIn& node) const {
    const Scalar* value = fields_.find(node.field);
    return value && std::any_of(node.values.begin(), node.values.end(),
                                [&](const Scalar& one) { return compare(*value, one) == 0; });
  }
  bool operator()(const FilterLike& node) const {
    const Scalar* value = fields_.find(node.field);
    const auto* text = value ? std::get_if<std::string>(value) : nullptr;
    return text && like_matches(*text, node.pattern);
  }
  bool operator()(const FilterExists& node) const { return fields_.find(node.field) != nullptr; }
  bool operator()(const FilterAnd& node) const { return std::all_of(node.terms.begin(), node.terms.end(), *this); }
  bool operator()(const FilterOr& node) const { return std::any_of(node.terms.begin(), node.terms.end(), *this); }
  bool operator()(const FilterNot& node) const { return !(*this)(node.term); }

 private:
  const FieldLookup& fields_;
};

bool is_never(const FilterNode& node) noexcept { return std::holds_alternative<FilterNever>(node.value()); }

FilterNodePtr make_node(FilterNode::Value value) { return std::make_shared<const FilterNode>(std::move(value)); }

// Adds `node` to `terms`; of a node that is Joined (FilterAnd or FilterOr) itself, its terms.
template <class Joined>
void add_terms(std::vector<FilterNodePtr>& terms, const FilterNodePtr& node) {
  if (const auto* same = std::get_if<Joined>(&node->value()))
    terms.insert(terms.end(), same->terms.begin(), same->terms.end());
  else
    terms.push_back(node);
}

template <class Joined>
FilterNodePtr join(std::vector<FilterNodePtr> terms) {
  return terms.size() == 1 ? terms.front() : make_node(Joined{std::move(terms)});
}

}  // namespace

bool Filter::matches(const FieldLookup& fields) const { return !root_ || Evaluator(fields)(root_); }

bool Filter::matches(const Metadata& fields) const { return !root_ || matches(MetadataLookup(fields)); }

std::vector<Filter> Filter::conditions() const {
  if (!root_) return {};
  std::vector<Filter> conditions;
  if (const auto* all = std::get_if<FilterAnd>(&root_->value()))
    for (const FilterNodePtr& term : all->terms) conditions.push_back(Filter(term));
  else
    conditions.push_back(*this);
  return conditions;
}

bool operator==(const Filter& a, const Filter& b) { return a.root_ == b.root_ || a.to_string() == b.to_string(); }

Filter Filter::all_of(const std::vector<Filter>& filters) {
  std::vector<FilterNodePtr> terms;
  for (const Filter& filter : filters) {
    if (filter.empty()) continue;
    if (is_never(*filter.root_)) return filter;
    add_terms<FilterAnd>(terms, filter.root_);
  }
  return terms.empty() ? Filter() : Filter(join<FilterAnd>(std::move(terms)));
}

Filter Filter::any_of(const std::vector<Filter>& filters) {
  std::vector<FilterNodePtr> terms;
  for (const Filter& filter : filters) {
    if (filter.empty()) return {};
    if (!is_never(*filter.root_)) add_terms<FilterOr>(terms, filter.root_);
  }
  return terms.empty() ? !Filter() : Filter(join<FilterOr>(std::move(terms)));
}

Filter operator&&(const Filter& a, const Filter& b) { return Filter::all_of({a, b}); }

Filter operator||(const Filter& a, const Filter& b) { return Filter::any_of({a, b}); }

Filter operator!(const Filter& a) {
  if (a.empty()) return Filter(make_node(FilterNever{}));
  if (is_never(*a.root())) return {};
  return Filter(make_node(FilterNot{a.root_}));
}

FilterField::FilterField(std::string name) : name_(std::move(name)) {
  if (const std::string problem = detail::name_problem(name_); !problem.empty())
    throw Error(Errc::invalid_argument, "filter: " + problem);
}

Filter FilterField::compare(CompareOp op, Scalar value) const {
  if (const std::string problem = detail::comparison_problem(op, value); !problem.empty())
    throw Error(Errc::invalid_argument, "filter: '" + name_ + "': " + problem);
  return Filter(make_node(FilterCompare{name_, op, std::move(value)}));
}

Filter FilterField::in(std::vector<Scalar> values) const {
  for (const Scalar& value : values) {
    if (const std::string problem = detail::value_problem(value); !problem.empty())
      throw Error(Errc::invalid_argument, "filter: '" + name_ + "': " + problem);
  }
  return Filter(make_node(FilterIn{name_, std::move(values)}));
}

Filter FilterField::like(std::string pattern) const {
  if (const std::string problem = detail::pattern_problem(pattern); !problem.empty())
    throw Error(Errc::invalid_argument, "filter: '" + name_ + "': " + problem);
  return Filter(make_node(FilterLike{name_, std::move(pattern)}));
}

Filter FilterField::exists() const { return Filter(make_node(FilterExists{name_})); }

namespace detail {

std::string comparison_problem(CompareOp op, const Scalar& value) {
  if (std::holds_alternative<bool>(value) && op != CompareOp::equal && op != CompareOp::not_equal)
    return "true and false have no order; use == or !=";
  return value_problem(value);
}

std::string pattern_problem(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) return "the pattern has more than 4096 bytes; shorten it";
  if (const std::size_t bad = utf8::find_invalid(pattern); bad != utf8::npos)
    return "the pattern is not valid UTF-8 at byte " + std::to_string(bad);
  std::size_t backslashes = 0;
  while (backslashes < pattern.size() && pattern[pattern.size() - 1 - backslashes] == '\\') ++backslashes;
  if (backslashes % 2 == 1) return "the pattern ends with a lone backslash; double it";
  return {};
}

}  // namespace detail
}  // namespace ragstone
