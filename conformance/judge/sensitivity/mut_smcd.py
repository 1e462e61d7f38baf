# Mutations of the SMC-D data path: moves, signals and the CDC block of a DMB.
# SPDX-License-Identifier: BSD-3-Clause
from registry import mutation
from smcd_record import MOVE, block


def moves(s, data):
    """The records that move data, or those that move the CDC block."""
    return [r for r in s.smcd if r.op_code == MOVE and (r.offset != 0) == data]


@mutation()
def smcd_data_at_0(s):
    first = moves(s, True)[0]
    first.offset = 0


@mutation()
def smcd_block_31(s):
    second = moves(s, False)[1]
    del second.data[31:]


@mutation()
def smcd_data_signalled(s):
    moves(s, True)[0].signal = 1


@mutation()
def smcd_cdc_unsignalled(s):
    moves(s, False)[1].signal = 0


@mutation()
def smcd_flags_in_producer_half(s):
    last = moves(s, False)[2]
    last.data[15], last.data[23] = last.data[23], 0


@mutation()
def smcd_other_byte_order(s):
    moves(s, False)[1].data = bytearray(block((0, 32), (0, 32), order=">"))
