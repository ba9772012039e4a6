#!/bin/sh
# Runs the tests and the fuzzers with addresses and an Index of 32 bits, where sizes can overflow that always fit into
# 64 bits. Run it on Debian, as root or with g++-multilib installed:
#
#     sh tests/bits32.sh          # each fuzzer for 60 seconds
#     sh tests/bits32.sh 3600     # each fuzzer for 3600 seconds
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"

if ! echo '#include <span>' | g++ -m32 -std=c++20 -fsyntax-only -x c++ - 2>/dev/null; then
  heed_find_apt || heed_give_up "g++ does not compile for 32 bits here, and $why_not."
  heed_install g++-multilib
fi
heed_configure bits32
cmake --build --preset bits32 --parallel "$(heed_jobs)"
ctest --preset bits32 --parallel "$(heed_jobs)"
sh "$root/tests/fuzz/run.sh" "${1:-60}" fuzz32
