/* Writes bytes as the first ones of a TCP connection that negotiated SMC, into a pcap file that smclab reads.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef AS_CAPTURE_H
#define AS_CAPTURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline void put_be(FILE *file, uint32_t value, int size)
{
    while (size-- > 0)
        fputc((int)(value >> 8 * size & 0xff), file);
}

static inline void put_segment(FILE *file, int server, int flags, const uint8_t *data, size_t size)
{
    static const uint8_t option[] = {1, 1, 0xfe, 6, 0xe2, 0xd4, 0xc3, 0xd9};
    static uint32_t time_us;
    uint32_t options = flags & 2 ? sizeof option : 0, tcp = 20 + options, ip = 20 + tcp + (uint32_t)size;
    put_be(file, 0, 4); /* seconds, microseconds, captured, on the wire */
    put_be(file, ++time_us, 4);
    put_be(file, 14 + ip, 4);
    put_be(file, 14 + ip, 4);
    for (int i = 0; i < 12; i++) /* MAC addresses */
        fputc(2, file);
    put_be(file, 0x0800, 2);
    put_be(file, 0x45000000 | ip, 4);
    put_be(file, 0, 4);
    put_be(file, 0x40060000, 4); /* TTL 64, TCP, no checksum */
    put_be(file, 0x0a000001 + (uint32_t)server, 4);
    put_be(file, 0x0a000002 - (uint32_t)server, 4);
    put_be(file, server ? 5000 : 40000, 2);
    put_be(file, server ? 40000 : 5000, 2);
    put_be(file, 1000 + !(flags & 2), 4);
    put_be(file, server || !(flags & 2) ? 1001 : 0, 4);
    put_be(file, tcp / 4 << 28 | (uint32_t)flags << 16 | 1000, 4);
    put_be(file, 0, 4);
    fwrite(option, 1, options, file);
    fwrite(data, 1, size, file);
}

/* An Accept comes from the server, everything else from the client. */
static inline void write_as_capture(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        abort();
    put_be(file, 0xa1b2c3d4, 4);
    put_be(file, 0x00020004, 4);
    put_be(file, 0, 4);
    put_be(file, 0, 4);
    put_be(file, 65535, 4);
    put_be(file, 1, 4);
    put_segment(file, 0, 0x02, data, 0);
    put_segment(file, 1, 0x12, data, 0);
    put_segment(file, 0, 0x10, data, 0);
    put_segment(file, size > 4 && data[4] == 2, 0x18, data, size);
    if (fclose(file) != 0)
        abort();
}

#endif
