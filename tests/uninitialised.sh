#!/bin/sh
# Runs the tests with memory that contains NaN until it is written. Code that reads memory too early then computes
# with NaN, and a test fails. Arguments are passed to the test program.
#
#     sh tests/uninitialised.sh
#
# NaN is written to Eigen's own memory (EIGEN_INITIALIZE_MATRICES_BY_NAN), to all allocated memory
# (support/allocations.cpp), and, in a copy of heed, to every tensor each time it is given a shape. Without this, a
# tensor keeps the values of the last batch, or zeros if it is new. At the end, one layer is changed to read memory
# too early, and a test must fail.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/cmake/setup.sh"
work=$root/build/uninitialised
copy=$work/source

rm -rf "$copy"
mkdir -p "$copy"
(cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - --ignore-failed-read) |
  tar -xf - -C "$copy"

# Replaces a text in a file that contains it in exactly one line.
edit() {
  [ "$(grep -cF "$2" "$1")" = 1 ] || heed_give_up "$1 should have one line: $2"
  awk -v old="$2" -v new="$3" '{ at = index($0, old)
    print at ? substr($0, 1, at - 1) new substr($0, at + length(old)) : $0 }' "$1" >"$1.new"
  mv "$1.new" "$1"
}
tensor=$copy/include/heed/tensor/tensor.hpp
edit "$tensor" 'explicit Tensor(const Shape& shape) { resize(shape); }' \
  'explicit Tensor(const Shape& shape) { resize(shape); set_zero(); }'
edit "$tensor" '    shape_ = shape;' \
  '    shape_ = shape; std::fill(elements_.begin(), elements_.end(), Scalar(std::numeric_limits<double>::quiet_NaN()));'

(root=$copy && heed_configure test -D HEED_EXAMPLES=OFF -D HEED_COMPILE_CHECKS=OFF -D HEED_WARNINGS=OFF \
  -D CMAKE_COMPILE_WARNING_AS_ERROR=OFF \
  -D HEED_TEST_MEMORY=POISON -D CMAKE_CXX_FLAGS=-DEIGEN_INITIALIZE_MATRICES_BY_NAN \
  -D "CMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1 -D_GLIBCXX_ASSERTIONS")
build() { cmake --build "$copy/build/test" --target heed_tests --parallel "$(heed_jobs)"; }
build
# One test checks that new memory is zero, which is not true here.
[ $# -gt 0 ] || set -- '~Memory that is new to a tensor is zero'
"$copy/build/test/tests/heed_tests" "$@"

# An LSTM that uses uninitialised memory as its initial state. New memory is zero, so the tests only notice it here.
edit "$copy/include/heed/layers/lstm.hpp" 'cache.c.slice(0).setZero();' ''
build
if "$copy/build/test/tests/heed_tests" "*LSTM*,*random network*" >"$work/broken.log" 2>&1; then
  heed_give_up "A layer that reads memory before it writes to it was not noticed."
fi
heed_say "No test read memory before it was written; one that was made to do so failed."
