#include "index/distinct_words.hpp"
#include "index/edit_distance.hpp"
#include "index/sealed_words.hpp"
#include "index/word_delta.hpp"
#include "index/word_fields.hpp"
#include "index/word_query.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include <ragstone/index/trie_index.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

using words::SealedWords;
using words::WordDelta;

// A delta that is larger than this and than the sealed part is merged at once.
constexpr std::size_t kLeastMerge = 4096;
// The share of the sealed part, in parts of this number, that makes a merge in the background pay.
constexpr std::size_t kDueShare = 8;
constexpr std::size_t kLeastDue = 1024;

bool is_better(const ScoredNode& a, const ScoredNode& b) noexcept { return ranks_before(a, b); }

/// The best hits among those that count.
class Hits {
 public:
  Hits(const IndexQuery& query, std::size_t k) : query_(query), best_(k) {}

  bool would_keep(const ScoredNode& hit) const noexcept { return best_.would_keep(hit); }
  void offer(const ScoredNode& hit) {
    if (best_.would_keep(hit) && (!query_.allowed || query_.allowed(hit.id))) best_.add(hit);
  }
  std::vector<ScoredNode> take() && { return std::move(best_).take(); }

 private:
  const IndexQuery& query_;
  kernel::TopK<ScoredNode, is_better> best_;
};

