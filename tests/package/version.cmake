# cmake -D ROOT=… -D WORK=… -D COMPILER=… -D VERSION=… -P version.cmake: is VERSION, CMake's, the version everywhere?
cmake_minimum_required(VERSION 3.20)

function(expect place pattern)
  file(READ "${ROOT}/${place}" text)
  if(NOT text MATCHES "${pattern}")
    message(SEND_ERROR "${place} has nothing that matches ${pattern}.")
  elseif(NOT CMAKE_MATCH_1 STREQUAL VERSION)
    message(SEND_ERROR "${place} says ${CMAKE_MATCH_1}, and CMake's project() ${VERSION}.")
  endif()
endfunction()

# The first heading of a version is the newest one's.
expect(CHANGELOG.md "\n## \\[?([0-9][^] \n]*)")
expect(packaging/vcpkg/ports/heed/vcpkg.json "\"version\": *\"([^\"]*)\"")

# Conan's recipe reads the header, and must not say a version besides.
file(READ "${ROOT}/packaging/conan/conanfile.py" recipe)
if(recipe MATCHES "\n *version *=" OR NOT recipe MATCHES "def set_version.*version\\.hpp")
  message(SEND_ERROR "packaging/conan/conanfile.py does not take its version from version.hpp alone.")
endif()

string(REPLACE "." ";" parts "${VERSION}")
list(GET parts 0 major)
list(GET parts 1 minor)
list(GET parts 2 patch)
math(EXPR number "${major} * 10000 + ${minor} * 100 + ${patch}")
file(WRITE "${WORK}/version.cpp"
"#include <heed/version.hpp>
#if HEED_VERSION != ${number} || HEED_VERSION_MAJOR != ${major} || HEED_VERSION_MINOR != ${minor} || HEED_VERSION_PATCH != ${patch}
#error the macros are those of another version
#endif
static_assert(heed::version_string == \"${VERSION}\" && heed::version_string == HEED_VERSION_STRING);
static_assert(heed::version_number == ${number});
int main() {}
")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -fsyntax-only -I "${ROOT}/include" "${WORK}/version.cpp"
  RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(SEND_ERROR "version.hpp does not say ${VERSION}:\n${output}")
endif()
