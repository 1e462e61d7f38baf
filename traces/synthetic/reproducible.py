# Test: the generator writes exactly the captures and the table that are kept here, and nothing more.
# SPDX-License-Identifier: BSD-3-Clause

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".pcap", ".json")}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run([sys.executable, HERE / "generate.py", temporary], check=True)
        made, kept = contents(pathlib.Path(temporary)), contents(HERE)
    wrong = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert len(kept) > 20, f"only {len(kept)} files here"
    print(f"{len(kept)} files compared, {sum(map(len, kept.values()))} bytes")
    for name in wrong:
        print(f"{name}: {'not kept here' if name not in kept else 'not generated' if name not in made else 'differs'}")
    return 1 if wrong else 0


sys.exit(main())
