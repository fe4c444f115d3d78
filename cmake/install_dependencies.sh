#!/bin/sh
# Sees to it that the Debian packages of the named groups are installed: sh cmake/install_dependencies.sh GROUP...
# Groups: build (library, tests, examples), check (layout; a cache for builds that compile the same), bench (other
# libraries to compare with), clang. What each library is for: src/README.md.
# As root missing packages are installed at once; otherwise the line is shown, confirmed, and run with sudo.
set -eu

build='g++ make cmake ninja-build pkg-config libboost1.81-dev libicu-dev libssl-dev libstemmer-dev libmd4c-dev
  libmd4c-html0-dev libsqlite3-dev libxxhash-dev libspdlog-dev libgtest-dev libgmock-dev zlib1g-dev nlohmann-json3-dev
  libhwy-dev libhnswlib-dev libcurl4-openssl-dev libsimdjson-dev libre2-dev'
check='clang-format ccache'
bench='libfaiss-dev libmarisa-dev'
clang='clang'

wanted=
for group in "$@"; do
  case $group in
    build) wanted="$wanted $build" ;;
    check) wanted="$wanted $check" ;;
    bench) wanted="$wanted $bench" ;;
    clang) wanted="$wanted $clang" ;;
    *) echo "install_dependencies.sh: unknown group '$group' (build, check, bench, clang)" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "This system has no dpkg; if the build misses something, it is one of (Debian names): $wanted" >&2
  exit 0
fi

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Any Boost from 1.81 on will do; Debian 12's plain libboost-dev is 1.74, and only one version can be installed.
boost_is_new_enough() {
  version=$(sed -n 's/^#define BOOST_VERSION \([0-9]*\).*/\1/p' /usr/include/boost/version.hpp 2>/dev/null)
  [ "${version:-0}" -ge 108100 ]
}

missing=
for package in $wanted; do
  is_installed "$package" && continue
  if [ "$package" = libboost1.81-dev ]; then
    boost_is_new_enough && continue
    other=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 'libboost*-dev' 2>/dev/null |
      sed -n 's/^installed //p' | tr '\n' ' ')
    if [ -n "$other" ]; then
      echo "Ragstone needs Boost 1.81 or later. An older one is installed and conflicts with libboost1.81-dev:" >&2
      echo "  $other" >&2
      echo "Remove it (apt-get remove $other), then run this again." >&2
      exit 1
    fi
  fi
  missing="$missing $package"
done
[ -n "$missing" ] || exit 0

# Package lists older than the packages they name make the first try fail; then they are refreshed.
commands="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -eq 0 ]; then
  echo "Installing:$missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  $commands >&2 </dev/null || { apt-get update >&2 && $commands >&2 </dev/null; }
  exit
fi

echo "Ragstone's build needs packages that are not installed. This line installs them:" >&2
echo "  sudo $commands" >&2
if ! [ -t 0 ]; then
  echo "Run it, then run this again." >&2
  exit 1
fi
printf 'Run it now? [y/N] ' >&2
read -r answer
case $answer in
  y | Y | yes) ;;
  *) exit 1 ;;
esac
sudo $commands || { sudo apt-get update && sudo $commands; }
