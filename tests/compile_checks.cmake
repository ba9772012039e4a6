# Every public header compiles on its own: one line a file, and -O0 because there is no code to optimise.
file(GLOB_RECURSE heed_headers RELATIVE "${PROJECT_SOURCE_DIR}/include" CONFIGURE_DEPENDS
  "${PROJECT_SOURCE_DIR}/include/*.hpp")
if(NOT TARGET heed::keras)
  list(FILTER heed_headers EXCLUDE REGEX "keras|hdf5")
endif()

set(heed_header_sources "")
foreach(header IN LISTS heed_headers)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.cpp")
  file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n" @ONLY)
  list(APPEND heed_header_sources "${source}")
endforeach()

add_library(heed_header_checks OBJECT ${heed_header_sources})
target_link_libraries(heed_header_checks PRIVATE heed::io $<TARGET_NAME_IF_EXISTS:heed::keras> heed_developer)
target_compile_options(heed_header_checks PRIVATE $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-O0>)

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
