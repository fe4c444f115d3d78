#include "support/faults/short_transfers.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include <sys/syscall.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

// As one register, not two.
static_assert(sizeof(long) == sizeof(off_t));

thread_local std::size_t most_bytes = SIZE_MAX;
thread_local std::size_t calls_so_far = 0;

/// False for a call that is interrupted.
bool admit(std::size_t& size) {
  if (most_bytes == SIZE_MAX) return true;
  size = std::min(size, most_bytes);
  if (++calls_so_far % 3 != 0) return true;
  errno = EINTR;
  return false;
}

}  // namespace

ShortTransfers::ShortTransfers(std::size_t most) {
  most_bytes = most;
  calls_so_far = 0;
}

ShortTransfers::~ShortTransfers() { most_bytes = SIZE_MAX; }

std::size_t ShortTransfers::calls() const noexcept { return calls_so_far; }

}  // namespace ragstone::test

extern "C" ssize_t pread(int file, void* to, std::size_t size, off_t offset) {
  return ragstone::test::admit(size) ? ::syscall(SYS_pread64, file, to, size, offset) : -1;
}

extern "C" ssize_t pwrite(int file, const void* from, std::size_t size, off_t offset) {
  return ragstone::test::admit(size) ? ::syscall(SYS_pwrite64, file, from, size, offset) : -1;
}
