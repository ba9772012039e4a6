"""Writes the files of the folder keras: models that Keras saved, for tests/keras to read.

    python3 -m venv build/keras
    build/keras/bin/pip install keras==3.15.1 tensorflow-cpu==2.21.0 h5py==3.14.0
    build/keras/bin/python tests/golden/generate_keras.py keras

    python3 -m venv build/tf_keras
    build/tf_keras/bin/pip install tf_keras==2.21.0 tensorflow-cpu==2.21.0 h5py==3.14.0
    build/tf_keras/bin/python tests/golden/generate_keras.py tf_keras

    python3 -m venv build/tf212
    build/tf212/bin/pip install tensorflow-cpu==2.12.0 attention==5.0.0
    build/tf212/bin/python tests/golden/generate_keras.py attention
    KERAS_ATTENTION_DEBUG=1 build/tf212/bin/python tests/golden/generate_keras.py attention

    python3 -m venv build/keras31
    build/keras31/bin/pip install keras==3.1.1 tensorflow-cpu==2.16.1 h5py==3.14.0
    build/keras31/bin/python tests/golden/generate_keras.py keras31 sequences convolution states

    build/tf212/bin/python tests/golden/generate_keras.py tf212 sequences convolution states

Keras 3 writes keras3_*.h5, tf_keras, which is Keras 2, writes keras2_*.h5, both by model.save, and older ones of either
keras31_*.h5 and keras212_*.h5. Keras 3 writes those of
float32 in its native format, too: keras3_*.keras, and the weights of some alone: keras3_*.weights.h5. The group "golden" is added to each .h5: samples x, what the model
predicts as y, and what the layer that the attribute "attention" of the group names gives for them as attention; of several
inputs or outputs x0, x1, …, y0, y1, ….
Weights are drawn anew, so that no bias is 0. The package `attention` writes attention_package.h5 and, in its debug mode,
attention_debug.h5, on Keras 2.12. names.txt has names of classes, each with what Keras 3 calls a layer of it. Further words
are the names of the files to write, of all others none:

    build/keras/bin/python tests/golden/generate_keras.py keras names forms
"""

import os
import pathlib
import random
import sys

MODULE = sys.argv[1]
ONLY = sys.argv[2:]
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # noqa: E402
import numpy as np  # noqa: E402

if MODULE in ("keras", "keras31"):
    import keras
elif MODULE == "tf_keras":
    import tf_keras as keras
else:
    from tensorflow import keras

kl = keras.layers
GENERATION = keras.__version__[0]
PREFIX = {"keras31": "keras31_", "tf212": "keras212_", "attention": ""}.get(MODULE, f"keras{GENERATION}_")
FOLDER = pathlib.Path(__file__).parent / "keras"


def index2(steps=5, features=2, units=3):
    """The first program of the reference."""
    inputs = keras.Input((steps, features))
    lstm = kl.LSTM(units, return_sequences=True)(inputs)
    a = kl.Permute((2, 1))(lstm)
    a = kl.Dense(steps, activation="softmax")(a)
    a = kl.Permute((2, 1), name="attention_vec")(a)
    gated = kl.multiply([lstm, a], name="attention_mul")
    outputs = kl.Dense(1, activation="sigmoid")(kl.Flatten()(gated))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def regression(steps=6, features=1, hidden=4, units=3):
    """The second program of the reference; its Attention is a function here."""
    inputs = keras.Input((steps, features))
    states = kl.LSTM(hidden, return_sequences=True)(inputs)
    score = kl.Dense(hidden, use_bias=False, name="attention_score_vec")(states)
    last = kl.Lambda(lambda x: x[:, -1, :], output_shape=(hidden,), name="last_hidden_state")(states)
    score = kl.Dot(axes=[1, 2], name="attention_score")([last, score])
    weights = kl.Activation("softmax", name="attention_weight")(score)
    context = kl.Dot(axes=[1, 1], name="context_vector")([states, weights])
    both = kl.Concatenate(name="attention_output")([context, last])
    vector = kl.Dense(units, use_bias=False, activation="tanh", name="attention_vector")(both)
    model = keras.Model(inputs, kl.Dense(1)(vector))
    model.compile(optimizer="adam", loss="mae")
    return model


