#pragma once

#include <chrono>

/// A program that links wall_clock.cpp has its wall clock in hand, whoever in it asks, SQLite too; the monotonic clock
/// is left alone.
namespace ragstone::test {

/// From now on the wall clock is ahead of the system's by so much, or behind it.
void set_wall_clock_ahead(std::chrono::seconds by) noexcept;

}  // namespace ragstone::test
