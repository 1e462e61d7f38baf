"""What scripts may say of flow control, ECN, DCQCN and topologies, and what is wrong with the rest.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import subprocess
import tempfile
import unittest

SMCLAB = os.environ["SMCLAB"]
HEAD = 'scenario { title = "A test" }\n'
REFUSED = [
    ('switch "s" { buffer = 1 }', 'a switch has no field "buffer"'),
    ('switch "s" { pfc = { xof = 1 } }', 'pfc has no field "xof"'),
    ('switch "s" { pfc = 3 }', "pfc: true, false or a table is wanted"),
    ('switch "s" { pfc = { xoff = 1000, xon = 1001 } }', "xon is above xoff"),
    ('switch "s" { pfc = { lossless = { 8 } } }', "lossless: a list of priorities, 0 to 7"),
    ('switch "s" { pfc = { trust = "mac" } }', 'trust: "dscp" or "pcp"'),
    ('switch "s" { pfc = { quanta = 65536 } }', "quanta: 0 to 65535"),
    ('switch "s" { pfc = { headroom = "8 GiB" } }', "headroom: too large"),
    ('switch "s" { ecn = { min = 2, max = 1 } }', "min is above max"),
    ('switch "s" { ecn = { share = "101 %" } }', "share: more than all of them"),
    ('host "h" { address = "10.0.0.1/24", dcqcn = { R_XI = 1 } }', 'dcqcn has no field "R_XI"'),
    ('host "h" { address = "10.0.0.1/24", dcqcn = { g = "2/1" } }', 'g: "2/1" is not like "1/256"'),
    ('host "h" { address = "10.0.0.1/24", dcqcn = { g = "1/2/3" } }', 'g: "1/2/3" is not like "1/256"'),
    ('host "h" { address = "10.0.0.1/24", dcqcn = { line_rate = "20000 Gbit/s" } }', "dcqcn: a value is out of range"),
    ('host "h" { address = "10.0.0.1/24", dcqcn = { line_rate = "1 Mbit/s" } }', "dcqcn: a value is out of range"),  # below R_MIN
    ('host "h" { address = "10.0.0.1/24", dscp = 64 }', "dscp: 0 to 63"),
    ('host "h" { address = "10.0.0.1/24", priority = 8 }', "priority: 0 to 7"),
    ('host "h" { address = "10.0.0.1/24", roce = false } h:roce()', "h.eth0 is no interface with a RoCE device"),
    ('local n = star { hosts = 2 } n.links[1]:counters("x")', '"x" is at neither end of the link'),
    ('local n = star { hosts = 2 } n.switch:ways(1, { "nothing" })', 'no link "nothing" ends at sw0'),
    ('local n = star { hosts = 2 } n.switch:station("sw0.7", n.links[1])', 'there is no interface "sw0.7"'),
    ('star { hosts = 0 }', "hosts: a number of 1 or more is wanted"),
    ('star { host = 3, hots = 1 }', 'a star has no field "hots"'),
    ('dumbbell { left = 1 }', "right: a number of 1 or more is wanted"),
    ('leaf_spine { leaves = 2, spines = 1.5, hosts_per_leaf = 1 }', "spines: a number of 1 or more is wanted"),
]
TAKEN = """

switch("big", { ports = 300 })
switch "plain"
switch "all" { pfc = true, ecn = true }
switch "table" { pfc = { lossless = { 0, 7 }, xoff = "8 KiB", xon = 0, headroom = 1, trust = "pcp", quanta = 1 }, ecn = { min = 0, max = 0, share = "100 %" } }
host "a" { address = "10.9.0.1/16", vlan = 5, priority = 3, pfc = { trust = "pcp" }, dcqcn = { line_rate = "5 Gbit/s", g = "1/16", K = "60 us", T = "300 us", B = "1 MiB",
    F = 3, R_AI = "5 Mbit/s", R_HAI = "50 Mbit/s", R_MIN = "1 Mbit/s", N = "4 us", cnp_dscp = 6 } }
host "b" { address = "10.9.0.2/16", vlan = 5, dcqcn = true }
link("a", "b", { rate = "25 Gbit/s" })
expect(a:roce().line_rate, 5000000000)
expect(b:roce("eth0").line_rate, 25000000000)
local s = star { hosts = 300, network = "10.1", name = "s", switch = "s0", host = { smc = false, roce = false } }
expect(#s.hosts, 300)
expect(s.hosts[300].name, "s300")
expect(tostring(s.switch), "s0")
local d = dumbbell { left = 2, right = 3, network = "10.2", host = function(i, name) return { smc = i == 5, roce = false } end }
expect(d.right[3].name, "right3")
expect(#d.links, 5)
local f = leaf_spine { leaves = 3, spines = 2, hosts_per_leaf = 2, network = "10.3" }
expect(f.leaf[3][2].name, "h3_2")
expect(#f.uplinks[3], 2)
local c, p = connect(d.left[1], d.right[3], 7000)
c:send("over the bottleneck")
expect(p:receive(19), "over the bottleneck")
expect(d.bottleneck:counters(d.switches[1]).queue_drops, 0)
expect_true(d.bottleneck:counters("sw_left").sent > 2)
c:close()
p:close()
wait_quiet()
"""


class Congestion(unittest.TestCase):
    def run_script(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "test.lua")
            with open(path, "w", encoding="utf-8") as file:
                file.write(HEAD + text + "\n")
            return subprocess.run([SMCLAB, "run", "--out", os.path.join(folder, "out"), path], capture_output=True, text=True, timeout=120)

    def test_what_makes_no_sense_is_refused_by_name(self):
        for text, problem in REFUSED:
            with self.subTest(text):
                done = self.run_script(text)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(problem, done.stdout + done.stderr)

    def test_everything_that_may_be_said_is_taken(self):
        done = self.run_script(TAKEN)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


unittest.main()
