# An overlay port, which builds the heed around it: vcpkg install heed --overlay-ports=<heed>/packaging/vcpkg/ports
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

# Headers are the same for every configuration.
set(VCPKG_BUILD_TYPE release)

if("io" IN_LIST FEATURES)
  set(HEED_IO_OPTIONS -DHEED_IO=ON -DHEED_KERAS=ON)
else()
  # Whatever the system has is not for a port that does not depend on it.
  set(HEED_IO_OPTIONS
    -DHEED_IO=OFF -DHEED_KERAS=OFF -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON -DHEED_nlohmann_json_INCLUDE_DIR=)
endif()

set(HEED_ZLIB_OPTION OFF)
if("zlib" IN_LIST FEATURES)
  set(HEED_ZLIB_OPTION ON)
endif()

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DHEED_TESTS=OFF
    -DHEED_EXAMPLES=OFF
    -DHEED_INSTALL=ON
    -DHEED_FETCH=OFF
    -DHEED_ZLIB=${HEED_ZLIB_OPTION}
    ${HEED_IO_OPTIONS})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/heed)
vcpkg_fixup_pkgconfig()

vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
