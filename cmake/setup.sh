# Sourced by tests/run.sh and examples/run.sh, which set `root` to the project's folder.
#
# heed_configure <preset> [option]...  installs missing packages and configures build/<preset>
# heed_jobs                            prints the number of processors

heed_say() { printf 'heed: %s\n' "$*"; }

heed_give_up() {
  printf 'heed: %s\n' "$*" >&2
  exit 1
}

heed_have() { command -v "$1" >/dev/null 2>&1; }

heed_jobs() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1; }

# The compiler that CMake will use. CXX may be a command with arguments, such as `ccache g++`.
heed_compiler() {
  for compiler in ${CXX:+"$CXX"} c++ g++ clang++; do
    if heed_have "${compiler%% *}"; then
      printf '%s' "$compiler"
      return
    elif [ "$compiler" = "${CXX:-}" ]; then
      heed_give_up "CXX names $CXX, which is not here."
    fi
  done
}

# Found out by compiling, because version numbers say little about the standard library that the compiler uses.
heed_compiles_cxx20() {
  # shellcheck disable=SC2086
  printf '%s\n' '#include <concepts>' '#include <span>' '#include <string>' \
    'struct Layer { int units = 0; std::string name = {}; };' \
    'template <std::integral T> T first(std::span<const T> values) { return values[0]; }' \
    'int main() { const int units[] = {Layer{.units = 1}.units}; return first(std::span<const int>(units)) - 1; }' |
    $1 -std=c++20 -fsyntax-only -x c++ - >/dev/null 2>&1
}

# Sets `as_root`, the prefix to run apt-get, or returns a status other than 0 with the reason in `why_not`.
heed_find_apt() {
  as_root=
  if ! heed_have apt-get; then
    why_not='there is no apt-get here'
    return 1
  elif [ "$(id -u)" -ne 0 ]; then
    if ! heed_have sudo; then
      why_not='apt-get needs root, and there is no sudo here'
      return 1
    fi
    as_root=sudo
  fi
}

heed_install() {
  heed_say "installing with ${as_root:+$as_root }apt-get: $*"
  [ -n "${updated:-}" ] || $as_root apt-get -q update </dev/null ||
    heed_give_up "apt-get update failed (is there a network?), so these could not be installed: $*"
  updated=yes
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install "$@" </dev/null ||
    heed_give_up "apt-get could not install: $*"
}

# A compiler, CMake and a build tool. Without them, CMake cannot look for the libraries.
heed_find_tools() {
  missing=
  compiler=$(heed_compiler) || exit 1
  [ -n "$compiler" ] || missing="$missing g++"
  heed_have cmake || missing="$missing cmake"
  heed_have ninja || heed_have make || missing="$missing ninja-build"
  if [ -n "$missing" ]; then
    heed_find_apt || heed_give_up "these are missing:$missing. Please install them: $why_not."
    # shellcheck disable=SC2086
    heed_install $missing
  fi

  compiler=$(heed_compiler)
  [ -n "$compiler" ] || heed_give_up "no C++ compiler was found; CXX can name one."
  heed_compiles_cxx20 "$compiler" ||
    heed_give_up "$compiler does not compile C++20; g++ 12 and clang++ 14 do. CXX can name another compiler."

  version=$(cmake --version | sed -n 's/^cmake version \([0-9]*\.[0-9]*\).*/\1/p')
  if [ "${version%%.*}" -lt 3 ] || { [ "${version%%.*}" -eq 3 ] && [ "${version#*.}" -lt 25 ]; }; then
    heed_give_up "CMake $version is too old: the presets need 3.25 (heed in a project of yours needs 3.20)."
  fi

  if [ -z "${CMAKE_GENERATOR:-}" ] && heed_have ninja; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
  fi
}

# The Debian and Ubuntu packages of libraries, by the names that CMake uses: Eigen3, nlohmann_json, …
heed_packages() {
  for name in "$@"; do
    case $name in
      Eigen3) printf ' libeigen3-dev' ;;
      nlohmann_json) printf ' nlohmann-json3-dev' ;;
      Catch2) printf ' catch2' ;;
      CLI11) printf ' libcli11-dev' ;;
      benchmark) printf ' libbenchmark-dev' ;;
      ZLIB) printf ' zlib1g-dev' ;;
    esac
  done
}

heed_configure() {
  preset=$1
  heed_find_tools
  cd "$root"

  # A build folder that was configured elsewhere, before the project was moved or copied, cannot be used.
  cache=build/$preset/CMakeCache.txt
  if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    set -- "$@" --fresh
  fi
  shift

  mkdir -p "build/$preset"
  log=build/$preset/configure.log
  heed_say "configuring build/$preset"
  if cmake --preset "$preset" -D HEED_FETCH=OFF "$@" >"$log" 2>&1; then
    return
  fi

  # CMake has searched for the libraries in the same way as the build will, so a library that was installed by hand
  # counts.
  missing=$(sed -n 's/^ *heed: not installed: //p' "$log")
  if [ -z "$missing" ]; then
    cat "$log" >&2
    heed_give_up "CMake could not configure build/$preset; its output is above and in $log."
  fi
  # shellcheck disable=SC2086
  if heed_find_apt; then
    heed_install $(heed_packages $missing)
  else
    heed_say "not installed: $missing; $why_not, so CMake fetches the source"
  fi
  cmake --preset "$preset" -D HEED_FETCH=ON "$@" ||
    heed_give_up "CMake could not configure build/$preset; its output is above."
}
