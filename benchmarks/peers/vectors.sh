#!/bin/sh
# Vectors of 384 dimensions with short texts into Ragstone's persistent store and into the npm builds of sqlite-vec and
# LanceDB, one after the other: sh benchmarks/peers/vectors.sh [--quick]
# 100,000 of them, with --quick 10,000. Ragstone and sqlite-vec commit 64 rows at a time and sync each commit; LanceDB
# takes 1,024 at a time and does not sync. Needs node and npm; says "skipped" where they are not there.
set -eu
cd "$(dirname "$0")/../.."

count=100000
[ "${1:-}" != --quick ] || count=10000
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: node and npm are needed"
  exit 0
fi
. cmake/environment.sh
cmake --preset bench >&2
cmake --build --preset bench -j "$jobs" --target ragstone_bench_ingest >&2
program=$PWD/build/release/benchmarks/ragstone_bench_ingest
peers=$PWD/build/peers
script=$PWD/benchmarks/peers/lancedb.mjs
mkdir -p "$peers"
cp benchmarks/peers/package.json "$peers/"
cd "$peers"
if ! npm install --no-audit --no-fund --ignore-scripts >&2; then
  echo "skipped: npm could not install sqlite-vec and LanceDB"
  exit 0
fi
RAGSTONE_SQLITE_VEC=$(node -p 'require("sqlite-vec").getLoadablePath()')
export RAGSTONE_SQLITE_VEC
table=$(mktemp -d)
trap 'rm -rf "$table"' EXIT

# Prints one line from the values of a part.
line() {
  awk -F '\t' -v name="$1" -v count="$count" '
    $1 == "value" { value[$2] = $3 }
    END {
      printf "%-12s %10.0f rows/s %8.1f MB on disk (%.2f of raw f32) %9.2f ms to open %9.2f ms for the first search\n",
             name, count / value["seconds"], value["disk"] / 1e6, value["disk"] / (count * 384 * 4), value["open"],
             value["first search"]
    }'
}
"$program" --part vectors sqlite "$count" | line Ragstone
"$program" --part vectors sqlite-vec "$count" | line sqlite-vec
node "$script" "$count" "$table" | line LanceDB
"$program" --part vectors sqlite "$count" | line Ragstone
