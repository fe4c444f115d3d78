#!/bin/sh
# Reads a folder of documents and answers questions from it: sh examples/run.sh [FOLDER] [QUESTION...]
# Without arguments: the bundled handbook and three questions about it, two in English and one in Chinese.
set -eu
caller=$PWD
if [ $# -gt 0 ] && [ ! -d "$1" ]; then
  echo "There is no folder '$1'. Usage: sh examples/run.sh [FOLDER] [QUESTION...]" >&2
  exit 2
fi
cd "$(dirname "$0")/.."
. cmake/environment.sh
cmake --preset release >&2
cmake --build --preset release -j "$jobs" --target ragstone_ask >&2

program=$PWD/build/release/examples/ragstone_ask
if [ $# -eq 0 ]; then
  set -- "$PWD/examples/handbook" \
    'Why does momentum speed up gradient descent?' \
    'How does multi-head attention combine its heads?' \
    '为什么softmax回归使用交叉熵损失？'
fi
cd "$caller"
exec "$program" "$@"
