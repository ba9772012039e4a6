#pragma once

// What every test file begins with, compiled once: heed, whose templates for float are in heed::compiled, and the promise
// that instances.cpp compiles those for double.

#include <heed/heed.hpp>
#include <heed/io.hpp>

#include "catch.hpp"

namespace heed {

HEED_TEMPLATES(extern template, double)
extern template class Registry<float>;
extern template class Registry<double>;

}  // namespace heed
