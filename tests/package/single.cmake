# cmake -D ROOT=… -D WORK=… -D SINGLE=… -D HEADERS=… … -P single.cmake: is SINGLE what cmake/amalgamate.cmake makes, each time,
# and all that a program needs?
cmake_minimum_required(VERSION 3.20)

execute_process(
  COMMAND "${CMAKE_COMMAND}" -D "OUTPUT=${WORK}/again.hpp" -D "HEADERS=${HEADERS}" -P "${ROOT}/cmake/amalgamate.cmake"
  COMMAND_ERROR_IS_FATAL ANY)
file(READ "${SINGLE}" single)
file(READ "${WORK}/again.hpp" again)
if(NOT single STREQUAL again)
  message(FATAL_ERROR "${SINGLE}, which the target heed_single made, and ${WORK}/again.hpp differ.")
endif()

list(REMOVE_ITEM FOLDERS "${ROOT}/include")
file(COPY "${SINGLE}" DESTINATION "${WORK}/single")
list(APPEND FOLDERS "${WORK}/single")
include("${CMAKE_CURRENT_LIST_DIR}/program.cmake")
