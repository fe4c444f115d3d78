#include "store/segment/read_ahead.hpp"

namespace ragstone::segment {

bool ReadAhead::ask_for_more(const Container& container, std::span<const SectionId> sections, std::size_t piece_bytes) {
  std::size_t piece = pieces_.load(std::memory_order_relaxed);
  // The first answer goes out before anything is asked for.
  if (piece == kAll || !pieces_.compare_exchange_strong(piece, piece + 1) || piece == 0) return false;
  std::size_t at = (piece - 1) * piece_bytes;
  for (const SectionId section : sections) {
    const std::size_t bytes = container.bytes(section).size();
    if (at < bytes) {
      container.expect_reading(section, at, piece_bytes);
      return false;
    }
    at -= (bytes + piece_bytes - 1) / piece_bytes * piece_bytes;
  }
  return pieces_.exchange(kAll) != kAll;
}

}  // namespace ragstone::segment
