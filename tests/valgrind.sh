#!/bin/sh
# Runs the tests under valgrind's memcheck: reads of what was never written, beyond the end, and after the end; leaks.
#
#     sh tests/valgrind.sh                 # the tests that take valgrind minutes, not hours
#     sh tests/valgrind.sh "[property]"    # arguments go to the tests' program
#
# Built without the instructions of this machine, which valgrind does not all know.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"

heed_have valgrind || { heed_find_apt && heed_install valgrind; } || heed_give_up "valgrind is missing: $why_not."
heed_configure valgrind
cmake --build --preset valgrind --parallel "$(heed_jobs)"

# Without arguments all but what trains for long, flips every bit of a file, measures what memory is taken, or has to be
# killed in a save by chance, which is rare where all else is slow; another test is killed in each of its saves.
[ $# -gt 0 ] || set -- '~*Keras*' '~*any bit*' '~*allocates nothing*' '~Killed at 100*'
HEED_PROPERTY_MODELS=${HEED_PROPERTY_MODELS:-100} valgrind --quiet --error-exitcode=99 --leak-check=full \
  --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
  --num-callers=20 --suppressions=tests/valgrind.supp build/valgrind/tests/heed_tests "$@"
