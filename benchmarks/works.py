"""What compare.py measures: the works with their weights and data, and what heed sets out to reach."""

import dataclasses
import sys

try:
    import numpy
except ImportError:
    sys.exit("compare.py needs numpy, which run.sh sets up; Debian has it in the package python3-numpy")


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    sizes: tuple
    threads: int = 1
    quick: bool = False  # also in a run with --quick

    @property
    def title(self):
        return f"{self.name} ({', '.join(map(str, self.sizes))})"


# (N, T, D, U)
INDEX2 = (64, 10, 2, 32)
INDEX2_TWO_THREADS = (256, 10, 2, 32)
DUMMY = (32, 10, 1, 64)
LSTM = [INDEX2, DUMMY, (64, 100, 64, 128), (256, 50, 128, 256), (64, 100, 256, 512), (1, 100, 64, 128)]
# Of sequences whose lengths are drawn uniformly.
LENGTHS = [(64, 100, 64, 128), (256, 50, 128, 256), (64, 30, 12, 32)]
ATTENTION = [(64, 10, 32), (64, 100, 256)]  # (N, T, U)
STREAM = [(1, 8), (1, 16), (1, 32), (2, 32), (1, 64), (16, 128)]  # (D, U)
GEMM = (512, 512, 512)
EPOCH_SAMPLES = 90_000

BOUND = Work("bound", INDEX2, quick=True)
EIGEN_GEMM = Work("eigen_gemm", GEMM, quick=True)
EPOCH = Work("index2_epoch", INDEX2)

WORKS = [
    Work("gemm", GEMM, quick=True),
    EIGEN_GEMM,
    Work("index2_step", INDEX2, quick=True),
    BOUND,
    Work("dummy_step", DUMMY, quick=True),
    *[Work("lstm_forward", sizes, quick=sizes in LSTM[:2]) for sizes in LSTM],
    *[Work("lstm_train", sizes, quick=sizes in LSTM[:2]) for sizes in LSTM],
    Work("lstm_train", LENGTHS[2], quick=True),
    *[Work("lstm_lengths_train", sizes, quick=sizes == LENGTHS[2]) for sizes in LENGTHS],
    *[Work("gru_forward", sizes, quick=sizes in LSTM[:2]) for sizes in LSTM],
    *[Work("gru_train", sizes, quick=sizes in LSTM[:2]) for sizes in LSTM],
    *[Work("step_attention_train", sizes, quick=sizes == ATTENTION[0]) for sizes in ATTENTION],
    *[Work("luong_attention_train", sizes, quick=sizes == ATTENTION[0]) for sizes in ATTENTION],
    *[Work("stream_step", sizes, quick=sizes == (1, 32)) for sizes in STREAM],
    # One thread and two, of the same work.
    Work("index2_step", INDEX2_TWO_THREADS, quick=True),
    Work("index2_step", INDEX2_TWO_THREADS, threads=2, quick=True),
    *[Work("lstm_train", sizes, threads=2) for sizes in LSTM[2:5]],
]

# Without a result that others could have as well.
HEED_ALONE = {"bound", "eigen_gemm"}
WITHOUT_RESULT = {"gemm", *HEED_ALONE}

# RTNeural with sizes known at compile time and Eigen: nanoseconds a step, of an LSTM and a Dense(1), on a machine where
# Eigen's sgemm of 512 x 512 matrices, by g++ 12, did 179 GFLOP/s. On others the time is scaled by that rate.
RTNEURAL = {(1, 8): 50, (1, 16): 55, (1, 32): 82, (1, 64): 569, (16, 128): 2371}
RTNEURAL_GEMM = 179e9


@dataclasses.dataclass(frozen=True)
class Target:
    """heed takes at most `peer`'s time divided by `factor`. Peers that no worker is: `bound`, `rtneural`, `heed`,
    which is heed with one thread, and `padded`, which is heed's time for the same batch without a mask."""

    work: Work
    peer: str
    factor: float


TARGETS = [
    Target(Work("index2_step", INDEX2), "libtorch", 8),
    Target(Work("index2_step", INDEX2), "jax", 3),
    Target(Work("index2_step", INDEX2), "keras", 15),
    Target(Work("index2_step", INDEX2), "bound", 1 / 1.5),
    Target(Work("dummy_step", DUMMY), "libtorch", 6),
    Target(Work("dummy_step", DUMMY), "keras", 15),
    Target(Work("lstm_train", (64, 100, 64, 128)), "torch", 1.5),
    Target(Work("lstm_train", (64, 100, 256, 512)), "torch", 1),
    Target(Work("lstm_train", (256, 50, 128, 256)), "torch", 1),
    Target(Work("lstm_forward", (1, 100, 64, 128)), "torch", 4),
    Target(Work("lstm_lengths_train", LENGTHS[0]), "torch", 5),
    Target(Work("lstm_lengths_train", LENGTHS[1]), "torch", 2.5),
    *[Target(Work("lstm_lengths_train", sizes), "padded", 1 / 0.6) for sizes in LENGTHS],
    *[Target(Work("stream_step", sizes), "rtneural", 1) for sizes in RTNEURAL],
    Target(Work("index2_step", INDEX2_TWO_THREADS, threads=2), "heed", 1.7),
    *[Target(Work("lstm_train", sizes, threads=2), "heed", 1.7) for sizes in LSTM[2:5]],
]
EPOCH_MEMORY = 48e6


