#!/bin/sh
# Ragstone's clients against a model server of another make, the npm package aimock: chat streamed and embeddings, by the
# ninth example. sh tests/peers/model_server.sh [PROGRAM]; needs node and npm, and says "skipped" where they are not there.
set -eu
cd "$(dirname "$0")/../.."

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "skipped: node and npm are needed"
  exit 0
fi
program=${1:-}
if [ -z "$program" ]; then
  . cmake/environment.sh
  cmake --preset release >&2
  cmake --build --preset release -j "$jobs" --target ragstone_09_model_server >&2
  program=$PWD/build/release/examples/ragstone_09_model_server
fi
peers=$PWD/build/peers/model_server
mkdir -p "$peers"
cp tests/peers/model_server.mjs "$peers/"
[ -f "$peers/package.json" ] || echo '{"private": true}' > "$peers/package.json"
if ! (cd "$peers" && npm install --no-audit --no-fund --ignore-scripts @copilotkit/aimock@1.43.0 >&2); then
  echo "skipped: npm could not install aimock"
  exit 0
fi

rm -f "$peers/address"
node "$peers/model_server.mjs" > "$peers/address" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
tries=0
while ! [ -s "$peers/address" ]; do
  tries=$((tries + 1))
  [ "$tries" -le 100 ] || { echo "the server did not start" >&2; exit 1; }
  sleep 0.1
done

output=$(RAGSTONE_PROVIDER=vllm RAGSTONE_BASE_URL="$(cat "$peers/address")/v1" RAGSTONE_CHAT_MODEL=gpt-4o \
  RAGSTONE_EMBEDDING_MODEL=text-embedding-3-small "$program")
echo "$output"
for expected in 'vector search, 也叫语义检索' 'tokens by gpt-4o' 'vectors of dimension 3' 'b.md'; do
  case $output in
    *"$expected"*) ;;
    *) echo "missing in the output: $expected" >&2; exit 1 ;;
  esac
done
echo "passed"
