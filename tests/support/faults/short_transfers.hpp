#pragma once

#include <cstddef>

/// A program that links short_transfers.cpp has pread and pwrite in hand, whoever in it calls them.
namespace ragstone::test {

/// While it lives, each of these calls of this thread moves at most so many bytes, and every third one is interrupted
/// by a signal instead. At most one at a time.
class ShortTransfers {
 public:
  explicit ShortTransfers(std::size_t most);
  ~ShortTransfers();
  ShortTransfers(const ShortTransfers&) = delete;
  ShortTransfers& operator=(const ShortTransfers&) = delete;

  /// Of this thread, since it began.
  std::size_t calls() const noexcept;
};

}  // namespace ragstone::test
