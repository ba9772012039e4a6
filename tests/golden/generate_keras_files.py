"""Writes keras/files_*: one small model in each kind of file that a version of Keras writes, and what it predicts.

    python tests/golden/generate_keras_files.py nested masked        # Keras 3.15.1, h5py 3.14.0
    python tests/golden/generate_keras_files.py nested masked cudnn                # tensorflow-cpu 2.12.0, 2.13.1, 2.15.0

`files_2.13_nested.keras` is what Keras 2.13 writes. Beside it, `files_2.13_nested.golden.h5` has samples x0, x1, … and
what the model predicts for them, y0. Weights are drawn anew, so that no bias is 0. Needs no network.
"""

import importlib.metadata
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

keras = tf.keras
kl = keras.layers
VERSION = ".".join(importlib.metadata.version("keras").split(".")[:2])
FOLDER = pathlib.Path(__file__).parent / "keras"

# What is kept of the files that each version writes: together they are all kinds.
KEPT = {
    "2.12": [".weights.h5", ".json"],
    "2.13": [".keras"],
    "2.15": [".keras", ".h5", ".json", "_weights.h5"],
    "3.15": [".keras", ".h5", ".json"],
}[VERSION]


def nested():
    """A functional model that is shared, with a layer that is frozen; a sequential one with another inside; names that occur
    in two models; two layers of a class with weights, which Keras before 2.14 numbers in another way."""
    i = keras.Input((3, 2), name="i")
    frozen = kl.Dense(2, name="same", trainable=False)(i)
    encoder = keras.Model(i, kl.LSTM(2, return_state=True, name="rnn")(frozen)[:2], name="encoder")
    a, b = keras.Input((3, 2), name="a"), keras.Input((3, 2), name="b")
    one, two = encoder(a), encoder(b)
    deep = keras.Sequential([kl.Dense(2, name="inner")], name="deep")
    head = keras.Sequential([kl.Dense(2, activation="tanh", name="same"), deep], name="head")
    return keras.Model([a, b], head(kl.Concatenate(name="both")([one[1], two[0]])))


def row():
    """Models in a row, of which none but the first says what it takes."""
    first = keras.Sequential([keras.Input((4, 2)), kl.LSTM(2, return_sequences=True, name="l")], name="first")
    return keras.Sequential([first, kl.LSTM(2, name="l2"), keras.Sequential([kl.Dense(2, name="d")], name="end")])


def masked():
    """A mask that is made inside one model and used outside of it, and inside another."""
    words = keras.Sequential([keras.Input((None,)), kl.Embedding(5, 2, mask_zero=True, name="e")], name="words")
    i = keras.Input((None, 2))
    rnn = keras.Model(i, kl.GRU(2, name="g")(i), name="rnn")
    ids = keras.Input((None,), name="ids")
    x = words(ids)
    return keras.Model(ids, kl.Concatenate()([rnn(x), kl.SimpleRNN(2, name="s")(x)]))


def fill(model, random):
    for layer in model.layers:
        layer.set_weights([random.normal(0, 0.7, w.shape).astype(w.dtype) for w in layer.get_weights()])


def write_golden(name, x, y):
    with h5py.File(FOLDER / f"files_{VERSION}_{name}.golden.h5", "w") as file:
        for key, values in (("x", x), ("y", y)):
            for i, value in enumerate(values if isinstance(values, list) else [values]):
                file[f"{key}{i}"] = np.asarray(value, np.float32)


def write(name, model, kept=KEPT):
    random = np.random.default_rng(len(name))
    x = [random.normal(0, 1, [3, *(length or 4 for length in tensor.shape[1:])]) for tensor in model.inputs or []]
    if name == "row":
        x = [random.normal(0, 1, (3, 4, 2))]
    if name == "masked":
        x = [np.array([[1, 2, 0, 0], [3, 0, 4, 1], [1, 1, 2, 0]], np.float32)]
    x = [value.astype(np.float32) for value in x]
    model(x if len(x) > 1 else x[0])  # Keras 2 makes the weights of some models now
    fill(model, random)
    write_golden(name, x, model.predict(x if len(x) > 1 else x[0], verbose=0))
    path = f"files_{VERSION}_{name}"
    for extension in kept:
        if extension == ".json":
            (FOLDER / f"{path}.json").write_text(model.to_json())
        elif extension.endswith("weights.h5"):
            model.save_weights(FOLDER / f"{path}{extension}")
        else:
            model.save(FOLDER / f"{path}{extension}")
        print(path + extension, (FOLDER / f"{path}{extension}").stat().st_size)


def write_cudnn():
    """Layers that only run on a graphics card. Keras reads their weights into others, which predict here."""
    v1 = tf.compat.v1.keras.layers
    inputs = keras.Input((4, 3))
    x = v1.CuDNNLSTM(2, return_sequences=True, name="lstm")(inputs)
    x = kl.Bidirectional(v1.CuDNNLSTM(3, return_sequences=True), name="both")(x)
    x = v1.CuDNNGRU(2, name="gru")(x)
    model = keras.Model(inputs, kl.Dense(1, name="d")(x))
    random = np.random.default_rng(7)
    fill(model, random)
    path = FOLDER / f"files_{VERSION}_cudnn.h5"
    model.save(path)
    x = kl.LSTM(2, return_sequences=True, name="lstm")(inputs)
    x = kl.Bidirectional(kl.LSTM(3, return_sequences=True), name="both")(x)
    x = kl.GRU(2, name="gru")(x)
    other = keras.Model(inputs, kl.Dense(1, name="d")(x))
    other.load_weights(path)
    x = random.normal(0, 1, (3, 4, 3)).astype(np.float32)
    write_golden("cudnn", x, other.predict(x, verbose=0))
    print(path.name, path.stat().st_size)


for kind in sys.argv[1:]:
    keras.backend.clear_session()
    if kind == "cudnn":
        write_cudnn()
    else:
        write(kind, globals()[kind](), KEPT if kind == "nested" else [".h5"])
