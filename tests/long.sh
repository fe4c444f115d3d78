#!/bin/sh
# The long part of the tests: all test programs with every randomised test FACTOR times as long as usual, in Release mode
# and under AddressSanitizer and UndefinedBehaviorSanitizer; then EXECUTIONS runs of each libFuzzer target (clang).
#   sh tests/long.sh [FACTOR [EXECUTIONS]]      (100 and 10000000 unless told)
set -eu
cd "$(dirname "$0")/.."
. cmake/environment.sh
sh cmake/install_dependencies.sh clang

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

cmake --workflow --preset fuzz
for program in build/fuzz/tests/fuzz/ragstone_fuzz_*; do
  [ "$program" = build/fuzz/tests/fuzz/ragstone_fuzz_test ] && continue
  echo "== $program, ${2:-10000000} executions"
  (cd build/fuzz && "../../$program" -runs="${2:-10000000}" -max_len=4096 -print_final_stats=1)
done
echo "The long part passed."
