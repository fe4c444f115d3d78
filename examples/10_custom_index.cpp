// 10. Indexes of one's own: a linear search and a trie over a dictionary's words, registered on a Document and asked
// through Retrievers. (Ragstone's own linear_index() and trie_index() do more: beginnings, typing errors, saving.)
//
//   ragstone_10_custom_index

#include <ragstone/ragstone.hpp>

#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

class LinearSearch final : public ragstone::Index {
  void do_update(const ragstone::IndexUpdate& update, const ragstone::StopToken&) override {
    for (const auto id : update.removed) words_.erase(id);
    for (const auto& node : update.upserts) words_[node.id] = node.text;
  }
  void do_clear() override { words_.clear(); }
  std::vector<ragstone::ScoredNode> do_query(const ragstone::IndexQuery& query,
                                             const ragstone::StopToken&) const override {
    std::vector<ragstone::ScoredNode> hits;
    for (const auto& [id, word] : words_)
      if (word == query.text) hits.push_back({id, 1});
    return hits;
  }

  std::map<ragstone::NodeId, std::string> words_;
};

class Trie final : public ragstone::Index {
  struct State {
    std::map<char, std::unique_ptr<State>> next;
    std::set<ragstone::NodeId> ids;
  };

  void do_update(const ragstone::IndexUpdate& update, const ragstone::StopToken&) override {
    for (const auto id : update.removed) remove(id);
    for (const auto& node : update.upserts) {
      remove(node.id);  // It may have had another word.
      State* state = &root_;
      for (const char c : node.text) {
        auto& next = state->next[c];
        if (!next) next = std::make_unique<State>();
        state = next.get();
      }
      state->ids.insert(node.id);
      states_[node.id] = state;
    }
  }
  void do_clear() override {
    states_.clear();
    root_ = State();
  }
  std::vector<ragstone::ScoredNode> do_query(const ragstone::IndexQuery& query,
                                             const ragstone::StopToken&) const override {
    const State* state = &root_;
    for (const char c : query.text) {
      const auto next = state->next.find(c);
      if (next == state->next.end()) return {};
      state = next->second.get();
    }
    std::vector<ragstone::ScoredNode> hits;
    for (const auto id : state->ids) hits.push_back({id, 1});
    return hits;
  }
  void remove(ragstone::NodeId id) {
    const auto known = states_.find(id);
    if (known != states_.end()) known->second->ids.erase(id);
  }

  State root_;
  std::map<ragstone::NodeId, State*> states_;
};

}  // namespace

int main() {
  ragstone::Runtime runtime;
  auto document = runtime.run(ragstone::Document::open(runtime, {}));
  document.add_group(ragstone::NodeGroup("words", ragstone::line_chunker()));
  runtime.run(document.add(ragstone::Source("dictionary", "apple\napplication\n字典\n字典树\nzebra")));
  document.register_index("linear", "words", std::make_shared<LinearSearch>());
  document.register_index("trie", "words", std::make_shared<Trie>());

  for (const char* index : {"linear", "trie"}) {
    ragstone::RetrieverOptions options;
    options.group = "words";
    options.index = index;
    const ragstone::Retriever retriever(document, options);
    for (const char* word : {"zebra", "字典", "zeb"})
      std::cout << index << ' ' << word << ": " << runtime.run(retriever.retrieve(word)).size() << '\n';
  }
  // A commit brings registered indexes up to date before it is acknowledged.
  runtime.run(document.remove("dictionary"));
  for (const auto& status : document.indexes())
    std::cout << status.name << " holds generation " << status.generation << '\n';
  return 0;
}
