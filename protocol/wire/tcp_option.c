/* The TCP option that announces SMC.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_option.h"

enum { OPTION_END = 0, OPTION_NOP = 1 };

static enum smc_tcp_option_found judge(struct smc_view option)
{
    struct smc_tcp_option h;
    if (!smc_tcp_option_at(option, 0, &h) || smc_tcp_option_kind(h) != SMC_TCP_OPTION_KIND ||
        smc_tcp_option_exid(h) != SMC_TCP_OPTION_EXID) /* [TCPOPT-001] */
        return SMC_OPTION_ABSENT;
    size_t len = smc_view_len(option);
    if (len == smc_tcp_option_size)
        return SMC_OPTION_PRESENT;
    return len % 2 ? SMC_OPTION_LONG_ODD : SMC_OPTION_LONG_EVEN;
}

enum smc_tcp_option_found smc_tcp_option_find(struct smc_view options, size_t *at, unsigned *length)
{
    enum smc_tcp_option_found best = SMC_OPTION_ABSENT;
    size_t n = smc_view_len(options);
    for (size_t i = 0, len = 1; i < n && options.p[i] != OPTION_END; i += len) {
        len = 1;
        if (options.p[i] == OPTION_NOP)
            continue;
        if (n - i < 2 || options.p[i + 1] < 2 || options.p[i + 1] > n - i)
            break;
        len = options.p[i + 1];
        enum smc_tcp_option_found found = judge(smc_view_sub(options, i, len));
        if (found == SMC_OPTION_ABSENT || (best != SMC_OPTION_ABSENT && found >= best))
            continue;
        best = found;
        if (at)
            *at = i;
        if (length)
            *length = (unsigned)len;
    }
    return best;
}

size_t smc_tcp_option_write(uint8_t *buf, size_t cap)
{
    static const struct smc_tcp_option_fields option = {
        .kind = SMC_TCP_OPTION_KIND, .length = smc_tcp_option_size, .exid = SMC_TCP_OPTION_EXID};
    if (cap < SMC_TCP_OPTION_PADDED)
        return 0;
    buf[0] = OPTION_NOP;
    buf[1] = OPTION_NOP;
    smc_tcp_option_encode(&option, buf + 2);
    return SMC_TCP_OPTION_PADDED;
}
