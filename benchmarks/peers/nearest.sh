#!/bin/sh
# 200,000 vectors of 384 dimensions (--quick: 20,000) in Ragstone's persistent store, and the same in the npm builds of
# usearch (mapped: its view), zvec and LanceDB and in sqlite-vec: how long opening and the first answer take, warm and
# with the files evicted from the page cache, 20 answers more, and a query:
#   sh benchmarks/peers/nearest.sh [--quick] [--json FILE]
# Each opening is a process of its own, one peer after the other, round by round; medians and Ragstone's shares of them
# are printed, and as JSON. A peer that fails is named, and left out from then on.
# RAGSTONE_NEAREST_FOLDER=FOLDER keeps what was built there for the next run, RAGSTONE_NEAREST_READY=1 takes the program
# and the packages as they are, and RAGSTONE_NEAREST_PEERS="ragstone usearch" takes some alone. Needs node and npm; says
# "skipped" where they are not there.
set -eu
caller=$PWD
cd "$(dirname "$0")/../.."

rows=200000
json=
while [ $# -gt 0 ]; do
  case $1 in
    --quick) rows=20000 ;;
    --json)
      json=$2
      shift
      ;;
  esac
  shift
done
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
RAGSTONE_SQLITE_VEC=$(node -p 'require("sqlite-vec").getLoadablePath()' || true)
export RAGSTONE_SQLITE_VEC
results=$folder/results.json
: > "$results"
left=${RAGSTONE_NEAREST_PEERS:-ragstone usearch zvec lancedb sqlite-vec}

# try PEER build|open FILE: adds the line that the action prints to FILE. A peer that fails is left out from then on.
try() {
  status=0
  case $1 in
    ragstone | sqlite-vec) "$program" --part "$2" "$folder" "$1" > "$folder/line.json" || status=$? ;;
    *) node "$script" "$1" "$2" "$folder" > "$folder/line.json" || status=$? ;;
  esac
  if [ $status -eq 0 ]; then
    cat "$folder/line.json" >> "$3"
    return
  fi
  echo "$1 failed to $2, status $status; the others go on" >&2
  echo "{\"peer\": \"$1\", \"failed\": \"$2, status $status\"}" >> "$results"
  rest=
  for other in $left; do [ "$other" = "$1" ] || rest="$rest $other"; done
  left=$rest
}

[ -f "$folder/set.json" ] || "$program" --part write "$folder" "$rows"
for peer in $left; do
  if [ ! -f "$folder/built-$peer.json" ]; then
    echo "building $peer" >&2
    try "$peer" build "$folder/building.json"
    [ ! -f "$folder/building.json" ] || mv "$folder/building.json" "$folder/built-$peer.json"
  fi
  [ ! -f "$folder/built-$peer.json" ] || cat "$folder/built-$peer.json" >> "$results"
done
for round in 1 2 3 4 5; do
  for peer in $left; do
    # Read once, so that it is warm whatever was evicted before.
    find "$folder/$peer" -type f -exec cat {} + > /dev/null
    try "$peer" open "$results"
  done
done
RAGSTONE_EVICTED=1
export RAGSTONE_EVICTED
for round in 1 2 3; do
  for peer in $left; do
    "$program" --part evict "$folder/$peer"
    try "$peer" open "$results"
  done
done
cd "$caller"
node "$script" table "$results" "$json"
