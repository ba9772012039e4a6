#include <clocale>
#include <heed/layers/dense.hpp>
#include <heed/train/progress.hpp>
#include <sstream>
#include <thread>

#include "support/catch.hpp"

namespace heed::progress_test {

namespace {

/// What is shown of epochs of three batches, each of them `pause` long.
std::string shown(Verbose verbose, int epochs = 1, int width = 80,
                  std::chrono::milliseconds pause = {}) {
  Model<float> model;
  std::ostringstream out;
  const auto callback = progress_bar<float>(verbose, &out, width);
  TrainingState<float> state{.model = model, .epochs = epochs, .steps = 3};
  const auto call = [&](const auto& function) {
    if (function) function(state);
  };
  call(callback.on_train_begin);
  while (state.epoch < epochs) {
    ++state.epoch;
    state.logs = {{"loss", 0.5}, {"binary_accuracy", 0.98}};
    call(callback.on_epoch_begin);
    for (state.step = 1; state.step <= state.steps; ++state.step) {
      std::this_thread::sleep_for(pause);
      call(callback.on_batch_end);
    }
    state.logs.set("val_loss", 0.0004);
    call(callback.on_epoch_end);
  }
  call(callback.on_train_end);
  return out.str();
}

/// Text with every time per step replaced: times are not what these tests are about.
std::string without_times(std::string text) {
  for (std::size_t end = text.find("s/step"); end != std::string::npos;
       end = text.find("s/step", end + 6)) {
    const std::size_t begin = text.rfind(' ', end) + 1;
    text.replace(begin, end - begin, "_");
    end = begin;
  }
  return text;
}

const std::string full = "━━━━━━━━━━━━━━━━━━━━";

}  // namespace

TEST_CASE("a silent progress bar has no functions to call") {
  const auto callback = progress_bar<float>(Verbose::silent);
  CHECK_FALSE(bool(callback.on_batch_end));
  CHECK(shown(Verbose::silent).empty());
}

TEST_CASE("where nobody watches, an epoch is one line, the losses first") {
  const std::string text = without_times(shown(Verbose::automatic, 2));
  CHECK(text ==
        "Epoch 1/2 - 3/3 - 0s - _s/step - loss: 0.5000 - val_loss: 4.0000e-04 - "
        "binary_accuracy: 0.9800\n"
        "Epoch 2/2 - 3/3 - 0s - _s/step - loss: 0.5000 - val_loss: 4.0000e-04 - "
        "binary_accuracy: 0.9800\n");
  CHECK(without_times(shown(Verbose::line, 2)) == text);
}

TEST_CASE("fast batches draw the bar once, at the end of the epoch, and end the line") {
  CHECK(without_times(shown(Verbose::bar, 1, 200)) ==
        "Epoch 1/1\n\r3/3 " + full +
            " 0s _s/step - loss: 0.5000 - val_loss: 4.0000e-04 - binary_accuracy: 0.9800\n");
}

TEST_CASE("slow batches redraw the line, and clear what a longer one left") {
  const std::string text =
      without_times(shown(Verbose::bar, 1, 200, std::chrono::milliseconds(60)));
  CHECK(text.find("\r1/3 ━━━━━━──────────────") != std::string::npos);
  CHECK(text.find("\r2/3 ━━━━━━━━━━━━━───────") != std::string::npos);
  CHECK(text.find("\r3/3 " + full) != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\r') == 3);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE(
    "a line that is drawn again is cut to fit, by characters; one that is finished is whole") {
  for (const int width : {10, 24, 30, 60}) {
    CAPTURE(width);
    const std::string text = shown(Verbose::bar, 1, width, std::chrono::milliseconds(60));
    const std::size_t begin = text.find('\r') + 1;
    const std::string line = text.substr(begin, text.find('\r', begin) - begin);
    CHECK(detail::text_width(line) == static_cast<std::size_t>(width) - 1);
    CHECK(text.ends_with(" - loss: 0.5000 - val_loss: 4.0000e-04 - binary_accuracy: 0.9800\n"));
  }
  CHECK(detail::cut_to_width("µs ━━", 4) == "µs ━");
  CHECK(detail::cut_to_width("µs", 4) == "µs");
  CHECK(detail::cut_to_width("µs", 0).empty());
}

TEST_CASE("times and numbers are written as Keras writes them") {
  CHECK(detail::format_step_time(2.4) == "2s/step");
  CHECK(detail::format_step_time(0) == "0s/step");
  CHECK(detail::format_step_time(0.0034) == "3ms/step");
  CHECK(detail::format_step_time(1e-3) == "1ms/step");
  CHECK(detail::format_step_time(3.6e-5) == "36µs/step");
  CHECK(detail::format_time(4.9) == "4s");
  CHECK(detail::format_time(60) == "60s");
  CHECK(detail::format_time(65) == "1:05");
  CHECK(detail::format_time(7209) == "2:00:09");
  CHECK(detail::format_logs({{"loss", 0.05}, {"b", -0.5}, {"a", 1e-3}, {"c", 12}}) ==
        " - loss: 0.0500 - a: 1.0000e-03 - b: -0.5000 - c: 12.0000");
}

TEST_CASE("numbers are whole at any size, and have a point in every locale") {
  CHECK(detail::format_number(1e-3) == "1.0000e-03");
  CHECK(detail::format_number(-0.25) == "-0.2500");
  CHECK(detail::format_number(123456789.125) == "123456789.1250");
  CHECK(detail::format_number(-1e308) == "-1.0000e+308");
  CHECK(detail::format_number(2.5e61) == "2.5000e+61");
  CHECK(detail::format_number(std::numeric_limits<double>::quiet_NaN()) == "nan");
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE"}) {
    if (std::setlocale(LC_NUMERIC, name) == nullptr) continue;
    CHECK(detail::format_number(0.5) == "0.5000");
  }
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("a training that is resumed says where it goes on") {
  Model<float> model;
  std::ostringstream out;
  const auto callback = progress_bar<float>(Verbose::line, &out, 80);
  TrainingState<float> state{.model = model};
  callback.on_train_begin(state);
  CHECK(out.str().empty());
  state.epoch = 3;
  callback.on_train_begin(state);
  state.step = 2;
  callback.on_train_begin(state);
  CHECK(out.str() == "Goes on after epoch 3\nGoes on after epoch 3, step 2\n");
}

}  // namespace heed::progress_test
