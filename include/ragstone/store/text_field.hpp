#pragma once

#include <ragstone/text/analyzer.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace ragstone {

/// A field of metadata that BM25 searches together with the texts of nodes: "title". A node's own value counts, or else
/// its source's; values that are no text count for nothing.
///
/// This is BM25F in its simple form (Robertson, Zaragoza and Taylor 2004): a term of the field counts as `weight` terms
/// of the text, in frequencies and lengths alike.
class TextField {
 public:
  TextField() = default;
  explicit TextField(std::string field_name, double field_weight = 2,
                     std::shared_ptr<const Analyzer> field_analyzer = nullptr)
      : name(std::move(field_name)), weight(field_weight), analyzer(std::move(field_analyzer)) {}

  std::string name;
  double weight = 2;                         ///< Above 0, at most 1,000.
  std::shared_ptr<const Analyzer> analyzer;  ///< Null: that of the node's group.
};

static_assert(!std::is_aggregate_v<TextField>);

}  // namespace ragstone
