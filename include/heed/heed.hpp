#pragma once

// All of heed but files and drawing. It needs Eigen alone.

#include <heed/version.hpp>

#include <heed/attention/luong_attention.hpp>
#include <heed/attention/step_attention.hpp>
#include <heed/check/gradient_check.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/concatenate.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dot.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/layers/input.hpp>
#include <heed/layers/last_step.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/multiply.hpp>
#include <heed/layers/permute.hpp>
#include <heed/layers/repeat_vector.hpp>
#include <heed/layers/reshape.hpp>
#include <heed/model/model.hpp>
#include <heed/stream/stream.hpp>
#include <heed/tensor/print.hpp>
#include <heed/train/early_stopping.hpp>
#include <heed/train/fit.hpp>
#include <heed/train/one_hot.hpp>

// Refers to those above.
#include <heed/instances.hpp>
