# Every public header compiles on its own: one line a file, and -O0 because there is no code to optimise.
file(GLOB_RECURSE heed_headers RELATIVE "${PROJECT_SOURCE_DIR}/include" CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/include/*.hpp")
if(NOT TARGET heed::keras)
  list(FILTER heed_headers EXCLUDE REGEX "keras|hdf5")
endif()

# Sets `out` to all that a header includes, also through others.
function(heed_includes header out)
  get_property(known GLOBAL PROPERTY "heed_includes_${header}" SET)
  if(NOT known)
    set(all "")
    file(STRINGS "${PROJECT_SOURCE_DIR}/include/${header}" lines REGEX "^#include <")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include <([^>]*)>.*" "\\1" included "${line}")
      list(APPEND all "${included}")
      if(included MATCHES "^heed/" AND NOT included STREQUAL "heed/instances.hpp")
        heed_includes("${included}" further)
        list(APPEND all ${further})
      endif()
    endforeach()
    list(REMOVE_DUPLICATES all)
    set_property(GLOBAL PROPERTY "heed_includes_${header}" "${all}")
  endif()
  get_property(all GLOBAL PROPERTY "heed_includes_${header}")
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

# Most of the time goes into Eigen and nlohmann-json, which are parsed once for all headers that include them anyway.
foreach(kind IN ITEMS alone eigen json)
  add_library(heed_header_checks_${kind} OBJECT)
  target_link_libraries(heed_header_checks_${kind} PRIVATE
    heed::io $<TARGET_NAME_IF_EXISTS:heed::keras> heed_developer)
  target_compile_options(heed_header_checks_${kind} PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-O0>)
endforeach()
target_precompile_headers(heed_header_checks_eigen PRIVATE <Eigen/Core>)
target_precompile_headers(heed_header_checks_json PRIVATE <Eigen/Core> <nlohmann/json.hpp>)

foreach(header IN LISTS heed_headers)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n" @ONLY)
  heed_includes("${header}" included)
  set(kind alone)
  if("Eigen/Core" IN_LIST included)
    set(kind eigen)
    if("nlohmann/json.hpp" IN_LIST included)
      set(kind json)
    endif()
  endif()
  target_sources(heed_header_checks_${kind} PRIVATE "${source}")
endforeach()

# Every file of compile_fail does not compile, for the reason that its first line gives: // error: <regular expression>
file(GLOB heed_compile_fail_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/compile_fail/*.cpp")
foreach(source IN LISTS heed_compile_fail_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_test(NAME "does not compile: ${name}"
    COMMAND "${CMAKE_COMMAND}"
      -D "SOURCE=${source}"
      -D "COMPILER=${CMAKE_CXX_COMPILER}"
      -D "FOLDERS=$<TARGET_PROPERTY:heed_tests,INCLUDE_DIRECTORIES>"
      -P "${CMAKE_CURRENT_SOURCE_DIR}/compile_fail.cmake")
endforeach()
