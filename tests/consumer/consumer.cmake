# heed as others use it: as a subdirectory (which is what FetchContent does too), and installed.
set(heed_consumer "${CMAKE_CURRENT_BINARY_DIR}/consumer")
set(heed_consumer_options
  -D "CMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}" -D CMAKE_BUILD_TYPE=Debug -D "CMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH}")

# heed_consumer_test(<name> <option>...)
function(heed_consumer_test name)
  add_test(NAME "a project can use heed: ${name}"
    COMMAND "${CMAKE_CTEST_COMMAND}"
      --build-and-test "${CMAKE_CURRENT_SOURCE_DIR}/consumer" "${heed_consumer}/${name}"
      --build-generator "${CMAKE_GENERATOR}"
      --build-options ${heed_consumer_options} ${ARGN}
      --test-command core)
endfunction()

# The folder of downloads is shared, for a machine on which they were fetched.
heed_consumer_test(subdirectory
  -D "HEED_SOURCE=${PROJECT_SOURCE_DIR}" -D HEED_KERAS=ON -D "FETCHCONTENT_BASE_DIR=${FETCHCONTENT_BASE_DIR}")

# An installed heed looks for installed packages.
if(HEED_INSTALL AND Eigen3_VERSION AND nlohmann_json_VERSION)
  add_test(NAME "heed installs"
    COMMAND "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --prefix "${heed_consumer}/prefix")
  set_tests_properties("heed installs" PROPERTIES FIXTURES_SETUP heed_installed)
  set(heed_components "io$<$<TARGET_EXISTS:heed::keras>:$<SEMICOLON>keras>")
  heed_consumer_test(installed
    -D "heed_ROOT=${heed_consumer}/prefix" -D "HEED_EXPECTED_VERSION=${PROJECT_VERSION}"
    -D "HEED_COMPONENTS=${heed_components}")
  set_tests_properties("a project can use heed: installed" PROPERTIES FIXTURES_REQUIRED heed_installed)
endif()
