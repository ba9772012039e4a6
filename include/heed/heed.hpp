#pragma once

// All of heed except files and plots. Depends only on Eigen.

#include <heed/version.hpp>

#include <heed/check/gradient_check.hpp>
#include <heed/model/all_layers.hpp>
#include <heed/model/model.hpp>
#include <heed/stream/flush_denormals.hpp>
#include <heed/stream/stream.hpp>
#include <heed/tensor/print.hpp>
#include <heed/train/early_stopping.hpp>
#include <heed/train/fit.hpp>
#include <heed/train/length_mask.hpp>
#include <heed/train/one_hot.hpp>
#include <heed/train/pad_sequences.hpp>

// After the headers above, because it refers to them.
#include <heed/instances.hpp>
