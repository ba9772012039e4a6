// heed as a worker of compare.py: heed_worker THREADS
#include <heed/stream/stream.hpp>

#include <memory>

#include "support/gemm.hpp"
#include "support/layer_pass.hpp"
#include "support/networks.hpp"
#include "support/training.hpp"
#include "support/worker.hpp"

namespace {

using namespace heed;
using training::Training;
using worker::Arrays;
using worker::Job;
using worker::Sizes;

Index threads = 1;

/// PyTorch adds ε to another multiple of √v than Keras and heed do; one this small leaves no difference.
constexpr Adam adam{.epsilon = 1e-12};

void need_one_thread() {
  if (threads > 1) throw std::runtime_error("measured with one thread only");
}

Tensor<float> tensor(const Arrays& arrays, const std::string& name) {
  const worker::Array& array = arrays.at(name);
  return {Shape(std::span(array.shape)), array.values};
}

/// Arrays with a weight's name become that weight.
Model<float> with_weights(Model<float> model, const Arrays& arrays) {
  model.build();
  for (const Slot& slot : model.graph().layout().all_slots()) {
    model.weight(slot.name).array() = tensor(arrays, slot.name).array();
  }
  return model;
}

/// The loss after K steps is the one that step K + 1 begins with.
Job training_job(Model<float> network, const Arrays& arrays, TrainerOptions<float> options) {
  options.threads = threads;
  const auto state = std::make_shared<Training>(with_weights(std::move(network), arrays),
                                                tensor(arrays, "x"), tensor(arrays, "y"), options);
  const auto run = [state](std::int64_t steps) {
    for (std::int64_t k = 0; k < steps; ++k) state->step();
  };
  return {.run = run, .result = [state, run](std::int64_t steps) {
            run(steps);
            return state->step();
          }};
}

Job index2_step(const Sizes& s, const Arrays& arrays) {
  return training_job(networks::index2(s[1], s[2], s[3]), arrays,
                      {.loss = BinaryCrossentropy{}, .optimizer = adam});
}

Job dummy_step(const Sizes& s, const Arrays& arrays) {
  return training_job(networks::dummy(s[1], s[2], s[3]), arrays,
                      {.loss = MeanAbsoluteError{}, .optimizer = adam});
}

/// By `fit`, in the order of the data, so that all workers have the same losses.
Job index2_epoch(const Sizes& s, Arrays arrays) {
  struct State {
    Model<float> model;
    Tensor<float> x, y;
    FitOptions<float> options;
    double epoch() { return model.fit(x, y, options)["loss"].back(); }
  };
  const auto state = std::make_shared<State>();
  state->model = with_weights(networks::index2(s[1], s[2], s[3]), arrays);
  state->options = {.loss = BinaryCrossentropy{},
                    .optimizer = adam,
                    .batch_size = s[0],
                    .shuffle = false,
                    .threads = threads,
                    .verbose = Verbose::silent};
  state->x = tensor(arrays, "x");
  arrays.erase("x");
  state->y = tensor(arrays, "y");
  const auto run = [state](std::int64_t epochs) {
    for (std::int64_t k = 0; k < epochs; ++k) state->epoch();
  };
  return {.run = run, .result = [state](std::int64_t) { return state->epoch(); }};
}

/// The layer alone, for inference.
Job forward_job(Model<float> network, const Arrays& arrays) {
  need_one_thread();
  struct State {
    Model<float> model;
    Tensor<float> x;
    Tape<float> tape;
  };
  const auto state = std::make_shared<State>(
      State{with_weights(std::move(network), arrays), tensor(arrays, "x"), {}});
  const auto run = [state](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) state->model.forward(state->x, state->tape);
  };
  return {.run = run, .result = [state](std::int64_t) {
            return double(state->model.forward(state->x, state->tape).array().matrix().norm());
          }};
}

/// One number for all gradients, in which each has another share: the sum of (i + 1) times the norm
/// of the i-th.
double weigh_gradients(const Model<float>& model, const Tensor<float, 1>& gradients) {
  double sum = 0, share = 1;
  for (const Slot& slot : model.graph().layout().all_slots()) {
    const auto part = gradients.array().segment(slot.offset, slot.shape.size());
    sum += share++ * std::sqrt(part.cast<double>().square().sum());
  }
  return sum;
}

/// Forward and back, from a given dy.
Job backward_job(Model<float> network, const Sizes& s, const Arrays& arrays) {
  const auto state =
      std::make_shared<Training>(with_weights(std::move(network), arrays), tensor(arrays, "x"),
                                 tensor(arrays, "dy"), training::backward_only(threads));
  const auto run = [state](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) state->step();
  };
  const auto samples = static_cast<double>(s[0]);  // by which the gradient was divided
  return {.run = run, .result = [state, samples](std::int64_t) {
            state->step();
            return samples * weigh_gradients(state->model, state->trainer.gradients());
          }};
}

Job lstm_forward(const Sizes& s, const Arrays& arrays) {
  return forward_job(networks::lstm(s[1], s[2], s[3]), arrays);
}
Job gru_forward(const Sizes& s, const Arrays& arrays) {
  return forward_job(networks::gru(s[1], s[2], s[3]), arrays);
}
Job lstm_train(const Sizes& s, const Arrays& arrays) {
  return backward_job(networks::lstm(s[1], s[2], s[3]), s, arrays);
}
Job gru_train(const Sizes& s, const Arrays& arrays) {
  return backward_job(networks::gru(s[1], s[2], s[3]), s, arrays);
}

