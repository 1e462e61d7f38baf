"""Opens an HTML report in headless Chromium, clicks each finding and looks at the frame that it leads to.
SPDX-License-Identifier: BSD-3-Clause

Speaks W3C WebDriver to Debian's chromedriver with nothing but the standard library; no network but the loopback."""
import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

SMCLAB, SOURCE = os.environ["SMCLAB"], os.environ["SMCLAB_SOURCE_DIR"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
HOSTILE = "<script>document.title='owned'</script><b onclick=x>'\".pcap"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,900"]


class Browser:
    """A session of Chromium; every method is one WebDriver command."""

    def __init__(self, folder):
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
        if not driver or not chromium:
            sys.exit("this test needs the packages chromium and chromium-driver")
        self.log = open(os.path.join(folder, "driver.log"), "w+b")
        self.driver = subprocess.Popen([driver, "--port=0"], stdout=self.log, stderr=subprocess.STDOUT)
        self.root = f"http://127.0.0.1:{self.port()}"
        options = {"binary": chromium, "args": ARGUMENTS + [f"--user-data-dir={folder}/profile"]}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        session = self.call("POST", "/session", {"capabilities": capabilities})
        self.root += f"/session/{session['sessionId']}"

    def port(self):
        """The one it chose; it says so when it is ready."""
        for _ in range(300):
            with open(self.log.name, "rb") as file:
                found = re.search(rb"started successfully on port (\d+)", file.read())
            if found:
                return int(found[1])
            time.sleep(0.1)
        sys.exit("chromedriver did not start")

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.root + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode(errors='replace')[:500]}") from None

    def open(self, path):
        self.call("POST", "/url", {"url": "file://" + urllib.request.pathname2url(path)})

    def script(self, text, *arguments):
        return self.call("POST", "/execute/sync", {"script": text, "args": arguments})

    def find(self, css):
        return [element[ELEMENT] for element in self.call("POST", "/elements", {"using": "css selector", "value": css})]

    def click(self, element):
        self.call("POST", f"/element/{element}/click", {})

    def attribute(self, element, name):
        return self.call("GET", f"/element/{element}/attribute/{name}")

    def text(self, element):
        return self.call("GET", f"/element/{element}/text")

    def messages(self):
        return self.call("POST", "/se/log", {"type": "browser"})

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(30)
            self.log.close()


# What a finding's link leads to, as somebody sees it: is it on the screen, is it marked, what does it say?
LOOK = """
var row = document.getElementById(arguments[0]), box = row.getBoundingClientRect(), back = row.querySelector(".back");
var x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), y = box.top + box.height / 2;
return {row: row.classList.contains("row"), inside: box.top >= 0 && box.bottom <= innerHeight && box.height > 0,
        on_top: row.contains(document.elementFromPoint(x, y)), hits: document.querySelectorAll(".hit").length,
        marked: row.classList.contains("hit"), fill: getComputedStyle(back).fill, frame: (row.querySelector(".frame") || {}).textContent,
        label: row.querySelector(".label").textContent, open: row.closest("details").open};
"""


