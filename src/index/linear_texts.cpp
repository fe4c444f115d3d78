#include "index/linear_texts.hpp"

#include <ragstone/base/error.hpp>

#include <cmath>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ragstone::linear {
namespace {

enum SectionNumber : std::uint32_t { kEnds = 1, kTexts = 2, kHashes = 3, kNodes = 4, kWeights = 5 };

[[noreturn]] void throw_damaged() {
  throw Error(Errc::corrupt_store, "linear index: its saved form is damaged; Document::rebuild_index() builds it anew");
}

}  // namespace

std::uint32_t hash_of(std::string_view text) noexcept {
  return static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
}

SealedTexts::SealedTexts(std::shared_ptr<const IndexImage> image) : image_(std::move(image)) {
  ends_ = detail::image_array<std::uint64_t>(*image_, kEnds);
  texts_ = image_->section(kTexts, 1);
  hashes_ = detail::image_array<std::uint32_t>(*image_, kHashes);
  nodes_ = detail::ImageNodes(*image_, kNodes);
  weights_ = detail::image_array<float>(*image_, kWeights);
  const std::size_t rows = ends_.size();
  if (hashes_.size() != rows || nodes_.size() != rows || (!weights_.empty() && weights_.size() != rows))
    throw_damaged();
}

std::string_view SealedTexts::text(std::size_t at) const {
  const std::uint64_t begin = at == 0 ? 0 : ends_[at - 1];
  const std::uint64_t end = ends_[at];
  if (begin > end || end > texts_.size()) throw_damaged();
  return texts_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

float SealedTexts::weight(std::size_t at) const {
  const float weight = weights_.empty() ? 1 : weights_[at];
  if (!std::isfinite(weight)) throw_damaged();
  return weight;
}

void TextsWriter::add(std::string_view text, NodeId node, float weight) {
  texts_ += text;
  ends_.push_back(texts_.size());
  hashes_.push_back(hash_of(text));
  nodes_.push_back(node);
  if (has_weights_) weights_.push_back(weight);
}

void TextsWriter::finish(IndexOutput& output) {
  detail::write_array<std::uint64_t>(output, kEnds, ends_);
  output.write(kTexts, 1, texts_);
  detail::write_array<std::uint32_t>(output, kHashes, hashes_);
  detail::write_nodes(output, kNodes, nodes_);
  if (has_weights_) detail::write_array<float>(output, kWeights, weights_);
}

void TextDelta::put(NodeId node, std::string_view text, float weight, Generation generation) {
  Place& place = places_[node];
  place.generation = generation;
  if (place.at == kGone) {
    place.at = entries_.size();
    entries_.emplace_back();
    hashes_.emplace_back();
  } else if (this->text(place.at) == text) {
    entries_[place.at].weight = weight;
    return;
  }
  Entry& entry = entries_[place.at];
  unused_ += entry.size;
  entry = {node, bytes_.size(), text.size(), weight};
  hashes_[place.at] = hash_of(text);
  bytes_ += text;
  tidy();
}

void TextDelta::remove(NodeId node, Generation generation) {
  Place& place = places_[node];
  take_out(place.at);
  place = {kGone, generation};
  tidy();
}

void TextDelta::forget(Generation generation) {
  for (auto place = places_.begin(); place != places_.end();) {
    if (place->second.generation > generation) {
      ++place;
      continue;
    }
    take_out(place->second.at);
    place = places_.erase(place);
  }
  tidy();
}

void TextDelta::take_out(std::size_t at) {
  if (at == kGone) return;
  unused_ += entries_[at].size;
  if (at + 1 != entries_.size()) {
    entries_[at] = entries_.back();
    hashes_[at] = hashes_.back();
    places_.find(entries_[at].node)->second.at = at;
  }
  entries_.pop_back();
  hashes_.pop_back();
}

void TextDelta::tidy() {
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

}  // namespace ragstone::linear
