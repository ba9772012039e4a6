"""Compares heed with Keras on files that go both ways.

    python keras_roundtrip.py PROGRAM FOLDER [--models N] [--seed S] [--module keras|tf_keras] [--quick]

PROGRAM is keras_files, built from keras_files.cpp; FOLDER takes the files. The networks are

  - the two programs of the reference, trained: heed loads what Keras saved, as layers and as heed's blocks, and
    Keras loads what heed saves of either;
  - N drawn at random in Keras: heed loads them, and Keras loads what heed saved of them; of each third there are ids,
    masks, states, several inputs and outputs, layers that are shared or frozen;
  - two with layers of one's own, which either has the classes of;
  - N drawn at random in heed, with blocks, saved with an optimizer: Keras loads them and goes on training with it.

Files are .h5 and .keras in turn.

In float32 predictions and attention weights differ by at most 1e-6, relative to the largest above 1; in
float64, with the same weights, the values of every layer by at most 1e-12. Prints the largest difference of
each kind; ends with status 1 when one is too large. Another Keras is tried by PYTHONPATH, and `--quick`
leaves out float64 and most of the training.
"""

import argparse
import functools
import logging
import os
import pathlib
import random
import subprocess
import sys
import warnings

parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--models", type=int, default=12)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--quick", action="store_true", help="leave out training and float64")
parser.add_argument("--module", choices=["keras", "tf_keras"], default="keras")
options = parser.parse_args()

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
logging.getLogger("absl").setLevel(logging.ERROR)  # what Keras thinks of .h5
logging.getLogger("tensorflow").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message="You are using a softmax over axis")
warnings.filterwarnings("ignore", message="Layer .* does not support masking")
warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")  # heed saves no state of it

import numpy as np  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402

if options.module == "keras":
    import keras
else:
    import tf_keras as keras

kl = keras.layers
TOLERANCE, TOLERANCE_64 = 1e-6, 1e-12
MODULE_3 = keras.__version__.startswith("3.")
KERAS_3_0 = keras.__version__.startswith("3.0.")
JOINS_MASKS = MODULE_3 and int(keras.__version__.split(".")[1]) >= 10
largest = {}


