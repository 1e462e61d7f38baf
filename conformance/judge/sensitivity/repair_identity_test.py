# Tests the corpus itself: the repair without a change is the identity, and mutated captures break nothing below SMC.
# SPDX-License-Identifier: BSD-3-Clause
import os
import unittest

import bases
import corpus
import demo_broken
import pcapio
import registry
from packet import ACK, Frame
from scene import SEQ_SPACE, later

# These splice two captures of one boot: what was sent between them is missing, as in any capture with a gap.
SPLICED = {"group_reused_out_of_sync"}


def gaps(frames):
    """TCP bytes and PSNs that were skipped, and acknowledgements of what was never sent."""
    following, out = {}, []
    for number, frame in enumerate(frames, 1):
        if frame.is_request:
            key, start, end, space = (frame.src, frame.dst, frame.qpn), frame.psn, frame.psn + 1, 1 << 24
        elif frame.kind == "tcp":
            key = frame.src, frame.sport, frame.dst, frame.dport
            start, end, space = frame.seq, frame.seq + frame.span, SEQ_SPACE
            back = following.get(key[2:] + key[:2])
            if frame.flags & ACK and back is not None and later(frame.ack, back, SEQ_SPACE) > 0:
                out.append(f"frame {number} acknowledges {later(frame.ack, back, SEQ_SPACE)} bytes never sent")
        else:
            continue
        known = following.get(key)
        if known is not None and later(start, known, space) > 0:
            out.append(f"frame {number} skips {later(start, known, space)}")
        if known is None or later(end, known, space) > 0:
            following[key] = end % space
    return out


def frames_of(data):
    """The frames of a little-endian microsecond pcap in memory."""
    out, at = [], 24
    while at < len(data):
        sec, frac, kept, orig = (int.from_bytes(data[at + n:at + n + 4], "little") for n in (0, 4, 8, 12))
        at += 16
        out.append(Frame(sec * 10**9 + frac * 1000, data[at:at + kept], orig))
        at += kept
    return out


class RepairWithoutChange(unittest.TestCase):
    def test_every_frame_is_rebuilt_to_the_same_bytes(self):
        for name in bases.FILES:
            for number, frame in enumerate(bases.captured(name).frames, 1):
                with self.subTest(capture=name, frame=number):
                    self.assertEqual(frame.touch().build(), frame.raw)

    def test_every_capture_is_written_as_it_was_read(self):
        for name in bases.FILES:
            with self.subTest(capture=name), open(bases.path(name), "rb") as file:
                link, snaplen, records = pcapio.read_pcap(bases.path(name))
                self.assertEqual(pcapio.pcap_bytes(records, link, snaplen), file.read())

    def test_an_insertion_and_its_deletion_leave_nothing(self):
        scene = bases.load("v2-a")
        before = [f.build() for f in scene.frames]
        frame = scene.send(scene.llc(2, "c")[0], "c", bytes(44))
        scene.roce_delete(frame)
        self.assertEqual([f.build() for f in scene.frames], before)

    def test_a_message_that_grows_and_shrinks_leaves_nothing(self):
        scene = bases.load("v1-a")
        before = [f.build() for f in scene.frames]
        scene.edit_clc(2, lambda m: m + b"1234")
        self.assertNotEqual([f.build() for f in scene.frames], before)
        scene.edit_clc(2, lambda m: m[:-4])
        self.assertEqual([f.build() for f in scene.frames], before)


class Corpus(unittest.TestCase):
    def test_every_expectation_has_its_mutation_and_every_mutation_its_expectation(self):
        self.assertEqual({e.mutation for e in corpus.expectations()}, set(registry.MUTATIONS))

    def test_every_base_is_known_and_no_row_is_both_expected_and_excused(self):
        known = set(bases.FILES) | set(bases.DERIVED)
        self.assertLessEqual({e.base for e in corpus.expectations()}, known)
        self.assertFalse({e.requirement for e in corpus.expectations()} & set(corpus.not_observable()))

    def test_every_mutation_differs_from_its_base_and_is_sound_below_smc(self):
        originals = {}
        for e in corpus.expectations():
            base = originals.setdefault(e.base, corpus.base_bytes(e.base))
            data = corpus.mutated(e)
            with self.subTest(mutation=e.mutation):
                self.assertNotEqual(data, base)
                frames = frames_of(data)
                self.assertEqual([n for n, f in enumerate(frames, 1) if f.touch().build() != f.raw], [], "checksum or ICRC")
                self.assertEqual([] if e.mutation in SPLICED else gaps(frames), [])
                self.assertEqual(data, corpus.mutated(e), "the same bytes at every run")

    def test_no_two_mutations_of_a_base_are_the_same_capture_for_different_requirements(self):
        seen = {}
        for e in corpus.expectations():
            other = seen.setdefault((e.base, corpus.mutated(e)), e)
            if other.requirement != e.requirement:
                self.assertTrue("deviation" in e.verdict, f"{other.mutation} and {e.mutation}")

    def test_the_broken_captures_of_the_demo_are_what_the_mutations_make(self):
        for name in demo_broken.FILES:
            with self.subTest(capture=name), open(os.path.join(demo_broken.FOLDER, name), "rb") as file:
                self.assertEqual(file.read(), demo_broken.contents(name))

    def test_there_are_enough_variations(self):
        self.assertGreaterEqual(len(registry.VARIATIONS), 60)


if __name__ == "__main__":
    unittest.main()
