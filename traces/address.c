/* Text of addresses and endpoints, as people and JSON want them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "traces/packet.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool is_ipv4(const struct trace_addr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a->b, mapped, sizeof mapped) == 0;
}

char *trace_addr_text(const struct trace_addr *a, char *buf, size_t size)
{
    const char *done = is_ipv4(a) ? inet_ntop(AF_INET, a->b + 12, buf, (socklen_t)size)
                                  : inet_ntop(AF_INET6, a->b, buf, (socklen_t)size);
    if (done == NULL && size > 0)
        buf[0] = '\0';
    return buf;
}

char *trace_endpoint_text(const struct trace_addr *a, uint16_t port, char *buf, size_t size)
{
    char text[INET6_ADDRSTRLEN];
    trace_addr_text(a, text, sizeof text);
    snprintf(buf, size, is_ipv4(a) ? "%s:%u" : "[%s]:%u", text, (unsigned)port);
    return buf;
}
