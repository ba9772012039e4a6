#pragma once

#include <heed/heed.hpp>

/// The networks that are measured, without weights.
namespace networks {

using namespace heed;

/// Where does a network look, when one step of ten holds the answer? In blocks.
inline Model<float> index2(Index T, Index D, Index U) {
  Model<float> model;
  model.input({T, D});
  model.add("lstm", LSTM{.units = U, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add("dense", Dense{.units = 1, .activation = Activation::sigmoid});
  return model;
}

inline Model<float> dummy(Index T, Index D, Index U) {
  Model<float> model;
  model.input({T, D});
  model.add("lstm", LSTM{.units = U, .return_sequences = true});
  model.add("attention", LuongAttention{.units = 32});
  model.add("dense", Dense{.units = 1});
  return model;
}

inline Model<float> lstm(Index T, Index D, Index U) {
  Model<float> model;
  model.input({T, D});
  model.add("lstm", LSTM{.units = U, .return_sequences = true});
  return model;
}

inline Model<float> gru(Index T, Index D, Index U) {
  Model<float> model;
  model.input({T, D});
  model.add("gru", GRU{.units = U, .return_sequences = true});
  return model;
}

inline Model<float> step_attention(Index T, Index U) {
  Model<float> model;
  model.input({T, U});
  model.add("attention", StepAttention{});
  return model;
}

inline Model<float> luong_attention(Index T, Index U) {
  Model<float> model;
  model.input({T, U});
  model.add("attention", LuongAttention{.units = U});
  return model;
}

/// One step at a time, so the number of steps is not said to matter.
inline Model<float> stream(Index D, Index U) {
  Model<float> model;
  model.input({1, D});
  model.add("lstm", LSTM{.units = U});
  model.add("dense", Dense{.units = 1});
  return model;
}

}  // namespace networks
