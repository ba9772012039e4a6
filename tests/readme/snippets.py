"""Does what the README and other documents show, block by block:

    cpp             a complete program: compiled with all of heed's targets and run
    cpp fragment    lines of a program: compiled inside a main (or, when they begin with a declaration, before it) and run.
                    What they take for granted stands in a comment above the block, where readers do not see it:
                    <!-- given: Model<float> model; -->
    cpp fragment throws TYPE    the same, when they throw that type of heed; what() is what they print
    cpp from PATH   lines of a file of the project, where they stand in this order, one after the other
    cmake           used in a project that links to heed
    sh              run, in a fresh clone, or in an empty folder when it clones heed itself
    sh by hand      not run; the files and presets that it names have to be there
    python NAME     run by the Python that --python gives that name
    text output     what the block before it prints; … stands for anything in a line, and a line of … for any lines
    text output about           the same, but for numbers, which may be off by a twentieth, fractions also by 0.002

Programs of C++ and of Python run in the order of the document, in one folder: each finds the files of those before it.
Blocks in another language are left alone. Links to files of the project have to lead somewhere.

By default each block of C++ is a program of its own, compiled with -O3. With --together all of them are one program, each
in a namespace of its own, compiled once with -O1; then a comment <!-- shared: … --> in a document stands in front of all its
blocks, and a program that lacks an include of the standard library is told so from a list of names.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

FENCE = re.compile(
    r"(?:<!--\s*given:(?P<given>.*?)-->\s*)?^(?P<fence>```+)(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
SHARED = re.compile(r"<!--\s*shared:(.*?)-->", re.DOTALL)
NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
DECLARATION = re.compile(r"\s*(//[^\n]*\n\s*)*(struct|class|template|namespace|inline|enum|concept)\b")
# Names of the standard library that programs of documents use, and where they come from.
HEADERS = {
    "algorithm": "copy|copy_n|fill|max|max_element|min|min_element|sort|transform",
    "array": "array",
    "cmath": "abs|cos|exp|isfinite|log|sin|sqrt|tanh",
    "filesystem": "filesystem",
    "fstream": "ifstream|ofstream",
    "iostream": "cerr|cin|cout",
    "numeric": "accumulate|iota",
    "span": "span",
    "string": "getline|string|to_string",
    "thread": "jthread|thread",
    "vector": "vector",
}
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")


class Block:
    def __init__(self, match, document, file):
        words = match["info"].split()
        self.language = words[0] if words else ""
        self.words = words[1:]
        self.text = match["text"]
        self.given = match["given"] or ""
        self.line = document.count("\n", 0, match.start("text")) + 1
        self.file = file
        self.last_line = self.line + self.text.count("\n")
        self.name = f"{re.sub(r'[^A-Za-z0-9_]', '_', file.stem)}_line_{self.line}"
        self.output = None  # what it has to print: a block of `text output`

    def has(self, *words):
        """Whether its words begin with these."""
        return tuple(self.words[: len(words)]) == words


def run(command, folder, timeout=1800, **options):
    """The command's output and whether it succeeded."""
    try:
        result = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout, text=True, errors="replace", **options,
        )
        return result.stdout, result.returncode == 0
    except subprocess.TimeoutExpired as error:
        return f"{error.output or ''}\nnot done after {timeout} seconds", False


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def split_includes(block):
    """The block's includes, and its text with empty lines in their place."""
    lines = block.text.splitlines(keepends=True)
    includes = [line.strip() for line in lines if line.startswith("#include")]
    return includes, "".join("\n" if line.startswith("#include") else line for line in lines)


def fragment(block, text):
    """A fragment in a main that the compiler's messages count the document's lines of."""
    body = f'#line {block.line} "{block.file.name}"\n{text}'
    if DECLARATION.match(text):
        return f"{block.given}\n{body}\nint main() {{ return 0; }}\n"
    if "throws" not in block.words:
        return f"int main() {{\n{block.given}\n{body}\nreturn 0;\n}}\n"
    error = block.words[block.words.index("throws") + 1]
    return (
        f"int main() {{\ntry {{\n{block.given}\n{body}\n}} catch (const std::exception& error) {{\n"
        f"std::cout << error.what() << '\\n';\nif (typeid(error) == typeid(heed::{error})) return 0;\n"
        f"std::cout << \"this is no {error}\\n\";\nreturn 1;\n}}\n"
        f"std::cout << \"nothing was thrown\\n\";\nreturn 1;\n}}\n"
    )


BASE = ["#include <iostream>", "#include <typeinfo>", "#include <heed/heed.hpp>", "#include <heed/io.hpp>"]


