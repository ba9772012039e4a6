#!/usr/bin/env python3
"""Shows that the tests can see: breaks heed in one place at a time and expects a test to fail.

    python3 tests/mutation/run.py                 all of them
    python3 tests/mutation/run.py --sample 20     some of them, of few headers, whose tests compile sooner
    python3 tests/mutation/run.py --only lstm     those whose header or description says so

mutants.txt lists the mutants; its head says how. Each is one change in a copy of one header. A mutant is
killed when a test fails, crashes or runs out of time; it is an error when it survives, does not compile,
or cannot be made because its line is not in the header exactly once.

The tests take minutes to compile and are compiled once, without optimisation: every call is then one that
the linker resolves, and of several equal inline functions it takes the first that it sees. For a mutant only
the functions that its section of mutants.txt names are compiled, from the mutated header, and stand in front
of those in the tests.

The environment says CXX (g++), CPPFLAGS (where Eigen and Catch2 are, if not where they usually are), and
CMAKE_CXX_COMPILER_LAUNCHER (such as ccache, for the tests).
"""

import argparse
import concurrent.futures
import dataclasses
import html
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE, TESTS = ROOT / "include", ROOT / "tests"
LIST = pathlib.Path(__file__).with_name("mutants.txt")

SECONDS = 300  # for the tests of one mutant
HEADERS = 5    # of a sample

# What no mutant changes is compiled once for all of them.
COMMON = ["Eigen/Core", "algorithm", "charconv", "cmath", "functional", "memory", "span", "string",
          "variant", "vector"]


@dataclasses.dataclass
class Section:
    """Mutants of one header: the tests that should see them, and the functions to compile."""
    header: str
    tests: list = dataclasses.field(default_factory=list)
    functions: list = dataclasses.field(default_factory=list)
    includes: list = dataclasses.field(default_factory=list)

    @property
    def folder(self):
        return self.tests[0].split("/")[0]

    def code(self, kept):
        """What compiles the functions; those to keep are declared only, and stay where the tests have them."""
        name = re.sub(r"\W", "_", self.header)
        lines = [f"#include <{path}>" for path in (self.header, *self.includes)]
        for header, declaration in kept:
            if pathlib.Path(header).parent != pathlib.Path(self.header).parent:
                lines += [f"#include <{header}>", f"namespace heed {{ extern {declaration}; }}"]
        lines += [f"namespace {name} {{", "using namespace heed;"]
        for number, function in enumerate(self.functions):
            lines.append(f"[[gnu::used]] const auto use_{number} = {function};")
        return "\n".join(lines + ["}", ""])


@dataclasses.dataclass
class Mutant:
    section: Section
    what: str
    line: int
    old: str = None
    new: str = None


class Broken(Exception):
    """The list, the tests or a mutant is not as it should be."""


def read_mutants(path):
    mutants, kept, section = [], [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, _, value = line.partition(" ")
        value = value.strip()
        if key == "keep":
            header, _, declaration = value.partition(" ")
            kept.append((header, declaration))
        elif key == "header":
            section = Section(value)
        elif key == "tests":
            section.tests += value.split()
        elif key == "include":
            section.includes += value.split()
        elif key == "use":
            section.functions.append(value)
        elif key == "*":
            mutants.append(Mutant(section, value, number))
        elif key == "-" and mutants[-1].old is None:
            mutants[-1].old = value
        elif key == "+" and mutants[-1].new is None:
            mutants[-1].new = value
        else:
            raise Broken(f"{path.name}:{number}: cannot read: {line}")
    for mutant in mutants:
        if mutant.old is None or mutant.new is None or mutant.old == mutant.new:
            raise Broken(f"{path.name}:{mutant.line}: a mutant needs a line - and another line +")
    return mutants, kept


def mutate(mutant):
    text = (INCLUDE / mutant.section.header).read_text()
    if (count := text.count(mutant.old)) != 1:
        raise Broken(f"{mutant.section.header} has {count} times: {mutant.old}")
    return text.replace(mutant.old, mutant.new)


class Builder:
    def __init__(self, work):
        self.work = work
        self.compiler = shlex.split(os.environ.get("CXX", "g++"))
        self.launcher = shlex.split(os.environ.get("CMAKE_CXX_COMPILER_LAUNCHER", ""))
        found = shlex.split(os.environ.get("CPPFLAGS", "-isystem /usr/include/eigen3"))
        golden = f'-DHEED_TEST_DATA="{TESTS / "golden"}"'
        self.flags = ["-std=c++20", "-O0", "-w", "-pthread", golden, *found]
        self.own = ["-I", str(INCLUDE), "-I", str(TESTS)]
        self.libraries = ["-lCatch2Main", "-lCatch2"] if self.has_catch3() else []

    def run(self, *command):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise Broken("\n".join((done.stderr or done.stdout).splitlines()[:12]))

    def has_catch3(self):
        source = self.work / "catch3.cpp"
        source.write_text("#include <catch2/catch_all.hpp>\n")
        return subprocess.run([*self.compiler, *self.flags, "-E", source, "-o", os.devnull],
                              capture_output=True).returncode == 0

    def make_common(self):
        header = self.work / "common.hpp"
        header.write_text("".join(f"#include <{name}>\n" for name in COMMON))
        self.run(*self.compiler, *self.flags, "-x", "c++-header", header, "-o", f"{header}.gch")

    def compile(self, source, target, includes=(), tests=False):
        first = [part for path in includes for part in ("-I", path)]
        common = [] if tests else ["-include", self.work / "common.hpp"]
        self.run(*(self.launcher if tests else []), *self.compiler, *self.flags, *first, *self.own,
                 *common, "-c", source, "-o", target)
        return target

    def compile_tests(self, name, sources):
        source = self.work / f"{name}.cpp"
        source.write_text("".join(f'#include "{path}"\n' for path in sources))
        return self.compile(source, self.work / f"{name}.o", tests=True)

    def link(self, program, objects):
        self.run(*self.compiler, "-pthread", *objects, "-o", program, *self.libraries)
        return program


def run_tests(program, tests):
    """The name of the test case that failed first; None when all passed."""
    files = ",".join(f"[#{pathlib.Path(test).stem}]" for test in tests)
    command = [program, "--filenames-as-tags", "--abort", "--reporter", "xml", files]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, errors="replace", timeout=SECONDS)
        output, verdict = done.stdout, f"status {done.returncode}"
        if done.returncode == 0:
            if "<TestCase" not in output:
                raise Broken(f"no test matches {files}")
            return None
    except subprocess.TimeoutExpired as expired:
        output, verdict = (expired.stdout or b"").decode(errors="replace"), "out of time"
    names = re.findall(r'<TestCase name="([^"]*)"', output)
    if not names:
        raise Broken(f"{program} has run no test: {verdict}")
    return html.unescape(names[-1])


