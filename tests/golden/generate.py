"""Writes the golden data of this folder: what Keras 3 computes, for golden_test.cpp to compare with.

    python3 -m venv build/keras
    build/keras/bin/pip install keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6 safetensors==0.8.0
    build/keras/bin/python tests/golden/generate.py              # or some: generate.py gru masks

With these versions, on one kind of processor, the same bytes come out again. Each file is a family of
cases, which its metadata describes under the key "golden", with models as heed's own files have them:

    {"keras": "3.15.1", "tensorflow": …, "numpy": …, "cases": {"wide": {"model": {…}}, …}}

Its tensors carry the name of their case in front: `wide/x`. Keras runs in float64. Numbers that come
in (data, weights, the gradient by the output) are drawn as float32, so that heed in float starts from
the same ones; a tensor that float32 can hold is stored as float32.

    layers       x, r, y, dx, w/…, dw/…    y of x and of weights w, gradients of Σ y ∘ r; inner/… what a
                                           block publishes; initial/… what Keras starts a bias with
    masks        mask; x/…, y/…, r/…, dx/… of one layer, by number: its inputs and initial states, its output
                 and last states; w/…, dw/… and inner/… as above; mask: (N, T), 1 for steps that count
    losses       y, p, value, dp           of predictions p and targets y; float32/… is Keras in that
                                           precision, where it is off: 1 − 1e-7 is another number
    metrics      y, p, value
    pad_sequences    values, steps, y      sequences, one after the other, and how many steps each has
    optimizers   w, g, result              weights after each step, for gradients g given
    training     x, y, w/…; for each run:  loss of each step, final/… weights
    training_fit    training/… and validation/… x, y and sample_weight by the names of inputs and outputs,
                    w/…; for each run: log/… by epoch, evaluated/… after the last, final/… weights
"""

import itertools
import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers as kl  # noqa: E402
from keras.src import ops  # noqa: E402
from safetensors.numpy import save  # noqa: E402

FOLDER = pathlib.Path(__file__).parent
LARGEST_FILE, LARGEST_SUM = 400_000, 3_000_000


# Models ------------------------------------------------------------------------------------------


def layer(type, name=None, inputs=None, **config):
    """A layer as heed's files describe it; by default behind the one in front."""
    return {"type": type, "name": name, "config": config, "inputs": inputs}


def network(shape, *layers):
    """heed's description of a model, for samples of a shape; the input is called "x"."""
    nodes = [{"type": "InputLayer", "name": "x", "config": {"shape": list(shape)}, "inputs": []}]
    for number, entry in enumerate(layers):
        name = entry["name"] or f"{entry['type'].lower()}_{number}"
        nodes.append(entry | {"name": name, "inputs": entry["inputs"] or [nodes[-1]["name"]]})
    return {"format": "heed", "format_version": 1, "name": "golden", "layers": nodes,
            "output": nodes[-1]["name"]}


def last_step(x):
    return kl.Lambda(lambda h: h[:, -1, :], output_shape=(x.shape[-1],))(x)


def step_attention(x, use_bias=True):
    """The reference's attention_3d_block."""
    dense = kl.Dense(x.shape[1], activation="softmax", use_bias=use_bias)
    a = kl.Permute((2, 1))(dense(kl.Permute((2, 1))(x)))
    return kl.Multiply()([x, a]), dense.weights, {"weights": a}


def luong_attention(x, units=128):
    """The reference's Attention."""
    score_vec = kl.Dense(x.shape[2], use_bias=False)
    vector = kl.Dense(units, use_bias=False, activation="tanh")
    score_first_part = score_vec(x)
    h_t = last_step(x)
    score = kl.Dot(axes=[1, 2])([h_t, score_first_part])
    weights = kl.Activation("softmax")(score)
    context = kl.Dot(axes=[1, 1])([x, weights])
    y = vector(kl.Concatenate()([context, h_t]))
    return y, score_vec.weights + vector.weights, {"weights": weights, "context": context}


BLOCKS = {"StepAttention": step_attention, "LuongAttention": luong_attention}

# heed's names of weights, in the order in which Keras lists them.
SLOTS = {
    "Dense": ["kernel", "bias"],
    "LSTM": ["kernel", "recurrent_kernel", "bias"],
    "GRU": ["kernel", "recurrent_kernel", "bias"],
    "SimpleRNN": ["kernel", "recurrent_kernel", "bias"],
    "StepAttention": ["kernel", "bias"],
    "LuongAttention": ["score_kernel", "vector_kernel"],
    "Embedding": ["embeddings"],
    "BatchNormalization": ["gamma", "beta", "moving_mean", "moving_variance"],
    "Conv1D": ["kernel", "bias"],
    "GroupNormalization": ["gamma", "beta"],
    "LayerNormalization": ["gamma", "beta"],
    "PReLU": ["alpha"],
}
# The fields that leave a weight out.
LEFT_OUT = {"bias": "use_bias", "gamma": "scale", "beta": "center"}


def slots(type, config):
    if type == "Bidirectional":
        return [f"{direction}_{slot}" for direction in ["forward", "backward"]
                for slot in slots(config["layer"]["type"], config["layer"]["config"])]
    if type == "TimeDistributed":
        return slots(config["layer"]["type"], config["layer"]["config"])
    names = SLOTS.get(type, ["kernel", "recurrent_kernel", "bias"])
    return [name for name in names if config.get(LEFT_OUT.get(name), True)]


def leaky_relu(x):
    """TensorFlow's own keeps the slope as float32: 0.2 and 3e-9, whatever x is."""
    return tf.where(x > 0, x, np.float64(0.2) * x)


def hard_sigmoid_keras_2(x):
    """Keras 3 has no function of this formula any more."""
    return tf.clip_by_value(np.float64(0.2) * x + np.float64(0.5), np.float64(0), np.float64(1))


def gelu(x):
    """TensorFlow's own keeps the root of 2 as float32."""
    return x * (1 + tf.math.erf(x / np.sqrt(2))) / 2


OWN = {"gelu": gelu, "leaky_relu": leaky_relu, "hard_sigmoid_keras_2": hard_sigmoid_keras_2}


def keras_layer(type, config):
    own = {key: OWN[value] for key, value in config.items() if isinstance(value, str) and value in OWN}
    if config.get("strides") == 0:
        own["strides"] = None
    if "layer" in config:
        own["layer"] = keras_layer(**config["layer"])
    return getattr(kl, type)(**config | own)


def build(net):
    """Keras's model of a network, its variables and the blocks' inner values by heed's names."""
    nodes, weights, inner = {}, {}, {}
    for entry in net["layers"]:
        type, name, config = entry["type"], entry["name"], entry["config"]
        inputs = [nodes[source] for source in entry["inputs"]]
        variables, published = [], {}
        if type == "InputLayer":
            y = keras.Input(config["shape"], name=name)
        elif type == "LastStep":
            y = last_step(inputs[0])
        elif type in BLOCKS:
            y, variables, published = BLOCKS[type](inputs[0], **config)
        else:
            made = keras_layer(type, config | {"name": name})
            y = made(inputs if len(inputs) > 1 else inputs[0])
            variables = made.weights
        nodes[name] = y
        weights |= {f"{name}/{slot}": v for slot, v in zip(slots(type, config), variables)}
        inner |= {f"{name}/{key}": value for key, value in published.items()}
    inputs = [nodes[entry["name"]] for entry in net["layers"] if entry["type"] == "InputLayer"]
    outputs = net["output"]
    y = {name: nodes[name] for name in outputs} if isinstance(outputs, list) else nodes[outputs]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], y), weights, inner


def draw_weight(rng, shape, name=""):
    scale = 0.5 if len(shape) == 1 else 1 / np.sqrt(shape[0])
    drawn = single(rng.normal(0, scale, shape))
    return abs(drawn) if name.endswith("variance") else drawn


def single(values):
    """Rounded to float32, as float64."""
    return np.asarray(values, np.float32).astype(np.float64)


# Layers ------------------------------------------------------------------------------------------


def layer_case(net, x, seed, nodes=()):
    """Output and all gradients of Σ y ∘ r, for drawn weights and r; x may be given by its batch. Values of
    these nodes are kept, too."""
    rng = np.random.default_rng(seed)
    if np.isscalar(x):
        x = rng.normal(size=(x, *net["layers"][0]["config"]["shape"]))
    x = single(x)
    model, weights, inner = build(net)
    tensors = {"x": x}
    for name, variable in weights.items():
        if name.endswith("/bias"):
            tensors["initial/" + name] = variable.numpy()
        variable.assign(draw_weight(rng, variable.shape, name))
        tensors["w/" + name] = variable.numpy()
    tensors["r"] = r = single(rng.normal(size=(len(x), *model.output.shape[1:])))

    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = model(given, training=False)
        total = tf.reduce_sum(y * r)
    sources = [given] + [variable.value for variable in weights.values()]
    dx, *dw = map(tf.convert_to_tensor,  # of an embedding it comes as slices
                  tape.gradient(total, sources, unconnected_gradients="zero"))
    tensors |= {"y": y, "dx": dx} | {"dw/" + name: d for (name, v), d in zip(weights.items(), dw) if v.trainable}
    inner |= {name: model.get_layer(name).output for name in nodes}
    for name, node in inner.items():
        tensors["inner/" + name] = keras.Model(model.input, node)(given)
    return {"model": net}, tensors


class Layers:
    """Cases by name, each with a seed of its own."""

    def __init__(self, seed):
        self.seed, self.cases = seed, {}

    def add(self, name, shape, *layers, x=1, nodes=()):
        self.seed += 1
        self.cases[name] = layer_case(network(shape, *layers), x, self.seed, nodes)


ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu", "softmax", "elu", "selu", "softplus", "softsign",
               "exponential", "hard_sigmoid", "leaky_relu"]


