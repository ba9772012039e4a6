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
# Before 1.0 a minor version may break what the one before it promised. Headers serve every architecture.
write_basic_package_version_file(heedConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/heedConfig.cmake" "${PROJECT_BINARY_DIR}/heedConfigVersion.cmake"
  cmake/compiled.cmake cmake/compiled.cpp
  DESTINATION "${heed_package_dir}")