def sequential():
    """Keras 2 writes no input layer for such a model, but the shape into its first layer."""
    model = keras.Sequential()
    if GENERATION == "3":
        model.add(keras.Input((4, 3)))
        model.add(kl.LSTM(2, return_sequences=True, go_backwards=True))
    else:
        model.add(kl.LSTM(2, return_sequences=True, go_backwards=True, input_shape=(4, 3)))
    model.add(kl.Dropout(0.25))
    model.add(kl.LSTM(3, use_bias=False, activation="relu", recurrent_activation="softsign",
                      kernel_initializer="he_normal", kernel_regularizer="l2"))
    model.add(kl.Dense(2, activation="softmax", kernel_constraint="non_neg"))
    return model


def branches():
    """Every other layer that heed has, in a network that parts and joins."""
    inputs = keras.Input((3, 4), name="sequence")
    left = kl.Dense(4, activation="elu", name="left")(inputs)
    right = kl.Dense(4, activation="selu", use_bias=False, name="right")(inputs)
    both = kl.Add()([left, right, inputs])
    gates = kl.Multiply()([kl.Activation("sigmoid")(left), both])
    tall = kl.Concatenate(axis=1)([gates, both])
    similar = kl.Dot(axes=2)([tall, left])
    flat = kl.Reshape((-1,))(kl.ReLU()(similar))
    again = kl.RepeatVector(2)(kl.Dense(3, activation="softplus", name="narrow")(flat))
    chosen = kl.Softmax()(kl.ELU()(again))
    last = kl.Flatten()(kl.Cropping1D((2, 0))(inputs))
    joined = kl.Concatenate()([kl.Flatten()(chosen), last])
    return keras.Model(inputs, kl.Dense(2, activation="exponential", name="output")(joined))


def small():
    return keras.Sequential([keras.Input((3, 2)), kl.LSTM(2), kl.Dense(1)])


def names():
    """More names than HDF5 keeps in the header of a group, none of them ASCII."""
    layers = [kl.Dense(2, activation="tanh", name=f"层 {i} größe") for i in range(12)]
    return keras.Sequential([keras.Input((2,))] + layers)


def forms(source, target):
    """The same file in forms that Keras does not choose, but people's programs do: the order of names tracked, a block in
    front, numbers with the highest byte first, texts of a fixed length made up with spaces."""

    def add_text(owner, key, value):
        texts = [value] if isinstance(value, (str, bytes)) else list(value)
        texts = [text.encode() if isinstance(text, str) else text for text in texts]
        if not texts:
            owner.attrs[key] = value
            return
        size = max(map(len, texts)) + 3
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(size)
        kind.set_strpad(h5py.h5t.STR_SPACEPAD)
        is_one = isinstance(value, (str, bytes))
        space = h5py.h5s.create(h5py.h5s.SCALAR) if is_one else h5py.h5s.create_simple((len(texts),))
        attribute = h5py.h5a.create(owner.id, key.encode(), kind, space)
        padded = np.array([text.ljust(size) for text in texts], dtype=f"S{size}")
        attribute.write(padded[:1].reshape(()) if is_one else padded, mtype=kind)

    with h5py.File(source) as old, h5py.File(target, "w", track_order=True, userblock_size=1024) as new:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                owner = new.create_group(name, track_order=True)
            else:
                owner = new.create_dataset(name, data=item[...].astype(">f4"))
            for key, value in item.attrs.items():
                add_text(owner, key, value)

        for key, value in old.attrs.items():
            add_text(new, key, value)
        for i in range(12):  # so that attributes, too, stand in a heap
            add_text(new, f"more {i}", str(i))
        old.visititems(copy)
    print(target, target.stat().st_size)


