#!/bin/sh
# The benchmark `wire` beside Node's openai package on the same server: sh benchmarks/peers/wire.sh [--quick] [--json FILE]
# Needs node and npm; says "skipped" where they are not there.
set -eu
cd "$(dirname "$0")/../.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: node and npm are needed"
  exit 0
fi
peers=$PWD/build/peers/openai
mkdir -p "$peers"
cp benchmarks/peers/wire.mjs "$peers/"
(cd "$peers" && [ -f package.json ] || echo '{"private": true}' > "$peers/package.json")
if ! (cd "$peers" && npm install --no-audit --no-fund --ignore-scripts openai@7.55.0 >&2); then
  echo "skipped: npm could not install openai"
  exit 0
fi
RAGSTONE_OPENAI_NODE=$peers exec sh benchmarks/run.sh wire "$@"
