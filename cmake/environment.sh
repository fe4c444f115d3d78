# Sourced by the project's scripts, in its root: installs what the build misses, names the real data, counts processors.
sh cmake/install_dependencies.sh build
if [ -z "${RAGSTONE_DATA:-}" ] && [ -d ../shared/data ]; then
  RAGSTONE_DATA=$(cd ../shared/data && pwd)
  export RAGSTONE_DATA
fi
jobs=$(getconf _NPROCESSORS_ONLN)
