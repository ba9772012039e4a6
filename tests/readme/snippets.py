"""Does what the README and other documents show, block by block:

    cpp             a complete program: compiled with all of heed's targets and run
    cpp fragment    lines of a program: compiled inside a main (or, when they begin with a declaration, before it) and run.
                    What they take for granted stands in a comment above the block, where readers do not see it:
                    <!-- given: Model<float> model; -->
    cmake           used in a project that links to heed
    sh              run, in a fresh clone, or in an empty folder when it clones heed itself
    python NAME     run by the Python that --python gives that name

Programs of C++ and of Python run in the order of the document, in one folder: each finds the files of those before it.
Blocks in another language are left alone. Links to files of the project have to lead somewhere.
"""

import argparse
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
DECLARATION = re.compile(r"\s*(//[^\n]*\n\s*)*(struct|class|template|namespace|inline|enum|concept)\b")
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
        self.name = f"{file.stem}_line_{self.line}"


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


def program(block):
    """The translation unit for a C++ block, in which the compiler's messages count the document's lines."""
    code = f'#line {block.line} "{block.file.name}"\n{block.text}'
    if "fragment" not in block.words:
        return code
    blank = "".join("\n" if line.startswith("#include") else line for line in block.text.splitlines(keepends=True))
    body = f'#line {block.line} "{block.file.name}"\n{blank}'
    includes = [line for line in block.text.splitlines() if line.startswith("#include")]
    head = "\n".join(["#include <iostream>", "#include <heed/heed.hpp>", "#include <heed/io.hpp>", *includes])
    head += "\nusing namespace heed;\n"
    if DECLARATION.match(blank):
        return f"{head}{block.given}\n{body}\nint main() {{}}\n"
    return f"{head}int main() {{\n{block.given}\n{body}\n}}\n"


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


def check_programs(blocks, pythons, source, work):
    programs = build_programs([block for block in blocks if block.language == "cpp"], source, work)
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
            yield block, *run([str(programs[block][0])], folder, timeout=300)


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


def broken_links(document, folder):
    prose = FENCE.sub("", document)  # [](Index i) is no link
    for match in LINK.finditer(prose):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:|#", target) and not (folder / target.split("#")[0]).exists():
            yield target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=pathlib.Path, nargs="+")
    parser.add_argument("--source", type=pathlib.Path, required=True, help="the project's folder")
    parser.add_argument("--ran", action="append", default=[], help="a command that need not be run once more")
    parser.add_argument("--python", action="append", default=[], help="NAME=PROGRAM, for blocks of python NAME")
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
    of = lambda language: [block for block in blocks if block.language == language]
    failures = 0
    started = time.monotonic()

    def report(block, output, good):
        nonlocal failures, started
        kind = " ".join([block.language, *block.words])
        now = time.monotonic()
        print(f"  {'ok    ' if good else 'FAILED'} {block.file}:{block.line} {kind} ({now - started:.1f} s)", flush=True)
        started = now
        if not good:
            failures += 1
            print(output)

    for file, text in documents.items():
        for target in broken_links(text, file.resolve().parent):
            failures += 1
            print(f"  FAILED {file}: a link leads nowhere: {target}")
    programs = [block for block in blocks if block.language in ["cpp", "python"]]
    for block, output, good in check_programs(programs, pythons, source, work):
        report(block, output, good)
    if of("cmake"):
        prefix = install(source, work)
        for block in of("cmake"):
            report(block, *check_project(block, source, work, prefix))
    for block in of("sh"):
        commands = [re.sub(r"\s+#.*", "", line).strip() for line in block.text.splitlines()]
        if all(command in ["", *arguments.ran] for command in commands):
            print(f"  ran before: {block.file}:{block.line} sh")
        else:
            report(block, *check_commands(block, source, work))
    if not of("cpp"):
        failures += 1
        print("  FAILED no C++ block was found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
