#!/bin/sh
# Runs everything that takes too long for each change, in one hour or several. It continues after a failure and
# reports it at the end.
#
#     sh tests/thorough.sh           # each fuzzer for 900 seconds
#     sh tests/thorough.sh 3600      # each fuzzer for 3600 seconds
set -u

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root" || exit 1
summary=

stage() {
  title=$1
  shift
  printf '\n=== %s\n\n' "$title"
  start=$(date +%s)
  if "$@" </dev/null; then result=ok; else result=FAILED; fi
  summary="$summary
$(printf '    %-14s %6d s  %s' "$title" $(($(date +%s) - start)) $result)"
}

many_networks() { HEED_PROPERTY_MODELS=20000 build/test/tests/heed_tests 'A random network*'; }

stage tests sh tests/run.sh
stage networks many_networks
stage coverage sh tests/coverage.sh
stage uninitialised sh tests/uninitialised.sh
stage valgrind sh tests/valgrind.sh
stage bits32 sh tests/bits32.sh "${1:-900}"
stage mutants python3 tests/mutation/run.py
stage fuzz sh tests/fuzz/run.sh "${1:-900}"

printf '\n=== summary%s\n' "$summary"
case $summary in
  *FAILED*) exit 1 ;;
esac
