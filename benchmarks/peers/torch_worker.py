"""PyTorch as a worker of compare.py: torch_worker.py THREADS

Eager mode, as one writes it. An LSTM of PyTorch has two biases: the second is zero and not trained.
"""

import sys

import torch
from torch import nn

import worker

threads = int(sys.argv[1])
torch.set_num_threads(threads)
torch.set_num_interop_threads(1)


def tensors(arrays):
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def make_lstm(arrays):
    units = arrays["lstm/recurrent_kernel"].shape[0]
    lstm = nn.LSTM(arrays["lstm/kernel"].shape[0], units, batch_first=True)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(arrays["lstm/kernel"].T)
        lstm.weight_hh_l0.copy_(arrays["lstm/recurrent_kernel"].T)
        lstm.bias_ih_l0.copy_(arrays["lstm/bias"])
        lstm.bias_hh_l0.zero_()
    lstm.bias_hh_l0.requires_grad_(False)
    return lstm


def make_gru(arrays):
    """PyTorch has the gates r, z, n where Keras has z, r, h."""
    units = arrays["gru/recurrent_kernel"].shape[0]
    gru = nn.GRU(arrays["gru/kernel"].shape[0], units, batch_first=True)
    swap = lambda w: torch.cat([w[units : 2 * units], w[:units], w[2 * units :]])
    with torch.no_grad():
        gru.weight_ih_l0.copy_(swap(arrays["gru/kernel"].T))
        gru.weight_hh_l0.copy_(swap(arrays["gru/recurrent_kernel"].T))
        gru.bias_ih_l0.copy_(swap(arrays["gru/bias"][0]))
        gru.bias_hh_l0.copy_(swap(arrays["gru/bias"][1]))
    return gru


def make_linear(arrays, kernel, bias=None):
    outputs = arrays[kernel].shape[1]
    linear = nn.Linear(arrays[kernel].shape[0], outputs, bias=bias is not None)
    with torch.no_grad():
        linear.weight.copy_(arrays[kernel].T)
        if bias is not None:
            linear.bias.copy_(arrays[bias])
    return linear


class StepAttention(nn.Module):
    def __init__(self, arrays):
        super().__init__()
        self.dense = make_linear(arrays, "attention/kernel", "attention/bias")

    def forward(self, h):
        return h * torch.softmax(self.dense(h.transpose(1, 2)), -1).transpose(1, 2)


class LuongAttention(nn.Module):
    def __init__(self, arrays):
        super().__init__()
        self.score = nn.Parameter(arrays["attention/score_kernel"].clone())
        self.vector = nn.Parameter(arrays["attention/vector_kernel"].clone())

    def forward(self, h):
        last = h[:, -1]
        a = torch.softmax(torch.bmm(h, (last @ self.score.T).unsqueeze(2)).squeeze(2), -1)
        context = torch.bmm(a.unsqueeze(1), h).squeeze(1)
        return torch.tanh(torch.cat([context, last], 1) @ self.vector)


class Index2(nn.Module):
    loss = staticmethod(nn.functional.binary_cross_entropy_with_logits)

    def __init__(self, arrays):
        super().__init__()
        self.lstm = make_lstm(arrays)
        self.attention = StepAttention(arrays)
        self.dense = make_linear(arrays, "dense/kernel", "dense/bias")

    def forward(self, x):
        return self.dense(self.attention(self.lstm(x)[0]).flatten(1))


class Dummy(nn.Module):
    loss = staticmethod(nn.functional.l1_loss)

    def __init__(self, arrays):
        super().__init__()
        self.lstm = make_lstm(arrays)
        self.attention = LuongAttention(arrays)
        self.dense = make_linear(arrays, "dense/kernel", "dense/bias")

    def forward(self, x):
        return self.dense(self.attention(self.lstm(x)[0]))