def activations():
    files = Layers(1000)
    rare = [-1e4, -100, -30, -3, -1e-3, -1e-8, 0, 1e-8, 1e-3, 3, 4, 30, 100, 1e4]
    for function in ACTIVATIONS:
        rng = np.random.default_rng(len(files.cases))
        x = np.concatenate([rng.normal(0, 2, 28), rare]).reshape(6, 7)
        if function == "exponential":
            x = np.minimum(x, 4)
        files.add(function, (7,), layer("Activation", activation=function), x=x)
    files.add("softmax_of_one", (3, 1), layer("Activation", activation="softmax"), x=2)
    files.add("softmax_rank_4", (2, 3, 5), layer("Activation", activation="softmax"), x=2)
    files.add("tanh_rank_5", (2, 1, 3, 2), layer("Activation", activation="tanh"), x=2)
    return files.cases


# Of these, the first need z for their derivatives, and work on single numbers or rows outside of cells alone.
WITH_Z = ["gelu", "hard_silu", "mish", "silu", "tanh_shrink", "log_softmax"]
FROM_Y = ["celu", "hard_shrink", "hard_sigmoid_keras_2", "hard_tanh", "log_sigmoid", "relu6", "soft_shrink",
          "sparse_plus", "sparse_sigmoid", "squareplus"]


def functions():
    files = Layers(1200)
    rare = [-1e4, -100, -30, -3, -1e-3, -1e-8, 0, 1e-8, 1e-3, 3, 4, 30, 100, 1e4]
    for function in WITH_Z + FROM_Y:
        x = np.concatenate([np.random.default_rng(len(files.cases)).normal(0, 2, 28), rare])
        if function == "celu":
            x[x == 0] = 0.25  # there Keras adds the slopes of both sides
        files.add(function, (7,), layer("Activation", activation=function), x=x.reshape(6, 7))
    for function in WITH_Z:
        files.add(f"dense_{function}", (3, 5), layer("Dense", units=3, activation=function), x=2)
    for function in FROM_Y:
        files.add(f"simple_rnn_{function}", (3, 2),
                  layer("SimpleRNN", units=3, activation=function, return_sequences=True), x=2)
    for cell in CELLS[:2]:
        files.add(f"{cell.lower()}_of_keras_2", (4, 2),
                  layer(cell, units=3, recurrent_activation="hard_sigmoid_keras_2", return_sequences=True), x=3)
    return files.cases


def dense():
    files = Layers(2000)
    for function, bias in itertools.product(ACTIVATIONS, [True, False]):
        files.add(f"{function}_{'bias' if bias else 'no_bias'}", (5,),
                  layer("Dense", units=7, activation=function, use_bias=bias), x=3)
    files.add("one_of_everything", (1,), layer("Dense", units=1, activation="tanh"), x=1)
    files.add("softmax_of_one", (3,), layer("Dense", units=1, activation="softmax"), x=4)
    files.add("wide", (33,), layer("Dense", units=65), x=5)
    files.add("rank_3", (3, 5), layer("Dense", units=7, activation="sigmoid"), x=2)
    files.add("rank_3_softmax", (7, 5), layer("Dense", units=33, activation="softmax"), x=1)
    files.add("rank_3_no_bias", (1, 5), layer("Dense", units=3, use_bias=False), x=2)
    files.add("rank_4", (2, 3, 5), layer("Dense", units=7, activation="selu"), x=2)
    files.add("rank_5", (2, 1, 3, 2), layer("Dense", units=3, activation="softmax"), x=2)
    files.add("three_in_a_row", (6,), layer("Dense", units=7, activation="relu"),
              layer("Dense", units=5, activation="tanh"), layer("Dense", units=2), x=9)
    return files.cases


def convolution():
    """The layers along the time axis."""
    files = Layers(2500)
    conv = lambda filters=3, kernel_size=3, **config: layer(  # noqa: E731
        "Conv1D", filters=filters, kernel_size=kernel_size, **config)
    for padding, steps in itertools.product(["valid", "same", "causal"], [5, 6]):
        for strides in [1, 2, 3]:
            files.add(f"{padding}_{steps}_strides_{strides}", (steps, 2),
                      conv(padding=padding, strides=strides), x=2)
        files.add(f"{padding}_{steps}_even", (steps, 2), conv(2, 4, padding=padding), x=2)
        files.add(f"{padding}_{steps}_even_strides", (steps, 2), conv(2, 2, padding=padding, strides=3), x=2)
        files.add(f"{padding}_{steps}_dilated", (steps, 2), conv(padding=padding, dilation_rate=2), x=2)
        files.add(f"{padding}_{steps}_dilated_even", (steps, 2),
                  conv(2, 2, padding=padding, dilation_rate=3), x=2)
    for padding in ["valid", "same", "causal"]:
        files.add(f"{padding}_many_samples", (4, 2), conv(padding=padding), x=9)
        files.add(f"{padding}_of_one", (1, 1), conv(1, 1, padding=padding), x=1)
        for groups in [2, 4]:
            files.add(f"{padding}_groups_{groups}", (5, 4), conv(4, 2, padding=padding, groups=groups), x=2)
    files.add("same_longer_than_x", (2, 3), conv(2, 5, padding="same"), x=2)
    files.add("causal_longer_than_x", (2, 3), conv(2, 5, padding="causal"), x=2)
    files.add("one_position_strides", (5, 3), conv(2, 1, strides=2), x=2)
    files.add("no_bias", (4, 2), conv(use_bias=False), x=2)
    files.add("one_filter", (6, 5), conv(1, 3), x=2)
    files.add("wide", (9, 17), conv(18, 2, padding="same"), x=2)
    for function in ACTIVATIONS:
        files.add(f"activation_{function}", (4, 2), conv(activation=function), x=2)
    # Small whole numbers, of which some are equal: who gets the gradient?
    equal = np.random.default_rng(2500).integers(0, 3, (3, 7, 2))
    for kind in ["Max", "Average"]:
        for padding, size, strides in itertools.product(["valid", "same"], [1, 2, 3], [None, 1, 4]):
            # strides: 0 is heed's name of None
            files.add(f"{kind}_{padding}_{size}_{strides}", (7, 2), layer(
                kind + "Pooling1D", pool_size=size, strides=strides or 0, padding=padding), x=equal)
        files.add(f"{kind}_longer_than_x", (2, 3), layer(kind + "Pooling1D", pool_size=5, padding="same"), x=2)
        for keepdims in [False, True]:
            pool = layer(f"Global{kind}Pooling1D", keepdims=keepdims)
            files.add(f"Global{kind}_{keepdims}", (7, 2), pool, x=equal)
            files.add(f"Global{kind}_{keepdims}_one", (1, 1), pool, x=1)
    for ends in [(1, 1), (0, 2), (3, 0)]:
        files.add(f"padding_{ends[0]}_{ends[1]}", (3, 2), layer("ZeroPadding1D", padding=ends), x=2)
        files.add(f"cropping_{ends[0]}_{ends[1]}", (5, 2), layer("Cropping1D", cropping=ends), x=2)
    for size in [1, 2, 3]:
        files.add(f"up_sampling_{size}", (3, 2), layer("UpSampling1D", size=size), x=2)
    files.add("in_a_row", (9, 2), conv(4, padding="same", activation="relu"), layer("MaxPooling1D"),
              conv(5, 2, activation="tanh"), layer("UpSampling1D"), layer("ZeroPadding1D"), layer("Cropping1D"),
              layer("AveragePooling1D", pool_size=2), layer("GlobalMaxPooling1D"), layer("Dense", units=2), x=3)
    files.add("for_each_step", (3, 4, 2), layer("TimeDistributed", layer=held("Conv1D", filters=2, kernel_size=3)),
              layer("TimeDistributed", layer=held("GlobalAveragePooling1D")), x=2)
    ids = np.where(COUNTS, np.random.default_rng(2501).integers(1, 5, COUNTS.shape), 0)[:4]
    words = layer("Embedding", input_dim=5, output_dim=3, mask_zero=True)
    for name, layers in {
        "GlobalAverage": [layer("GlobalAveragePooling1D")],
        "GlobalAverage_keepdims": [layer("GlobalAveragePooling1D", keepdims=True), layer("LSTM", units=2)],
        "GlobalMax": [layer("GlobalMaxPooling1D")], "Conv1D": [conv(padding="same"), layer("LSTM", units=2)],
        "Max": [layer("MaxPooling1D"), layer("LSTM", units=2)],
        "Average": [layer("AveragePooling1D", strides=1, pool_size=2), layer("GRU", units=2)],
        "padding": [layer("ZeroPadding1D"), layer("LSTM", units=2)],
        "cropping": [layer("Cropping1D"), layer("LSTM", units=2)],
        "up_sampling": [layer("UpSampling1D"), layer("GlobalAveragePooling1D")],
    }.items():
        files.add("masked_" + name, (5,), words, *layers, x=ids)
    return files.cases


def lstm():
    files = Layers(3000)
    for back, sequences in itertools.product([False, True], [False, True]):
        name = f"{'backwards' if back else 'forwards'}_{'sequences' if sequences else 'last'}"
        files.add(name, (4, 2), layer("LSTM", units=5, return_sequences=sequences,
                                      go_backwards=back), x=3)
    files.add("no_bias", (4, 3), layer("LSTM", units=5, use_bias=False, return_sequences=True), x=2)
    files.add("no_unit_forget_bias", (3, 2), layer("LSTM", units=3, unit_forget_bias=False), x=2)
    for function in ACTIVATIONS:
        if function == "softmax":
            continue  # heed's LSTM takes functions of one number
        # An unbounded function of a function grows beyond all bounds with the steps.
        steps = 2 if function == "exponential" else 3
        files.add(f"activation_{function}", (steps, 2),
                  layer("LSTM", units=5, activation=function, return_sequences=True), x=2)
        files.add(f"recurrent_activation_{function}", (steps, 2),
                  layer("LSTM", units=5, recurrent_activation=function), x=2)
    files.add("relu_hard_sigmoid", (4, 2), layer("LSTM", units=7, activation="relu",
                                                recurrent_activation="hard_sigmoid",
                                                return_sequences=True), x=2)
    files.add("one_of_everything", (1, 1), layer("LSTM", units=1), x=1)
    files.add("one_sample", (5, 2), layer("LSTM", units=7, return_sequences=True), x=1)
    files.add("one_step", (1, 3), layer("LSTM", units=7, return_sequences=True), x=4)
    files.add("one_step_backwards", (1, 3), layer("LSTM", units=4, go_backwards=True), x=2)
    files.add("one_feature", (6, 1), layer("LSTM", units=7), x=3)
    files.add("one_unit", (6, 3), layer("LSTM", units=1, return_sequences=True), x=3)
    files.add("wide", (4, 7), layer("LSTM", units=33, return_sequences=True), x=5)
    files.add("long", (50, 1), layer("LSTM", units=3), x=2)
    files.add("saturated", (5, 3), layer("LSTM", units=5, return_sequences=True),
              x=np.random.default_rng(3).normal(0, 10, (4, 5, 3)))
    files.add("two_in_a_row", (4, 2), layer("LSTM", units=5, return_sequences=True),
              layer("LSTM", units=3, go_backwards=True), x=3)
    return files.cases


