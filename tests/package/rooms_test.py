"""What rooms.py says of headers that are right and wrong: python3 tests/package/rooms_test.py"""

import pathlib
import tempfile
import unittest

import rooms


def faults(headers, shared=None):
    """Of headers, given as their names and what is in them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in headers.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return rooms.faults_of(pathlib.Path(folder), shared or {})


def detail(text):
    return f"namespace heed {{\nnamespace detail {{\n{text}\n}}  // namespace detail\n}}  // namespace heed\n"


OWNER = {"math/a.hpp": detail("template <class T>\n  requires(sizeof(T) > 1)\ninline T norm(T x) {\n  return x;\n}\nstruct Sum {};")}


class Includes(unittest.TestCase):
    def test_of_earlier_rooms_and_of_the_own_are_right(self):
        self.assertEqual([], faults({"plot/a.hpp": "#include <heed/tensor/view.hpp>\n#include <heed/plot/b.hpp>\n"
                                                   "#include <heed/version.hpp>\n// #include <heed/heed.hpp>\n",
                                     "heed.hpp": "#include <heed/plot/a.hpp>\n"}))

    def test_of_later_rooms_are_wrong(self):
        for name, included in [("tensor/a.hpp", "math/b.hpp"), ("layers/a.hpp", "attention/b.hpp"),
                               ("model/a.hpp", "train/b.hpp"), ("train/a.hpp", "io/b.hpp"), ("io/a.hpp", "plot/b.hpp")]:
            (fault,) = faults({name: f"#pragma once\n  #  include <heed/{included}>\n"})
            self.assertTrue(fault.startswith(f"{name} includes {included} of a later room: they are tensor, math, "))

    def test_of_what_programs_include_are_wrong(self):
        self.assertEqual(["io/a.hpp includes heed.hpp, which is for programs"],
                         faults({"io/a.hpp": "#include <heed/heed.hpp>\n"}))

    def test_of_a_room_that_nobody_knows(self):
        self.assertIn("no room is called cellar", faults({"cellar/a.hpp": ""})[0])


class Names(unittest.TestCase):
    def uses(self, text, shared=None):
        return faults(OWNER | {"train/b.hpp": text}, shared)

    def test_of_another_room_are_wrong(self):
        for text in ["const auto a = detail::norm(3);", "int a = detail::norm<int>(3);",
                     detail("inline int f() {\n  return norm(3);\n}"), detail("inline int f() { return norm<int>(3); }"),
                     detail("inline int f() { const int a = g(norm(3)); }"), detail("inline bool f() { return a && norm(3); }")]:
            self.assertEqual(["train/b.hpp uses heed::detail::norm, which belongs to math and is not in SHARED"],
                             self.uses(text), text)
        self.assertEqual(["train/b.hpp uses heed::detail::Sum, which belongs to math and is not in SHARED"],
                         self.uses(detail("inline void f(int, Sum) {}")))

    def test_that_are_shared_are_right(self):
        self.assertEqual([], self.uses(detail("inline int f() { return norm(3); }"), {"math": "norm"}))

    def test_that_are_shared_and_not_used_are_wrong(self):
        self.assertEqual(["SHARED has norm of math, which no other room uses"], self.uses("", {"math": "norm"}))

    def test_that_are_another_thing_are_right(self):
        for text in ["// detail::norm(3)\n", detail("inline int f() { const auto norm = [] {}; return norm(3); }"),
                     detail("inline int f(X& x) { return x.norm(3) + x->norm(3); }"),
                     detail('inline int f() { return g("norm(3)"); }'), detail("template <class Sum> int f(Sum s);"),
                     detail("#define norm(x) x\n")]:
            self.assertEqual([], self.uses(text), text)

    def test_that_two_rooms_declare_are_wrong(self):
        for text in ["inline double norm(double, int);", "inline constexpr int norm = 3;", "using norm = int;",
                     "template <class T>\nconcept norm = requires(T x) {\n  x;\n};",
                     "template <>\ninline constexpr bool norm<int, 3> = true;"]:
            self.assertEqual(["heed::detail::norm is declared in several rooms: math, train"],
                             self.uses(detail(text)), text)
        self.assertEqual([], self.uses("namespace heed::train {\nnamespace detail {\nint norm(int);\n}\n}\n"))


if __name__ == "__main__":
    unittest.main()
