#pragma once

#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>

#include <heed/train/callbacks.hpp>
#include <heed/train/terminal.hpp>

namespace heed {

/// How training shows its progress.
enum class Verbose {
  automatic,  ///< `bar` on a terminal that can redraw a line, else `line`
  bar,        ///< a line that is redrawn after batches
  line,       ///< a line after each epoch
  silent,
};

namespace detail {

template <class... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, numbers...);
  return text;
}

/// Durations as Keras prints them: `3ms/step`, and `4s`, `1:05`, `2:00:09`.
inline std::string format_step_time(double seconds) {
  if (seconds >= 1 || seconds == 0) return format("%.0fs/step", seconds);
  if (seconds >= 1e-3) return format("%.0fms/step", seconds * 1e3);
  return format("%.0fµs/step", seconds * 1e6);
}

inline std::string format_time(double seconds) {
  const auto s = static_cast<long>(seconds);
  if (s >= 3600) return format("%ld:%02ld:%02ld", s / 3600, s % 3600 / 60, s % 60);
  if (s > 60) return format("%ld:%02ld", s / 60, s % 60);
  return format("%lds", s);
}

/// Four digits, as in Keras, in every locale: `0.0500`, `1.0000e-03`.
inline std::string format_number(double value) {
  const double size = std::abs(value);
  const bool is_plain = size > 1e-3 && size < 1e10;
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value,
                    is_plain ? std::chars_format::fixed : std::chars_format::scientific, 4);
  return {digits, end.ptr};
}

