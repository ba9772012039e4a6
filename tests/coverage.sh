#!/bin/sh
# Counts the lines and branches of include/ that the tests run. Fails if they run less than 97 % of the lines, or if
# tests/coverage.txt gives no reason for a line that is not run:
#
#     sh tests/coverage.sh
#
# It needs clang++ with its llvm-profdata and llvm-cov, which counts lines in the source, for all instances of a
# template together. A template without instances has no lines to count.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"
build=$root/build/coverage

# The tools of this clang++. Their names end in its version if several versions are installed.
heed_have clang++ || heed_give_up "clang++ is missing."
version=$(clang++ -dumpversion)
for tool in llvm-profdata llvm-cov; do
  heed_have "$tool-${version%%.*}" || heed_have "$tool" || heed_give_up "$tool of clang++ $version is missing."
done
tool() {
  if heed_have "$1-${version%%.*}"; then name=$1-${version%%.*}; else name=$1; fi
  shift
  "$name" "$@"
}

heed_configure coverage
cmake --build --preset coverage --target heed_tests --parallel "$(heed_jobs)"
rm -rf "$build/profiles"
mkdir "$build/profiles"
(cd "$build" && LLVM_PROFILE_FILE=$build/profiles/%p.profraw tests/heed_tests)
tool llvm-profdata merge -sparse "$build"/profiles/*.profraw -o "$build/tests.profdata"
tool llvm-cov export -format=lcov -instr-profile "$build/tests.profdata" "$build/tests/heed_tests" >"$build/coverage.info"
python3 "$root/tests/coverage.py" "$build/coverage.info"
