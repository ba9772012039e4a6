#pragma once

// What every test file begins with, compiled once: heed, and the promise that instances_float.cpp and instances_double.cpp compile its templates.

#include <heed/heed.hpp>
#include <heed/io.hpp>

#include "catch.hpp"

namespace heed {

HEED_TEMPLATES(extern template, float)
HEED_TEMPLATES(extern template, double)

}  // namespace heed
