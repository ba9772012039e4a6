# cmake -D ROOT=… -D WORK=… -D COMPILER=… -D FOLDERS=… -P words.cmake
#
# heed's headers compile after words.hpp, which defines what headers of others do. What heed includes of others comes before
# it, because standard libraries take some of those words away.
cmake_minimum_required(VERSION 3.20)

file(GLOB_RECURSE headers "${ROOT}/include/*.hpp")
set(theirs "")
foreach(header IN LISTS headers)
  file(STRINGS "${header}" lines REGEX "^#include <")
  list(FILTER lines EXCLUDE REGEX "^#include <heed/")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "<[^>]+>" name "${line}")
    string(APPEND theirs "#if __has_include(${name})\n#include ${name}\n#endif\n")
  endforeach()
endforeach()
file(WRITE "${WORK}/words.cpp"
"${theirs}
#include \"${ROOT}/tests/package/words.hpp\"
#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/keras.hpp>
#include <heed/plot.hpp>

namespace heed {
HEED_TEMPLATES(template, float)
}
#if !defined(check) || !defined(min) || !defined(max) || !defined(slots) || !defined(small)
#error words.hpp was not heard
#endif
")

list(REMOVE_DUPLICATES FOLDERS)
list(TRANSFORM FOLDERS PREPEND "-I")
execute_process(COMMAND ${LAUNCHER} "${COMPILER}" -std=c++20 -fsyntax-only ${FOLDERS} "${WORK}/words.cpp"
  RESULT_VARIABLE result ERROR_VARIABLE errors)
if(NOT result EQUAL 0)
  string(REGEX MATCHALL "[^\n]*error:[^\n]*" errors "${errors}")
  list(JOIN errors "\n" errors)
  message(FATAL_ERROR "heed's headers do not compile after words.hpp:\n${errors}")
endif()
