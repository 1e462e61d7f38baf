/* The stack as a whole: made and freed, its configuration, frames in, time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/stack_parts.h"

#define MS UINT64_C(1000000)

static void default_u64(uint64_t *value, uint64_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

static void default_unsigned(unsigned *value, unsigned otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

static void fill_defaults(struct ip_config *config)
{
    default_u64(&config->neighbour_valid_ns, 60000 * MS);
    default_u64(&config->neighbour_retry_ns, 1000 * MS);
    default_unsigned(&config->neighbour_tries, 3);
    default_u64(&config->time_wait_ns, 60000 * MS);
    default_u64(&config->fin_wait_ns, 60000 * MS);
    default_u64(&config->rto_initial_ns, 1000 * MS);
    default_u64(&config->rto_min_ns, 200 * MS);
    default_u64(&config->rto_max_ns, 120000 * MS);
    default_u64(&config->delayed_ack_ns, 40 * MS);
    default_unsigned(&config->syn_retries, 6);
    default_unsigned(&config->retries, 15);
    if (config->retries > UINT8_MAX - 1)
        config->retries = UINT8_MAX - 1;
    if (config->syn_retries > UINT8_MAX - 1)
        config->syn_retries = UINT8_MAX - 1;
}

struct ip_stack *ip_stack_new(const struct ip_config *config)
{
    struct ip_stack *stack = smc_alloc_zeroed(config->alloc, 1, sizeof(*stack));
    if (stack == NULL)
        return NULL;
    stack->config = *config;
    fill_defaults(&stack->config);
    stack->packet_id = (uint16_t)ip_hash(config->seed, "id", 2);
    if (tcp_part_init(stack) != 0) {
        smc_alloc_release(config->alloc, stack, 1, sizeof(*stack));
        return NULL;
    }
    return stack;
}

void ip_stack_free(struct ip_stack *stack)
{
    if (stack == NULL)
        return;
    const struct smc_alloc *alloc = stack->config.alloc;
    tcp_part_free(stack);
    arp_free_all(stack);
    smc_alloc_release(alloc, stack->addresses, stack->naddresses, sizeof(*stack->addresses));
    smc_alloc_release(alloc, stack->routes, stack->nroutes, sizeof(*stack->routes));
    smc_alloc_release(alloc, stack->timers.heap, stack->timers.capacity, sizeof(struct ip_timer *));
    smc_alloc_release(alloc, stack->scratch, stack->scratch_size, 1);
    smc_alloc_release(alloc, stack, 1, sizeof(*stack));
}

/* A packet never exceeds 65535 bytes, whatever a port says. */
static size_t packet_limit(const struct port *port)
{
    uint32_t mtu = port_mtu(port);
    return mtu < 65535 ? mtu : 65535;
}

static int grow_scratch(struct ip_stack *stack, size_t packet)
{
    size_t size = IP_HEADROOM + packet;
    if (size <= stack->scratch_size)
        return 0;
    uint8_t *scratch = smc_alloc_grow(stack->config.alloc, stack->scratch, stack->scratch_size, size, 1);
    if (scratch == NULL)
        return SMC_ERR_NOMEM;
    stack->scratch = scratch;
    stack->scratch_size = size;
    return 0;
}

static int find_interface(const struct ip_stack *stack, const struct port *port, uint16_t vlan)
{
    for (int i = 0; i < stack->ninterfaces; i++)
        if (stack->interfaces[i].port == port && stack->interfaces[i].vlan == vlan)
            return i;
    return -1;
}

int ip_add_interface(struct ip_stack *stack, const struct ip_interface_config *config)
{
    if (config->port == NULL || config->vlan > 4094)
        return SMC_ERR_ARGUMENT;
    if (find_interface(stack, config->port, config->vlan) >= 0)
        return SMC_ERR_EXISTS;
    if (stack->ninterfaces == IP_MAX_INTERFACES)
        return SMC_ERR_NOSPACE;
    int error = grow_scratch(stack, packet_limit(config->port));
    if (error != 0)
        return error;
    stack->interfaces[stack->ninterfaces] = (struct ip_interface){
        .port = config->port, .vlan = config->vlan, .loopback = config->loopback};
    return stack->ninterfaces++;
}

