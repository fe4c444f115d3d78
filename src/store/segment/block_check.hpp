#pragma once

#include "store/segment/container.hpp"

#include <cstddef>
#include <unordered_map>

namespace ragstone::segment {

/// Compares the checksums of a section's blocks, each once, as their bytes are wanted. For one thread.
class BlockCheck {
 public:
  /// The container outlives it.
  BlockCheck(const Container& container, SectionId section) : container_(container), section_(section) {}

  /// Whether the blocks of these bytes, of which there is at least one, match.
  bool holds(std::size_t offset, std::size_t size) {
    for (std::size_t block = offset / kBlockBytes; block <= (offset + size - 1) / kBlockBytes; ++block) {
      const auto [known, is_new] = known_.try_emplace(block, false);
      if (is_new) known->second = container_.is_sound(section_, block);
      if (!known->second) return false;
    }
    return true;
  }

 private:
  const Container& container_;
  const SectionId section_;
  std::unordered_map<std::size_t, bool> known_;
};

}  // namespace ragstone::segment
