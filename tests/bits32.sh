#!/bin/sh
# The tests and the fuzzers where addresses and heed's Index have 32 bits: a size that 64 bits hold anyway has to be checked
# there. On Debian, as root or with g++-multilib installed:
#
#     sh tests/bits32.sh          # each fuzzer for 60 seconds
#     sh tests/bits32.sh 3600     # as long as that
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
