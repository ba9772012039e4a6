# cmake -D ROOT=… -D WORK=… -D COMPILER=… -D FOLDERS=… -D OPTIONS=… -D SOURCE=… [-D LINK=… -D SUFFIX=…] -P program.cmake
#
# Compiles SOURCE alone with the OPTIONS, warnings being errors, and runs it.
cmake_minimum_required(VERSION 3.20)

list(REMOVE_DUPLICATES FOLDERS)
set(folders "")
foreach(folder IN LISTS FOLDERS)
  if(folder STREQUAL "${ROOT}/include")
    list(APPEND folders -I "${folder}")
  elseif(NOT folder STREQUAL "/usr/include")
    list(APPEND folders -isystem "${folder}")
  endif()
endforeach()
get_filename_component(name "${SOURCE}" NAME_WE)
get_filename_component(compiler "${COMPILER}" NAME)
set(program "${name}-${compiler}${SUFFIX}")
file(MAKE_DIRECTORY "${WORK}/${program}")

separate_arguments(OPTIONS)
execute_process(
  COMMAND ${LAUNCHER} "${COMPILER}" -O0 -pthread -Wall -Wextra -Wpedantic -Werror ${OPTIONS} ${folders}
    -c "${ROOT}/tests/package/${SOURCE}" -o "${program}.o"
  WORKING_DIRECTORY "${WORK}/${program}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${COMPILER}" ${LINK} -pthread "${program}.o" -o "${program}"
  WORKING_DIRECTORY "${WORK}/${program}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${WORK}/${program}/${program}"
  WORKING_DIRECTORY "${WORK}/${program}" COMMAND_ERROR_IS_FATAL ANY)
