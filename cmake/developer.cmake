# Linked privately by heed's tests and examples, and never by heed::heed, because users choose their own flags.
# CMAKE_COMPILE_WARNING_AS_ERROR, which the presets set, decides whether a warning is an error.
add_library(heed_developer INTERFACE)
if(HEED_WARNINGS)
  target_compile_options(heed_developer INTERFACE
    $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>
    $<$<CXX_COMPILER_ID:MSVC>:/W4>)
endif()
