#include <ragstone/index/linear_index.hpp>

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ragstone {
namespace {

class LinearIndex final : public Index {
 private:
  struct Entry {
    NodeId id = 0;
    std::string text;
  };

  void do_update(const IndexUpdate& update, const StopToken& stop) override {
    for (const NodeId id : update.removed) remove(id);
    for (const Node& node : update.upserts) {
      throw_if_stopped(stop);
      const auto [place, fresh] = places_.try_emplace(node.id, entries_.size());
      if (fresh) {
        entries_.push_back(Entry{node.id, node.text});
      } else {
        entries_[place->second].text = node.text;
      }
    }
  }

  void do_clear() override {
    entries_.clear();
    places_.clear();
  }

  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken& stop) const override {
    constexpr std::size_t kEntriesPerPoll = 4096;
    std::vector<ScoredNode> hits;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (i % kEntriesPerPoll == 0) throw_if_stopped(stop);
      if (entries_[i].text != query.text) continue;
      if (!query.allowed || query.allowed(entries_[i].id)) hits.push_back(ScoredNode{entries_[i].id, 1});
    }
    return hits;
  }

  /// The last entry takes the removed one's place.
  void remove(NodeId id) {
    const auto place = places_.find(id);
    if (place == places_.end()) return;
    const std::size_t at = place->second;
    places_.erase(place);
    if (at + 1 != entries_.size()) {
      entries_[at] = std::move(entries_.back());
      places_[entries_[at].id] = at;
    }
    entries_.pop_back();
  }

  std::vector<Entry> entries_;
  std::unordered_map<NodeId, std::size_t> places_;
};

}  // namespace

std::shared_ptr<Index> linear_index() { return std::make_shared<LinearIndex>(); }

}  // namespace ragstone
