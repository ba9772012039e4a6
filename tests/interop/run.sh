#!/bin/sh
# Exchanges files between heed and the Python libraries that use the same formats, in both directions.
#
#     sh tests/interop/run.sh
#
# Each X_roundtrip.py is run as `X_roundtrip.py PROGRAM FOLDER`. PROGRAM is X_files, built from X_files.cpp, and
# FOLDER is a folder for its files. The Python is that of $HEED_VENV, or of build/interop-venv, which the first run
# makes from requirements.txt. keras_roundtrip.py is also run with a few networks in each Keras version of
# keras_versions.txt. These versions are installed without their dependencies, in separate folders, and use the
# TensorFlow of the environment.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH='' cd -- "$here/../.." && pwd -P)
work=$root/build/interop

say() { printf 'interop: %s\n' "$*"; }

venv=${HEED_VENV:-$root/build/interop-venv}
if [ -z "${HEED_VENV:-}" ] && ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  say "making $venv"
  rm -rf "$venv"
  python3 -m venv "$venv" || {
    say 'python3 has no venv; Debian has it in the package python3-venv'
    exit 1
  }
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv"
fi

mkdir -p "$root/build"
cmake -S "$here" -B "$work" >"$root/build/interop-configure.log" 2>&1 || {
  cat "$root/build/interop-configure.log"
  exit 1
}
cmake --build "$work" --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc 2>/dev/null || echo 1)}"

passed=0 failed=0 names=''
# compare NAME [ARGUMENT...]
compare() {
  name=$1 script=${1%% *}
  shift
  say "$name"
  start=$(date +%s)
  if "$venv/bin/python" "$here/${script}_roundtrip.py" "$work/${script}_files" "$work/$script" "$@"; then
    passed=$((passed + 1))
    say "$name: ok, $(($(date +%s) - start)) s"
  else
    failed=$((failed + 1)) names="$names $name"
    say "$name: FAILED, $(($(date +%s) - start)) s"
  fi
}

for script in "$here"/*_roundtrip.py; do
  compare "$(basename "$script" _roundtrip.py)"
done

while read -r version packages; do
  case $version in '' | '#'*) continue ;; esac
  other=$root/build/interop-keras/$version
  if [ ! -e "$other/done" ]; then
    rm -rf "$other"
    # shellcheck disable=SC2086 # several packages
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$other" "keras==$version" $packages
    touch "$other/done"
  fi
  PYTHONPATH=$other
  export PYTHONPATH
  compare "keras $version" --models 2 --quick
done <"$here/keras_versions.txt"
unset PYTHONPATH

say "$passed passed, $failed failed${names:+:$names}"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
