#include "support/faults/failing_memory.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include <sqlite3.h>

namespace ragstone::test {
namespace {

struct Plan {
  bool is_armed = false;
  std::size_t counted = 0;
  std::size_t number = 0;
  bool for_good = false;
};

constinit thread_local Plan plan;
constinit std::atomic<std::size_t> live{0};

/// Counts an allocation and tells whether it is to fail.
bool fails() noexcept {
  if (!plan.is_armed) return false;
  const std::size_t number = plan.counted++;
  return number == plan.number || (plan.for_good && number > plan.number);
}

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (fails()) return nullptr;
  const std::size_t rounded = (size + alignment) / alignment * alignment;
  void* memory = alignment <= alignof(std::max_align_t) ? std::malloc(size > 0 ? size : 1)
                                                        : std::aligned_alloc(alignment, rounded);
  if (memory != nullptr) ++live;
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  --live;
  std::free(memory);
}

sqlite3_mem_methods system_methods;

void* sqlite_malloc(int size) { return fails() ? nullptr : system_methods.xMalloc(size); }
void* sqlite_realloc(void* memory, int size) { return fails() ? nullptr : system_methods.xRealloc(memory, size); }

}  // namespace

void hand_memory_to_tests() {
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_methods) != SQLITE_OK)
    throw std::logic_error("SQLite is in use already");
  sqlite3_mem_methods methods = system_methods;
  methods.xMalloc = sqlite_malloc;
  methods.xRealloc = sqlite_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) throw std::logic_error("SQLite is in use already");
}

MemoryFault::MemoryFault(std::size_t number, bool for_good) { plan = {true, 0, number, for_good}; }

MemoryFault::~MemoryFault() { plan.is_armed = false; }

std::size_t MemoryFault::allocations() const noexcept { return plan.counted; }

std::size_t live_allocations() noexcept { return live; }

}  // namespace ragstone::test

namespace {

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* memory = ragstone::test::allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}

constexpr std::size_t kDefault = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t size) { return allocate_or_throw(size, kDefault); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, kDefault); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return ragstone::test::allocate(size, kDefault);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return ragstone::test::allocate(size, kDefault);
}
void* operator new(std::size_t size, std::align_val_t a) { return allocate_or_throw(size, std::size_t(a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return allocate_or_throw(size, std::size_t(a)); }
void operator delete(void* memory) noexcept { ragstone::test::release(memory); }
void operator delete[](void* memory) noexcept { ragstone::test::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { ragstone::test::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { ragstone::test::release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { ragstone::test::release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { ragstone::test::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { ragstone::test::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { ragstone::test::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { ragstone::test::release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { ragstone::test::release(memory); }
