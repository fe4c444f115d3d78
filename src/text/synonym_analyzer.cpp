#include <ragstone/base/error.hpp>
#include <ragstone/base/ids.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <unordered_map>

namespace ragstone {
namespace {

using Terms = std::vector<std::string>;

class SynonymAnalyzer final : public Analyzer {
 public:
  SynonymAnalyzer(std::string signature, std::shared_ptr<const Analyzer> base, std::vector<std::vector<Terms>> groups)
      : Analyzer(std::move(signature)), base_(std::move(base)), groups_(std::move(groups)) {
    for (std::size_t group = 0; group < groups_.size(); ++group)
      for (std::size_t member = 0; member < groups_[group].size(); ++member)
        by_first_[groups_[group][member].front()].push_back({group, member});
  }

 private:
  struct Member {
    std::size_t group = 0;
    std::size_t number = 0;
  };

  void do_visit(std::string_view text, const Visitor& visitor) const override {
    const std::vector<Token> tokens = base_->analyze(text);
    for (std::size_t at = 0; at < tokens.size(); ++at) {
      visitor(tokens[at].term, tokens[at].span, tokens[at].position);
      const auto found = by_first_.find(tokens[at].term);
      if (found == by_first_.end()) continue;
      for (const Member& member : found->second) give_others(tokens, at, member, visitor);
    }
  }

  void give_others(const std::vector<Token>& tokens, std::size_t at, const Member& member,
                   const Visitor& visitor) const {
    const std::vector<Terms>& group = groups_[member.group];
    const Terms& matched = group[member.number];
    if (tokens.size() - at < matched.size()) return;
    for (std::size_t i = 0; i < matched.size(); ++i)
      if (tokens[at + i].term != matched[i]) return;
    const Span span{tokens[at].span.begin, tokens[at + matched.size() - 1].span.end};
    for (std::size_t other = 0; other < group.size(); ++other)
      if (other != member.number)
        for (const std::string& term : group[other]) visitor(term, span, tokens[at].position);
  }

  std::shared_ptr<const Analyzer> base_;
  std::vector<std::vector<Terms>> groups_;  ///< [group][member]: the member's terms.
  std::unordered_map<std::string, std::vector<Member>> by_first_;
};

}  // namespace

std::shared_ptr<const Analyzer> synonym_analyzer(std::shared_ptr<const Analyzer> base,
                                                 const std::vector<std::vector<std::string>>& groups) {
  if (!base) throw Error(Errc::invalid_argument, "synonym_analyzer: no analyser was given");
  std::string all;
  std::vector<std::vector<Terms>> analyzed;
  for (const std::vector<std::string>& group : groups) {
    std::vector<Terms>& members = analyzed.emplace_back();
    for (const std::string& text : group) {
      Terms terms;
      for (Token& token : base->analyze(text)) terms.push_back(std::move(token.term));
      if (terms.empty())
        throw Error(Errc::invalid_argument,
                    "synonym_analyzer: the analyser finds no term in a synonym; leave out stop words and punctuation");
      if (std::find(members.begin(), members.end(), terms) != members.end()) continue;
      for (const std::string& term : terms) all += term + ' ';
      all += '\n';
      members.push_back(std::move(terms));
    }
    all += '\n';
  }
  std::string signature = base->signature() + "+synonyms/1/" + to_string(hash128(all));
  return std::make_shared<SynonymAnalyzer>(std::move(signature), std::move(base), std::move(analyzed));
}

}  // namespace ragstone
