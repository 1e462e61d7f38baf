/* Hosts of a laboratory: what is inside them, and who of them runs when.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_cpu.h"
#include "sim/lab_internal.h"

#include <libdeflate.h>

#include <stdio.h>

/* ---- Running: everything in a host that is due runs at one instant, until nothing is ---- */
static uint64_t endpoint_next(const struct lab_host *h)
{
    uint64_t next = smc_endpoint_next_ns(h->ep);
    return h->cpu != NULL ? lab_cpu_endpoint_ns(h->cpu, next) : next;
}

static void endpoint_run(struct lab_host *h, uint64_t now)
{
    if (h->cpu != NULL)
        lab_cpu_endpoint_begin(h->cpu);
    smc_endpoint_run(h->ep, now);
    if (h->cpu != NULL)
        lab_cpu_endpoint_end(h->cpu);
}

static uint64_t host_next(const struct lab_host *h)
{
    uint64_t next = ip_next_ns(h->stack), other;
    if (h->ep != NULL && (other = endpoint_next(h)) < next)
        next = other;
    for (unsigned i = 0; i < h->interface_count; i++)
        if (h->interfaces[i]->roce != NULL && (other = roce_next_ns(h->interfaces[i]->roce)) < next)
            next = other;
    for (unsigned i = 0; i < h->device_count; i++)
        if ((other = lab_dibs_next_ns(h->devices[i])) < next)
            next = other;
    return next;
}

static void run_due(struct lab_host *h, uint64_t now)
{
    if (ip_next_ns(h->stack) <= now)
        ip_run(h->stack, now);
    for (unsigned i = 0; i < h->interface_count; i++)
        if (h->interfaces[i]->roce != NULL && roce_next_ns(h->interfaces[i]->roce) <= now)
            roce_run(h->interfaces[i]->roce, now);
    for (unsigned i = 0; i < h->device_count; i++)
        if (lab_dibs_next_ns(h->devices[i]) <= now)
            lab_dibs_run(h->devices[i], now);
    if (h->ep != NULL && endpoint_next(h) <= now)
        endpoint_run(h, now);
}

/* Two hosts on one loopback could hand each other work for ever within one instant; after so many rounds a host lets the others
 * have their turn, a microsecond later. */
enum { ROUNDS_MAX = 256 };

static void host_run(void *ctx, uint64_t now)
{
    struct lab_host *h = ctx;
    unsigned rounds = 0;
    if (h->dead || h->running)
        return;
    h->running = true;
    while (host_next(h) <= now && rounds++ < ROUNDS_MAX)
        run_due(h, now);
    h->running = false;
    uint64_t next = host_next(h);
    if (next <= now)
        next = now + SIM_US;
    (void)sim_timer_set(h->lab->sim, &h->timer, next); /* reserved: cannot fail */
}

void lab_host_wake(void *host)
{
    struct lab_host *h = host;
    if (!h->running && !h->dead)
        (void)sim_timer_set(h->lab->sim, &h->timer, sim_now(h->lab->sim));
}

/* After every call of an application. A reader that asks in vain must not wake the host at this very instant: asked again after
 * each event, it would never let time pass. */
void lab_host_touch(struct lab_host *host)
{
    uint64_t next = host_next(host), now = sim_now(host->lab->sim);
    if (!host->running && !host->dead)
        (void)sim_timer_set(host->lab->sim, &host->timer, next > now ? next : now);
}

static bool host_has(const struct lab_host *h, const uint8_t address[16])
{
    for (unsigned i = 0; i < h->interface_count; i++) {
        const struct lab_interface *interface = h->interfaces[i];
        for (unsigned p = 0; p < interface->prefix_count; p++)
            if (memcmp(interface->prefixes[p].address.bytes, address, 16) == 0)
                return true;
        const uint8_t *m = interface->port->mac;
        const uint8_t local[16] = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
        if (memcmp(local, address, 16) == 0)
            return true;
    }
    for (unsigned d = 0; d < h->device_count; d++)
        if (h->devices[d]->device != NULL && memcmp(h->devices[d]->device->gid.bytes, address, 16) == 0)
            return true;
    return false;
}

