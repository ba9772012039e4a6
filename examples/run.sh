#!/bin/sh
# Installs missing packages, builds three experiments, runs them in build/, and prints where the pictures are.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
here=$(pwd -P)
. "$root/cmake/setup.sh"

if [ $# -gt 0 ]; then
  heed_give_up "examples/run.sh takes no arguments; build/release/examples/attention_index2 --help shows the program's."
fi

heed_configure release -D HEED_TESTS=OFF
cmake --build --preset release --parallel "$(heed_jobs)" --target attention_index2 dummy_regression vowels
for example in attention_index2 dummy_regression; do
  printf '\n== %s\n\n' "$example"
  "build/release/examples/$example" --out "build/$example"
done

# Two files of the PyPI package aeon, which is unpacked and not installed.
data=build/aeon/aeon/datasets/data/JapaneseVowels
heed_get_vowels() {
  [ ! -f "$data/JapaneseVowels_TEST.ts" ] || return 0
  if ! python3 -m pip --version >/dev/null 2>&1; then
    heed_find_apt || heed_give_up "there is no pip here, and $why_not."
    heed_install python3-pip
  fi
  heed_say "downloading the data of vowels, 6 MB, into build/aeon"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest build/aeon aeon==1.6.0 &&
    python3 -m zipfile -e build/aeon/aeon-1.6.0-py3-none-any.whl build/aeon
}

printf '\n== vowels\n\n'
if (heed_get_vowels); then
  build/release/examples/vowels "$data/JapaneseVowels_TRAIN.ts" "$data/JapaneseVowels_TEST.ts" --out build/vowels
else
  heed_say "left out, because its data could not be downloaded; build/release/examples/vowels --help says where they are."
fi

printf '\nThe pictures:\n'
for picture in build/attention_index2/*.svg build/dummy_regression/*.svg build/vowels/*.svg; do
  if [ -e "$picture" ]; then
    printf '  %s\n' "$(realpath --relative-to="$here" "$picture" 2>/dev/null || printf '%s/%s' "$root" "$picture")"
  fi
done