def heed(*arguments):
    result = subprocess.run([options.program.resolve(), *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"keras_files {' '.join(map(str, arguments))}: {result.stderr}")
    return result.stdout


def copied(path, copy, batch):
    """Loads and saves. What an .h5 cannot say of masks goes into a .keras."""
    arguments = [str(options.program.resolve()), "copy", str(path), str(copy), str(batch)]
    result = subprocess.run(arguments, capture_output=True, text=True)
    if "the format .keras can represent it" in result.stderr and options.module == "keras":
        copy = copy.with_suffix(".keras")
        arguments[3] = str(copy)
        result = subprocess.run(arguments, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"keras_files {' '.join(arguments[1:])}: {result.stderr}")
    return copy


def tolerance(kind):
    return TOLERANCE_64 if "float64" in kind else TOLERANCE


def compare(kind, what, one, other):
    assert one.shape == other.shape, f"{kind}, {what}: {one.shape} and {other.shape}"
    difference = np.max(np.abs(one - other), initial=0) / max(1, np.max(np.abs(other), initial=0))
    assert np.isfinite(difference), f"{kind}, {what} is not finite"
    if difference > tolerance(kind):
        print(f"{kind}, {what}: {difference:.1e}")
    if difference >= largest.get(kind, (-1, ""))[0]:
        largest[kind] = (difference, what)


def as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def numbered(name, values):
    """As keras_files calls several inputs or outputs."""
    values = as_list(values)
    return {name if len(values) == 1 else f"{name}{i}": value for i, value in enumerate(values)}


def first_outputs(model):
    """The first output of every layer that is called once, by the layer's name."""
    result = {}
    for layer in model.layers:
        if not isinstance(layer, kl.Layer) or isinstance(layer, kl.InputLayer):
            continue  # what Keras 3 computes masks with is no layer
        if len(layer._inbound_nodes) == 1:
            result[layer.name] = as_list(layer.output)[0]
    return result


def outputs(model, x):
    """y, and what every layer gives, by one model with all of them as outputs."""
    layers = first_outputs(model)
    inner = keras.Model(model.inputs, [*layers.values(), *model.outputs])
    values = [np.asarray(value) for value in inner.predict(x, verbose=0, batch_size=5 if is_stateful(model) else None)]
    named = {f"layer/{name}": value for name, value in zip(layers, values)}
    return named | numbered("y", values[len(layers):])


def is_stateful(model):
    return any(getattr(layer, "stateful", False) for layer in model.layers)


def save_samples(name, x):
    save_file({key: np.ascontiguousarray(value, np.float32) for key, value in numbered("x", x).items()}, stored(name))


def in_double(model):
    """The same network in float64, with the same weights."""

    def doubled(config):
        if isinstance(config, dict):
            return {key: doubled(value) for key, value in config.items()}
        if isinstance(config, (list, tuple)):
            return type(config)(doubled(value) for value in config)
        return "float64" if isinstance(config, str) and config == "float32" else config

    if options.module == "keras":
        keras.config.enable_unsafe_deserialization()  # for the Lambda of our own
    keras.backend.set_floatx("float64")
    double = type(model).from_config(doubled(model.get_config()))
    double.set_weights([w.astype(np.float64) for w in model.get_weights()])
    return double


def compare_double(kind, name, model, x, path):
    """Every layer of heed's and of Keras's in float64; `model` is what Keras has of the file."""
    if options.quick:
        return
    # TensorFlow takes the slope of leaky_relu and the root of 2 in gelu as float32, in float64 too.
    if any(layer.get_config().get("activation") in ("leaky_relu", "gelu") for layer in model.layers):
        return
    save_samples("x.safetensors", x)
    heed("run64", path, stored("x.safetensors"), stored("double.out"))
    results = load_file(stored("double.out"))
    values = outputs(in_double(model), [value.astype(np.float64) for value in as_list(x)])
    keras.backend.set_floatx("float32")
    for key in results.keys() & values.keys():
        compare(f"{kind}, every layer in float64", f"{name} {key}", results[key], values[key])


def attention_vector(weights):
    """What the reference looks at of weights (N, steps, units): for each sample their mean over the units."""
    return weights.mean(axis=-1)


def stored(name):
    return options.folder / name


def saves_all_as_h5():
    """The first versions of Keras 3 cannot save a layer in a layer as .h5."""
    inputs = keras.Input((2, 1))
    try:
        keras.Model(inputs, kl.Bidirectional(kl.LSTM(1))(inputs)).save(stored("probe.h5"))
    except ValueError:
        return False
    return True


@functools.cache
def joins_one_step():
    """The first versions of Keras 3 do not join inputs of one step along their features, if these differ in number."""
    inputs = [keras.Input((1, 3)), keras.Input((1, 2))]
    try:
        kl.Concatenate(axis=2)(inputs)
    except ValueError:
        return False
    return True


@functools.cache
def trains_flat_steps():
    """The first versions of Keras 3 cannot train a Flatten that reads the steps of a recurrent layer."""
    inputs = keras.Input((2, 1))
    model = keras.Model(inputs, kl.Flatten()(kl.LSTM(1, return_sequences=True)(inputs)))
    model.compile("sgd", "mse")
    try:
        model.fit(np.zeros((1, 2, 1)), np.zeros((1, 2)), verbose=0)
    except Exception as error:
        assert "Only one input size may be -1" in str(error), error
        return False
    return True


def format_of(number, wraps=True):
    """Both formats in turn; Keras 2 has another .keras. `wraps`: a layer may be within another."""
    native = number % 2 == 1 or (wraps and not ALL_AS_H5)
    return "keras" if native and options.module == "keras" else "h5"


def run(kind, name, model, x, extension="h5"):
    """heed loads what Keras saved, and Keras loads what heed saved of that."""
    path, copy = stored(f"{name}.{extension}"), stored(f"{name}.copy.{extension}")
    kind = f"{kind}, .{extension}"
    model.save(path)
    save_samples(f"{name}.safetensors", x)
    heed("run", path, stored(f"{name}.safetensors"), stored(f"{name}.out"))
    results, values = load_file(stored(f"{name}.out")), outputs(model, x)
    copy = copied(path, copy, 5 if is_stateful(model) else 0)
    if options.module != "keras" and b"initial_state" in copy.read_bytes():
        refused_by_keras_2(copy)  # it has another form for calls with states
        return compare_double(kind, name, model, x, path)
    loaded = keras.models.load_model(copy)
    frozen = {layer.name for layer in model.layers if layer.weights and not layer.trainable_weights}
    assert {layer.name for layer in loaded.layers if layer.weights and not layer.trainable_weights} == frozen
    again = outputs(loaded, x)
    for key in values:
        if key[0] == "y" or key in ("layer/attention_vec", "layer/attention_weight"):
            seen = attention_vector if key == "layer/attention_vec" else np.asarray
            compare(f"{kind}, Keras to heed", f"{name} {key}", seen(results[key]), seen(values[key]))
            compare(f"{kind}, Keras to heed to Keras", f"{name} {key}", seen(again[key]), seen(values[key]))
    compare_double(kind, name, model, x, path)


# The reference -----------------------------------------------------------------------------------


def index2_model(steps, features, units):
    inputs = keras.Input((steps, features))
    lstm = kl.LSTM(units, return_sequences=True, name="lstm")(inputs)
    a = kl.Permute((2, 1))(lstm)
    a = kl.Dense(steps, activation="softmax")(a)
    probabilities = kl.Permute((2, 1), name="attention_vec")(a)
    gated = kl.multiply([lstm, probabilities], name="attention_mul")
    outputs = kl.Dense(1, activation="sigmoid", name="output")(kl.Flatten()(gated))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def attention(states, units):
    """The class Attention of the reference."""
    hidden = int(states.shape[2])
    score = kl.Dense(hidden, use_bias=False, name="attention_score_vec")(states)
    last = kl.Lambda(lambda x: x[:, -1, :], output_shape=(hidden,), name="last_hidden_state")(states)
    score = kl.Dot(axes=[1, 2], name="attention_score")([last, score])
    weights = kl.Activation("softmax", name="attention_weight")(score)
    context = kl.Dot(axes=[1, 1], name="context_vector")([states, weights])
    both = kl.Concatenate(name="attention_output")([context, last])
    return kl.Dense(units, use_bias=False, activation="tanh", name="attention_vector")(both)


def regression_model(steps, features, units):
    inputs = keras.Input((steps, features))
    states = kl.LSTM(64, return_sequences=True, name="lstm")(inputs)
    model = keras.Model(inputs, kl.Dense(1, name="output")(attention(states, units)))
    model.compile(loss="mae", optimizer="adam")
    return model


def index2_data(rng, count, steps, features, column=2):
    x = rng.normal(0, 10, (count, steps, features)).astype(np.float32)
    y = rng.integers(0, 2, (count, 1)).astype(np.float32)
    x[:, column, :] = y
    return x, y


def check_blocks(name, model, x, units, attention_layer, seen):
    """The same network made of heed's block: with Keras's weights, and as Keras loads what heed saves of it."""
    steps, features = x.shape[1:]
    hidden = model.get_layer("lstm").units
    saved = stored(f"{name}.blocks.h5")
    heed("blocks", steps, features, hidden, units, stored(f"{name}.h5"), stored(f"{name}.safetensors"),
         stored("blocks.out"), saved)
    blocks, values = load_file(stored("blocks.out")), outputs(model, x)
    again = keras.models.load_model(saved)
    again_values = outputs(again, x)
    for kind, y, weights in [
        ("Keras to heed's block", blocks["y"], blocks["weights/attention"]),
        ("heed's block to Keras", again_values["y"], again_values[f"layer/{attention_layer}"]),
    ]:
        compare(f"the reference, {kind}", f"{name} y", y, values["y"])
        compare(f"the reference, {kind}", f"{name} attention", seen(weights),
                seen(values[f"layer/{attention_layer}"]))
    return again


def go_on_training(model, expected, x, y):
    """`expected`: what heed was told to train with. Returns the losses of three epochs."""
    config = model.optimizer.get_config()
    for key, value in expected.items():
        got = type(model.optimizer).__name__ if key == "optimizer" else config[key]
        assert got == value or abs(got - value) < 1e-6 * abs(value), f"{key} is {got}, expected {value}"
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses)), losses
    return losses


