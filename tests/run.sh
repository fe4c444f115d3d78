#!/bin/sh
# Builds Ragstone in Release mode and runs all its tests. Arguments go to ctest: sh tests/run.sh -R Filter
# Tests on real data need the folder that RAGSTONE_DATA names; ../shared/data beside the project is taken if it is there.
# Without it they are skipped, or fail with RAGSTONE_REQUIRE_DATA=1.
set -eu
cd "$(dirname "$0")/.."
. cmake/environment.sh

cmake --preset release
cmake --build --preset release -j "$jobs"
ctest --preset release -j "$jobs" "$@"

# S9: no test prints the key that it asks servers with (tests/support/canary.hpp).
if grep -q 'canary-key' build/release/Testing/Temporary/LastTest.log; then
  echo "A test prints the key: see build/release/Testing/Temporary/LastTest.log." >&2
  exit 1
fi
