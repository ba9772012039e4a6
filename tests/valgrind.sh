#!/bin/sh
# Runs the tests under valgrind's memcheck, which finds reads of uninitialised or freed memory, overruns and leaks.
#
#     sh tests/valgrind.sh                 # the tests that take minutes under valgrind, not hours
#     sh tests/valgrind.sh "[property]"    # arguments are passed to the test program
#
# Built without this machine's special instructions, because valgrind does not know all of them.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"

heed_have valgrind || { heed_find_apt && heed_install valgrind; } || heed_give_up "valgrind is missing: $why_not."
heed_configure valgrind
cmake --build --preset valgrind --parallel "$(heed_jobs)"

# By default, these tests are left out: long trainings, flipping every bit of a file, measuring memory, and killing a
# process at a random moment during a save, which would rarely happen at valgrind's speed. Another test is killed in
# each of its saves. valgrind's arithmetic does not flush denormal numbers.
[ $# -gt 0 ] || set -- '~*Keras*' '~*any bit*' '~*allocates nothing*' '~Killed at 100*' '~[denormals]'
HEED_PROPERTY_MODELS=${HEED_PROPERTY_MODELS:-100} valgrind --quiet --error-exitcode=99 --leak-check=full \
  --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
  --num-callers=20 --suppressions=tests/valgrind.supp build/valgrind/tests/heed_tests "$@"
