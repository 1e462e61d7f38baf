"""smclab explore and merge as commands: results, shards, replays, and what they refuse.
SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import subprocess
import tempfile
import unittest

SMCLAB = os.environ["SMCLAB"]


def run(*arguments, folder=None):
    return subprocess.run([SMCLAB, *arguments], cwd=folder, capture_output=True, text=True)


# What a campaign found and no scenario says, since it hangs on every instant.
PLANS = {
    # Both sides of a TCP sent their ACKs from one byte before what the peer expected, the scale having rounded the window's edge.
    "rounded-windows": """
plan net_seed=10286147262633855699
host 0 paths=2 nics=1
host 1 nics=1
link 0 b=10
conn 0 server=1
  client bytes=135220 write_delay=1 urgent=2417 nodelay=1
  server bytes=196287 chunk=37351 write_delay=1 nodelay=1
""",
    # A lost link carried on what was queued there, where new bytes already stood: they were written over.
    "late-writes-of-a-lost-link": """
plan net_seed=1329523049732298321
host 0 profile=1 versions=1 nics=3 max_links=3
host 1 profile=1 versions=1 nics=3 max_links=3
link 0 b=10 rate=1000000000 delay=10314
link 1 a=1 b=11 rate=10000000000 delay=5413 queue=262144
link 2 a=2 b=12 rate=20000000 delay=18122
conn 0 server=1
  client bytes=131071 rmb=32768
  server bytes=600000
conn 1 server=1 start=1000000
  client bytes=60000 rmb=32768 hold=10051670
  server bytes=600000 rmb=32768
conn 2 server=1
  client bytes=131071
  server bytes=131071 hold=35437701
conn 3 server=1 start=7971163
  client bytes=60000 rmb=32768 hold=22067986
  server bytes=600000 rmb=131072
conn 4 server=1
  client rmb=16384 hold=27787954
  server bytes=131071 end=3
conn 5 server=1
  client bytes=1000 end=3 rmb=16384
  server bytes=131071 end=3
conn 6 server=1 start=34581011
  client bytes=131071 end=3
  server bytes=600000
conn 7 server=1
  client bytes=60000 end=1 rmb=131072
  server bytes=60000
fault 0 kind=5 where=10 at=14198848 until=63847280 p=2 r=1 s=1 t=6
fault 1 kind=1 where=1 dir=2 at=14254057 until=22551569 p=8 r=2 s=38501212
fault 2 kind=5 where=2 at=31705645 until=107778263 p=2 r=1 s=2 t=6
""",
}


class Explore(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def campaign(self, *arguments):
        done = run("explore", "--failures", "0", "--format", "json", *arguments, folder=self.folder.name)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if result["failures"] else 0)
        return result

    def test_the_result_has_exactly_the_fields_promised(self):
        result = self.campaign("--seeds", "1..6")
        self.assertEqual(sorted(result), ["digest", "events", "failures", "seeds", "states", "version"])
        self.assertEqual((result["version"], result["seeds"]), (1, 6))
        self.assertGreater(result["events"], 1000)
        self.assertGreaterEqual(len(result["states"]), 25)
        for failure in result["failures"]:
            self.assertEqual(sorted(failure), ["replay", "scenario", "seed", "why"])

    def test_parts_merge_into_the_whole(self):
        whole = self.campaign("--seeds", "10..21", "-j", "2")
        paths = []
        for i in range(3):
            paths.append(os.path.join(self.folder.name, f"part-{i}.json"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                json.dump(self.campaign("--seeds", "10..21", "--shard", f"{i}/3"), file)
        merged = run("merge", *paths)
        self.assertEqual(json.loads(merged.stdout), whole)

    def test_a_seed_replays_and_leaves_a_capture_that_can_be_judged(self):
        done = run("explore", "--replay", "3", "--shrink", "0", folder=self.folder.name)
        self.assertIn(done.returncode, (0, 1))
        self.assertIn("digest", done.stdout)
        capture = os.path.join(self.folder.name, "smclab-out/explore/seed-3.pcap")
        self.assertIn("packets", run("check", capture).stdout)
        again = run("explore", "--replay", "3", "--shrink", "0", folder=self.folder.name)
        self.assertEqual(again.stdout, done.stdout)

    def test_the_plan_that_is_printed_runs_the_same(self):
        done = run("explore", "--replay", "5", "--shrink", "0", folder=self.folder.name)
        plan = os.path.join(self.folder.name, "plan")
        with open(plan, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in done.stdout.splitlines()
                            if line.split()[0] in ("#", "plan", "host", "link", "conn", "client", "server", "fault"))
        again = run("explore", "--plan", plan, folder=self.folder.name)

        def digest(text):
            return [line for line in text.splitlines() if "digest" in line]
        self.assertEqual(digest(again.stdout), digest(done.stdout))
        self.assertEqual(len(digest(done.stdout)), 1)

    def test_plans_near_another_replay_like_drawn_ones(self):
        base = os.path.join(self.folder.name, "base")
        with open(base, "w", encoding="utf-8") as file:
            file.write(PLANS["late-writes-of-a-lost-link"])
        one, two = (self.campaign("--near", base, "--seeds", "1..12", "-j", jobs) for jobs in "12")
        self.assertEqual(one, two)
        self.assertEqual(one["seeds"], 12)
        self.assertNotEqual(one["digest"], self.campaign("--seeds", "1..12")["digest"])
        plans = [run("explore", "--near", base, "--replay", seed, "--shrink", "0", folder=self.folder.name) for seed in ("3", "3", "4")]
        self.assertEqual(plans[0].stdout, plans[1].stdout)
        self.assertNotEqual(plans[0].stdout, plans[2].stdout)

    def test_plans_that_failed_once_pass(self):
        for name, plan in PLANS.items():
            path = os.path.join(self.folder.name, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(plan)
            done = run("explore", "--plan", path, folder=self.folder.name)
            self.assertEqual((name, done.returncode), (name, 0), done.stdout)

    def test_plans_that_are_said_to_fail_still_do(self):
        folder = os.path.join(os.environ["SMCLAB_SOURCE_DIR"], "scenarios/explore/open")
        plans = [name for name in sorted(os.listdir(folder)) if name.endswith(".plan")]
        for name in plans:
            done = run("explore", "--plan", os.path.join(folder, name), folder=self.folder.name)
            self.assertEqual((name, done.returncode), (name, 1), "it passes now: move it to PLANS")

    def test_wrong_use_is_refused(self):
        for arguments in (["--seeds", "9..3"], ["--seeds", "x"], ["--shard", "3/3"], ["-j", "0"], ["--format", "xml"], ["more"]):
            self.assertEqual(run("explore", *arguments).returncode, 2, arguments)
        self.assertEqual(run("explore", "--plan", "/nonexistent/plan").returncode, 3)
        self.assertEqual(run("explore", "--near", "/nonexistent/plan").returncode, 3)
        self.assertEqual(run("explore", "--near", "plan", "--plan", "plan").returncode, 2)
        self.assertEqual(run("merge").returncode, 2)
        self.assertEqual(run("merge", "/nonexistent/part.json").returncode, 3)


if __name__ == "__main__":
    unittest.main()
