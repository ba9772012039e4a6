# Combines heed's headers into one; needs only CMake:
#
#     cmake -D OUTPUT=heed-single.hpp [-D "HEADERS=heed/heed.hpp;heed/io.hpp"] -P cmake/amalgamate.cmake
#
# Each header of heed is copied to where it is first included. The #include lines of other headers are kept. The same
# headers give the same bytes.
cmake_minimum_required(VERSION 3.20)

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
if(NOT OUTPUT)
  message(FATAL_ERROR "amalgamate.cmake: OUTPUT has to name the file to write.")
endif()
if(NOT HEADERS)
  set(HEADERS heed/heed.hpp)
endif()

# Appends a header, with the headers of heed that it includes, to `single`. `done` lists the headers that were
# appended.
function(append_header header)
  if(header IN_LIST done)
    return()
  endif()
  if(NOT EXISTS "${root}/include/${header}")
    message(FATAL_ERROR "amalgamate.cmake: there is no include/${header}.")
  endif()
  list(APPEND done "${header}")
  string(APPEND single "\n// ${header}\n")

  file(READ "${root}/include/${header}" rest)
  string(REGEX REPLACE "^#pragma once\n" "\n" rest "${rest}")
  while(rest MATCHES "\n#include <(heed/[^>]+)>[^\n]*")
    set(included "${CMAKE_MATCH_1}")
    string(FIND "${rest}" "${CMAKE_MATCH_0}" begin)
    string(LENGTH "${CMAKE_MATCH_0}" length)
    math(EXPR end "${begin} + ${length}")
    string(SUBSTRING "${rest}" 0 ${begin} before)
    string(SUBSTRING "${rest}" ${end} -1 rest)
    string(APPEND single "${before}\n")
    append_header("${included}")
  endwhile()
  set(single "${single}${rest}" PARENT_SCOPE)
  set(done "${done}" PARENT_SCOPE)
endfunction()

set(done "")
set(single "")
foreach(header IN LISTS HEADERS)
  append_header("${header}")
endforeach()
string(REGEX REPLACE "\n\n\n+" "\n\n" single "${single}")

file(READ "${root}/include/heed/version.hpp" version)
string(REGEX MATCHALL "define HEED_VERSION_(MAJOR|MINOR|PATCH) [0-9]+" version "${version}")
list(TRANSFORM version REPLACE "[^0-9]" "")
list(JOIN version "." version)
list(JOIN HEADERS ", " contents)
file(READ "${root}/LICENSE" license)
string(REGEX REPLACE "\n+$" "" license "${license}")
string(REPLACE "\n" "\n// " license "${license}")
string(REPLACE "// \n" "//\n" license "${license}")

file(WRITE "${OUTPUT}"
"#pragma once

// heed ${version} in one header: ${contents}, made by cmake/amalgamate.cmake. It stands in place of the folder heed/,
// and cannot be included beside it.
//
// SPDX-License-Identifier: MIT
//
// ${license}
${single}")
