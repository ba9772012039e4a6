#!/bin/sh
# Installs missing packages, builds both experiments, runs them in build/, and prints where the pictures are.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
here=$(pwd -P)
. "$root/cmake/setup.sh"

if [ $# -gt 0 ]; then
  heed_give_up "examples/run.sh takes no arguments; build/release/examples/attention_index2 --help shows the program's."
fi

heed_configure release -D HEED_TESTS=OFF
cmake --build --preset release --parallel "$(heed_jobs)" --target attention_index2 dummy_regression
for example in attention_index2 dummy_regression; do
  printf '\n== %s\n\n' "$example"
  "build/release/examples/$example" --out "build/$example"
done

printf '\nThe pictures:\n'
for picture in build/attention_index2/*.svg build/dummy_regression/*.svg; do
  if [ -e "$picture" ]; then
    printf '  %s\n' "$(realpath --relative-to="$here" "$picture" 2>/dev/null || printf '%s/%s' "$root" "$picture")"
  fi
done
