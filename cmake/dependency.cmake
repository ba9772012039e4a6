if(POLICY CMP0135)
  cmake_policy(SET CMP0135 NEW)
endif()

# heed_dependency(<package> [OPTIONAL] TARGET <target> VERSIONS <version>...
#                 [HEADER <file> [SUFFIXES <folder>...]]
#                 URLS <url>... SHA256 <hash> [INCLUDE <folder>])
#
# Provides <target>: from the parent project, from an installed package (whose version is then in <package>_VERSION),
# from headers that were copied into an include folder, or from the first of the URLs that responds. INCLUDE means
# that the archive has only headers, in this folder; without INCLUDE, the CMakeLists.txt of the archive is used. An
# OPTIONAL package is never downloaded.
function(heed_dependency package)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIONAL" "TARGET;HEADER;SHA256;INCLUDE" "VERSIONS;SUFFIXES;URLS")
  if(TARGET ${arg_TARGET})
    return()
  endif()

  set(unsuitable "")
  # One version at a time, because most packages reject a range that spans two major versions.
  foreach(version IN LISTS arg_VERSIONS)
    find_package(${package} ${version} QUIET CONFIG)
    if(TARGET ${arg_TARGET})
      # Projects that add heed as a subdirectory link to the target from another folder.
      set_target_properties(${arg_TARGET} PROPERTIES IMPORTED_GLOBAL TRUE)
      set(${package}_VERSION ${${package}_VERSION} PARENT_SCOPE)
      message(STATUS "heed: ${package} ${${package}_VERSION} from ${${package}_DIR}")
      return()
    endif()
    list(APPEND unsuitable ${${package}_CONSIDERED_VERSIONS})
  endforeach()

  if(arg_HEADER AND NOT unsuitable)
    find_path(HEED_${package}_INCLUDE_DIR ${arg_HEADER} PATH_SUFFIXES ${arg_SUFFIXES})
    mark_as_advanced(HEED_${package}_INCLUDE_DIR)
    if(HEED_${package}_INCLUDE_DIR)
      message(STATUS "heed: ${package} from ${HEED_${package}_INCLUDE_DIR}")
      heed_header_target(${arg_TARGET} "${HEED_${package}_INCLUDE_DIR}")
      return()
    endif()
  endif()

  if(arg_OPTIONAL)
    message(STATUS "heed: ${package} is not installed; set HEED_IO=ON to have it fetched for heed::io")
  elseif(NOT HEED_FETCH)
    set_property(GLOBAL APPEND PROPERTY HEED_MISSING ${package})
  else()
    heed_fetch(${package} "${arg_TARGET}" "${arg_INCLUDE}" "${arg_SHA256}" "${arg_URLS}")
  endif()
endfunction()

# All missing packages in one message, which tests/run.sh and examples/run.sh read.
function(heed_require_dependencies)
  get_property(missing GLOBAL PROPERTY HEED_MISSING)
  if(missing)
    list(JOIN missing " " missing)
    message(FATAL_ERROR "heed: not installed: ${missing}\nInstall them, or let CMake fetch them with -D HEED_FETCH=ON.")
  endif()
endfunction()

# The headers of an imported target are system headers, so heed's warnings do not apply to them.
function(heed_header_target target folder)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE "${folder}")
endfunction()

function(heed_fetch package target include sha256 urls)
  # Included here and not above, because it creates cache variables, which are not needed if all packages are
  # installed.
  include(FetchContent)
  string(TOLOWER ${package} name)
  string(TOUPPER ${package} upper)
  if(FETCHCONTENT_SOURCE_DIR_${upper})
    message(STATUS "heed: ${package} from ${FETCHCONTENT_SOURCE_DIR_${upper}}")
  elseif(NOT FETCHCONTENT_FULLY_DISCONNECTED)
    heed_download(${package} ${sha256} "${urls}" urls)
  endif()

  set(subdirectory "")
  if(include)
    # A folder without a CMakeLists.txt, so that the package's targets, tests and options are not added to this build.
    set(subdirectory SOURCE_SUBDIR headers-only)
  endif()
  FetchContent_Declare(${name} URL ${urls} URL_HASH SHA256=${sha256} ${subdirectory})
  FetchContent_MakeAvailable(${name})

  if(include)
    heed_header_target(${target} "${${name}_SOURCE_DIR}/${include}")
  else()
    heed_system_headers(${target})
  endif()
endfunction()

# FetchContent alone would print a page of output from an inner build; this prints one sentence.
function(heed_download package sha256 urls out)
  list(GET urls 0 url)
  get_filename_component(archive ${url} NAME)
  set(archive "${FETCHCONTENT_BASE_DIR}/heed-downloads/${package}-${archive}")
  set(failures "")
  foreach(url IN LISTS urls)
    if(NOT EXISTS "${archive}")
      message(STATUS "heed: ${package} is not installed; fetching ${url}")
      file(DOWNLOAD ${url} "${archive}" INACTIVITY_TIMEOUT 30 STATUS status)
      list(POP_FRONT status code)
      if(NOT code EQUAL 0)
        string(APPEND failures "\n  ${url}: ${status}")
        file(REMOVE "${archive}")
        continue()
      endif()
    endif()
    file(SHA256 "${archive}" actual)
    if(actual STREQUAL sha256)
      set(${out} "${archive}" PARENT_SCOPE)
      return()
    endif()
    string(APPEND failures "\n  ${url}: its SHA256 is ${actual}, not ${sha256}")
    file(REMOVE "${archive}")
  endforeach()
  string(TOUPPER ${package} upper)
  message(FATAL_ERROR "heed: ${package} is not installed and could not be fetched.${failures}\n"
    "Install it, or set FETCHCONTENT_SOURCE_DIR_${upper} to a copy of its source.")
endfunction()

# Otherwise, headers of a package that is built here would cause the same warnings as heed's own.
function(heed_system_headers target)
  get_target_property(real ${target} ALIASED_TARGET)
  if(real)
    set(target ${real})
  endif()
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  set_property(TARGET ${target} PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${folders})
endfunction()
