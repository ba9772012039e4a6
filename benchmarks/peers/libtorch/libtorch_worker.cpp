// libtorch as a worker of compare.py: libtorch_worker THREADS
//
// The networks and their training as one writes them. An LSTM of libtorch has two biases: the second is zero and not
// trained.
#include <torch/torch.h>

#include <algorithm>
#include <memory>

#include "worker.hpp"

namespace {

using torch::Tensor;
using worker::Arrays;
using worker::Job;
using worker::Sizes;

Tensor tensor(const Arrays& arrays, const std::string& name) {
  const worker::Array& array = arrays.at(name);
  return torch::tensor(torch::ArrayRef<float>(array.values)).reshape(array.shape);
}

torch::nn::LSTM make_lstm(const Arrays& arrays) {
  const Tensor kernel = tensor(arrays, "lstm/kernel");
  const Tensor recurrent_kernel = tensor(arrays, "lstm/recurrent_kernel");
  torch::nn::LSTM lstm(
      torch::nn::LSTMOptions(kernel.size(0), recurrent_kernel.size(0)).batch_first(true));
  auto weights = lstm->named_parameters();
  const torch::NoGradGuard no_grad;
  weights["weight_ih_l0"].copy_(kernel.t());
  weights["weight_hh_l0"].copy_(recurrent_kernel.t());
  weights["bias_ih_l0"].copy_(tensor(arrays, "lstm/bias"));
  weights["bias_hh_l0"].zero_();
  weights["bias_hh_l0"].requires_grad_(false);
  return lstm;
}

torch::nn::Linear make_linear(const Arrays& arrays, const std::string& layer) {
  const Tensor kernel = tensor(arrays, layer + "/kernel");
  torch::nn::Linear linear(kernel.size(0), kernel.size(1));
  const torch::NoGradGuard no_grad;
  linear->weight.copy_(kernel.t());
  linear->bias.copy_(tensor(arrays, layer + "/bias"));
  return linear;
}

struct StepAttention : torch::nn::Module {
  torch::nn::Linear dense;
  explicit StepAttention(const Arrays& arrays)
      : dense(register_module("dense", make_linear(arrays, "attention"))) {}
  Tensor forward(const Tensor& h) {
    return h * torch::softmax(dense(h.transpose(1, 2)), -1).transpose(1, 2);
  }
};

struct LuongAttention : torch::nn::Module {
  Tensor score, vector;
  explicit LuongAttention(const Arrays& arrays)
      : score(register_parameter("score", tensor(arrays, "attention/score_kernel"))),
        vector(register_parameter("vector", tensor(arrays, "attention/vector_kernel"))) {}
  Tensor forward(const Tensor& h) {
    const Tensor last = h.select(1, -1);
    const Tensor q = last.matmul(score.t());
    const Tensor a = torch::softmax(torch::bmm(h, q.unsqueeze(2)).squeeze(2), -1);
    const Tensor context = torch::bmm(a.unsqueeze(1), h).squeeze(1);
    return torch::tanh(torch::cat({context, last}, 1).matmul(vector));
  }
};

template <class Attention>
struct Network : torch::nn::Module {
  torch::nn::LSTM lstm;
  std::shared_ptr<Attention> attention;
  torch::nn::Linear dense;
  explicit Network(const Arrays& arrays)
      : lstm(register_module("lstm", make_lstm(arrays))),
        attention(register_module("attention", std::make_shared<Attention>(arrays))),
        dense(register_module("dense", make_linear(arrays, "dense"))) {}
  Tensor forward(const Tensor& x) {
    return dense(attention->forward(std::get<0>(lstm(x))).flatten(1));
  }
};

struct Index2 : Network<StepAttention> {
  using Network::Network;
  static Tensor loss(const Tensor& p, const Tensor& y) {
    return torch::binary_cross_entropy_with_logits(p, y);
  }
};

struct Dummy : Network<LuongAttention> {
  using Network::Network;
  static Tensor loss(const Tensor& p, const Tensor& y) { return torch::l1_loss(p, y); }
};

std::vector<Tensor> trained(const torch::nn::Module& model) {
  auto weights = model.parameters();
  std::erase_if(weights, [](const Tensor& weight) { return !weight.requires_grad(); });
  return weights;
}

void forget_gradients(const std::vector<Tensor>& weights) {
  for (const Tensor& weight : weights) weight.mutable_grad().reset();
}

template <class Model>
struct Training {
  Model model;
  Tensor x, y;
  std::vector<Tensor> weights = trained(model);
  torch::optim::Adam adam{weights, torch::optim::AdamOptions(1e-3).eps(1e-12)};

  explicit Training(const Arrays& arrays)
      : model(arrays), x(tensor(arrays, "x")), y(tensor(arrays, "y")) {}

  Tensor step(const Tensor& inputs, const Tensor& targets) {
    const Tensor loss = Model::loss(model.forward(inputs), targets);
    forget_gradients(weights);
    loss.backward();
    adam.step();
    return loss;
  }

