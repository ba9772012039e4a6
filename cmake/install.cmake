include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/heed" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp")
set(heed_libraries heed heed_io)
if(TARGET heed_keras)
  list(APPEND heed_libraries heed_keras)
endif()
install(TARGETS ${heed_libraries} EXPORT heed INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

set(heed_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/heed")
install(EXPORT heed FILE heedTargets.cmake NAMESPACE heed:: DESTINATION "${heed_package_dir}")

configure_package_config_file(cmake/heedConfig.cmake.in heedConfig.cmake INSTALL_DESTINATION "${heed_package_dir}")
# Before 1.0, a minor version may break compatibility with the previous one. Headers work on every architecture.
write_basic_package_version_file(heedConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/heedConfig.cmake" "${PROJECT_BINARY_DIR}/heedConfigVersion.cmake"
  cmake/compiled.cmake cmake/compiled.cpp
  DESTINATION "${heed_package_dir}")

# For builds without CMake: pkg-config files, which refer to the headers by relative paths so that the prefix can be
# moved.
file(RELATIVE_PATH heed_pc_prefix "${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" heed_pc_prefix "${heed_pc_prefix}")
file(RELATIVE_PATH heed_pc_includedir "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")

function(heed_pkg_config name requires description)
  list(JOIN ARGN " " cflags)
  if(cflags)
    string(PREPEND cflags " ")
  endif()
  configure_file("${PROJECT_SOURCE_DIR}/cmake/heed.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
endfunction()

heed_pkg_config(heed "eigen3 >= 3.4" "${PROJECT_DESCRIPTION}")
if(TARGET nlohmann_json::nlohmann_json)
  set(heed_io_requires "heed = ${PROJECT_VERSION}, nlohmann_json >= 3.10")
  set(heed_io_cflags "")
  if(heed_has_zlib)
    string(APPEND heed_io_requires ", zlib")
    set(heed_io_cflags -DHEED_ZLIB)
  endif()
  heed_pkg_config(heed-io "${heed_io_requires}" "heed with saving and loading" ${heed_io_cflags})
endif()
if(TARGET heed_keras)
  heed_pkg_config(heed-keras "heed-io = ${PROJECT_VERSION}" "heed with files of Keras")
endif()
