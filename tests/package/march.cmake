# cmake -D ROOT=… -D WORK=… -D COMPILER=… -D FOLDERS=… -P march.cmake
#
# Two files that use heed link when they are compiled with the same flags, and do not, by a name that says why, when their
# vectors are of different sizes: such a program would crash.
cmake_minimum_required(VERSION 3.20)

list(REMOVE_DUPLICATES FOLDERS)
list(TRANSFORM FOLDERS PREPEND "-I")
get_filename_component(name "${COMPILER}" NAME)
set(work "${WORK}/march-${name}")
file(WRITE "${work}/main.cpp" "#include <heed/tensor/tensor.hpp>\nint other();\nint main() { return other(); }\n")
file(WRITE "${work}/other.cpp" "#include <heed/tensor/tensor.hpp>\nint other() { return 0; }\n")

function(compile source object)
  list(FILTER ARGN EXCLUDE REGEX "^-Wl")
  execute_process(
    COMMAND ${LAUNCHER} "${COMPILER}" -std=c++20 ${ARGN} ${FOLDERS} -c "${source}.cpp" -o "${object}.o"
    WORKING_DIRECTORY "${work}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()
# links(<result> <output> <object>...)
function(links result output)
  execute_process(
    COMMAND "${COMPILER}" ${ARGN} -o program
    WORKING_DIRECTORY "${work}" RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${result} ${status} PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

# expect_refused(<option>... <object>...)
function(expect_refused)
  links(result output ${ARGN})
  if(result EQUAL 0)
    message(SEND_ERROR "Files for vectors of different sizes (${ARGN}) link.")
  elseif(NOT output MATCHES "heed_needs_the_same_march_in_all_files_and_here_vectors_have_(256|128)_bits")
    message(SEND_ERROR "Files for vectors of different sizes (${ARGN}) do not link, but for another reason:\n${output}")
  endif()
endfunction()

# What a linker throws away when nothing refers to it, and what an optimiser sees through, has to count.
foreach(options IN ITEMS "-O0" "-O2;-ffunction-sections;-fdata-sections;-Wl,--gc-sections")
  compile(main main ${options} -mavx2 -mfma)
  compile(other same ${options} -mavx2 -mfma)
  compile(other narrow ${options} -mno-avx)
  links(result output ${options} main.o same.o)
  if(NOT result EQUAL 0)
    message(SEND_ERROR "Two files that are compiled alike (${options}) do not link:\n${output}")
  endif()
  expect_refused(${options} main.o narrow.o)
  expect_refused(${options} narrow.o main.o)
endforeach()

# What comes from a precompiled header counts, too; clang++ looks for a .gch as g++ does.
file(WRITE "${work}/before.hpp" "#include <heed/tensor/tensor.hpp>\n")
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -O2 -mavx2 -mfma ${FOLDERS} -x c++-header before.hpp -o before.hpp.gch
  WORKING_DIRECTORY "${work}" COMMAND_ERROR_IS_FATAL ANY)
compile(main precompiled -O2 -mavx2 -mfma -include before.hpp)
links(result output precompiled.o same.o)
if(NOT result EQUAL 0)
  message(SEND_ERROR "A file with a precompiled header does not link:\n${output}")
endif()
expect_refused(precompiled.o narrow.o)
expect_refused(narrow.o precompiled.o)