def program(block):
    """The translation unit for a C++ block, in which the compiler's messages count the document's lines."""
    if "fragment" not in block.words:
        return f'#line {block.line} "{block.file.name}"\n{block.text}'
    includes, text = split_includes(block)
    return "\n".join([*BASE, *includes, "using namespace heed;", fragment(block, text)])


def joint_program(blocks, documents):
    """The translation unit for all of them, which runs the one that its argument names."""
    includes, parts, calls = list(BASE), [], []
    for block in blocks:
        lines, text = split_includes(block)
        includes += lines
        if "fragment" in block.words:
            code = "using namespace heed;\n" + fragment(block, text)
        else:
            # Only the real main may end without a return.
            code = f'#line {block.line} "{block.file.name}"\n' + re.sub(r"\}\s*\Z", "return 0; }\n", text)
        shared = "\n".join(SHARED.findall(documents[block.file]))
        before = f"using namespace heed;\n{shared}\n" if shared else ""
        parts.append(f"namespace {block.name} {{\n{before}{code}\n}}\n")
        calls.append(f'if (name == "{block.name}") return {block.name}::main();')
    main = "int main(int, char** arguments) {\nconst std::string_view name = arguments[1];\n"
    return "\n".join([*dict.fromkeys(includes), *parts, '#line 1 "main"', main, *calls, "return 1;\n}\n"])


def missing_headers(block):
    """What a program includes nowhere, though it uses it."""
    for header, names in HEADERS.items():
        used = re.search(rf"\bstd::(?:{names})\b", block.text)
        if used and f"#include <{header}>" not in block.text:
            yield f"{used[0]} needs #include <{header}>"
    if not re.search(r"#include <heed/\w+\.hpp>", block.text):
        yield "nothing of heed is included"


def build_programs(blocks, source, work):
    """For each block its program, or None, and what the compiler said."""
    folder = work / "programs"
    lines = ["cmake_minimum_required(VERSION 3.20)", "project(snippets LANGUAGES CXX)", "set(HEED_IO ON)"]
    lines.append(f'add_subdirectory("{source}" heed)')
    for block in blocks:
        write(folder / f"{block.name}.cpp", program(block))
        lines.append(f"add_executable({block.name} {block.name}.cpp)")
        lines.append(f"target_link_libraries({block.name} PRIVATE heed::compiled heed::io $<TARGET_NAME_IF_EXISTS:heed::keras>)")
    write(folder / "CMakeLists.txt", "\n".join(lines) + "\n")

    output, good = run(["cmake", "-S", ".", "-B", "build", "-D", "CMAKE_BUILD_TYPE=Release"], folder)
    if not good:
        return {block: (None, output) for block in blocks}
    # All at once for speed; then one by one, to see which one fails.
    run(["cmake", "--build", "build", "--parallel", str(os.cpu_count())], folder)
    programs = {}
    for block in blocks:
        output, good = run(["cmake", "--build", "build", "--target", block.name], folder)
        programs[block] = (folder / "build" / block.name if good else None, output)
    return programs


def build_together(blocks, documents, source, work):
    """For each block the one program, or None, and what the compiler said."""
    folder = work / "programs"
    write(folder / "together.cpp", joint_program(blocks, documents))
    write(
        folder / "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.20)\nproject(snippets LANGUAGES CXX)\nset(HEED_IO ON)\n"
        f'add_subdirectory("{source}" heed)\nadd_executable(together together.cpp)\n'
        "target_link_libraries(together PRIVATE heed::io $<TARGET_NAME_IF_EXISTS:heed::keras>)\n",
    )
    output, good = run(["cmake", "-S", ".", "-B", "build", "-D", "CMAKE_BUILD_TYPE=", "-D", "CMAKE_CXX_FLAGS=-O1"], folder)
    if good:
        output, good = run(["cmake", "--build", "build"], folder)
    if not good:
        wrong = [(name, int(line)) for name, line in re.findall(r"^(\S+?):(\d+):\d+: (?:fatal )?error", output, re.MULTILINE)]
        guilty = [b for b in blocks for name, line in wrong if name == b.file.name and b.line <= line <= b.last_line]
        return {block: (None, output if block in (guilty or blocks[:1]) else "not built") for block in blocks}
    programs = {}
    for block in blocks:
        missing = [] if "fragment" in block.words else list(missing_headers(block))
        programs[block] = (None if missing else folder / "build" / "together", "\n".join(missing))
    return programs


