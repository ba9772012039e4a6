"""What snippets.py makes of right and wrong documents, without compiling any: python3 tests/readme/snippets_test.py"""

import pathlib
import tempfile
import unittest

import snippets

ROOT = pathlib.Path(__file__).resolve().parents[2]


def block(text, info="cpp"):
    return snippets.Block(snippets.FENCE.search(f"```{info}\n{text}```\n"), f"```{info}\n{text}```\n", pathlib.Path("some-page.md"))


def shows(expected, printed, info="text output"):
    shown = block("", "cpp fragment")
    shown.output = block(expected, info)
    return snippets.differs(shown, printed) is None


class Output(unittest.TestCase):
    def test_is_the_same_text(self):
        self.assertTrue(shows("one\ntwo 2\n", "one\ntwo 2\n"))
        self.assertTrue(shows("one\n", "one  \n\n"))
        self.assertFalse(shows("one\n", "one\ntwo\n"))
        self.assertFalse(shows("one\ntwo\n", "one\n"))
        self.assertFalse(shows("two 2\n", "two 2.0\n"))

    def test_dots_stand_for_what_is_in_a_line(self):
        self.assertTrue(shows("took … seconds\n", "took 0.3 seconds\n"))
        self.assertFalse(shows("took … seconds\n", "took 0.3\n seconds\n"))
        self.assertFalse(shows("took … seconds\n", "takes 0.3 seconds\n"))

    def test_a_line_of_dots_stands_for_lines(self):
        self.assertTrue(shows("first\n…\nlast\n", "first\nlast\n"))
        self.assertTrue(shows("first\n…\nlast\n", "first\na\nb\nlast\n"))
        self.assertFalse(shows("first\n…\nlast\n", "first\na\nb\n"))

    def test_numbers_may_be_off_a_little_where_the_page_says_about(self):
        about = "text output about"
        self.assertTrue(shows("loss 0.5000, 20 steps\n", "loss 0.5100, 20 steps\n", about))
        self.assertTrue(shows("loss 0.0010\n", "loss 0.0025\n", about))
        self.assertFalse(shows("loss 0.5000\n", "loss 0.5100\n"))
        self.assertFalse(shows("loss 0.5000\n", "loss 0.5500\n", about))
        self.assertFalse(shows("step 2\n", "step 3\n", about))
        self.assertFalse(shows("sample 0\n", "sample 1\n", about))
        self.assertFalse(shows("loss 0.5\n", "loss nan\n", about))


class Blocks(unittest.TestCase):
    def test_programs_include_what_they_use(self):
        includes = "#include <heed/heed.hpp>\n"
        self.assertEqual(list(snippets.missing_headers(block(includes + "int main() {}\n"))), [])
        self.assertEqual(len(list(snippets.missing_headers(block(includes + "std::vector<int> a; std::cout << 1;\n")))), 2)
        self.assertEqual(len(list(snippets.missing_headers(block("int main() {}\n")))), 1)

    def test_quotations_are_lines_of_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "a.cpp").write_text("int a;\n  int b;\nint c;\n")
            quoted = lambda text, path="a.cpp": snippets.check_quotation(block(text, f"cpp from {path}"), folder)[1]
            self.assertTrue(quoted("int b;\nint c;\n"))
            self.assertFalse(quoted("int a;\nint c;\n"))
            self.assertFalse(quoted("int d;\n"))
            self.assertFalse(quoted("int a;\n", "b.cpp"))

    def test_commands_that_are_not_run_name_what_is_there(self):
        named = lambda text: snippets.check_names(block(text, "sh by hand"), ROOT)[1]
        self.assertTrue(named("sh tests/run.sh -R lstm   # not/there.sh\ncmake --preset test\nbuild/made.sh\n"))
        self.assertFalse(named("sh tests/nowhere.sh\n"))
        self.assertFalse(named("cmake --preset nowhere\n"))

    def test_links_lead_somewhere(self):
        broken = lambda text: list(snippets.broken_links(text, ROOT))  # as of a page there
        self.assertEqual(broken("# Some, heading\n[a](README.md#quick-start) [c](#some-heading) [b](https://example.org) `[i](x)`\n```cpp\n[](Index i)\n```\n"), [])
        self.assertEqual(broken("[a](nowhere.md)"), ["nowhere.md"])
        self.assertEqual(broken("[a](README.md#nowhere) [b](#nowhere)"), ["README.md#nowhere", "#nowhere"])

    def test_a_fragment_that_throws_is_held_to_the_type(self):
        code = snippets.program(block("check();\n", "cpp fragment throws ShapeError"))
        self.assertIn("typeid(heed::ShapeError)", code)
        self.assertIn("nothing was thrown", code)

    def test_one_program_has_each_block_in_a_namespace(self):
        blocks = [block("#include <vector>\nint main() {\n}\n"), block("int a;\n", "cpp fragment")]
        code = snippets.joint_program(blocks, {b.file: "<!-- shared: int helper; -->" for b in blocks})
        self.assertIn("namespace some_page_line_2 {", code)
        self.assertEqual(code.count("int helper;"), 2)
        self.assertLess(code.index("#include <vector>"), code.index("namespace"))
        self.assertIn("return 0; }", code)


if __name__ == "__main__":
    unittest.main()
