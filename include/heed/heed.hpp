#pragma once

// All of heed but files and drawing. It needs Eigen alone.

#include <heed/version.hpp>

#include <heed/check/gradient_check.hpp>
#include <heed/model/all_layers.hpp>
#include <heed/model/model.hpp>
#include <heed/stream/stream.hpp>
#include <heed/tensor/print.hpp>
#include <heed/train/early_stopping.hpp>
#include <heed/train/fit.hpp>
#include <heed/train/length_mask.hpp>
#include <heed/train/one_hot.hpp>
#include <heed/train/pad_sequences.hpp>
#include <heed/train/sequences.hpp>

// Refers to those above.
#include <heed/instances.hpp>
