#include "rag/text_terms.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

namespace ragstone {
namespace {

/// The terms of several analysers, by ascending position; those that one of them gave before are left out.
class UnitedAnalyzer final : public Analyzer {
 public:
  UnitedAnalyzer(const std::string& signature, std::vector<std::shared_ptr<const Analyzer>> all)
      : Analyzer(signature), all_(std::move(all)) {}

 private:
  void do_visit(std::string_view text, const Visitor& visitor) const override {
    std::vector<Token> tokens = all_.front()->analyze(text);
    std::set<std::pair<std::size_t, std::string>> seen;
    for (const Token& token : tokens) seen.emplace(token.span.begin, token.term);
    for (auto other = all_.begin() + 1; other != all_.end(); ++other)
      for (Token& token : (*other)->analyze(text))
        if (seen.emplace(token.span.begin, token.term).second) tokens.push_back(std::move(token));
    std::stable_sort(tokens.begin(), tokens.end(),
                     [](const Token& a, const Token& b) { return a.position < b.position; });
    for (const Token& token : tokens) visitor(token.term, token.span, token.position);
  }

  std::vector<std::shared_ptr<const Analyzer>> all_;
};

void check_signature(const Analyzer& analyzer, const std::string& what) {
  if (analyzer.signature().empty())
    throw Error(Errc::invalid_argument, "analyzers: that of " + what + " has no signature");
}

void check(const std::vector<TextField>& fields) {
  std::set<std::string_view> names;
  for (const TextField& field : fields) {
    if (field.name.empty()) throw Error(Errc::invalid_argument, "text_fields: a field has no name");
    if (!names.insert(field.name).second)
      throw Error(Errc::invalid_argument, "text_fields: \"" + field.name + "\" is named twice");
    if (!(field.weight > 0 && field.weight <= 1000))
      throw Error(Errc::invalid_argument,
                  "text_fields: the weight of \"" + field.name + "\" must be above 0, at most 1,000");
    if (field.analyzer) check_signature(*field.analyzer, "the field \"" + field.name + '"');
  }
}

}  // namespace

TextTerms::TextTerms(std::shared_ptr<const Analyzer> otherwise, Analyzers by_group, std::vector<TextField> fields)
    : otherwise_(std::move(otherwise)), fields_(std::move(fields)) {
  check(fields_);
  check_signature(*otherwise_, "all groups");
  for (auto& [group, own] : by_group) {
    if (!own) throw Error(Errc::invalid_argument, "analyzers: that of group \"" + group + "\" is null");
    check_signature(*own, "group \"" + group + '"');
    by_group_.emplace(group, std::move(own));
  }
  std::sort(fields_.begin(), fields_.end(), [](const TextField& a, const TextField& b) { return a.name < b.name; });
}

std::string TextTerms::signature(std::string_view group) const {
  std::string signature = analyzer(group)->signature();
  for (const TextField& field : fields_) {
    // As "%.9g" has it, in any locale.
    std::array<char, 32> weight;
    const std::to_chars_result end =
        std::to_chars(weight.data(), weight.data() + weight.size(), field.weight, std::chars_format::general, 9);
    signature += "+field/1/" + field.name + '*' + std::string(weight.data(), end.ptr);
    if (field.analyzer) signature += '(' + field.analyzer->signature() + ')';
  }
  return signature;
}

void TextTerms::count(std::string_view group, std::string_view text, const Metadata& own, const Metadata& inherited,
                      SparseRows& to) const {
  if (fields_.empty()) {
    std::uint32_t length = 0;
    analyzer(group)->visit(text, [&](std::string_view term, Span, std::uint32_t) {
      to.rows.add(term);
      ++length;
    });
    to.rows.end_vector();
    to.lengths.push_back(length);
    return;
  }
  TermCounts counts = count_terms(*analyzer(group), text);
  std::map<std::string, double> weights(counts.terms.begin(), counts.terms.end());
  auto length = static_cast<double>(counts.length);
  for (const TextField& field : fields_) {
    const std::optional<std::string> words = (own.find(field.name) ? own : inherited).text(field.name);
    if (!words) continue;
    counts = count_terms(analyzer(field, group), *words);
    for (const auto& [term, count] : counts.terms) weights[term] += field.weight * count;
    length += field.weight * static_cast<double>(counts.length);
  }
  for (const auto& [term, weight] : weights) to.rows.add(term, static_cast<float>(weight));
  to.rows.end_vector();
  to.lengths.push_back(static_cast<std::uint32_t>(std::lround(length)));
}

std::shared_ptr<const Analyzer> TextTerms::query_analyzer(std::string_view group) const {
  std::vector<std::shared_ptr<const Analyzer>> all{analyzer(group)};
  std::set<std::string_view> signatures{all.front()->signature()};
  std::string united = all.front()->signature();
  for (const TextField& field : fields_)
    if (field.analyzer && signatures.insert(field.analyzer->signature()).second) {
      all.push_back(field.analyzer);
      united += '|' + field.analyzer->signature();
    }
  if (all.size() == 1) return all.front();
  return std::make_shared<UnitedAnalyzer>(united, std::move(all));
}

const std::shared_ptr<const Analyzer>& TextTerms::analyzer(std::string_view group) const {
  const auto found = by_group_.find(group);
  return found == by_group_.end() ? otherwise_ : found->second;
}

const Analyzer& TextTerms::analyzer(const TextField& field, std::string_view group) const {
  return field.analyzer ? *field.analyzer : *analyzer(group);
}

}  // namespace ragstone
