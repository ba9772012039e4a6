"""Runs heed and its peers on the same work, in turns, and compares.

    python3 benchmarks/compare.py                  # everything, about ten minutes
    python3 benchmarks/compare.py --quick          # does everything agree? About a minute
    python3 benchmarks/compare.py --only 'lstm_*'  # some of it

Each peer that is found is started once for each number of threads and kept, on as many processors as it has threads. All
begin with the same weights and data, and must come to the same result: the loss after 20 steps, or the norm of what they
computed, to 1e-4. Then they take short turns, round after round; a time is the median of the rounds, a ratio that of two
medians. The status is 0 when all came to the same results; with --targets it is 1 also when heed misses one of the targets
of works.py.
"""

import argparse
import dataclasses
import fnmatch
import json
import os
import pathlib
import statistics
import sys
import time

import report
import works
from workers import PEERS, ROOT, Failed, Missing, Refused, Worker, build_heed, build_libtorch, find_python

STEPS = 20
TOLERANCE = 1e-4
LONGEST = 20  # seconds that one work should take, all workers together


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=",".join(PEERS), help="which, of %(default)s; heed is always there")
    parser.add_argument("--only", default="*", metavar="NAMES", help="works by name, such as 'index2_step,lstm_*'")
    parser.add_argument("--rounds", type=int, help="turns that each takes at each work, at most (default: 21, quick: 5)")
    parser.add_argument("--turn", type=float, help="seconds of a turn, at least (default: 0.08, quick: 0.02)")
    parser.add_argument("--quick", action="store_true", help="small works only, and few rounds")
    parser.add_argument("--targets", action="store_true", help="fail when heed misses a target")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw the ratios there")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every single time there")
    for name, framework in (("torch", "PyTorch"), ("keras", "Keras and TensorFlow"), ("jax", "JAX")):
        parser.add_argument(
            f"--python-{name}", action="append", metavar="PATH", help=f"a Python with {framework}; may be repeated"
        )
    parser.add_argument("--libtorch", action="append", metavar="PREFIX", help="where a libtorch is; may be repeated")
    parser.add_argument("--heed-worker", type=pathlib.Path, metavar="FILE", help="the program, instead of building it")
    build = ROOT / "build" / "benchmarks"
    parser.add_argument("--build", type=pathlib.Path, default=build, metavar="FOLDER", help="default: build/benchmarks")
    options = parser.parse_args()
    unknown = set(options.peers.split(",")) - {*PEERS, ""}
    if unknown:
        parser.error(f"there is no peer {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    options.rounds = options.rounds or (5 if options.quick else 21)
    options.turn = options.turn or (0.02 if options.quick else 0.08)
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclasses.dataclass
class Peer:
    key: str  # unique: torch, torch_2
    family: str  # of PEERS, or heed
    command: list
    name: str = ""  # with its version, as it says it
    workers: dict = dataclasses.field(default_factory=dict)  # by number of threads

    @property
    def short_name(self):
        number = self.key.removeprefix(self.family).replace("_", " ")
        return PEERS.get(self.family, "heed") + number

    def worker(self, threads, options):
        if threads not in self.workers:
            log = options.build / f"{self.key}_{threads}.log"
            self.workers[threads] = Worker(self.command, threads, log, options.quick)
            self.name = self.workers[threads].about
        return self.workers[threads]


def find_peers(options):
    """heed, and the peers that are here."""
    folder = options.build
    peers = [Peer("heed", "heed", [options.heed_worker or build_heed(folder)])]
    for family in options.peers.split(",") if options.peers else []:
        given = getattr(options, "libtorch" if family == "libtorch" else f"python_{family}") or [None]
        for number, place in enumerate(given, 1):
            key = family if number == 1 else f"{family}_{number}"
            try:
                if family == "libtorch":
                    command = [build_libtorch(folder / key, place)]
                else:
                    script = pathlib.Path(__file__).parent / "peers" / f"{family}_worker.py"
                    command = [find_python(family, place), script]
                peers.append(Peer(key, family, command))
            except Missing as reason:
                say(f"{PEERS[family]}: {reason}.")
    return peers


@dataclasses.dataclass
class Measurement:
    """What came out of one work."""

    work: works.Work
    seconds: dict = dataclasses.field(default_factory=dict)  # by peer: one a round
    results: dict = dataclasses.field(default_factory=dict)  # by peer
    notes: dict = dataclasses.field(default_factory=dict)  # by peer: how it was done
    memory: dict = dataclasses.field(default_factory=dict)  # by peer: bytes

    def median(self, peer):
        return statistics.median(self.seconds[peer]) if self.seconds.get(peer) else None

    def disagreements(self):
        """Peers whose result is not heed's, with both."""
        expected = self.results.get("heed")
        if expected is None:
            return []
        wrong = []
        for peer, result in self.results.items():
            # Not `>`, which NaN would pass.
            if not abs(result - expected) <= TOLERANCE * abs(expected):
                wrong.append((peer, result, expected))
        return wrong


class Comparison:
    def __init__(self, peers, options):
        self.peers, self.options = peers, options
        self.folder = options.build
        self.complaints = []

    def ready_workers(self, work, measurement, fresh=False):
        """The workers that have taken up the work and said their result."""
        path = self.folder / "arrays"
        works.write_arrays(path, works.draw_arrays(work))
        workers = {}
        for peer in list(self.peers):
            if work.name in works.HEED_ALONE and peer.family != "heed":
                continue
            try:
                if fresh:
                    worker = Worker(peer.command, work.threads, self.folder / f"{peer.key}_{work.name}.log")
                else:
                    worker = peer.worker(work.threads, self.options)
                note = worker.ask("work", work.name, path.resolve(), *work.sizes)
                if note:
                    measurement.notes[peer.key] = note
                result = float(worker.ask("result", STEPS))
                if work.name not in works.WITHOUT_RESULT:
                    measurement.results[peer.key] = result
                workers[peer.key] = worker
            except Refused as reason:
                if peer.family == "heed":
                    say(f"  not measured: {reason}")
                    return {}
                if "not measured" not in str(reason):
                    say(f"  {peer.key}: {reason}")
            except Failed as reason:
                if peer.family == "heed":
                    raise
                self.complaints.append(f"{peer.key} at {work.title}: {reason}")
                self.peers.remove(peer)
        return workers

    def take_turns(self, workers, measurement):
        """Each with as many iterations a turn as fit into it; fewer rounds where one iteration is longer than a turn."""
        iterations, turns = {}, 0
        for key, worker in workers.items():
            worker.ask("time", 1)
            guess = self.options.turn / max(float(worker.ask("time", 1)), 1e-9)
            # One iteration is too few to tell how many fit into a turn.
            seconds = float(worker.ask("time", min(max(1, round(guess)), 1000)))
            iterations[key] = max(1, round(self.options.turn / max(seconds, 1e-9)))
            turns += iterations[key] * seconds
        for _ in range(max(5, min(self.options.rounds, round(LONGEST / turns))) if turns else 0):
            for key, worker in workers.items():
                time.sleep(0.05)  # in which threads that wait for work fall asleep
                measurement.seconds.setdefault(key, []).append(float(worker.ask("time", iterations[key])))

    def measure(self, work):
        measurement = Measurement(work)
        workers = self.ready_workers(work, measurement)
        self.take_turns(workers, measurement)
        return measurement

    def measure_epoch(self):
        """In processes of its own, whose peak of memory is that of this work."""
        measurement = Measurement(works.EPOCH)
        workers = self.ready_workers(works.EPOCH, measurement, fresh=True)
        measurement.seconds = {peer: [] for peer in workers}
        for _ in range(3):
            for peer, worker in workers.items():
                measurement.seconds[peer].append(float(worker.ask("time", 1)))
        for peer, worker in workers.items():
            measurement.memory[peer] = int(worker.ask("memory"))
            worker.close()
        return measurement

    def close(self):
        for peer in self.peers:
            for worker in peer.workers.values():
                worker.close()


def chosen_works(options):
    names = options.only.split(",")
    chosen = [work for work in works.WORKS if any(fnmatch.fnmatch(work.name, name) for name in names)]
    if options.quick:
        chosen = [work for work in chosen if work.quick]
    # What times are measured against.
    if any(work.name == "stream_step" for work in chosen) and works.EIGEN_GEMM not in chosen:
        chosen.insert(0, works.EIGEN_GEMM)
    processors = len(os.sched_getaffinity(0))
    if processors < 2 and any(work.threads > 1 for work in chosen):
        say("one processor: nothing is measured with two threads")
    return [work for work in chosen if work.threads <= processors]


def compare(options):
    options.build.mkdir(parents=True, exist_ok=True)
    comparison = Comparison(find_peers(options), options)
    measurements = []
    for work in chosen_works(options):
        say(f"{work.title}, {work.threads} thread{'s' if work.threads > 1 else ''}")
        measurements.append(comparison.measure(work))
    if not options.quick and any(fnmatch.fnmatch("index2_epoch", name) for name in options.only.split(",")):
        say(works.EPOCH.title)
        measurements.append(comparison.measure_epoch())
    comparison.close()
    return comparison, measurements


def main():
    options = parse_arguments()
    try:
        comparison, measurements = compare(options)
    except (Failed, Refused) as reason:
        sys.exit(f"compare.py: {reason}")
    names = {peer.key: peer.short_name for peer in comparison.peers}
    versions = [[names[peer.key], peer.name] for peer in comparison.peers if peer.name]
    families = {peer.key: peer.family for peer in comparison.peers}
    complaints = comparison.complaints
    for measurement in measurements:
        for peer, result, expected in measurement.disagreements():
            complaints.append(f"{peer} at {measurement.work.title}: its result is {result!r}, heed's is {expected!r}")

    verdicts = [] if options.quick else report.judge(measurements, families)
    tables = [("What was compared", ["peer", "version"], versions), *report.tables(measurements, names, verdicts)]
    print("\n\n".join(report.as_text(*table) for table in tables))
    for remark in report.slow_products(measurements, names):
        print(f"\n{remark}")
    compared = sum(len(measurement.results) > 1 for measurement in measurements)
    print(f"\nThe same results: {compared} works, {len(complaints)} complaints")
    for complaint in complaints:
        print(f"  {complaint}")

    if options.markdown:
        options.markdown.write_text("\n\n".join(report.as_markdown(*table) for table in tables) + "\n")
    if options.svg:
        options.svg.write_text(report.chart(measurements, names))
    if options.json:
        everything = {"versions": dict(versions), "measurements": [dataclasses.asdict(m) for m in measurements]}
        options.json.write_text(json.dumps(everything, indent=1) + "\n")
    missed = [verdict for verdict in verdicts if not verdict.reached]
    sys.exit(1 if complaints or (options.targets and missed) else 0)


if __name__ == "__main__":
    main()
