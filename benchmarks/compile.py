"""How long a program that trains with heed takes to compile, and how big it is.

    python3 benchmarks/compile.py

compile/train.cpp includes heed/heed.hpp and trains a model: once from headers alone, and once with HEED_COMPILED, linked to
what cmake/compiled.cpp has compiled (the CMake target heed::compiled). compile/multiply.cpp includes Eigen/Dense and
multiplies two matrices. They are compiled in turns, each a few times; a time is the median of what the compiler and the
linker took of the processor in user mode.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PROGRAMS = {  # title, source, options, whether what is compiled once is linked to it
    "train": ("heed/heed.hpp, trains the index-2 model", HERE / "compile/train.cpp", [], False),
    "with compiled": ("the same with heed::compiled", HERE / "compile/train.cpp", ["-DHEED_COMPILED"], True),
    "compiled": ("heed::compiled, once a project", ROOT / "cmake/compiled.cpp", ["-DHEED_COMPILED", "-c"], False),
    "multiply": ("Eigen/Dense, multiplies two matrices", HERE / "compile/multiply.cpp", [], False),
}


def user_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run(command, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"), help="default: $CXX, or g++")
    parser.add_argument("--flags", default="-O2", help="default: %(default)s")
    parser.add_argument("--eigen", default="/usr/include/eigen3", help="Eigen's folder; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    options = parser.parse_args()

    compiler = [*options.compiler.split(), "-std=c++20", *options.flags.split(), f"-I{ROOT / 'include'}"]
    compiler += ["-isystem", options.eigen]
    seconds = {name: [] for name in PROGRAMS}
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        compiled = pathlib.Path(folder) / "compiled"
        subprocess.run([*compiler, "-DHEED_COMPILED", "-c", ROOT / "cmake/compiled.cpp", "-o", compiled], check=True)
        for _ in range(options.rounds):
            for name, (_, source, flags, with_compiled) in PROGRAMS.items():
                made = pathlib.Path(folder) / name
                linked = [compiled] if with_compiled else []
                seconds[name].append(user_seconds([*compiler, *flags, source, *linked, "-o", made]))
                if "-c" not in flags:
                    subprocess.run(["strip", made], check=True)
                    sizes[name] = made.stat().st_size

    median = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{options.compiler} {options.flags}, median of {options.rounds}\n")
    print(f"{'program':40}  {'user time':>9}  {'ratio':>5}  {'stripped':>9}")
    print("-" * 69)
    for name, (title, *_) in PROGRAMS.items():
        size = f"{sizes[name] / 1024:6.0f} KiB" if name in sizes else ""
        print(f"{title:40}  {median[name]:7.2f} s  {median[name] / median['multiply']:5.2f}  {size}".rstrip())


if __name__ == "__main__":
    main()
