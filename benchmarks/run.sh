#!/bin/sh
# Installs missing packages, builds, runs heed and its peers in turns, and prints where the results are. Arguments are
# passed to compare.py: sh benchmarks/run.sh --quick
#
# Keras and JAX come from $HEED_VENV, or from build/benchmarks-venv, which the first run makes from requirements.txt.
# PyTorch and libtorch are Debian's packages; compare.py --help lists alternatives.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH='' cd -- "$here/.." && pwd -P)
start=$(pwd -P)
. "$root/cmake/setup.sh"

# Debian's PyTorch uses the BLAS that is installed. Without a fast one, the comparison would be unfair to it.
if heed_find_apt && heed_have dpkg; then
  missing=
  for package in python3-torch python3-numpy libtorch-dev libopenblas0-pthread; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  # shellcheck disable=SC2086
  [ -z "$missing" ] || heed_install $missing
fi

venv=${HEED_VENV:-$root/build/benchmarks-venv}
if [ -z "${HEED_VENV:-}" ] && ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
  heed_say "making $venv"
  rm -rf "$venv"
  python3 -m venv "$venv" || heed_give_up 'python3 has no venv; Debian has it in the package python3-venv'
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv"
fi

heed_configure benchmarks
cd "$start"
results=$root/build/benchmarks/results
mkdir -p "$results"
status=0
"$venv/bin/python" "$here/compare.py" --markdown "$results/table.md" --svg "$results/ratios.svg" \
  --json "$results/times.json" "$@" || status=$?
printf '\nThe results are in %s: table.md, ratios.svg, times.json\n' "build/benchmarks/results"
exit $status
