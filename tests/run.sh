#!/bin/sh
# Installs missing packages, builds, and runs all tests. Arguments are passed to ctest: sh tests/run.sh -R lstm
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"

heed_configure test
cmake --build --preset test --parallel "$(heed_jobs)"
ctest --preset test --parallel "$(heed_jobs)" "$@"