class HtmlReport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.page = os.path.join(cls.folder.name, "report.html")
        hostile = os.path.join(cls.folder.name, HOSTILE.replace("/", "∕"))
        shutil.copy(os.path.join(SOURCE, "demo/broken/eid-never-offered.pcap"), hostile)
        files = [os.path.join(SOURCE, path) for path in (
            "demo/broken/announced-before-written.pcap", "demo/broken/one-byte-outside.pcap",
            "traces/captures/6.12.107-v2-g2-failover-server-link-down.pcap")] + [hostile]
        done = subprocess.run([SMCLAB, "check", "--format", "json", "--report", f"html={cls.page}", *files], capture_output=True, check=False)
        if done.returncode != 1:
            sys.exit(f"exit status {done.returncode}: {done.stderr.decode()}")
        cls.result = json.loads(done.stdout)
        cls.browser = Browser(cls.folder.name)
        cls.browser.open(cls.page)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def look(self, target):
        """What is seen once the browser has followed the link: it does so a moment after the click."""
        for _ in range(100):
            seen = self.browser.script(LOOK, target)
            if seen["marked"] and seen["hits"] == 1:
                break
            time.sleep(0.05)
        return seen

    def source(self):
        with open(self.page, encoding="utf-8") as file:
            return file.read()

    def test_every_finding_leads_to_its_frame_visible_and_marked(self):
        plain = self.browser.script("return getComputedStyle(document.querySelector('.row:not(.found) .back')).fill")
        links = self.browser.find(".finding a.go")
        self.assertEqual(len(links), sum(len(file["findings"]) for file in self.result["files"]))
        self.assertGreater(len(links), 8)
        for link in links:
            self.browser.script("document.querySelectorAll('details').forEach(function (d) { d.open = false; }); scrollTo(0, 0);")
            target = self.browser.attribute(link, "href").split("#")[1]
            wanted = re.fullmatch(r"frame (\d+)|where it is absent", self.browser.text(link))
            self.browser.click(link)
            seen = self.look(target)
            self.assertTrue(seen["row"] and seen["open"] and seen["inside"] and seen["on_top"] and seen["marked"], (target, seen))
            self.assertEqual(seen["hits"], 1)
            self.assertNotEqual(seen["fill"], plain)
            if wanted[1]:
                first, _, last = seen["frame"].partition("–")
                self.assertTrue(int(first) <= int(wanted[1]) <= int(last or first), (wanted[1], seen))
        self.browser.screenshot(os.path.join(os.environ["SMCLAB_BUILD_DIR"], "report_html_test.png"))

    def test_the_frame_of_a_finding_shows_what_it_is_about(self):
        self.browser.click(self.browser.find("#f0n0 a.go")[0])
        seen = self.look(self.browser.attribute(self.browser.find("#f0n0 a.go")[0], "href").split("#")[1])
        self.assertRegex(seen["label"], r"^CDC \d+")  # announced before written: the CDC is at fault

    def test_a_long_ladder_says_what_it_left_out(self):
        """The capture of the failover has a connection of more events than are drawn; drawn and left out make all of them."""
        totals = self.browser.script("""
            return Array.from(document.querySelectorAll("#f2 details")).map(function (d) {
                var left = Array.from(d.querySelectorAll(".left-out text")).map(function (t) { return parseInt(t.textContent, 10); });
                return [d.querySelector("summary").textContent, d.querySelectorAll(".row:not(.other):not(.absent)").length,
                        left.reduce(function (a, b) { return a + b; }, 0)];
            });""")
        for summary, drawn, left in totals:
            self.assertLessEqual(drawn, 250, summary)
            said = re.match(r"c\d+: (\d+) events?", summary)
            if said:
                self.assertEqual(int(said[1]), drawn + left, summary)
        self.assertTrue(any(left > 0 for _, _, left in totals), totals)

    def test_a_badge_leads_back_to_the_finding(self):
        badge = self.browser.find("svg a.badge")[0]
        target = self.browser.call("GET", f"/element/{badge}/attribute/href").split("#")[1]
        self.browser.script("arguments[0].scrollIntoView()", {ELEMENT: badge})
        self.browser.click(badge)
        for _ in range(100):
            inside = self.browser.script("var b = document.getElementById(arguments[0]).getBoundingClientRect();"
                                         "return location.hash.slice(1) === arguments[0] && b.top >= -1 && b.top < innerHeight;", target)
            if inside:
                break
            time.sleep(0.05)
        self.assertTrue(inside)

    def test_an_address_with_a_frame_opens_there(self):
        row = self.browser.attribute(self.browser.find("#f1n0 a.go")[0], "href").split("#")[1]
        self.browser.call("POST", "/url", {"url": "about:blank"})
        self.browser.call("POST", "/url", {"url": "file://" + urllib.request.pathname2url(self.page) + "#" + row})
        self.assertTrue(self.look(row)["marked"])

    def test_a_file_name_is_text_and_nothing_else(self):
        self.assertEqual(self.browser.script("return document.title"), "smclab check")
        self.assertEqual(self.browser.script("return document.scripts.length"), 1)
        names = self.browser.script("return Array.from(document.querySelectorAll('h2')).map(function (h) { return h.textContent; })")
        self.assertTrue(any(name.endswith(HOSTILE.replace("/", "∕")) for name in names), names)

    def test_only_our_script_may_run(self):
        script = re.search(r"<script>(.*)</script>", self.source(), re.S)[1]
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        self.assertIn(f"script-src 'sha256-{digest}'", html.unescape(self.source()), f"the hash in report_html_assets.c must be {digest}")
        self.browser.script("var s = document.createElement('script'); s.textContent = 'document.title = \"owned\"'; document.body.append(s); s.remove();")
        self.assertEqual(self.browser.script("return document.title"), "smclab check")

    def test_the_page_asks_for_nothing(self):
        self.browser.open(self.page)
        resources = self.browser.script("return performance.getEntriesByType('resource').map(function (e) { return e.name; })")
        self.assertEqual(resources, [])

    def test_no_label_runs_out_of_its_ladder(self):
        """Every text lies inside its drawing, so that nothing is cut."""
        outside = self.browser.script("""
            var out = [];
            document.querySelectorAll("details").forEach(function (d) { d.open = true; });
            document.querySelectorAll("svg").forEach(function (s) {
                var width = s.viewBox.baseVal.width;
                s.querySelectorAll("text").forEach(function (t) {
                    var b = t.getBBox();
                    if (b.width && (b.x < -1 || b.x + b.width > width + 1)) out.push(t.textContent);
                });
            });
            return out;""")
        self.assertEqual(outside, [])


if __name__ == "__main__":
    unittest.main()
