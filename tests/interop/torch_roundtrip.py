"""Compares heed with PyTorch on state_dicts that go both ways.

    python torch_roundtrip.py PROGRAM FOLDER [--networks N] [--seed S]

PROGRAM is torch_files, built from torch_files.cpp; FOLDER takes the files. N networks are drawn at random from nn.LSTM,
nn.GRU and nn.RNN, of one or two layers and directions, their cells, nn.Embedding and nn.Linear, attention among them. safetensors.torch.save_file writes their state_dict, in one of four kinds of numbers;
heed fills a model with it, predicts, and writes a state_dict of its own, which PyTorch loads and predicts with. heed also
saves the model; Python reads its weights by heed's names, writes them in the kind of numbers, and heed predicts with
those. In float32 predictions differ by at most 1e-6, relative to the largest above 1, in float64 by at most 1e-12. Weights that went there
and back are equal, but that the sum of two biases of an nn.LSTM or nn.RNN comes back as one.

A Python without torch calls another one that has it: Debian's, with its package python3-torch, and safetensors in a
virtual environment in FOLDER. Where there is none this ends with status 1, or with 0 when HEED_WITHOUT_TORCH=1 is set.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--networks", type=int, default=24)
parser.add_argument("--seed", type=int, default=5)
options = parser.parse_args()
options.folder.mkdir(parents=True, exist_ok=True)


def call_another_python():
    system = "/usr/bin/python3"
    if subprocess.run([system, "-c", "import torch"], capture_output=True).returncode != 0:
        print("torch_roundtrip.py NOT RUN: no Python here has torch; Debian has it in the package python3-torch")
        sys.exit(0 if os.environ.get("HEED_WITHOUT_TORCH") == "1" else 1)
    venv = options.folder / "venv"
    python = venv / "bin" / "python"
    if not (venv / "complete").exists():
        made = subprocess.run([system, "-m", "venv", "--clear", "--system-site-packages", venv])
        if made.returncode != 0:
            sys.exit("torch_roundtrip.py: Debian has what makes virtual environments in the package python3-venv")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "safetensors==0.8.0"], check=True)
        (venv / "complete").touch()
    sys.exit(subprocess.run([python, *sys.argv]).returncode)


try:
    import torch
    from safetensors.torch import load_file, save_file
    from torch import nn
except ImportError:
    call_another_python()

TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
KINDS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]


CLASSES = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.RNN}
CELLS = {"LSTM": nn.LSTMCell, "GRU": nn.GRUCell, "SimpleRNN": nn.RNNCell}


class Network(nn.Module):
    """Layers one after the other; `layers` describes them for heed."""

    def __init__(self, draw):
        super().__init__()
        self.steps, features = draw.choice([1, 1, 2, 5, 9]), draw.randint(1, 6)
        self.input = [self.steps, features]
        self.layers = []
        self.stages = []
        self.cells = []
        self.ids = 0
        if draw.random() < 0.3:
            features = self.add_embedding(draw)
        for _ in range(draw.randint(1, 2)):
            features = self.add_cell(draw, features) if draw.random() < 0.2 else self.add_recurrent(draw, features)
        if draw.random() < 0.5:
            self.add_step_attention(draw)
        if draw.random() < 0.5:
            features = self.add_luong_attention(draw, features)
        else:
            self.add({"type": "LastStep", "config": {}}, lambda x: x[:, -1])
        for _ in range(draw.randint(1, 2)):
            features = self.add_linear(draw, features)

    def add(self, layer, stage):
        self.layers.append({"name": f"layer{len(self.layers)}"} | layer)
        self.stages.append(stage)

    def module(self, draw, made):
        """Puts a module somewhere in this one, and returns its name."""
        number = len(list(self.children()))
        if draw.random() < 0.3:
            self.add_module(f"part{number}", nn.Sequential(nn.Dropout(), made))
            return f"part{number}.1"
        self.add_module(f"part{number}", made)
        return f"part{number}"

    def add_embedding(self, draw):
        """Samples are then ids."""
        self.ids, width = draw.randint(1, 9), draw.randint(1, 6)
        self.input = [self.steps]
        table = nn.Embedding(self.ids, width)
        config = {"input_dim": self.ids, "output_dim": width}
        self.add({"type": "Embedding", "config": config, "module": self.module(draw, table)}, lambda x: table(x.long()))
        return width

    def add_recurrent(self, draw, features):
        units, bias, batch_first = draw.choice([1, 3, 4, 7, 8, 13, 17]), draw.random() < 0.8, draw.random() < 0.5
        kind, count, both = draw.choice(["LSTM", "GRU", "SimpleRNN"]), draw.choice([1, 1, 2]), draw.random() < 0.4
        made = {"num_layers": count, "bias": bias, "batch_first": batch_first, "bidirectional": both}
        config = {"units": units, "use_bias": bias, "return_sequences": True}
        if kind == "SimpleRNN":
            made["nonlinearity"] = config["activation"] = draw.choice(["tanh", "relu"])
        rnn = CLASSES[kind](features, units, **made)
        turn = (lambda x: x) if batch_first else (lambda x: x.transpose(0, 1))
        layer = {"type": kind, "config": config, "module": self.module(draw, rnn)}
        if both:
            inner = {"type": kind, "config": config}
            layer |= {"type": "Bidirectional", "config": {"layer": inner, "merge_mode": "concat"}}
        for level in range(count):
            last = level == count - 1
            self.add(layer | {"level": level}, (lambda x: turn(rnn(turn(x))[0])) if last else (lambda x: x))
        return units * (2 if both else 1)

    def add_cell(self, draw, features):
        units, bias, kind = draw.choice([1, 4, 7]), draw.random() < 0.8, draw.choice(["LSTM", "GRU", "SimpleRNN"])
        cell = CELLS[kind](features, units, bias=bias)

        def loop(x):
            state, states = None, []
            for step in x.unbind(1):
                state = cell(step, state)
                states.append(state[0] if kind == "LSTM" else state)
            return torch.stack(states, dim=1)

        config = {"units": units, "use_bias": bias, "return_sequences": True}
        module = self.module(draw, cell)
        self.cells.append(module)
        self.add({"type": kind, "config": config, "module": module}, loop)
        return units

    def add_linear(self, draw, features):
        units, bias = draw.randint(1, 9), draw.random() < 0.8
        name, function = draw.choice([("linear", lambda x: x), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid)])
        linear = nn.Linear(features, units, bias=bias)
        config = {"units": units, "use_bias": bias, "activation": name}
        self.add({"type": "Dense", "config": config, "module": self.module(draw, linear)},
                 lambda x: function(linear(x)))
        return units

    def add_step_attention(self, draw):
        bias = draw.random() < 0.8
        gate = nn.Linear(self.steps, self.steps, bias=bias)
        self.add({"type": "StepAttention", "config": {"use_bias": bias}, "module": self.module(draw, gate)},
                 lambda x: x * torch.softmax(gate(x.transpose(1, 2)), dim=-1).transpose(1, 2))

    def add_luong_attention(self, draw, features):
        units = draw.randint(1, 9)
        score, vector = nn.Linear(features, features, bias=False), nn.Linear(2 * features, units, bias=False)

        def attend(x):
            last = x[:, -1]
            weights = torch.softmax(torch.einsum("ntu,nu->nt", score(x), last), dim=-1)
            context = torch.einsum("nt,ntu->nu", weights, x)
            return torch.tanh(vector(torch.cat([context, last], dim=-1)))

        modules = {"score_kernel": self.module(draw, score), "vector_kernel": self.module(draw, vector)}
        self.add({"type": "LuongAttention", "config": {"units": units}, "modules": modules}, attend)
        return units

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return x


def difference(a, b):
    assert a.shape == b.shape, f"shapes {tuple(a.shape)} and {tuple(b.shape)}"
    return ((a.double() - b.double()).abs().max() / max(1, b.double().abs().max())).item()


def summed(network, state):
    """The two biases of each LSTM and RNN as one; those of a GRU are two in heed, too."""
    result = dict(state)
    for key, value in state.items():
        module = network.get_submodule(key.rpartition(".")[0])
        if "bias_hh" in key and not isinstance(module, (nn.GRU, nn.GRUCell)):
            result[key.replace("bias_hh", "bias_ih")] = state[key.replace("bias_hh", "bias_ih")] + value
            del result[key]
    return result


def heed(*arguments):
    result = subprocess.run([options.program.resolve(), *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"torch_files {' '.join(map(str, arguments))}: {result.stderr}")


def kind_of(layer):
    """The type of a layer, or of that in a Bidirectional."""
    return layer["config"]["layer"]["type"] if layer["type"] == "Bidirectional" else layer["type"]


def own_names(layer, cells):
    """What heed calls the weights of a layer, and PyTorch the first tensor of each."""
    if "module" not in layer:
        return {weight: f"{module}.weight" for weight, module in layer.get("modules", {}).items()}
    inner = kind_of(layer)
    names = {"kernel": "weight", "bias": "bias"}
    if inner == "Embedding":
        names = {"embeddings": "weight"}
    if inner in CLASSES:
        place = "" if layer["module"] in cells else f"_l{layer.get('level', 0)}"
        names = {"kernel": f"weight_ih{place}", "recurrent_kernel": f"weight_hh{place}", "bias": f"bias_ih{place}"}
        if inner != layer["type"]:
            both = [("forward_", ""), ("backward_", "_reverse")]
            names = {front + own: name + end for front, end in both for own, name in names.items()}
    return {weight: f"{layer['module']}.{name}" for weight, name in names.items()}


def shapes(network, state):
    """What heed's weights are called, and their shapes."""
    result = {}
    for layer in network.layers:
        for weight, name in own_names(layer, network.cells).items():
            if name not in state:
                continue
            shape = tuple(state[name].shape)
            if kind_of(layer) == "GRU" and weight.endswith("bias"):
                shape = (2, *shape)
            elif layer["type"] != "Embedding":
                shape = shape[::-1]
            result[f"{layer['name']}/{weight}"] = shape
    return result


