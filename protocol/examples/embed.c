/* libsmc in some hundred lines: two stacks in one process shake hands over SMC-D and pass a sentence.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * What a host must bring: memory, TCP (here: two byte queues), a device (here: the smallest dibs device), a clock. */
#include <smc/endpoint.h>

#include <stdio.h>
#include <stdlib.h>

static void *allocate(void *user, size_t size) { (void)user; return malloc(size); }
static void *resize(void *user, void *block, size_t from, size_t to) { (void)user; (void)from; return realloc(block, to); }
static void release(void *user, void *block, size_t size) { (void)user; (void)size; free(block); }
static const struct smc_alloc alloc = {allocate, resize, release, NULL};

/* ---- the device: DMBs in a table, a move is a memcpy and a signal ---- */
struct dmb { struct smc_dibs_device *owner; struct smc_dibs_dmb dmb; };
static struct dmb dmbs[16];

static uint16_t fabric(struct smc_dibs_device *d) { (void)d; return SMC_DIBS_LOOPBACK_FABRIC; }
static uint32_t max_dmbs(struct smc_dibs_device *d) { (void)d; return 16; }
static int reach(struct smc_dibs_device *d, const struct smc_gid *gid, bool vlan_valid, uint16_t vlan)
{
    (void)vlan_valid, (void)vlan;
    return smc_gid_equal(gid, &d->gid) ? 0 : SMC_ERR_UNREACHABLE;
}
static int register_dmb(struct smc_dibs_device *d, struct smc_dibs_dmb *dmb)
{
    for (uint32_t i = 0; i < 16; i++) {
        if (dmbs[i].owner != NULL || (dmb->data = calloc(1, dmb->length)) == NULL)
            continue;
        dmb->index = i;
        dmb->token = 1000 + i;
        dmbs[i] = (struct dmb){d, *dmb};
        return 0;
    }
    return SMC_ERR_NOSPACE;
}
static int unregister_dmb(struct smc_dibs_device *d, struct smc_dibs_dmb *dmb)
{
    (void)d;
    free(dmbs[dmb->index].dmb.data);
    dmbs[dmb->index].owner = NULL;
    return 0;
}
static int move_data(struct smc_dibs_device *d, uint64_t token, uint32_t index, bool signal, uint32_t offset, const void *data,
                     uint32_t size)
{
    (void)d, (void)index;
    if (token < 1000 || token >= 1016 || dmbs[token - 1000].owner == NULL)
        return SMC_ERR_NOTFOUND;
    struct dmb *to = &dmbs[token - 1000];
    if ((uint64_t)offset + size > to->dmb.length)
        return SMC_ERR_RANGE;
    memcpy(to->dmb.data + offset, data, size);
    if (signal)
        smc_dibs_irq(to->owner, to->dmb.index, 0x1000);
    return 0;
}
static void released(struct smc_dibs_device *d) { (void)d; }
static const struct smc_dibs_ops device_ops = {.released = released, .get_fabric_id = fabric, .query_remote_gid = reach, .max_dmbs = max_dmbs,
                                               .register_dmb = register_dmb, .unregister_dmb = unregister_dmb, .move_data = move_data};

/* ---- a host: its stack, one connection, the bytes that TCP has for it ---- */
struct host { struct smc_endpoint *ep; struct smc_dibs dibs; struct smc_dibs_device device; struct smc_connection *c; struct host *peer;
              uint8_t tcp[4096]; size_t tcp_length; const char *name; };

static int tcp_send(void *host, void *user, const uint8_t *bytes, size_t length)
{
    struct host *to = ((struct host *)host)->peer;
    (void)user;
    if (to->tcp_length + length > sizeof(to->tcp))
        return SMC_ERR_RESET;
    memcpy(to->tcp + to->tcp_length, bytes, length);
    to->tcp_length += length;
    return 0;
}
static void nothing(void *host, void *user) { (void)host, (void)user; }
static void wake(void *host) { (void)host; }
static int route(void *host, const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out)
{
    (void)host, (void)own, (void)peer, (void)out;
    return SMC_ERR_UNREACHABLE; /* no RoCE here */
}
static void event(void *host, struct smc_connection *c, void *user, unsigned events)
{
    struct host *h = host;
    char text[100];
    (void)user;
    if (events & SMC_EVENT_CONNECTED) {
        printf("%s: connected, %s\n", h->name, smc_connection_mode(c) == SMC_MODE_D ? "SMC-D" : "TCP");
        if (h->name[0] == 'c')
            (void)smc_send(c, "hello through shared memory", 27, 0, 0);
    }
    int64_t n = events & SMC_EVENT_READABLE ? smc_recv(c, text, sizeof(text), 0, 0) : 0;
    if (n > 0)
        printf("%s: received \"%.*s\"\n", h->name, (int)n, text);
    if (events & SMC_EVENT_CLOSED)
        h->c = NULL;
}
static const struct smc_host_ops host_ops = {tcp_send, nothing, nothing, event, route, wake};

static int start(struct host *h, struct host *peer, const char *name, bool client)
{
    h->name = name;
    h->peer = peer;
    h->device = (struct smc_dibs_device){.ops = &device_ops, .gid = {{1, 2, 3}}, .name = "memory"};
    struct smc_endpoint_config config = {.alloc = &alloc, .profile = &smc_profile_linux, .ops = &host_ops, .host = h, .seed = client,
                                         .v2 = true, .smc_d = true, .release = 1, .emulated_ism = true};
    struct smc_connection_config connection = {.client = client, .option = true};
    smc_dibs_init(&h->dibs, &alloc);
    if (smc_endpoint_new(&config, &h->ep) || smc_endpoint_add_ueid(h->ep, "EXAMPLE") || smc_endpoint_use_dibs(h->ep, &h->dibs, 0) ||
        smc_dibs_add_device(&h->dibs, &h->device))
        return -1;
    return smc_connection_new(h->ep, &connection, h, 0, &h->c);
}

/* Everything that is due at this instant, on both sides, until nothing is. */
static void run(struct host *a, struct host *b)
{
    for (struct host *h = a; smc_endpoint_next_ns(a->ep) == 0 || smc_endpoint_next_ns(b->ep) == 0 || a->tcp_length + b->tcp_length > 0;
         h = h->peer) {
        size_t used = h->c != NULL ? smc_tcp_input(h->c, h->tcp, h->tcp_length, 0) : h->tcp_length;
        memmove(h->tcp, h->tcp + used, h->tcp_length -= used);
        smc_endpoint_run(h->ep, 0);
    }
}

int main(void)
{
    static struct host client, server;
    if (start(&server, &client, "server", false) != 0 || start(&client, &server, "client", true) != 0)
        return 1;
    run(&client, &server);
    smc_close(client.c, 0);
    smc_close(server.c, 0);
    run(&client, &server);
    struct host *hosts[] = {&client, &server};
    for (int i = 0; i < 2; i++) {
        smc_endpoint_free(hosts[i]->ep);
        (void)smc_dibs_remove_device(&hosts[i]->dibs, &hosts[i]->device);
    }
    return 0;
}
