"""Makes the reference of the headers with Doxygen, without a warning, or fails.

    python3 docs/reference.py       into build/reference/html

What is public has to be said: by a comment above or behind it, or, for names that mean the same everywhere (`units`,
`forward`, `shape`), by glossary.txt. What is in a namespace `detail` is not public and left out.
"""

import pathlib
import re
import shutil
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent
ROOT = DOCS.parent
DETAIL = re.compile(r"^namespace ((?:heed::)?(?:\w+::)?detail) \{.*?^\}  // namespace \1$", re.MULTILINE | re.DOTALL)
SPECIALIZED = re.compile(r"^template <>\ninline constexpr[^;]*;", re.MULTILINE)
# What Doxygen 1.9 takes for something else.
CONDITION = re.compile(r"\bexplicit\([^()]*\)")
UNSAID = re.compile(
    r"^(?P<file>\S+?):(?P<line>\d+): \w+: (?:Member (?P<name>operator [^(]+|operator\W+?|~?\w+)(?:\(.*\).*)? \(\w+\) of .*?"
    r"(?P<of>\w+)(?:<.*>)?|Compound (?:\w+::)*(?P<type>\w+)) is not documented\."
)


def read_glossary():
    """What a name means, by itself or as `Type::name`."""
    lines = (DOCS / "glossary.txt").read_text().splitlines()
    entries = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return {name: text for name, text in entries}


def blank(match):
    return "\n" * match[0].count("\n")


def copy_headers(folder):
    for header in sorted((ROOT / "include").rglob("*.hpp")):
        text = CONDITION.sub("explicit", SPECIALIZED.sub(blank, DETAIL.sub(blank, header.read_text())))
        copy = folder / header.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
    shutil.copy(DOCS / "reference.md", folder)
    shutil.copy(DOCS / "Doxyfile", folder)


def doxygen(folder):
    """What it warns of, with paths as in the project."""
    done = subprocess.run(["doxygen", "Doxyfile"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    warnings = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode != 0 and not warnings:
        warnings = [f"doxygen ended with status {done.returncode}"]
    return [line.replace(f"{folder}/", "") for line in warnings]


def say(folder, warnings, glossary):
    """Puts the glossary's comments in front of what has none; which entries were of use."""
    used = set()
    for warning in warnings:
        if not (unsaid := UNSAID.match(warning)):
            continue
        short = unsaid["type"] or re.sub(r"operator \w.*|operator const .*", "conversion", unsaid["name"])
        names = [f"{unsaid['of']}::{short}", short]
        name = next((name for name in names if name in glossary), None)
        if name is None:
            continue
        used.add(name)
        header = folder / unsaid["file"]
        lines = header.read_text().split("\n")
        at = int(unsaid["line"]) - 1
        if unsaid["type"] and ";" in lines[at]:
            continue  # a declaration in front of the definition
        # Where the declaration begins: at its template<…>, if it has one.
        while at > 0 and lines[at - 1].strip() and not re.search(r"[;{}:,]\s*(?://.*)?$|^\s*(?://|#|/\*)", lines[at - 1]):
            at -= 1
        lines[at] = f"/** {glossary[name]} */ {lines[at]}"
        header.write_text("\n".join(lines))
    return used


def main():
    folder = ROOT / "build" / "reference"
    if shutil.which("doxygen") is None:
        sys.exit("doxygen is not installed; it is a Debian package of that name")
    shutil.rmtree(folder, ignore_errors=True)
    copy_headers(folder)
    glossary = read_glossary()
    used = say(folder, doxygen(folder), glossary)
    warnings = doxygen(folder)
    warnings += [f"docs/glossary.txt: {name} is said of nothing" for name in glossary if name not in used]
    for warning in warnings:
        print(warning, file=sys.stderr)
    if warnings:
        sys.exit(f"{len(warnings)} warnings")
    print(f"{folder}/html/index.html")


if __name__ == "__main__":
    main()
