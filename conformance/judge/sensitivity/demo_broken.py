# Writes the three deliberately broken captures of demo/broken from mutations of the corpus.
# SPDX-License-Identifier: BSD-3-Clause
import os
import sys

import corpus

FOLDER = os.path.join(corpus.HERE, "..", "..", "..", "demo", "broken")
FILES = {"announced-before-written.pcap": "cdc_before_data", "one-byte-outside.pcap": "write_one_byte_below",
         "eid-never-offered.pcap": "eid_never_offered"}


def contents(name):
    wanted = FILES[name]
    return corpus.mutated(next(e for e in corpus.expectations() if e.mutation == wanted))


def main():
    for name in FILES:
        corpus.write(os.path.join(FOLDER, name), contents(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
