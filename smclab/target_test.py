"""A program without ns-3 beside it says in one sentence what to install, and that is no failure but status 77.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import shutil
import subprocess
import tempfile
import unittest

SMCLAB = os.environ["SMCLAB"]


class WithoutNs3(unittest.TestCase):
    def test_one_sentence_and_77(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(SMCLAB, os.path.join(folder, "smclab"))
            path = os.path.join(folder, "one.lua")
            with open(path, "w", encoding="utf-8") as file:
                file.write('scenario { title = "one", targets = { "sim", "ns3" } }\n')
            done = subprocess.run([alone, "run", "--target", "ns3", "--out", folder, path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 77)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn("libns3-dev", done.stderr)
            self.assertEqual(subprocess.run([alone, "run", "--out", folder, path], capture_output=True).returncode, 0)

    def test_the_program_beside_it_gets_the_whole_command_line(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(SMCLAB, os.path.join(folder, "smclab"))
            beside = os.path.join(folder, "smclab-ns3")
            with open(beside, "w", encoding="utf-8") as file:
                file.write('#!/bin/sh\nprintf "%s|" "$@"\nexit 5\n')
            os.chmod(beside, 0o755)
            path = os.path.join(folder, "a b.lua")
            with open(path, "w", encoding="utf-8") as file:
                file.write('scenario { title = "one" }\n')
            done = subprocess.run([alone, "run", "--target", "ns3", "--seed", "7", path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 5)
            self.assertEqual(done.stdout.rstrip("|").split("|"), ["run", "--target", "ns3", "--seed", "7", path])


unittest.main()
