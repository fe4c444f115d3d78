#include "index/edit_distance.hpp"
#include "index/word_query.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include <ragstone/index/linear_index.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ragstone {
namespace {

bool is_better(const ScoredNode& a, const ScoredNode& b) noexcept { return ranks_before(a, b); }

std::uint32_t hash_of(std::string_view text) noexcept {
  return static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
}

/// Texts of nodes, one after the other.
class Texts {
 public:
  std::size_t size() const noexcept { return entries_.size(); }
  NodeId id(std::size_t at) const noexcept { return entries_[at].id; }
  std::string_view text(std::size_t at) const noexcept {
    return std::string_view(bytes_).substr(entries_[at].begin, entries_[at].size);
  }

  void put(NodeId id, std::string_view text) {
    const auto [place, is_new] = places_.try_emplace(id, entries_.size());
    if (is_new) {
      entries_.emplace_back();
      hashes_.emplace_back();
    } else if (this->text(place->second) == text) {
      return;
    }
    Entry& entry = entries_[place->second];
    unused_ += entry.size;
    entry = {id, bytes_.size(), text.size()};
    hashes_[place->second] = hash_of(text);
    bytes_ += text;
    tidy();
  }

  /// The last entry takes the removed one's place.
  void remove(NodeId id) {
    const auto place = places_.find(id);
    if (place == places_.end()) return;
    const std::size_t at = place->second;
    places_.erase(place);
    unused_ += entries_[at].size;
    if (at + 1 != entries_.size()) {
      entries_[at] = entries_.back();
      hashes_[at] = hashes_.back();
      places_[entries_[at].id] = at;
    }
    entries_.pop_back();
    hashes_.pop_back();
    tidy();
  }

  /// Calls `found(at)` for each entry with this text.
  template <class Found>
  void find(std::string_view text, kernel::StopPoll& poll, Found found) const {
    // Compilers make vector instructions of the inner loop; few groups hold the hash.
    constexpr std::size_t kGroup = 256;
    const std::uint32_t hash = hash_of(text);
    for (std::size_t begin = 0; begin < hashes_.size(); begin += kGroup) {
      poll.spend(kGroup / 4);
      const std::size_t end = std::min(begin + kGroup, hashes_.size());
      std::uint32_t any = 0;
      for (std::size_t at = begin; at < end; ++at) any |= hashes_[at] == hash ? 1u : 0u;
      if (any == 0) continue;
      for (std::size_t at = begin; at < end; ++at)
        if (hashes_[at] == hash && this->text(at) == text) found(at);
    }
  }

 private:
  struct Entry {
    NodeId id = 0;
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  /// Moves the texts together once most of the bytes belong to none.
  void tidy() {
    constexpr std::size_t kWorthIt = std::size_t{64} << 10;
    if (unused_ < kWorthIt || unused_ < bytes_.size() / 2) return;
    std::string bytes;
    bytes.reserve(bytes_.size() - unused_);
    for (std::size_t at = 0; at < entries_.size(); ++at) {
      const std::size_t begin = bytes.size();
      bytes += text(at);
      entries_[at].begin = begin;
    }
    bytes_ = std::move(bytes);
    unused_ = 0;
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> hashes_;
  std::string bytes_;
  std::size_t unused_ = 0;
  std::unordered_map<NodeId, std::size_t> places_;
};

class LinearIndex final : public Index {
 private:
  void do_update(const IndexUpdate& update, const StopToken& stop) override {
    for (const NodeId id : update.removed) texts_.remove(id);
    for (const Node& node : update.upserts) {
      throw_if_stopped(stop);
      if (node.text.empty()) {
        texts_.remove(node.id);
      } else {
        texts_.put(node.id, node.text);
      }
    }
  }

  void do_clear() override { texts_ = Texts(); }

  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken& stop) const override {
    const WordQuery asked = parse_word_query(query);
    kernel::StopPoll poll(stop);
    kernel::TopK<ScoredNode, is_better> best(query.top_k);
    const auto offer = [&](std::size_t at, double score) {
      const ScoredNode hit{texts_.id(at), score};
      if (best.would_keep(hit) && (!query.allowed || query.allowed(hit.id))) best.add(hit);
    };
    if (asked.mode == WordMode::exact) {
      texts_.find(query.text, poll, [&](std::size_t at) { offer(at, 1); });
    } else if (asked.by == WordRank::frequency) {
      std::vector<std::pair<std::string_view, NodeId>> words;
      for (std::size_t at = 0; at < texts_.size(); ++at) {
        poll.spend(5);
        if (texts_.text(at).starts_with(query.text)) words.emplace_back(texts_.text(at), texts_.id(at));
      }
      std::sort(words.begin(), words.end());
      WordTally tally(query, [&](const ScoredNode& hit) { best.add(hit); });
      for (const auto& [word, node] : words) tally.add(word, node);
      tally.finish();
    } else if (asked.mode == WordMode::prefix) {
      for (std::size_t at = 0; at < texts_.size(); ++at) {
        poll.spend(5);
        if (texts_.text(at).starts_with(query.text)) offer(at, 1);
      }
    } else {
      EditDistance distance(query.text, asked.max_edits);
      for (std::size_t at = 0; at < texts_.size(); ++at) {
        poll.spend(200);
        distance.cut(0);
        for (const utf8::CodePoint c : utf8::CodePoints(texts_.text(at))) {
          distance.push(c.value);
          if (!distance.can_match()) break;
        }
        if (distance.can_match() && distance.distance() <= asked.max_edits)
          offer(at, edit_score(asked.max_edits, distance.distance(), 1));
      }
    }
    return std::move(best).take();
  }

  Texts texts_;
};

}  // namespace

std::shared_ptr<Index> linear_index() { return std::make_shared<LinearIndex>(); }

}  // namespace ragstone
