"""JAX as a worker of compare.py: jax_worker.py THREADS

A whole training step is one jitted function, Adam included, and gives its arguments' memory away. The LSTM computes the
input's part of all steps in one product and the rest in a lax.scan, unrolled as far as is fastest.
"""

import jax
import jax.numpy as jnp
import worker
from jax import lax

EPSILON = 1e-12


def lstm(weights, x, unroll, state=None):
    """x: (N, T, D), h: (N, T, U)"""
    units = weights["lstm/recurrent_kernel"].shape[0]
    z = jnp.swapaxes(x, 0, 1) @ weights["lstm/kernel"] + weights["lstm/bias"]
    if state is None:
        state = (jnp.zeros((len(x), units)), jnp.zeros((len(x), units)))

    def step(carry, z):
        h, c = carry
        i, f, g, o = jnp.split(z + h @ weights["lstm/recurrent_kernel"], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    state, h = lax.scan(step, state, z, unroll=unroll)
    return jnp.swapaxes(h, 0, 1), state


def gru(weights, x, unroll):
    """As Keras has it, with a bias of its own for h"""
    units = weights["gru/recurrent_kernel"].shape[0]
    bias = weights["gru/bias"]
    xs = jnp.swapaxes(x, 0, 1) @ weights["gru/kernel"] + bias[0]

    def step(h, x):
        z, r, g = jnp.split(x, 3, axis=1)
        hz, hr, hg = jnp.split(h @ weights["gru/recurrent_kernel"] + bias[1], 3, axis=1)
        z = jax.nn.sigmoid(z + hz)
        h = z * h + (1 - z) * jnp.tanh(g + jax.nn.sigmoid(r + hr) * hg)
        return h, h

    state, h = lax.scan(step, jnp.zeros((len(x), units)), xs, unroll=unroll)
    return jnp.swapaxes(h, 0, 1), state


def step_attention(weights, h):
    logits = jnp.einsum("st,nsu->ntu", weights["attention/kernel"], h) + weights["attention/bias"][:, None]
    return h * jax.nn.softmax(logits, axis=1)


def luong_attention(weights, h):
    last = h[:, -1]
    a = jax.nn.softmax(jnp.einsum("ntu,nu->nt", h, last @ weights["attention/score_kernel"].T))
    context = jnp.einsum("nt,ntu->nu", a, h)
    return jnp.tanh(jnp.concatenate([context, last], 1) @ weights["attention/vector_kernel"])


def dense(weights, h):
    return h @ weights["dense/kernel"] + weights["dense/bias"]


def index2_loss(weights, x, y, unroll):
    h = step_attention(weights, lstm(weights, x, unroll)[0])
    z = dense(weights, h.reshape(len(x), -1))
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def dummy_loss(weights, x, y, unroll):
    return jnp.mean(jnp.abs(dense(weights, luong_attention(weights, lstm(weights, x, unroll)[0])) - y))


def make_step(loss_of, unroll):
    """A jitted step from (weights, moments, clock) and a batch to the same and the loss before it."""

    def step(state, x, y):
        weights, m, v, t = state
        loss, gradients = jax.value_and_grad(loss_of)(weights, x, y, unroll)
        t = t + 1
        alpha = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = jax.tree.map(lambda m, g: m + 0.1 * (g - m), m, gradients)
        v = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), v, gradients)
        weights = jax.tree.map(lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + EPSILON), weights, m, v)
        return (weights, m, v, t), loss

    return jax.jit(step, donate_argnums=0)


def split(arrays, *data):
    """The weights, and the arrays that are none."""
    weights = {name: jnp.array(array) for name, array in arrays.items() if name not in ("x", "y", "dy", "counts")}
    return weights, *[jnp.array(arrays[name]) for name in data]


class Training:
    def __init__(self, loss_of, arrays, unroll):
        weights, self.x, self.y = split(arrays, "x", "y")
        zeros = lambda: jax.tree.map(jnp.zeros_like, weights)  # twice, for each is given away
        self.state = weights, zeros(), zeros(), jnp.zeros(())
        self.step = make_step(loss_of, unroll)

    def run(self, steps):
        for _ in range(steps):
            self.state, loss = self.step(self.state, self.x, self.y)
        loss.block_until_ready()

    def result(self, steps):
        """The loss after K steps is the one that step K + 1 begins with."""
        self.run(steps)
        self.state, loss = self.step(self.state, self.x, self.y)
        return loss


