#pragma once

#include <array>

#include <heed/model/graph.hpp>

namespace heed {

namespace detail {

/// The width of a text in columns of a terminal.
inline std::size_t width(std::string_view text) { return columns(text); }

inline std::string padded(std::string_view text, std::size_t wide, bool right = false) {
  const std::string space(wide - (std::min)(wide, width(text)), ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

/// `25,121` for `25121`.
inline std::string with_commas(Index number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

/// `82.99 KB` for `84984` bytes, as in Keras.
inline std::string human_size(double bytes) {
  const std::array units{"B", "KB", "MB", "GB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  const auto hundredths = std::lrint(bytes * 100);  // halves to even, as in Python
  const std::string fraction = std::to_string(100 + hundredths % 100).substr(1);
  return join(hundredths / 100, unit == 0 ? std::string() : "." + fraction, " ", units[unit]);
}

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

/// The number of parameters in layers that are not frozen. Shared ones are counted once.
template <class Scalar>
Index count_trainable(const Graph<Scalar>& graph) {
  Index count = 0;
  std::size_t next = 0;  // slots are in the order of the nodes that own them
  for (const auto& node : graph.nodes()) {
    if (node.slot_count == 0 || node.first_slot < next) continue;
    next = node.first_slot + node.slot_count;
    if (!node.trains) continue;
    for (const Slot& slot : graph.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
      count += slot.shape.size();
    }
  }
  return count;
}

}  // namespace detail

/// The table that Keras prints for a model: layer and type, output shape with `None` for the batch
/// axis, parameter count, and the layers it is connected to; then the totals, where the weights of
/// frozen layers are not trainable. Control characters in names are escaped, `\x1b`, because the
/// names can come from a file and the table is printed to a terminal.
template <class Scalar>
std::string summary(const std::string& name, const Graph<Scalar>& graph) {
  using Line = std::array<std::string, 4>;
  std::vector<Line> lines;
  bool sequential = true;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    std::string sample = "(None";  // Keras's name for axes of any length
    for (const Index dim : node.shape()) sample += dim == any ? ", None" : join(", ", dim);
    sample += node.shape().rank() == 0 ? ",)" : ")";
    std::string connections;
    for (const Node input : node.inputs) {
      if (!connections.empty()) connections += ", ";
      connections += detail::visible(graph[input.index].name);
    }
    if (connections.empty()) connections = "-";
    sequential &= i == 0 || (node.inputs.size() == 1 && node.inputs[0].index == i - 1);
    Index params = 0;
    for (const Slot& slot : graph.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
      params += slot.shape.size();
    }
    lines.push_back({detail::visible(join(node.name, " (", node.layer.type(), ")")), sample,
                     detail::with_commas(params), connections});
  }

  const Line heading{"Layer (type)", "Output Shape", "Param #", "Connected to"};
  const std::size_t columns = sequential ? 3 : 4;
  std::array<std::size_t, 4> widths{};
  for (std::size_t column = 0; column < columns; ++column) {
    widths[column] = heading[column].size();
    for (const Line& line : lines)
      widths[column] = (std::max)(widths[column], detail::width(line[column]));
  }

  std::string text = join("Model: \"", detail::visible(name), "\"\n");
  const auto rule = [&](std::string_view left, std::string_view dash, std::string_view cross,
                        std::string_view right) {
    text += left;
    for (std::size_t column = 0; column < columns; ++column) {
      if (column > 0) text += cross;
      text += detail::repeated(dash, widths[column] + 2);
    }
    text += join(right, "\n");
  };
  const auto row = [&](const Line& line, std::string_view bar) {
    for (std::size_t column = 0; column < columns; ++column) {
      text += join(bar, " ", detail::padded(line[column], widths[column], column == 2), " ");
    }
    text += join(bar, "\n");
  };
  rule("┏", "━", "┳", "┓");
  row(heading, "┃");
  rule("┡", "━", "╇", "┩");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) rule("├", "─", "┼", "┤");
    row(lines[i], "│");
  }
  rule("└", "─", "┴", "┘");
  const auto total = [](std::string_view what, Index params) {
    const double bytes = static_cast<double>(params) * sizeof(Scalar);
    return join(" ", what, " params: ", detail::with_commas(params), " (",
                detail::human_size(bytes), ")\n");
  };
  const Index params = graph.layout().size(), trainable = detail::count_trainable(graph);
  return text + total("Total", params) + total("Trainable", trainable) +
         total("Non-trainable", params - trainable);
}

}  // namespace heed
