# The target heed_single makes heed-single.hpp in the build folder: all of heed in one header.
set(HEED_SINGLE_HEADERS heed/heed.hpp CACHE STRING "The headers that heed-single.hpp includes: any of heed/heed.hpp, heed/io.hpp, heed/keras.hpp, heed/plot.hpp")

file(GLOB_RECURSE heed_all_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/*.hpp")
add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/heed-single.hpp"
  COMMAND "${CMAKE_COMMAND}"
    -D "OUTPUT=${PROJECT_BINARY_DIR}/heed-single.hpp" -D "HEADERS=${HEED_SINGLE_HEADERS}"
    -P "${PROJECT_SOURCE_DIR}/cmake/amalgamate.cmake"
  DEPENDS ${heed_all_headers} "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/cmake/amalgamate.cmake"
  COMMENT "Putting heed into one header"
  VERBATIM)
add_custom_target(heed_single DEPENDS "${PROJECT_BINARY_DIR}/heed-single.hpp")