def gru():
    files = Layers(3200)
    for after in [True, False]:
        end = "" if after else "_reset_before"
        gru = lambda **config: layer("GRU", reset_after=after, **config)  # noqa: E731, B023
        for back, sequences in itertools.product([False, True], [False, True]):
            name = f"{'backwards' if back else 'forwards'}_{'sequences' if sequences else 'last'}"
            files.add(name + end, (4, 2), gru(units=5, return_sequences=sequences,
                                              go_backwards=back), x=3)
        files.add("no_bias" + end, (4, 3), gru(units=5, use_bias=False, return_sequences=True), x=2)
        for function in ACTIVATIONS:
            if function == "softmax":
                continue
            files.add(f"activation_{function}{end}", (3, 2),
                      gru(units=2, activation=function, return_sequences=True), x=2)
            # A gate beyond [0, 1] multiplies, from step to step.
            files.add(f"recurrent_activation_{function}{end}", (2, 2),
                      gru(units=2, recurrent_activation=function), x=2)
        files.add("one_of_everything" + end, (1, 1), gru(units=1), x=1)
        files.add("one_sample" + end, (5, 2), gru(units=7, return_sequences=True), x=1)
        files.add("one_step" + end, (1, 3), gru(units=3, return_sequences=True), x=4)
        files.add("one_unit" + end, (6, 3), gru(units=1, return_sequences=True), x=3)
        files.add("wide" + end, (3, 7), gru(units=17, return_sequences=True), x=3)
        files.add("long" + end, (50, 1), gru(units=3), x=2)
        files.add("saturated" + end, (5, 3), gru(units=5, return_sequences=True),
                  x=np.random.default_rng(3).normal(0, 10, (2, 5, 3)))
        files.add("two_in_a_row" + end, (4, 2), gru(units=5, return_sequences=True),
                  gru(units=3, go_backwards=True), x=3)
    return files.cases


def simple_rnn():
    files = Layers(3400)
    rnn = lambda **config: layer("SimpleRNN", **config)  # noqa: E731
    for back, sequences in itertools.product([False, True], [False, True]):
        name = f"{'backwards' if back else 'forwards'}_{'sequences' if sequences else 'last'}"
        files.add(name, (4, 2), rnn(units=5, return_sequences=sequences, go_backwards=back), x=3)
    files.add("no_bias", (4, 3), rnn(units=5, use_bias=False, return_sequences=True), x=2)
    for function in ACTIVATIONS:
        if function == "softmax":
            continue
        steps = 2 if function == "exponential" else 3
        files.add(f"activation_{function}", (steps, 2),
                  rnn(units=3, activation=function, return_sequences=True), x=2)
    files.add("one_of_everything", (1, 1), rnn(units=1), x=1)
    files.add("one_sample", (5, 2), rnn(units=7, return_sequences=True), x=1)
    files.add("one_step", (1, 3), rnn(units=3, return_sequences=True), x=4)
    files.add("wide", (3, 7), rnn(units=33, return_sequences=True), x=3)
    files.add("long", (50, 1), rnn(units=3), x=2)
    files.add("two_in_a_row", (4, 2), rnn(units=5, return_sequences=True),
              rnn(units=3, go_backwards=True), x=3)
    return files.cases


def held(type, **config):
    """A layer in another one."""
    return {"type": type, "config": config}


