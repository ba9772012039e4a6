#pragma once

// All of heed that needs Eigen alone.

#include <heed/tensor/print.hpp>
#include <heed/version.hpp>
