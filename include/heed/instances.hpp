#pragma once

// Lists the templates that programs with heed use, so that one file can compile them for all
// others.
//
// If HEED_COMPILED is defined, a file that includes heed.hpp does not compile the templates for
// float. They are compiled in another file with the same flags, cmake/compiled.cpp, which makes up
// the CMake target heed::compiled.

#include <heed/heed.hpp>

// NOLINTBEGIN(bugprone-macro-parentheses): a keyword and a type.
/// `instance` is `template`, which compiles them, or `extern template`, which leaves them to
/// another file.
#define HEED_TEMPLATES(instance, Scalar)                                               \
  instance struct AnyLayer<Scalar>::Holder<Activation>;                                \
  instance struct AnyLayer<Scalar>::Holder<ActivityRegularization>;                    \
  instance struct AnyLayer<Scalar>::Holder<Add>;                                       \
  instance struct AnyLayer<Scalar>::Holder<AlphaDropout>;                              \
  instance struct AnyLayer<Scalar>::Holder<Average>;                                   \
  instance struct AnyLayer<Scalar>::Holder<AveragePooling1D>;                          \
  instance struct AnyLayer<Scalar>::Holder<BatchNormalization>;                        \
  instance struct AnyLayer<Scalar>::Holder<Bidirectional<GRU>>;                        \
  instance struct AnyLayer<Scalar>::Holder<Bidirectional<LSTM>>;                       \
  instance struct AnyLayer<Scalar>::Holder<Bidirectional<SimpleRNN>>;                  \
  instance struct AnyLayer<Scalar>::Holder<Concatenate>;                               \
  instance struct AnyLayer<Scalar>::Holder<Conv1D>;                                    \
  instance struct AnyLayer<Scalar>::Holder<Cropping1D>;                                \
  instance struct AnyLayer<Scalar>::Holder<Dense>;                                     \
  instance struct AnyLayer<Scalar>::Holder<Dot>;                                       \
  instance struct AnyLayer<Scalar>::Holder<Dropout>;                                   \
  instance struct AnyLayer<Scalar>::Holder<ELU>;                                       \
  instance struct AnyLayer<Scalar>::Holder<Embedding>;                                 \
  instance struct AnyLayer<Scalar>::Holder<Flatten>;                                   \
  instance struct AnyLayer<Scalar>::Holder<GaussianDropout>;                           \
  instance struct AnyLayer<Scalar>::Holder<GaussianNoise>;                             \
  instance struct AnyLayer<Scalar>::Holder<GlobalAveragePooling1D>;                    \
  instance struct AnyLayer<Scalar>::Holder<GlobalMaxPooling1D>;                        \
  instance struct AnyLayer<Scalar>::Holder<GroupNormalization>;                        \
  instance struct AnyLayer<Scalar>::Holder<GRU>;                                       \
  instance struct AnyLayer<Scalar>::Holder<Identity>;                                  \
  instance struct AnyLayer<Scalar>::Holder<Input>;                                     \
  instance struct AnyLayer<Scalar>::Holder<LastStep>;                                  \
  instance struct AnyLayer<Scalar>::Holder<LayerNormalization>;                        \
  instance struct AnyLayer<Scalar>::Holder<LeakyReLU>;                                 \
  instance struct AnyLayer<Scalar>::Holder<LSTM>;                                      \
  instance struct AnyLayer<Scalar>::Holder<LuongAttention>;                            \
  instance struct AnyLayer<Scalar>::Holder<Masking>;                                   \
  instance struct AnyLayer<Scalar>::Holder<Maximum>;                                   \
  instance struct AnyLayer<Scalar>::Holder<MaxPooling1D>;                              \
  instance struct AnyLayer<Scalar>::Holder<Minimum>;                                   \
  instance struct AnyLayer<Scalar>::Holder<Multiply>;                                  \
  instance struct AnyLayer<Scalar>::Holder<Permute>;                                   \
  instance struct AnyLayer<Scalar>::Holder<PReLU>;                                     \
  instance struct AnyLayer<Scalar>::Holder<ReLU>;                                      \
  instance struct AnyLayer<Scalar>::Holder<RepeatVector>;                              \
  instance struct AnyLayer<Scalar>::Holder<Rescaling>;                                 \
  instance struct AnyLayer<Scalar>::Holder<Reshape>;                                   \
  instance struct AnyLayer<Scalar>::Holder<SimpleRNN>;                                 \
  instance struct AnyLayer<Scalar>::Holder<Slice>;                                     \
  instance struct AnyLayer<Scalar>::Holder<Softmax>;                                   \
  instance struct AnyLayer<Scalar>::Holder<SpatialDropout1D>;                          \
  instance struct AnyLayer<Scalar>::Holder<StepAttention>;                             \
  instance struct AnyLayer<Scalar>::Holder<Subtract>;                                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Activation>>;               \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<ActivityRegularization>>;   \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<AlphaDropout>>;             \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<AveragePooling1D>>;         \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<BatchNormalization>>;       \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Bidirectional<GRU>>>;       \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Bidirectional<LSTM>>>;      \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Bidirectional<SimpleRNN>>>; \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Conv1D>>;                   \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Cropping1D>>;               \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Dense>>;                    \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Dropout>>;                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<ELU>>;                      \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Embedding>>;                \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Flatten>>;                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<GaussianDropout>>;          \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<GaussianNoise>>;            \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<GlobalAveragePooling1D>>;   \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<GlobalMaxPooling1D>>;       \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<GroupNormalization>>;       \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<GRU>>;                      \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Identity>>;                 \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<LastStep>>;                 \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<LayerNormalization>>;       \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<LeakyReLU>>;                \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<LSTM>>;                     \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<LuongAttention>>;           \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Masking>>;                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<MaxPooling1D>>;             \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Permute>>;                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<PReLU>>;                    \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<ReLU>>;                     \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<RepeatVector>>;             \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Rescaling>>;                \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Reshape>>;                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<SimpleRNN>>;                \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Slice>>;                    \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<Softmax>>;                  \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<SpatialDropout1D>>;         \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<StepAttention>>;            \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<UnitNormalization>>;        \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<UpSampling1D>>;             \
  instance struct AnyLayer<Scalar>::Holder<TimeDistributed<ZeroPadding1D>>;            \
  instance struct AnyLayer<Scalar>::Holder<UnitNormalization>;                         \
  instance struct AnyLayer<Scalar>::Holder<UpSampling1D>;                              \
  instance struct AnyLayer<Scalar>::Holder<ZeroPadding1D>;                             \
  instance class Graph<Scalar>;                                                        \
  instance class Model<Scalar>;                                                        \
  instance class Shards<Scalar>;                                                       \
  instance class Stream<Scalar>;                                                       \
  instance class Objective<Scalar>;                                                    \
  instance class Trainer<Scalar>;                                                      \
  instance class detail::FitLoop<Scalar>;                                              \
  instance class detail::RunningMeans<Scalar>;                                         \
  instance Loss<Scalar>::Loss(BinaryCrossentropy);                                     \
  instance Loss<Scalar>::Loss(CategoricalCrossentropy);                                \
  instance Loss<Scalar>::Loss(MeanSquaredError);                                       \
  instance Loss<Scalar>::Loss(MeanAbsoluteError);                                      \
  instance Optimizer<Scalar>::Optimizer(SGD);                                          \
  instance Optimizer<Scalar>::Optimizer(Adam);                                         \
  instance Optimizer<Scalar>::Optimizer(RMSprop);
// NOLINTEND(bugprone-macro-parentheses)

#ifdef HEED_COMPILED
namespace heed {

HEED_TEMPLATES(extern template, float)

namespace detail {

/// Prevents linking of files that were compiled for different vector sizes, on which the memory
/// layout of Eigen's types depends: the compiled file defines this function only for its own size.
template <Index packet_width, int alignment>
void compiled_for();

[[gnu::used]] static void (*const compiled_for_the_same)() =
    &compiled_for<widest<float>, EIGEN_MAX_ALIGN_BYTES>;

}  // namespace detail
}  // namespace heed
#endif
