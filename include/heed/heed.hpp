#pragma once

// All of heed that needs Eigen alone.

#include <heed/version.hpp>
