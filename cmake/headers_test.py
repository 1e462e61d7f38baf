"""Compiles every header alone: as C11 all of them, as C++17 those that C++ programs include (sim/ns3, users of libsmc).
SPDX-License-Identifier: BSD-3-Clause"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["SMCLAB_SOURCE_DIR"]
BUILD = os.environ["SMCLAB_BUILD_DIR"]
FOLDERS = ("protocol", "devices", "traces", "conformance", "sim", "smclab", "testing")
CPP_TOO = ("protocol/include/", "devices/", "sim/ns3/")
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wno-unused-function"]


def headers():
    for folder in FOLDERS:
        for path, folders, files in os.walk(os.path.join(SOURCE, folder)):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".h"):
                    yield os.path.relpath(os.path.join(path, name), SOURCE)


def external_includes():
    """Include folders of the libraries we build with: what CMake gave to the compiler as -isystem."""
    with open(os.path.join(BUILD, "build.ninja" if os.path.exists(os.path.join(BUILD, "build.ninja"))
                           else "CMakeCache.txt")) as file:
        return sorted(set(re.findall(r"-isystem (\S+)", file.read())))


def compiler():
    with open(os.path.join(BUILD, "CMakeCache.txt")) as file:
        return re.search(r"^CMAKE_C_COMPILER:\w+=(.+)$", file.read(), re.M).group(1)


def compile_alone(command, header, suffix, folder):
    """A file that holds nothing but the include, twice, so that a missing guard shows as well."""
    source = os.path.join(folder, "alone" + suffix)
    with open(source, "w") as file:
        file.write(f'#include "{header}"\n#include "{header}"\nint alone;\n')
    includes = [f"-I{SOURCE}", f"-I{SOURCE}/protocol", f"-I{SOURCE}/protocol/include"]
    system = [word for path in external_includes() for word in ("-isystem", path)]
    result = subprocess.run(command + WARNINGS + includes + system + ["-fsyntax-only", source],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def main():
    cpp = next((c for c in ("c++", "g++", "clang++") if shutil.which(c)), None)
    if cpp is None:
        sys.exit("no C++ compiler found (package g++)")
    counts = {".c": 0, ".cc": 0}
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        # First the proof that this test can fail: a header that uses what it does not include.
        planted = os.path.join(folder, "planted.h")
        with open(planted, "w") as file:
            file.write("static uint32_t planted;\n")
        for suffix, command in ((".c", [compiler(), "-std=c11"]), (".cc", [cpp, "-std=c++17"])):
            if compile_alone(command, planted, suffix, folder)[0]:
                sys.exit(f"a header that lacks an include was accepted by {command}")
        for header in headers():
            runs = [(".c", [compiler(), "-std=c11", "-D_GNU_SOURCE="])]
            if header.startswith("protocol/"):
                runs = [(".c", [compiler(), "-std=c11"])]
            if header.startswith(CPP_TOO) and not header.startswith("devices/devmem") and \
                    not header.endswith(("_internal.h", "_test.h")):  # inner ones, and what only sim/ uses, are C's alone
                runs.append((".cc", [cpp, "-std=c++17"]))
            for suffix, command in runs:
                good, text = compile_alone(command, header, suffix, folder)
                counts[suffix] += 1
                if not good:
                    failed.append(header)
                    print(f"{header} does not stand alone as {command[1]}:\n{text}")
    print(f"{counts['.c']} headers alone as C11, {counts['.cc']} as C++17, {len(failed)} failures")
    if counts[".cc"] < 5:
        sys.exit("too few headers found")
    sys.exit(1 if failed else 0)


main()
