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

# What a linker throws away when nothing refers to it, and what an optimiser sees through, has to count.
foreach(options IN ITEMS "-O0" "-O2;-ffunction-sections;-fdata-sections;-Wl,--gc-sections")
  compile(main main ${options} -mavx2 -mfma)
  compile(other same ${options} -mavx2 -mfma)
  compile(other narrow ${options} -mno-avx)
  links(result output ${options} main.o same.o)
  if(NOT result EQUAL 0)
    message(SEND_ERROR "Two files that are compiled alike (${options}) do not link:\n${output}")
  endif()
  foreach(order IN ITEMS "main.o;narrow.o" "narrow.o;main.o")
    links(result output ${options} ${order})
    if(result EQUAL 0)
      message(SEND_ERROR "Files for vectors of different sizes (${options}) link.")
    elseif(NOT output MATCHES "heed_needs_the_same_march_in_all_files_and_here_vectors_have_(256|128)_bits")
      message(SEND_ERROR "Files for vectors of different sizes (${options}) do not link, but for another reason:\n${output}")
    endif()
  endforeach()
endforeach()
