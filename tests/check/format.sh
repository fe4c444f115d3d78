#!/bin/sh
# Fails if clang-format 14 would lay out a tracked source file differently. Exits 77 (skipped) without clang-format 14:
# other versions differ in details.
set -eu
cd "$(dirname "$0")/../.."
formatter=
for candidate in clang-format-14 clang-format; do
  if "$candidate" --version 2>/dev/null | grep -q 'version 14\.'; then formatter=$candidate; break; fi
done
if [ -z "$formatter" ]; then
  echo "clang-format 14 is not installed"
  exit 77
fi
git ls-files -z -- '*.hpp' '*.cpp' | xargs -0 "$formatter" --dry-run --Werror
