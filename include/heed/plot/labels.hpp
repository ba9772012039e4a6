#pragma once

#include <optional>

#include <heed/plot/svg.hpp>

namespace heed::plot::detail {

/// The labels below columns of equal width. If they do not fit side by side, names are rotated, and
/// numbers are drawn only at every second, fifth, tenth, … column.
class ColumnLabels {
 public:
  ColumnLabels(std::vector<std::string> labels, bool are_names, double slot)
      : labels_(std::move(labels)), slot_(slot) {
    double wide = 0;
    for (std::string& label : labels_) {
      label = clean(label);
      wide = (std::max)(wide, text_width(label, 16));
    }
    is_turned_ = are_names && wide + 10 > slot && slot >= 20;
    size_ = is_turned_ ? 14 : 16;
    room_ = is_turned_ ? 135 : (std::max)(slot - 10, 110.0);
    wide = (std::min)(wide, room_);
    every_ = is_turned_ ? 1 : every_nth((wide + 10) / slot);
    extra_height_ = is_turned_ ? (std::max)(0.0, 0.71 * wide - 22) : 0;
  }

  /// The additional height compared with a line of numbers.
  double extra_height() const { return extra_height_; }

  /// Draws the labels below `top`. One of them can be highlighted; labels that would overlap it are
  /// left out.
  void draw(Svg& svg, double left, double top, std::optional<std::size_t> standing_out = {}) const {
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const bool stands_out = standing_out == i;
      const std::size_t other = standing_out.value_or(i + every_);
      const std::size_t away = i > other ? i - other : other - i;
      if (!stands_out && (i % every_ != 0 || away < every_)) continue;
      const double middle = left + slot_ * (static_cast<double>(i) + 0.5);
      svg.text(is_turned_ ? middle + 4 : middle, top + (is_turned_ ? 20 : 26),
               fitted(labels_[i], size_, room_),
               {.size = size_,
                .weight = stands_out ? 700 : 400,
                .colour = stands_out ? colours::accent : colours::ink,
                .anchor = is_turned_ ? "end" : "middle",
                .turned = is_turned_ ? -45.0 : 0.0});
    }
  }

 private:
  std::vector<std::string> labels_;
  double slot_ = 0, size_ = 0, room_ = 0, extra_height_ = 0;
  std::size_t every_ = 1;
  bool is_turned_ = false;
};

}  // namespace heed::plot::detail