def check_reference(rng):
    x, y = index2_data(rng, 20000, 10, 2)
    model = index2_model(10, 2, 32)
    if not options.quick:
        model.fit(x, y, epochs=3, batch_size=64, validation_split=0.1, verbose=0)
    print(f"index 2: accuracy {model.evaluate(x[-1000:], y[-1000:], verbose=0)[1]:.3f}")
    for number in range(2):
        run("the reference", "index2", model, x[:300], format_of(number, wraps=False))
    again = check_blocks("index2", model, x[:300], 0, "attention_vec", attention_vector)
    if not options.quick:
        before = again.evaluate(x, y, verbose=0, return_dict=True)
        losses = go_on_training(again, {"optimizer": "Adam", "learning_rate": 1e-3}, x[:4000], y[:4000])
        print(f"index 2: loss {before['loss']:.4f} as heed saved it, {losses[-1]:.4f} after three epochs more in Keras")

    x = rng.uniform(size=(100, 10, 1)).astype(np.float32)
    y = rng.uniform(size=(100, 1)).astype(np.float32)
    model = regression_model(10, 1, 32)
    model.fit(x, y, epochs=10, verbose=0)
    for number in range(2):
        run("the reference", "regression", model, x, format_of(number, wraps=False))
    again = check_blocks("regression", model, x, 32, "attention_weight", np.asarray)
    go_on_training(again, {"optimizer": "Adam", "learning_rate": 1e-3}, x, y)


