#!/bin/sh
# Builds programs without CMake in the current folder, and runs them:
#
#     CXX=g++ PKG_CONFIG_PATH=<prefix>/share/pkgconfig sh build.sh <expected version> <program>...
set -eu

programs=$(CDPATH='' cd -- "$(dirname -- "$0")/../programs" && pwd -P)
version=$1
shift

# compile <source> <package>
compile() {
  # shellcheck disable=SC2046
  $CXX -std=c++20 $(pkg-config --cflags "$2") -c "$programs/$1.cpp" -o "$1.o"
}

compile training heed
for program in "$@"; do
  case $program in
    with_*) package=heed-${program#with_} ;;
    *) package=heed ;;
  esac
  pkg-config --print-errors --exact-version "$version" "$package"
  compile "$program" "$package"
  # shellcheck disable=SC2046
  $CXX "$program.o" training.o $(pkg-config --libs "$package") -o "$program"
  "./$program"
done