class TrieIndex final : public Index {
 public:
  explicit TrieIndex(TrieIndexOptions options) : fields_(std::move(options)) {}

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
    if (delta_.size() >= std::max(kLeastMerge, sealed_.rows())) merge(update.to, stop);
  }

  void do_clear() override {
    delta_.clear();
    sealed_ = SealedWords();
    merged_ = 0;
  }

  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken& stop) const override {
    const WordQuery asked = parse_word_query(query);
    std::string normal;
    const std::string_view word = fields_.comparable(query.text, normal);
    Hits hits(query, query.top_k);
    switch (asked.mode) {
      case WordMode::exact:
        find(word, hits);
        break;
      case WordMode::prefix:
        if (asked.by == WordRank::frequency) {
          complete_frequent(word, query, hits, stop);
        } else if (asked.distinct) {
          return complete_words(word, query, stop);
        } else {
          complete(word, hits, stop);
        }
        break;
      case WordMode::edits:
        find_near(word, asked.max_edits, hits, stop);
        break;
    }
    return std::move(hits).take();
  }

  std::string do_form() const override { return "trie/1 " + fields_.form(); }

  void do_save(IndexOutput& output, const StopToken& stop) const override {
    kernel::StopPoll poll(stop);
    words::WordsWriter writer(fields_.has_weights());
    auto changed = delta_.words().begin();
    const auto add_changed = [&] {
      for (const WordDelta::Posting& posting : changed->second)
        writer.add(changed->first, posting.node, posting.weight);
      ++changed;
    };
    for (words::SealedCursor cursor(sealed_); cursor.next();) {
      poll.spend(100);
      while (changed != delta_.words().end() && changed->first < cursor.word()) add_changed();
      const NodeId node = sealed_.node(cursor.row());
      if (!delta_.knows(node)) writer.add(cursor.word(), node, sealed_.weight(cursor.row()));
    }
    while (changed != delta_.words().end()) {
      poll.spend(100);
      add_changed();
    }
    writer.finish(output);
  }

  void do_load(std::shared_ptr<const IndexImage> image) override {
    const Generation generation = image->generation();
    SealedWords loaded(std::move(image));
    // A merge since the image was saved has taken in what came after it.
    if (merged_ > generation) return;
    sealed_ = std::move(loaded);
    merged_ = 0;
    delta_.forget(generation);
  }

  bool do_is_due() const override { return delta_.size() >= std::max(kLeastDue, sealed_.rows() / kDueShare); }

  void merge(Generation generation, const StopToken& stop) {
    const auto image = std::make_shared<MemoryIndexImage>(generation);
    do_save(*image, stop);
    sealed_ = SealedWords(image);
    merged_ = generation;
    delta_.clear();
  }

  void offer_row(std::size_t row, double score, Hits& hits) const {
    const ScoredNode hit{sealed_.node(row), score};
    if (hits.would_keep(hit) && !delta_.knows(hit.id)) hits.offer(hit);
  }

  void find(std::string_view word, Hits& hits) const {
    const SealedWords::Range rows = sealed_.find(word);
    for (std::size_t row = rows.begin; row < rows.end; ++row) offer_row(row, sealed_.weight(row), hits);
    if (delta_.words().empty()) return;
    const auto changed = delta_.words().find(word);
    if (changed == delta_.words().end()) return;
    for (const WordDelta::Posting& posting : changed->second) hits.offer({posting.node, posting.weight});
  }

  void complete(std::string_view prefix, Hits& hits, const StopToken& stop) const {
    kernel::StopPoll poll(stop);
    const SealedWords::Range rows = sealed_.with_prefix(prefix);
    for (std::size_t row = rows.begin; row < rows.end;) {
      const std::size_t block = row / words::kRowsInBlock;
      const std::size_t end = std::min((block + 1) * words::kRowsInBlock, rows.end);
      poll.spend(100);
      // Equal scores go by id, and ids begin with 1.
      if (hits.would_keep({0, sealed_.block_weight(block)}))
        for (; row < end; ++row) offer_row(row, sealed_.weight(row), hits);
      row = end;
    }
    for (auto word = delta_.from(prefix); word != delta_.words().end() && word->first.starts_with(prefix); ++word) {
      poll.spend(100);
      for (const WordDelta::Posting& posting : word->second) hits.offer({posting.node, posting.weight});
    }
  }

  std::vector<ScoredNode> complete_words(std::string_view prefix, const IndexQuery& query,
                                         const StopToken& stop) const {
    kernel::StopPoll poll(stop);
    DistinctWords found(query);
    const SealedWords::Range rows = sealed_.with_prefix(prefix);
    for (std::size_t row = rows.begin; row < rows.end;) {
      const std::size_t block = row / words::kRowsInBlock;
      const std::size_t end = std::min((block + 1) * words::kRowsInBlock, rows.end);
      poll.spend(100);
      if (found.would_keep({0, sealed_.block_weight(block)})) offer_words(block, {row, end}, found);
      row = end;
    }
    for (auto word = delta_.from(prefix); word != delta_.words().end() && word->first.starts_with(prefix); ++word) {
      poll.spend(100);
      for (const WordDelta::Posting& posting : word->second) found.offer(word->first, {posting.node, posting.weight});
    }
    return std::move(found).take();
  }

  /// Of rows of one block.
  void offer_words(std::size_t block, SealedWords::Range rows, DistinctWords& found) const {
    words::SealedCursor cursor(sealed_, block);
    while (cursor.next() && cursor.row() < rows.end) {
      if (cursor.row() < rows.begin) continue;
      const ScoredNode hit{sealed_.node(cursor.row()), sealed_.weight(cursor.row())};
      if (found.would_keep(hit) && !delta_.knows(hit.id)) found.offer(cursor.word(), hit);
    }
  }

  void complete_frequent(std::string_view prefix, const IndexQuery& query, Hits& hits, const StopToken& stop) const {
    kernel::StopPoll poll(stop);
    WordTally tally(query, [&](const ScoredNode& hit) { hits.offer(hit); });
    auto changed = delta_.from(prefix);
    const auto add_changed = [&](auto is_due) {
      for (; changed != delta_.words().end() && changed->first.starts_with(prefix) && is_due(changed->first);
           ++changed) {
        poll.spend(100);
        for (const WordDelta::Posting& posting : changed->second) tally.add(changed->first, posting.node);
      }
    };
    const SealedWords::Range rows = sealed_.with_prefix(prefix);
    words::SealedCursor cursor(sealed_, rows.begin / words::kRowsInBlock);
    while (rows.begin < rows.end && cursor.next() && cursor.row() < rows.end) {
      poll.spend(30);
      if (cursor.row() < rows.begin) continue;
      add_changed([&](const std::string& word) { return word < cursor.word(); });
      if (const NodeId node = sealed_.node(cursor.row()); !delta_.knows(node)) tally.add(cursor.word(), node);
    }
    add_changed([](const std::string&) { return true; });
    tally.finish();
  }

  void find_near(std::string_view word, std::size_t max_edits, Hits& hits, const StopToken& stop) const {
    sealed_.within(
        word, max_edits,
        [&](std::size_t row, std::size_t distance) {
          offer_row(row, edit_score(max_edits, distance, sealed_.weight(row)), hits);
        },
        stop);
    kernel::StopPoll poll(stop);
    EditDistance distance(word, max_edits);
    for (const auto& [changed, postings] : delta_.words()) {
      poll.spend(200);
      distance.cut(0);
      for (const utf8::CodePoint c : utf8::CodePoints(changed)) {
        distance.push(c.value);
        if (!distance.can_match()) break;
      }
      if (!distance.can_match() || distance.distance() > max_edits) continue;
      for (const WordDelta::Posting& posting : postings)
        hits.offer({posting.node, edit_score(max_edits, distance.distance(), posting.weight)});
    }
  }

  const WordFields fields_;
  SealedWords sealed_;
  WordDelta delta_;
  Generation merged_ = 0;  ///< Of sealed_, where it was merged here.
};

}  // namespace

std::shared_ptr<Index> trie_index(TrieIndexOptions options) { return std::make_shared<TrieIndex>(std::move(options)); }

}  // namespace ragstone