# Networks drawn at random ------------------------------------------------------------------------


def chance_of(source):
    return source.random() < 0.5


def samples(rng, tensor):
    """Five samples of an input, in which some ids, and some whole steps but not all of a sample, are 0."""
    shape = (5, *(6 if length is None else length for length in tensor.shape[1:]))
    if "int" in str(tensor.dtype):
        return rng.integers(0, 5, shape).astype(np.float32)
    x = rng.normal(size=shape).astype(np.float32)
    if len(shape) != 3:
        return x
    counts = rng.random((*shape[:2], 1)) > 0.3
    counts[:, 0] |= ~counts.any(axis=1)  # of no step there is no mean
    return x * counts


class Draw:
    """A network of the layers that both have, with branches; sequential now and then."""

    ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu", "elu", "selu", "softplus", "softsign", "softmax"]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.attention = False

    def activation(self):
        return self.random.choice(self.ACTIVATIONS)

    def units(self):
        return self.random.randint(1, 6)

    def model(self, kind):
        steps, features = self.random.randint(1, 7), self.random.randint(1, 5)
        if kind == 2:
            return self.stateful() if self.random.random() < 0.2 else self.masked(steps + 1, features)
        if self.random.random() < 0.25:
            return self.sequential(steps, features)
        inputs = keras.Input((steps, features))
        x = inputs
        for _ in range(self.random.randint(1, 3)):
            x = self.grow(x)
        ends = [self.finish(x) for _ in range(self.random.randint(1, 3))]
        joined = ends[0] if len(ends) == 1 else kl.Concatenate()(ends)
        return keras.Model(inputs, kl.Dense(self.units(), activation=self.activation())(joined))

    def sequential(self, steps, features):
        model = keras.Sequential([keras.Input((steps, features))])
        model.add(kl.LSTM(self.units(), return_sequences=True, go_backwards=True))
        model.add(kl.Dropout(0.2))
        model.add(kl.LSTM(self.units(), use_bias=False, activation="softsign"))
        model.add(kl.RepeatVector(self.random.randint(1, 3)))
        model.add(kl.Reshape((-1,)))
        model.add(kl.Dense(self.units(), activation=self.activation()))
        return model

    def recurrent(self, units=None, masked=False, **options):
        """A layer of any of the kinds, with any options that do not depend on what is around it."""
        kind = self.random.choice([kl.LSTM, kl.GRU, kl.SimpleRNN])
        chance = lambda of: self.random.random() < of  # noqa: E731
        if kind is kl.GRU:
            options["reset_after"] = chance(0.5)
        if masked and MODULE_3:
            options["zero_output_for_mask"] = chance(0.3)
        if chance(0.3):
            options |= {"dropout": 0.2, "recurrent_dropout": 0.1}
        return kind(units or self.units(), use_bias=chance(0.8), bias_initializer="ones", **options)

    def bidirectional(self, masked=False, modes=("concat", "sum", "mul", "ave"), **options):
        """Around a layer of its own; the backward one is given now and then."""
        inner = self.recurrent(masked=masked, **options)
        return kl.Bidirectional(inner, merge_mode=self.random.choice(modes))

    def stateful(self):
        inputs = keras.Input(batch_shape=(5, 4, 3)) if MODULE_3 else keras.Input((4, 3), batch_size=5)
        x = self.recurrent(stateful=True, return_sequences=True)(inputs)
        return keras.Model(inputs, self.recurrent(stateful=True, go_backwards=True)(x))

    def masked(self, steps, features):
        """Ids and sequences with masks, of any length or not, states that are handed on, shared and frozen layers."""
        chance = lambda of: self.random.random() < of  # noqa: E731
        steps = None if chance(0.5) else steps
        ids, x = keras.Input((steps,), name="ids", dtype="int32"), keras.Input((steps, features), name="x")
        words = kl.Embedding(5, 3, mask_zero=chance(0.8))(ids)
        masked = kl.Dense(3)(kl.Masking(0.0)(x) if chance(0.8) else x)
        shared = self.random.choice([self.recurrent(return_sequences=True, masked=True), kl.Dense(4, activation="tanh")])
        shared.trainable = chance(0.5)
        words, masked = shared(words), shared(masked)
        words = kl.Dropout(0.2)(kl.TimeDistributed(kl.Dense(4))(words)) if not KERAS_3_0 else words
        units = self.units()
        go_backwards = chance(0.3)
        result = self.recurrent(units, masked=True, return_state=True, return_sequences=True, go_backwards=go_backwards)(words)
        words, states = result[0], list(result[1:])
        plain = self.recurrent(units, return_sequences=True)
        # Keras 3 forgets the mask of a layer that is given states, and hands it on, for which heed has no layer.
        free = kl.Dense(units)(x)
        if isinstance(plain, kl.LSTM):
            states = [states[0], states[-1]]
        started = plain(free, initial_state=states if isinstance(plain, kl.LSTM) else states[0])
        two = self.bidirectional(masked=True, modes=[None, "concat", "ave"], return_sequences=chance(0.5))(masked)
        outputs = [self.bidirectional(masked=True)(words), started[:, -1] if steps and chance(0.5) else kl.Dense(2)(started)]
        outputs += as_list(two) + states[:1] + [kl.GlobalAveragePooling1D(keepdims=MODULE_3)(masked)]
        outputs.append(kl.GlobalMaxPooling1D()(kl.Conv1D(2, 2, padding="causal")(masked)))
        if steps is None or not chance(0.5):
            outputs.append(self.recurrent(masked=True)(self.joined(words, masked) if JOINS_MASKS else words))
        return keras.Model([x, ids], outputs)

    def joined(self, a, b):
        """Keras 3 writes how it joins masks; before some version it cannot run that."""
        if int(a.shape[2]) != int(b.shape[2]) or chance_of(self.random):
            return kl.Concatenate()([a, b])
        return kl.Add()([a, b])

    def grow(self, x):
        """Something that turns a sequence into another."""
        units, steps = int(x.shape[2]), int(x.shape[1])
        way = self.random.randint(0, 16)
        if 12 < way:
            return self.moved(x)
        if way == 10:
            return self.recurrent(return_sequences=True, unroll=self.random.random() < 0.3)(x)
        if way == 11:
            return self.bidirectional(return_sequences=True)(x)
        if way == 8:
            first = self.random.randint(0, steps - 1)
            return x[:, first:self.random.randint(first + 1, steps)]
        if way == 12:
            return kl.BatchNormalization(scale=self.random.random() < 0.7, center=self.random.random() < 0.7,
                                         epsilon=0.01)(x)
        if way == 9:
            a = kl.Dense(units, activation=self.activation())(x)
            return a * x + a
        if way == 0:
            return kl.LSTM(self.units(), return_sequences=True)(x)
        if way == 1:
            return kl.LSTM(self.units(), return_sequences=True, go_backwards=True, use_bias=False)(x)
        if way == 2:
            a = kl.Dense(steps, activation="softmax")(kl.Permute((2, 1))(x))
            return kl.Multiply()([x, kl.Permute((2, 1))(a)])
        if way == 3:
            a = kl.Dense(units, activation=self.activation())(x)
            b = kl.Activation(self.activation())(x)
            return self.random.choice([kl.Add, kl.Multiply])()([b, a, x])
        if way == 4:
            return kl.Concatenate(axis=self.random.choice([1, 2, -1]))([x, kl.ReLU()(x)])
        if way == 5:
            weights = kl.Softmax()(kl.Dot(axes=2)([kl.Dense(units)(x), x]))
            return kl.Dot(axes=(2, 1))([weights, x])
        if way == 6 and not keras.__version__.startswith("3.0."):  # which cannot run its own with any number of samples
            return kl.TimeDistributed(kl.Dense(self.units(), activation=self.activation()))(x)
        return kl.Dropout(0.3)(kl.ELU()(kl.Dense(self.units(), use_bias=False)(x)))

    def moved(self, x):
        """A layer along the time axis, of all kinds."""
        steps, features = int(x.shape[1]), int(x.shape[2])
        padding = self.random.choice(["valid", "same", "causal"])
        size = self.random.randint(1, steps if padding == "valid" else 4)
        way = self.random.randint(0, 5)
        if way < 2:
            groups = self.random.choice([n for n in range(1, features + 1) if features % n == 0])
            by = self.random.choice(["strides", "dilation_rate"]) if size == 1 or padding != "valid" else "strides"
            return kl.Conv1D(groups * self.random.randint(1, 3), size, padding=padding, groups=groups,
                             activation=self.activation(), use_bias=way == 0, **{by: self.random.randint(1, 3)})(x)
        if way < 4:
            padding = "same" if padding == "causal" else padding
            size = min(size, steps)
            strides = self.random.choice([None, 1, 2])
            return [kl.MaxPooling1D, kl.AveragePooling1D][way - 2](size, strides=strides, padding=padding)(x)
        if way == 4 and steps > 1:
            first = self.random.randint(0, steps - 1)
            return kl.Cropping1D((first, self.random.randint(0, steps - 1 - first)))(x)
        return kl.UpSampling1D(2)(x) if steps < 3 else kl.ZeroPadding1D((1, self.random.randint(0, 2)))(x)

    def finish(self, x):
        """Something that makes one vector of a sequence."""
        way = self.random.randint(0, 7)
        if way > 5:
            return (kl.GlobalMaxPooling1D if way == 6 else kl.GlobalAveragePooling1D)()(x)
        if way == 5:
            return x[:, self.random.choice([-1, 0])]
        if way == 0 and not self.attention:
            self.attention = True
            return attention(x, self.units())
        if way == 1:
            return kl.Flatten()(kl.Cropping1D((int(x.shape[1]) - 1, 0))(x))
        if way == 2:
            return kl.LSTM(self.units(), activation="tanh")(x)
        if way == 3:
            return kl.Flatten()(kl.Permute((2, 1))(x))
        return kl.Reshape((int(x.shape[1]) * int(x.shape[2]),))(x)