def differs(block, printed):
    """What is wrong with the output of a block that has to print something, or None."""
    expected, about = block.output.text, "about" in block.output.words
    pieces = re.split(rf"(^…\n|…|{NUMBER})" if about else r"(^…\n|…)", expected.rstrip() + "\n", flags=re.MULTILINE)
    numbers = []
    pattern = ""
    for i, piece in enumerate(pieces):
        if i % 2 == 0:
            pattern += re.escape(piece)
        elif piece.startswith("…"):
            pattern += r"(?:[^\n]*\n)*?" if piece == "…\n" else r"[^\n]*"
        else:
            pattern += f"({NUMBER})"
            numbers.append(float(piece))
    text = "\n".join(line.rstrip() for line in printed.rstrip().splitlines()) + "\n"
    found = re.fullmatch(pattern, text)
    off = found and [(n, f) for n, f in zip(numbers, map(float, found.groups())) if abs(n - f) > max(abs(n) / 20, 0.002 * (n % 1 > 0))]
    if found and not off:
        return None
    what = f"numbers that are off: {off}" if off else "another text"
    return f"{block.output.file}:{block.output.line} shows {what}; what was printed:\n{printed}"


def check_quotation(block, source):
    """Whether the lines stand in the file, whatever their indentation."""
    path = source / block.words[1]
    if not path.exists():
        return f"there is no {block.words[1]}", False
    strip = lambda text: [line.strip() for line in text.strip().splitlines()]
    lines, quoted = strip(path.read_text()), strip(block.text)
    if any(lines[i : i + len(quoted)] == quoted for i in range(len(lines))):
        return "", True
    lost = [line for line in quoted if line not in lines]
    return f"{block.words[1]} does not have these lines in this order" + (f", and nowhere: {lost[0]}" if lost else ""), False


def check_names(block, source):
    """Whether the files are there that commands which are not run name."""
    words = re.sub(r"#.*", "", block.text).split()
    paths = [word for word in words if re.fullmatch(r"(?:[\w.-]+/)*[\w.-]+\.(?:sh|py|cpp|hpp|txt|md)", word)]
    paths = [path for path in paths if not path.startswith("build/")]
    missing = [path for path in paths if not (source / path).exists()]
    presets = (source / "CMakePresets.json").read_text()
    missing += [f"preset {name}" for name in re.findall(r"--preset (\S+)", block.text) if f'"name": "{name}"' not in presets]
    return "".join(f"there is no {name}\n" for name in missing), not missing


def check_programs(blocks, programs, pythons, together, work):
    for block in blocks:
        folder = work / f"run_{block.file.stem}"
        folder.mkdir(exist_ok=True)
        if block.language == "python":
            name = " ".join(block.words)
            if name not in pythons:
                yield block, f"no Python was given for it: --python '{name}=…'", False
                continue
            script = work / "programs" / f"{block.name}.py"
            write(script, block.text)
            yield block, *run([pythons[name], str(script)], folder, timeout=600)
        elif programs[block][0] is None:
            yield block, programs[block][1], False
        else:
            yield block, *run([str(programs[block][0]), *([block.name] if together else [])], folder, timeout=300)


def install(source, work):
    build, prefix = work / "install-build", work / "prefix"
    options = ["-D", "HEED_TESTS=OFF", "-D", "HEED_EXAMPLES=OFF", "-D", "HEED_IO=ON"]
    output, good = run(["cmake", "-S", str(source), "-B", str(build), *options], work)
    if good:
        output, good = run(["cmake", "--install", str(build), "--prefix", str(prefix)], work)
    if not good:
        sys.exit(f"heed could not be installed for the README's cmake blocks:\n{output}")
    return prefix


def check_project(block, source, work, prefix):
    folder = work / f"cmake_{block.name}"
    text = block.text
    header = "#include <heed/io.hpp>\n" if "heed::io" in text else ""
    main = f"#include <heed/heed.hpp>\n{header}\nint main() {{}}\n"

    defined = re.findall(r"add_(?:executable|library)\(\s*([\w.-]+)([^)]*)\)", text)
    for _, files in defined:
        for name in re.findall(r"[\w./-]+\.cpp", files):
            write(folder / name, main)
    before, after = "", text
    if "cmake_minimum_required" not in text:
        before = "cmake_minimum_required(VERSION 3.20)\nproject(snippet LANGUAGES CXX)\n"
    for target in dict.fromkeys(re.findall(r"target_link_libraries\(\s*([\w.-]+)", text)):
        if target not in [name for name, _ in defined]:
            write(folder / "given.cpp", main)
            before += f"add_executable({target} given.cpp)\n"
    for path in re.findall(r"(?:add_subdirectory\(\s*|SOURCE_DIR \"?\$\{CMAKE_CURRENT_SOURCE_DIR\}/)([\w./-]+)", text):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(source, target_is_directory=True)
    write(folder / "CMakeLists.txt", before + after)

    options = ["-D", f"CMAKE_PREFIX_PATH={prefix}"]
    if re.search(r"GIT_REPOSITORY|URL", text):
        options += ["-D", f"FETCHCONTENT_SOURCE_DIR_HEED={source}"]
    output, good = run(["cmake", "-S", ".", "-B", "build", *options], folder)
    if good:
        output, good = run(["cmake", "--build", "build"], folder)
    return output, good


