#pragma once

// What every test file begins with, compiled once: heed, and the promise that instances_float.cpp and instances_double.cpp compile its templates.

#include <heed/heed.hpp>
#include <heed/io.hpp>

#include "catch.hpp"

namespace heed {

#define HEED_INSTANCE extern template
#define HEED_SCALAR float
#include "instances.inc"
#undef HEED_SCALAR
#define HEED_SCALAR double
#include "instances.inc"
#undef HEED_SCALAR
#undef HEED_INSTANCE

}  // namespace heed
