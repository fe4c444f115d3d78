#include "kernel/large_pages.hpp"

#if defined(__linux__)
#include <cstdint>

#include <sys/mman.h>
#endif

namespace ragstone::kernel {

#if defined(__linux__)

void ask_for_large_pages(void* block, std::size_t size) noexcept {
  if (size < kWorthLargePages) return;
  // Whole large pages only: what is beside the block belongs to somebody else.
  const auto begin = (reinterpret_cast<std::uintptr_t>(block) + kLargePage - 1) / kLargePage * kLargePage;
  const auto end = (reinterpret_cast<std::uintptr_t>(block) + size) / kLargePage * kLargePage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

#else

void ask_for_large_pages(void*, std::size_t) noexcept {}

#endif

}  // namespace ragstone::kernel