  double epoch(std::int64_t batch) {
    double total = 0;
    const std::int64_t samples = x.size(0);
    for (std::int64_t first = 0; first < samples; first += batch) {
      const std::int64_t count = std::min(batch, samples - first);
      const Tensor loss = step(x.narrow(0, first, count), y.narrow(0, first, count));
      total += loss.template item<double>() * static_cast<double>(count);
    }
    return total / static_cast<double>(samples);
  }
};

template <class Model>
Job training_job(const Sizes&, const Arrays& arrays) {
  const auto state = std::make_shared<Training<Model>>(arrays);
  const auto run = [state](std::int64_t steps) {
    for (std::int64_t k = 0; k < steps; ++k) state->step(state->x, state->y);
  };
  return {.run = run, .result = [state, run](std::int64_t steps) {
            run(steps);
            const torch::NoGradGuard no_grad;
            return Model::loss(state->model.forward(state->x), state->y).template item<double>();
          }};
}

Job index2_epoch(const Sizes& s, Arrays arrays) {
  const auto state = std::make_shared<Training<Index2>>(arrays);
  arrays.clear();
  const std::int64_t batch = s[0];
  const auto run = [state, batch](std::int64_t epochs) {
    for (std::int64_t k = 0; k < epochs; ++k) state->epoch(batch);
  };
  return {.run = run, .result = [state, batch](std::int64_t) { return state->epoch(batch); }};
}

/// One number for all gradients, in which each has another share.
double weigh_gradients(const std::vector<Tensor>& weights) {
  double sum = 0, share = 1;
  for (const Tensor& weight : weights) {
    sum += share++ * weight.grad().to(torch::kDouble).norm().item<double>();
  }
  return sum;
}

Job lstm_forward(const Sizes&, const Arrays& arrays) {
  const auto run = [lstm = make_lstm(arrays).ptr(), x = tensor(arrays, "x")](std::int64_t times) {
    const c10::InferenceMode inference;
    Tensor y;
    for (std::int64_t k = 0; k < times; ++k) y = std::get<0>(lstm->forward(x));
    return y;
  };
  return {.run = run, .result = [run](std::int64_t) { return run(1).norm().item<double>(); }};
}

Job lstm_train(const Sizes&, const Arrays& arrays) {
  const auto lstm = make_lstm(arrays).ptr();
  const auto weights = trained(*lstm);
  const auto run = [lstm, weights, x = tensor(arrays, "x"),
                    dy = tensor(arrays, "dy")](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) {
      forget_gradients(weights);
      std::get<0>(lstm->forward(x)).backward(dy);
    }
  };
  return {.run = run, .result = [run, weights](std::int64_t) {
            run(1);
            return weigh_gradients(weights);
          }};
}

template <class Attention>
Job attention_train(const Sizes&, const Arrays& arrays) {
  const auto attention = std::make_shared<Attention>(arrays);
  const auto weights = attention->parameters();
  const Tensor x = tensor(arrays, "x").requires_grad_();
  const auto run = [attention, weights, x, dy = tensor(arrays, "dy")](std::int64_t times) {
    for (std::int64_t k = 0; k < times; ++k) {
      forget_gradients(weights);
      x.mutable_grad().reset();
      attention->forward(x).backward(dy);
    }
  };
  return {.run = run, .result = [run, weights, x](std::int64_t) {
            run(1);
            return weigh_gradients(weights) + x.grad().norm().item<double>();
          }};
}

Job stream_step(const Sizes&, const Arrays& arrays) {
  struct State {
    torch::nn::LSTM lstm;
    torch::nn::Linear dense;
    Tensor x;  // (T, 1, 1, D), read over and over
    torch::optional<std::tuple<Tensor, Tensor>> memory = {};
    std::int64_t t = 0;

    Tensor step() {
      auto [h, next] = lstm->forward(x.select(0, t), memory);
      memory = next;
      t = t + 1 < x.size(0) ? t + 1 : 0;
      return dense(h);
    }
    Tensor run(std::int64_t steps) {
      const c10::InferenceMode inference;
      Tensor y;
      for (std::int64_t k = 0; k < steps; ++k) y = step();
      return y;
    }
  };
  const auto state = std::make_shared<State>(State{make_lstm(arrays), make_linear(arrays, "dense"),
                                                   tensor(arrays, "x").unsqueeze(1).unsqueeze(1)});
  return {.run = [state](std::int64_t steps) { state->run(steps); },
          .result = [state](std::int64_t steps) { return state->run(steps).item<double>(); }};
}

Job gemm(const Sizes& s, const Arrays&) {
  const Tensor a = torch::rand({s[0], s[1]}), b = torch::rand({s[1], s[2]});
  const auto run = [a, b, c = torch::empty({s[0], s[2]})](std::int64_t times) mutable {
    for (std::int64_t k = 0; k < times; ++k) torch::mm_out(c, a, b);
  };
  return {.run = run, .result = [](std::int64_t) { return 0.0; }};
}

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(argc > 1 ? std::stoi(argv[1]) : 1);
  at::set_num_interop_threads(1);
  const worker::Jobs jobs = {
      {"index2_step", training_job<Index2>},
      {"index2_epoch", index2_epoch},
      {"dummy_step", training_job<Dummy>},
      {"lstm_forward", lstm_forward},
      {"lstm_train", lstm_train},
      {"lstm_lengths_train", lstm_train},  // padded: nothing comes back from the padding
      {"step_attention_train", attention_train<StepAttention>},
      {"luong_attention_train", attention_train<LuongAttention>},
      {"stream_step", stream_step},
      {"gemm", gemm},
  };
  return worker::serve("libtorch " TORCH_VERSION, jobs);
}