/* Never more than the scratch packet holds: an MTU raised while the link was down may not have found memory. */
uint32_t ip_interface_mtu(const struct ip_stack *stack, int interface)
{
    size_t mtu = packet_limit(stack->interfaces[interface].port);
    size_t held = stack->scratch_size - IP_HEADROOM;
    return (uint32_t)(mtu < held ? mtu : held);
}

void ip_wake(struct ip_stack *stack)
{
    if (stack->depth == 0 && stack->config.wake != NULL)
        stack->config.wake(stack->config.user);
}

/* FNV-1a with a finalizer that carries every bit to every other. */
uint64_t ip_hash(uint64_t seed, const void *bytes, size_t length)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (seed * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < length; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

uint64_t ip_next_ns(const struct ip_stack *stack)
{
    return stack->timers.count > 0 ? stack->timers.heap[0]->at_ns : UINT64_MAX;
}

struct ip_counters ip_counters(const struct ip_stack *stack)
{
    return stack->counters;
}

static void enter(struct ip_stack *stack, uint64_t now_ns)
{
    stack->depth++;
    if (now_ns > stack->now_ns)
        stack->now_ns = now_ns;
}

static void leave(struct ip_stack *stack)
{
    if (--stack->depth == 0)
        tcp_reap(stack);
}

void ip_run(struct ip_stack *stack, uint64_t now_ns)
{
    enter(stack, now_ns);
    while (ip_next_ns(stack) <= stack->now_ns) {
        struct ip_timer *timer = stack->timers.heap[0];
        ip_timer_set(stack, timer, UINT64_MAX);
        timer->due(timer, stack->now_ns);
    }
    leave(stack);
}

static bool for_us(const struct ip_interface *interface, const uint8_t dst[6])
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return memcmp(dst, interface->port->mac, 6) == 0 || memcmp(dst, broadcast, 6) == 0 ||
           (dst[0] == 0x33 && dst[1] == 0x33);
}

/* A tag with VLAN 0 carries a priority only. Of several tags the stack knows none. */
static void take_frame(struct ip_stack *stack, int interface, struct smc_view frame)
{
    struct smc_eth eth;
    struct smc_vlan tag;
    if (!smc_eth_at(frame, 0, &eth)) {
        stack->counters.malformed++;
        return;
    }
    uint16_t type = smc_eth_ethertype(eth), vlan = 0;
    size_t at = smc_eth_size;
    if (type == IP_TYPE_VLAN) {
        if (!smc_vlan_at(frame, at, &tag)) {
            stack->counters.malformed++;
            return;
        }
        vlan = smc_vlan_vid(tag);
        type = smc_vlan_ethertype(tag);
        at += smc_vlan_size;
    }
    interface = find_interface(stack, stack->interfaces[interface].port, vlan);
    if (interface < 0 || !for_us(&stack->interfaces[interface], smc_eth_dst(eth))) {
        stack->counters.not_mine++;
        return;
    }
    struct smc_view packet = smc_view_sub(frame, at, SIZE_MAX);
    if (type == IP_TYPE_V4)
        ip_input_v4(stack, packet);
    else if (type == IP_TYPE_V6)
        ip_input_v6(stack, interface, smc_eth_src(eth), packet);
    else if (type == IP_TYPE_ARP)
        arp_input(stack, interface, packet);
    else
        stack->counters.not_mine++;
}

void ip_frame(struct ip_stack *stack, int interface, const uint8_t *frame, size_t length,
              uint64_t now_ns)
{
    uint64_t before = ip_next_ns(stack);
    enter(stack, now_ns);
    stack->counters.frames_in++;
    if (interface >= 0 && interface < stack->ninterfaces)
        take_frame(stack, interface, smc_view_of(frame, length));
    leave(stack);
    if (ip_next_ns(stack) < before)
        ip_wake(stack);
}

/* Who was there before may not be there, or not under that MAC, when the link comes back. */
void ip_link(struct ip_stack *stack, int interface, bool up, uint64_t now_ns)
{
    enter(stack, now_ns);
    if (interface >= 0 && interface < stack->ninterfaces) {
        const struct port *port = stack->interfaces[interface].port;
        for (int i = 0; i < stack->ninterfaces; i++)
            if (stack->interfaces[i].port == port && !up)
                ip_forget_neighbours(stack, i);
        if (up) /* without memory for a larger MTU the old one goes on */
            (void)grow_scratch(stack, packet_limit(port));
    }
    leave(stack);
}
