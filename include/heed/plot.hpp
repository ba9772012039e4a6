#pragma once

// Charts as SVG files and as text for a terminal: bars, curves and heat maps. Depends only on
// Eigen.
#include <heed/version.hpp>

#include <heed/plot/attention.hpp>
#include <heed/plot/bars.hpp>
#include <heed/plot/heat_map.hpp>
#include <heed/plot/lines.hpp>
#include <heed/plot/save.hpp>
#include <heed/plot/text.hpp>
