"""Writes the files of the folder keras: models that Keras saved, for tests/keras to read.

    python3 -m venv build/keras
    build/keras/bin/pip install keras==3.15.1 tensorflow-cpu==2.21.0 h5py==3.14.0
    build/keras/bin/python tests/golden/generate_keras.py keras

    python3 -m venv build/tf_keras
    build/tf_keras/bin/pip install tf_keras==2.21.0 tensorflow-cpu==2.21.0 h5py==3.14.0
    build/tf_keras/bin/python tests/golden/generate_keras.py tf_keras

Keras 3 writes keras3_*.h5, tf_keras, which is Keras 2, writes keras2_*.h5, both by model.save. Keras 3 writes those of
float32 in its native format, too: keras3_*.keras. The group "golden" is added to each .h5: samples x, what the model
predicts as y, and what the layer that the attribute "attention" of the group names gives for them as attention.
Weights are drawn anew, so that no bias is 0.
"""

import os
import pathlib
import sys

MODULE = sys.argv[1]
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import h5py  # noqa: E402
import numpy as np  # noqa: E402

if MODULE == "keras":
    import keras
elif MODULE == "tf_keras":
    import tf_keras as keras

kl = keras.layers
GENERATION = keras.__version__[0]
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


def write(name, make, attention=None, dtype="float32"):
    if GENERATION == "3":
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
    model = make()
    random = np.random.default_rng(sum(name.encode()))
    draw = lambda shape: random.normal(0, 0.7, shape).astype(np.float32)  # noqa: E731
    for layer in model.layers:
        weights = layer.get_weights()
        layer.set_weights([draw(w.shape).astype(w.dtype) for w in weights])
    path = FOLDER / f"keras{GENERATION}_{name}.h5"
    model.save(path)
    if GENERATION == "3" and dtype == "float32":
        model.save(path.with_suffix(".keras"))
    inputs = model.inputs[0]
    x = draw((3, *inputs.shape[1:]))
    with h5py.File(path, "a") as file:
        golden = file.create_group("golden")
        golden["x"] = x
        golden["y"] = model.predict(x, verbose=0)
        if attention:
            inner = keras.Model(model.inputs, model.get_layer(attention).output)
            golden.attrs["attention"] = attention
            golden["attention"] = inner.predict(x, verbose=0)
    print(path, path.stat().st_size)


FOLDER.mkdir(exist_ok=True)
write("index2", index2, "attention_vec")
write("regression", regression, "attention_weight")
write("sequential", sequential)
write("branches", branches)
if GENERATION == "3":
    write("half", small, dtype="float16")
    write("double", small, dtype="float64")