const char *lab_owner_of(struct lab *lab, const uint8_t address[16])
{
    const char *found = "";
    for (const struct lab_host *h = lab->hosts; h != NULL; h = h->next) {
        if (!host_has(h, address))
            continue;
        if (found[0] != '\0')
            return "";
        found = h->name;
    }
    return found;
}

/* ---- Hosts ---- */
struct lab_host *lab_find_host(struct lab *lab, const char *name)
{
    for (struct lab_host *h = lab->hosts; h != NULL; h = h->next)
        if (strcmp(h->name, name) == 0)
            return h;
    return NULL;
}

const char *lab_host_name(const struct lab_host *host)
{
    return host->name;
}

struct smc_endpoint *lab_host_endpoint(struct lab_host *host)
{
    return host->ep;
}

static uint64_t seed_of(struct lab *lab, const char *name, const char *what)
{
    uint64_t seed = sim_hash_64(name, strlen(name), sim_seed(lab->sim));
    return sim_hash_64(what, strlen(what), seed);
}

static int start_endpoint(struct lab_host *h, const struct lab_host_config *c)
{
    bool all_versions = !c->v1 && !c->v2, all_paths = !c->smc_r && !c->smc_d;
    struct smc_endpoint_config config = {.alloc = &h->lab->alloc,
                                         .profile = c->profile != NULL ? c->profile : &smc_profile_linux,
                                         .ops = &lab_smc_ops,
                                         .host = h,
                                         .seed = seed_of(h->lab, h->name, "smc"),
                                         .v1 = c->v1 || all_versions,
                                         .v2 = c->v2 || all_versions,
                                         .smc_r = c->smc_r || all_paths,
                                         .smc_d = c->smc_d || all_paths,
                                         .release = c->release_set ? c->release : 1,
                                         .emulated_ism = !c->emulated_ism_off,
                                         .seid_enabled = c->seid_enabled,
                                         .rmb_bytes = c->rmb_bytes,
                                         .sndbuf_bytes = c->sndbuf_bytes,
                                         .no_copy = c->no_copy,
                                         .autocork = c->autocork};
    memcpy(config.seid, c->seid, sizeof(config.seid));
    size_t length = strlen(h->name);
    memcpy(config.hostname, h->name, length < 32 ? length : 32);
    int error = smc_endpoint_new(&config, &h->ep);
    for (unsigned i = 0; error == 0 && i < 8 && c->ueids[i] != NULL; i++)
        error = smc_endpoint_add_ueid(h->ep, c->ueids[i]);
    if (error == 0 && c->ueids[0] == NULL && !c->no_ueid)
        error = smc_endpoint_add_ueid(h->ep, "SMCLAB.EID");
    if (error == 0)
        error = smc_endpoint_use_dibs(h->ep, &h->dibs, sim_now(h->lab->sim));
    return error;
}

static int start_host(struct lab_host *h, const struct lab_host_config *config)
{
    struct ip_config ip = {
        .alloc = &h->lab->alloc, .seed = seed_of(h->lab, h->name, "ip"), .wake = lab_host_wake, .user = h};
    h->machine = lab_machine_get(h->lab, config->machine != NULL ? config->machine : config->name);
    h->stack = ip_stack_new(&ip);
    sim_timer_init(&h->timer, host_run, h);
    if (h->stack == NULL || h->machine == NULL || sim_timer_reserve(h->lab->sim, &h->timer) != 0)
        return SMC_ERR_NOMEM;
    h->retry_given = config->retry_given;
    h->retry_count = config->retry_count;
    h->ack_timeout = config->ack_timeout;
    if (config->cpu != NULL && lab_cpu_new(h, config->cpu, &h->cpu) != 0)
        return SMC_ERR_NOMEM;
    smc_dibs_init(&h->dibs, &h->lab->alloc);
    h->ipsec = config->ipsec;
    if (h->outside != NULL)
        return h->outside->ops->begin != NULL ? h->outside->ops->begin(h->outside->user, h, config) : 0;
    return config->no_smc ? 0 : start_endpoint(h, config);
}

