#!/bin/sh
# Builds the libFuzzer programs and runs each of them, two at a time, on the corpus and on its own findings:
#
#     sh tests/fuzz/run.sh          # 60 seconds each
#     sh tests/fuzz/run.sh 3600     # 3600 seconds each
#     sh tests/fuzz/run.sh 60 fuzz32    # compiled for 32 bits, which needs g++-multilib
#
# New inputs are kept in build/fuzz/corpus, where the next run starts. A program fails on a crash, on a hang of 10
# seconds, and on using more time or memory than an input of its size is allowed to (see Limits in fuzzing.hpp). The
# input is then in build/fuzz/findings.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
. "$root/cmake/setup.sh"
seconds=${1:-60}
preset=${2:-fuzz}
build=$root/build/$preset

heed_configure "$preset"
cmake --build --preset "$preset" --parallel "$(heed_jobs)"
mkdir -p "$build/findings"

# run <target> <additional folder of examples>...
run() {
  target=$1
  shift
  mkdir -p "$build/corpus/$target"
  status=0
  # Only a few stack frames are stored for each allocation; more would take half of the time.
  ASAN_OPTIONS=malloc_context_size=4:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    "$build/tests/fuzz/heed_fuzz_$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -rss_limit_mb=2048 -malloc_limit_mb=64 -dict="$root/tests/fuzz/heed.dict" -print_final_stats=1 \
    -artifact_prefix="$build/findings/$target-" "$build/corpus/$target" "$@" >"$build/$target.log" 2>&1 || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
  echo "$target: ${executions:-no} executions in $seconds seconds, status $status"
  [ $status -eq 0 ] || tail -n 40 "$build/$target.log"
  return $status
}

cd "$root/tests"
run config fuzz/corpus/config &
first=$!
run safetensors fuzz/corpus/safetensors &
second=$!
failed=0
wait $first || failed=1
wait $second || failed=1
run keras fuzz/corpus/keras golden/keras &
first=$!
run model fuzz/corpus/model &
second=$!
wait $first || failed=1
wait $second || failed=1
exit $failed
