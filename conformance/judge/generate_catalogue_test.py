"""Tests of the catalogue's generator: it writes what the file says, and refuses a file that is wrong.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = "id,level,source,area,text,observable,how,negative\n"
GOOD = 'CLC-001,MUST,RFC 7609 A.2,CLC,"a ""quoted"", text \\ with what?? C \u00e4",wire,how,none known\n'


def generate(text):
    """(exit status, complaint, {name: content}) of the generator."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "rows.csv")
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([sys.executable, os.path.join(HERE, "generate_catalogue.py"), source, folder],
                              capture_output=True, text=True, check=False)
        made = {}
        for name in ("catalogue_ids.h", "catalogue.c"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    made[name] = file.read()
        return done.returncode, done.stderr, made


class Generator(unittest.TestCase):
    def test_writes_a_constant_and_a_row(self):
        status, complaint, made = generate(HEAD + GOOD)
        self.assertEqual((status, complaint), (0, ""))
        self.assertIn("    REQ_CLC_001,\n    JUDGE_REQUIREMENTS", made["catalogue_ids.h"])
        self.assertIn(r'.text = "a \"quoted\", text \\ with what\?\? C \303\244"', made["catalogue.c"])
        self.assertIn("judge_catalogue_size = 1;", made["catalogue.c"])

    def refused(self, text, why):
        status, complaint, made = generate(text)
        self.assertNotEqual(status, 0)
        self.assertIn(why, complaint)
        self.assertEqual(made, {})

    def test_refuses_an_id_twice(self):
        self.refused(HEAD + GOOD + GOOD, "twice")

    def test_refuses_another_level(self):
        self.refused(HEAD + GOOD.replace("MUST", "OUGHT"), "OUGHT")

    def test_refuses_another_area(self):
        self.refused(HEAD + GOOD.replace(",CLC,", ",LLC,"), "area LLC")

    def test_refuses_a_crooked_id(self):
        self.refused(HEAD + GOOD.replace("CLC-001", "CLC-1"), "CLC-1")

    def test_refuses_a_row_with_a_comma_too_many(self):
        self.refused(HEAD + GOOD.replace("none known", "none, known"), "columns")

    def test_refuses_a_missing_column(self):
        self.refused(HEAD + GOOD.replace(",none known", ""), "columns")


if __name__ == "__main__":
    unittest.main()
