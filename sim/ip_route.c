/* Own addresses, routes, and the choice of interface, next hop and source; addresses as text.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/stack_parts.h"

#include <arpa/inet.h>

struct ip_address ip_from_v4(const uint8_t v4[4])
{
    struct ip_address address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    memcpy(address.bytes + 12, v4, 4);
    return address;
}

bool ip_from_text(const char *text, struct ip_address *out)
{
    uint8_t v4[4];
    if (inet_pton(AF_INET, text, v4) == 1) {
        *out = ip_from_v4(v4);
        return true;
    }
    struct ip_address v6;
    if (inet_pton(AF_INET6, text, v6.bytes) != 1)
        return false;
    *out = v6;
    return true;
}

void ip_to_text(struct ip_address address, char text[IP_TEXT_SIZE])
{
    if (ip_is_v4(address))
        inet_ntop(AF_INET, address.bytes + 12, text, IP_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address.bytes, text, IP_TEXT_SIZE);
}

bool ip_matches(struct ip_address a, struct ip_address b, unsigned prefix)
{
    unsigned whole = prefix / 8, rest = prefix % 8;
    if (memcmp(a.bytes, b.bytes, whole) != 0)
        return false;
    return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

/* Prefix of 128 bits, or -1 if the address has no such prefix. */
static int whole_prefix(struct ip_address address, unsigned prefix)
{
    if (prefix > (ip_is_v4(address) ? 32u : 128u))
        return -1;
    return (int)(ip_is_v4(address) ? prefix + 96 : prefix);
}

static bool interface_is(const struct ip_stack *stack, int interface)
{
    return interface >= 0 && interface < stack->ninterfaces;
}

static bool can_be_own(struct ip_address address)
{
    bool multicast = ip_is_v4(address) ? address.bytes[12] >= 224 : address.bytes[0] == 0xff;
    return !ip_is_any(address) && !multicast && !(ip_is_v4(address) && address.bytes[12] == 0);
}

int ip_add_address(struct ip_stack *stack, int interface, struct ip_address address,
                   unsigned prefix)
{
    int whole = whole_prefix(address, prefix);
    if (whole < 0 || !interface_is(stack, interface) || !can_be_own(address))
        return SMC_ERR_ARGUMENT;
    if (ip_is_mine(stack, address))
        return SMC_ERR_EXISTS;
    struct ip_owned *grown = smc_alloc_grow(stack->config.alloc, stack->addresses, stack->naddresses,
                                            (size_t)stack->naddresses + 1, sizeof(*grown));
    if (grown == NULL)
        return SMC_ERR_NOMEM;
    stack->addresses = grown;
    grown[stack->naddresses++] =
        (struct ip_owned){.address = address, .interface = interface, .prefix = (unsigned)whole};
    return 0;
}

/* The block must have the size that is given back with it: the last element is moved out of it first. */
int ip_remove_address(struct ip_stack *stack, struct ip_address address)
{
    const struct smc_alloc *alloc = stack->config.alloc;
    unsigned at = 0, n = stack->naddresses;
    while (at < n && !ip_equal(stack->addresses[at].address, address))
        at++;
    if (at == n)
        return SMC_ERR_NOTFOUND;
    struct ip_owned *fewer = NULL;
    if (n > 1 && (fewer = smc_alloc_zeroed(alloc, n - 1, sizeof(*fewer))) == NULL)
        return SMC_ERR_NOMEM;
    for (unsigned i = 0, to = 0; i < n; i++)
        if (i != at)
            fewer[to++] = stack->addresses[i];
    smc_alloc_release(alloc, stack->addresses, n, sizeof(*fewer));
    stack->addresses = fewer;
    stack->naddresses = n - 1;
    return 0;
}

int ip_add_route(struct ip_stack *stack, int interface, struct ip_address destination,
                 unsigned prefix, struct ip_address gateway)
{
    int whole = whole_prefix(destination, prefix);
    bool families = ip_is_any(gateway) || ip_is_v4(gateway) == ip_is_v4(destination);
    if (whole < 0 || !interface_is(stack, interface) || !families)
        return SMC_ERR_ARGUMENT;
    struct ip_route *grown = smc_alloc_grow(stack->config.alloc, stack->routes, stack->nroutes,
                                            (size_t)stack->nroutes + 1, sizeof(*grown));
    if (grown == NULL)
        return SMC_ERR_NOMEM;
    stack->routes = grown;
    grown[stack->nroutes++] = (struct ip_route){.destination = destination,
                                                .gateway = gateway,
                                                .interface = interface,
                                                .prefix = (unsigned)whole};
    return 0;
}