def unrolled(T, make):
    """The fastest way to unroll a scan of T steps; to unroll many takes minutes to compile."""
    ways = [1, 4] + ([T] if T <= 16 else [])
    return worker.fastest({f"unroll={k}": lambda k=k: make(k) for k in ways})


def training_job(loss_of, T, arrays):
    def make(unroll):
        training = Training(loss_of, arrays, unroll)
        return worker.Job(training.run, training.result)

    return unrolled(T, make)


def index2_epoch(batch, T, D, U, arrays):
    training = Training(index2_loss, arrays, T)
    x, y = arrays["x"], arrays["y"]

    def epoch():
        losses = []
        for first in range(0, len(x), batch):
            training.state, loss = training.step(training.state, x[first : first + batch], y[first : first + batch])
            losses.append(loss * min(batch, len(x) - first))
        return sum(map(float, losses)) / len(x)

    return worker.Job(lambda epochs: [epoch() for _ in range(epochs)], lambda _: epoch())


def repeated(function, *arguments):
    """A run of K calls that waits for the last."""

    def run(times):
        for _ in range(times):
            values = function(*arguments)
        return jax.block_until_ready(values)

    return run


def forward_job(layer, T, arrays):
    weights, x = split(arrays, "x")

    def make(unroll):
        run = repeated(jax.jit(lambda weights, x: layer(weights, x, unroll)[0]), weights, x)
        return worker.Job(run, lambda _: jnp.linalg.norm(run(1).ravel()))

    return unrolled(T, make)


def backward_job(layer, T, arrays):
    """Of sequences of unequal length, too, where no gradient comes from the padding: a mask would make it slower."""
    weights, x, dy = split(arrays, "x", "dy")

    def make(unroll):
        def gradients(weights, x, dy):
            y, backward = jax.vjp(lambda weights: layer(weights, x, unroll)[0], weights)
            return y, *backward(dy)

        run = repeated(jax.jit(gradients), weights, x, dy)

        def result(_):
            found = run(1)[1]
            return worker.weigh_gradients([found[name] for name in weights])

        return worker.Job(run, result)

    return unrolled(T, make)


def attention_train(attention):
    def make(N, T, U, arrays):
        weights, x, dy = split(arrays, "x", "dy")

        def gradients(weights, x, dy):
            y, backward = jax.vjp(attention, weights, x)
            return y, *backward(dy)

        run = repeated(jax.jit(gradients), weights, x, dy)

        def result(_):
            _, found, dx = run(1)
            return worker.weigh_gradients([found[name] for name in weights]) + float(jnp.linalg.norm(dx.ravel()))

        return worker.Job(run, result)

    return make


def stream_step(D, U, arrays):
    weights, x = split(arrays, "x")
    x = [x[t : t + 1][None] for t in range(len(x))]
    t, state = 0, (jnp.zeros((1, U)), jnp.zeros((1, U)))

    @jax.jit
    def step(weights, state, x):
        h, state = lstm(weights, x, 1, state)
        return state, dense(weights, h)

    def run(steps):
        nonlocal t, state
        for _ in range(steps):
            state, y = step(weights, state, x[t])
            t = (t + 1) % len(x)
        return y.block_until_ready()

    return worker.Job(run, lambda steps: run(steps)[0, 0, 0])


def gemm(M, K, N, arrays):
    run = repeated(jax.jit(jnp.dot), jnp.ones((M, K)), jnp.ones((K, N)))
    return worker.Job(run, lambda _: 0)


worker.serve(
    f"JAX {jax.__version__}",
    {
        "index2_step": lambda N, T, D, U, arrays: training_job(index2_loss, T, arrays),
        "index2_epoch": index2_epoch,
        "dummy_step": lambda N, T, D, U, arrays: training_job(dummy_loss, T, arrays),
        "lstm_forward": lambda N, T, D, U, arrays: forward_job(lstm, T, arrays),
        "lstm_train": lambda N, T, D, U, arrays: backward_job(lstm, T, arrays),
        "lstm_lengths_train": lambda N, T, D, U, arrays: backward_job(lstm, T, arrays),
        "gru_forward": lambda N, T, D, U, arrays: forward_job(gru, T, arrays),
        "gru_train": lambda N, T, D, U, arrays: backward_job(gru, T, arrays),
        "step_attention_train": attention_train(step_attention),
        "luong_attention_train": attention_train(luong_attention),
        "stream_step": stream_step,
        "gemm": gemm,
    },
)