# Layers of one's own ------------------------------------------------------------------------------

register = keras.utils.register_keras_serializable


@register("mine")
class Scale2D(kl.Layer):
    """Has no get_config, so that Keras writes the fields of its Layer."""

    def build(self, shape):
        self.g = self.add_weight(name="g", shape=(shape[-1],), initializer="ones")
        self.built = True

    def call(self, x):
        return x * self.g


@register()
class Gain(kl.Layer):
    def __init__(self, rate=2.0, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, x):
        return x * self.rate

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


def check_own(rng):
    for number in range(2):
        inputs = keras.Input((4, 3))
        x = Gain(0.5)(Scale2D()(Scale2D()(kl.Dense(3)(inputs))))
        model = keras.Model(inputs, kl.Dense(2)(x))
        for layer in model.layers:
            layer.set_weights([rng.normal(0, 0.5, w.shape).astype(w.dtype) for w in layer.get_weights()])
        run("layers of one's own", f"own{number}", model, rng.normal(size=(5, 4, 3)).astype(np.float32),
            format_of(number, wraps=False))
        path = stored(f"own_heed.{format_of(number, wraps=False)}")
        heed("own", path, stored("own.out"))
        results = load_file(stored("own.out"))
        compare(f"layers of one's own, {path.suffix}, heed to Keras", "y", results["y"],
                keras.models.load_model(path).predict(results["x"], verbose=0))
    print("layers of one's own")


