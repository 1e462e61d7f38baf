/* TCP options: read from any segment, written on SYN, SYN-ACK and the ACK that ends the handshake.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_SCALE = 3,
    OPTION_FAST_OPEN = 34,
    SCALE_MAX = 14,
    MSS_V4 = 536,  /* if the peer names none (RFC 9293 section 3.7.1) */
    MSS_V6 = 1220,
    MSS_SMALLEST = 64 /* what a hostile peer can bring us down to */
};

static void read_one(const uint8_t *option, struct tcp_segment *segment)
{
    if (option[0] == OPTION_MSS && option[1] == 4)
        segment->mss = (uint16_t)smc_load_be(option + 2, 2);
    else if (option[0] == OPTION_SCALE && option[1] == 3)
        segment->scale = option[2] < SCALE_MAX ? option[2] : SCALE_MAX;
    else if (option[0] == OPTION_FAST_OPEN)
        segment->fast_open = true;
}

void tcp_options_read(struct smc_view options, struct tcp_segment *segment)
{
    size_t n = smc_view_len(options);
    segment->scale = -1;
    for (size_t i = 0; i < n && options.p[i] != OPTION_END;) {
        if (options.p[i] == OPTION_NOP) {
            i++;
            continue;
        }
        if (n - i < 2 || options.p[i + 1] < 2 || options.p[i + 1] > n - i)
            break;
        read_one(options.p + i, segment);
        i += options.p[i + 1];
    }
    segment->smc = smc_tcp_option_find(options, NULL, NULL);
}

/* As SMC's own writer does it, or as a test wants it; 0 if it does not fit [TCPOPT-007]. */
static size_t write_smc(const struct tcp_smc_form *form, uint8_t *out, size_t room)
{
    if (form->length == 0 && form->exid == 0)
        return smc_tcp_option_write(out, room); /* [TCPOPT-001] */
    size_t length = form->length != 0 ? form->length : 6;
    size_t padded = (length + 3) / 4 * 4;
    if (length < 2 || length > 16 || padded > room)
        return 0;
    uint8_t bytes[16] = {SMC_TCP_OPTION_KIND, (uint8_t)length};
    smc_store_be(bytes + 2, 4, form->exid != 0 ? form->exid : SMC_TCP_OPTION_EXID);
    memset(out, OPTION_NOP, padded - length);
    memcpy(out + (padded - length), bytes, length);
    return padded;
}

static size_t write_fast_open(const struct tcp_options *options, uint8_t *out, size_t room)
{
    size_t cookie = options->cookie_length < TCP_COOKIE_MAX ? options->cookie_length : TCP_COOKIE_MAX;
    size_t padded = (2 + cookie + 3) / 4 * 4;
    if (padded > room)
        return 0;
    memset(out, OPTION_NOP, padded);
    uint8_t *option = out + (padded - 2 - cookie);
    option[0] = OPTION_FAST_OPEN;
    option[1] = (uint8_t)(2 + cookie);
    memcpy(option + 2, options->cookie, cookie);
    return padded;
}

static size_t write_extra(const struct tcp_options *options, uint8_t *out, size_t room)
{
    size_t length = options->extra_length < TCP_EXTRA_MAX ? options->extra_length : TCP_EXTRA_MAX;
    size_t padded = (length + 3) / 4 * 4;
    if (padded > room)
        return 0;
    memset(out, OPTION_NOP, padded);
    memcpy(out + (padded - length), options->extra, length);
    return padded;
}

/* A client always asks if it wants SMC [TCPOPT-002]; a server answers who asked [TCPOPT-003]. */
static bool wants_smc(const struct tcp_conn *conn, const struct tcp_options *options)
{
    if (options->smc == TCP_SMC_OFF || options->smc_form.not_on_syn)
        return false;
    if (!conn->passive || options->smc == TCP_SMC_ALWAYS)
        return true;
    return conn->smc_received == SMC_OPTION_PRESENT ||
           (conn->smc_received == SMC_OPTION_LONG_EVEN && options->smc_takes_long);
}

size_t tcp_options_write(struct tcp_conn *conn, unsigned flags, uint8_t out[TCP_OPTIONS_MAX])
{
    const struct tcp_options *options = tcp_options_of(conn);
    if ((flags & SYN) == 0) /* [TCPOPT-004] */
        return options->smc != TCP_SMC_OFF ? write_smc(&options->smc_form, out, TCP_OPTIONS_MAX) : 0;
    uint16_t mss = tcp_mss_for(conn);
    size_t n = 4;
    out[0] = OPTION_MSS;
    out[1] = 4;
    smc_store_be(out + 2, 2, mss);
    if (conn->scaling) {
        const uint8_t scale[4] = {OPTION_NOP, OPTION_SCALE, 3, conn->receive_scale};
        memcpy(out + n, scale, 4);
        n += 4;
    }
    if (options->fast_open && !conn->passive) {
        size_t length = write_fast_open(options, out + n, TCP_OPTIONS_MAX - n);
        conn->fast_open_sent = length > 0;
        n += length;
    }
    n += write_extra(options, out + n, TCP_OPTIONS_MAX - n);
    if (wants_smc(conn, options)) {
        size_t length = write_smc(&options->smc_form, out + n, TCP_OPTIONS_MAX - n);
        conn->smc_sent = length > 0;
        n += length;
    }
    return n;
}

/* Both sides need it, and a form of it that counts [TCPOPT-005]. */
static void agree(struct tcp_conn *conn)
{
    const struct tcp_options *options = tcp_options_of(conn);
    bool counts = conn->smc_received == SMC_OPTION_PRESENT ||
                  (conn->smc_received == SMC_OPTION_LONG_EVEN && options->smc_takes_long);
    conn->smc_agreed = counts && options->smc != TCP_SMC_OFF && !options->smc_form.not_on_syn;
}

void tcp_options_take(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    uint16_t own = tcp_mss_for(conn);
    uint16_t named = segment->mss;
    if (named == 0)
        named = ip_is_v4(conn->remote) ? MSS_V4 : MSS_V6;
    if (named < MSS_SMALLEST)
        named = MSS_SMALLEST;
    conn->mss = named < own ? named : own;
    conn->scaling = conn->scaling && segment->scale >= 0;
    if (conn->scaling)
        conn->send_scale = (uint8_t)segment->scale;
    else
        conn->receive_scale = 0;
    conn->smc_received = (uint8_t)segment->smc; /* on a SYN or SYN-ACK only [TCPOPT-010] */
    conn->fast_open_received = segment->fast_open;
    agree(conn);
}

/* What the interface's MTU leaves, or less if the options say so. */
uint16_t tcp_mss_for(const struct tcp_conn *conn)
{
    struct ip_hop hop;
    const struct tcp_options *options = tcp_options_of(conn);
    uint32_t headers = ip_is_v4(conn->remote) ? 40 : 60;
    uint32_t mtu = headers + (ip_is_v4(conn->remote) ? MSS_V4 : MSS_V6);
    if (ip_route_find(conn->stack, -1, conn->local, conn->remote, &hop) == 0)
        mtu = ip_interface_mtu(conn->stack, hop.interface);
    uint32_t mss = mtu > headers + MSS_SMALLEST ? mtu - headers : MSS_SMALLEST;
    if (options->mss != 0 && options->mss < mss)
        mss = options->mss;
    return (uint16_t)mss;
}
