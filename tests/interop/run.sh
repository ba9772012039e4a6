#!/bin/sh
# Compares heed with the Python libraries that it exchanges files with, on files that go both ways.
#
#     sh tests/interop/run.sh
#
# Each X_roundtrip.py is run as `X_roundtrip.py PROGRAM FOLDER`: X_files, built from X_files.cpp, and a folder for its
# files. The Python is that of $HEED_VENV, or of build/interop-venv, which is made on the first run from requirements.txt.
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
for script in "$here"/*_roundtrip.py; do
  name=$(basename "$script" _roundtrip.py)
  say "$name"
  start=$(date +%s)
  if "$venv/bin/python" "$script" "$work/${name}_files" "$work/$name"; then
    passed=$((passed + 1))
    say "$name: ok, $(($(date +%s) - start)) s"
  else
    failed=$((failed + 1)) names="$names $name"
    say "$name: FAILED, $(($(date +%s) - start)) s"
  fi
done

say "$passed passed, $failed failed${names:+:$names}"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
