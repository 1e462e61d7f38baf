# Mutations of the TCP option and of what may follow it.
# SPDX-License-Identifier: BSD-3-Clause
from registry import mutation

OPTION = b"\xfe\x06\xe2\xd4\xc3\xd9"


def replace(frame, new):
    """Replaces the option and the two NOPs in front of it."""
    at = bytes(frame.tcp).index(OPTION)
    frame.tcp[at - 2:at + 6] = new
    frame.touch()


def strip(frame):
    replace(frame, b"")


def add(frame):
    frame.tcp += b"\x01\x01" + OPTION
    frame.touch()


def final_ack(s):
    return s.tcp("c")[1]


@mutation("syn_option_length_8", "syn_option_length_8_honoured")
def syn_option_length_8(s):
    replace(s.syn(), b"\xfe\x08\xe2\xd4\xc3\xd9\0\0")


@mutation()
def syn_option_kind_253(s):
    replace(s.syn(), b"\x01\x01\xfd\x06\xe2\xd4\xc3\xd9")


@mutation()
def synack_option_length_8(s):
    replace(s.synack(), b"\xfe\x08\xe2\xd4\xc3\xd9\0\0")


@mutation("option_on_ack_only", "option_on_ack_only_proposal", "option_on_ack_honoured")
def option_on_ack(s):
    strip(s.syn())
    add(final_ack(s))


@mutation()
def synack_option_unasked(s):
    strip(s.syn())
    add(s.synack())


@mutation()
def clc_without_synack_option(s):
    strip(s.synack())


@mutation()
def clc_without_syn_option(s):
    strip(s.syn())


@mutation()
def clc_without_any_option(s):
    strip(s.syn())
    strip(s.synack())


@mutation()
def option_crammed_in(s):
    replace(s.syn(), b"\xfd\x0e\x12\x34" + bytes(10) + OPTION)
