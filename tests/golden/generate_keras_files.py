"""Writes keras/files_*: one small model in each kind of file that a version of Keras writes, and what it predicts.

    python tests/golden/generate_keras_files.py nested row masked statistics  # Keras 3.15.1, tensorflow-cpu 2.21.0, h5py 3.14.0
    python tests/golden/generate_keras_files.py nested                    # tensorflow-cpu 2.12.0 and 2.13.1
    python tests/golden/generate_keras_files.py nested row masked statistics cudnn   # tensorflow-cpu 2.15.0
    python tests/golden/generate_keras_files.py packed                    # h5py 3.14.0, after the others

`files_2.13_nested.keras` is what Keras 2.13 writes. Beside it, `files_2.13_nested.golden.h5` has samples x0, x1, … and
what the model predicts for them, y0. Weights are drawn anew, so that no bias is 0. Needs no network.
"""

import importlib.metadata
import os
import pathlib
import shutil
import sys
import zipfile

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


def statistics():
    """A model inside whose weights train and do not, by turns: they come in another order than its layers."""
    inner = keras.Sequential([kl.BatchNormalization(name="n1"), kl.Conv1D(3, 2, padding="causal", name="c"),
                              kl.BatchNormalization(scale=False, name="n2"), kl.LeakyReLU(name="r")], name="inner")
    return keras.Sequential([keras.Input((4, 2)), inner, kl.GlobalAveragePooling1D(name="mean"), kl.Dense(2, name="d")])


def masked():
    """A mask that is made inside one model and used outside of it, and inside another."""
    words = keras.Sequential([keras.Input((None,)), kl.Embedding(5, 2, mask_zero=True, name="e")], name="words")
    i = keras.Input((None, 2))
    rnn = keras.Model(i, kl.GRU(2, name="g")(i), name="rnn")
    ids = keras.Input((None,), name="ids")
    x = words(ids)
    return keras.Model(ids, kl.Concatenate()([rnn(x), kl.SimpleRNN(2, name="s")(x)]))


def drawn(random, weight):
    values = random.normal(0, 0.7, weight.shape)
    return (abs(values) if (weight == 1).all() else values).astype(weight.dtype)  # a variance is not negative


def fill(model, random):
    for layer in model.layers:
        layer.set_weights([drawn(random, w) for w in layer.get_weights()])


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


def pack(source, target, version):
    """The same file with compressed datasets."""
    with h5py.File(source) as old, h5py.File(target, "w", libver=version) as new:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                owner = new.require_group(name)
            else:
                owner = new.create_dataset(name, data=item[...], compression="gzip", shuffle=True)
            owner.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)


def write_packed():
    """Files above in forms that Keras does not choose: datasets in chunks, compressed by h5py in all its ways, and an archive
    that is compressed. All datasets of h5py_chunks_*.h5 have the numbers of "plain"."""
    values = np.arange(35, dtype=np.float32).reshape(5, 7) - 9.5
    chunks = {"chunks": (2, 3)}
    for version in ("earliest", "latest"):
        path = FOLDER / f"h5py_chunks_{version}.h5"
        with h5py.File(path, "w", libver=version) as file:
            file["plain"] = values
            for name, options in {
                "chunked": chunks,
                "one": {"chunks": (5, 7)},
                "gzip": {"compression": "gzip", **chunks},
                "one_gzip": {"compression": "gzip", "chunks": (5, 7)},
                "shuffled": {"compression": "gzip", "shuffle": True, **chunks},
                "checksum": {"compression": "gzip", "shuffle": True, "fletcher32": True, **chunks},
                "lzf": {"compression": "lzf", **chunks},
                "grows": {"maxshape": (None, None), **chunks},
            }.items():
                file.create_dataset(name, data=values, **options)
            file.create_dataset("big_endian", data=values.astype(">f8"), compression="gzip", shuffle=True, **chunks)
            file.create_dataset("none", shape=(2, 2), dtype="f4", chunks=(1, 1))  # of which no chunk is written
            file.create_dataset("bomb", data=np.zeros(300000, np.float32), compression="gzip")
        print(path, path.stat().st_size)
    pack(FOLDER / "files_2.15_row.h5", FOLDER / "files_2.15_row_packed.h5", "earliest")
    corpus = FOLDER.parent.parent / "fuzz" / "corpus" / "keras"
    for version in ("earliest", "latest"):
        pack(corpus / "dense.h5", corpus / f"dense_packed_{version}.h5", version)
    shutil.copy(FOLDER / "files_2.15_nested.json", corpus / "nested.json")
    with zipfile.ZipFile(FOLDER / "files_2.13_nested.keras") as old:
        names = old.namelist()
        for path, kind in (("files_2.13_deflated.keras", zipfile.ZIP_DEFLATED), ("files_2.13_lzma.keras", zipfile.ZIP_LZMA)):
            with zipfile.ZipFile(FOLDER / path, "w", kind) as new:
                for name in names:
                    new.writestr(zipfile.ZipInfo(name), old.read(name), kind)
                new.comment = b"a comment"
    shutil.copy(FOLDER / "files_2.13_deflated.keras", corpus / "nested_deflated.keras")
    with zipfile.ZipFile(FOLDER / "files_bomb.keras", "w", zipfile.ZIP_DEFLATED) as new:
        for name in names:
            new.writestr(zipfile.ZipInfo(name), b" " * 300000, zipfile.ZIP_DEFLATED)


for kind in sys.argv[1:]:
    keras.backend.clear_session()
    if kind == "packed":
        write_packed()
    elif kind == "cudnn":
        write_cudnn()
    else:
        write(kind, globals()[kind](), KEPT if kind == "nested" else [".h5"])