def check_drawn_in_keras(rng):
    branching = 0
    for number in range(options.models):
        model = Draw(options.seed * 1000 + number).model(number % 3)
        for layer in model.layers:
            layer.set_weights([rng.normal(0, 0.5, w.shape).astype(w.dtype) for w in layer.get_weights()])
        x = [samples(rng, tensor) for tensor in model.inputs]
        x = x[0] if len(x) == 1 else x
        run("drawn in Keras", f"keras{number}", model, x, format_of(number))
        branching += not isinstance(model, keras.Sequential)
        keras.backend.clear_session()
    print(f"drawn in Keras: {options.models} networks, {branching} of them functional")


def one_of_each():
    """Layers that the networks drawn at random do not have, by name: each is put behind a Dense of (steps, features)."""
    made = {
        "activity": kl.ActivityRegularization(l1=0.1),
        "elu": kl.ELU(alpha=0.5),
        "gaussian_dropout": kl.GaussianDropout(0.2),
        "gaussian_noise": kl.GaussianNoise(0.5),
        "layer": kl.LayerNormalization(),
        "layer_of_steps": kl.LayerNormalization(axis=1, epsilon=1e-5, scale=False),
        "leaky_relu": kl.LeakyReLU(0.25),
        "prelu": kl.PReLU(),
        "prelu_of_features": kl.PReLU(shared_axes=[1]),
        "relu": kl.ReLU(max_value=1.5, negative_slope=0.25, threshold=0.5),
        "relu_without_limit": kl.ReLU(negative_slope=0.5),
        "rescaling": kl.Rescaling(0.5, offset=-1.0),
        "softmax_of_steps": kl.Softmax(axis=1),
        "spatial_dropout": kl.SpatialDropout1D(0.2),
        "unit": kl.UnitNormalization(),
        "each_layer": kl.TimeDistributed(kl.LayerNormalization()),
        "noise_shape": kl.Dropout(0.2, noise_shape=(None, 1, 4)),
    }
    if MODULE_3:  # of which heed writes a .keras
        made["layer_of_both"] = kl.LayerNormalization(axis=[1, 2])
    arguments = {"AlphaDropout": {"rate": 0.2}, "GroupNormalization": {"groups": 2}, "Identity": {}, "ThresholdedReLU": {}}
    for name in arguments:
        if hasattr(kl, name):  # not in every version
            made[name] = getattr(kl, name)(**arguments[name])
    for name in ["celu", "gelu", "hard_shrink", "hard_silu", "hard_swish", "hard_tanh", "log_sigmoid", "log_softmax",
                 "mish", "relu6", "silu", "soft_shrink", "sparse_plus", "sparse_sigmoid", "squareplus", "swish",
                 "tanh_shrink"]:
        try:
            made[f"function_{name}"] = kl.Dense(3, activation=name)
        except (TypeError, ValueError):
            pass  # not in every version
    return made