def many(target):
    """So many names and attributes that the blocks of their heaps and the nodes of their trees have several levels."""
    with h5py.File(target, "w", libver="latest", track_order=True) as new:
        for i in range(150):
            new.create_dataset(f"größe {i}", data=np.float32(i), track_order=True)
        for i in range(100):
            new.attrs[f"text {i}"] = np.bytes_(f"{i}")
    print(target, target.stat().st_size)


def hard_sigmoid():
    """The function that Keras 3 gives another formula."""
    lstm = kl.LSTM(2, recurrent_activation="hard_sigmoid")
    return keras.Sequential([keras.Input((3, 2)), lstm, kl.Dense(1)])


def operators():
    """What Python's operators leave in a file, numbers that JSON does not have, and a Softmax that counts its axis."""
    inputs = keras.Input((4, 3))
    h = kl.LSTM(3, return_sequences=True, name="h")(inputs)
    g = kl.Dense(3, kernel_initializer=keras.initializers.Constant(float("nan")),
                 bias_initializer=keras.initializers.Constant(-float("inf")), name="g")(inputs)
    flat = [kl.Flatten()(x) for x in (h * g, h + g, h[:, 1:3], h[..., 1:], h[:, -3:, 1:-1])]
    return keras.Model(inputs, kl.Softmax(axis=1)(kl.Concatenate()(flat + [h[:, -1, :], h[:, 0], h[:, :, 1]])))


register = getattr(keras, "saving", keras.utils).register_keras_serializable


class Own:
    """Classes that are called as Keras's, and compute something else."""

    class Flatten(kl.Layer):
        """By columns."""

        def call(self, x):
            return kl.Flatten()(kl.Permute((2, 1))(x))

    class Softmax(kl.Softmax):
        """Over the steps."""

        def call(self, x):
            return kl.Permute((2, 1))(super().call(kl.Permute((2, 1))(x)))

    class Scale2D(kl.Layer):
        """Has no get_config of its own."""

        def build(self, shape):
            self.g = self.add_weight(name="g", shape=(shape[-1],))
            self.built = True

        def call(self, x):
            return x * self.g


def own(flatten, softmax, scale):
    keras.backend.clear_session()  # which counts the names
    inputs = keras.Input((3, 2))
    x = softmax()(scale()(scale()(kl.Dense(2, name="first")(inputs))))
    return keras.Model(inputs, kl.Dense(2, name="last")(flatten()(x)))


def own_plain():
    """Not registered."""
    return own(Own.Flatten, Own.Softmax, Own.Scale2D)


def own_registered():
    return own(*(register("mine")(type(c.__name__, (c,), {})) for c in (Own.Flatten, Own.Softmax, Own.Scale2D)))


def sequences():
    """Ids and sequences of any length with masks, through recurrent layers of all kinds and all ways to merge. Keras 3
    writes what it computes the masks by, too."""
    keras.backend.clear_session()
    three = {"zero_output_for_mask": True} if GENERATION == "3" else {}
    ids = keras.Input((None,), name="ids", dtype="int32")
    x = keras.Input((None, 3), name="x")
    words = kl.Embedding(5, 3, mask_zero=True, name="words")(ids)
    masked = kl.Masking(0.25, name="masked")(x)
    gru = kl.GRU(2, return_sequences=True, reset_after=False, dropout=0.1, recurrent_dropout=0.1, name="gru")(words)
    last = kl.GRU(2, go_backwards=True, unroll=False, name="last")(gru)
    rnn = kl.SimpleRNN(2, return_sequences=True, name="rnn", **three)(masked)
    each = kl.TimeDistributed(kl.Dense(2, activation="tanh"), name="each")(rnn)
    state = MODULE != "keras31"  # which takes no mask in one with return_state
    both = kl.Bidirectional(kl.LSTM(2, return_sequences=True, return_state=state), name="both")(each)
    both = both if state else [both]
    ave = kl.Bidirectional(kl.GRU(2), merge_mode="ave", name="ave")(both[0])
    two = kl.Bidirectional(kl.SimpleRNN(2, use_bias=False), merge_mode=None, name="two")(words)
    mul = kl.Bidirectional(kl.LSTM(1, unit_forget_bias=False), merge_mode="mul",
                           backward_layer=kl.LSTM(1, go_backwards=True, unit_forget_bias=False), name="mul")(gru)
    joined = kl.LSTM(2, name="joined")(kl.Concatenate()([gru, rnn]) if MODULE == "keras" else gru)
    return keras.Model([x, ids], [last, ave, two[1], both[0], both[-2 if state else 0], mul, joined])