def operations(work):
    """Floating-point operations of one iteration, where that is worth saying."""
    if work.name in ("gemm", "eigen_gemm"):
        M, K, N = work.sizes
        return 2 * M * K * N
    if work.name in ("lstm_forward", "lstm_train"):
        N, T, D, U = work.sizes
        forward = 2 * N * T * (D + U) * 4 * U
        # Backward has the products of forward once more for the weights, and those with U for h.
        return forward if work.name == "lstm_forward" else 2 * forward + 2 * N * T * U * 4 * U
    return None


class Draw:
    """Weights as heed and Keras begin with, and data; the same numbers every time."""

    def __init__(self):
        self.random = numpy.random.default_rng(1)

    def glorot(self, *shape):
        limit = (6 / (shape[0] + shape[-1])) ** 0.5
        return self.random.uniform(-limit, limit, shape)

    def normal(self, *shape, scale=1.0):
        return self.random.normal(0, scale, shape)

    def lstm(self, D, U):
        recurrent, _ = numpy.linalg.qr(self.normal(4 * U, U))
        bias = numpy.zeros(4 * U)
        bias[U : 2 * U] = 1  # of the forget gate
        return {"lstm/kernel": self.glorot(D, 4 * U), "lstm/recurrent_kernel": recurrent.T, "lstm/bias": bias}

    def gru(self, D, U):
        recurrent, _ = numpy.linalg.qr(self.normal(3 * U, U))
        bias = self.normal(2, 3 * U, scale=0.1)
        return {"gru/kernel": self.glorot(D, 3 * U), "gru/recurrent_kernel": recurrent.T, "gru/bias": bias}

    def counts(self, N, T):
        """Which steps count of sequences of 1 to T steps."""
        lengths = self.random.integers(1, T + 1, (N, 1))
        return (numpy.arange(T)[None] < lengths).astype(float)

    def dense(self, inputs, outputs=1):
        return {"dense/kernel": self.glorot(inputs, outputs), "dense/bias": numpy.zeros(outputs)}

    def step_attention(self, T):
        return {"attention/kernel": self.glorot(T, T), "attention/bias": numpy.zeros(T)}

    def luong_attention(self, U, units):
        return {"attention/score_kernel": self.glorot(U, U), "attention/vector_kernel": self.glorot(2 * U, units)}

    def index2(self, samples, T, D, U):
        """Noise, but step 2 holds the answer."""
        x, y = self.normal(samples, T, D, scale=10), self.random.integers(0, 2, (samples, 1))
        x[:, 2, :] = y
        return {"x": x, "y": y, **self.lstm(D, U), **self.step_attention(T), **self.dense(T * U)}


def draw_arrays(work):
    draw = Draw()
    sizes = work.sizes
    if work.name == "index2_step":
        return draw.index2(*sizes)
    if work.name == "index2_epoch":
        return draw.index2(EPOCH_SAMPLES, *sizes[1:])
    if work.name == "dummy_step":
        N, T, D, U = sizes
        data = {"x": draw.normal(N, T, D), "y": draw.normal(N, 1)}
        return {**data, **draw.lstm(D, U), **draw.luong_attention(U, 32), **draw.dense(32)}
    if work.name in ("lstm_forward", "lstm_train"):
        N, T, D, U = sizes
        return {"x": draw.normal(N, T, D), "dy": draw.normal(N, T, U), **draw.lstm(D, U)}
    if work.name == "lstm_lengths_train":
        # Nothing comes back from steps that do not count, so that a padded batch has the same gradients.
        N, T, D, U = sizes
        counts = draw.counts(N, T)
        data = {"x": draw.normal(N, T, D), "dy": draw.normal(N, T, U) * counts[:, :, None], "counts": counts}
        return {**data, **draw.lstm(D, U)}
    if work.name in ("gru_forward", "gru_train"):
        N, T, D, U = sizes
        return {"x": draw.normal(N, T, D), "dy": draw.normal(N, T, U), **draw.gru(D, U)}
    if work.name == "step_attention_train":
        N, T, U = sizes
        return {"x": draw.normal(N, T, U), "dy": draw.normal(N, T, U), **draw.step_attention(T)}
    if work.name == "luong_attention_train":
        N, T, U = sizes
        return {"x": draw.normal(N, T, U), "dy": draw.normal(N, U), **draw.luong_attention(U, U)}
    if work.name == "stream_step":
        D, U = sizes
        return {"x": draw.normal(64, D), **draw.lstm(D, U), **draw.dense(U)}
    return {}


def write_arrays(path, arrays):
    """A line `NAME DIM...` and the float32 values, for each array."""
    with open(path, "wb") as file:
        for name, array in arrays.items():
            file.write(f"{name} {' '.join(map(str, array.shape))}\n".encode())
            file.write(numpy.ascontiguousarray(array, numpy.float32).tobytes())
