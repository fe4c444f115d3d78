#pragma once

#include <ragstone/base/metadata.hpp>
#include <ragstone/store/commit.hpp>
#include <ragstone/store/text_field.hpp>
#include <ragstone/text/analyzer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// How nodes become BM25's terms: the analyser of each group, and the fields of metadata that count with the text.
/// Immutable.
class TextTerms {
 public:
  using Analyzers = std::map<std::string, std::shared_ptr<const Analyzer>>;

  /// `otherwise` is for groups that `by_group` does not name.
  /// Errors: Errc::invalid_argument for a null analyser, a field without a name or named twice, or a bad weight.
  TextTerms(std::shared_ptr<const Analyzer> otherwise, Analyzers by_group, std::vector<TextField> fields);

  /// Equal signatures give equal terms.
  std::string signature(std::string_view group) const;
  /// Adds the terms and the length of one node. `own`: its metadata, `inherited`: its source's.
  void count(std::string_view group, std::string_view text, const Metadata& own, const Metadata& inherited,
             SparseRows& to) const;
  /// For queries: all terms that texts or fields of the group may have for a text.
  std::shared_ptr<const Analyzer> query_analyzer(std::string_view group) const;
  /// That of the group's texts.
  const std::shared_ptr<const Analyzer>& analyzer(std::string_view group) const;
  const std::vector<TextField>& fields() const noexcept { return fields_; }
  /// That of a field of the group's nodes.
  const Analyzer& analyzer(const TextField& field, std::string_view group) const;

 private:
  std::shared_ptr<const Analyzer> otherwise_;
  std::map<std::string, std::shared_ptr<const Analyzer>, std::less<>> by_group_;
  std::vector<TextField> fields_;  ///< Ascending by name.
};

}  // namespace ragstone