def convolution():
    """The layers along the time axis, of sequences of any length and of words with a mask."""
    keras.backend.clear_session()
    x, ids = keras.Input((None, 3), name="x"), keras.Input((None,), name="ids", dtype="int32")
    z = keras.Input((2, 4, 3), name="z")
    causal = kl.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu", name="causal")(x)
    pooled = kl.MaxPooling1D(2, strides=1, padding="same", name="largest")(causal)
    halves = kl.Conv1D(4, 2, strides=2, groups=2, use_bias=False, name="halves")(pooled)
    mean = kl.AveragePooling1D(2, padding="same", name="mean")(halves)
    words = kl.Embedding(5, 3, mask_zero=True, name="words")(ids)
    cut = kl.Cropping1D((1, 0), name="cut")(kl.ZeroPadding1D(2, name="padded")(words))
    long = kl.Conv1D(2, 2, strides=3, padding="same", name="long")(kl.UpSampling1D(2, name="twice")(cut))
    each = kl.TimeDistributed(kl.Conv1D(2, 3, activation="tanh"), name="each")(z)
    each = kl.TimeDistributed(kl.GlobalAveragePooling1D(), name="each_mean")(each)
    kept = kl.GlobalMaxPooling1D(keepdims=True, name="kept")(mean)
    return keras.Model([x, ids, z], [kl.GlobalMaxPooling1D(name="all")(mean), kl.Dense(2, name="head")(kept), long,
                                     kl.GlobalAveragePooling1D(name="word")(words), each])


def states():
    """States from one layer to another, layers that are shared and frozen, and a mask for a layer that is given states,
    which Keras 2 uses and Keras 3 forgets."""
    keras.backend.clear_session()
    left, right = keras.Input((4, 2), name="left"), keras.Input((5, 2), name="right")
    ids = keras.Input((3,), name="ids")
    shared = kl.LSTM(2, return_state=True, name="shared")
    shared.trainable = False
    one, two = shared(left), shared(right)
    words = kl.Embedding(4, 2, mask_zero=True, name="words")(ids)
    decoder = kl.LSTM(2, return_sequences=True, name="decoder")(words, initial_state=two[1:])
    both = kl.Bidirectional(kl.SimpleRNN(2), merge_mode="sum", name="both")(right, initial_state=[one[1], two[1]])
    started = kl.GRU(2, return_state=True, name="started")(kl.Dropout(0.5)(right), initial_state=one[2])
    head = kl.Dense(2, name="head")
    product = kl.Multiply(name="product")([one[0], two[0]])
    return keras.Model([right, left, ids], [head(decoder), head(both), started[1], product])


def stateful():
    inputs = keras.Input(batch_shape=(3, 4, 2)) if GENERATION == "3" else keras.Input((4, 2), batch_size=3)
    x = kl.GRU(2, stateful=True, return_sequences=True)(inputs)
    return keras.Model(inputs, kl.Bidirectional(kl.LSTM(2, stateful=True))(x))


def package():
    """The layer of the package, which comes as several layers in its debug mode."""
    from attention import Attention

    inputs = keras.Input((5, 2))
    states = kl.LSTM(4, return_sequences=True)(inputs)
    return keras.Model(inputs, kl.Dense(1)(Attention(units=6)(states)))


def write_class_names():
    """Names of classes, and the names that Keras gives their layers."""
    from keras.src.utils.naming import to_snake_case

    draw = random.Random(1)
    names = [name for name in dir(kl) if name[0].isupper()]
    names += ["".join(draw.choices("ABCxyz019_", k=draw.randint(1, 12))) for _ in range(300)]
    names = sorted({name for name in names if not name[0].isdigit()})
    (FOLDER / "names.txt").write_text("".join(f"{name} {to_snake_case(name)}\n" for name in names))


