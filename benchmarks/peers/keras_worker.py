"""Keras on TensorFlow as a worker of compare.py: keras_worker.py THREADS

The layers as one writes them. Each step is done in the ways that Keras and TensorFlow have for it, and the fastest one is
measured: train_on_batch, and a tf.function of one's own, each with XLA and without.
"""

import os
import sys

threads = int(sys.argv[1])
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy
import tensorflow as tf
import worker
from keras import layers

tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)

XLA = {"no XLA": False, "XLA": True}


def adam():
    return keras.optimizers.Adam(1e-3, epsilon=1e-12)


def with_weights(model, arrays):
    for layer in model.layers:
        weights = [array for name, array in arrays.items() if name.startswith(layer.name + "/")]
        if weights:
            layer.set_weights(weights)
    return model


def index2(T, D, U, arrays):
    """Ends in the logit; the loss takes it from there."""
    inputs = keras.Input((T, D))
    lstm = layers.LSTM(U, return_sequences=True, name="lstm")(inputs)
    a = layers.Permute((2, 1))(lstm)
    a = layers.Dense(T, activation="softmax", name="attention")(a)
    a = layers.Permute((2, 1))(a)
    outputs = layers.Dense(1, name="dense")(layers.Flatten()(layers.Multiply()([lstm, a])))
    return with_weights(keras.Model(inputs, outputs), arrays), keras.losses.BinaryCrossentropy(from_logits=True)


class LuongAttention(layers.Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shape):
        self.score = self.add_weight(shape=(shape[-1], shape[-1]))
        self.vector = self.add_weight(shape=(2 * shape[-1], self.units))

    def call(self, h):
        last = h[:, -1]
        query = tf.matmul(last, self.score, transpose_b=True)
        a = tf.nn.softmax(tf.linalg.matvec(h, query))
        context = tf.linalg.matvec(h, a, transpose_a=True)
        return tf.tanh(tf.concat([context, last], 1) @ self.vector)


def dummy(T, D, U, arrays):
    inputs = keras.Input((T, D))
    lstm = layers.LSTM(U, return_sequences=True, name="lstm")(inputs)
    attention = LuongAttention(32, name="attention")(lstm)
    outputs = layers.Dense(1, name="dense")(attention)
    return with_weights(keras.Model(inputs, outputs), arrays), keras.losses.MeanAbsoluteError()


def make_step(model, loss, xla):
    optimizer = adam()
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=xla)
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=True))
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return value

    return step


def training_job(network, arrays, *sizes):
    x, y = arrays["x"], arrays["y"]

    def by_function(xla):
        model, loss = network(*sizes, arrays)
        step, tensors = make_step(model, loss, xla), (tf.constant(x), tf.constant(y))
        return step, model, loss, tensors

    def by_batch(xla):
        model, loss = network(*sizes, arrays)
        model.compile(adam(), loss, jit_compile=xla)
        return model.train_on_batch, model, loss, (x, y)

    def job(step, model, loss, batch):
        def run(steps):
            for _ in range(steps):
                value = step(*batch)
            return float(value)

        def result(steps):
            run(steps)
            return float(loss(y, model(x)))

        return worker.Job(run, result)

    ways = {"tf.function": by_function, "train_on_batch": by_batch}
    return worker.fastest(
        {
            f"{way}, {note}": lambda make=make, xla=xla: job(*make(xla))
            for way, make in ways.items()
            for note, xla in XLA.items()
        }
    )


def index2_epoch(batch, T, D, U, arrays):
    x, y = arrays["x"], arrays["y"]
    model, loss = index2(T, D, U, arrays)
    step = make_step(model, loss, True)

    def epoch():
        losses = []
        for first in range(0, len(x), batch):
            value = step(tf.constant(x[first : first + batch]), tf.constant(y[first : first + batch]))
            losses.append(value * min(batch, len(x) - first))
        return sum(map(float, losses)) / len(x)

    return worker.Job(lambda epochs: [epoch() for _ in range(epochs)], lambda _: epoch())


