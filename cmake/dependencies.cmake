# The dependencies of heed, their accepted versions, and the sources that are downloaded if one is missing.
#
# Each SHA256 agrees with two independent package collections (Spack, Homebrew, the Bazel Central Registry, xmake) or
# projects. Set FETCHCONTENT_SOURCE_DIR_<PACKAGE> to use your own copy, and HEED_FETCH=OFF to forbid downloads.

include("${CMAKE_CURRENT_LIST_DIR}/dependency.cmake")

heed_dependency(Eigen3
  TARGET Eigen3::Eigen VERSIONS 3.4 5
  HEADER Eigen/Core SUFFIXES eigen3
  # GitLab has changed the bytes of its archives in the past; the archive of the mirror has the same hash.
  URLS https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
       https://github.com/eigen-mirror/eigen/archive/refs/tags/3.4.0.tar.gz
  SHA256 8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72
  INCLUDE .)

if(NOT TARGET Threads::Threads)
  find_package(Threads REQUIRED)
  # Projects that add heed as a subdirectory link to the target from another folder.
  set_target_properties(Threads::Threads PROPERTIES IMPORTED_GLOBAL TRUE)
endif()

if(NOT HEED_KERAS STREQUAL AUTO AND NOT HEED_KERAS MATCHES "^(ON|OFF)$")
  message(FATAL_ERROR "heed: HEED_KERAS is ${HEED_KERAS}; it can be ON, OFF or AUTO.")
endif()
if(HEED_IO OR HEED_TESTS OR HEED_EXAMPLES OR HEED_KERAS STREQUAL ON)
  set(heed_json_need "")
else()
  set(heed_json_need OPTIONAL)
endif()
heed_dependency(nlohmann_json ${heed_json_need}
  TARGET nlohmann_json::nlohmann_json VERSIONS 3.10
  HEADER nlohmann/json.hpp
  URLS https://github.com/nlohmann/json/releases/download/v3.12.0/json.tar.xz
  SHA256 42f6e95cad6ec532fd372391373363b62a14af6d771056dbfc86160e6dfff7aa
  INCLUDE include)

# zlib unpacks compressed files of Keras, which are rare. It is not downloaded.
if(NOT HEED_ZLIB MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "heed: HEED_ZLIB is ${HEED_ZLIB}; it can be ON, OFF or AUTO.")
endif()
set(heed_has_zlib OFF)
if(NOT HEED_ZLIB STREQUAL OFF)
  if(NOT TARGET ZLIB::ZLIB)
    find_package(ZLIB QUIET)
    if(TARGET ZLIB::ZLIB)
      get_target_property(heed_zlib_imported ZLIB::ZLIB IMPORTED)
      if(heed_zlib_imported)
        set_target_properties(ZLIB::ZLIB PROPERTIES IMPORTED_GLOBAL TRUE)
      endif()
    endif()
  endif()
  if(TARGET ZLIB::ZLIB)
    set(heed_has_zlib ON)
  elseif(HEED_TESTS AND NOT HEED_FETCH)
    set_property(GLOBAL APPEND PROPERTY HEED_MISSING ZLIB)
  elseif(HEED_ZLIB STREQUAL ON)
    message(FATAL_ERROR "heed: HEED_ZLIB is ON, and zlib is not installed (Debian: zlib1g-dev).")
  endif()
endif()

if(HEED_TESTS)
  heed_dependency(Catch2
    TARGET Catch2::Catch2 VERSIONS 3 2.13
    URLS https://github.com/catchorg/Catch2/archive/refs/tags/v3.8.1.tar.gz
    SHA256 18b3f70ac80fccc340d8c6ff0f339b2ae64944782f8d2fca2bd705cf47cadb79)
endif()

if(HEED_EXAMPLES)
  heed_dependency(CLI11
    TARGET CLI11::CLI11 VERSIONS 2
    HEADER CLI/CLI.hpp
    URLS https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.5.0.tar.gz
    SHA256 17e02b4cddc2fa348e5dbdbb582c59a3486fa2b2433e70a0c3bacb871334fd55
    INCLUDE include)
endif()

if(HEED_BENCHMARKS)
  set(BENCHMARK_ENABLE_TESTING OFF)
  set(BENCHMARK_ENABLE_INSTALL OFF)
  set(BENCHMARK_ENABLE_WERROR OFF)
  heed_dependency(benchmark
    TARGET benchmark::benchmark VERSIONS 1.7
    URLS https://github.com/google/benchmark/archive/refs/tags/v1.9.5.tar.gz
    SHA256 9631341c82bac4a288bef951f8b26b41f69021794184ece969f8473977eaa340)
endif()

heed_require_dependencies()
