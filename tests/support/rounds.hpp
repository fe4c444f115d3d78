#pragma once

#include <cstddef>

namespace ragstone::test {

/// How many rounds a randomised test runs: `usual`, times the environment variable RAGSTONE_TEST_FACTOR if that is set
/// (tests/long.sh sets it).
std::size_t rounds(std::size_t usual);

/// A sweep over `all` cases tries every so many-th of them: about rounds(`usual`), evenly spread, or each case where
/// RAGSTONE_TEST_FACTOR is at least 100, as tests/long.sh has it.
std::size_t stride(std::size_t all, std::size_t usual);

}  // namespace ragstone::test
