#pragma once

#include "store/segment/container.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ragstone::segment {

/// Asks the system for what searches of a part read, a piece after each search: so the first answer of a part that was
/// just opened waits for no more of its file than it needs, and later ones find more and more of it in memory.
/// Thread-safe.
class ReadAhead {
 public:
  /// After a search. `sections` are in the order in which they are worth having in memory. True once: when all of them
  /// have been asked for.
  bool ask_for_more(const Container& container, std::span<const SectionId> sections, std::size_t piece_bytes);
  bool has_asked_for_all() const noexcept { return pieces_.load(std::memory_order_relaxed) == kAll; }

 private:
  static constexpr std::size_t kAll = SIZE_MAX;

  std::atomic<std::size_t> pieces_{0};
};

}  // namespace ragstone::segment
