#pragma once

#include <cstddef>

/// A program that links failing_memory.cpp has its operator new and SQLite's allocator in hand: any allocation of the
/// thread that asks for it can be made to fail. Other threads are left alone.
namespace ragstone::test {

/// To be called before anything uses SQLite.
void hand_memory_to_tests();

/// While it lives, counts the allocations of this thread, and fails one of them. At most one at a time.
class MemoryFault {
 public:
  /// The allocation of that number, counted from 0, fails; with `for_good` all later ones do too.
  explicit MemoryFault(std::size_t number, bool for_good = false);
  ~MemoryFault();
  MemoryFault(const MemoryFault&) = delete;
  MemoryFault& operator=(const MemoryFault&) = delete;

  std::size_t allocations() const noexcept;
};

/// Allocations of all threads that have not been freed.
std::size_t live_allocations() noexcept;

}  // namespace ragstone::test
