#!/bin/sh
# Checks the packages in packaging/ with the system's Eigen and nlohmann-json, in build/packaging:
#
#     sh packaging/check.sh
#
# Conan runs its recipe; it is installed from PyPI into a virtual environment. vcpkg itself is not run:
# vcpkg/without_vcpkg.cmake takes its place and runs portfile.cmake.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
work=$root/build/packaging
mkdir -p "$work"

say() { printf '\nheed: %s\n' "$*"; }

say 'the port of vcpkg, with its feature and without'
for features in '' io; do
  folder=$work/vcpkg-${features:-core}
  cmake -D PORT=heed -D "FEATURES=$features" -D "FOLDER=$folder" -P "$root/packaging/vcpkg/without_vcpkg.cmake"
  # Found where vcpkg's toolchain finds it: in share/heed of the prefix.
  cmake -S "$root/packaging/conan/test_package" -B "$folder/consumer" -D "WITH_IO=${features:+ON}" \
    -D "heed_DIR=$folder/packages/share/heed" -D CMAKE_CXX_STANDARD=20
  cmake --build "$folder/consumer"
  (cd "$folder/consumer" && ./test_package)
done

say "Conan's recipe, with its option and without"
if [ ! -x "$work/venv/bin/conan" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check 'conan>=2,<3'
fi
# A separate home folder without remotes: the user's settings are not used, and nothing is downloaded except from
# PyPI.
export CONAN_HOME="$work/conan"
"$work/venv/bin/conan" profile detect --force
version=$(sed -n 's/^#define HEED_VERSION_[MP][A-Z]* \([0-9]*\)$/\1/p' "$root/include/heed/version.hpp" | paste -s -d . -)
for with_io in True False; do
  PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/conan" create "$root/packaging/conan" --no-remote \
    --profile:all "$root/packaging/conan/system_packages.profile" -s build_type=Debug -o "heed/*:with_io=$with_io" \
    -c "tools.cmake.cmake_layout:test_folder=$work/conan_test"
done
"$work/venv/bin/conan" list "heed/$version" | grep -x "  *heed/$version" ||
  { echo "Conan has made another version than $version." >&2; exit 1; }
say 'all of packaging/ works as far as it can be tried here'