class Runner:
    def __init__(self, mutants, kept, jobs, work):
        self.mutants, self.kept, self.jobs, self.work = mutants, kept, jobs, work
        self.builder = Builder(work)
        self.sections = list({id(m.section): m.section for m in mutants}.values())
        self.objects = {}

    def each(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            yield from pool.map(function, items)

    def prepare(self):
        """Compiles the tests, and sees them pass with all functions from headers as they are."""
        tests = {}
        for section in self.sections:
            known = tests.setdefault(section.folder, [])
            known += [test for test in section.tests if test not in known]
        support = ["support/allocations.cpp", "support/fsync.cpp"]
        if not self.builder.libraries:
            support.append("support/main.cpp")
        units = [(folder, files) for folder, files in tests.items()] + \
                [(pathlib.Path(file).stem, [file]) for file in support]
        self.builder.make_common()
        made = dict(zip([name for name, _ in units],
                        self.each(lambda unit: self.builder.compile_tests(*unit), units)))
        shared = [made[pathlib.Path(file).stem] for file in support]
        self.objects = {folder: [made[folder], *shared] for folder in tests}

        def sound(folder):
            source = self.work / f"{folder}_sound.cpp"
            source.write_text("".join(s.code(self.kept) for s in self.sections if s.folder == folder))
            functions = self.builder.compile(source, source.with_suffix(".o"))
            program = self.builder.link(source.with_suffix(""), [functions, *self.objects[folder]])
            return folder, run_tests(program, tests[folder])

        for folder, failed in self.each(sound, tests):
            if failed:
                raise Broken(f"without any mutant, a test of {folder} fails: {failed}")
        return sum(len(files) for files in tests.values())

    def kill(self, numbered):
        """The test that sees a mutant; None when none does."""
        number, mutant = numbered
        section, start = mutant.section, time.monotonic()
        folder = self.work / f"mutant_{number}"
        header = folder / section.header
        header.parent.mkdir(parents=True, exist_ok=True)
        try:
            header.write_text(mutate(mutant))
            source = folder / "functions.cpp"
            source.write_text(section.code(self.kept))
            functions = self.builder.compile(source, folder / "functions.o", [folder])
            program = self.builder.link(folder / "tests", [functions, *self.objects[section.folder]])
            killer, error = run_tests(program, section.tests), None
        except Broken as broken:
            killer, error = None, str(broken)
        shutil.rmtree(folder)
        return mutant, killer, error, time.monotonic() - start

    def run(self):
        killed, header = 0, None
        for mutant, killer, error, seconds in self.each(self.kill, enumerate(self.mutants)):
            if mutant.section.header != header:
                header = mutant.section.header
                print(f"\n{header}")
            killed += killer is not None
            verdict = f"killed by: {killer}" if killer else f"NOT MADE: {error}" if error else "SURVIVED"
            print(f"  {mutant.what:58} {verdict}  ({seconds:.0f} s)", flush=True)
        return killed


def draw(mutants, count, source):
    """So many mutants of HEADERS headers."""
    headers = sorted({mutant.section.header for mutant in mutants})
    headers = source.sample(headers, min(HEADERS, len(headers)))
    mutants = [mutant for mutant in mutants if mutant.section.header in headers]
    chosen = source.sample(range(len(mutants)), min(count, len(mutants)))
    return [mutants[i] for i in sorted(chosen)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--only", metavar="REGEX", help="mutants whose header or description matches")
    parser.add_argument("--sample", type=int, metavar="K", help=f"K mutants of {HEADERS} headers, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "mutation",
                        help="where to build; of one run at a time")
    options = parser.parse_args()

    start = time.monotonic()
    mutants, kept = read_mutants(LIST)
    for mutant in mutants:
        mutate(mutant)  # all of them have to fit, also those that are not run
    if options.only:
        mutants = [m for m in mutants if re.search(options.only, f"{m.section.header} {m.what}")]
    if options.sample is not None:
        mutants = draw(mutants, options.sample, random.Random(options.seed))
    options.work.mkdir(parents=True, exist_ok=True)
    runner = Runner(mutants, kept, options.jobs, options.work)
    files = runner.prepare()
    print(f"{files} test files pass without a mutant ({time.monotonic() - start:.0f} s)", flush=True)
    killed = runner.run()
    print(f"\n{len(mutants)} mutants, {killed} killed ({time.monotonic() - start:.0f} s)")
    return 0 if killed == len(mutants) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as broken:
        sys.exit(f"run.py: {broken}")