bool ip_is_mine(const struct ip_stack *stack, struct ip_address address)
{
    for (unsigned i = 0; i < stack->naddresses; i++)
        if (ip_equal(stack->addresses[i].address, address))
            return true;
    return false;
}

bool ip_is_mine_on(const struct ip_stack *stack, int interface, struct ip_address address)
{
    for (unsigned i = 0; i < stack->naddresses; i++)
        if (stack->addresses[i].interface == interface &&
            ip_equal(stack->addresses[i].address, address))
            return true;
    return false;
}

struct ip_address ip_source_on(const struct ip_stack *stack, int interface,
                               struct ip_address target)
{
    struct ip_address first = {{0}};
    for (unsigned i = 0; i < stack->naddresses; i++) {
        const struct ip_owned *own = &stack->addresses[i];
        if (own->interface != interface || ip_is_v4(own->address) != ip_is_v4(target))
            continue;
        if (ip_matches(own->address, target, own->prefix))
            return own->address;
        if (ip_is_any(first))
            first = own->address;
    }
    return first;
}

/* How good a way is: longer prefixes first, then the interface that owns the source, then one that is up. */
static unsigned rank(const struct ip_stack *stack, int interface, unsigned prefix,
                     struct ip_address source)
{
    bool owns = !ip_is_any(source) && ip_is_mine_on(stack, interface, source);
    bool up = port_link_up(stack->interfaces[interface].port);
    return 1 + prefix * 4 + owns * 2u + up;
}

static int complete(const struct ip_stack *stack, struct ip_address source, struct ip_hop *hop)
{
    hop->source = ip_is_any(source) ? ip_source_on(stack, hop->interface, hop->next) : source;
    return ip_is_any(hop->source) ? SMC_ERR_UNREACHABLE : 0;
}

static int route_home(const struct ip_stack *stack, struct ip_address source,
                      struct ip_address destination, struct ip_hop *hop)
{
    for (int i = 0; i < stack->ninterfaces; i++)
        if (stack->interfaces[i].loopback) {
            hop->interface = i;
            hop->source = ip_is_any(source) ? destination : source;
            hop->next = destination;
            hop->on_link = true;
            return 0;
        }
    return SMC_ERR_UNREACHABLE;
}

int ip_route_find(const struct ip_stack *stack, int interface, struct ip_address source,
                  struct ip_address destination, struct ip_hop *hop)
{
    unsigned best = 0;
    memset(hop, 0, sizeof(*hop));
    if (ip_is_mine(stack, destination))
        return route_home(stack, source, destination, hop);
    for (unsigned i = 0; i < stack->naddresses; i++) {
        const struct ip_owned *own = &stack->addresses[i];
        unsigned score = rank(stack, own->interface, own->prefix, source);
        if ((interface >= 0 && own->interface != interface) || score <= best ||
            ip_is_v4(own->address) != ip_is_v4(destination) ||
            !ip_matches(own->address, destination, own->prefix))
            continue;
        best = score;
        *hop = (struct ip_hop){.interface = own->interface, .on_link = true, .next = destination};
    }
    for (unsigned i = 0; i < stack->nroutes; i++) {
        const struct ip_route *route = &stack->routes[i];
        unsigned score = rank(stack, route->interface, route->prefix, source);
        if ((interface >= 0 && route->interface != interface) || score <= best ||
            ip_is_v4(route->destination) != ip_is_v4(destination) ||
            !ip_matches(route->destination, destination, route->prefix))
            continue;
        best = score;
        bool direct = ip_is_any(route->gateway);
        *hop = (struct ip_hop){.interface = route->interface,
                               .on_link = direct,
                               .next = direct ? destination : route->gateway};
    }
    return best > 0 ? complete(stack, source, hop) : SMC_ERR_UNREACHABLE;
}

int ip_hop_to(const struct ip_stack *stack, int interface, struct ip_address destination,
              struct ip_hop *hop)
{
    static const struct ip_address any;
    int error = ip_route_find(stack, interface, any, destination, hop);
    if (error == 0)
        hop->mac_known = arp_known(stack, hop->interface, hop->next, hop->mac);
    return error;
}