def check_one_of_each(rng):
    number = 0
    for number, (name, made) in enumerate(one_of_each().items()):
        inputs = keras.Input((5, 3))
        model = keras.Model(inputs, made(kl.Dense(4, name="first")(inputs)))
        check_one(rng, number, name, model)
    for type in ["Average", "Maximum", "Minimum", "Subtract"]:
        number += 1
        inputs = keras.Input((5, 3))
        joined = getattr(kl, type)()([kl.Dense(4)(inputs), kl.Dense(4)(inputs)])
        check_one(rng, number, type, keras.Model(inputs, joined))
    inputs = keras.Input((5, 3))
    difference = kl.Dense(4)(inputs) - kl.Dense(4)(inputs)
    check_one(rng, number + 1, "minus", keras.Model(inputs, difference))
    print(f"one of each: {number + 2} networks of one layer")
    if not MODULE_3:  # of which heed can read the function, and cannot write it
        inputs = keras.Input((5, 3))
        model = keras.Model(inputs, kl.LSTM(4, recurrent_activation="hard_sigmoid")(inputs))
        model.save(stored("old.h5"))
        x = rng.normal(size=(5, 5, 3)).astype(np.float32)
        save_samples("old.safetensors", x)
        heed("run", stored("old.h5"), stored("old.safetensors"), stored("old.out"))
        compare("hard_sigmoid of Keras 2", "y", load_file(stored("old.out"))["y"], model.predict(x, verbose=0))


