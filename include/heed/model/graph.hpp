#pragma once

// A graph: its nodes, how a batch goes through it, and how gradients come back.

#include <heed/model/graph_backward.hpp>
#include <heed/model/graph_forward.hpp>
#include <heed/model/graph_nodes.hpp>
