#pragma once

#include <heed/heed.hpp>

/// Samples (N, steps, 2): each says in its first step what `answers` holds for it.
heed::Tensor<float, 3> questions();
heed::Tensor<float, 2> answers();

/// A small network with attention, its weights random.
heed::Model<float> new_model();

/// The history's losses, from the first epoch on.
std::vector<double> train(heed::Model<float>& model);
