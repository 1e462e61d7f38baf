"""Installs into an empty folder and uses what is there as a stranger would: pkg-config, headers, both libraries, program, manual.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ["SMCLAB_BUILD_DIR"]
SOURCE = os.environ["SMCLAB_SOURCE_DIR"]

PROGRAM = """\
#include <smc/error.h>
#include <stdio.h>
int main(void)
{
    return puts(smc_error_text(SMC_ERR_NOMEM)) < 0;
}
"""
# The core is sans I/O and allocates through its caller: these never appear among its undefined symbols.
FORBIDDEN = re.compile(r"^(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|time|clock|clock_gettime|gettimeofday|"
                       r"socket|send\w*|recv\w*|f?open|fopen|read|write|getenv|rand|random|srand|pthread_\w+|thrd_\w+)$")


def cache(name):
    with open(os.path.join(BUILD, "CMakeCache.txt")) as file:
        match = re.search(rf"^{name}:\w+=(.*)$", file.read(), re.M)
    return match.group(1) if match else ""


def run(*command, **options):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def instrumented():
    """Flags without which a library built by this preset cannot be linked."""
    sanitize = cache("SMCLAB_SANITIZE").replace("fuzzer-no-link,", "")
    return ([f"-fsanitize={sanitize}"] if sanitize else []) + (["--coverage"] if cache("SMCLAB_COVERAGE") == "ON" else [])


def compile_and_run(prefix, libdir, static):
    source, program = os.path.join(prefix, "five.c"), os.path.join(prefix, "five")
    with open(source, "w") as file:
        file.write(PROGRAM)
    environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(libdir, "pkgconfig"), LD_LIBRARY_PATH=libdir)
    flags = run("pkg-config", "--cflags", "--libs", "libsmc", env=environment).split()
    if static:
        flags = [os.path.join(libdir, "libsmc.a") if flag == "-lsmc" else flag for flag in flags]
    run(cache("CMAKE_C_COMPILER"), "-std=c11", "-Wall", "-Werror", source, "-o", program, *instrumented(), *flags)
    text = run(program, env=environment)
    if text != "out of memory\n":
        sys.exit(f"the program printed {text!r}")
    needs = re.search(r"NEEDED.*libsmc\.so\.\d+", run("objdump", "-p", program)) is not None
    if needs == static:
        sys.exit(f"static {static}, but libsmc.so needed: {needs}")


def check_symbols(library):
    defined = run("nm", "-D", "--defined-only", library).split("\n")
    names = [line.split()[-1] for line in defined if line]
    foreign = [name for name in names if not name.startswith("smc_") and not re.match(r"_|llvm_|mangle_path$", name)]
    if foreign or len([name for name in names if name.startswith("smc_")]) < 2:
        sys.exit(f"exported: {names}; not ours: {foreign}")
    if instrumented():
        return  # the sanitizer's and gcov's own
    undefined = [line.split()[-1].split("@")[0] for line in run("nm", "-D", "--undefined-only", library).split("\n") if line]
    used = [name for name in undefined if FORBIDDEN.match(name)]
    if used:
        sys.exit(f"libsmc does I/O, reads a clock or allocates behind its caller's back: {used}")


def check_files(prefix, libdir):
    expected = ["include/smc/error.h", "include/smc/alloc.h", "include/smc/gid.h", "include/smc/endpoint.h",
                "include/smc/dibs.h", "include/smc/rdma.h"]
    headers = [name for name in sorted(os.listdir(f"{SOURCE}/protocol/wire")) if name.endswith(".h")]
    expected += [f"include/smc/wire/{name}" for name in headers if not name.endswith("_test.h")]
    if os.path.exists(os.path.join(SOURCE, "smclab/main.c")):
        expected += ["bin/smclab", "share/man/man1/smclab.1"]
    missing = [path for path in expected if not os.path.exists(os.path.join(prefix, path))]
    if missing:
        sys.exit(f"not installed: {missing}")
    for path, _, files in os.walk(prefix):
        for name in files:
            if name.endswith((".pc", ".h", ".1")) and BUILD in open(os.path.join(path, name)).read():
                sys.exit(f"{path}/{name} names the folder of the build")
    return len(expected)


def check_wire_headers(prefix):
    """Installed wire headers include each other where they now lie."""
    folder = os.path.join(prefix, "include/smc/wire")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        source = os.path.join(prefix, "wire.c")
        with open(source, "w") as file:
            file.write(f"#include <smc/wire/{name}>\nint one;\n")
        run(cache("CMAKE_C_COMPILER"), "-std=c11", "-Wall", "-fsyntax-only", f"-I{prefix}/include", source)


def main():
    with tempfile.TemporaryDirectory() as prefix:
        run("cmake", "--install", BUILD, "--prefix", prefix)
        libdir = os.path.join(prefix, cache("CMAKE_INSTALL_LIBDIR"))
        count = check_files(prefix, libdir)
        check_wire_headers(prefix)
        for static in (False, True):
            compile_and_run(prefix, libdir, static)
        check_symbols(os.path.join(libdir, "libsmc.so"))
        if os.path.exists(os.path.join(prefix, "bin/smclab")):
            version = run(os.path.join(prefix, "bin/smclab"), "--version").split()[-1]
            if version not in run("pkg-config", "--modversion", os.path.join(libdir, "pkgconfig/libsmc.pc")).split():
                sys.exit(f"the program says version {version}, libsmc.pc does not")
    print(f"{count} files found, a program compiled by pkg-config and run with the shared and with the static library")


main()
