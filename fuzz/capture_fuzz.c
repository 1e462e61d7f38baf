/* Fuzz target: the capture reader (pcap, pcapng) and the decoding of whatever frames it finds.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "traces/packet.h"
#include "traces/reader.h"
#include <string.h>

static void check_packet(const struct trace_raw *raw)
{
    struct trace_packet packet;
    trace_packet_decode(raw, true, &packet);
    FUZZ_REQUIRE(packet.payload.p <= packet.payload.end);
    if (packet.proto != TRACE_OTHER && packet.payload.p != packet.payload.end)
        FUZZ_REQUIRE(packet.payload.p >= raw->bytes.p && packet.payload.end <= raw->bytes.end);
    if (packet.src_mac != NULL)
        FUZZ_REQUIRE(packet.src_mac >= raw->bytes.p && packet.src_mac + 6 <= raw->bytes.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[512] = "";
    struct trace_raw raw;
    enum trace_read state;
    uint64_t frames = 0;
    struct trace_reader *reader;
    FILE *stream = fuzz_open(data, size);
    reader = trace_reader_open_stream(stream, "fuzz", error, sizeof error);
    if (reader == NULL) {
        FUZZ_REQUIRE(memchr(error, 0, sizeof error) != NULL && error[0] != 0);
        return 0;
    }
    while ((state = trace_reader_next(reader, &raw)) == TRACE_READ_PACKET) {
        FUZZ_REQUIRE(raw.frame == ++frames);
        check_packet(&raw);
    }
    FUZZ_REQUIRE(state == TRACE_READ_END || trace_reader_error(reader) != NULL);
    trace_reader_close(reader);
    return 0;
}
