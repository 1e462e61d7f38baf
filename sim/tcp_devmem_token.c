/* Tokens: a socket's handles of the fragments that its application holds, and how they are given back.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_devmem_parts.h"

enum { FIRST_TOKENS = 32 };
#define TOKENS_MAX (UINT32_C(1) << 30)

static int grow(const struct smc_alloc *alloc, struct tcp_devmem *d)
{
    uint32_t room = d->token_room > 0 ? d->token_room * 2 : FIRST_TOKENS;
    if (d->token_room >= TOKENS_MAX)
        return SMC_ERR_NOMEM;
    devmem_netmem *tokens =
        smc_alloc_grow(alloc, d->tokens, d->token_room, room, sizeof(*tokens));
    if (tokens == NULL)
        return SMC_ERR_NOMEM;
    d->tokens = tokens;
    d->token_room = room;
    return 0;
}

/* The lowest free one, as an xarray that starts at 1 gives it: neighbours can be returned by one entry. */
uint32_t tcp_devmem_token(struct tcp_conn *conn, devmem_netmem mem)
{
    struct tcp_devmem *d = conn->devmem;
    uint32_t i = d->token_hint;
    while (i < d->token_room && d->tokens[i] != 0)
        i++;
    d->token_hint = i;
    if (i == d->token_room && grow(conn->stack->config.alloc, d) != 0)
        return 0;
    devmem_netmem_get(mem);
    d->tokens[i] = mem;
    d->token_hint = i + 1;
    d->outstanding++;
    return i + 1;
}

static bool give_back(struct tcp_devmem *d, uint32_t token)
{
    uint32_t i = token - 1;
    if (token == 0 || i >= d->token_room || d->tokens[i] == 0)
        return false; /* [DEVMEM-008] */
    devmem_netmem_put(d->tokens[i]);
    d->tokens[i] = 0;
    d->outstanding--;
    if (i < d->token_hint)
        d->token_hint = i;
    return true;
}

/* Names are counted, known or not: what a program claims costs us no more than the limit [DEVMEM-007]. */
static int64_t give_back_all(struct tcp_devmem *d, const uint8_t *entries, size_t count)
{
    int64_t freed = 0;
    uint32_t named = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t start = (uint32_t)smc_load_le(entries + i * TCP_DMABUF_TOKEN, 4);
        uint32_t n = (uint32_t)smc_load_le(entries + i * TCP_DMABUF_TOKEN + 4, 4);
        for (uint32_t k = 0; k < n; k++) {
            if (named++ == TCP_DONTNEED_FRAGS)
                return freed;
            freed += give_back(d, start + k);
        }
    }
    return freed;
}

int64_t tcp_devmem_setsockopt(struct tcp_conn *conn, int level, int option, const void *value,
                              size_t length)
{
    if (level != TCP_SOL_SOCKET || option != TCP_SO_DEVMEM_DONTNEED)
        return DEVMEM_ENOPROTOOPT;
    if (conn == NULL)
        return DEVMEM_EBADF;
    if (length % TCP_DMABUF_TOKEN != 0 || length > TCP_DONTNEED_ENTRIES * TCP_DMABUF_TOKEN)
        return DEVMEM_EINVAL; /* [DEVMEM-006] */
    if (length > 0 && value == NULL)
        return DEVMEM_EFAULT;
    if (conn->devmem == NULL)
        return 0;
    return give_back_all(conn->devmem, value, length / TCP_DMABUF_TOKEN);
}
