#pragma once

// Pictures of numbers, drawn by the examples: SVG files and bars for the terminal.
#include "bar_chart.hpp"
#include "heat_map.hpp"
#include "line_chart.hpp"
#include "terminal_chart.hpp"
