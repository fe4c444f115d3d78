#!/bin/sh
# Builds and runs one benchmark: sh benchmarks/run.sh NAME [--quick] [--json FILE]
# Without a NAME it lists them. What each prints is said at the top of benchmarks/NAME.cpp.
set -eu
caller=$PWD
cd "$(dirname "$0")/.."

if [ $# -eq 0 ] || [ ! -f "benchmarks/$1.cpp" ]; then
  [ $# -eq 0 ] || echo "There is no benchmark '$1'." >&2
  echo "Usage: sh benchmarks/run.sh NAME [--quick] [--json FILE], with NAME one of:" >&2
  for source in benchmarks/*.cpp; do echo "  $(basename "$source" .cpp)" >&2; done
  exit 2
fi
. cmake/environment.sh
sh cmake/install_dependencies.sh bench
program=$PWD/build/release/benchmarks/ragstone_bench_$1
cmake --preset bench >&2
cmake --build --preset bench -j "$jobs" --target "ragstone_bench_$1" >&2
shift
cd "$caller"
exec "$program" "$@"
