/* A NIC with several receive queues: made and unregistered, header split, steering rules and RSS.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_internal.h"

struct devmem_nic *devmem_find_nic(const struct devmem *host, uint32_t ifindex)
{
    struct devmem_nic *nic = host->nics;
    while (nic != NULL && nic->config.ifindex != ifindex)
        nic = nic->next;
    return nic;
}

static void free_nic(struct devmem_nic *nic)
{
    for (uint32_t q = 0; q < nic->config.queues; q++) {
        nic->queues[q].binding = NULL;
        devmem_memory_free(nic->host, nic->queues[q].memory);
    }
    smc_alloc_release(nic->host->config.alloc, nic, 1, sizeof(*nic));
}

int devmem_nic_new(struct devmem *host, const struct devmem_nic_config *config,
                   struct devmem_nic **out)
{
    if (config->ifindex == 0 || config->queues == 0 || config->queues > DEVMEM_QUEUES_MAX)
        return DEVMEM_EINVAL;
    if (devmem_find_nic(host, config->ifindex) != NULL)
        return DEVMEM_EEXIST;
    struct devmem_nic *nic = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*nic));
    if (nic == NULL)
        return DEVMEM_ENOMEM;
    nic->host = host;
    nic->config = *config;
    nic->rss_count = config->queues;
    for (uint32_t q = 0; q < config->queues; q++) {
        nic->queues[q].memory = devmem_memory_new(nic, q);
        if (nic->queues[q].memory == NULL) {
            free_nic(nic);
            return DEVMEM_ENOMEM;
        }
    }
    nic->next = host->nics;
    host->nics = nic;
    *out = nic;
    return 0;
}

void devmem_nic_unregister(struct devmem_nic *nic)
{
    struct devmem *host = nic->host;
    struct devmem_nic **at = &host->nics;
    while (*at != nic)
        at = &(*at)->next;
    *at = nic->next;
    for (struct devmem_binding *b = host->bindings; b != NULL; b = b->next)
        if (b->nic == nic)
            b->nic = NULL;
    free_nic(nic);
}

int devmem_nic_set_split(struct devmem_nic *nic, bool on)
{
    for (uint32_t q = 0; !on && q < nic->config.queues; q++)
        if (nic->queues[q].binding != NULL)
            return DEVMEM_EBUSY;
    nic->config.no_split = !on;
    return 0;
}

int devmem_nic_set_rss(struct devmem_nic *nic, uint32_t first, uint32_t count)
{
    if (count == 0 || first >= nic->config.queues || count > nic->config.queues - first)
        return DEVMEM_ERANGE;
    nic->rss_first = first;
    nic->rss_count = count;
    return 0;
}

int devmem_nic_add_rule(struct devmem_nic *nic, const struct devmem_rule *rule)
{
    if (rule->queue >= nic->config.queues)
        return DEVMEM_ERANGE;
    for (int i = 0; i < DEVMEM_RULES_MAX; i++) {
        if (nic->rules[i].used)
            continue;
        nic->rules[i].used = true;
        nic->rules[i].rule = *rule;
        return i;
    }
    return DEVMEM_ENOSPC;
}

int devmem_nic_remove_rule(struct devmem_nic *nic, int number)
{
    if (number < 0 || number >= DEVMEM_RULES_MAX || !nic->rules[number].used)
        return DEVMEM_EINVAL;
    nic->rules[number].used = false;
    return 0;
}

void devmem_nic_set_tap(struct devmem_nic *nic, devmem_tap tap, void *user)
{
    nic->tap = tap;
    nic->tap_user = user;
}

/* ---- steering ---- */
static bool address_fits(const uint8_t rule[16], const uint8_t address[16])
{
    static const uint8_t any[16];
    return memcmp(rule, any, 16) == 0 || memcmp(rule, address, 16) == 0;
}

static bool rule_fits(const struct devmem_rule *rule, const struct devmem_flow *flow)
{
    return address_fits(rule->src, flow->src) && address_fits(rule->dst, flow->dst) &&
           (rule->sport == 0 || rule->sport == flow->sport) &&
           (rule->dport == 0 || rule->dport == flow->dport);
}

static uint32_t hash_add(uint32_t h, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        h = (h ^ bytes[i]) * UINT32_C(16777619);
    return h;
}

static uint32_t flow_hash(const struct devmem_flow *flow)
{
    const uint8_t ports[4] = {(uint8_t)(flow->sport >> 8), (uint8_t)flow->sport,
                              (uint8_t)(flow->dport >> 8), (uint8_t)flow->dport};
    uint32_t h = hash_add(UINT32_C(2166136261), flow->src, 16);
    h = hash_add(h, flow->dst, 16);
    h = hash_add(h, ports, 4);
    return h ^ h >> 15;
}

uint32_t devmem_steer(const struct devmem_nic *nic, const struct devmem_flow *flow)
{
    if (flow == NULL)
        return nic->rss_first;
    for (int i = 0; i < DEVMEM_RULES_MAX; i++)
        if (nic->rules[i].used && rule_fits(&nic->rules[i].rule, flow))
            return nic->rules[i].rule.queue;
    return nic->rss_first + flow_hash(flow) % nic->rss_count;
}

uint32_t devmem_nic_steer(const struct devmem_nic *nic, const uint8_t *frame, size_t length)
{
    struct devmem_flow flow;
    return devmem_steer(nic, devmem_parse(frame, length, &flow) ? &flow : NULL);
}
