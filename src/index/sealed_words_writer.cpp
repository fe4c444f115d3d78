#include "index/sealed_words.hpp"
#include "text/varint.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>

namespace ragstone::words {
namespace {

constexpr std::size_t kLongLength = 15;
// Slots for each word, in eighths: a search that fails looks at about four.
constexpr std::size_t kSlotsInEighths = 10;

}  // namespace

void WordsWriter::add(std::string_view word, NodeId node, float weight) {
  const bool begins_block = nodes_.size() % kRowsInBlock == 0;
  const auto equal = std::mismatch(last_.begin(), last_.end(), word.begin(), word.end()).second;
  const bool is_new = nodes_.empty() || last_ != word;
  if (is_new) firsts_.emplace_back(hash_of(word), static_cast<std::uint32_t>(nodes_.size()));
  if (begins_block) {
    if (words_.size() > UINT32_MAX)
      throw Error(Errc::limit_exceeded, "trie index: more than 4 GiB of different words; index a shorter field");
    blocks_.push_back(static_cast<std::uint32_t>(words_.size()));
    detail::append_varint(words_, word.size());
    words_ += word;
  } else {
    // A code point is not divided: the distance to a query is computed by code points.
    const std::size_t shared = utf8::floor_boundary(word, static_cast<std::size_t>(equal - word.begin()));
    const std::size_t own = word.size() - shared;
    words_.push_back(static_cast<char>(std::min(shared, kLongLength) << 4 | std::min(own, kLongLength)));
    if (shared >= kLongLength) detail::append_varint(words_, shared - kLongLength);
    if (own >= kLongLength) detail::append_varint(words_, own - kLongLength);
    words_ += word.substr(shared);
  }
  if (is_new) last_ = word;
  nodes_.push_back(node);
  if (!has_weights_) return;
  weights_.push_back(weight);
  if (begins_block) block_weights_.push_back(weight);
  block_weights_.back() = std::max(block_weights_.back(), weight);
}

void WordsWriter::finish(IndexOutput& output) {
  if (nodes_.size() >= UINT32_MAX)
    throw Error(Errc::limit_exceeded, "trie index: more than 2^32 - 2 words; divide the group");
  detail::write_array<std::uint32_t>(output, kBlocks, blocks_);
  output.write(kWords, 1, words_);
  write_slots(output);
  detail::write_nodes(output, kNodes, nodes_);
  if (!has_weights_) return;
  detail::write_array<float>(output, kWeights, weights_);
  detail::write_array<float>(output, kBlockWeights, block_weights_);
}

void WordsWriter::write_slots(IndexOutput& output) {
  if (firsts_.empty()) return;
  const SlotForm form(nodes_.size());
  std::vector<std::uint32_t> slots(firsts_.size() * kSlotsInEighths / 8 + 1);
  for (const auto& [hash, row] : firsts_) {
    std::size_t slot = first_slot(hash, slots.size());
    while (slots[slot] != 0)
      if (++slot == slots.size()) slot = 0;
    slots[slot] = form.tag(hash) | (row + 1);
  }
  detail::write_array<std::uint32_t>(output, kSlots, slots);
}

}  // namespace ragstone::words
