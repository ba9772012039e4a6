# heed::compiled: heed with its templates for float in a static library, so that each file of a project compiles in a
# fraction of the time. It is built where it is linked to, with the flags of the folder that adds heed, which have to be
# those of the files that link to it: one whose vectors are of another size is refused by the linker.
add_library(heed_compiled STATIC EXCLUDE_FROM_ALL "${CMAKE_CURRENT_LIST_DIR}/compiled.cpp")
add_library(heed::compiled ALIAS heed_compiled)
if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
  set_target_properties(heed_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)  # a shared library may link to it
endif()
target_compile_definitions(heed_compiled PUBLIC HEED_COMPILED)
target_link_libraries(heed_compiled PUBLIC heed::heed)
