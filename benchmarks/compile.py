"""How long a program that trains with heed takes to compile, and how big it is.

    python3 benchmarks/compile.py

compile/train.cpp includes heed/heed.hpp and trains a model; compile/multiply.cpp includes Eigen/Dense and multiplies two
matrices. Both are compiled in turns, each a few times; a time is the median of what the compiler and the linker took of
the processor in user mode.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = {
    "train": "heed/heed.hpp, trains the index-2 model",
    "multiply": "Eigen/Dense, multiplies two matrices",
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

    include = [f"-I{HERE.parent / 'include'}", "-isystem", options.eigen]
    seconds = {name: [] for name in PROGRAMS}
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for name in PROGRAMS:
                program = pathlib.Path(folder) / name
                source = HERE / "compile" / f"{name}.cpp"
                command = [*options.compiler.split(), "-std=c++20", *options.flags.split(), *include, source]
                seconds[name].append(user_seconds([*map(str, command), "-o", str(program)]))
                subprocess.run(["strip", program], check=True)
                sizes[name] = program.stat().st_size

    median = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{options.compiler} {options.flags}, median of {options.rounds}\n")
    print(f"{'program':40}  {'user time':>9}  {'stripped':>9}")
    print("-" * 62)
    for name, title in PROGRAMS.items():
        print(f"{title:40}  {median[name]:7.2f} s  {sizes[name] / 1024:6.0f} KiB")
    print(f"\nratio of the times: {median['train'] / median['multiply']:.2f}")


if __name__ == "__main__":
    main()