def repeated(make):
    """A job of the faster of both functions; `make` has one of them and what it returns made into a result."""

    def job(xla):
        function, result = make()
        function = tf.function(function, jit_compile=xla)

        def run(times):
            for _ in range(times):
                values = function()
            return [value.numpy() for value in tf.nest.flatten(values)]

        return worker.Job(run, lambda _: result(run(1)))

    return worker.fastest({note: lambda xla=xla: job(xla) for note, xla in XLA.items()})


def lstm_model(T, D, U, arrays):
    inputs = keras.Input((T, D))
    return with_weights(keras.Model(inputs, layers.LSTM(U, return_sequences=True, name="lstm")(inputs)), arrays)


def gru_model(T, D, U, arrays):
    inputs = keras.Input((T, D))
    return with_weights(keras.Model(inputs, layers.GRU(U, return_sequences=True, name="gru")(inputs)), arrays)


def forward_job(model_of, T, D, U, arrays):
    x = tf.constant(arrays["x"])

    def make():
        model = model_of(T, D, U, arrays)
        return lambda: model(x, training=False), lambda y: numpy.linalg.norm(y)

    return repeated(make)


def backward_job(model_of, T, D, U, arrays):
    """Of sequences of unequal length, too, where no gradient comes from the padding: a mask would make it slower."""
    x, dy = tf.constant(arrays["x"]), tf.constant(arrays["dy"])

    def make():
        model = model_of(T, D, U, arrays)

        def gradients():
            with tf.GradientTape() as tape:
                y = model(x, training=True)
            return tape.gradient(y, model.trainable_variables, output_gradients=dy)

        return gradients, worker.weigh_gradients

    return repeated(make)


def attention_train(layer):
    def work(N, T, U, arrays):
        x, dy = tf.constant(arrays["x"]), tf.constant(arrays["dy"])

        def make():
            inputs = keras.Input((T, U))
            model = with_weights(keras.Model(inputs, layer(inputs, T, U)), arrays)

            def gradients():
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = model(x, training=True)
                return tape.gradient(y, [*model.trainable_variables, x], output_gradients=dy)

            return gradients, lambda found: worker.weigh_gradients(found[:-1]) + numpy.linalg.norm(found[-1])

        return repeated(make)

    return work


def step_attention(h, T, U):
    a = layers.Dense(T, activation="softmax", name="attention")(layers.Permute((2, 1))(h))
    return layers.Multiply()([h, layers.Permute((2, 1))(a)])


def gemm(M, K, N, arrays):
    a, b = tf.random.uniform((M, K)), tf.random.uniform((K, N))

    def run(times):
        for _ in range(times):
            c = tf.matmul(a, b)
        return c.numpy()

    return worker.Job(run, lambda _: 0)


worker.serve(
    f"Keras {keras.__version__} on TensorFlow {tf.__version__}",
    {
        "index2_step": lambda N, T, D, U, arrays: training_job(index2, arrays, T, D, U),
        "index2_epoch": index2_epoch,
        "dummy_step": lambda N, T, D, U, arrays: training_job(dummy, arrays, T, D, U),
        "lstm_forward": lambda N, *sizes: forward_job(lstm_model, *sizes),
        "lstm_train": lambda N, *sizes: backward_job(lstm_model, *sizes),
        "lstm_lengths_train": lambda N, *sizes: backward_job(lstm_model, *sizes),
        "gru_forward": lambda N, *sizes: forward_job(gru_model, *sizes),
        "gru_train": lambda N, *sizes: backward_job(gru_model, *sizes),
        "step_attention_train": attention_train(step_attention),
        "luong_attention_train": attention_train(lambda h, T, U: LuongAttention(U, name="attention")(h)),
        "gemm": gemm,
    },
)
