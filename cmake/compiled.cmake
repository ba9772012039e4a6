# heed::compiled: heed with its templates for float in a static library, so that each file of a project compiles in a
# fraction of the time. It is built where it is linked to, and with the flags of the project, which are to be the same
# for all: a file with another instruction set does not link.
add_library(heed_compiled STATIC EXCLUDE_FROM_ALL "${CMAKE_CURRENT_LIST_DIR}/compiled.cpp")
add_library(heed::compiled ALIAS heed_compiled)
target_compile_definitions(heed_compiled PUBLIC HEED_COMPILED)
target_link_libraries(heed_compiled PUBLIC heed::heed)
