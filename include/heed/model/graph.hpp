#pragma once

// A graph: its nodes, its forward pass and its backward pass.

#include <heed/model/graph_backward.hpp>
#include <heed/model/graph_forward.hpp>
#include <heed/model/graph_nodes.hpp>
