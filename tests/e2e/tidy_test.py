#!/usr/bin/env python3
"""tools/tidy finds what it should, and nothing else. runs-beside-others"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).resolve().parents[2] / "tools/tidy"
README = "# base\n\nFor tests.\n\n**Promises.** Nothing.\n\n**May use.** Nothing.\n"


class Tidy(unittest.TestCase):
    def tidy(self, files):
        """Checks a tree of these files; returns the offences as (file:line, rule)."""
        with tempfile.TemporaryDirectory() as root:
            for name, text in {"src/base/README.md": README, **files}.items():
                path = Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            run = subprocess.run([sys.executable, TIDY, root], stdout=subprocess.PIPE, text=True, check=False)
        lines = run.stdout.splitlines()
        self.assertEqual(run.returncode, 0 if lines[-1] == "tidy: clean" else 1, run.stdout)
        found = (re.match(r"(.*?): \[(\w+)\]", line) for line in lines[:-1])
        return [match.groups() if match else line for match, line in zip(found, lines)]

    def one(self, name, text):
        return self.tidy({name: text})

    def test_a_clean_tree(self):
        self.assertEqual(self.one("src/base/a.h", "#pragma once\n#include <fmt/format.h>\n#include <vector>\n"), [])

    def test_long_lines(self):
        self.assertEqual(self.one("src/base/a.cc", "\n// " + "x" * 117 + "\n"), [])
        self.assertEqual(self.one("src/base/a.cc", "\n// " + "x" * 118 + "\n"), [("src/base/a.cc:2", "columns")])

    def test_columns_count_letters_not_bytes(self):
        self.assertEqual(self.one("src/base/a.cc", "// " + "ä" * 117 + "\n"), [])

    def function(self, lines, head="int f(int a, int b)"):
        return head + " {\n" + "  a += b;\n" * (lines - 2) + "}\n"

    def test_long_functions(self):
        for head in ("int f()", "template <class T>\nbool C<T>::f(const T& t) const noexcept", "TEST(A, B)",
                     "namespace x {\nstruct S {\n  int f() const", "C::C(int a) : a_(a)", "const auto f = [](int a)",
                     "operator bool() const"):
            self.assertEqual(self.one("src/base/a.cc", self.function(70, head)), [], head)
            found = self.one("src/base/a.cc", self.function(71, head))
            self.assertEqual([rule for _, rule in found], ["function"], head)

    def test_what_is_long_but_no_function(self):
        for head in ("namespace a", "struct S", "template <class T>\nclass C : public B<T>", "const int table[] =",
                     "constexpr T all[] =", "enum class E : int", "extern \"C\"", "inline namespace b"):
            self.assertEqual(self.one("src/base/a.cc", self.function(90, head)), [], head)

    def test_braces_in_texts_and_comments_do_not_count(self):
        text = "int f() {\n  // {\n  /* { */ char c = '{'; auto t = \"{\\\"\"; auto r = R\"(\"{)\"; return 1'000;\n}\n"
        text *= 30
        self.assertEqual(self.one("src/base/a.cc", text), [])

    def test_long_files(self):
        self.assertEqual(self.one("src/base/a.cc", ";\n" * 601), [("src/base/a.cc:601", "file")])
        self.assertEqual(self.one("src/base/a.h", "#pragma once\n" + ";\n" * 300), [("src/base/a.h:301", "file")])

    def test_notes_need_an_owner(self):
        word = "TO" + "DO"
        self.assertEqual(self.one("src/base/a.cc", f"// {word}(ada): more\n"), [])
        self.assertEqual(self.one("src/base/a.cc", f"// {word}: more\n"), [("src/base/a.cc:1", "note")])
        self.assertEqual(self.one("tools/a.sh", "# FIX" + "ME\n"), [("tools/a.sh:1", "note")])

    def test_names_that_say_nothing(self):
        self.assertEqual(self.one("src/base/string_util.cc", ""), [("src/base/string_util.cc:1", "name")])
        self.assertEqual(self.one("src/base/implicit.cc", ""), [])

    def test_includes(self):
        self.assertEqual(self.one("src/base/a.cc", '#include "bytes.h"\n'), [("src/base/a.cc:1", "include")])
        self.assertEqual(self.one("src/base/a.cc", "#include <sys/stat.h>\n"), [("src/base/a.cc:1", "include")])
        self.assertEqual(self.one("src/base/a.cc", "#include <boost/asio.hpp>\n"), [("src/base/a.cc:1", "include")])
        self.assertEqual(self.one("src/base/a.cc", "#include <Poco/Net.h>\n"), [("src/base/a.cc:1", "include")])
        self.assertEqual(self.one("src/base/a_test.cc", "#include <gtest/gtest.h>\n"), [])

    def test_the_clock_is_read_in_base_only(self):
        files = {"src/node/README.md": README, "src/node/a.cc": "auto t = std::chrono::steady_clock::now();\n"}
        self.assertEqual(self.tidy(files), [("src/node/a.cc:1", "clock")])
        self.assertEqual(self.one("src/base/a.cc", files["src/node/a.cc"]), [])

    def test_headers_are_included_once(self):
        self.assertEqual(self.one("src/base/a.h", "int a;\n"), [("src/base/a.h:1", "header")])

    def test_every_folder_says_what_it_is(self):
        self.assertEqual(self.one("src/log/a.cc", ""), [("src/log/README.md:1", "readme")])
        self.assertEqual(self.one("src/base/README.md", README + "\n" * 30), [("src/base/README.md:37", "readme")])
        self.assertEqual(len(self.one("src/base/README.md", "# base\n")), 2)

    def test_the_ratchet_only_turns_down(self):
        long = "// " + "x" * 130 + "\n"
        known = {"tools/tidy-ratchet": "columns src/base/a.cc 2\n"}
        self.assertEqual(self.tidy({**known, "src/base/a.cc": long * 2}), [])
        self.assertEqual(len(self.tidy({**known, "src/base/a.cc": long * 3})), 3)
        self.assertEqual(len(self.tidy({**known, "src/base/a.cc": long})), 1)


if __name__ == "__main__":
    unittest.main()
