#!/bin/sh
# The long part of the tests, whole or in parts:   sh tests/long.sh [PART...]
#
#   kills      20,000 writers killed, at any moment and at counted calls; one program at each of its calls
#   power      50,000 disks after a loss of power
#   faults     every call of a store's life failed, once and for good: opening, adding, updating, removing, sealing,
#              merging, backup, closing; export, import, recovery; every allocation of eight operations; full disks
#   damage     10,000 damaged segments, 5,000 damaged databases
#   processes  20,000 commits beside readers and an intruder in other processes
#   programs   all other test programs, every randomised test a hundred times as long
#   sanitizers the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   threads    the programs of the layers that have threads under ThreadSanitizer, and ten minutes of stress
#   peers      the clients of model servers against a server of another make, where node and npm are there
#   fuzz       ten million executions of each libFuzzer target (clang)
#
# RAGSTONE_TEST_FACTOR (100) and RAGSTONE_FUZZ_RUNS (10000000) make them shorter or longer. What was done is printed at
# the end of each part.
set -eu
cd "$(dirname "$0")/.."
. cmake/environment.sh
factor=${RAGSTONE_TEST_FACTOR:-100}
runs=${RAGSTONE_FUZZ_RUNS:-10000000}
RAGSTONE_TEST_FACTOR=$factor
export RAGSTONE_TEST_FACTOR

# build PRESET [TARGET...]
build() {
  preset=$1
  shift
  cmake --preset "$preset"
  if [ $# -gt 0 ]; then
    cmake --build --preset "$preset" -j "$jobs" --target "$@"
  else
    cmake --build --preset "$preset" -j "$jobs"
  fi
}

# run PROGRAM [ARGUMENT...]
run() {
  echo "== $*, factor $RAGSTONE_TEST_FACTOR"
  begin=$(date +%s)
  "$@" --gtest_brief=1
  echo "== took $(($(date +%s) - begin)) s"
}

crash=build/release/tests/unit/sqlite/ragstone_crash_test

# every_program PRESET: all but those that the other parts run.
every_program() {
  for program in build/"$1"/tests/unit/*/ragstone_*_test build/"$1"/tests/fuzz/ragstone_fuzz_test; do
    case $program in
      */ragstone_crash_test | */ragstone_memory_test) ;;
      *) run "$program" ;;
    esac
  done
}

part() {
  case $1 in
    kills)
      build release ragstone_crash_test
      run "$crash" --gtest_filter='KillLoop.*'
      ;;
    power)
      build release ragstone_crash_test
      run "$crash" --gtest_filter='StorePowerLoss.*'
      ;;
    faults)
      build release ragstone_crash_test ragstone_memory_test
      run "$crash" --gtest_filter='StoreFaultSweep.*:ShortReadsOfTheSystem.*:ToolFaults.*:FullDisk.*:MemoryLimit.*'
      run build/release/tests/unit/sqlite/ragstone_memory_test
      ;;
    damage)
      build release ragstone_crash_test ragstone_store_test
      run "$crash" --gtest_filter='DamagedDatabase.*:DamagedLog.*'
      run build/release/tests/unit/store/ragstone_store_test --gtest_filter='*Mutation*:*Damage*'
      ;;
    processes)
      build release ragstone_crash_test
      run "$crash" --gtest_filter='StoreProcesses.*'
      ;;
    programs)
      build release
      every_program release
      ;;
    sanitizers)
      build asan
      every_program asan
      ;;
    threads)
      build tsan
      (unset RAGSTONE_TEST_FACTOR && ctest --preset tsan -j "$jobs")
      TSAN_OPTIONS=halt_on_error=1:detect_deadlocks=0
      export TSAN_OPTIONS
      run build/tsan/tests/unit/rag/ragstone_endurance_test --gtest_filter='Stress.*'
      ;;
    peers)
      sh tests/peers/model_server.sh
      ;;
    fuzz)
      sh cmake/install_dependencies.sh clang
      cmake --workflow --preset fuzz
      for program in build/fuzz/tests/fuzz/ragstone_fuzz_*; do
        [ "$program" = build/fuzz/tests/fuzz/ragstone_fuzz_test ] && continue
        echo "== $program, $runs executions"
        (cd build/fuzz && "../../$program" -runs="$runs" -max_len=8192 -len_control=0 -print_final_stats=1)
      done
      ;;
    *)
      echo "There is no part '$1'; the parts are named at the top of tests/long.sh." >&2
      exit 2
      ;;
  esac
  echo "== part $1 passed"
}

[ $# -gt 0 ] || set -- kills power faults damage processes programs sanitizers threads peers fuzz
for name; do part "$name"; done
echo "The long part passed: $*"