CELLS = ["LSTM", "GRU", "SimpleRNN"]
# Holes, steps that are missing at the beginning and at the end, all steps, none.
COUNTS = np.array([[0, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])


def batch_normalization():
    """In inference; for training see masks."""
    files = Layers(3700)
    for scale, center in itertools.product([True, False], repeat=2):
        files.add(f"{'scale' if scale else 'no_scale'}_{'center' if center else 'no_center'}", (3,),
                  layer("BatchNormalization", scale=scale, center=center, epsilon=0.125), x=4)
    files.add("one_of_everything", (1,), layer("BatchNormalization"), x=1)
    files.add("rank_3", (4, 33), layer("BatchNormalization", axis=2), x=2)
    files.add("rank_4", (2, 3, 5), layer("BatchNormalization"), x=2)
    files.add("behind_lstm", (4, 2), layer("LSTM", units=3, return_sequences=True), layer("BatchNormalization"),
              layer("Dense", units=2), x=3)
    return files.cases


def wrappers():
    files = Layers(4200)
    modes = ["concat", "sum", "mul", "ave"]
    for i, (cell, sequences, mode) in enumerate(itertools.product(CELLS, [False, True], modes)):
        if cell == "LSTM" or i % 3 == 0:
            files.add(f"{cell}_{'sequences' if sequences else 'last'}_{mode}", (4, 3),
                      layer("Bidirectional", layer=held(cell, units=2, return_sequences=sequences),
                            merge_mode=mode), x=2)
    for cell in CELLS:
        both = lambda units: layer("Bidirectional", layer=held(  # noqa: E731
            cell, units=units, return_sequences=True))  # noqa: B023
        files.add(cell + "_one_of_everything", (1, 1), both(1), x=1)
        files.add(cell + "_two_in_a_row", (4, 2), both(2),
                  layer("Bidirectional", layer=held(cell, units=3, use_bias=False)), x=3)
    time = lambda type, **config: layer("TimeDistributed", layer=held(type, **config))  # noqa: E731
    files.add("time_dense", (4, 3), time("Dense", units=2, activation="softmax"), x=3)
    files.add("time_dense_one", (1, 1), time("Dense", units=1, activation="tanh"), x=1)
    files.add("time_dense_rank_4", (3, 2, 4), time("Dense", units=5, activation="relu"), x=2)
    for cell in CELLS:
        files.add("time_" + cell, (3, 2, 2), time(cell, units=2), x=2)
    files.add("time_bidirectional", (3, 2, 2), layer("TimeDistributed", layer=held(
        "Bidirectional", layer=held("GRU", units=2), merge_mode="sum")), x=2)
    files.add("time_flatten", (3, 2, 2), time("Flatten"), time("Dense", units=2), x=2)
    files.add("time_shapes", (3, 4, 2), time("Permute", dims=(2, 1)),
              time("Reshape", target_shape=(8,)), time("RepeatVector", n=2),
              time("Activation", activation="sigmoid"), x=2)
    return files.cases


def masking():
    files = Layers(4400)
    rng = np.random.default_rng(4400)
    ids = np.where(COUNTS, rng.integers(1, 5, COUNTS.shape), 0)
    def steps(value):
        return np.where(COUNTS[:, :, None], rng.normal(size=(*COUNTS.shape, 2)), value)

    files.add("embedding", (4,), layer("Embedding", input_dim=5, output_dim=3), x=ids[:, 1:])
    files.add("embedding_one", (1,), layer("Embedding", input_dim=2, output_dim=1), x=[[1]])
    files.add("embedding_rank_2", (5, 1), layer("Embedding", input_dim=5, output_dim=2), x=ids[..., None])
    files.add("masking", (5, 2), layer("Masking", mask_value=-1.0), x=steps(-1))
    files.add("masking_twice", (5, 2), layer("Masking", mask_value=-1.0), layer("Masking"),
              layer("LSTM", units=2), x=steps(-1))
    ends = {
        "sequence": [layer("Dense", "end", units=2)],
        "last": [layer("LSTM", "end", units=2)],
        "mean": [layer("Activation", "squashed", activation="softsign"), layer("Dropout", rate=0.3),
                 layer("TimeDistributed", "steps", layer=held("Dense", units=2)),
                 layer("GRU", "end", units=1)],
        "both": [layer("Bidirectional", "end", layer=held("SimpleRNN", units=2))],
    }
    for cell, (end, layers) in zip(itertools.cycle(CELLS), ends.items()):
        deep = [layer(cell, "cell", units=2, return_sequences=True), *layers]
        nodes = ["first", "cell", *(entry["name"] for entry in layers if entry["name"])]
        files.add(f"masking_{cell}_{end}", (5, 2), layer("Masking", "first", mask_value=0.5), *deep,
                  x=steps(0.5), nodes=nodes)
        files.add(f"embedding_{cell}_{end}", (5,),
                  layer("Embedding", "first", input_dim=5, output_dim=2, mask_zero=True), *deep, x=ids,
                  nodes=nodes)
    for cell, sequences, mode in itertools.product(CELLS, [False, True], ["concat", "mul"]):
        both = layer("Bidirectional", "both", merge_mode=mode,
                     layer=held(cell, units=2, return_sequences=sequences))
        files.add(f"both_{cell}_{'sequences' if sequences else 'last'}_{mode}", (5, 2), layer("Masking"),
                  both, *([layer(cell, units=1)] if sequences else []), x=steps(0), nodes=["both"])
    # Steps that count in one of two inputs.
    merged = [layer("Masking", "a", ["x"], mask_value=-1.0), layer("Masking", "b", ["x"])]
    for type in ["Add", "Multiply", "Concatenate"]:
        files.add("masks_of_" + type, (5, 2), *merged, layer(type, "merged", ["a", "b"]),
                  layer("LSTM", units=2), x=np.where(rng.random((*COUNTS.shape, 1)) < 0.3, 0, steps(-1)))
        files.add("one_mask_of_" + type, (5, 2), *merged[:1], layer(type, "merged", ["a", "x"]),
                  layer("LSTM", units=2), x=steps(-1))
    return files.cases


def shaping():
    files = Layers(4000)
    for shape, dims in [((5,), (1,)), ((3, 5), (2, 1)), ((3, 5), (1, 2)), ((2, 3, 5), (3, 1, 2)),
                        ((2, 3, 5), (1, 3, 2)), ((2, 3, 4, 5), (2, 4, 1, 3)), ((1, 7), (2, 1))]:
        files.add("permute_" + "".join(map(str, (*shape, "_", *dims))), shape,
                  layer("Permute", dims=dims), x=2)
    for shape in [(5,), (1, 1), (3, 5), (2, 3, 5)]:
        files.add("flatten_" + "".join(map(str, shape)), shape, layer("Flatten"), x=2)
    for shape, target in [((6,), (2, 3)), ((2, 6), (3, -1)), ((2, 3, 5), (-1,)), ((4, 3), (2, 2, 3)),
                          ((1, 1), (1,))]:
        files.add("reshape_" + "".join(map(str, (*shape, "_", *target))), shape,
                  layer("Reshape", target_shape=target), x=2)
    for n, features in [(1, 5), (4, 7), (3, 1)]:
        files.add(f"repeat_{n}_{features}", (features,), layer("RepeatVector", n=n), x=2)
    for steps, features in [(1, 5), (5, 7), (4, 1)]:
        files.add(f"last_step_{steps}_{features}", (steps, features), layer("LastStep"), x=2)
    files.add("dropout_outside_training", (3, 5), layer("Dropout", rate=0.3), x=2)
    files.add("between_dense", (4, 3), layer("Dense", units=5, activation="tanh"),
              layer("Permute", dims=(2, 1)), layer("Dense", units=2), layer("Flatten"),
              layer("Reshape", target_shape=(2, 5)), layer("LastStep"),
              layer("RepeatVector", n=3), layer("Dense", units=2, activation="sigmoid"), x=3)
    for name, shape, moved in [
        ("permute", (3, 5), layer("Permute", dims=(2, 1))),
        ("permute_one", (1, 1), layer("Permute", dims=(2, 1))),
        ("flatten", (3, 5), layer("Flatten")), ("reshape", (2, 6), layer("Reshape", target_shape=(4, 3))),
        ("repeat", (5,), layer("RepeatVector", n=3)), ("repeat_one", (1,), layer("RepeatVector", n=1)),
        ("last_step", (4, 5), layer("LastStep")), ("last_step_one", (1, 1), layer("LastStep")),
        ("dropout", (3, 5), layer("Dropout", rate=0.5)),
    ]:
        files.add(name + "_of_one_sample", shape, moved, x=1)
    return files.cases


def merging():
    files = Layers(5000)
    d = lambda name, units, source="x", function="tanh": layer(  # noqa: E731
        "Dense", name, [source], units=units, activation=function)
    for type in ["Multiply", "Add"]:
        name = type.lower()
        files.add(f"{name}_two", (7,), d("a", 7), layer(type, inputs=["x", "a"]), x=3)
        files.add(f"{name}_three", (3, 5), d("a", 5), d("b", 5),
                  layer(type, inputs=["a", "x", "b"]), x=2)
        files.add(f"{name}_with_itself", (2, 3, 1), d("a", 5),
                  layer(type, inputs=["a", "a"]), x=1)
        files.add(f"{name}_with_zeros", (5,), d("a", 7, function="relu"),
                  d("b", 7, function="relu"), layer(type, inputs=["a", "b"]), x=4)
    for axis in [-1, 1]:
        files.add(f"concatenate_rank_2_axis_{axis}", (5,), d("a", 3), d("b", 7), d("c", 1),
                  layer("Concatenate", inputs=["a", "b", "c"], axis=axis), x=3)
    for axis in [-1, 2]:
        files.add(f"concatenate_rank_3_axis_{axis}", (3, 5), d("a", 3), d("b", 1),
                  layer("Concatenate", inputs=["a", "x", "b"], axis=axis), x=2)
    # Dense acts on the last axis; turned, it changes the number of steps.
    turned = (layer("Permute", inputs=["x"], dims=(2, 1)),
              layer("Dense", units=4, activation="tanh"), layer("Permute", "turned", dims=(2, 1)))
    for axis in [1, -2]:
        files.add(f"concatenate_steps_axis_{axis}", (3, 5), *turned,
                  layer("Concatenate", inputs=["turned", "x"], axis=axis), x=2)
    files.add("concatenate_rank_4_axis_2", (2, 3, 5), d("a", 5),
              layer("Concatenate", inputs=["a", "x", "a"], axis=2), x=2)
    files.add("concatenate_rank_4_axis_1", (2, 3, 1), d("a", 1),
              layer("Concatenate", inputs=["x", "a"], axis=1), x=1)
    # x: (N, 3, 5), "vector" (N, 5), "steps" (N, 3), "matrix" (N, 3, 5), "turned" (N, 4, 5)
    vector = (layer("LastStep"), layer("Dense", "vector", units=5, activation="tanh"))
    steps = (*vector, layer("Dense", "steps", units=3))
    for name, inputs, axes, parts in [
        ("vector_x_1_2", ["vector", "x"], (1, 2), vector),
        ("x_vector_2_1", ["x", "vector"], (2, 1), vector),
        ("steps_x_1_1", ["steps", "x"], (1, 1), steps),
        ("x_steps_1_1", ["x", "steps"], (1, 1), steps),
        ("vector_vector_1_1", ["vector", "vector"], (1, 1), vector),
        ("vector_x_negative", ["vector", "x"], (-1, -1), vector),
        ("turned_x_2_2", ["turned", "x"], (2, 2), turned),
        ("x_turned_negative", ["x", "turned"], (-1, -1), turned),
        ("matrix_x_1_1", ["matrix", "x"], (1, 1), (d("matrix", 2),)),
        ("matrix_x_2_1", ["matrix", "x"], (2, 1), (d("matrix", 3),)),
        ("x_matrix_1_2", ["x", "matrix"], (1, 2), (d("matrix", 3),)),
        ("x_x_2_2", ["x", "x"], (2, 2), ()),
    ]:
        for batch in [1, 3]:
            files.add(f"dot_{name}_batch_{batch}", (3, 5), *parts,
                      layer("Dot", inputs=inputs, axes=axes), x=batch)
    files.add("dot_of_two_vectors", (6,), d("a", 7), d("b", 7),
              layer("Dot", inputs=["a", "b"], axes=(1, 1)), x=3)
    files.add("dot_one_step", (1, 1), layer("LastStep", "last"),
              layer("Dot", inputs=["last", "x"], axes=(1, 2)), x=1)
    for type in ["Multiply", "Add", "Concatenate"]:
        name = type.lower()
        files.add(f"{name}_one_of_everything", (1, 1), d("a", 1), layer(type, inputs=["x", "a"]), x=1)
        files.add(f"{name}_one_sample", (3, 5), d("a", 5), layer(type, inputs=["a", "x"]), x=1)
    return files.cases


def elementwise():
    """Rectifiers, noise outside of training, and layers that normalise or join. TensorFlow keeps some slopes as
    float32, so that they are numbers that float32 can hold."""
    files = Layers(5500)
    for name, shape, type, config in [
        ("leaky_relu", (7,), "LeakyReLU", {"negative_slope": 0.25}),
        ("elu", (7,), "ELU", {"alpha": 0.5}),
        ("relu", (7,), "ReLU", {}),
        ("relu_of_everything", (3, 7), "ReLU", {"max_value": 1.5, "negative_slope": 0.25, "threshold": 0.5}),
        ("relu_of_slope_and_limit", (3, 7), "ReLU", {"max_value": 1.0, "negative_slope": 0.25}),
        ("relu_of_6", (7,), "ReLU", {"max_value": 6.0}),
        ("relu_of_threshold", (7,), "ReLU", {"threshold": 0.5}),
        ("prelu", (3, 4), "PReLU", {}),
        ("prelu_of_steps", (3, 4), "PReLU", {"shared_axes": [1]}),
        ("prelu_of_features", (3, 2, 4), "PReLU", {"shared_axes": [1, 3]}),
        ("rescaling", (3, 4), "Rescaling", {"scale": 0.25, "offset": -1.5}),
        ("identity", (3, 4), "Identity", {}),
        ("activity_regularization", (3, 4), "ActivityRegularization", {"l1": 0.5, "l2": 0.25}),
        ("spatial_dropout", (3, 4), "SpatialDropout1D", {"rate": 0.5}),
        ("gaussian_dropout", (3, 4), "GaussianDropout", {"rate": 0.5}),
        ("gaussian_noise", (3, 4), "GaussianNoise", {"stddev": 0.5}),
        ("alpha_dropout", (3, 4), "AlphaDropout", {"rate": 0.5}),
        ("softmax", (3, 4), "Softmax", {}),
        ("softmax_of_steps", (3, 4), "Softmax", {"axis": 1}),
        ("softmax_of_the_middle", (2, 3, 4), "Softmax", {"axis": 2}),
        ("unit", (3, 4), "UnitNormalization", {}),
        ("unit_of_steps", (3, 4), "UnitNormalization", {"axis": [1]}),
        ("unit_of_two", (2, 3, 4), "UnitNormalization", {"axis": [1, 2]}),
        ("layer", (5,), "LayerNormalization", {}),
        ("layer_of_sequence", (3, 4), "LayerNormalization", {"epsilon": 1e-5}),
        ("layer_of_steps", (3, 4), "LayerNormalization", {"axis": [1]}),
        ("layer_of_two", (2, 3, 4), "LayerNormalization", {"axis": [1, 2]}),
        ("layer_of_all", (3, 4), "LayerNormalization", {"axis": [1, 2]}),
        ("layer_without_scale", (3, 4), "LayerNormalization", {"scale": False}),
        ("layer_without_center", (3, 4), "LayerNormalization", {"center": False}),
        ("layer_of_nothing", (3, 4), "LayerNormalization", {"center": False, "scale": False}),
        ("group", (3, 6), "GroupNormalization", {"groups": 2}),
        ("group_of_vector", (6,), "GroupNormalization", {"groups": 2, "epsilon": 1e-5}),
        ("group_of_each", (3, 4), "GroupNormalization", {"groups": -1}),
        ("group_of_steps", (4, 3), "GroupNormalization", {"groups": 2, "axis": 1}),
        ("group_of_the_middle", (2, 4, 3), "GroupNormalization", {"groups": 2, "axis": 2, "scale": False}),
        ("group_without_center", (2, 4, 3), "GroupNormalization", {"groups": 1, "center": False}),
    ]:
        files.add(name, shape, layer(type, "layer", **config), x=2)
    for type, count in [("Average", 2), ("Average", 3), ("Subtract", 2), ("Maximum", 3), ("Minimum", 3)]:
        dense = [layer("Dense", f"d{i}", ["x"], units=4, activation="tanh") for i in range(count)]
        files.add(f"{type.lower()}_{count}", (3, 5), *dense, layer(type, inputs=[d["name"] for d in dense]), x=2)
    # Steps that count in one of two inputs.
    rng = np.random.default_rng(5600)
    merged = [layer("Masking", "a", ["x"], mask_value=-1.0), layer("Masking", "b", ["x"])]
    for type in ["Average", "Subtract", "Maximum", "Minimum"]:
        x = np.where(rng.random((*COUNTS.shape, 1)) < 0.3, -1, rng.normal(size=(*COUNTS.shape, 2)))
        x = np.where(rng.random((*COUNTS.shape, 1)) < 0.3, 0, x)
        files.add("masks_of_" + type, (5, 2), *merged, layer(type, "merged", ["a", "b"]),
                  layer("LSTM", units=2), x=x)
        files.add("one_mask_of_" + type, (5, 2), *merged[:1], layer(type, "merged", ["a", "x"]),
                  layer("LSTM", units=2), x=x)
    for type, config in [("LayerNormalization", {}), ("UnitNormalization", {}),
                         ("GroupNormalization", {"groups": 1}), ("PReLU", {}), ("LeakyReLU", {"negative_slope": 0.25}),
                         ("Identity", {}), ("Rescaling", {"scale": 0.5})]:
        files.add("mask_through_" + type, (5, 2), layer("Masking"), layer(type, "layer", **config),
                  layer("LSTM", units=2), x=x)
    return files.cases


def functional_step_attention(source, steps):
    """The reference's primitive layers, as heed's."""
    return (layer("Permute", inputs=[source], dims=(2, 1)),
            layer("Dense", units=steps, activation="softmax"),
            layer("Permute", "attention_vec", dims=(2, 1)),
            layer("Multiply", "attention_mul", [source, "attention_vec"]))


def functional_luong_attention(source, hidden, units):
    return (layer("Dense", "attention_score_vec", [source], units=hidden, use_bias=False),
            layer("LastStep", "last_hidden_state", [source]),
            layer("Dot", "attention_score", ["last_hidden_state", "attention_score_vec"],
                  axes=(1, 2)),
            layer("Activation", "attention_weight", activation="softmax"),
            layer("Dot", "context_vector", [source, "attention_weight"], axes=(1, 1)),
            layer("Concatenate", "attention_output", ["context_vector", "last_hidden_state"]),
            layer("Dense", "attention_vector", units=units, use_bias=False, activation="tanh"))


def attention():
    files = Layers(6000)
    for name, batch, shape, config in [
        ("plain", 3, (4, 5), {}), ("no_bias", 2, (4, 7), {"use_bias": False}),
        ("one_of_everything", 1, (1, 1), {}), ("one_sample", 1, (6, 7), {}),
        ("one_step", 3, (1, 5), {}), ("one_unit", 2, (7, 1), {}), ("wide", 3, (10, 33), {}),
    ]:
        files.add("step_" + name, shape, layer("StepAttention", "attention", **config), x=batch)
    for name, batch, shape, config in [
        ("plain", 3, (4, 5), {"units": 7}), ("default_units", 2, (3, 1), {}),
        ("one_of_everything", [[[0.5]]], (1, 1), {"units": 1}),
        ("one_sample", 1, (6, 7), {"units": 3}),
        ("one_step", 3, (1, 5), {"units": 5}), ("wide", 3, (10, 33), {"units": 9}),
        ("long", 2, (40, 3), {"units": 2}),
    ]:
        files.add("luong_" + name, shape, layer("LuongAttention", "attention", **config), x=batch)
    files.add("step_large_values", (5, 3), layer("StepAttention", "attention"),
              x=np.random.default_rng(6).normal(0, 10, (2, 5, 3)))
    files.add("luong_large_values", (5, 3), layer("LuongAttention", "attention", units=4),
              x=np.random.default_rng(7).normal(0, 3, (2, 5, 3)))

    recurrent = layer("LSTM", "lstm", units=5, return_sequences=True)
    end = (layer("Flatten"), layer("Dense", "output", units=1, activation="sigmoid"))
    files.add("index2_block", (6, 2), recurrent, layer("StepAttention", "attention"), *end, x=3)
    files.add("index2_functional", (6, 2), recurrent, *functional_step_attention("lstm", 6), *end,
              x=3)
    files.add("index2_attention_before_lstm", (6, 2), layer("StepAttention", "attention"),
              layer("LSTM", units=5), layer("Dense", units=1, activation="sigmoid"), x=3)
    files.add("luong_block", (6, 1), recurrent, layer("LuongAttention", "attention", units=3),
              layer("Dense", units=1), x=3)
    files.add("luong_functional", (6, 1), recurrent, *functional_luong_attention("lstm", 5, 3),
              layer("Dense", units=1), x=3)
    return files.cases


# Masks and states --------------------------------------------------------------------------------


def last_that_counts(x, mask):
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    return tf.gather(x, last, batch_dims=1)


def masked_step_attention(x, mask, w):
    """Steps that do not count are zeros in x, and have scores of −∞."""
    counts = tf.constant(mask[:, :, None], bool)
    x = tf.where(counts, x, tf.zeros_like(x))
    scores = tf.einsum("nsu,st->ntu", x, w["kernel"])
    if "bias" in w:
        scores += w["bias"][:, None]
    a = tf.nn.softmax(tf.where(counts, scores, np.float64(-np.inf)), axis=1)
    return x * a, {"weights": a}


def masked_luong_attention(x, mask, w):
    h = last_that_counts(x, mask)
    scores = tf.einsum("ntu,uv,nv->nt", x, w["score_kernel"], h)
    a = tf.nn.softmax(tf.where(mask.astype(bool), scores, np.float64(-np.inf)))
    context = tf.einsum("nt,ntu->nu", a, x)
    y = tf.tanh(tf.concat([context, h], axis=1) @ w["vector_kernel"])
    return y, {"weights": a, "context": context}


def masked_case(entry, x, mask, with_state, seed, training=False):
    """One layer with a mask and states, both of which may be missing; x by its shape. The gradient of a statistic
    is by how much the batch's differs from it."""
    rng = np.random.default_rng(seed)
    type, config = entry["type"], entry["config"]
    draw = lambda *shape: single(rng.normal(size=shape))  # noqa: E731
    inputs = [tf.constant(draw(*x))]
    samples, steps, features = x
    inner = {}
    if type == "LastStep":
        weights = {}
        run = lambda: [last_that_counts(inputs[0], mask)]  # noqa: E731
    elif type in BLOCKS:
        shapes = ({"kernel": (steps, steps), "bias": (steps,)} if type == "StepAttention" else
                  {"score_kernel": (features,) * 2, "vector_kernel": (2 * features, config["units"])})
        if not config.get("use_bias", True):
            del shapes["bias"]
        weights = {name: keras.Variable(draw_weight(rng, shape)) for name, shape in shapes.items()}
        block = masked_step_attention if type == "StepAttention" else masked_luong_attention

        def run():
            y, published = block(inputs[0], mask, {name: v.value for name, v in weights.items()})
            inner.update(published)
            return [y]
    else:
        made = keras_layer(type, config)
        made.build(x)
        weights = dict(zip(slots(type, config), made.weights))
        for name, variable in weights.items():
            variable.assign(draw_weight(rng, variable.shape, name))
        if with_state:
            inputs += [tf.constant(draw(samples, config["units"]))
                       for _ in range(2 if type == "LSTM" else 1)]

        arguments = {"initial_state": inputs[1:] or None} if type != "BatchNormalization" else {"training": training}

        def run():
            y = made(inputs[0], mask=None if mask is None else tf.constant(mask, bool), **arguments)
            return y if config.get("return_state") else [y]

    variables = [variable.value for variable in weights.values()]
    before = {name: v.numpy() for name, v in weights.items()}
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = run()
        r = [draw(*y.shape) for y in outputs]
        total = sum(tf.reduce_sum(y * r_i) for y, r_i in zip(outputs, r))
    d = tape.gradient(total, inputs + variables, unconnected_gradients="zero")
    tensors = {} if mask is None else {"mask": mask}
    for name, values in [("x", inputs), ("y", outputs), ("r", r), ("dx", d)]:
        tensors |= {f"{name}/{i}": v for i, v in enumerate(values[:len(inputs)] if d is values
                                                           else values)}
    tensors |= {f"w/{name}": before[name] for name in weights}
    tensors |= {f"dw/{name}": d_w if v.trainable else (v.numpy() - before[name]) / (1 - made.momentum)
                for (name, v), d_w in zip(weights.items(), d[len(inputs):])}
    tensors |= {f"inner/{name}": v for name, v in inner.items()}
    return {"layer": {"type": type, "config": config}, "training": training}, tensors


# Holes, steps that are missing at the beginning and at the end, all steps, one, none.
HOLES = np.array([[0, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0],
                  [0, 0, 0, 0, 0]], np.float64)


def masks():
    cases = {}

    def add(name, type, x, mask, with_state=False, training=False, **config):
        cases[name] = masked_case({"type": type, "config": config}, x, mask, with_state,
                                  3600 + len(cases), training)

    batch = (len(HOLES), 5, 2)
    for name, type, own in [("lstm", "LSTM", {}), ("gru", "GRU", {}),
                            ("gru_reset_before", "GRU", {"reset_after": False}),
                            ("simple_rnn", "SimpleRNN", {})]:
        own = own | {"units": 2}
        for back, sequences, zero in itertools.product([False, True], repeat=3):
            add(f"{name}_{'backwards' if back else 'forwards'}_{'sequences' if sequences else 'last'}"
                + ("_zero" if zero else ""), type, batch, HOLES, True, return_state=True,
                go_backwards=back, return_sequences=sequences, zero_output_for_mask=zero, **own)
        for sequences in [False, True]:
            end = "_sequences" if sequences else "_last"
            add(name + "_without_mask" + end, type, (3, 4, 2), None, True, return_state=True,
                return_sequences=sequences, go_backwards=sequences, **own)
            add(name + "_without_state" + end, type, batch, HOLES, return_sequences=sequences, **own)
        add(name + "_no_bias", type, batch, HOLES, True, use_bias=False, return_sequences=True, **own)
        add(name + "_state_without_return", type, batch, HOLES, True, **own)
        add(name + "_return_without_state", type, batch, HOLES, return_state=True, **own)
        functions = {"activation": "softsign"}
        if type != "SimpleRNN":
            functions["recurrent_activation"] = "hard_sigmoid"
        add(name + "_functions", type, batch, HOLES, True, return_sequences=True, **functions, **own)
        one = own | {"units": 1, "return_state": True}
        for counts in [1, 0]:
            for sequences in [False, True]:
                end = ("" if counts else "_masked") + ("_sequences" if sequences else "_last")
                add(name + "_one_of_everything" + end, type, (1, 1, 1), np.full((1, 1), counts, float),
                    True, return_sequences=sequences, **one)
        add(name + "_one_sample", type, (1, 6, 3), np.array([[0, 1, 1, 0, 1, 0]], float), True,
            return_sequences=True, return_state=True, **own)
        add(name + "_one_step", type, (4, 1, 2), np.array([[1], [0], [1], [0]], float), True,
            return_state=True, **own)

    some, batch = HOLES[:5], (5, 5, 3)
    add("last_step", "LastStep", batch, some)
    add("last_step_one", "LastStep", (1, 1, 1), np.ones((1, 1)))
    for bias in [True, False]:
        add("step" + ("" if bias else "_no_bias"), "StepAttention", batch, some, use_bias=bias)
    add("step_wide", "StepAttention", (5, 5, 9), some)
    add("step_one", "StepAttention", (1, 1, 1), np.ones((1, 1)))
    add("luong", "LuongAttention", batch, some, units=2)
    add("luong_wide", "LuongAttention", (5, 5, 9), some, units=3)
    add("luong_one", "LuongAttention", (1, 1, 1), np.ones((1, 1)), units=1)
    add("luong_one_sample", "LuongAttention", (1, 6, 3), np.array([[0, 1, 1, 0, 1, 0]], float), units=2)

    batch = (len(HOLES), 5, 3)
    for name, mask in [("", HOLES), ("_without_mask", None)]:
        for scale, center in itertools.product([True, False], repeat=2):
            add(f"batch_normalization{'' if scale else '_no_scale'}{'' if center else '_no_center'}{name}",
                "BatchNormalization", batch, mask, training=True, scale=scale, center=center, momentum=0.5)
        add("batch_normalization_inference" + name, "BatchNormalization", batch, mask)
        add("batch_normalization_one_sample" + name, "BatchNormalization", (1, 5, 3),
            None if mask is None else mask[1:2], training=True, momentum=0.75, epsilon=0.25)
    return cases


# Losses and metrics ------------------------------------------------------------------------------


def loss_case(type, y, p, **config):
    def evaluate(dtype):
        loss = getattr(keras.losses, type)(dtype=dtype, **config)
        given = tf.constant(p, dtype)
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = loss(tf.constant(y, dtype), given)
        return {"value": np.reshape(value, 1), "dp": tape.gradient(value, given).numpy()}

    tensors = {"y": np.asarray(y, np.float64), "p": np.asarray(p, np.float64)}
    exact, rounded = evaluate("float64"), evaluate("float32")
    off = [np.abs(rounded[name] - exact[name]).max() > 1e-6 * np.abs(exact[name]).max()
           for name in exact]
    if any(off):
        tensors |= {"float32/" + name: value for name, value in rounded.items()}
    return {"loss": type, "config": config}, tensors | exact


def losses():
    rng = np.random.default_rng(7000)
    cases = {}
    binary = lambda *shape: rng.integers(0, 2, shape)  # noqa: E731
    uniform = lambda *shape: single(rng.uniform(0.01, 0.99, shape))  # noqa: E731
    normal = lambda *shape: single(rng.normal(0, 3, shape))  # noqa: E731
    one_hot = lambda classes, *shape: np.eye(classes)[rng.integers(0, classes, shape)]  # noqa: E731
    shares = lambda *shape: rng.dirichlet(np.ones(shape[-1]), shape[:-1])  # noqa: E731

    for name, shape in [("one", (1, 1)), ("column", (33, 1)), ("rank_2", (5, 7)),
                        ("rank_3", (2, 3, 5))]:
        classes = shape[-1]
        for smoothing in [0.0, 0.1]:
            case = f"{name}_smoothed" if smoothing else name
            for logits, p in [(False, uniform(*shape)), (True, normal(*shape))]:
                kind = "logits" if logits else "probabilities"
                config = {"from_logits": logits, "label_smoothing": smoothing}
                cases[f"binary_{kind}_{case}"] = loss_case(
                    "BinaryCrossentropy", binary(*shape), p, **config)
                cases[f"categorical_{kind}_{case}"] = loss_case(
                    "CategoricalCrossentropy", one_hot(classes, *shape[:-1]), p, **config)
        cases[f"squared_{name}"] = loss_case("MeanSquaredError", normal(*shape), normal(*shape))
        cases[f"absolute_{name}"] = loss_case("MeanAbsoluteError", normal(*shape), normal(*shape))
    cases["binary_probabilities_soft"] = loss_case(
        "BinaryCrossentropy", uniform(5, 3), uniform(5, 3))
    cases["binary_logits_soft"] = loss_case(
        "BinaryCrossentropy", uniform(5, 3), normal(5, 3), from_logits=True)
    cases["categorical_probabilities_soft"] = loss_case(
        "CategoricalCrossentropy", shares(5, 3), shares(5, 3))
    cases["categorical_logits_soft"] = loss_case(
        "CategoricalCrossentropy", shares(5, 3), normal(5, 3), from_logits=True)

    certain = [0, 1, 1e-12, 1 - 1e-12, 1e-9, 1 - 1e-9, 1e-6, 1 - 1e-6, 0.5, 0.25]
    for smoothing in [0.0, 0.1]:
        end = "_smoothed" if smoothing else ""
        config = {"label_smoothing": smoothing}
        cases["binary_probabilities_saturated" + end] = loss_case(
            "BinaryCrossentropy", np.array([[0] * 10, [1] * 10]), np.array([certain] * 2),
            **config)
        cases["categorical_probabilities_saturated" + end] = loss_case(
            "CategoricalCrossentropy", np.eye(3)[[0, 1, 2, 0, 1]],
            np.array([[1, 0, 0], [1, 0, 0], [1e-9, 1, 1e-5], [0.5, 0.5, 0], [0, 1, 1e-12]]),
            **config)
        logits = single([-1e4, -100, -20, -1e-4, 0, 1e-4, 20, 100, 1e4, 1])
        cases["binary_logits_saturated" + end] = loss_case(
            "BinaryCrossentropy", np.array([[0] * 10, [1] * 10]), np.array([logits] * 2),
            from_logits=True, **config)
        cases["categorical_logits_saturated" + end] = loss_case(
            "CategoricalCrossentropy", np.eye(3)[[0, 1, 2, 0, 1]],
            single([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4], [-100, 0, 100], [20, 0, -20]]),
            from_logits=True, **config)
    first, rng = rng, np.random.default_rng(7100)
    sparse = "SparseCategoricalCrossentropy"
    for name, shape in [("one", (1, 1)), ("rank_2", (5, 7)), ("rank_3", (2, 3, 5))]:
        labels = rng.integers(0, shape[-1], shape[:-1])
        cases["sparse_probabilities_" + name] = loss_case(sparse, labels, uniform(*shape))
        cases["sparse_logits_" + name] = loss_case(sparse, labels, normal(*shape), from_logits=True)
    cases["sparse_probabilities_saturated"] = loss_case(
        sparse, np.array([0, 1, 2, 0, 1]),
        np.array([[1, 0, 0], [1, 0, 0], [1e-9, 1, 1e-5], [0.5, 0.5, 0], [0, 1, 1e-12]]))
    cases["sparse_logits_saturated"] = loss_case(
        sparse, np.array([0, 1, 2, 0, 1]),
        single([[1e4, -1e4, 0], [1e4, -1e4, 0], [1e4, 1e4, 1e4], [-100, 0, 100], [20, 0, -20]]), from_logits=True)
    rng = first
    y = normal(4, 3)
    cases["squared_zeros"] = loss_case("MeanSquaredError", y, y)
    cases["absolute_zeros"] = loss_case("MeanAbsoluteError", y, y)
    p = np.where(binary(4, 3), y, normal(4, 3))
    cases["squared_some_zeros"] = loss_case("MeanSquaredError", y, p)
    cases["absolute_some_zeros"] = loss_case("MeanAbsoluteError", y, p)
    return cases


