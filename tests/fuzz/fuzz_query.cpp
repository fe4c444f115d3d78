#include "fuzz/targets.hpp"
#include "store/run_search.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/index/linear_index.hpp>
#include <ragstone/index/trie_index.hpp>
#include <ragstone/store/memory_engine.hpp>
#include <ragstone/store/snapshot.hpp>
#include <ragstone/text/highlight.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone::test {
namespace {

constexpr char kLines[] = "line";
constexpr std::size_t kAll = 100;

void require(bool holds, const char* promise) {
  if (!holds) throw std::logic_error(promise);
}

/// Lines of several scripts, searched by standard_analyzer(), and as words of both indexes.
class SmallStore {
 public:
  SmallStore() {
    Commit commit;
    commit.sources.push_back(sample_lines("en",
                                          "apple\nThe model computes a score.\nDr. Smith, e.g., paid $3.14; ok?\n"
                                          "what does one do about keys\nstate-of-the-art C++ code\nthe of and\n"));
    commit.sources.push_back(
        sample_lines("zh", "苹果\n注意力机制很有用。\n首先，其次；最后：\n什么是动量\n用检索来增强生成\n"));
    const std::string scripts = "こんにちは。カタカナ\nสวัสดีชาวโลก\nمرحبا بالعالم\n";
    const std::string signs = "👩‍👩‍👧‍👦 🇨🇳\né e\u0301 ｆｕｌｌ\napple\n";
    commit.sources.push_back(sample_lines("other", scripts + signs));
    engine_->commit(std::move(commit));
    snapshot_ = engine_->snapshot();
    NodeQuery all;
    all.group = kLines;
    nodes_ = snapshot_->nodes(all, {});
    for (Index* index : {trie_.get(), linear_.get()}) {
      IndexUpdate update;
      update.to = snapshot_->generation();
      update.upserts = nodes_;
      index->update(update, {});
    }
  }

  const StoreSnapshot& snapshot() const { return *snapshot_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::shared_ptr<Index>& trie() const { return trie_; }
  const std::shared_ptr<Index>& linear() const { return linear_; }

 private:
  std::shared_ptr<StoreEngine> engine_ = memory_engine();
  std::shared_ptr<const StoreSnapshot> snapshot_;
  std::vector<Node> nodes_;
  std::shared_ptr<Index> trie_ = trie_index();
  std::shared_ptr<Index> linear_ = linear_index();
};

const SmallStore& store() {
  static const SmallStore only;
  return only;
}

std::shared_ptr<const Analyzer> query_analyzer(unsigned choice) {
  static const std::shared_ptr<const Analyzer> all[] = {
      standard_analyzer(), synonym_analyzer(standard_analyzer(), {{"apple", "苹果"}, {"model", "机制", "key"}}),
      word_analyzer({"c++", "动量"}), plain_analyzer()};
  return all[choice % 4];
}

SearchRequest request_of(TextMember query) {
  SearchRequest request;
  request.group = kLines;
  request.top_k = kAll;
  SearchMember& member = request.members.emplace_back();
  member.name = kBm25Key;
  member.query = std::move(query);
  return request;
}

/// The ids of the hits, which are in order.
std::set<NodeId> ids_of(SearchRequest request) {
  const SearchResponse response = run_search(store().snapshot(), std::move(request), {});
  std::set<NodeId> ids;
  const SearchHit* before = nullptr;
  for (const SearchHit& hit : response.hits) {
    require(std::isfinite(hit.score), "scores are finite");
    require(before == nullptr || before->score >= hit.score, "the best hits come first");
    require(ids.insert(hit.node.id).second, "a node is one hit");
    before = &hit;
  }
  return ids;
}

void ask_by_words(const std::string& text, unsigned choice) {
  TextMember member;
  member.key = kBm25Key;
  member.text = text;
  member.analyzer = query_analyzer(choice);
  member.text_analyzer = standard_analyzer();
  member.terms.function_words = (choice & 4) != 0;
  const Highlighter highlighter(*member.analyzer, text, member.terms.function_words);
  std::set<NodeId> marked;
  for (const Node& node : store().nodes())
    if (!highlighter.mark(*member.text_analyzer, node.text).empty()) marked.insert(node.id);
  member.feedback.weight = 0;
  require(ids_of(request_of(member)) == marked, "hits are the texts that have a word to mark");
  member.boosts.depth = 0;
  require(ids_of(request_of(member)) == marked, "boosts neither add nor drop");
  member.feedback.weight = 0.4;
  member.feedback.flat_from = member.feedback.flat_to = 0;
  const std::set<NodeId> more = ids_of(request_of(member));
  for (const NodeId id : marked) require(more.contains(id), "feedback only adds");

  SearchRequest both = request_of(std::move(member));
  IndexMember words;
  words.index = store().trie();
  words.text = text;
  SearchMember& second = both.members.emplace_back();
  second.name = "trie";
  second.query = std::move(words);
  both.on_failure = OnMemberFailure::degrade;
  both.top_k = 3;
  require(ids_of(std::move(both)).size() <= 3, "no more hits than were asked for");
}

/// The hits, best first; none where the index refuses the query.
std::vector<ScoredNode> look_up(const Index& index, const IndexQuery& query) {
  try {
    std::vector<ScoredNode> hits = index.query(query, {});
    std::sort(hits.begin(), hits.end(), ranks_before);
    return hits;
  } catch (const Error& error) {
    require(error.errc() == Errc::invalid_argument && !utf8::is_valid(query.text), "only what is no text is refused");
    return {};
  }
}

void ask_indexes(const std::string& text) {
  IndexQuery query;
  query.text = text;
  query.top_k = kAll;
  for (const char* mode : {"exact", "prefix", "edits", "frequency"}) {
    query.parameters = Metadata();
    const bool by_frequency = std::string_view(mode) == "frequency";
    query.parameters.set("mode", by_frequency ? "prefix" : mode);
    if (by_frequency) query.parameters.set("by", mode);
    require(look_up(*store().trie(), query) == look_up(*store().linear(), query), "both indexes find the same");
  }
}

}  // namespace

void fuzz_query(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string text(bytes.substr(1));
  ask_by_words(text, static_cast<unsigned char>(bytes[0]));
  ask_indexes(text);
}

}  // namespace ragstone::test
