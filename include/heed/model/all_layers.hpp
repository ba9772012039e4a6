#pragma once

// The list of all layers of heed, from which the registry is made. tests/model/all_layers_test.cpp
// checks that instances.hpp, the tables in the documents and the Keras loader and writer have the
// same layers.

#include <tuple>

#include <heed/attention/luong_attention.hpp>
#include <heed/attention/step_attention.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/activity_regularization.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/alpha_dropout.hpp>
#include <heed/layers/average.hpp>
#include <heed/layers/average_pooling1d.hpp>
#include <heed/layers/batch_normalization.hpp>
#include <heed/layers/bidirectional.hpp>
#include <heed/layers/concatenate.hpp>
#include <heed/layers/conv1d.hpp>
#include <heed/layers/cropping1d.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dot.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/elu.hpp>
#include <heed/layers/embedding.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/layers/gaussian_dropout.hpp>
#include <heed/layers/gaussian_noise.hpp>
#include <heed/layers/global_average_pooling1d.hpp>
#include <heed/layers/global_max_pooling1d.hpp>
#include <heed/layers/group_normalization.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/identity.hpp>
#include <heed/layers/input.hpp>
#include <heed/layers/last_step.hpp>
#include <heed/layers/layer_normalization.hpp>
#include <heed/layers/leaky_relu.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/masking.hpp>
#include <heed/layers/max_pooling1d.hpp>
#include <heed/layers/maximum.hpp>
#include <heed/layers/minimum.hpp>
#include <heed/layers/multiply.hpp>
#include <heed/layers/permute.hpp>
#include <heed/layers/prelu.hpp>
#include <heed/layers/relu.hpp>
#include <heed/layers/repeat_vector.hpp>
#include <heed/layers/rescaling.hpp>
#include <heed/layers/reshape.hpp>
#include <heed/layers/simple_rnn.hpp>
#include <heed/layers/slice.hpp>
#include <heed/layers/softmax.hpp>
#include <heed/layers/spatial_dropout_1d.hpp>
#include <heed/layers/subtract.hpp>
#include <heed/layers/time_distributed.hpp>
#include <heed/layers/unit_normalization.hpp>
#include <heed/layers/up_sampling1d.hpp>
#include <heed/layers/zero_padding1d.hpp>

namespace heed {

/// The types of all layers, sorted by name. The registry adds the `TimeDistributed` form of each
/// layer that can be wrapped.
using AllLayers =
    std::tuple<Activation, ActivityRegularization, Add, AlphaDropout, Average, AveragePooling1D,
               BatchNormalization, Bidirectional<GRU>, Bidirectional<LSTM>,
               Bidirectional<SimpleRNN>, Concatenate, Conv1D, Cropping1D, Dense, Dot, Dropout, ELU,
               Embedding, Flatten, GaussianDropout, GaussianNoise, GlobalAveragePooling1D,
               GlobalMaxPooling1D, GroupNormalization, GRU, Identity, Input, LastStep,
               LayerNormalization, LeakyReLU, LSTM, LuongAttention, Masking, Maximum, MaxPooling1D,
               Minimum, Multiply, Permute, PReLU, ReLU, RepeatVector, Rescaling, Reshape, SimpleRNN,
               Slice, Softmax, SpatialDropout1D, StepAttention, Subtract, UnitNormalization,
               UpSampling1D, ZeroPadding1D>;

}  // namespace heed
