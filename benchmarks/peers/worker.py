"""What the Python workers of compare.py share; benchmarks/support/worker.hpp says the commands they answer."""

import os
import sys
import time

import numpy

# Frameworks print what they like; only answers go to the real stdout.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


class Job:
    """Work that is ready to be done: `run(k)` does it k times and waits for the last, `result(k)` says what came out
    of as many, and `note` how it is done where there was a choice."""

    def __init__(self, run, result, note=""):
        self.run, self.result, self.note = run, result, note


def read_arrays(path):
    arrays = {}
    with open(path, "rb") as file:
        while line := file.readline():
            name, *shape = line.decode().split()
            shape = [int(dim) for dim in shape]
            arrays[name] = numpy.fromfile(file, numpy.float32, int(numpy.prod(shape))).reshape(shape)
    return arrays


def seconds_of(run, iterations):
    start = time.perf_counter()
    run(iterations)
    return (time.perf_counter() - start) / iterations


def fastest(candidates):
    """Of functions that make jobs, by the way they go, the one whose job is fastest, made anew. The first one where
    compare.py is in a hurry."""
    if os.environ.get("HEED_COMPARE_QUICK"):
        way, make = next(iter(candidates.items()))
        job = make()
        job.note = way
        return job
    seconds = {}
    for way, make in candidates.items():
        try:
            job = make()
            job.run(2)
            iterations = min(20, int(0.1 / seconds_of(job.run, 1)) + 1)
            seconds[way] = min(seconds_of(job.run, iterations) for _ in range(3))
        except (TypeError, ValueError, RuntimeError, NotImplementedError):
            pass  # what this version of a framework does not have
    ways = sorted(seconds, key=seconds.get)
    job = candidates[ways[0]]()
    others = ", ".join(f"{way}: {seconds[way] / seconds[ways[0]]:.2f}x" for way in ways[1:])
    job.note = f"{ways[0]}; {others}" if others else ways[0]
    return job


def weigh_gradients(gradients):
    """One number for all gradients, in which each has another share."""
    norms = [numpy.linalg.norm(numpy.asarray(gradient, numpy.float64)) for gradient in gradients]
    return float(sum((i + 1) * norm for i, norm in enumerate(norms)))


def peak_memory():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def serve(about, jobs):
    """Answers until stdin ends. `jobs` has functions of sizes and arrays, by name, that make a Job."""
    job = None
    print("ok", about, file=answers)
    for line in sys.stdin:
        try:
            command, *words = line.split()
            if command == "work":
                name, path, *sizes = words
                if name not in jobs:
                    raise RuntimeError("not measured here")
                job = None
                job = jobs[name](*map(int, sizes), read_arrays(path))
                answer = job.note
            elif command == "memory":
                answer = peak_memory()
            elif command == "time":
                answer = repr(seconds_of(job.run, int(words[0])))
            else:
                answer = repr(float(job.result(int(words[0]))))
            print("ok", answer, file=answers)
        except Exception as error:  # the worker lives on, for other work
            print("no", f"{type(error).__name__}: {error}".splitlines()[0], file=answers)
