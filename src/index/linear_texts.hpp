#pragma once

#include "index/image_arrays.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/index/index_image.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// The words of a linear index. src/store/FORMAT.md describes the sections of the compact form.
namespace ragstone::linear {

std::uint32_t hash_of(std::string_view text) noexcept;

/// Reads the compact form in place. What it gives may be wrong if the bytes are damaged, and no more than that.
/// Errors of all functions: Errc::corrupt_store.
class SealedTexts {
 public:
  SealedTexts() = default;
  /// Looks at the sizes of sections only.
  explicit SealedTexts(std::shared_ptr<const IndexImage> image);

  std::size_t size() const noexcept { return ends_.size(); }
  NodeId node(std::size_t at) const noexcept { return nodes_[at]; }
  std::string_view text(std::size_t at) const;
  float weight(std::size_t at) const;
  std::span<const std::uint32_t> hashes() const noexcept { return hashes_; }

 private:
  std::shared_ptr<const IndexImage> image_;
  std::span<const std::uint64_t> ends_;  ///< Where each text ends in texts_; it begins where the one before ends.
  std::string_view texts_;
  std::span<const std::uint32_t> hashes_;
  detail::ImageNodes nodes_;
  std::span<const float> weights_;
};

/// Makes the compact form.
class TextsWriter {
 public:
  explicit TextsWriter(bool has_weights) : has_weights_(has_weights) {}

  void add(std::string_view text, NodeId node, float weight);
  void finish(IndexOutput& output);

 private:
  bool has_weights_;
  std::vector<std::uint64_t> ends_;
  std::string texts_;
  std::vector<std::uint32_t> hashes_;
  std::vector<NodeId> nodes_;
  std::vector<float> weights_;
};

/// What changed since: nodes with their present words, and nodes that are gone. What is known of a node here counts
/// instead of its row there.
class TextDelta {
 public:
  /// `generation`: of the update that brings it.
  void put(NodeId node, std::string_view text, float weight, Generation generation);
  void remove(NodeId node, Generation generation);
  /// Forgets what came with an update up to this generation.
  void forget(Generation generation);

  /// Nodes that it knows of, and of these the ones that have a word.
  std::size_t known() const noexcept { return places_.size(); }
  std::size_t size() const noexcept { return entries_.size(); }
  bool knows(NodeId node) const { return !places_.empty() && places_.contains(node); }

  NodeId node(std::size_t at) const noexcept { return entries_[at].node; }
  std::string_view text(std::size_t at) const noexcept {
    return std::string_view(bytes_).substr(entries_[at].begin, entries_[at].size);
  }
  float weight(std::size_t at) const noexcept { return entries_[at].weight; }
  std::span<const std::uint32_t> hashes() const noexcept { return hashes_; }

 private:
  static constexpr std::size_t kGone = SIZE_MAX;

  struct Entry {
    NodeId node = 0;
    std::size_t begin = 0;
    std::size_t size = 0;
    float weight = 1;
  };
  struct Place {
    std::size_t at = kGone;
    Generation generation = 0;
  };

  /// The last entry takes the place.
  void take_out(std::size_t at);
  /// Moves the texts together once most of the bytes belong to none.
  void tidy();

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> hashes_;
  std::string bytes_;
  std::size_t unused_ = 0;
  std::unordered_map<NodeId, Place> places_;
};

}  // namespace ragstone::linear
