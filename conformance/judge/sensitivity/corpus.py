# Writes the corpus: every mutated capture and every legal variation, each as a file, the same bytes at every run.
# SPDX-License-Identifier: BSD-3-Clause
import csv
import importlib
import os
from dataclasses import dataclass

import bases
import pcapio
import registry

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = ("mut_tcpopt", "mut_clc_parse", "mut_clc_flow", "mut_llc_message", "mut_llc_flow", "mut_cdc", "mut_close", "mut_failover",
           "mut_smcd", "var_carrier", "var_stream", "var_roce", "var_protocol")
for module in MODULES:
    importlib.import_module(module)


@dataclass
class Expectation:
    """One line of expectations.csv: a mutation of a base, the requirement that it breaks, the verdict and who is at fault."""
    mutation: str
    base: str
    requirement: str
    verdict: str
    at_fault: str
    also_right: str
    what: str

    @property
    def verdicts(self):
        return self.verdict.split("/")

    @property
    def alternatives(self):
        return [r for r in self.also_right.split(";") if r]


def table(name):
    with open(os.path.join(HERE, name), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def expectations():
    return [Expectation(**row) for row in table("expectations.csv")]


def not_observable():
    return {row["requirement"]: row["reason"] for row in table("not_observable.csv")}


def file_bytes(scene):
    return scene if isinstance(scene, bytes) else pcapio.pcap_bytes(scene.records(), scene.link)


def mutated(expectation):
    scene = bases.load(expectation.base)
    registry.MUTATIONS[expectation.mutation](scene)
    return file_bytes(scene)


def base_bytes(name):
    return file_bytes(bases.load(name))


def varied(name, base):
    """All files of one variation of one base."""
    change, _, in_order = registry.VARIATIONS[name]
    scene = bases.load(base) if in_order or base in bases.DERIVED else bases.captured(base)
    result = change(scene)
    if isinstance(result, list):
        return [file_bytes(item) for item in result]
    return [file_bytes(scene if result is None else result)]


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path
