# cmake -D PORT=heed [-D FEATURES=io] -D FOLDER=<folder> -P without_vcpkg.cmake
#
# Runs the port's portfile.cmake where there is no vcpkg, into FOLDER/packages, as far as that can be done: the functions
# below do for heed what those of vcpkg do, by its documentation. The system's packages stand in for those of vcpkg.
cmake_minimum_required(VERSION 3.20)

set(port "${CMAKE_CURRENT_LIST_DIR}/ports/${PORT}")
set(CURRENT_PACKAGES_DIR "${FOLDER}/packages")
file(REMOVE_RECURSE "${FOLDER}")
file(MAKE_DIRECTORY "${CURRENT_PACKAGES_DIR}")

# The manifest can be read, and knows the features that were asked for.
file(READ "${port}/vcpkg.json" manifest)
string(JSON name GET "${manifest}" name)
string(JSON description GET "${manifest}" description)
string(JSON licence GET "${manifest}" license)
if(NOT name STREQUAL PORT)
  message(FATAL_ERROR "${port}/vcpkg.json is of ${name}.")
endif()
foreach(feature IN LISTS FEATURES)
  string(JSON needs GET "${manifest}" features "${feature}" dependencies)
endforeach()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  if(arg_UNPARSED_ARGUMENTS OR NOT VCPKG_BUILD_TYPE STREQUAL "release")
    message(FATAL_ERROR "Only a release with SOURCE_PATH and OPTIONS is known here, not ${arg_UNPARSED_ARGUMENTS}.")
  endif()
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${arg_SOURCE_PATH}" -B "${FOLDER}/build" ${arg_OPTIONS}
      -DCMAKE_BUILD_TYPE=Release "-DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_install)
  execute_process(COMMAND "${CMAKE_COMMAND}" --build "${FOLDER}/build" --target install
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Moves the package's files to share/<port>, and tells them that the prefix is now two folders above them.
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
  file(GLOB files "${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/*")
  if(NOT files)
    message(FATAL_ERROR "There is nothing in ${arg_CONFIG_PATH}.")
  endif()
  set(up "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\n")
  foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME)
    file(READ "${file}" text)
    string(REPLACE "${up}${up}${up}" "${up}${up}" text "${text}")
    string(REPLACE "\${CMAKE_CURRENT_LIST_DIR}/../../../" "\${CMAKE_CURRENT_LIST_DIR}/../../" text "${text}")
    file(WRITE "${CURRENT_PACKAGES_DIR}/share/${PORT}/${name}" "${text}")
  endforeach()
  file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/share/cmake")
endfunction()

# vcpkg lets pkg-config check every file.
function(vcpkg_fixup_pkgconfig)
  set(folder "${CURRENT_PACKAGES_DIR}/share/pkgconfig")
  file(GLOB files "${folder}/*.pc")
  foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME_WE)
    execute_process(
      COMMAND "${CMAKE_COMMAND}" -E env "PKG_CONFIG_PATH=${folder}" pkg-config --print-errors --exists "${name}"
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  configure_file("${arg_FILE_LIST}" "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright" COPYONLY)
endfunction()

include("${port}/portfile.cmake")

# What vcpkg looks for when a port has been built.
foreach(file IN ITEMS
    copyright usage heedConfig.cmake heedConfigVersion.cmake heedTargets.cmake compiled.cmake compiled.cpp)
  if(NOT EXISTS "${CURRENT_PACKAGES_DIR}/share/heed/${file}")
    message(SEND_ERROR "The port makes no share/heed/${file}.")
  endif()
endforeach()
file(GLOB others RELATIVE "${CURRENT_PACKAGES_DIR}" "${CURRENT_PACKAGES_DIR}/*" "${CURRENT_PACKAGES_DIR}/share/*")
list(REMOVE_ITEM others include share share/heed share/pkgconfig)
if(others)
  message(SEND_ERROR "The port leaves ${others} behind.")
endif()
file(GLOB io "${CURRENT_PACKAGES_DIR}/share/pkgconfig/heed-*.pc")
if(NOT "io" IN_LIST FEATURES AND io)
  message(SEND_ERROR "The port without the feature io makes ${io}.")
elseif("io" IN_LIST FEATURES AND NOT io)
  message(SEND_ERROR "The port with the feature io makes no heed-io.pc.")
endif()
