/* Builds the laboratory of a plan: hosts with their interfaces and devices, switches, links.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "devices/roce_dcqcn.h"
#include "sim/pfc.h"

#include <smc/error.h>

#include <string.h>

const char *const explore_host_names[EXPLORE_HOSTS] = {"alpha", "beta", "gamma", "delta"};
const char *const explore_device_kinds[3] = {"ism", "loopback", "ivshmem"};

static bool worked(struct explore_run *run, int error, const char *what)
{
    if (error != 0)
        explore_fail(run, "the plan cannot be built", "%s: %s", what, lab_problem(run->lab));
    return error == 0;
}

/* NICs at one switch share its subnet; a NIC on a link of its own has the subnet of its number. */
static unsigned subnet_of(const struct explore_plan *p, uint64_t end)
{
    for (unsigned i = 0; i < p->link_count; i++) {
        uint64_t other = p->links[i].a == end ? p->links[i].b : p->links[i].b == end ? p->links[i].a : UINT64_MAX;
        if (other != UINT64_MAX)
            return (unsigned)(other >= 100 ? other - 100 : end % 10 < other % 10 ? end % 10 : other % 10);
    }
    return (unsigned)(end % 10);
}

void explore_address(const struct explore_plan *p, unsigned host, unsigned nic, bool with_prefix, char out[64])
{
    unsigned subnet = subnet_of(p, 10 * host + nic), number = host + 1 + (nic < 2 ? 100 * nic : 100 + 20 * nic);
    if (p->hosts[host].ipv6)
        snprintf(out, 64, "2001:db8:%x::%x%s", subnet, number, !with_prefix ? "" : p->hosts[host].wide ? "/48" : "/64");
    else
        snprintf(out, 64, "10.0.%u.%u%s", subnet, number, !with_prefix ? "" : p->hosts[host].wide ? "/16" : "/24");
}

static bool build_host(struct explore_run *run, unsigned i)
{
    const struct explore_host *h = &run->plan->hosts[i];
    struct smc_profile profile = h->profile == 0 ? smc_profile_linux : smc_profile_rfc;
    char machine[16];
    snprintf(machine, sizeof(machine), "machine%u", (unsigned)h->machine);
    if (h->max_conns != 0)
        profile.max_conns = (uint8_t)h->max_conns;
    if (h->max_links != 0)
        profile.max_links = (uint8_t)h->max_links;
    if (h->rmbes != 0 && h->profile != 0)
        profile.rmbes_per_rmb = (uint8_t)h->rmbes;
    struct lab_host_config config = {.name = explore_host_names[i],
                                     .profile = &profile,
                                     .v1 = h->versions == 1,
                                     .v2 = h->versions == 2,
                                     .smc_r = h->paths == 1,
                                     .smc_d = h->paths == 2,
                                     .release = 0,
                                     .release_set = h->release0 != 0,
                                     .no_copy = h->no_copy != 0,
                                     .autocork = h->autocork != 0,
                                     .rmb_bytes = (uint32_t)h->rmb,
                                     .sndbuf_bytes = (uint32_t)h->sndbuf,
                                     .no_ueid = h->eid == 2,
                                     .ipsec = h->ipsec != 0,
                                     .machine = h->machine != 0 ? machine : NULL};
    if (h->eid == 1)
        config.ueids[0] = "ANOTHER.EID";
    return worked(run, lab_add_host(run->lab, &config, &run->hosts[i]), "a host");
}