int lab_add_host(struct lab *lab, const struct lab_host_config *config, struct lab_host **out)
{
    if (config->name == NULL || config->name[0] == '\0' || strlen(config->name) >= LAB_NAME / 2)
        return lab_fail(lab, SMC_ERR_ARGUMENT, "a host needs a name of 1 to %d characters", LAB_NAME / 2 - 1);
    if (lab_find_host(lab, config->name) != NULL)
        return lab_fail(lab, SMC_ERR_EXISTS, "there is a host \"%s\" already", config->name);
    struct lab_host *h = lab_alloc(lab, sizeof(*h));
    if (h == NULL)
        return SMC_ERR_NOMEM;
    h->lab = lab;
    h->seed = seed_of(lab, config->name, "host");
    snprintf(h->name, sizeof(h->name), "%s", config->name);
    const struct lab_outside *outside = lab_outside_of(lab, config->name);
    *lab->hosts_end = h;
    lab->hosts_end = &h->next;
    h->outside = outside;
    if (outside != NULL)
        lab->problem[0] = '\0';
    int error = start_host(h, config);
    if (error != 0 && outside != NULL && lab->problem[0] != '\0')
        return error;
    if (error != 0)
        return lab_fail(lab, error, "host \"%s\" cannot be made: %s", config->name, smc_error_text(error));
    *out = h;
    return 0;
}

static void end_sockets(struct lab_host *host)
{
    for (struct lab_socket *s = host->lab->sockets; s != NULL; s = s->next)
        if (s->host == host)
            lab_socket_host_died(s);
}

static void interface_free(struct lab_interface *i)
{
    if (i->proxy != NULL)
        lab_proxy_free(i->proxy);
    if (i->roce != NULL)
        roce_free(i->roce);
    lab_release(i->host->lab, i, sizeof(*i));
}

void lab_host_free(struct lab_host *h)
{
    struct lab *lab = h->lab;
    h->dead = true;
    end_sockets(h);
    if (h->ep != NULL)
        smc_endpoint_free(h->ep);
    for (unsigned i = 0; i < h->device_count; i++)
        lab_dibs_free(h->devices[i]);
    (void)smc_dibs_free(&h->dibs);
    if (h->stack != NULL)
        ip_stack_free(h->stack);
    lab_devmem_free(h); /* connections have given their fragments back */
    if (h->cpu != NULL)
        lab_cpu_free(h->cpu); /* behind the stack, whose ports it made */
    for (unsigned i = 0; i < h->interface_count; i++)
        interface_free(h->interfaces[i]);
    sim_timer_release(lab->sim, &h->timer);
    lab_release(lab, h, sizeof(*h));
}

/* As if its power were cut: from now on it neither sends nor hears. Memory goes at the end of the run. */
int lab_host_kill(struct lab_host *host)
{
    host->dead = true;
    sim_timer_cancel(host->lab->sim, &host->timer);
    for (unsigned i = 0; i < host->device_count; i++) {
        struct lab_dibs *d = host->devices[i];
        if (d->ivshmem != NULL)
            ivshmem_fail(d->ivshmem);
        if (d->ism != NULL)
            ism_function_fail(d->ism);
    }
    return 0;
}

/* ---- Frames: to TCP/IP or to the RoCE NIC ---- */
static void frame_in(void *user, struct port *port, const uint8_t *frame, size_t length, uint64_t now_ns)
{
    struct lab_interface *i = user;
    (void)port;
    if (i->host->dead)
        return;
    if (i->host->outside != NULL) {
        lab_outside_frame_out(i, frame, length);
        return;
    }
    if (i->roce != NULL && i->roce_present && roce_is_roce(frame, length))
        roce_frame(i->roce, 1, frame, length, now_ns);
    else if (i->host->cpu != NULL)
        lab_cpu_frame(i->host->cpu, i, frame, length);
    else
        lab_devmem_frame(i, frame, length, now_ns);
    lab_host_wake(i->host);
}

static void link_changed(void *user, struct port *port, bool up, uint64_t now_ns)
{
    struct lab_interface *i = user;
    (void)port;
    if (i->host->dead)
        return;
    if (i->host->outside != NULL) {
        lab_outside_link(i, up);
        return;
    }
    ip_link(i->host->stack, i->ip, up, now_ns);
    if (i->roce != NULL)
        roce_link(i->roce, 1, up, now_ns);
    lab_host_wake(i->host);
}

