#!/bin/sh
# Proves that other projects can link Ragstone: installs it, moves the installation, and builds and runs a program through
# find_package, add_subdirectory, FetchContent and pkg-config. The program is the one that README.md shows.
set -eu
cd "$(dirname "$0")/../.."
. cmake/environment.sh
root=$PWD
work=$root/build/consumer
rm -rf "$work"
mkdir -p "$work"
# Two of the projects compile the same library.
if command -v ccache >/dev/null 2>&1; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

fail() {
  echo "tests/consumer/run.sh: $*" >&2
  exit 1
}

sed -n '/^```cpp$/,/^```$/{/^```/!p;}' README.md | diff - tests/consumer/main.cpp ||
  fail "the program in README.md is not tests/consumer/main.cpp"

# configure PROJECT ARGUMENT...
configure() {
  project=$1
  shift
  cmake -G Ninja -S "$root/tests/consumer/$project" -B "$work/$project" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
}

# The consumer's own file is compiled with nothing of ours but the include path, the threads flag and the language level.
check_flags() {
  command=$(grep '"command".*main\.cpp' "$work/$1/compile_commands.json")
  for flag in $(echo "$command" | sed 's/.*"command": "//'); do
    case $flag in
      -W* | -f* | -D* | -O* | -g* | -m*) fail "$1: Ragstone leaks $flag into its user's flags" ;;
    esac
  done
}

# The program reads the folder handbook/ where it is run, keeps its store there, and prints what it finds.
run() {
  mkdir "$work/$1/run"
  cp -R examples/handbook "$work/$1/run/"
  (cd "$work/$1/run" && "$work/$1/consumer") >"$work/$1/output" || fail "$1: the program fails"
  [ -f "$work/$1/run/kb/store.db" ] || fail "$1: the program kept no store"
  grep -q 'chapter_optimization/momentum\.md' "$work/$1/output" || fail "$1: the program misses the passage"
}

build_and_run() {
  cmake --build "$work/$1" -j "$jobs" --target consumer
  run "$1"
  check_flags "$1"
}

check_no_own_extras() {
  if grep -E "\"file\": \"$root/(tests/(unit|support|check)|examples|benchmarks)/" "$work/$1/compile_commands.json"; then
    fail "$1: builds Ragstone's tests or examples inside a parent project"
  fi
  if grep -E -- '-Wall|-Wconversion|-Werror' "$work/$1/compile_commands.json"; then
    fail "$1: compiles Ragstone with its own warnings inside a parent project"
  fi
  cmake --install "$work/$1" --prefix "$work/$1-installed" >/dev/null
  if [ -e "$work/$1-installed" ]; then fail "$1: installs Ragstone from a parent project that did not ask for it"; fi
}

cmake --preset release
cmake --build --preset release -j "$jobs" --target ragstone_core ragstone_http ragstone_sqlite
cmake --install build/release --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
if grep -rn -e "$root" -e "$work/first" "$work/moved/lib/cmake" "$work/moved/lib/pkgconfig"; then
  fail "the installed package names folders of this machine"
fi

echo "== find_package"
configure find_package -DCMAKE_PREFIX_PATH="$work/moved"
build_and_run find_package
message=$(cmake -S tests/consumer/find_package -B "$work/no_component" -DCMAKE_PREFIX_PATH="$work/moved" \
  -DCOMPONENT=warp_drive 2>&1) && fail "an unknown component is accepted"
echo "$message" | tr '\n' ' ' | tr -s ' ' | grep -q "no component 'warp_drive'" || fail "unclear error: $message"
for version in 0.2 1.0; do
  if cmake -S tests/consumer/find_package -B "$work/no_version" -DCMAKE_PREFIX_PATH="$work/moved" \
    -DWANTED_VERSION="$version" >/dev/null 2>&1; then
    fail "version $version is accepted"
  fi
done

echo "== pkg-config"
mkdir "$work/pkg_config"
PKG_CONFIG_PATH=$work/moved/lib/pkgconfig make -C tests/consumer/pkg_config OUTPUT="$work/pkg_config/consumer"
run pkg_config

echo "== add_subdirectory"
configure add_subdirectory
build_and_run add_subdirectory
check_no_own_extras add_subdirectory

echo "== FetchContent"
configure fetch_content
build_and_run fetch_content
check_no_own_extras fetch_content
echo "All four ways to link Ragstone work."
