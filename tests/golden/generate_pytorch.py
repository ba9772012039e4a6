"""Writes the files of the folder pytorch: state_dicts that PyTorch saved, for tests/io/pytorch_test.cpp to read.

    apt-get install python3-torch python3-venv
    /usr/bin/python3 -m venv --system-site-packages build/torch
    build/torch/bin/pip install safetensors==0.8.0
    build/torch/bin/python tests/golden/generate_pytorch.py

Made with torch 1.13.0; stacked, cell and those that begin with recurrent_ with 2.15. The files named_* hold weights under heed's names. Beside the network's tensors each other file has
samples x and what the network makes of them, y, computed in float64 from the weights as they stand in the file.
"""

import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "pytorch"


class Network(nn.Module):
    """The last step of an LSTM through one layer, with or without biases."""

    def __init__(self, features=3, units=5, outputs=2, bias=True):
        super().__init__()
        self.rnn = nn.LSTM(features, units, batch_first=True, bias=bias)
        self.head = nn.Linear(units, outputs, bias=bias)

    def forward(self, x):
        states, _ = self.rnn(x)
        return torch.tanh(self.head(states[:, -1]))


class Attention(nn.Module):
    """Attention over the steps for each unit, then Luong's many-to-one attention."""

    def __init__(self, steps=4, features=2, units=3, outputs=2):
        super().__init__()
        self.encoder = nn.ModuleDict({"rnn": nn.LSTM(features, units, batch_first=True)})
        self.gate = nn.Linear(steps, steps)
        self.score = nn.Linear(units, units, bias=False)
        self.vector = nn.Linear(2 * units, outputs, bias=False)

    def forward(self, x):
        states, _ = self.encoder["rnn"](x)
        weights = torch.softmax(self.gate(states.transpose(1, 2)), dim=-1).transpose(1, 2)
        states = states * weights
        last = states[:, -1]
        weights = torch.softmax(torch.einsum("ntu,nu->nt", self.score(states), last), dim=-1)
        context = torch.einsum("nt,ntu->nu", weights, states)
        return torch.tanh(self.vector(torch.cat([context, last], dim=-1)))


class Stacked(nn.Module):
    """An LSTM of two layers, and beside it something of seven axes that heed has no layer for."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 5, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(5, 2)
        self.deep = nn.ParameterDict({"table": torch.zeros(1, 2, 1, 1, 1, 1, 2)})

    def forward(self, x):
        states, _ = self.rnn(x)
        return torch.tanh(self.head(states[:, -1]))


class Cell(nn.Module):
    """A loop over the steps."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTMCell(3, 5)
        self.head = nn.Linear(5, 2)

    def forward(self, x):
        h = c = x.new_zeros(len(x), 5)
        for step in x.unbind(1):
            h, c = self.rnn(step, (h, c))
        return torch.tanh(self.head(h))


class Recurrent(nn.Module):
    """Every state of a recurrent module, or the last states of each direction, through one layer."""

    def __init__(self, kind, last=False, **options):
        super().__init__()
        self.rnn = kind(3, 4, batch_first=True, **options)
        directions = 2 if options.get("bidirectional") else 1
        self.head = nn.Linear(4 * directions, 2)
        self.last = directions if last else 0

    def forward(self, x):
        states, last = self.rnn(x)
        if self.last:
            last = last[0] if isinstance(last, tuple) else last
            states = torch.cat(list(last[-self.last:]), dim=-1)
        return torch.tanh(self.head(states))


class RecurrentCell(nn.Module):
    """The last state of a loop over the steps."""

    def __init__(self, cell):
        super().__init__()
        self.rnn = cell(3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        h = x.new_zeros(len(x), 4)
        for step in x.unbind(1):
            h = self.rnn(step, h)
        return torch.tanh(self.head(h))


class Words(nn.Module):
    """Ids, which the file has as numbers, through a table as wide as it is high, and a GRU."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(3, 3, padding_idx=0)
        self.rnn = nn.GRU(3, 4, batch_first=True)

    def forward(self, x):
        return self.rnn(self.words(x.long()))[0]


def write(name, network, x, dtype):
    state = {key: value.to(dtype) for key, value in network.state_dict().items()}
    network.double().load_state_dict({key: value.double() for key, value in state.items()})
    with torch.no_grad():
        y = network(x).contiguous()
    state = {key: value.contiguous() for key, value in state.items()}
    save_file({**state, "x": x, "y": y}, FOLDER / f"{name}.safetensors")
    return state


def write_named(name, state):
    """The weights of Network under heed's names."""
    weights = {
        "lstm/kernel": state["rnn.weight_ih_l0"].T,
        "lstm/recurrent_kernel": state["rnn.weight_hh_l0"].T,
        "lstm/bias": state["rnn.bias_ih_l0"],
        "output/kernel": state["head.weight"].T,
        "output/bias": state["head.bias"],
    }
    save_file({key: value.contiguous() for key, value in weights.items()}, FOLDER / f"named_{name}.safetensors")


def main():
    torch.manual_seed(1)
    FOLDER.mkdir(exist_ok=True)
    samples = lambda *shape: torch.randn(*shape, dtype=torch.float64)
    write_named("float32", write("float32", Network(), samples(4, 6, 3), torch.float32))
    write_named("float64", write("float64", Network(), samples(1, 1, 3), torch.float64))
    write_named("float16", write("float16", Network(), samples(4, 6, 3), torch.float16))
    write_named("bfloat16", write("bfloat16", Network(), samples(4, 6, 3), torch.bfloat16))
    write("without_bias", Network(bias=False), samples(4, 6, 3), torch.float32)
    write("attention", Attention(), samples(5, 4, 2), torch.float64)
    write("sequential", nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), samples(5, 3), torch.float32)
    write("stacked", Stacked().eval(), samples(4, 6, 3), torch.float32)
    write("cell", Cell(), samples(4, 6, 3), torch.float32)
    write("recurrent_gru", Recurrent(nn.GRU), samples(3, 5, 3), torch.float64)
    write("recurrent_rnn", Recurrent(nn.RNN), samples(3, 5, 3), torch.float64)
    write("recurrent_relu", Recurrent(nn.RNN, nonlinearity="relu", bias=False), samples(3, 5, 3), torch.float64)
    for name, kind in [("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)]:
        both = Recurrent(kind, num_layers=2, bidirectional=True)
        write(f"recurrent_{name}_both", both, samples(3, 5, 3), torch.float64)
    write("recurrent_gru_last", Recurrent(nn.GRU, last=True, bidirectional=True), samples(3, 5, 3), torch.float64)
    write("recurrent_gru_cell", RecurrentCell(nn.GRUCell), samples(3, 5, 3), torch.float64)
    write("recurrent_rnn_cell", RecurrentCell(nn.RNNCell), samples(3, 5, 3), torch.float64)
    ids = torch.randint(0, 3, (4, 6)).double()
    write("recurrent_words", Words(), ids, torch.float64)
    write("alone", nn.Linear(3, 2), samples(5, 3), torch.float32)


if __name__ == "__main__":
    main()