def metrics():
    rng = np.random.default_rng(8000)
    cases = {}

    def add(name, type, y, p, **config):
        exact = "TopK" not in type  # which TensorFlow has in float32 only
        metric = getattr(keras.metrics, type)(dtype="float64" if exact else "float32", **config)
        y, p = np.asarray(y, np.float64), single(p)
        metric.update_state(y, p if exact else np.float32(p))
        value = np.float64(metric.result())
        if not exact:
            value = np.round(value * y.size) / y.size
        cases[name] = ({"metric": type, "config": config}, {"y": y, "p": p, "value": np.reshape(value, 1)})

    for name, shape in [("one", (1, 1)), ("column", (33, 1)), ("rank_2", (7, 5)),
                        ("rank_3", (2, 3, 5))]:
        y, p = rng.integers(0, 2, shape), rng.uniform(size=shape)
        add("binary_accuracy_" + name, "BinaryAccuracy", y, p)
        add("binary_accuracy_threshold_" + name, "BinaryAccuracy", y, p, threshold=0.25)
        y = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
        add("categorical_accuracy_" + name, "CategoricalAccuracy", y, p)
        y, p = single(rng.normal(size=shape)), rng.normal(size=shape)
        add("squared_" + name, "MeanSquaredError", y, p)
        add("absolute_" + name, "MeanAbsoluteError", y, p)
    rng = np.random.default_rng(8100)
    for name, shape in [("rank_2", (17, 7)), ("rank_3", (2, 9, 5))]:
        y, p = rng.integers(0, shape[-1], shape[:-1]), rng.uniform(size=shape)
        add("sparse_accuracy_" + name, "SparseCategoricalAccuracy", y, p)
        add("sparse_top_2_" + name, "SparseTopKCategoricalAccuracy", y, p, k=2)
        add("sparse_top_k_" + name, "SparseTopKCategoricalAccuracy", y, p)
    add("sparse_accuracy_ties", "SparseCategoricalAccuracy", [0, 1, 2, 2],
        [[0.5, 0.5, 0], [0.5, 0.5, 0], [0.2, 0.4, 0.4], [0, 0, 0.1]])
    add("binary_accuracy_ties", "BinaryAccuracy", [[0], [0], [0], [1]], [[0.5], [0.5], [0], [1]])
    add("categorical_accuracy_ties", "CategoricalAccuracy", np.eye(3)[[0, 1, 2, 2]],
        [[0.5, 0.5, 0], [0.5, 0.5, 0], [0.2, 0.4, 0.4], [0, 0, 0.1]])
    return cases