def trainer(network, arrays, adam):
    """The model, and a function that takes one step and returns the loss before it."""
    model = network(arrays)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-3, eps=1e-12, **adam)

    def step(x, y):
        loss = model.loss(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


ADAMS = {"foreach Adam": {"foreach": True}, "plain Adam": {"foreach": False}, "fused Adam": {"fused": True}}


def training_job(network, arrays):
    arrays = tensors(arrays)
    x, y = arrays["x"], arrays["y"]

    def make(adam):
        model, step = trainer(network, arrays, adam)

        def run(steps):
            for _ in range(steps):
                step(x, y)

        def result(steps):
            run(steps)
            with torch.no_grad():
                return model.loss(model(x), y).item()

        return worker.Job(run, result)

    return worker.fastest({note: lambda adam=adam: make(adam) for note, adam in ADAMS.items()})


def index2_epoch(batch, T, D, U, arrays):
    arrays = tensors(arrays)
    x, y = arrays["x"], arrays["y"]
    model, step = trainer(Index2, arrays, {"foreach": True})

    def epoch():
        total = 0.0
        for first in range(0, len(x), batch):
            part = x[first : first + batch]
            total += step(part, y[first : first + batch]).item() * len(part)
        return total / len(x)

    return worker.Job(lambda epochs: [epoch() for _ in range(epochs)], lambda _: epoch())


def forward_job(make, arrays):
    arrays = tensors(arrays)
    layer, x = make(arrays), arrays["x"]

    @torch.inference_mode()
    def run(times):
        for _ in range(times):
            y = layer(x)[0]
        return y

    return worker.Job(run, lambda _: run(1).norm())


def weigh_recurrent(layer):
    biases = [bias.grad for bias in (layer.bias_ih_l0, layer.bias_hh_l0) if bias.requires_grad]
    return worker.weigh_gradients([layer.weight_ih_l0.grad, layer.weight_hh_l0.grad, torch.cat(biases)])


def backward_job(make, arrays):
    arrays = tensors(arrays)
    layer, x, dy = make(arrays), arrays["x"], arrays["dy"]

    def run(times):
        for _ in range(times):
            layer.zero_grad(set_to_none=True)
            layer(x)[0].backward(dy)

    def result(_):
        run(1)
        return weigh_recurrent(layer)

    return worker.Job(run, result)


def packed_job(arrays):
    """Sequences of unequal length without their padding, packed and unpacked in each step."""
    arrays = tensors(arrays)
    lstm, x, dy = make_lstm(arrays), arrays["x"], arrays["dy"]
    lengths = arrays["counts"].sum(1).long()

    def run(times):
        for _ in range(times):
            lstm.zero_grad(set_to_none=True)
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            y, _ = nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=x.shape[1])
            y.backward(dy)

    def result(_):
        run(1)
        return weigh_recurrent(lstm)

    return worker.Job(run, result)


def lstm_lengths_train(N, T, D, U, arrays):
    return worker.fastest({"padded": lambda: backward_job(make_lstm, arrays), "packed": lambda: packed_job(arrays)})


def attention_job(attention, arrays):
    arrays = tensors(arrays)
    model, x, dy = attention(arrays), arrays["x"].requires_grad_(), arrays["dy"]

    def run(times):
        for _ in range(times):
            model.zero_grad(set_to_none=True)
            x.grad = None
            model(x).backward(dy)

    def result(_):
        run(1)
        return worker.weigh_gradients([weight.grad for weight in model.parameters()]) + x.grad.norm().item()

    return worker.Job(run, result)


def stream_step(D, U, arrays):
    arrays = tensors(arrays)
    lstm, dense = make_lstm(arrays), make_linear(arrays, "dense/kernel", "dense/bias")
    x = arrays["x"].unsqueeze(1).unsqueeze(1)
    t, state = 0, None

    @torch.inference_mode()
    def run(times):
        nonlocal t, state
        for _ in range(times):
            y, state = lstm(x[t], state)
            y = dense(y)
            t = (t + 1) % len(x)
        return y

    return worker.Job(run, lambda times: run(times).item())


def gemm(M, K, N, arrays):
    a, b = torch.rand(M, K), torch.rand(K, N)
    c = torch.empty(M, N)

    def run(times):
        for _ in range(times):
            torch.mm(a, b, out=c)

    return worker.Job(run, lambda _: 0)


worker.serve(
    f"PyTorch {torch.__version__}",
    {
        "index2_step": lambda N, T, D, U, arrays: training_job(Index2, arrays),
        "index2_epoch": index2_epoch,
        "dummy_step": lambda N, T, D, U, arrays: training_job(Dummy, arrays),
        "lstm_forward": lambda N, T, D, U, arrays: forward_job(make_lstm, arrays),
        "lstm_train": lambda N, T, D, U, arrays: backward_job(make_lstm, arrays),
        "lstm_lengths_train": lstm_lengths_train,
        "gru_forward": lambda N, T, D, U, arrays: forward_job(make_gru, arrays),
        "gru_train": lambda N, T, D, U, arrays: backward_job(make_gru, arrays),
        "step_attention_train": lambda N, T, U, arrays: attention_job(StepAttention, arrays),
        "luong_attention_train": lambda N, T, U, arrays: attention_job(LuongAttention, arrays),
        "stream_step": stream_step,
        "gemm": gemm,
    },
)
