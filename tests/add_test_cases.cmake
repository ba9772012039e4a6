# Run by ctest, with HEED_EXECUTABLE, HEED_LIST and HEED_RUN set by register_tests.cmake.

if(NOT EXISTS "${HEED_EXECUTABLE}")
  add_test("heed_tests has been built" "${HEED_EXECUTABLE}")
  return()
endif()

# Catch2 2 ends with the number of test cases as its status: only an empty list is a failure.
execute_process(COMMAND "${HEED_EXECUTABLE}" ${HEED_LIST} OUTPUT_VARIABLE names ERROR_VARIABLE errors)
if(NOT names)
  message(FATAL_ERROR "${HEED_EXECUTABLE} lists no test case.\n${errors}")
endif()

# Line by line and not as a list of CMake, in which brackets and semicolons have a meaning.
while(names MATCHES "^([^\n]*)\n(.*)$")
  set(name "${CMAKE_MATCH_1}")
  set(names "${CMAKE_MATCH_2}")
  string(STRIP "${name}" name)
  if(NOT name STREQUAL "")
    string(REGEX REPLACE "([][\\,\"*~])" "\\\\\\1" pattern "${name}")
    add_test("${name}" "${HEED_EXECUTABLE}" "${pattern}" ${HEED_RUN})
    set_tests_properties("${name}" PROPERTIES TIMEOUT 600)
  endif()
endwhile()
