#pragma once

// Every header of heed includes this one first, to check the language version. After #error,
// compilers continue through thousands of lines that they cannot parse; a missing include file
// stops them.
#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error heed needs C++20: compile with -std=c++20
#include "heed needs C++20: compile with -std=c++20"
#endif
#if !defined(__cpp_exceptions)
#error heed needs exceptions, which say what was wrong: compile without -fno-exceptions
#include "heed needs exceptions: compile without -fno-exceptions"
#endif

#include <string_view>

// The only place that defines the version: CMake and Conan read these three lines.
#define HEED_VERSION_MAJOR 0
#define HEED_VERSION_MINOR 1
#define HEED_VERSION_PATCH 0

// For #if: 1.2.3 is 10203.
#define HEED_VERSION (HEED_VERSION_MAJOR * 10000 + HEED_VERSION_MINOR * 100 + HEED_VERSION_PATCH)

#define HEED_DETAIL_JOIN(major, minor, patch) #major "." #minor "." #patch
#define HEED_DETAIL_TEXT(major, minor, patch) HEED_DETAIL_JOIN(major, minor, patch)
#define HEED_VERSION_STRING \
  HEED_DETAIL_TEXT(HEED_VERSION_MAJOR, HEED_VERSION_MINOR, HEED_VERSION_PATCH)

namespace heed {

inline constexpr int version_number = HEED_VERSION;
inline constexpr std::string_view version_string = HEED_VERSION_STRING;  ///< "0.1.0"

}  // namespace heed
