# heed_register_tests(<target> LIST <option>... [RUN <option>...])
#
# Makes every test case of a Catch2 executable a test of ctest; the options are what the executable wants in order to
# list the names, and besides a name to run one. Catch2's own catch_discover_tests is not used because that of version 2
# loses test cases without a word when a name has an unpaired bracket, as in "outside [0, 1)".
function(heed_register_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIST;RUN")

  # ctest runs this file each time it starts, so that a new test case appears without CMake being run again.
  file(GENERATE OUTPUT "${target}-$<CONFIG>.cmake" CONTENT
"set(HEED_EXECUTABLE [==[$<TARGET_FILE:${target}>]==])
set(HEED_LIST [==[${arg_LIST}]==])
set(HEED_RUN [==[${arg_RUN}]==])
include([==[${CMAKE_CURRENT_FUNCTION_LIST_DIR}/add_test_cases.cmake]==])
")

  set(config "${CMAKE_BUILD_TYPE}")
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(multi_config)
    set(config "\${CTEST_CONFIGURATION_TYPE}")
  endif()
  file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/${target}.cmake"
    "include(\"${CMAKE_CURRENT_BINARY_DIR}/${target}-${config}.cmake\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${CMAKE_CURRENT_BINARY_DIR}/${target}.cmake")
endfunction()
