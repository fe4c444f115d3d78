#!/bin/sh
# 200,000 vectors of 384 dimensions (--quick: 20,000) in Ragstone's persistent store, and the same in the npm builds of
# usearch (mapped: its view), zvec and LanceDB and in sqlite-vec: how long opening and the first answer take, warm and
# with the files evicted from the page cache, 20 answers more, and a query: sh benchmarks/peers/nearest.sh [--quick]
# Each opening is a process of its own, one peer after the other, round by round; medians are printed, and as JSON.
# RAGSTONE_NEAREST_FOLDER=FOLDER keeps what was built there for the next run, RAGSTONE_NEAREST_READY=1 takes the program
# and the packages as they are, and RAGSTONE_NEAREST_PEERS="ragstone usearch" takes some alone. Needs node and npm; says
# "skipped" where they are not there.
set -eu
cd "$(dirname "$0")/../.."

rows=200000
[ "${1:-}" != --quick ] || rows=20000
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: node and npm are needed"
  exit 0
fi
. cmake/environment.sh
program=$PWD/build/release/benchmarks/ragstone_bench_nearest
script=$PWD/benchmarks/peers/nearest.mjs
if [ -z "${RAGSTONE_NEAREST_READY:-}" ]; then
  cmake --preset bench >&2
  cmake --build --preset bench -j "$jobs" --target ragstone_bench_nearest >&2
fi
peers=$PWD/build/peers
mkdir -p "$peers"
cp benchmarks/peers/package.json "$peers/"
cd "$peers"
if [ -z "${RAGSTONE_NEAREST_READY:-}" ] && ! npm install --no-audit --no-fund --ignore-scripts >&2; then
  echo "skipped: npm could not install the peers"
  exit 0
fi
if [ -n "${RAGSTONE_NEAREST_FOLDER:-}" ]; then
  folder=$RAGSTONE_NEAREST_FOLDER
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
RAGSTONE_SQLITE_VEC=$(node -p 'require("sqlite-vec").getLoadablePath()')
export RAGSTONE_SQLITE_VEC

# action PEER build|open
action() {
  case $1 in
    ragstone | sqlite-vec) "$program" --part "$2" "$folder" "$1" ;;
    *) node "$script" "$1" "$2" "$folder" ;;
  esac
}
all=${RAGSTONE_NEAREST_PEERS:-ragstone usearch zvec lancedb sqlite-vec}
if [ ! -f "$folder/built.json" ]; then
  "$program" --part write "$folder" "$rows"
  for peer in $all; do
    echo "building $peer" >&2
    action "$peer" build
  done > "$folder/building.json"
  mv "$folder/building.json" "$folder/built.json"
fi
results=$folder/results.json
cp "$folder/built.json" "$results"
for round in 1 2 3 4 5; do
  for peer in $all; do
    # Read once, so that it is warm whatever was evicted before.
    find "$folder/$peer" -type f -exec cat {} + > /dev/null
    action "$peer" open >> "$results"
  done
done
for round in 1 2 3; do
  for peer in $all; do
    "$program" --part evict "$folder/$peer"
    RAGSTONE_EVICTED=1 action "$peer" open >> "$results"
  done
done
node "$script" table "$results"
