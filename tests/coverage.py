#!/usr/bin/env python3
"""Reads what llvm-cov counted and holds it to tests/coverage.txt; tests/coverage.sh calls it.

    python3 tests/coverage.py build/coverage/coverage.info
"""

import collections
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "include"
LIST = ROOT / "tests" / "coverage.txt"
LEAST = 97.0  # per cent of the lines


def read_counts(path):
    """How often each line and branch of each header ran."""
    lines = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(collections.Counter)
    header = None
    for record in pathlib.Path(path).read_text().splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            # A compiler cache may have made the path relative.
            _, found, header = value.rpartition("include/heed/")
            header = "heed/" + header if found else None
        elif header is None:
            continue
        elif kind == "DA":
            line, count = value.split(",")[:2]
            lines[header][int(line)] += int(count)
        elif kind == "BRDA":
            line, block, branch, count = value.split(",")
            branches[header][line, block, branch] += 0 if count == "-" else int(count)
    return lines, branches


def read_reasons():
    """The reason for each header and line that need not run."""
    reasons = {}
    for number, entry in enumerate(LIST.read_text().splitlines(), 1):
        if not entry or entry.startswith("#"):
            continue
        place, dash, reason = entry.rpartition(" — ")
        header, colon, line = place.partition(": ")
        if not dash or not colon or not reason:
            sys.exit(f"{LIST.name}:{number}: expected “header: line — reason”")
        reasons[header, line.strip()] = reason
    return reasons


def share(counts):
    ran = sum(count > 0 for header in counts.values() for count in header.values())
    everything = sum(len(header) for header in counts.values())
    return ran, everything, 100 * ran / max(everything, 1)


def main():
    lines, branches = read_counts(sys.argv[1])
    reasons = read_reasons()
    used, failed = set(), False

    unseen = [str(path.relative_to(INCLUDE)) for path in sorted(INCLUDE.rglob("*.hpp"))
              if str(path.relative_to(INCLUDE)) not in lines]
    print("headers without a line that runs:", ", ".join(unseen) or "none")
    for header in sorted(lines):
        text = (INCLUDE / header).read_text().splitlines()
        for number in sorted(n for n, count in lines[header].items() if count == 0):
            line = text[number - 1].strip()
            reason = reasons.get((header, line))
            if reason:
                used.add((header, line))
                print(f"{header}:{number}: {line} — {reason}")
            elif line.strip("}) ;"):  # a brace that ends what did not run says nothing of its own
                failed = True
                print(f"{header}:{number}: {line} — NO TEST RUNS IT, AND NO REASON IS GIVEN")
    for header, line in reasons.keys() - used:
        failed = True
        print(f"{LIST.name}: “{header}: {line}” is not a line that no test runs")

    for what, counts in (("branches", branches), ("lines", lines)):
        ran, everything, per_cent = share(counts)
        print(f"{what}: {ran} of {everything} ran, {per_cent:.2f} %")
    if per_cent < LEAST:
        failed = True
        print(f"expected {LEAST} % of the lines")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
