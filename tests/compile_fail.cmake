# cmake -D SOURCE=… -D COMPILER=… -D FOLDERS=… -P compile_fail.cmake
#
# Succeeds when SOURCE does not compile and the compiler says what the file's first line expects. Both are asked for:
# a file that fails for a reason of its own proves nothing.

file(STRINGS "${SOURCE}" first LIMIT_COUNT 1)
if(NOT first MATCHES "^// error: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line should be `// error: <regular expression>`.")
endif()
set(expected "${CMAKE_MATCH_1}")

list(REMOVE_DUPLICATES FOLDERS)
list(TRANSFORM FOLDERS PREPEND "-I")
# The quotation marks in a compiler's messages depend on the language.
set(ENV{LC_ALL} C)
execute_process(
  COMMAND "${COMPILER}" -std=c++20 -fsyntax-only ${FOLDERS} "${SOURCE}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and should not.")
elseif(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE} fails to compile, but not with `${expected}`:\n${output}")
endif()