def samples(draw, tensor):
    """Ids of which some are 0, and steps of which some are a quarter throughout, as the Masking above leaves out."""
    shape = [3, *(6 if length is None else length for length in tensor.shape[1:])]
    if len(shape) == 2 and ("int" in str(tensor.dtype) or "ids" in tensor.name):
        return np.floor(np.abs(draw(shape)) * 2) % 4
    x = draw(shape)
    if len(shape) == 3 and tensor.shape[1] is None:
        x[np.abs(draw(shape[:2])) < 0.3] = 0.25
    return x


def write(name, make, attention=None, dtype="float32"):
    if ONLY and name not in ONLY:
        return
    if GENERATION == "3":
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
    elif MODULE != "attention":
        keras.backend.set_floatx(dtype)
    model = make()
    random = np.random.default_rng(sum(name.encode()))
    draw = lambda shape: random.normal(0, 0.7, shape).astype(np.float32)  # noqa: E731
    for layer in model.layers:
        if not isinstance(layer, kl.Layer):
            continue  # what Keras 3 computes masks by
        weights = layer.get_weights()
        layer.set_weights([draw(w.shape).astype(w.dtype) for w in weights])
    path = FOLDER / f"{PREFIX}{name}.h5"
    if MODULE == "keras31":
        path.unlink(missing_ok=True)  # it saves no Bidirectional as .h5: the file has the group "golden" alone
    else:
        model.save(path)
    if GENERATION == "3" and (dtype == "float32" or name in ("sequences", "states", "convolution")):
        model.save(path.with_suffix(".keras"))
    inputs = [samples(draw, tensor) for tensor in model.inputs]
    with h5py.File(path, "a") as file:
        golden = file.create_group("golden")
        x = inputs[0] if len(inputs) == 1 else inputs
        # TensorFlow compiles no function with names that are not ASCII.
        y = np.array(model(x), np.float32) if name == "names" else model.predict(x, verbose=0, batch_size=3)
        for key, values in (("x", x), ("y", y)):
            if isinstance(values, (list, tuple)):
                for i, value in enumerate(values):
                    golden[f"{key}{i}"] = value
            else:
                golden[key] = values
        if attention:
            inner = keras.Model(model.inputs, model.get_layer(attention).output)
            golden.attrs["attention"] = attention
            golden["attention"] = inner.predict(x, verbose=0)
    if GENERATION == "3" and name in ("sequential", "names", "states") and MODULE == "keras":
        model.save_weights(path.with_suffix(".weights.h5"))
    print(path, path.stat().st_size)


FOLDER.mkdir(exist_ok=True)
if MODULE == "attention":
    write("attention_debug" if os.environ.get("KERAS_ATTENTION_DEBUG") == "1" else "attention_package", package)
    sys.exit()
write("index2", index2, "attention_vec")
write("regression", regression, "attention_weight")
write("sequential", sequential)
write("branches", branches)
write("hard_sigmoid", hard_sigmoid)
write("operators", operators)
write("sequences", sequences, dtype="float64")
write("convolution", convolution, dtype="float64")
write("states", states, dtype="float64")
write("stateful", stateful, dtype="float64")
if GENERATION == "3":
    write("own_plain", own_plain)
    write("own_registered", own_registered)
    write("half", small, dtype="float16")
    write("double", small, dtype="float64")
    write("bfloat16", lambda: keras.Sequential([keras.Input((3,)), kl.Dense(2), kl.Dense(1)]), dtype="bfloat16")
    write("names", names)
    if not ONLY or "forms" in ONLY:
        forms(FOLDER / "keras3_sequential.h5", FOLDER / "keras3_forms.h5")
    if not ONLY or "many" in ONLY:
        many(FOLDER / "h5py_many.h5")
    if not ONLY or "class_names" in ONLY:
        write_class_names()
