#include <heed/model/summary.hpp>

#include "support/catch.hpp"
#include "support/networks.hpp"

namespace heed::summary_test {

using namespace heed::testing;

TEST_CASE("The summary of the index-2 network in its block form is Keras's table") {
  CHECK(index2_network<float>(Form::block).summary() ==
        R"(Model: "model"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓
┃ Layer (type)              ┃ Output Shape   ┃ Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩
│ input_layer (InputLayer)  │ (None, 10, 2)  │       0 │
├───────────────────────────┼────────────────┼─────────┤
│ lstm (LSTM)               │ (None, 10, 32) │   4,480 │
├───────────────────────────┼────────────────┼─────────┤
│ attention (StepAttention) │ (None, 10, 32) │     110 │
├───────────────────────────┼────────────────┼─────────┤
│ flatten (Flatten)         │ (None, 320)    │       0 │
├───────────────────────────┼────────────────┼─────────┤
│ output (Dense)            │ (None, 1)      │     321 │
└───────────────────────────┴────────────────┴─────────┘
 Total params: 4,911 (19.18 KB)
 Trainable params: 4,911 (19.18 KB)
 Non-trainable params: 0 (0 B)
)");
}

TEST_CASE("The summary of the index-2 network in its functional form says what is connected") {
  CHECK(index2_network<float>(Form::functional).summary() ==
        R"(Model: "model"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)             ┃ Output Shape   ┃ Param # ┃ Connected to        ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━┩
│ input_layer (InputLayer) │ (None, 10, 2)  │       0 │ -                   │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ lstm (LSTM)              │ (None, 10, 32) │   4,480 │ input_layer         │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ permute (Permute)        │ (None, 32, 10) │       0 │ lstm                │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ dense (Dense)            │ (None, 32, 10) │     110 │ permute             │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ attention_vec (Permute)  │ (None, 10, 32) │       0 │ dense               │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ attention_mul (Multiply) │ (None, 10, 32) │       0 │ lstm, attention_vec │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ flatten (Flatten)        │ (None, 320)    │       0 │ attention_mul       │
├──────────────────────────┼────────────────┼─────────┼─────────────────────┤
│ output (Dense)           │ (None, 1)      │     321 │ flatten             │
└──────────────────────────┴────────────────┴─────────┴─────────────────────┘
 Total params: 4,911 (19.18 KB)
 Trainable params: 4,911 (19.18 KB)
 Non-trainable params: 0 (0 B)
)");
}

TEST_CASE("The summary of a model with several inputs says what is connected") {
  Model<float> model("two");
  const Node a = model.input("a", {3});
  const Node b = model.input("b", {3});
  model.add("sum", Add{}, {a, b});
  CHECK(model.summary() ==
        R"(Model: "two"
┏━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━┓
┃ Layer (type)   ┃ Output Shape ┃ Param # ┃ Connected to ┃
┡━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━┩
│ a (InputLayer) │ (None, 3)    │       0 │ -            │
├────────────────┼──────────────┼─────────┼──────────────┤
│ b (InputLayer) │ (None, 3)    │       0 │ -            │
├────────────────┼──────────────┼─────────┼──────────────┤
│ sum (Add)      │ (None, 3)    │       0 │ a, b         │
└────────────────┴──────────────┴─────────┴──────────────┘
 Total params: 0 (0 B)
 Trainable params: 0 (0 B)
 Non-trainable params: 0 (0 B)
)");
}

TEST_CASE("The weights of frozen layers are not trainable, and shared ones are counted once") {
  Model<float> model("model");
  const Node x = model.input({10, 2});
  const Node lstm = model.add("lstm", LSTM{.units = 32, .return_sequences = true}, x);
  const Node dense = model.add("dense", Dense{.units = 32}, lstm);
  const Node again = model.share("again", dense, {dense});
  model.add("flatten", Flatten{}, again);
  model.add("output", Dense{.units = 1});
  // What Keras 3.15.1 prints for this model, except that it writes 0.00 B.
  const auto totals = [&](const std::string& expected) {
    const std::string text = model.summary();
    CHECK(text.substr(text.find(" Total")) == expected);
  };
  totals(
      " Total params: 5,857 (22.88 KB)\n"
      " Trainable params: 5,857 (22.88 KB)\n"
      " Non-trainable params: 0 (0 B)\n");
  model.set_trainable("lstm", false);
  totals(
      " Total params: 5,857 (22.88 KB)\n"
      " Trainable params: 1,377 (5.38 KB)\n"
      " Non-trainable params: 4,480 (17.50 KB)\n");
  model.set_trainable("again", false);
  totals(
      " Total params: 5,857 (22.88 KB)\n"
      " Trainable params: 321 (1.25 KB)\n"
      " Non-trainable params: 5,536 (21.62 KB)\n");
  model.set_trainable("output", false);
  totals(
      " Total params: 5,857 (22.88 KB)\n"
      " Trainable params: 0 (0 B)\n"
      " Non-trainable params: 5,857 (22.88 KB)\n");
}

TEST_CASE("A name with control characters does not command the terminal") {
  Model<float> model("m\x1b]0;title\x07");
  const Node input = model.input("in\x1b[2J", {3});
  const Node dense = model.add("层\n", Dense{.units = 1}, input);
  model.add("sum", Add{}, {dense, dense});
  const std::string summary = model.summary();
  for (const char c : summary) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  CHECK(summary.starts_with("Model: \"m\\x1b]0;title\\x07\"\n"));
  CHECK(summary.find("│ in\\x1b[2J (InputLayer) │") != std::string::npos);
  // An ideograph takes two columns.
  CHECK(summary.find("│ 层\\x0a (Dense)         │") != std::string::npos);
  CHECK(summary.find("│ 层\\x0a, 层\\x0a") != std::string::npos);
}

TEST_CASE("The summary names the model and needs no weights") {
  Model<double> model("täglich");
  model.input({1});
  model.add("größe", Dense{.units = 1});
  CHECK(model.summary() ==
        R"(Model: "täglich"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┓
┃ Layer (type)             ┃ Output Shape ┃ Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━┩
│ input_layer (InputLayer) │ (None, 1)    │       0 │
├──────────────────────────┼──────────────┼─────────┤
│ größe (Dense)            │ (None, 1)    │       2 │
└──────────────────────────┴──────────────┴─────────┘
 Total params: 2 (16 B)
 Trainable params: 2 (16 B)
 Non-trainable params: 0 (0 B)
)");
}

TEST_CASE("A second input is connected to nothing") {
  Model<float> model("two");
  const Node a = model.input("a", {1}), b = model.input("b", {2});
  model.add("both", Concatenate{}, {a, b});
  const std::string text = model.summary();
  CHECK(text.find("│ b (InputLayer)     │ (None, 2)    │       0 │ -            │") !=
        std::string::npos);
  CHECK(text.find("│ a, b         │") != std::string::npos);
}

TEST_CASE("Numbers and sizes are written as Keras writes them") {
  CHECK(detail::with_commas(0) == "0");
  CHECK(detail::with_commas(999) == "999");
  CHECK(detail::with_commas(1000) == "1,000");
  CHECK(detail::with_commas(25121) == "25,121");
  CHECK(detail::with_commas(1234567) == "1,234,567");
  CHECK(detail::human_size(0) == "0 B");
  CHECK(detail::human_size(1023) == "1023 B");
  CHECK(detail::human_size(1024) == "1.00 KB");
  CHECK(detail::human_size(84984) == "82.99 KB");
  CHECK(detail::human_size(22144) == "21.62 KB");  // 21.625 rounds to even, as in Python
  CHECK(detail::human_size(1024 * 1024) == "1.00 MB");
  CHECK(detail::human_size(3.5 * 1024 * 1024 * 1024) == "3.50 GB");
  CHECK(detail::human_size(5e15) == "4656612.87 GB");
}

TEST_CASE("Text is padded by what a terminal shows of it") {
  CHECK(detail::width("größe") == 5);
  CHECK(detail::padded("ab", 4) == "ab  ");
  CHECK(detail::padded("ab", 4, true) == "  ab");
  CHECK(detail::padded("abcde", 4) == "abcde");
  CHECK(detail::padded("ö", 2) == "ö ");
}

}  // namespace heed::summary_test
