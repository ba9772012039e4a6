# heed::compiled: heed with its templates for float in a static library, so that each file of a project compiles in a
# fraction of the time. It is built only if something links to it, with the flags of the folder that adds heed. The
# files that link to it must have the same flags: the linker rejects a file with vectors of another size.
add_library(heed_compiled STATIC EXCLUDE_FROM_ALL "${CMAKE_CURRENT_LIST_DIR}/compiled.cpp")
add_library(heed::compiled ALIAS heed_compiled)
if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
  set_target_properties(heed_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)  # a shared library may link to it
endif()
# Optimised even in a debug build: without optimisation, training takes hundreds of times as long.
set(heed_configurations ${CMAKE_CONFIGURATION_TYPES})
if(NOT heed_configurations)
  set(heed_configurations "${CMAKE_BUILD_TYPE}")
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$")
  foreach(heed_configuration IN LISTS heed_configurations ITEMS "")
    string(TOUPPER "${heed_configuration}" heed_upper)
    if(NOT "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${heed_upper}}" MATCHES "-O([1-9sz]|fast)")
      target_compile_options(heed_compiled PRIVATE $<$<CONFIG:${heed_configuration}>:-O2>)
    endif()
  endforeach()
  unset(heed_configuration)
  unset(heed_upper)
endif()
unset(heed_configurations)
target_compile_definitions(heed_compiled PUBLIC HEED_COMPILED)
target_link_libraries(heed_compiled PUBLIC heed::heed)
