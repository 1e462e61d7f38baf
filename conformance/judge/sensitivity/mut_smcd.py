# Mutations of the SMC-D data path: moves, signals and the CDC block of a DMB.
# SPDX-License-Identifier: BSD-3-Clause
import copy

from packet import put
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


@mutation()
def smcd_cdc_before_data(s):
    data, cdc = moves(s, True)[0], moves(s, False)[0]
    one, two = s.at(data), s.at(cdc)
    s.frames[one], s.frames[two] = cdc, data
    data.ts_ns, cdc.ts_ns = cdc.ts_ns, data.ts_ns


@mutation()
def smcd_producer_is_ring(s):
    """The ring ends 32 bytes before the DMB does."""
    moves(s, False)[0].data = bytearray(block((0, 65504), (0, 0)))


@mutation()
def smcd_consumer_ahead(s):
    moves(s, False)[1].data = bytearray(block((0, 32), (0, 40)))


@mutation()
def smcd_block_after_close(s):
    again = s.put_after(moves(s, False)[2], copy_of(moves(s, False)[2]))
    s.smcd.append(again)


@mutation()
def smcd_consumer_goes_back(s):
    last = moves(s, False)[3]
    put(last.data, 18, 0, 4)


def copy_of(record):
    return copy.deepcopy(record)
