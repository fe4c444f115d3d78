#include "index/distinct_words.hpp"
#include "index/edit_distance.hpp"
#include "index/linear_texts.hpp"
#include "index/word_fields.hpp"
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
#include <utility>
#include <vector>

namespace ragstone {
namespace {

using linear::SealedTexts;
using linear::TextDelta;

// Changes of more nodes than this and than the compact form has are merged with it at once.
constexpr std::size_t kLeastMerge = 4096;
// The share of the compact form, in parts of this number, that makes a merge in the background pay.
constexpr std::size_t kDueShare = 8;
constexpr std::size_t kLeastDue = 1024;

bool is_better(const ScoredNode& a, const ScoredNode& b) noexcept { return ranks_before(a, b); }

/// Calls `found(at)` for each text that is `text`.
template <class Texts, class Found>
void find_in(const Texts& texts, std::string_view text, kernel::StopPoll& poll, Found found) {
  // Compilers make vector instructions of the inner loop; few groups hold the hash.
  constexpr std::size_t kGroup = 256;
  const std::uint32_t hash = linear::hash_of(text);
  const std::span<const std::uint32_t> hashes = texts.hashes();
  for (std::size_t begin = 0; begin < hashes.size(); begin += kGroup) {
    poll.spend(kGroup / 4);
    const std::size_t end = std::min(begin + kGroup, hashes.size());
    std::uint32_t any = 0;
    for (std::size_t at = begin; at < end; ++at) any |= hashes[at] == hash ? 1u : 0u;
    if (any == 0) continue;
    for (std::size_t at = begin; at < end; ++at)
      if (hashes[at] == hash && texts.text(at) == text) found(at);
  }
}

class LinearIndex final : public Index {
 public:
  explicit LinearIndex(LinearIndexOptions options) : fields_(std::move(options)) {}

 private:
  void do_update(const IndexUpdate& update, const StopToken& stop) override {
    for (const NodeId id : update.removed) delta_.remove(id, update.to);
    std::string normal;
    for (const Node& node : update.upserts) {
      throw_if_stopped(stop);
      const std::string_view word = fields_.word_of(node, normal);
      if (word.empty()) {
        delta_.remove(node.id, update.to);
      } else {
        delta_.put(node.id, word, fields_.weight_of(node), update.to);
      }
    }
    if (delta_.known() >= std::max(kLeastMerge, sealed_.size())) merge(update.to, stop);
  }

  void do_clear() override {
    sealed_ = SealedTexts();
    delta_ = TextDelta();
    merged_ = 0;
  }

  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken& stop) const override {
    const WordQuery asked = parse_word_query(query);
    std::string normal;
    const std::string_view word = fields_.comparable(query.text, normal);
    kernel::StopPoll poll(stop);
    kernel::TopK<ScoredNode, is_better> best(query.top_k);
    if (asked.mode == WordMode::prefix && asked.by == WordRank::frequency) {
      std::vector<std::pair<std::string_view, NodeId>> found;
      for_each(poll, 5, [&](const auto& texts, std::size_t at) {
        if (texts.text(at).starts_with(word) && counts(texts, at)) found.emplace_back(texts.text(at), texts.node(at));
      });
      std::sort(found.begin(), found.end());
      WordTally tally(query, [&](const ScoredNode& hit) { best.add(hit); });
      for (const auto& [text, node] : found) tally.add(text, node);
      tally.finish();
      return std::move(best).take();
    }
    if (asked.distinct) return complete_words(word, query, poll);
    const auto offer = [&](const auto& texts, std::size_t at, double score) {
      const ScoredNode hit{texts.node(at), score};
      if (best.would_keep(hit) && counts(texts, at) && (!query.allowed || query.allowed(hit.id))) best.add(hit);
    };
    if (asked.mode == WordMode::exact) {
      find_in(sealed_, word, poll, [&](std::size_t at) { offer(sealed_, at, sealed_.weight(at)); });
      find_in(delta_, word, poll, [&](std::size_t at) { offer(delta_, at, delta_.weight(at)); });
    } else if (asked.mode == WordMode::prefix) {
      for_each(poll, 5, [&](const auto& texts, std::size_t at) {
        if (texts.text(at).starts_with(word)) offer(texts, at, texts.weight(at));
      });
    } else {
      EditDistance distance(word, asked.max_edits);
      for_each(poll, 200, [&](const auto& texts, std::size_t at) {
        distance.cut(0);
        for (const utf8::CodePoint c : utf8::CodePoints(texts.text(at))) {
          distance.push(c.value);
          if (!distance.can_match()) break;
        }
        if (distance.can_match() && distance.distance() <= asked.max_edits)
          offer(texts, at, edit_score(asked.max_edits, distance.distance(), texts.weight(at)));
      });
    }
    return std::move(best).take();
  }

  std::vector<ScoredNode> complete_words(std::string_view prefix, const IndexQuery& query,
                                         kernel::StopPoll& poll) const {
    DistinctWords found(query);
    for_each(poll, 5, [&](const auto& texts, std::size_t at) {
      if (!texts.text(at).starts_with(prefix)) return;
      const ScoredNode hit{texts.node(at), texts.weight(at)};
      if (found.would_keep(hit) && counts(texts, at)) found.offer(texts.text(at), hit);
    });
    return std::move(found).take();
  }

  std::string do_form() const override { return "linear/1 " + fields_.form(); }

  void do_save(IndexOutput& output, const StopToken& stop) const override {
    kernel::StopPoll poll(stop);
    linear::TextsWriter writer(fields_.has_weights());
    for_each(poll, 30, [&](const auto& texts, std::size_t at) {
      if (counts(texts, at)) writer.add(texts.text(at), texts.node(at), texts.weight(at));
    });
    writer.finish(output);
  }

  void do_load(std::shared_ptr<const IndexImage> image) override {
    const Generation generation = image->generation();
    SealedTexts loaded(std::move(image));
    // A merge since the image was saved has taken in what came after it.
    if (merged_ > generation) return;
    sealed_ = std::move(loaded);
    merged_ = 0;
    delta_.forget(generation);
  }

  bool do_is_due() const override { return delta_.known() >= std::max(kLeastDue, sealed_.size() / kDueShare); }

  void merge(Generation generation, const StopToken& stop) {
    const auto image = std::make_shared<MemoryIndexImage>(generation);
    do_save(*image, stop);
    sealed_ = SealedTexts(image);
    delta_ = TextDelta();
    merged_ = generation;
  }

  bool counts(const SealedTexts& texts, std::size_t at) const { return !delta_.knows(texts.node(at)); }
  bool counts(const TextDelta&, std::size_t) const { return true; }

  /// Calls `take(texts, at)` for each text, also those that do not count.
  template <class Take>
  void for_each(kernel::StopPoll& poll, std::size_t work, Take take) const {
    for (std::size_t at = 0; at < sealed_.size(); ++at) {
      poll.spend(work);
      take(sealed_, at);
    }
    for (std::size_t at = 0; at < delta_.size(); ++at) {
      poll.spend(work);
      take(delta_, at);
    }
  }

  const WordFields fields_;
  SealedTexts sealed_;
  TextDelta delta_;
  Generation merged_ = 0;  ///< Of sealed_, where it was merged here.
};

}  // namespace

std::shared_ptr<Index> linear_index(LinearIndexOptions options) {
  return std::make_shared<LinearIndex>(std::move(options));
}

}  // namespace ragstone
