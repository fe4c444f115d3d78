#pragma once

#include <cstdint>

namespace ragstone::test {

/// Allocations by operator new in this thread so far. A program that links thread_allocations.cpp has its operator new
/// replaced.
std::uint64_t thread_allocations() noexcept;

}  // namespace ragstone::test
