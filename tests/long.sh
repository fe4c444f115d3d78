#!/bin/sh
# The long part of the tests: all test programs with every randomised test FACTOR times as long as usual, in Release mode
# and then under AddressSanitizer and UndefinedBehaviorSanitizer.
#   sh tests/long.sh [FACTOR]      (100 unless told)
set -eu
cd "$(dirname "$0")/.."
. cmake/environment.sh

RAGSTONE_TEST_FACTOR=${1:-100}
export RAGSTONE_TEST_FACTOR
for preset in release asan; do
  cmake --preset "$preset"
  cmake --build --preset "$preset" -j "$jobs"
  for program in build/"$preset"/tests/unit/*/ragstone_*_test build/"$preset"/tests/fuzz/ragstone_fuzz_test; do
    echo "== $program, factor $RAGSTONE_TEST_FACTOR"
    "$program" --gtest_brief=1
  done
done
