#pragma once

#include <map>

#include <heed/layers/layer.hpp>

namespace heed {

/// Memory with one number for each parameter of a model: the weights themselves, their gradients,
/// or an optimizer's moments. All arenas of a model have the same layout.
template <class Scalar>
using Arena = Tensor<Scalar, 1>;

namespace detail {

/// One weight in an arena.
template <class S>
View<S> slot_view(S* arena, const Slot& slot) {
  return {arena + slot.offset, slot.shape};
}

}  // namespace detail

/// The weights of a model and their positions in an arena. There are no gaps between them, and they
/// follow the order in which the layers were added.
class Layout {
 public:
  /// Appends the weights of a layer under the names `layer/weight`. Returns the index of the first
  /// slot. Throws `ShapeError` if the model then has more weights than can be counted.
  std::size_t append(const std::string& layer, const std::vector<Weight>& weights) {
    const std::size_t first = slots_.size();
    Index left = (std::numeric_limits<Index>::max)() - size_;
    for (const Weight& weight : weights) {
      check<ShapeError>(weight.shape.size() <= left, "with a ", weight.name, " of ", weight.shape,
                        " the model has more weights than can be counted");
      left -= weight.shape.size();
    }
    for (const Weight& weight : weights) {
      slots_.push_back({layer + "/" + weight.name, weight.shape, size_, weight.initializer,
                        weight.unit_forget, weight.momentum, !weight.momentum});
      names_.emplace(slots_.back().name, slots_.size() - 1);
      size_ += weight.shape.size();
    }
    return first;
  }

  /// Freezes `count` weights from slot `first` on, or thaws them. Statistics never train.
  void set_trains(std::size_t first, std::size_t count, bool trains) {
    for (std::size_t i = first; i < first + count; ++i) {
      slots_[i].trains = trains && !slots_[i].momentum;
    }
  }

  /// Throws `ShapeError` unless the weights from slot `first` on have the shapes that another layer
  /// needs.
  void check_shared(std::size_t first, const std::vector<Weight>& weights) const {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Slot& slot = slots_[first + i];
      check<ShapeError>(slot.shape == weights[i].shape, "expected inputs for which ", slot.name,
                        " of ", slot.shape, " can be shared, got inputs that need one of ",
                        weights[i].shape);
    }
  }

  /// The total number of parameters.
  Index size() const { return size_; }

  std::span<const Slot> all_slots() const { return slots_; }

  const Slot* find(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : &slots_[found->second];
  }

 private:
  std::vector<Slot> slots_;
  std::map<std::string, std::size_t, std::less<>> names_;
  Index size_ = 0;
};

}  // namespace heed
