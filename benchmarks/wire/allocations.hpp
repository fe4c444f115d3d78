#pragma once

#include <cstdint>

namespace ragstone::bench {

/// Allocations by operator new in this thread so far.
std::uint64_t thread_allocations() noexcept;

/// CPU time of this thread, in seconds.
double thread_cpu();

}  // namespace ragstone::bench
