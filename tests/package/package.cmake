# Whether heed keeps what it promises to whoever ships it: one version, no names but its own, C++23, no RTTI, and one header
# that is enough. Included after consumer.cmake, which knows the compilers.
set(heed_folders "$<TARGET_PROPERTY:heed_tests,INCLUDE_DIRECTORIES>")

# heed_package_test(<script> <name> <compiler> <option>...)
function(heed_package_test script name compiler)
  add_test(NAME "${name}"
    COMMAND "${CMAKE_COMMAND}"
      -D "ROOT=${PROJECT_SOURCE_DIR}" -D "WORK=${CMAKE_CURRENT_BINARY_DIR}/package" -D "FOLDERS=${heed_folders}"
      -D "COMPILER=${compiler}" -D "LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}" ${ARGN}
      -P "${CMAKE_CURRENT_SOURCE_DIR}/package/${script}.cmake")
endfunction()

# Where there is a Python; in CI there is one.
find_program(HEED_PYTHON NAMES python3)
if(HEED_PYTHON)
  add_test(NAME "Headers keep to the order of the rooms" COMMAND "${HEED_PYTHON}" -B "${CMAKE_CURRENT_SOURCE_DIR}/package/rooms.py")
  add_test(NAME "A header out of the order of the rooms would be seen"
    COMMAND "${HEED_PYTHON}" -B "${CMAKE_CURRENT_SOURCE_DIR}/package/rooms_test.py")
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang|AppleClang)$" AND TARGET heed_single)
  heed_package_test(version "The version is the same wherever it stands" "${CMAKE_CXX_COMPILER}"
    -D "VERSION=${PROJECT_VERSION}")
  heed_package_test(names "Headers declare nothing outside of the namespace heed" "${CMAKE_CXX_COMPILER}")
  foreach(compiler IN LISTS heed_consumer_compilers)
    get_filename_component(name "${compiler}" NAME)
    if(TARGET heed::keras)
      heed_package_test(program "C++23 without RTTI is enough, with ${name}" "${compiler}"
        -D SOURCE=dialect.cpp -D "OPTIONS=-std=c++2b -fno-rtti")
    endif()
  endforeach()

  heed_package_test(words "Headers compile after the macros of other frameworks" "${CMAKE_CXX_COMPILER}")

  # As strict as projects are, with what only a compiler that optimises for the newest instructions has to say.
  if(TARGET heed::keras)
    heed_package_test(program "A file that uses heed draws no warning" "${CMAKE_CXX_COMPILER}" -D SOURCE=user.cpp
      -D "OPTIONS=-std=c++20 -O2 -march=native -Wconversion -Wsign-conversion -Wshadow")
    # clang++ with its own standard library, where that is installed.
    if(HEED_CLANG)
      file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/libcxx.cpp" "#include <span>\nint main() {}\n")
      execute_process(
        COMMAND "${HEED_CLANG}" -stdlib=libc++ -std=c++20 "${CMAKE_CURRENT_BINARY_DIR}/libcxx.cpp"
          -o "${CMAKE_CURRENT_BINARY_DIR}/libcxx"
        RESULT_VARIABLE heed_libcxx OUTPUT_QUIET ERROR_QUIET)
      if(heed_libcxx EQUAL 0)
        heed_package_test(program "libc++ is enough" "${HEED_CLANG}" -D SOURCE=user.cpp
          -D "OPTIONS=-std=c++20 -stdlib=libc++ -Wconversion -Wsign-conversion -Wshadow" -D "LINK=-stdlib=libc++"
          -D SUFFIX=-libcxx)
      endif()
    endif()
  endif()

  # All tests are compiled for 32 bits by tests/bits32.sh; one file is here, where g++ can.
  if(HEED_GCC AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/bits32.cpp" "#include <span>\nint main() {}\n")
    execute_process(
      COMMAND "${HEED_GCC}" -m32 -std=c++20 "${CMAKE_CURRENT_BINARY_DIR}/bits32.cpp" -o "${CMAKE_CURRENT_BINARY_DIR}/bits32"
      RESULT_VARIABLE heed_bits32 OUTPUT_QUIET ERROR_QUIET)
    if(heed_bits32 EQUAL 0)
      heed_package_test(program "32 bits are enough" "${HEED_GCC}" -D SOURCE=bits32.cpp
        -D "OPTIONS=-std=c++20 -m32 -msse2 -Wconversion -Wshadow" -D LINK=-m32)
    endif()
  endif()

  # The sizes of vectors are given by x86's options, and the group of sections that tells them apart is ELF's.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" AND CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
    foreach(compiler IN LISTS heed_consumer_compilers)
      get_filename_component(name "${compiler}" NAME)
      heed_package_test(march "Files for vectors of different sizes do not link, with ${name}" "${compiler}")
    endforeach()
  endif()

  heed_package_test(program "Guards hold under -ffast-math" "${CMAKE_CXX_COMPILER}"
    -D SOURCE=fast_math.cpp -D "OPTIONS=-std=c++20 -O1 -ffast-math")

  list(GET heed_consumer_compilers -1 compiler)
  add_dependencies(heed_header_checks_alone heed_single)
  heed_package_test(single "One header is enough" "${compiler}"
    -D SOURCE=single.cpp -D OPTIONS=-std=c++20
    -D "SINGLE=${PROJECT_BINARY_DIR}/heed-single.hpp" -D "HEADERS=${HEED_SINGLE_HEADERS}")
endif()