/// The same for sequences of unequal length, with a mask of the steps that count.
Job lengths_train(const Sizes& s, Arrays arrays) {
  struct State {
    std::vector<std::uint8_t> counts;
    Training training;
    View<const float> x, y;
    Mask mask;
    State(std::vector<std::uint8_t> counting, Model<float> network, const Arrays& arrays)
        : counts(std::move(counting)),
          training(std::move(network), tensor(arrays, "x"), tensor(arrays, "dy"),
                   training::backward_only(threads)),
          x(training.x),
          y(training.y),
          mask(counts.data(), {x.dim(0), x.dim(1)}) {}
    void step() {
      training.trainer.step({.inputs = {.x = {&x, 1}, .masks = {&mask, 1}}, .y = {&y, 1}});
    }
  };
  std::vector<std::uint8_t> counts;
  for (const float counting : arrays.at("counts").values) counts.push_back(counting != 0);
  const auto rows = static_cast<double>(std::count(counts.begin(), counts.end(), 1));
  const auto state = std::make_shared<State>(
      std::move(counts), with_weights(networks::lstm(s[1], s[2], s[3]), arrays), arrays);
  const auto run = [state](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) state->step();
  };
  return {.run = run, .result = [state, rows](std::int64_t) {
            state->step();  // whose gradient was divided by the rows that count
            return rows *
                   weigh_gradients(state->training.model, state->training.trainer.gradients());
          }};
}

Job attention_job(Model<float> network, const Arrays& arrays) {
  need_one_thread();
  const auto state = std::make_shared<training::LayerPass>(training::LayerPass{
      with_weights(std::move(network), arrays), tensor(arrays, "x"), tensor(arrays, "dy"), {}});
  const auto run = [state](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) state->run();
  };
  return {.run = run, .result = [state](std::int64_t) {
            state->run();
            return weigh_gradients(state->model, state->tape.gradients) +
                   double(state->dx().array().matrix().norm());
          }};
}

Job step_attention_train(const Sizes& s, const Arrays& arrays) {
  return attention_job(networks::step_attention(s[1], s[2]), arrays);
}

Job luong_attention_train(const Sizes& s, const Arrays& arrays) {
  return attention_job(networks::luong_attention(s[1], s[2]), arrays);
}

Job stream_step(const Sizes& s, const Arrays& arrays) {
  need_one_thread();
  struct State {
    Model<float> model;
    Tensor<float> x;  // (T, D), read over and over
    Stream<float> stream;
    Index t = 0;
    State(Model<float> network, Tensor<float> inputs)
        : model(std::move(network)), x(std::move(inputs)), stream{model} {}
    float step() {
      const float y =
          stream.step(x.values().subspan(std::size_t(t * x.dim(1)), std::size_t(x.dim(1))))
              .data()[0];
      t = t + 1 < x.dim(0) ? t + 1 : 0;
      return y;
    }
  };
  const auto state = std::make_shared<State>(with_weights(networks::stream(s[0], s[1]), arrays),
                                             tensor(arrays, "x"));
  const auto run = [state](std::int64_t steps) {
    for (std::int64_t k = 0; k < steps; ++k) state->step();
  };
  return {.run = run, .result = [state](std::int64_t steps) {
            float y = 0;
            for (std::int64_t k = 0; k < steps; ++k) y = state->step();
            return double(y);
          }};
}

/// Everything else that is measured: work without a result to compare.
template <class State>
Job plain_job(const std::shared_ptr<State>& state) {
  const auto run = [state](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) state->run();
  };
  return {.run = run, .result = [run](std::int64_t times) {
            run(times);
            return 0.0;
          }};
}

Job bound(const Sizes& s, const Arrays&) {
  need_one_thread();
  return plain_job(std::make_shared<gemm::Bound>(s[0], s[1], s[2], s[3]));
}

template <bool ByHeed>
Job product(const Sizes& s, const Arrays&) {
  need_one_thread();
  struct State {
    gemm::Runner runner;
    void run() {
      if constexpr (ByHeed) {
        runner.heed();
      } else {
        runner.eigen();
      }
    }
  };
  return plain_job(std::make_shared<State>(State{gemm::Runner({s[0], s[1], s[2]})}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) threads = std::stol(argv[1]);
  const worker::Jobs jobs = {
      {"index2_step", index2_step},
      {"index2_epoch", index2_epoch},
      {"dummy_step", dummy_step},
      {"lstm_forward", lstm_forward},
      {"lstm_train", lstm_train},
      {"lstm_lengths_train", lengths_train},
      {"gru_forward", gru_forward},
      {"gru_train", gru_train},
      {"step_attention_train", step_attention_train},
      {"luong_attention_train", luong_attention_train},
      {"stream_step", stream_step},
      {"bound", bound},
      {"gemm", product<true>},
      {"eigen_gemm", product<false>},
  };
  return worker::serve("heed " HEED_VERSION_STRING, jobs);
}
