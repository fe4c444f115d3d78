#pragma once

#include <ragstone/base/node.hpp>
#include <ragstone/index/word_index_options.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace ragstone {

/// What an index of words takes of nodes and queries, by its options.
class WordFields {
 public:
  explicit WordFields(WordIndexOptions options) : options_(std::move(options)) {}

  bool has_weights() const noexcept { return !options_.weight_field.empty(); }
  /// Empty: it has none. Valid until the node or `normal` is changed.
  std::string_view word_of(const Node& node, std::string& normal) const;
  float weight_of(const Node& node) const;
  /// The form in which words are compared; valid until `text` or `normal` is changed.
  std::string_view comparable(std::string_view text, std::string& normal) const;
  /// For Index::form().
  std::string form() const;

 private:
  WordIndexOptions options_;
};

}  // namespace ragstone
