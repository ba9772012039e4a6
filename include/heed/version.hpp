#pragma once

// The one place that states the version: CMake reads these three lines.
#define HEED_VERSION_MAJOR 0
#define HEED_VERSION_MINOR 1
#define HEED_VERSION_PATCH 0
