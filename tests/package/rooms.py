"""Holds heed's headers to the order of its rooms, the folders of include/heed: python3 tests/package/rooms.py

A header includes none of a later room, and of those beside the rooms only version.hpp. A name in a namespace `detail`
belongs to the room that declares it: no other room declares it, too, and what later rooms use of it is in SHARED.

It reads headers without a compiler: a use beside a variable of the same name in one header is not seen.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ["tensor", "math", "layers", "attention", "model", "train", "io", "stream", "check", "plot"]

# Names of `heed::detail` that other rooms use, by the room that they belong to.
SHARED = {
    "tensor": "SequenceList columns for_each_character is_control never visible",
    "math": "AnyFunction Sigmoid Tanh find_not_finite multiply quoted with_function",
    "layers": "CacheOf HasKeepsSteps HasMark HasPublished HasStepWise InTimeDistributed check_each_has_a_step check_positive"
              " check_rank check_signatures is_stateful last_step outputs_of recurrent_stream recurrent_stream_state"
              " returns_state run_backward run_forward start_recurrent_stream states_of",
    "model": "TakenColumns slot_view snake_case",
    "train": "BatchLoss Batches check_data checksum",
}

INCLUDE = re.compile(r"^ *# *include *<heed/([^>]+)>", re.MULTILINE)
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"\(.*?\)"|"(?:[^"\\\n]|\\.)*"|(?<!\w)\'(?:[^\'\\\n]|\\.)\'|^ *#(?:[^\n]*\\\n)*[^\n]*',
                   re.MULTILINE | re.DOTALL)
NAMESPACE = re.compile(r"\bnamespace ([\w:]+) \{")
TYPE = re.compile(r"(?:class|struct|enum class|enum|concept|using) (?:\[\[[^\]]*\]\] )?(\w+)")
# What stands before a name where it is used, and not declared: "return count(…)", but "Index count = …".
USING = re.compile(r"(?:\b(?:return|throw|else|case)|[^\s\w>&*\]]|&&|^)\s*$")


class Unreadable(Exception):
    pass


def end_of(text, start, brackets="{}"):
    """Where the bracket closes that opens just before `start`."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == brackets[0]) - (text[place] == brackets[1])
        if depth == 0:
            return place
    raise Unreadable(f"a bracket does not close: {text[start - 40:start + 40]}")


def without(text, opening, brackets, mark=""):
    """A text in which a mark replaces what `opening` opens, to the bracket that closes it."""
    parts, place = [], 0
    for found in re.finditer(opening, text):
        if found.start() >= place:
            parts += [text[place:found.start()], mark]
            place = end_of(text, found.end(), brackets) + 1
    return "".join([*parts, text[place:]])


def declared(region):
    """The names that the text in a namespace declares."""
    names = set()
    for text in without(region, r"\{", "{}", ";").split(";"):
        text = without(without(text, r"\btemplate\s*<", "<>"), r"\brequires\s*\(", "()")
        text = re.sub(r"\b(?:inline|static|constexpr|extern)\b|\[\[.*?\]\]", "", text).strip()
        if found := TYPE.match(text):
            names.add(found[1])
        elif text and not text.startswith(("friend", "static_assert")):
            text = re.sub(r"(?<![=!<>])=(?!=).*", "", text, flags=re.DOTALL)
            while (shorter := re.sub(r"<[^<>]*>", "", text)) != text:
                text = shorter
            if found := re.search(r"(\w+)\s*(?:\(|\[\d*\]|$)", text):
                names.add(found[1])
    return names


def details(text):
    """The texts in namespaces `detail`, each with the name of its namespace."""
    open_now = []
    for found in NAMESPACE.finditer(text):
        open_now = [outer for outer in open_now if found.start() < outer[1]]
        open_now.append((found[1], end_of(text, found.end())))
        name = "::".join(name for name, _ in open_now)
        if name.endswith("::detail"):
            yield name, text[found.end():open_now[-1][1]]


class Header:
    def __init__(self, path, folder):
        self.name = path.relative_to(folder).as_posix()
        self.room = self.name.split("/")[0] if "/" in self.name else None
        text = path.read_text()
        self.includes = INCLUDE.findall(text)
        self.text = NOISE.sub("", text)
        self.words = set(re.findall(r"\w+", self.text))
        self.details = list(details(self.text))

    def uses(self, name):
        """Whether it uses a name of `heed::detail`, rather than one of its own that is the same."""
        if name not in self.words:
            return False
        if re.search(rf"\bdetail::{name}\b", self.text):
            return True
        for _, text in self.details:
            before = [text[:found.start()] for found in re.finditer(rf"(?<!\.)(?<!->)(?<!::)\b{name}\b", text)]
            if before and all(USING.search(part[-20:]) for part in before):
                is_called = re.search(rf"\b{name}\s*[(<{{]", text)
                if is_called or name[0].isupper():
                    return True
        return False


def check_includes(headers):
    for header in headers:
        for included in header.includes:
            room = included.split("/")[0] if "/" in included else None
            if header.room is None:
                continue
            if room is None and included != "version.hpp":
                yield f"{header.name} includes {included}, which is for programs"
            elif room and ROOMS.index(room) > ROOMS.index(header.room):
                yield f"{header.name} includes {included} of a later room: they are {', '.join(ROOMS)}"


def check_names(headers, shared):
    owners, known = collections.defaultdict(set), collections.defaultdict(set)
    for header in headers:
        for namespace, text in header.details if header.room else []:
            for name in declared(text):
                owners[namespace, name].add(header.room)
                known[header.room].add(name)
    unused = {(room, name) for room, names in shared.items() for name in names.split()}
    for (namespace, name), rooms in sorted(owners.items()):
        if len(rooms) > 1:
            yield f"{namespace}::{name} is declared in several rooms: {', '.join(sorted(rooms))}"
        owner = min(rooms, key=ROOMS.index)
        later = [header for header in headers if header.room in ROOMS[ROOMS.index(owner) + 1:]]
        for header in later if namespace == "heed::detail" else []:
            if name not in known[header.room] and header.uses(name):
                if name not in shared.get(owner, "").split():
                    yield f"{header.name} uses {namespace}::{name}, which belongs to {owner} and is not in SHARED"
                unused.discard((owner, name))
    for room, name in sorted(unused):
        yield f"SHARED has {name} of {room}, which no other room uses"


def faults_of(folder, shared):
    headers = [Header(path, folder) for path in sorted(folder.rglob("*.hpp"))]
    if unknown := {header.room for header in headers} - {None, *ROOMS}:
        return [f"no room is called {', '.join(sorted(unknown))}: they are {', '.join(ROOMS)}"]
    return [*check_includes(headers), *check_names(headers, shared)]


def main():
    faults = faults_of(ROOT / "include" / "heed", SHARED)
    page = re.sub(r"\s+", " ", (ROOT / "CONTRIBUTING.md").read_text())
    if ", ".join(f"`{room}`" for room in ROOMS) not in page:
        faults.append(f"CONTRIBUTING.md has another order of rooms than {', '.join(ROOMS)}")
    print("\n".join(faults) or "The headers keep to the order of the rooms.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