/* ---- Interfaces ---- */
struct lab_interface *lab_find_interface(struct lab *lab, const char *name)
{
    for (struct lab_host *h = lab->hosts; h != NULL; h = h->next)
        for (unsigned i = 0; i < h->interface_count; i++)
            if (strcmp(h->interfaces[i]->name, name) == 0)
                return h->interfaces[i];
    return NULL;
}

struct lab_interface *lab_host_interface(struct lab_host *host, const char *name)
{
    char full[LAB_NAME];
    return lab_join_name(host, name, full) == 0 ? lab_find_interface(host->lab, full) : NULL;
}

struct lab_interface *lab_interface_of(struct lab_host *host, struct ip_address own)
{
    for (unsigned i = 0; i < host->interface_count; i++)
        for (unsigned p = 0; p < host->interfaces[i]->prefix_count; p++)
            if (memcmp(host->interfaces[i]->prefixes[p].address.bytes, own.bytes, 16) == 0)
                return host->interfaces[i];
    return NULL;
}

struct roce *lab_interface_roce(struct lab_interface *interface)
{
    return interface->roce;
}

int lab_interface_add_fault(struct lab_interface *i, const struct roce_fault *fault)
{
    if (lab_inside_only(i->host, "its RoCE device makes no faults on demand") != 0)
        return SMC_ERR_UNSUPPORTED;
    if (i->roce == NULL)
        return lab_fail(i->host->lab, SMC_ERR_UNSUPPORTED, "%s has no RoCE device", i->name);
    if (fault == NULL)
        i->fault_count = 0;
    else if (i->fault_count == ROCE_FAULTS_MAX)
        return SMC_ERR_NOSPACE;
    else
        i->faults[i->fault_count++] = *fault;
    return roce_set_faults(i->roce, i->faults, i->fault_count);
}

static int set_gid(struct lab_interface *i, const struct smc_gid *gid, enum smc_rdma_gid_type type)
{
    struct smc_rdma_gid_entry entry = {.gid = *gid, .type = type, .vlan_valid = i->vlan != 0, .vlan_id = i->vlan};
    if (i->gid_count == LAB_GIDS)
        return SMC_ERR_NOSPACE;
    memcpy(entry.mac, i->port->mac, 6);
    return roce_set_gid(i->roce, 1, i->gid_count++, &entry);
}

static struct smc_gid link_local(const struct lab_interface *i)
{
    const uint8_t *m = i->port->mac;
    return (struct smc_gid){{0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]}};
}

/* RoCEv1: the link-local address that the MAC gives. RoCEv2: the IP addresses. As Linux fills a GID table. */
static int set_gids(struct lab_interface *i)
{
    struct smc_gid local = link_local(i);
    int error = 0;
    for (unsigned g = 0; g < i->gid_count && error == 0; g++)
        error = roce_set_gid(i->roce, 1, g, &(struct smc_rdma_gid_entry){0});
    i->gid_count = 0;
    if (error == 0 && i->v1_gids)
        error = set_gid(i, &local, SMC_RDMA_GID_ROCE_V1);
    for (unsigned p = 0; p < i->prefix_count && error == 0 && i->v2_gids; p++)
        error = set_gid(i, &i->prefixes[p].address, SMC_RDMA_GID_ROCE_V2);
    return error;
}

/* "10.0.0.1/24", one of several that blanks separate; *text moves on. */
static int parse_prefix(const char **text, struct smc_ip_prefix *out)
{
    char word[IP_TEXT_SIZE];
    size_t n = 0;
    while (**text == ' ')
        (*text)++;
    while (**text != '\0' && **text != ' ' && **text != '/' && n + 1 < sizeof(word))
        word[n++] = *(*text)++;
    word[n] = '\0';
    struct ip_address address;
    if (**text != '/' || !ip_from_text(word, &address))
        return SMC_ERR_ARGUMENT;
    unsigned length = 0, digits = 0;
    for ((*text)++; **text >= '0' && **text <= '9' && digits < 3; (*text)++, digits++)
        length = length * 10 + (unsigned)(**text - '0');
    if (digits == 0 || length > (ip_is_v4(address) ? 32u : 128u) || (**text != ' ' && **text != '\0'))
        return SMC_ERR_ARGUMENT;
    memcpy(out->address.bytes, address.bytes, 16);
    out->length = (uint8_t)length;
    return 0;
}