/// ` - loss: 0.0500 - val_loss: 0.0600 - accuracy: 0.9800`: first the losses, because the line may
/// be cut, then the rest by name, as in Keras.
inline std::string format_logs(const Logs& logs) {
  std::vector<const Logs::Entry*> entries;
  for (const Logs::Entry& entry : logs) entries.push_back(&entry);
  const auto rank = [](const Logs::Entry* entry) {
    return std::pair(entry->first == "loss" ? 0 : entry->first == "val_loss" ? 1 : 2, entry->first);
  };
  std::sort(entries.begin(), entries.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
  std::string text;
  for (const auto* entry : entries) {
    text += join(" - ", entry->first, ": ", format_number(entry->second));
  }
  return text;
}

/// The number of columns of UTF-8 text: its bytes without continuation bytes.
inline std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// The first `width` columns of UTF-8 text.
inline std::string_view cut_to_width(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  for (std::size_t columns = 0; end < text.size(); ++end) {
    if ((text[end] & 0xC0) != 0x80 && ++columns > width) break;
  }
  return text.substr(0, end);
}

inline void write_progress(std::ostream* out, std::string_view text) {
  if (out != nullptr) {
    out->write(text.data(), static_cast<std::streamsize>(text.size()));
    out->flush();
  } else {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
}

/// Printed once in a program whose training was compiled without optimisation.
inline std::atomic_flag said_unoptimized;
inline void say_unoptimized(Verbose verbose, std::ostream* out) {
  if (verbose == Verbose::silent || said_unoptimized.test_and_set()) return;
  write_progress(out,
                 "This program is built without optimisation, and trains many times slower "
                 "than with -O2 or CMAKE_BUILD_TYPE=Release\n");
}

/// Prints the progress of a training to a stream, or to stdout if none is given. A width of 0 is
/// that of the terminal, which is queried each time because it may change.
class ProgressBar {
 public:
  ProgressBar(bool redraws, std::ostream* out, std::size_t width)
      : redraws_(redraws), out_(out), width_(width) {}

  /// Prints the position from which a training is resumed.
  void begin(Index epoch, Index step) {
    if (epoch == 0 && step == 0) return;
    write(join("Goes on after epoch ", epoch) + (step > 0 ? join(", step ", step) : "") + "\n");
  }

  void begin_epoch(Index epoch, Index epochs) {
    begin_ = drawn_ = Clock::now();
    first_step_ = 0;
    const std::string title = join("Epoch ", epoch, "/", epochs);
    if (redraws_) {
      write(title + "\n");
    } else {
      title_ = title + " - ";
    }
  }

  /// Redraws between batches, at most twenty times a second. The last batch is left to `end_epoch`.
  void end_batch(Index step, Index steps, const Logs& logs) {
    const auto now = Clock::now();
    if (first_step_ == 0) {
      first_step_ = step;
      first_done_ = now;
    }
    if (!redraws_ || step == steps || now - drawn_ < std::chrono::milliseconds(50)) return;
    drawn_ = now;
    const double per_step = step_time(step, now);
    const double left = per_step * static_cast<double>(steps - step);
    redraw(bar(step, steps) + " " + format_time(left) + " " + format_step_time(per_step) +
           format_logs(logs));
  }

  void end_epoch(Index steps, const Logs& logs) {
    const auto now = Clock::now();
    const std::string elapsed = format("%.0fs", seconds(now - begin_));
    const std::string per_step = format_step_time(step_time(steps, now));
    if (redraws_) {
      draw(bar(steps, steps) + " " + elapsed + " " + per_step + format_logs(logs));
      write("\n");
      previous_ = 0;
    } else {
      write(join(title_, steps, "/", steps, " - ", elapsed, " - ", per_step, format_logs(logs),
                 "\n"));
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  static double seconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
  }

  /// The mean time of the steps after the first, which is slower than the others.
  double step_time(Index step, Clock::time_point now) const {
    if (first_step_ == 0 || step == first_step_) return seconds(now - begin_);
    return seconds(now - first_done_) / static_cast<double>(step - first_step_);
  }

  /// `  12/1407 ━━──────────────────`
  static std::string bar(Index step, Index steps) {
    constexpr Index length = 20;
    const std::string total = to_text(steps);
    std::string text = to_text(step);
    text = std::string(total.size() - text.size(), ' ') + text + "/" + total + " ";
    for (Index i = 0; i < length; ++i) text += i < length * step / steps ? "━" : "─";
    return text;
  }

  /// Cuts the line to the width of the terminal, because a line that wraps cannot be overwritten.
  void redraw(std::string_view text) {
    const std::size_t width = width_ > 0 ? width_ : static_cast<std::size_t>(terminal_width());
    draw(cut_to_width(text, width - 1));
  }

  /// Overwrites the previous line, without a line break.
  void draw(std::string_view text) {
    std::string line(text);
    const std::size_t columns = text_width(line);
    if (columns < previous_) line.append(previous_ - columns, ' ');
    previous_ = columns;
    write("\r" + line);
  }

  void write(std::string_view text) { write_progress(out_, text); }

  bool redraws_;
  std::ostream* out_;
  std::size_t width_;
  std::size_t previous_ = 0;
  Index first_step_ = 0;  ///< of the epoch; greater than 1 if training was resumed
  std::string title_;
  Clock::time_point begin_, first_done_, drawn_;
};

}  // namespace detail

/// Keras's progress bar, to stdout unless a stream is given. `width` limits the line while it is
/// redrawn; 0 is the width of the terminal. The line that ends an epoch is printed in full.
///
///     Epoch 1/3
///     1407/1407 ━━━━━━━━━━━━━━━━━━━━ 4s 3ms/step - loss: 0.0500 - binary_accuracy: 0.9800
template <class Scalar>
Callback<Scalar> progress_bar(Verbose verbose = Verbose::automatic, std::ostream* out = nullptr,
                              int width = 0) {
  if (verbose == Verbose::silent) return {};
  if (width <= 0) width = out == nullptr ? 0 : 80;
  const bool terminal = out == nullptr && detail::stdout_is_terminal() && detail::can_redraw();
  const auto bar = std::make_shared<detail::ProgressBar>(
      verbose == Verbose::bar || (verbose == Verbose::automatic && terminal), out,
      static_cast<std::size_t>(width));
  Callback<Scalar> callback;
  callback.make = [=](Callback<Scalar>& made) { made = progress_bar<Scalar>(verbose, out, width); };
  callback.on_train_begin = [bar](TrainingState<Scalar>& s) { bar->begin(s.epoch, s.step); };
  callback.on_epoch_begin = [bar](TrainingState<Scalar>& s) {
    bar->begin_epoch(s.epoch, s.epochs);
  };
  callback.on_batch_end = [bar](TrainingState<Scalar>& s) {
    bar->end_batch(s.step, s.steps, s.logs);
  };
  callback.on_epoch_end = [bar](TrainingState<Scalar>& s) { bar->end_epoch(s.steps, s.logs); };
  return callback;
}

}  // namespace heed