def compare(draw, number, largest):
    dtype = KINDS[number % len(KINDS)]
    computed = dtype if dtype in TOLERANCE else torch.float32
    network = Network(draw).eval()
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(0, 0.5)
    network.to(dtype)
    paths = [options.folder / f"{number}_{name}" for name in
             ["net.json", *(f"{name}.safetensors" for name in ["weights", "in", "out", "back", "own", "named", "named_out"])]]
    paths[0].write_text(json.dumps({"input": network.input, "layers": network.layers, "cells": network.cells}))
    save_file(network.state_dict(), paths[1])
    network.to(computed)
    x = torch.randn(draw.randint(1, 5), *network.input, dtype=computed)
    if network.ids:
        x = torch.randint(network.ids, x.shape).to(computed)
    save_file({"x": x}, paths[2])
    bits = "64" if computed == torch.float64 else ""
    heed("run" + bits, *paths[:6])
    own = load_file(paths[5])
    weights = {key: value for key, value in own.items() if key not in ["x", "y"]}
    named = {key: tuple(value.shape) for key, value in weights.items()} == shapes(network, network.state_dict())
    save_file({key: value.to(dtype) for key, value in weights.items()}, paths[6])
    heed("own" + bits, paths[0], paths[6], paths[2], paths[7])

    with torch.no_grad():
        there = difference(load_file(paths[3])["y"], network(x))
        before = summed(network, network.state_dict())
        back = load_file(paths[4])
        network.load_state_dict(back)
        again = difference(load_file(paths[3])["y"], network(x))
        network.load_state_dict({key: value.to(dtype) for key, value in back.items()})
        by_name = difference(load_file(paths[7])["y"], network(x))
    equal = all(torch.equal(value, before[key]) for key, value in summed(network, back).items())
    for key, value in [("into heed", there), ("back in PyTorch", again), ("by heed's names", by_name)]:
        largest[computed, key] = max(largest.get((computed, key), 0), value)
    types = " ".join(layer["type"] if kind_of(layer) == layer["type"] else f"{layer['type']}<{kind_of(layer)}>"
                     for layer in network.layers)
    good = max(there, again, by_name) <= TOLERANCE[computed] and equal and named
    print(f"  {'ok    ' if good else 'FAILED'} {str(dtype):14} {there:.1e} {again:.1e} {by_name:.1e} {types}")
    return good


def main():
    print(f"torch {torch.__version__}")
    draw = random.Random(options.seed)
    torch.manual_seed(options.seed)
    largest = {}
    good = [compare(draw, number, largest) for number in range(options.networks)]
    for (dtype, key), value in sorted(largest.items(), key=str):
        print(f"  {key}, {dtype}: {value:.1e} at most")
    return 0 if all(good) and good else 1


if __name__ == "__main__":
    sys.exit(main())
