#include <heed/io/sample.hpp>

#include <limits>

#include <heed/io/model_file.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"
#include "support/temporary_folder.hpp"

namespace heed::sample_test {

using heed::testing::distance;
using heed::testing::message;
using heed::testing::random_tensor;
using heed::testing::TemporaryFolder;

namespace {

using Bytes = std::vector<std::byte>;

template <class S = float>
Model<S> small_network() {
  Model<S> model("small");
  model.input("x", {3, 2});
  model.add("lstm", LSTM{.units = 5});
  model.add("out", Dense{.units = 2});
  model.build({.seed = 1});
  return model;
}

template <class S = float>
Bytes file_with_sample() {
  return save_model(small_network<S>(), {.sample = random_tensor<S>({2, 3, 2}, 1)});
}

template <class S = float>
std::string refusal(std::span<const std::byte> bytes, const LoadOptions<S>& options = {}) {
  return message<FileError>([&] { load_model<S>(bytes, options, "file"); });
}

/// A file of the small network with these samples and predictions, unless they are empty.
template <class S = float>
Bytes file_of(const Tensor<S>& x, const Tensor<S>& y) {
  const auto model = small_network<S>();
  auto tensors = detail::named_weights(model);
  if (!x.shape().empty()) tensors.emplace_back("x", x);
  if (!y.shape().empty()) tensors.emplace_back("y", y);
  return format_safetensors<S>(tensors, {{"heed", model_to_json(model).dump()}});
}

/// Where a tensor of a file begins.
std::size_t position(const Bytes& bytes, const std::string& name) {
  const Safetensors file = parse_safetensors(bytes);
  return static_cast<std::size_t>(file.tensors.at(name).bytes.data() - bytes.data());
}

const std::string good = "(nothing thrown)";

}  // namespace

TEST_CASE("A model carries samples, and what it predicts for them") {
  const TemporaryFolder folder;
  const auto model = small_network();
  const auto x = random_tensor<float>({40, 3, 2}, 2);
  save_model(model, folder / "m", {.sample = x});
  const Safetensors file = read_safetensors(folder / "m");
  CHECK(read_tensor<float>(file, "x") == x);
  const auto y = read_tensor<float>(file, "y");
  CHECK(distance(y, model.predict(x)) <= 1e-6);
  CHECK(load_model<float>(folder / "m").weights() == model.weights());
  // On the machine that saved it, the prediction has the same bits.
  CHECK(refusal(read_file(folder / "m"), {.sample_tolerance = 0}) == good);

  auto other = small_network();
  other.weights().set_zero();
  load_weights(other, folder / "m");
  CHECK(other.weights() == model.weights());
}

TEST_CASE("A file is refused when one byte of its weights has changed, with how much it makes") {
  const Bytes whole = file_with_sample();
  for (const std::string name : {"lstm/kernel", "lstm/recurrent_kernel", "out/kernel"}) {
    Bytes bytes = whole;
    bytes[position(bytes, name) + 3] ^= std::byte(0x80);  // the sign
    CAPTURE(name);
    CHECK(refusal(bytes).starts_with("file: the prediction for the sample differs by 0."));
    CHECK(refusal(bytes, {.sample_tolerance = 10}) == good);
  }
  Bytes bytes = whole;
  detail::to_little_endian(std::bit_cast<std::uint32_t>(0.25f),
                           bytes.data() + position(bytes, "out/bias"));
  const std::string refused = refusal(bytes, {.sample_tolerance = 0.2});
  CHECK(refused.starts_with("file: the prediction for the sample differs by 0.25"));
  CHECK(
      refused.ends_with(", and 0.2 is allowed: the file is damaged, or was saved by a program that "
                        "computes something else"));
  detail::to_little_endian(std::uint32_t{0x7fc00000}, bytes.data() + position(bytes, "out/bias"));
  CHECK(
      refusal(bytes).starts_with("file: the weight \"out/bias\" has 1 of 2 numbers that are NaN"));
  CHECK(refusal(bytes, {.allow_not_finite = true})
            .starts_with("file: the prediction for the sample differs by more than "
                         "can be represented, and 1e-04 is"));
}

TEST_CASE("A prediction may be off by a part of the largest number, or of one") {
  const auto x = random_tensor<float>({2, 3, 2}, 1);
  const auto y = small_network().predict(x);
  REQUIRE(y.array().abs().maxCoeff() < 1);
  const auto off_by = [&](float difference) {
    auto other = y;
    other(1, 1) += difference;
    return file_of(x, other);
  };
  CHECK(refusal(off_by(0.9e-4f)) == good);
  CHECK(refusal(off_by(-1.1e-4f)).find("differs by 0.00011") != std::string::npos);
  // A prediction of 1001 instead of 1000.95
  auto model = small_network();
  model.weight("out/bias")(0) = 1000;
  Bytes bytes = save_model(model, {.sample = x});
  detail::to_little_endian(std::bit_cast<std::uint32_t>(1000.05f),
                           bytes.data() + position(bytes, "out/bias"));
  CHECK(refusal(bytes) == good);
  detail::to_little_endian(std::bit_cast<std::uint32_t>(1000.2f),
                           bytes.data() + position(bytes, "out/bias"));
  CHECK(refusal(bytes) != good);
}

TEST_CASE("Double is held to more, unless the file or the model is in float") {
  const auto x = random_tensor<double>({2, 3, 2}, 1);
  auto y = small_network<double>().predict(x);
  CHECK(refusal<double>(file_of<double>(x, y)) == good);
  CHECK(refusal<float>(file_of<double>(x, y)) == good);
  CHECK(refusal<double>(file_with_sample<float>()) == good);
  y(0, 0) += 1e-8;
  CHECK(refusal<double>(file_of<double>(x, y)) != good);
  CHECK(refusal<double>(file_of<double>(x, y), {.sample_tolerance = 1e-7}) == good);
  CHECK(refusal<float>(file_of<double>(x, y)) == good);
}

TEST_CASE("A sample that is not the model's is refused") {
  const auto x = random_tensor<float>({2, 3, 2}, 1);
  const auto y = small_network().predict(x);
  CHECK(refusal(file_of(x, {})) == "file has one of the tensors \"x\" and \"y\" without the other");
  CHECK(refusal(file_of({}, y)) == "file has one of the tensors \"x\" and \"y\" without the other");
  CHECK(refusal(file_of(Tensor<float>(Shape{2, 2, 3}), y)) ==
        "file: tensor \"x\": model \"small\": expected x of (samples) and (3, 2), got (2, 2, 3)");
  const auto shapes = [](const Shape& of_y, const Shape& of_x) {
    return join("file: tensor \"y\" has the shape ", of_y, ", and for the samples \"x\" of ", of_x,
                " the model predicts ", Shape{of_x[0], 2});
  };
  CHECK(refusal(file_of(x, Tensor<float>(Shape{1, 2}))) == shapes({1, 2}, {2, 3, 2}));
  CHECK(refusal(file_of(x, Tensor<float>(Shape{4}))) == shapes({4}, {2, 3, 2}));
  CHECK(refusal(file_of(Tensor<float>(Shape{0, 3, 2}), Tensor<float>(Shape{0, 2}))) ==
        shapes({0, 2}, {0, 3, 2}));
  Bytes bytes = file_of(x, y);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bytes[text.find("F32", text.find("\"y\":"))] = std::byte('I');
  CHECK(refusal(bytes) == "file: tensor \"y\" is of I32; numbers can be F64, F32, F16 or BF16");
  // Among weights alone there is no sample.
  auto model = small_network();
  auto tensors = detail::named_weights(model);
  tensors.emplace_back("x", x);
  CHECK(message<FileError>([&] {
          load_weights(model, format_safetensors<float>(tensors), "file");
        }) == "file has the tensor \"x\", which is not a weight of the model");
}

TEST_CASE("A sample that the model cannot predict is not saved") {
  const auto model = small_network();
  const Tensor<float> wrong(Shape{2, 2, 3}), none(Shape{0, 3, 2});
  CHECK(message<ShapeError>([&] { save_model(model, {.sample = wrong}); }) ==
        "model \"small\": expected x of (samples) and (3, 2), got (2, 2, 3)");
  CHECK(message<DataError>([&] { save_model(model, {.sample = none}); }) ==
        "{.sample = …}: expected at least one sample, got (0, 3, 2)");
  auto x = random_tensor<float>({1, 3, 2}, 1);
  x(0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK(message<DataError>([&] { save_model(model, {.sample = x}); }) ==
        "{.sample = …}: model \"small\" predicts numbers that are not finite");
}

namespace {

/// What is said of a model's file with so many samples, whose predictions nobody has computed, and the
/// same of saving them.
template <class... L>
std::array<std::string, 2> cost_refusals(const Shape& input, Index samples, const L&... layers) {
  Model<float> model("m");
  model.input("x", input);
  (model.add(layers), ...);
  const Arena<float> zeros(Shape{model.count_params()});
  model.set_weights(zeros.values());
  const Tensor<float> x(input.batch(samples)), y(model.output_shape().batch(samples));
  auto tensors = detail::named_weights(model);
  tensors.emplace_back("x", x);
  tensors.emplace_back("y", y);
  const auto bytes = format_safetensors<float>(tensors, {{"heed", model_to_json(model).dump()}});
  return {message<DataError>([&] { save_model(model, {.sample = x}); }), refusal(bytes)};
}

void check_too_much(const std::array<std::string, 2>& said, const std::string& begin) {
  CHECK(said[0].starts_with("{.sample = …}: model \"m\" " + begin));
  CHECK(said[1].starts_with("file: model \"m\" " + begin));
}

}  // namespace

TEST_CASE("A sample cannot ask for memory without end") {
  // In 32 bits as much as an output can have.
  constexpr auto endless = static_cast<Index>((std::min)(
      std::int64_t{1'000'000'000'000}, std::int64_t{(std::numeric_limits<Index>::max)()} / 64));
  check_too_much(cost_refusals({4}, 1, RepeatVector{.n = endless}, LastStep{}, Dense{.units = 1}),
                 "needs about ");
  // 2.3 MB, of which a forward made 2.7 GB.
  check_too_much(cost_refusals({200'000, 1}, 1, LSTM{.units = 300}), "needs about ");
  const Tensor<float> x(Shape{1, 4});
  Model<float> model("long");
  model.input({4});
  model.add("repeat", RepeatVector{.n = endless});
  model.build();
  CHECK(refusal(save_model(model)) == good);
}

TEST_CASE("A sample cannot ask for time without end") {
  // 2.7 MB, which took 26 s.
  const Dense wide{.units = 500};
  check_too_much(cost_refusals({1}, 200'000, wide, wide, wide, Dense{.units = 1}),
                 "computes about ");
  check_too_much(cost_refusals({2'000, 2}, 200, LSTM{.units = 60}), "computes about ");
  // Calls take time, whatever they compute.
  Model<float> model("m");
  model.input("x", {1});
  for (int i = 0; i < 1000; ++i) {
    model.add(join("a", i), Activation{.activation = Activation::tanh});
  }
  model.build();
  const Tensor<float> x(Shape{1000, 1});
  CHECK(message<DataError>([&] { save_model(model, {.sample = x}); }).find("computes about ") !=
        std::string::npos);
  // With infinity allowed, nobody computes it.
  const auto y = Tensor<float>(Shape{1000, 1});
  const auto bytes = format_safetensors<float>(std::vector<NamedView<float>>{{"x", x}, {"y", y}},
                                               {{"heed", model_to_json(model).dump()}});
  CHECK(refusal(bytes) != good);
  CHECK(refusal(bytes, {.sample_tolerance = std::numeric_limits<double>::infinity()}) == good);
}

TEST_CASE("A sample as people have it is taken") {
  const auto taken = [](const Shape& input, Index samples, const auto&... layers) {
    const auto said = cost_refusals(input, samples, layers...);
    return said[0] == good && said[1] == good;
  };
  CHECK(taken({1000, 1}, 1, LSTM{.units = 64}, Dense{.units = 3, .use_bias = false}));
  CHECK(
      taken({100, 16}, 4, LSTM{.units = 32, .return_sequences = true}, LuongAttention{.units = 8}));
  CHECK(taken({200, 8}, 2, Dense{.units = 16}, StepAttention{}, Flatten{}, Dense{.units = 1}));
  CHECK(taken({2000, 1}, 1, LSTM{.units = 16, .return_sequences = true}, LastStep{}));
}

namespace {

/// The user's: attention of each step to each, of which heed knows nothing.
struct SelfAttention {
  static constexpr std::string_view type = "SelfAttention";
  static constexpr auto fields() { return std::tuple{}; }
  static constexpr bool has_weights = false;
  template <class S>
  using Cache = NoCache;
  Shape output_shape(const Shape& x) const { return x; }
  template <class S>
  void forward(const Forward<S>&, Cache<S>&) const {}
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

}  // namespace

TEST_CASE("Of a layer that heed does not know it is taken that it compares each step with each") {
  Model<float> model("m");
  model.input({1000, 4});
  model.add("own", SelfAttention{});
  model.add("dot", Dot{.axes = {2, 2}}, {Node{0}, Node{1}});
  const auto& graph = model.graph();
  CHECK(detail::forward_cost(graph, 1).values >= 1e6);
  CHECK(detail::forward_cost(graph, 1).work >= 4e6);
  CHECK(detail::forward_cost(graph, 2).work >= 4e6);
  CHECK(detail::forward_cost(graph, 2).work <= 4e7);
}

TEST_CASE("A file with a sample that is cut off, or has any bit flipped, gives no other model") {
  const Bytes whole = file_with_sample();
  const auto x = random_tensor<float>({2, 3, 2}, 1);
  const auto y = small_network().predict(x);
  int accepted = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    accepted += refusal(part) == good;
  }
  CHECK(accepted == 0);

  const std::size_t in = position(whole, "x"), out = position(whole, "y");
  int changed = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= std::byte(1 << bit % 8);
    try {  // anything but a FileError ends the test
      const auto model = load_model<float>(flipped);
      const bool same_sample = bit / 8 < std::min(in, out);
      changed += same_sample && distance(model.predict(x), y) > 1.1e-4;
    } catch (const FileError&) {
    }
  }
  CHECK(changed == 0);
}

}  // namespace heed::sample_test