# Optimizers --------------------------------------------------------------------------------------


def exact_cast(x, dtype, cast=ops.cast):
    return cast(np.float64(x) if isinstance(x, float) else x, dtype)


def make_optimizer(type, config):
    """Keras's optimizer with hyperparameters and constants in float64: on TensorFlow `ops.cast(0.9, "float64")` takes
    a Python float by way of float32, and keeps a NumPy float as it is."""
    ops.cast = exact_cast
    optimizer = getattr(keras.optimizers, type)(**config)
    for name, value in optimizer.get_config().items():
        if isinstance(value, float) and name != "learning_rate":  # which is a variable, in float64
            setattr(optimizer, name, np.float64(value))
    return optimizer


def optimizers():
    cases = {}
    net = network((5,), layer("Dense", "dense", units=7))
    size, steps = 5 * 7 + 7, 10
    for name, type, config in [
        ("sgd", "SGD", {}),
        ("sgd_rate", "SGD", {"learning_rate": 0.3}),
        ("sgd_momentum", "SGD", {"momentum": 0.9}),
        ("sgd_nesterov", "SGD", {"momentum": 0.9, "nesterov": True}),
        ("sgd_nesterov_without_momentum", "SGD", {"nesterov": True}),
        ("adam", "Adam", {}),
        ("adam_options", "Adam",
         {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
        ("rmsprop", "RMSprop", {}),
        ("rmsprop_options", "RMSprop", {"learning_rate": 0.05, "rho": 0.7, "epsilon": 1e-3}),
        ("rmsprop_momentum", "RMSprop", {"momentum": 0.9}),
        ("rmsprop_centered", "RMSprop", {"centered": True}),
        ("rmsprop_centered_momentum", "RMSprop", {"centered": True, "momentum": 0.5}),
        *[(type.lower(), type, {}) for type in ["AdamW", "Adamax", "Nadam", "Lion", "Adagrad", "Adadelta"]],
        *[(type.lower() + "_options", type,
           {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.25} | more)
          for type, more in [("AdamW", {"epsilon": 1e-3}), ("Adamax", {"epsilon": 1e-3}),
                             ("Nadam", {"epsilon": 1e-3}), ("Lion", {})]],
        ("adagrad_options", "Adagrad", {"learning_rate": 0.05, "initial_accumulator_value": 0.5, "epsilon": 1e-2,
                                        "weight_decay": 0.25}),
        ("adadelta_options", "Adadelta", {"learning_rate": 0.5, "rho": 0.7, "epsilon": 1e-2, "weight_decay": 0.25}),
        *[(type.lower() + "_weight_decay", type, {"weight_decay": 0.5}) for type in ["SGD", "Adam", "RMSprop"]],
        *[(f"{type.lower()}_{clip}", type, {clip: bound} | more)
          for type, more in [("SGD", {"momentum": 0.9}), ("Adam", {}), ("RMSprop", {})]
          for clip, bound in [("clipvalue", 0.5), ("clipnorm", 2.0), ("global_clipnorm", 3.0)]],
    ]:
        rng = np.random.default_rng(9000)
        w = single(rng.normal(size=size))
        # Some gradients are beyond each bound and some within, some are small, some are zero.
        g = rng.normal(size=(steps, size)) * rng.choice([0.1, 0.3, 1, 3], (steps, 1))
        g *= rng.choice([0, 1e-6, 1, 1, 1, 1, 1], size)
        g = single(g)
        variables = [keras.Variable(w[:35].reshape(5, 7)), keras.Variable(w[35:])]
        optimizer = make_optimizer(type, config)
        result = []
        for step in g:
            optimizer.apply([tf.constant(step[:35].reshape(5, 7)), tf.constant(step[35:])],
                            variables)
            result.append(np.concatenate([v.numpy().ravel() for v in variables]))
        cases[name] = ({"model": net, "optimizer": type, "config": config},
                       {"w": w, "g": g, "result": np.array(result)})
    return cases


# Training ----------------------------------------------------------------------------------------


def training_case(net, loss, x, y, batch_size, runs):
    """Trains from one start for each of the runs; batches go through the samples in their order,
    the last of an epoch is what is left."""
    keras.utils.set_random_seed(1)
    start = {name: single(v.numpy()) for name, v in build(net)[1].items()}
    tensors = {"x": x, "y": y} | {"w/" + name: value for name, value in start.items()}
    for run, (steps, optimizer, config) in runs.items():
        model, weights, _ = build(net)
        for name, variable in weights.items():
            variable.assign(start[name])
        model.compile(loss=getattr(keras.losses, loss)(),
                      optimizer=make_optimizer(optimizer, config), jit_compile=False)
        firsts = itertools.cycle(range(0, len(x), batch_size))
        history = [model.train_on_batch(x[first:first + batch_size], y[first:first + batch_size])
                   for first in itertools.islice(firsts, steps)]
        tensors[run + "/loss"] = np.array(history, np.float64)
        tensors |= {f"{run}/final/{name}": v.numpy() for name, v in weights.items()}
    description = {"model": net, "loss": loss, "batch_size": batch_size,
                   "runs": {run: {"steps": steps, "optimizer": optimizer, "config": config}
                            for run, (steps, optimizer, config) in runs.items()}}
    return description, tensors


def training_index2():
    samples, steps, features = 256, 10, 2
    rng = np.random.default_rng(10000)
    x = rng.normal(0, 10, (samples, steps, features))
    y = rng.integers(0, 2, (samples, 1))
    x[:, 2, :] = y
    net = network((steps, features), layer("LSTM", "lstm", units=32, return_sequences=True),
                  layer("StepAttention", "attention"), layer("Flatten"),
                  layer("Dense", "output", units=1, activation="sigmoid"))
    runs = {"adam": (200, "Adam", {}),
            "nesterov": (50, "SGD", {"momentum": 0.9, "nesterov": True}),
            "rmsprop": (50, "RMSprop", {})}
    return {"index2": training_case(net, "BinaryCrossentropy", single(x), y.astype(np.float64), 64,
                                    runs)}


def training_dummy_regression():
    samples, steps = 100, 10
    rng = np.random.default_rng(11000)
    x, y = single(rng.uniform(size=(samples, steps, 1))), single(rng.uniform(size=(samples, 1)))
    def net(hidden, units):
        return network((steps, 1), layer("LSTM", "lstm", units=hidden, return_sequences=True),
                       layer("LuongAttention", "attention", units=units),
                       layer("Dense", "output", units=1))

    # The other optimizers on fewer units, for the size of the file.
    return {"dummy_regression": training_case(net(64, 32), "MeanAbsoluteError", x, y, 32,
                                              {"adam": (200, "Adam", {})}),
            "fewer_units": training_case(net(16, 8), "MeanAbsoluteError", x, y, 32,
                                         {"nesterov": (50, "SGD", {"momentum": 0.9, "nesterov": True}),
                                          "rmsprop": (50, "RMSprop", {})})}


def fit_case(net, seed, data, validation=None, *, loss, epochs=3, batch_size=4, class_weight=None, **options):
    """Whole trainings, with the logs of each epoch, and an evaluation after them. Data are x, y and sample_weight,
    each by the names of inputs and outputs."""
    rng = np.random.default_rng(seed)
    start = {name: draw_weight(rng, v.shape, name) for name, v in build(net)[1].items()}
    tensors = {"w/" + name: value for name, value in start.items()}
    for role, given in [("training", data), ("validation", validation or {})]:
        tensors |= {f"{role}/{what}/{name}": values for what, columns in given.items()
                    for name, values in columns.items()}

    def arguments(given):
        return {what: columns if len(columns) > 1 else next(iter(columns.values()))
                for what, columns in given.items()}

    optimizers = {"sgd": ("SGD", {"learning_rate": 0.25}), "adam": ("Adam", {"learning_rate": 0.0625})}
    for run, (optimizer, config) in optimizers.items():
        model, weights, _ = build(net)
        for name, variable in weights.items():
            variable.assign(start[name])
        # Compiled, Keras does not know the size of a batch where it logs the losses of single outputs, and gives
        # a smaller last batch the weight of a whole one; run eagerly it weighs them, as it does the total.
        model.compile(loss=loss, optimizer=make_optimizer(optimizer, config), run_eagerly=True, **options)
        held = None
        if validation:
            of = arguments(validation)
            held = tuple(of[what] for what in ["x", "y", "sample_weight"] if what in of)
        history = model.fit(**arguments(data), epochs=epochs, batch_size=batch_size, shuffle=False, verbose=0,
                            validation_data=held, class_weight=class_weight)
        tensors |= {f"{run}/log/{name}": np.array(values, np.float64) for name, values in history.history.items()}
        logs = model.evaluate(**arguments(data), batch_size=batch_size, verbose=0, return_dict=True)
        tensors |= {f"{run}/evaluated/{name}": np.array([value], np.float64) for name, value in logs.items()}
        tensors |= {f"{run}/final/{name}": v.numpy() for name, v in weights.items()}
    description = {"model": net, "loss": loss, "epochs": epochs, "batch_size": batch_size, "options": options,
                   "class_weight": [class_weight[i] for i in range(len(class_weight))] if class_weight else [],
                   "runs": {run: {"optimizer": optimizer, "config": config}
                            for run, (optimizer, config) in optimizers.items()}}
    return description, tensors


def training_fit():
    """Several inputs and outputs, masks, and weights of samples, of steps and of classes."""
    rng = np.random.default_rng(12000)
    cases = {}

    def normal(*shape):
        return single(rng.normal(size=shape))

    def weight(*shape):
        return single(rng.choice([0, 0.25, 1, 1.5, 3], shape))

    def one_hot(classes, *shape):
        return np.eye(classes)[rng.integers(0, classes, shape)]

    def inputs(**shapes):
        return [layer("InputLayer", name, inputs=[], shape=list(shape)) for name, shape in shapes.items()]

    def whole(layers, output):
        return {"format": "heed", "format_version": 1, "name": "golden", "layers": layers, "output": output}

    # Two inputs and two outputs.
    net = whole([*inputs(left=(4,), right=(3,)),
                 layer("Concatenate", "both", ["left", "right"]),
                 layer("Dense", "hidden", ["both"], units=5, activation="tanh"),
                 layer("Dense", "price", ["hidden"], units=1),
                 layer("Dense", "kind", ["hidden"], units=3, activation="softmax")], ["price", "kind"])

    def samples(count, by=None):
        data = {"x": {"left": normal(count, 4), "right": normal(count, 3)},
                "y": {"price": normal(count, 1), "kind": one_hot(3, count)}}
        if by:
            data["sample_weight"] = {"price": weight(count), "kind": weight(count)}
        return data

    loss = {"price": "mse", "kind": "categorical_crossentropy"}
    metrics = {"price": ["mae"], "kind": ["accuracy"]}
    weighted = {"price": ["mae", "mse"], "kind": ["accuracy"]}
    cases["outputs"] = fit_case(net, 1, samples(11), samples(6), loss=loss, metrics=metrics)
    cases["outputs_weighed"] = fit_case(
        net, 2, samples(11, by="sample"), samples(6, by="sample"), loss=loss, metrics=metrics,
        weighted_metrics=weighted, loss_weights={"price": 0.25, "kind": 2.0})
    cases["outputs_weighed_metrics_without_weights"] = fit_case(
        net, 3, samples(9), loss=loss, weighted_metrics=weighted)

    # Samples of unequal length.
    def sequences(count, by=None, units=2):
        x = normal(count, 5, 2)
        lengths = rng.integers(1, 6, count)
        lengths[:2] = 5  # in two batches of validation all steps count, in another not
        for n, length in enumerate(lengths):
            x[n, length:] = 0
        y = one_hot(3, count, 5) if units == 3 else normal(count, 5, units)
        data = {"x": {"x": x}, "y": {"y": y}}
        if by:
            data["sample_weight"] = {"y": weight(count, 5 if by == "step" else 1)}
        return data

    def recurrent(*layers):
        return network((5, 2), layer("Masking"), layer("LSTM", "lstm", units=4, return_sequences=True), *layers)

    regression, classes = [recurrent(layer("Dense", "y", units=2)),
                           recurrent(layer("Dense", "y", units=3, activation="softmax"))]
    for by in [None, "step", "sample"]:
        options = {"metrics": ["mae"], "weighted_metrics": ["mse"]}
        cases[f"masked_by_{by}"] = fit_case(
            regression, 4, sequences(10, by), sequences(6, by), loss="mse", **options)
        options = {"metrics": ["accuracy"], "weighted_metrics": ["categorical_crossentropy"]}
        cases[f"masked_classes_by_{by}"] = fit_case(
            classes, 5, sequences(10, by, 3), sequences(6, by, 3), loss="categorical_crossentropy", **options)

    # Steps have weights, and all of them count.
    net = network((5, 2), layer("LSTM", "lstm", units=3, return_sequences=True), layer("Dense", "y", units=2))
    data = sequences(10, "step")
    cases["by_step"] = fit_case(net, 6, data, loss="mse", metrics=["mae"], weighted_metrics=["mae"])

    # Classes have weights.
    options = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
    net = network((4,), layer("Dense", "y", units=3, activation="softmax"))
    made = {role: {"x": {"x": normal(count, 4)}, "y": {"y": one_hot(3, count)}}
            for role, count in [("training", 13), ("validation", 5)]}
    cases["classes"] = fit_case(net, 7, made["training"], made["validation"], loss="categorical_crossentropy",
                                class_weight={0: 0.5, 1: 3.0, 2: 1.25}, **options)
    net = network((4,), layer("Dense", "y", units=1, activation="sigmoid"))
    made = {"x": {"x": normal(13, 4)}, "y": {"y": np.float64(rng.integers(0, 2, (13, 1)))}}
    cases["two_classes"] = fit_case(net, 8, made, loss="binary_crossentropy",
                                    class_weight={0: 0.25, 1: 2.0}, **options)

    # Targets are class numbers.
    def labels(data):
        return data | {"y": {"y": np.argmax(data["y"]["y"], -1).astype(np.float64)}}

    options = {"metrics": ["accuracy"], "weighted_metrics": ["sparse_categorical_crossentropy"]}
    for by in [None, "step", "sample"]:
        cases[f"masked_labels_by_{by}"] = fit_case(classes, 11, labels(sequences(10, by, 3)), labels(sequences(6, by, 3)),
                                                   loss="sparse_categorical_crossentropy", **options)
    net = network((4,), layer("Dense", "y", units=3, activation="softmax"))
    made = {role: labels({"x": {"x": normal(count, 4)}, "y": {"y": one_hot(3, count)}})
            for role, count in [("training", 13), ("validation", 5)]}
    cases["labels"] = fit_case(net, 12, made["training"], made["validation"], loss="sparse_categorical_crossentropy",
                               class_weight={0: 0.5, 1: 3.0, 2: 1.25}, metrics=["accuracy"])

    # Statistics move, with and without a mask.
    net = recurrent(layer("BatchNormalization", "bn", momentum=0.75), layer("Dense", "y", units=2))
    cases["masked_statistics"] = fit_case(net, 9, sequences(10, "step"), sequences(6), loss="mse", metrics=["mae"])
    net = network((4,), layer("BatchNormalization", "bn", momentum=0.5), layer("Dense", "y", units=2))
    made = {role: {"x": {"x": normal(count, 4)}, "y": {"y": normal(count, 2)}}
            for role, count in [("training", 13), ("validation", 5)]}
    cases["statistics"] = fit_case(net, 10, made["training"], made["validation"], loss="mse", metrics=["mae"])
    return cases


# Data --------------------------------------------------------------------------------------------


def pad_sequences():
    cases, rng = {}, np.random.default_rng(4100)
    lists = {"words": ([4, 0, 1, 7, 3], ()), "features": ([2, 5, 0, 1], (3,)), "frames": ([0, 3, 6], (2, 2)),
             "one": ([1], ()), "without_steps": ([0, 0], ())}
    sides = ["pre", "post"]
    given = [{"maxlen": most, "padding": padding, "truncating": truncating, "value": -0.5}
             for most, padding, truncating in itertools.product([None, 1, 4, 9], sides, sides)]
    given += [{}, {"maxlen": 3}, {"padding": "post"}, {"truncating": "post", "maxlen": 2}]
    for name, (steps, shape) in lists.items():
        sequences = [single(rng.normal(size=(count, *shape))) for count in steps]
        for number, options in enumerate(given):
            cases[f"{name}_{number}"] = options, {
                "values": np.concatenate(sequences), "steps": np.array(steps, np.float64),
                "y": keras.utils.pad_sequences(sequences, dtype="float64", **options)}
    return cases


# Files -------------------------------------------------------------------------------------------

FAMILIES = [activations, convolution, dense, functions, lstm, gru, simple_rnn, batch_normalization, wrappers, masking,
            shaping, merging, elementwise, attention, masks, losses, metrics, optimizers, pad_sequences,
            training_index2, training_dummy_regression, training_fit]


def compact(values):
    values = np.ascontiguousarray(values)
    narrow = values.astype(np.float32)
    return narrow if np.array_equal(narrow, values, equal_nan=True) else values


def main():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    total = 0
    chosen = sys.argv[1:] or [family.__name__ for family in FAMILIES]
    for family in FAMILIES:
        if family.__name__ not in chosen:
            continue
        cases = family()
        tensors = {f"{case}/{name}": compact(values) for case, (_, entries) in cases.items()
                   for name, values in entries.items()}
        for name, values in tensors.items():
            assert np.isfinite(values).all(), name
        description = {
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
            "cases": {case: entry for case, (entry, _) in cases.items()},
        }
        # One key alone: safetensors writes several in an order that changes from run to run.
        metadata = {"golden": json.dumps(description, separators=(",", ":"))}
        path = FOLDER / f"{family.__name__}.safetensors"
        size = path.write_bytes(save(tensors, metadata))
        assert size < LARGEST_FILE, path
        total += size
        print(f"{path.name:36} {len(cases):4} cases {size:8,} bytes")
    assert total < LARGEST_SUM, total
    print(f"{total:,} bytes in all")


if __name__ == "__main__":
    main()