static int set_addresses(struct lab_interface *i, const char *text)
{
    while (i->prefix_count > 0) {
        struct ip_address old;
        memcpy(old.bytes, i->prefixes[--i->prefix_count].address.bytes, 16);
        (void)ip_remove_address(i->host->stack, old);
    }
    while (*text != '\0') {
        struct smc_ip_prefix *p = &i->prefixes[i->prefix_count];
        struct ip_address address;
        if (i->prefix_count == 8 || parse_prefix(&text, p) != 0)
            return lab_fail(i->host->lab, SMC_ERR_ARGUMENT,
                            "%s: an address looks like 10.0.0.1/24 or 2001:db8::1/64, at most 8 of them", i->name);
        memcpy(address.bytes, p->address.bytes, 16);
        int error = ip_add_address(i->host->stack, i->ip, address, p->length);
        if (error != 0)
            return error;
        i->prefix_count++;
        while (*text == ' ')
            text++;
    }
    return 0;
}

int lab_interface_set_address(struct lab_interface *i, const char *address)
{
    int error = set_addresses(i, address);
    if (error == 0 && i->host->outside != NULL)
        return lab_outside_address(i, address);
    if (error == 0 && i->roce != NULL)
        error = set_gids(i);
    lab_host_wake(i->host);
    return error;
}

int lab_host_delete_link(struct lab_host *host, uint32_t group, uint8_t number, bool orderly)
{
    int error = lab_inside_only(host, "its links cannot be deleted");
    if (error != 0)
        return error;
    if (host->ep == NULL)
        return lab_fail(host->lab, SMC_ERR_UNSUPPORTED, "%s has no SMC", host->name);
    error = smc_endpoint_delete_link(host->ep, group, number, orderly, sim_now(host->lab->sim));
    if (error != 0)
        return lab_fail(host->lab, error, "link %u of %s cannot be deleted: %s", number, host->name, smc_error_text(error));
    lab_host_wake(host);
    return 0;
}

int lab_interface_roce_present(struct lab_interface *i, bool present)
{
    uint64_t now = sim_now(i->host->lab->sim);
    int error = 0;
    if (i->host->outside != NULL)
        return lab_outside_roce_present(i, present);
    if (i->roce == NULL)
        return lab_fail(i->host->lab, SMC_ERR_UNSUPPORTED, "%s has no RoCE device", i->name);
    if (i->roce_present == present || i->host->ep == NULL)
        return 0;
    if (present)
        error = smc_endpoint_add_rdma(i->host->ep, lab_proxy_device(i->proxy), i->pnet, now);
    else
        error = smc_endpoint_remove_rdma(i->host->ep, lab_proxy_device(i->proxy), now);
    if (error == 0)
        i->roce_present = present;
    if (error == 0 && !present)
        net_port_drop_roce(i->port);
    lab_host_wake(i->host);
    return error;
}

/* [DCQCN] A flow starts at line rate. */
void lab_interface_linked(struct port *port, uint64_t rate_bits)
{
    struct roce_dcqcn params;
    if (port->receiver.frame != frame_in)
        return;
    const struct lab_interface *i = port->receiver.user;
    if (i->roce == NULL || i->line_rate_given || !roce_dcqcn_params(i->roce, &params) || rate_bits > ROCE_DCQCN_RATE_MAX)
        return;
    params.line_rate = rate_bits;
    if (params.R_MIN > rate_bits)
        params.R_MIN = rate_bits;
    (void)roce_set_dcqcn(i->roce, &params); /* in range */
}

static int start_roce(struct lab_interface *i, const struct lab_interface_config *c)
{
    struct lab_host *h = i->host;
    struct roce_config config = {.alloc = &h->lab->alloc,
                                 .name = i->name,
                                 .crc = libdeflate_crc32,
                                 .seed = sim_hash_64(i->name, strlen(i->name), h->seed),
                                 .dscp = c->dscp,
                                 .priority = c->priority,
                                 .v1_over_udp = h->lab->v1_over_udp,
                                 .wake = lab_host_wake,
                                 .user = h};
    int error = roce_new(&config, &i->roce);
    if (error == 0 && c->dcqcn != NULL) {
        i->line_rate_given = c->dcqcn->line_rate != 0;
        error = roce_set_dcqcn(i->roce, c->dcqcn);
    }
    if (error == 0) {
        roce_attach_port(i->roce, 1, i->port);
        error = set_gids(i);
    }
    if (error == 0)
        error = lab_proxy_new(h, roce_device(i->roce), &i->proxy);
    if (error == 0)
        error = lab_interface_roce_present(i, true);
    return error;
}

