# heed as others use it: one project for each way to get it, each built outside of heed's folder by each compiler that is
# here, but what needs more than the core only by heed's own. A project waits for one that compiles the same: ccache knows
# it then.
set(heed_consumer "${CMAKE_CURRENT_BINARY_DIR}/consumer")

set(heed_consumer_compilers "${CMAKE_CXX_COMPILER}")
find_program(HEED_CLANG NAMES clang++)
find_program(HEED_GCC NAMES g++)
mark_as_advanced(HEED_CLANG HEED_GCC)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND HEED_CLANG)
  list(APPEND heed_consumer_compilers "${HEED_CLANG}")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND HEED_GCC)
  list(APPEND heed_consumer_compilers "${HEED_GCC}")
endif()

set(heed_consumer_config "")
set(heed_consumer_test_config "")
get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(multi_config)
  set(heed_consumer_config --build-config Debug)
  set(heed_consumer_test_config -C Debug)
endif()

# What heed leaves in a cache shows when there was none.
set(caches "")
foreach(compiler IN LISTS heed_consumer_compilers)
  get_filename_component(name "${compiler}" NAME)
  foreach(way IN ITEMS add_subdirectory fetch_content find_package)
    list(APPEND caches "${heed_consumer}/${way}-${name}/CMakeCache.txt")
  endforeach()
endforeach()
add_test(NAME "projects that use heed are configured anew" COMMAND "${CMAKE_COMMAND}" -E rm -f ${caches})
set_tests_properties("projects that use heed are configured anew" PROPERTIES FIXTURES_SETUP heed_consumers_anew)

# heed_consumer_test(<way> <compiler> <option>...)
function(heed_consumer_test way compiler)
  get_filename_component(name "${compiler}" NAME)
  add_test(NAME "a project can use heed: ${way} with ${name}"
    COMMAND "${CMAKE_CTEST_COMMAND}"
      --build-and-test "${CMAKE_CURRENT_SOURCE_DIR}/consumer/${way}" "${heed_consumer}/${way}-${name}"
      --build-generator "${CMAKE_GENERATOR}"
      ${heed_consumer_config}
      --build-options -D "CMAKE_CXX_COMPILER=${compiler}" -D "CMAKE_PREFIX_PATH=${CMAKE_PREFIX_PATH}"
        -D "CONSUMER_PROGRAMS=$<JOIN:${programs},$<SEMICOLON>>" ${ARGN}
      --test-command "${CMAKE_CTEST_COMMAND}" --output-on-failure --no-tests=error
        ${heed_consumer_test_config})
  set_tests_properties("a project can use heed: ${way} with ${name}" PROPERTIES FIXTURES_REQUIRED heed_consumers_anew)
endfunction()

# Sets `programs` to those that the compiler is to build.
macro(heed_consumer_programs compiler more)
  set(programs core)
  if("${compiler}" STREQUAL CMAKE_CXX_COMPILER)
    list(APPEND programs ${more})
  endif()
endmacro()

# heed_consumer_order(<first> <second> <compiler>)
function(heed_consumer_order first second compiler)
  get_filename_component(name "${compiler}" NAME)
  set_tests_properties("a project can use heed: ${second} with ${name}" PROPERTIES
    DEPENDS "a project can use heed: ${first} with ${name}")
endfunction()

# The folder of downloads is shared, for a machine on which they were fetched.
set(heed_downloads "")
if(FETCHCONTENT_BASE_DIR)
  set(heed_downloads -D "FETCHCONTENT_BASE_DIR=${FETCHCONTENT_BASE_DIR}")
endif()
foreach(compiler IN LISTS heed_consumer_compilers)
  heed_consumer_programs("${compiler}" with_io)
  heed_consumer_test(add_subdirectory "${compiler}" -D "HEED_FOLDER=${PROJECT_SOURCE_DIR}" ${heed_downloads})
endforeach()

# What is left finds installed packages: an installed heed does, and the project that fetches heed brings its own.
if(NOT Eigen3_VERSION OR NOT nlohmann_json_VERSION)
  return()
endif()
foreach(compiler IN LISTS heed_consumer_compilers)
  set(programs core)
  heed_consumer_test(fetch_content "${compiler}" -D "HEED_FOLDER=${PROJECT_SOURCE_DIR}")
  heed_consumer_order(add_subdirectory fetch_content "${compiler}")
endforeach()
if(NOT HEED_INSTALL)
  return()
endif()

add_test(NAME "heed installs, and what is installed can be moved"
  COMMAND "${CMAKE_COMMAND}"
    -D "BUILD=${PROJECT_BINARY_DIR}" -D "SOURCE=${PROJECT_SOURCE_DIR}" -D "FOLDER=${heed_consumer}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/consumer/install.cmake")
set_tests_properties("heed installs, and what is installed can be moved" PROPERTIES FIXTURES_SETUP heed_installed)

set(heed_components io$<SEMICOLON>compiled)
set(heed_files_program with_io)
if(TARGET heed::keras)
  set(heed_components io$<SEMICOLON>keras$<SEMICOLON>compiled)
  set(heed_files_program with_keras)
endif()
find_program(HEED_PKG_CONFIG NAMES pkg-config pkgconf)
find_program(HEED_SH NAMES sh)
mark_as_advanced(HEED_PKG_CONFIG HEED_SH)
foreach(compiler IN LISTS heed_consumer_compilers)
  get_filename_component(name "${compiler}" NAME)
  heed_consumer_programs("${compiler}" "${heed_files_program};compiled")
  heed_consumer_test(find_package "${compiler}"
    -D "heed_ROOT=${heed_consumer}/moved" -D "HEED_EXPECTED_VERSION=${PROJECT_VERSION}"
    -D "HEED_COMPONENTS=${heed_components}")
  set_tests_properties("a project can use heed: find_package with ${name}" PROPERTIES
    FIXTURES_REQUIRED "heed_consumers_anew;heed_installed")

  list(REMOVE_ITEM programs compiled)  # a target of CMake's
  if(HEED_PKG_CONFIG AND HEED_SH)
    file(MAKE_DIRECTORY "${heed_consumer}/pkg_config-${name}")
    add_test(NAME "a project can use heed: pkg_config with ${name}"
      COMMAND "${CMAKE_COMMAND}" -E env
        "CXX=${CMAKE_CXX_COMPILER_LAUNCHER} ${compiler}" "PKG_CONFIG_PATH=${heed_consumer}/moved/share/pkgconfig"
        "${HEED_SH}" "${CMAKE_CURRENT_SOURCE_DIR}/consumer/pkg_config/build.sh" "${PROJECT_VERSION}"
        ${programs}
      WORKING_DIRECTORY "${heed_consumer}/pkg_config-${name}")
    set_tests_properties("a project can use heed: pkg_config with ${name}" PROPERTIES FIXTURES_REQUIRED heed_installed)
    heed_consumer_order(find_package pkg_config "${compiler}")
  endif()
endforeach()
