"""Checks what examples/run.sh printed and left in build/: python3 .ci/check_examples.py <its output>."""

import csv
import json
import pathlib
import re
import struct
import subprocess
import sys
import xml.dom.minidom

BUILD = pathlib.Path(__file__).resolve().parent.parent / "build"
failures = []


def check(holds, sentence):
    print(f"  {'ok    ' if holds else 'FAILED'} {sentence}")
    if not holds:
        failures.append(sentence)


def read_csv(path):
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def check_attention(folder):
    header, rows = read_csv(folder / "attention.csv")
    check(header == ["step", "attention"], "attention.csv: the header is step,attention")
    check(len(rows) == 10, "attention.csv: ten steps")
    weights = {int(step): float(weight) for step, weight in rows}
    check(max(weights, key=weights.get) == 2, "attention.csv: step 2 has the largest weight")
    check(abs(sum(weights.values()) - 1) < 1e-3, "attention.csv: the weights sum to 1")


def check_vowels(folder):
    header, rows = read_csv(folder / "accuracy.csv")
    check(header == ["seed", "accuracy"] and len(rows) == 5, "accuracy.csv: five seeds")
    mean = sum(float(accuracy) for _, accuracy in rows) / len(rows)
    check(mean > 0.976, "accuracy.csv: the mean is above the 0.976 of the published network with attention")


def check_svg(path):
    document = xml.dom.minidom.parse(str(path))
    check(document.documentElement.tagName == "svg", f"{path.name}: well-formed, and an svg")
    picture = path.with_suffix(".check.png")
    result = subprocess.run(["rsvg-convert", str(path), "-o", str(picture)])
    data = picture.read_bytes() if picture.exists() else b""
    check(result.returncode == 0 and data.startswith(b"\x89PNG"), f"{path.name}: renders")
    picture.unlink(missing_ok=True)


def check_history(path):
    header, rows = read_csv(path)
    check("val_loss" in header and len(rows) >= 1, f"{path.name}: has val_loss")


def check_safetensors(path):
    """The format's own rules: a length, a JSON header, then data without gaps up to the file's end."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    check("__metadata__" in header, f"{path.name}: has metadata")
    sizes = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
    end = 0
    fits = True
    tensors = [entry for name, entry in header.items() if name != "__metadata__"]
    for entry in sorted(tensors, key=lambda entry: entry["data_offsets"]):
        elements = 1
        for dim in entry["shape"]:
            elements *= dim
        begin = end
        end = begin + elements * sizes[entry["dtype"]]
        fits = fits and entry["data_offsets"] == [begin, end]
    check(len(tensors) > 0, f"{path.name}: has tensors")
    check(fits and 8 + length + end == len(data), f"{path.name}: shapes, offsets and length agree")


def check_output(text):
    check("4,911" in text, "attention_index2: the summary says 4,911 parameters")
    check("25,121" in text, "dummy_regression: the summary says 25,121 parameters")
    check(re.search(r"^Success\.$", text, re.MULTILINE) is not None, "dummy_regression: Success.")
    difference = re.search(r"largest difference\D*([-+.\deE]+)", text, re.IGNORECASE)
    check(
        difference is not None and float(difference.group(1).rstrip(".")) == 0,
        "dummy_regression: the largest difference is 0",
    )


def main():
    steps = [
        lambda: check_output(pathlib.Path(sys.argv[1]).read_text()),
        lambda: check_attention(BUILD / "attention_index2"),
        lambda: check_svg(BUILD / "attention_index2" / "attention.svg"),
        lambda: check_history(BUILD / "attention_index2" / "history.csv"),
        lambda: check_safetensors(BUILD / "attention_index2" / "index2.safetensors"),
        lambda: check_safetensors(BUILD / "dummy_regression" / "test_model.safetensors"),
        lambda: check_vowels(BUILD / "vowels"),
        lambda: check_svg(BUILD / "vowels" / "attention.svg"),
    ]
    for step in steps:
        try:
            step()
        except Exception as error:  # a missing or broken file is a finding like any other
            check(False, f"{type(error).__name__}: {error}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
