#!/bin/sh
# Sets up what is missing, builds, and runs every test. Arguments go to ctest: sh tests/run.sh -R lstm
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"

heed_configure test
cmake --build --preset test --parallel "$(heed_jobs)"
ctest --preset test --parallel "$(heed_jobs)" "$@"
