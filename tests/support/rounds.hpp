#pragma once

#include <cstddef>

namespace ragstone::test {

/// How many rounds a randomised test runs: `usual`, times the environment variable RAGSTONE_TEST_FACTOR if that is set
/// (tests/long.sh sets it).
std::size_t rounds(std::size_t usual);

}  // namespace ragstone::test
