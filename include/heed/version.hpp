#pragma once

#include <string_view>

// The one place that states the version: CMake and Conan read these three lines.
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