def check_commands(block, source, work):
    folder = work / f"sh_{block.name}"
    environment = dict(os.environ)
    urls = re.findall(r"^\s*git clone\s+(?:-\S+\s+)*(\S+)", block.text, re.MULTILINE)
    if urls:
        # The block's own command then clones this state of the project.
        folder.mkdir()
        environment["GIT_CONFIG_COUNT"] = str(len(urls))
        for i, url in enumerate(urls):
            environment[f"GIT_CONFIG_KEY_{i}"] = f"url.{source}.insteadOf"
            environment[f"GIT_CONFIG_VALUE_{i}"] = url
    else:
        output, good = run(["git", "clone", "--quiet", str(source), str(folder)], work)
        if not good:
            return output, good
    return run(["sh", "-eu", "-c", block.text], folder, env=environment)


def anchors(document):
    """What links can name: headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document, folder):
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", document))  # [](Index i) is no link
    for match in LINK.finditer(prose):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        if path and not (folder / path).exists():
            yield target
        elif anchor and (not path or path.endswith(".md")):
            if anchor not in anchors((folder / path).read_text() if path else document):
                yield target


def check_others(arguments, blocks, source, work, report):
    """Projects and commands."""
    of = lambda language: [block for block in blocks if block.language == language]
    if of("cmake"):
        found = any("find_package" in block.text for block in of("cmake"))
        prefix = install(source, work) if found else work / "prefix"
        for block in of("cmake"):
            report(block, *check_project(block, source, work, prefix))
    for block in of("sh"):
        if block.has("by", "hand"):
            report(block, *check_names(block, source))
            continue
        commands = [re.sub(r"\s+#.*", "", line).strip() for line in block.text.splitlines()]
        if all(command in ["", *arguments.ran] for command in commands):
            print(f"  ran before: {block.file}:{block.line} sh")
        else:
            report(block, *check_commands(block, source, work))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=pathlib.Path, nargs="+")
    parser.add_argument("--source", type=pathlib.Path, required=True, help="the project's folder")
    parser.add_argument("--ran", action="append", default=[], help="a command that need not be run once more")
    parser.add_argument("--python", action="append", default=[], help="NAME=PROGRAM, for blocks of python NAME")
    parser.add_argument("--together", action="store_true", help="compile all blocks of C++ as one program")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="a folder to work in; made empty")
    arguments = parser.parse_args()
    source, work = arguments.source.resolve(), arguments.work.resolve()
    pythons = dict(entry.split("=", 1) for entry in arguments.python)
    pythons = {name: shutil.which(program) or program for name, program in pythons.items()}
    pythons = {name: os.path.abspath(program) for name, program in pythons.items()}
    documents = {file: file.read_text() for file in arguments.documents}
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)

    blocks = [Block(match, text, file) for file, text in documents.items() for match in FENCE.finditer(text)]
    for before, block in zip(blocks, blocks[1:]):
        if block.language == "text" and block.has("output") and before.file == block.file:
            before.output = block
    of = lambda language: [block for block in blocks if block.language == language]
    quotations = [block for block in of("cpp") if block.has("from")]
    failures = 0
    started = time.monotonic()

    def report(block, output, good):
        nonlocal failures, started
        kind = " ".join([block.language, *block.words])
        now = time.monotonic()
        if good and block.output and (wrong := differs(block, output)):
            output, good = wrong, False
        print(f"  {'ok    ' if good else 'FAILED'} {block.file}:{block.line} {kind} ({now - started:.1f} s)", flush=True)
        started = now
        if not good:
            failures += 1
            print(output)

    for file, text in documents.items():
        for target in broken_links(text, file.resolve().parent):
            failures += 1
            print(f"  FAILED {file}: a link leads nowhere: {target}")
    for block in quotations:
        report(block, *check_quotation(block, source))
    programs = [block for block in blocks if block.language in ["cpp", "python"] and block not in quotations]
    compiled = [block for block in programs if block.language == "cpp"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        if arguments.together:  # on one processor, while others do the rest
            built = pool.submit(build_together, compiled, documents, source, work)
        else:
            built = pool.submit(build_programs, compiled, source, work)
            built.result()
        check_others(arguments, blocks, source, work, report)
        for block, output, good in check_programs(programs, built.result(), pythons, arguments.together, work):
            report(block, output, good)
    if not of("cpp"):
        failures += 1
        print("  FAILED no C++ block was found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