static int start_interface(struct lab_interface *i, const struct lab_interface_config *c)
{
    struct lab_host *h = i->host;
    unsigned number = ++h->lab->port_count;
    uint8_t mac[6] = {0x02, 0x5e, 0x10, 0, (uint8_t)(number >> 8), (uint8_t)number};
    if (h->outside != NULL && lab_outside_mac(i, mac) != 0)
        return SMC_ERR_UNSUPPORTED;
    i->port = net_port_new(h->lab->net, i->name, mac);
    if (i->port == NULL)
        return SMC_ERR_NOMEM;
    i->port->receiver = (struct port_receiver){.frame = frame_in, .link = link_changed, .user = i};
    struct pfc_config pfc = {.trust = c->trust_pcp ? PFC_TRUST_PCP : PFC_TRUST_DSCP};
    if (c->flow_control && pfc_enable(i->port, &pfc) != 0)
        return SMC_ERR_NOMEM;
    struct ip_interface_config ip = {.port = i->port, .vlan = c->vlan};
    if (h->cpu != NULL && lab_cpu_port(h->cpu, i->port, &ip.port) != 0)
        return SMC_ERR_NOMEM;
    i->ip = ip_add_interface(h->stack, &ip);
    if (i->ip < 0)
        return i->ip;
    int error = set_addresses(i, lab_outside_numbered(i, c->address != NULL ? c->address : ""));
    if (h->outside != NULL)
        return error != 0 ? error : lab_outside_interface(i, c);
    if (error == 0 && h->lab->v1_over_udp) {
        struct smc_gid local = link_local(i);
        struct ip_address address;
        memcpy(address.bytes, local.bytes, 16);
        error = ip_add_address(h->stack, i->ip, address, 64);
    }
    struct ip_address gateway;
    static const struct ip_address any;
    if (error == 0 && c->gateway != NULL) {
        if (!ip_from_text(c->gateway, &gateway))
            return lab_fail(h->lab, SMC_ERR_ARGUMENT, "%s: \"%s\" is no address of a gateway", i->name, c->gateway);
        error = ip_add_route(h->stack, i->ip, ip_is_v4(gateway) ? ip_from_v4((const uint8_t[4]){0}) : any, 0, gateway);
    }
    if (error == 0 && !c->no_roce)
        error = start_roce(i, c);
    return error;
}

int lab_add_interface(struct lab_host *host, const struct lab_interface_config *c, struct lab_interface **out)
{
    struct lab *lab = host->lab;
    char name[LAB_NAME];
    if (lab_join_name(host, c->name != NULL ? c->name : "eth0", name) != 0)
        return SMC_ERR_ARGUMENT;
    if (host->interface_count == LAB_INTERFACES || lab_find_interface(lab, name) != NULL)
        return lab_fail(lab, SMC_ERR_EXISTS, "%s: there is such an interface, or %d of them", name, LAB_INTERFACES);
    struct lab_interface *i = lab_alloc(lab, sizeof(*i));
    if (i == NULL)
        return SMC_ERR_NOMEM;
    memcpy(i->name, name, sizeof(name));
    i->host = host;
    i->vlan = c->vlan;
    i->v1_gids = !c->roce_v2_only;
    i->v2_gids = !c->roce_v1_only;
    snprintf(i->pnet, sizeof(i->pnet), "%s", c->pnet != NULL ? c->pnet : "");
    host->interfaces[host->interface_count++] = i;
    lab->problem[0] = '\0';
    int error = start_interface(i, c);
    if (error != 0)
        return lab->problem[0] != '\0' ? error
                                       : lab_fail(lab, error, "%s cannot be made: %s", name, smc_error_text(error));
    *out = i;
    return 0;
}