def check_one(rng, number, name, model):
    for layer in model.layers:
        layer.set_weights([rng.normal(0, 0.5, w.shape).astype(w.dtype) for w in layer.get_weights()])
    x = rng.normal(size=(5, *model.inputs[0].shape[1:])).astype(np.float32)
    for extension in {"keras"} if name == "layer_of_both" else {format_of(number), "h5"}:
        run("one of each", f"one_{name}", model, x, extension)
    keras.backend.clear_session()


# As keras_files saves them.
OPTIMIZERS = [
    {"optimizer": "SGD", "learning_rate": 0.05, "momentum": 0.5, "nesterov": True},
    {"optimizer": "Adam", "learning_rate": 0.002, "beta_1": 0.8, "clipnorm": 1.5},
    {"optimizer": "RMSprop", "learning_rate": 0.003, "rho": 0.8, "centered": True},
    {"optimizer": "AdamW", "learning_rate": 0.004, "weight_decay": 0.02},
]


def refused_by_keras_2(path):
    """It has another function of that name, or another form."""
    try:
        keras.models.load_model(path)
    except Exception as error:
        assert "batch_shape" in str(error), error
        return
    sys.exit(f"{path} is for Keras 3, and Keras 2 opened it.")


def check_drawn_in_heed():
    with_blocks = 0
    for number in range(options.models):
        name = f"heed{number}"
        path = stored(f"{name}.{format_of(number)}")
        heed("make", options.seed * 1000 + number, number % 3, path, stored(f"{name}.out"))
        results = load_file(stored(f"{name}.out"))
        text = path.read_bytes()
        if options.module != "keras" and (b"hard_sigmoid" in text or b"initial_state" in text):
            refused_by_keras_2(path)
            continue
        if KERAS_3_0 and b"TimeDistributed" in text:
            continue  # which cannot run its own with any number of samples
        try:
            model = keras.models.load_model(path)
        except ValueError as error:
            # Before some version Keras 3 cannot read its own files of layers with states that are shared.
            of_states = "out of bounds" in str(error) and not ALL_AS_H5
            of_one_step = "requires inputs with matching shapes" in str(error) and not joins_one_step()
            assert of_states or of_one_step, error
            continue
        assert not any(isinstance(layer, kl.Lambda) for layer in model.layers)
        inputs = len(model.inputs)
        x = results["x"] if inputs == 1 else [results[f"x{i}"] for i in range(inputs)]
        values = outputs(model, x)
        kind = f"drawn in heed, {path.suffix}"
        ends = [key for key in values if key[0] == "y"]
        for key in ends:
            compare(kind, f"{name} {key}", results[key], values[key])
        if "layer/wide" in values:
            assert not model.get_layer("wide").trainable_weights
            assert len(model.get_layer("encoder")._inbound_nodes) == 2
        compare_double(kind, name, model, x, path)
        blocks = [key.removeprefix("weights/") for key in results if key.startswith("weights/")]
        with_blocks += bool(blocks)
        for block in blocks:
            layer = "attention_vec" if block.startswith("step") else "attention_weight"
            if sum(other.startswith(block[:4]) for other in blocks) > 1:
                layer = f"{block}_{layer}"
            compare(f"{kind}, attention", f"{name} {block}", results[f"weights/{block}"],
                    values[f"layer/{layer}"])
        if b'"Flatten"' in text and not trains_flat_steps():
            continue
        y = [np.zeros_like(results[key]) for key in ends]
        go_on_training(model, OPTIMIZERS[number % 3], x, y[0] if len(y) == 1 else y)
        keras.backend.clear_session()
    print(f"drawn in heed: {options.models} networks, {with_blocks} of them with blocks")


def main():
    options.folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    print(f"{options.module} {keras.__version__}")
    global ALL_AS_H5
    ALL_AS_H5 = saves_all_as_h5()
    check_reference(rng)
    check_own(rng)
    check_one_of_each(rng)
    check_drawn_in_keras(rng)
    check_drawn_in_heed()
    for kind, (difference, what) in largest.items():
        print(f"{difference:.1e}  {kind} ({what})")
    if any(difference > tolerance(kind) for kind, (difference, _) in largest.items()):
        sys.exit("heed and Keras differ.")
    print(f"In float32 all differ by at most {TOLERANCE:.0e}, in float64 by {TOLERANCE_64:.0e}.")


if __name__ == "__main__":
    main()