static bool build_nics(struct explore_run *run, unsigned i)
{
    static const struct roce_dcqcn dcqcn; /* all as in the paper */
    static const char *const names[8] = {"eth0", "eth1", "eth2", "eth3", "eth4", "eth5", "eth6", "eth7"};
    const struct explore_host *h = &run->plan->hosts[i];
    for (unsigned n = 0; n < h->nics; n++) {
        char address[64];
        explore_address(run->plan, i, n, true, address);
        struct lab_interface_config config = {.name = names[n],
                                              .address = address,
                                              .mtu = (uint32_t)h->mtu,
                                              .vlan = (uint16_t)h->vlan,
                                              .no_roce = h->roce == 3,
                                              .roce_v1_only = h->roce == 1,
                                              .roce_v2_only = h->roce == 2,
                                              .dscp = (uint8_t)h->dscp,
                                              .dcqcn = h->dcqcn != 0 ? &dcqcn : NULL,
                                              .flow_control = run->plan->xoff != 0};
        if (!worked(run, lab_add_interface(run->hosts[i], &config, &run->nics[i][n]), "an interface"))
            return false;
    }
    for (unsigned k = 0; k < 3; k++) {
        struct lab_dibs_config config = {.kind = explore_device_kinds[k]};
        if ((h->devices >> k & 1) != 0 && !worked(run, lab_add_dibs(run->hosts[i], &config), "a dibs device"))
            return false;
    }
    return true;
}

static void end_name(uint64_t end, char out[32])
{
    if (end >= 100)
        snprintf(out, 32, "sw%u", (unsigned)(end - 100));
    else
        snprintf(out, 32, "%s.eth%u", explore_host_names[end / 10], (unsigned)(end % 10));
}

/* A pause ends by itself soon: a PFC frame that says so may be lost. */
static bool build_switch(struct explore_run *run, const char *name)
{
    const struct explore_plan *p = run->plan;
    struct pfc_config pfc = {.lossless = 1u << EXPLORE_LOSSLESS,
                             .trust = PFC_TRUST_DSCP,
                             .xoff_bytes = (uint32_t)p->xoff,
                             .xon_bytes = (uint32_t)p->xoff / 4 * 3,
                             .headroom_bytes = EXPLORE_HEADROOM,
                             .quanta = EXPLORE_QUANTA};
    struct ecn_config ecn = {.min_bytes = (uint32_t)p->ecn / 8, .max_bytes = (uint32_t)p->ecn, .max_per_million = EXPLORE_ECN_SHARE};
    if (!worked(run, lab_add_switch(run->lab, name, 0), "a switch"))
        return false;
    return worked(run, lab_switch_flow(run->lab, name, p->xoff != 0 ? &pfc : NULL, p->ecn != 0 ? &ecn : NULL), "flow control");
}

static bool build_links(struct explore_run *run)
{
    const struct explore_plan *p = run->plan;
    bool made[2] = {false, false};
    for (unsigned i = 0; i < p->link_count; i++) {
        const struct explore_link *l = &p->links[i];
        const uint64_t ends[2] = {l->a, l->b};
        char names[2][32];
        for (unsigned e = 0; e < 2; e++) {
            end_name(ends[e], names[e]);
            if (ends[e] >= 100 && !made[ends[e] - 100]) {
                made[ends[e] - 100] = true;
                if (!build_switch(run, names[e]))
                    return false;
            }
        }
        struct lab_link_config config = {.rate_bits = l->rate, .delay_ns = l->delay, .queue_bytes = (uint32_t)l->queue, .mtu = (uint32_t)l->mtu};
        if (!worked(run, lab_add_link(run->lab, names[0], names[1], &config, &run->links[i]), "a link"))
            return false;
    }
    return true;
}

struct port *explore_end_port(const struct explore_run *run, unsigned link, unsigned end)
{
    char name[32];
    end_name(end == 0 ? run->plan->links[link].a : run->plan->links[link].b, name);
    return lab_link_port(run->links[link], name);
}

bool explore_build(struct explore_run *run)
{
    for (unsigned i = 0; i < run->plan->host_count; i++)
        if (!build_host(run, i) || !build_nics(run, i))
            return false;
    if (!build_links(run))
        return false;
    for (unsigned i = 0; i < run->plan->link_count; i++)
        for (unsigned e = 0; e < 2; e++)
            run->ports[i][e] = explore_end_port(run, i, e);
    for (unsigned c = 0; c < run->plan->conn_count; c++)
        if (!explore_listen(run, c))
            return false;
    return true;
}
