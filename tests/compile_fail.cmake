# cmake -D SOURCE=… -D COMPILER=… -D FOLDERS=… -P compile_fail.cmake
#
# Succeeds when SOURCE does not compile and the compiler says what the file's first line expects. Both are asked for:
# a file that fails for a reason of its own proves nothing. The second line may be `// options: <option>...`; what is
# asked of the options is said before all else, and nothing but that.

file(STRINGS "${SOURCE}" lines LIMIT_COUNT 2)
list(GET lines 0 first)
if(NOT first MATCHES "^// error: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line should be `// error: <regular expression>`.")
endif()
set(expected "${CMAKE_MATCH_1}")
list(GET lines 1 second)
set(options "")
if(second MATCHES "^// options: (.+)$")
  set(options "${CMAKE_MATCH_1}")
  separate_arguments(options)
endif()

list(REMOVE_DUPLICATES FOLDERS)
list(TRANSFORM FOLDERS PREPEND "-I")
# The quotation marks in a compiler's messages depend on the language.
set(ENV{LC_ALL} C)
execute_process(
  COMMAND "${COMPILER}" -std=c++20 ${options} -fsyntax-only ${FOLDERS} "${SOURCE}"
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and should not.")
elseif(NOT output MATCHES "${expected}")
  message(FATAL_ERROR "${SOURCE} fails to compile, but not with `${expected}`:\n${output}")
endif()
string(REGEX MATCHALL "error:" errors "${output}")
list(LENGTH errors count)
if(options AND count GREATER 2)
  message(FATAL_ERROR "${SOURCE} fails to compile, with ${count} errors:\n${output}")
endif()
