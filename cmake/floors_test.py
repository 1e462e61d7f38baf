"""The rule of the floors: a folder uses only what stands above it in the house (includes, transitively, and link edges).
It stands in cmake/ because it is a rule about the whole tree, and the link edges it checks are CMake's.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import re
import shutil
import sys
import tempfile

# Ground floor first, as in the architecture: folder → what it may use (and what that may use in turn).
# `protocol/include` is the core's public face, `testing` the main() of unit tests.
ALL = None
HOUSE = {
    "testing": [],
    "protocol/wire": [],
    "protocol/include": ["protocol/wire"],
    "protocol": ["protocol/include", "protocol/wire"],
    "devices": ["protocol/include", "protocol/wire"],
    "traces": ["protocol/wire"],
    "conformance/judge": ["traces", "protocol/wire"],
    "sim": ["devices", "protocol", "traces"],
    "conformance/targets": ["conformance/judge", "sim", "devices", "protocol"],
    "conformance/agent": ["conformance/judge", "sim", "devices", "protocol"],
    "scenarios": ["conformance/targets", "conformance/agent", "sim"],
    "smclab": ALL,
    "fuzz": ALL,
    "bench": ALL,
    "docs": ALL,
}
# A device calls back into the core's registry, whose code is in protocol/ though its header is public.
MAY_LINK_TOO = {"devices": ["protocol"]}
# No I/O, no clock, no thread: what of C11 the two lowest folders (not their tests) may include.
PURE = ("protocol/wire", "protocol/include", "protocol")
PURE_HEADERS = {name + ".h" for name in (
    "assert ctype errno inttypes limits stdalign stdarg stdbool stddef stdint stdio stdlib stdnoreturn string").split()}
SOURCES = (".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".inc", ".def")
NOT_OURS = {".git", "build", "smclab-out"}
EXAMPLES_FOR_OTHERS = ("examples",)  # a folder of that name holds programs of users, not of the house


def floor_of(path):
    """The innermost folder of the house that holds this file or folder; None for an unknown one."""
    found = [floor for floor in HOUSE if path == floor or path.startswith(floor + "/")]
    return max(found, key=len) if found else None


def allowed(floor):
    """Every floor that `floor` may use, itself included."""
    if HOUSE[floor] is ALL:
        return set(HOUSE)
    result = {floor}
    for other in HOUSE[floor]:
        result |= allowed(other)
    return result


def is_test(path):
    return re.search(r"_test\.(c|h|cc)$", path) is not None


class Tree:
    def __init__(self, source, build):
        self.source = source
        self.build = build
        self.includes = {}  # path → [(line, name, angle)]
        for folder, below, files in os.walk(source):
            # A build folder inside the tree holds copies, not sources.
            below[:] = sorted(d for d in below if d not in NOT_OURS and d not in EXAMPLES_FOR_OTHERS
                              and not os.path.exists(os.path.join(folder, d, "CMakeCache.txt")))
            for name in sorted(files):
                if name.endswith(SOURCES):
                    path = os.path.relpath(os.path.join(folder, name), source)
                    self.includes[path] = list(self.parse(path))

    def parse(self, path):
        with open(os.path.join(self.source, path), encoding="utf-8", errors="replace") as file:
            text = file.read()
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
        for number, line in enumerate(text.split("\n"), 1):
            match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>|(\w+))', line)
            if match:
                yield number, match.group(1) or match.group(2) or match.group(3), \
                    '"' if match.group(1) else "<" if match.group(2) else "macro"

    def resolve(self, path, name, form):
        """Our file that the include means; "generated" for one that the build makes; None if it is not ours."""
        places = ["", "protocol", "protocol/include"]
        if form == '"':
            places.insert(0, os.path.dirname(path))
        for place in places:
            candidate = os.path.normpath(os.path.join(place, name))
            if candidate in self.includes:
                return candidate
        for place in [os.path.dirname(path)] + places:
            if form == '"' and os.path.exists(os.path.join(self.build, place, name)):
                return "generated"
        return None


def check_includes(tree):
    for path in sorted(tree.includes):
        floor = floor_of(path)
        if floor is None:
            yield f"{path}:1: stands in no folder of the house: add it to HOUSE in cmake/floors_test.py"
            continue
        for line, name, form in tree.includes[path]:
            yield from check_include(tree, path, floor, line, name, form)


def check_include(tree, path, floor, line, name, form):
    where = f"{path}:{line}:"
    target = tree.resolve(path, name, form)
    if form == "macro":
        yield f"{where} #include {name}: nobody can see what that includes"
    elif target == "generated":
        return
    elif target is None and form == '"':
        yield f'{where} #include "{name}": no such file here'
    elif target is None:
        if floor in PURE and not is_test(path) and name not in PURE_HEADERS:
            yield f"{where} #include <{name}>: {floor} needs a C11 compiler and nothing else: no I/O, clock or thread"
    else:
        yield from check_chains(tree, path, floor, where, target)


def check_chains(tree, path, floor, where, first):
    """Follows one include to everything that it brings along."""
    may = allowed(floor) | ({"testing"} if is_test(path) else set())
    chains = [[first]]
    seen = {first}
    while chains:
        chain = chains.pop(0)
        used = floor_of(chain[-1])
        if used not in may:
            yield f"{where} uses {' → '.join(chain)}: {floor}/ may use only {', '.join(sorted(may))}"
            continue
        for _, name, form in tree.includes[chain[-1]]:
            target = tree.resolve(chain[-1], name, form)
            if target not in (None, "generated") and target not in seen:
                seen.add(target)
                chains.append(chain + [target])


def read_targets(build):
    targets = {}
    with open(os.path.join(build, "targets.txt")) as file:
        for line in file:
            name, folder, own, passed_on, sources = line.rstrip("\n").split("\t")
            targets[name] = {"folder": folder, "sources": [s for s in sources.split(";") if s],
                             "links": [item for item in f"{own};{passed_on}".split(";") if item]}
    return targets


def check_targets(targets, source):
    for name in sorted(targets):
        target = targets[name]
        floor = floor_of(target["folder"])
        if floor is None:  # cmake/ and the root have no code
            continue
        where = f"{target['folder']}/CMakeLists.txt:1: target {name}"
        may = allowed(floor) | set(MAY_LINK_TOO.get(floor, [])) | {"testing"}
        for chain in link_chains(targets, name):
            used = targets.get(chain[-1])
            if used is not None and floor_of(used["folder"]) not in may:
                yield f"{where} links {' → '.join(chain)}: {floor}/ may use only {', '.join(sorted(may))}"
            if used is None and floor in PURE and chain[-1] != "PkgConfig::CHECK":
                yield f"{where} links {' → '.join(chain)}: {floor}/ needs no library"
        for item in target["sources"]:
            used = floor_of(source_folder(item, target["folder"], targets, source))
            if used is not None and used not in may:
                yield f"{where} compiles {item}: {floor}/ may use only {', '.join(sorted(may))}"


def source_folder(item, folder, targets, source):
    objects = re.match(r"\$<TARGET_OBJECTS:(.+)>$", item)
    if objects:
        return targets[objects.group(1)]["folder"]
    return os.path.relpath(os.path.normpath(os.path.join(source, folder, item)), source)


def link_chains(targets, name):
    chains = [[item] for item in targets[name]["links"]]
    seen = set()
    while chains:
        chain = chains.pop(0)
        last = re.sub(r"^\$<LINK_ONLY:(.+)>$", r"\1", chain[-1])
        chain[-1] = last
        if last in seen:
            continue
        seen.add(last)
        # What Check itself needs comes with a unit test and is no edge of ours.
        yield chain
        chains += [chain + [item] for item in targets.get(last, {"links": []})["links"]]


# ---- The proof that the test fires: each rule broken once in a copy, with the message expected -----

PLANTED_FILES = {
    "protocol/state_machine.h": "#include <stdint.h>\n",
    "conformance/judge/planted.h": "/* nothing */\n",
    "traces/uses_judge.c": '/* line 1\n line 2 */\n#include "conformance/judge/planted.h"\n',
    "traces/innocent.h": '#include "../protocol/state_machine.h"\n',
    "conformance/judge/uses_core.c": '\n#include "traces/innocent.h"\n',
    "conformance/judge/uses_public.c": "#include <smc/error.h>\n",
    "protocol/wire/uses_clock.c": "#include <time.h>\n",
    "protocol/wire/uses_core.h": '#include "state_machine.h"\n',
    "devices/uses_inside.c": '#include "state_machine.h"\n',
    "protocol/lost.c": '#include "nowhere.h"\n',
    "protocol/hidden.c": "#define LIST <time.h>\n#include LIST\n",
    "protocol/uses_testing.c": '#include "testing/check_main.h"\n',
    "attic/orphan.c": "int orphan;\n",
    "traces/allowed_test.c": '#include "testing/check_main.h"\n#include "traces/allowed.h"\n',
    "traces/allowed.h": '/* #include "conformance/judge/planted.h" */\n#include <pcap/pcap.h>\n',
}
PLANTED_FINDINGS = [
    "traces/uses_judge.c:3: uses conformance/judge/planted.h",
    "traces/innocent.h:1: uses protocol/state_machine.h",
    "conformance/judge/uses_core.c:2: uses traces/innocent.h → protocol/state_machine.h",
    "conformance/judge/uses_public.c:1: uses protocol/include/smc/error.h",
    "protocol/wire/uses_clock.c:1: #include <time.h>",
    "protocol/wire/uses_core.h:1: uses protocol/state_machine.h",
    "devices/uses_inside.c:1: uses protocol/state_machine.h",
    'protocol/lost.c:1: #include "nowhere.h": no such file',
    "protocol/hidden.c:2: #include LIST",
    "protocol/uses_testing.c:1: uses testing/check_main.h",
    "attic/orphan.c:1: stands in no folder",
]
PLANTED_TARGETS = """\
smc_wire\tprotocol/wire\t\t\tfield.c
smc_core\tprotocol\tsmc_wire\tsmc_wire\t../traces/reader.c
trace\ttraces\tsmc_wire;PkgConfig::PCAP\tsmc_wire\treader.c
judge\tconformance/judge\ttrace\ttrace\tcheck.c
helper\tconformance/judge\tinnocent\t\thelper.c
innocent\ttraces\t$<LINK_ONLY:smc_core>\t\tinnocent.c
late\tprotocol/wire\tPkgConfig::JANSSON\t\tlate.c
objects\ttraces\t\t\t$<TARGET_OBJECTS:judge>
wire.field\tprotocol/wire\tsmc_wire;PkgConfig::CHECK\t\tfield_test.c
"""
PLANTED_EDGES = [
    "conformance/judge/CMakeLists.txt:1: target helper links innocent → smc_core",
    "protocol/wire/CMakeLists.txt:1: target late links PkgConfig::JANSSON",
    "traces/CMakeLists.txt:1: target innocent links smc_core",
    "traces/CMakeLists.txt:1: target objects compiles $<TARGET_OBJECTS:judge>",
    "protocol/CMakeLists.txt:1: target smc_core compiles ../traces/reader.c",
]


def copy_sources(source, to):
    for path in Tree(source, source).includes:
        os.makedirs(os.path.dirname(os.path.join(to, path)), exist_ok=True)
        shutil.copy(os.path.join(source, path), os.path.join(to, path))


def compare(found, expected, what):
    """Every expected finding once, and nothing else."""
    missing = [text for text in expected if not any(f.startswith(text) for f in found)]
    surplus = [f for f in found if not any(f.startswith(text) for text in expected)]
    for text in missing:
        print(f"self-test ({what}): not reported: {text}")
    for text in surplus:
        print(f"self-test ({what}): reported for no reason: {text}")
    return len(missing) + len(surplus)


def self_test(source, build):
    with tempfile.TemporaryDirectory() as folder:
        copy_sources(source, folder)
        before = set(check_includes(Tree(folder, build)))
        for path, text in PLANTED_FILES.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w") as file:
                file.write(text)
        after = set(check_includes(Tree(folder, build)))
        with open(os.path.join(folder, "targets.txt"), "w") as file:
            file.write(PLANTED_TARGETS)
        edges = list(check_targets(read_targets(folder), folder))
    return (compare(sorted(after - before), PLANTED_FINDINGS, "includes")
            + compare(edges, PLANTED_EDGES, "link edges"))


def main():
    source, build = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB_BUILD_DIR"]
    wrong = self_test(source, build)
    tree = Tree(source, build)
    targets = read_targets(build)
    findings = list(check_includes(tree)) + list(check_targets(targets, source))
    for finding in findings:
        print(finding)
    print(f"{len(tree.includes)} files with {sum(map(len, tree.includes.values()))} includes, {len(targets)} targets: "
          f"{len(findings)} violations; {len(PLANTED_FINDINGS) + len(PLANTED_EDGES)} planted violations, {wrong} misjudged")
    if len(tree.includes) < 8 or "smc_core" not in targets:
        sys.exit("that is not the whole tree")
    sys.exit(1 if findings or wrong else 0)


main()
