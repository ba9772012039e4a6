#pragma once

#include <map>
#include <string>

#include <heed/layers/layer.hpp>

// CuDNNLSTM and CuDNNGRU of Keras 2 compute what LSTM and GRU compute, with `reset_after` for the
// GRU. Their weights are arranged as Nvidia's library wants them. Keras itself reads them into an
// LSTM or a GRU like this: keras/saving/legacy/hdf5_format.py, `_convert_rnn_weights`.

namespace heed::detail {

/// The layers of a model whose weights in a file are those of CuDNN.
struct KerasCudnn {
  std::map<std::string, std::size_t, std::less<>> gates = {};  ///< by their names

  bool has(const Slot& slot) const { return gates.contains(layer_of(slot)); }

  /// The shape of a weight in the file. A bias has one number for the input and one for the state:
  /// (2 · gates · U), of which an LSTM of Keras has the sum, and a GRU both as rows.
  Shape saved_shape(const Slot& slot) const {
    if (!has(slot) || !is_bias(slot)) return slot.shape;
    return {slot.shape.rank() == 1 ? 2 * slot.shape[0] : slot.shape.size()};
  }

  /// The weight as heed has it.
  ///
  /// A kernel (D, gates · U) has a matrix (D, U) for each gate. CuDNN has the numbers of each in
  /// the order of its transpose, (U, D), as if the shape were (D, U).
  template <class Scalar>
  void convert(const Slot& slot, std::span<const Scalar> saved, std::span<Scalar> values) const {
    if (is_bias(slot)) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = saved[i];
        if (saved.size() > values.size()) values[i] += saved[i + values.size()];
      }
      return;
    }
    const auto rows = static_cast<std::size_t>(slot.shape[0]);
    const auto columns = static_cast<std::size_t>(slot.shape[1]);
    const std::size_t units = columns / gates.find(layer_of(slot))->second;
    for (std::size_t d = 0; d < rows; ++d) {
      for (std::size_t column = 0; column < columns; ++column) {
        const std::size_t u = column % units, gate = column - u, at = u * rows + d;
        values[d * columns + column] = saved[at / units * columns + gate + at % units];
      }
    }
  }

 private:
  static std::string_view layer_of(const Slot& slot) {
    return std::string_view(slot.name).substr(0, slot.name.find('/'));
  }
  static bool is_bias(const Slot& slot) { return slot.name.ends_with("bias"); }
};

}  // namespace heed::detail
