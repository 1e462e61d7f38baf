/* A connection's public face: creation beside a TCP connection, TCP's input, and what can be asked at any time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

static void connection_init(struct smc_connection *c, struct smc_endpoint *ep, const struct smc_connection_config *config,
                            void *user)
{
    c->ep = ep;
    c->user = user;
    c->client = config->client;
    c->state = SMC_STATE_INIT;
    c->peer_row = -1;
    c->rmb_wanted = config->rmb_bytes != 0 ? config->rmb_bytes : ep->config.rmb_bytes;
    c->sndbuf_wanted = config->sndbuf_bytes != 0 ? config->sndbuf_bytes : ep->config.sndbuf_bytes;
    struct smc_list *nodes[] = {&c->all, &c->ready, &c->work, &c->of_group, &c->of_link, &c->wants_slot, &c->signalled};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        smc_list_init(nodes[i]);
}

int smc_connection_new(struct smc_endpoint *ep, const struct smc_connection_config *config, void *user, uint64_t now_ns,
                       struct smc_connection **out)
{
    if (config->prefix_count > 8 || (config->prefix_count > 0 && config->prefixes == NULL) ||
        (config->pnet != NULL && strlen(config->pnet) >= SMC_PNET_BYTES))
        return SMC_ERR_ARGUMENT;
    struct smc_connection *c = smc_alloc_zeroed(ep->alloc, 1, sizeof(*c));
    if (c == NULL)
        return SMC_ERR_NOMEM;
    ep->now_ns = now_ns;
    connection_init(c, ep, config, user);
    smc_list_add_tail(&ep->connections, &c->all);
    int error = smc_hs_start(c, config);
    if (error != 0) {
        smc_list_remove(&c->all);
        smc_list_remove(&c->ready);
        smc_alloc_release(ep->alloc, c, 1, sizeof(*c));
        return error;
    }
    *out = c;
    return 0;
}

size_t smc_tcp_input(struct smc_connection *c, const uint8_t *bytes, size_t length, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    if (c->hs != NULL)
        return smc_hs_input(c, bytes, length);
    /* Nothing may come over TCP once data moves by RDMA: it is dropped, so that its FIN can be seen. */
    return c->mode == SMC_MODE_TCP ? 0 : length;
}

void smc_tcp_eof(struct smc_connection *c, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    if (c->hs != NULL)
        smc_hs_eof(c);
    else if (c->mode != SMC_MODE_TCP)
        smc_close_tcp_eof(c);
}

void smc_tcp_reset(struct smc_connection *c, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    c->tcp_dead = true;
    if (c->hs != NULL)
        smc_hs_reset(c);
    else if (c->mode != SMC_MODE_TCP)
        smc_close_tcp_reset(c);
}

enum smc_mode smc_connection_mode(const struct smc_connection *c)
{
    return (enum smc_mode)c->mode;
}

enum smc_state smc_connection_state(const struct smc_connection *c)
{
    return (enum smc_state)c->state;
}

int smc_connection_error(const struct smc_connection *c)
{
    return c->error;
}

uint32_t smc_connection_fallback(const struct smc_connection *c, uint32_t *peer_diagnosis)
{
    if (peer_diagnosis != NULL)
        *peer_diagnosis = c->peer_diagnosis;
    return c->fallback;
}

void *smc_connection_user(const struct smc_connection *c)
{
    return c->user;
}

struct smc_connection *smc_endpoint_next_connection(const struct smc_endpoint *ep, const struct smc_connection *previous)
{
    const struct smc_list *next = previous != NULL ? previous->all.next : ep->connections.next;
    if (next == &ep->connections)
        return NULL;
    return (struct smc_connection *)(uintptr_t)((const char *)next - offsetof(struct smc_connection, all));
}
