"""The workers of compare.py: finding, building, starting and asking them."""

import os
import pathlib
import select
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = {"torch": "PyTorch", "libtorch": "libtorch", "keras": "Keras", "jax": "JAX"}
# What a Python has to have, and where one gets it.
PYTHON_PEERS = {
    "torch": (["torch", "numpy"], "Debian has it in the packages python3-torch and python3-numpy, PyPI in torch"),
    "keras": (["keras", "tensorflow"], "PyPI has it in keras and tensorflow-cpu"),
    "jax": (["jax"], "PyPI has it in jax"),
}


class Missing(Exception):
    """A peer that is not here; the text says how to get it."""


class Failed(Exception):
    """A worker that ended or does not answer."""


class Refused(Exception):
    """Work that a worker does not do; the text says why."""


def find_python(peer, given):
    """A Python that has the peer: the given one, or the first of those that are there."""
    modules, advice = PYTHON_PEERS[peer]
    # Debian's packages belong to its own Python, which need not be the first one on the path.
    candidates = [given] if given else [sys.executable, "python3", "/usr/bin/python3"]
    question = f"import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in {modules}))"
    for python in candidates:
        try:
            if subprocess.run([python, "-c", question], capture_output=True).returncode == 0:
                return python
        except OSError:
            pass
    where = f"{given} has no {' and '.join(modules)}" if given else "not found"
    raise Missing(f"{where}; {advice}, and --python-{peer} PATH names a Python that has it")


def cmake(source, folder, target, *definitions):
    """Configures and builds; the path of the program."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "compare.log"
    commands = [
        ["cmake", "-S", source, "-B", folder, *definitions],
        ["cmake", "--build", folder, "--target", target],
    ]
    with open(log, "w") as output:
        for command in commands:
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode != 0:
                raise Failed(f"{target} could not be built; {log} says why")
    return folder / target


def build_heed(folder):
    """As the preset `benchmarks` does, but in any folder."""
    on = ["HEED_BENCHMARKS"]
    off = ["HEED_TESTS", "HEED_EXAMPLES", "HEED_IO"]
    switches = [f"-D{name}=ON" for name in on] + [f"-D{name}=OFF" for name in off]
    release = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O3 -march=native -DNDEBUG"]
    return cmake(ROOT, folder, "heed_worker", *switches, *release).parent / "benchmarks" / "heed_worker"


def build_libtorch(folder, prefix):
    source = HERE / "peers" / "libtorch"
    definitions = [f"-DCMAKE_PREFIX_PATH={prefix}"] if prefix else []
    try:
        return cmake(source, folder, "libtorch_worker", *definitions)
    except Failed as error:
        log = (folder / "compare.log").read_text()
        if "libtorch is not installed" in log:
            advice = "Debian has it in the package libtorch-dev, and --libtorch PREFIX names another one"
            raise Missing(f"not found; {advice}") from None
        raise Missing(str(error)) from None


def environment(threads, quick=False):
    """Every library that has threads is told how many. Threads of OpenMP that wait for work sleep: they would otherwise
    run on, beside the worker whose turn it is, and lose most of their time where anything else runs on the machine."""
    count = str(threads)
    xla = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'} intra_op_parallelism_threads={threads}"
    return {
        **os.environ,
        "OMP_NUM_THREADS": count,
        "OMP_WAIT_POLICY": "passive",
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "XLA_FLAGS": xla,
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"HEED_COMPARE_QUICK": "1"} if quick else {}),
    }


class Worker:
    """A process that stays, to be asked in turns with others. It may run on as many processors as it has threads."""

    def __init__(self, command, threads, log, quick=False, patience=900):
        processors = sorted(os.sched_getaffinity(0))[-threads:]
        self.patience = patience
        with open(log, "w") as errors:
            self.process = subprocess.Popen(
                [*map(str, command), str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment(threads, quick),
                preexec_fn=lambda: os.sched_setaffinity(0, processors),
            )
        self.log = log
        self.about = self.read()

    def read(self):
        ready, _, _ = select.select([self.process.stdout], [], [], self.patience)
        line = self.process.stdout.readline().decode() if ready else ""
        if not line:
            self.process.kill()
            reason = f"ended (status {self.process.wait()})" if ready else f"did not answer for {self.patience} s"
            raise Failed(f"{reason}; see {self.log}")
        status, _, answer = line.strip().partition(" ")
        if status != "ok":
            raise Refused(answer)
        return answer

    def ask(self, *words):
        try:
            self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # reading says what happened
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
