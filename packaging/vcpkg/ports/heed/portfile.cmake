# An overlay port, which builds the heed around it: vcpkg install heed --overlay-ports=<heed>/packaging/vcpkg/ports
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

if("io" IN_LIST FEATURES)
  set(HEED_WITH_IO ON)
else()
  set(HEED_WITH_IO OFF)
endif()

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DHEED_TESTS=OFF
    -DHEED_EXAMPLES=OFF
    -DHEED_INSTALL=ON
    -DHEED_FETCH=OFF
    -DHEED_IO=${HEED_WITH_IO}
    -DHEED_KERAS=${HEED_WITH_IO})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/heed)
vcpkg_fixup_pkgconfig()

# Headers are the same for every configuration.
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
