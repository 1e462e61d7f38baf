/* What joins the hosts of a laboratory: links and switches, by name.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"

#include <stdio.h>

enum { SWITCH_PORTS = 64 /* by default */ };

static struct port *find_end(struct lab *lab, const char *name)
{
    struct lab_interface *i = lab_find_interface(lab, name);
    if (i != NULL)
        return i->port;
    for (struct lab_switch *s = lab->switches; s != NULL; s = s->next)
        if (strcmp(s->name, name) == 0)
            return net_switch_free_port(s->net);
    return net_port_find(lab->net, name);
}

struct lab_link *lab_find_link(struct lab *lab, const char *name)
{
    for (struct lab_link *l = lab->links; l != NULL; l = l->next)
        if (strcmp(l->name, name) == 0)
            return l;
    return NULL;
}

struct net_link *lab_link_net(struct lab_link *link)
{
    return link->net;
}

int lab_link_up(struct lab_link *link, bool up)
{
    net_link_set_up(link->net, up);
    return 0;
}

static struct net_params params_of(const struct lab_link_config *c)
{
    static const struct lab_link_config defaults;
    if (c == NULL)
        c = &defaults;
    return (struct net_params){.rate_bps = c->rate_bits != 0 ? c->rate_bits : UINT64_C(10000000000),
                               .delay_ns = c->delay_ns != 0 ? c->delay_ns : SIM_US,
                               .queue_bytes = c->queue_bytes != 0 ? c->queue_bytes : 1 << 20,
                               .mtu = c->mtu != 0 ? c->mtu : 9000};
}

void lab_set_carrier(struct lab *lab, const struct net_carrier *carrier)
{
    lab->carrier = carrier;
}

uint64_t lab_next_ns(const struct lab *lab)
{
    return net_frames_carried(lab->net) > 0 ? sim_now(lab->sim) : sim_next_ns(lab->sim);
}

static int carry(struct lab *lab, struct lab_link *link, const struct lab_link_config *config)
{
    char problem[LAB_PROBLEM] = "";
    if (lab->carrier == NULL)
        return 0;
    int error = net_link_carry(link->net, lab->carrier, config != NULL ? config->options : NULL,
                               config != NULL ? config->option_count : 0, problem, sizeof(problem));
    return error == 0 ? 0 : lab_fail(lab, error, "%s: %s", link->name, problem);
}

int lab_add_link(struct lab *lab, const char *a, const char *b, const struct lab_link_config *config, struct lab_link **out)
{
    struct port *from = find_end(lab, a), *to = find_end(lab, b);
    if (from == NULL || to == NULL)
        return lab_fail(lab, SMC_ERR_NOTFOUND, "\"%s\" is no interface, no port and no switch with a free port",
                        from == NULL ? a : b);
    struct lab_link *link = lab_alloc(lab, sizeof(*link));
    if (link == NULL)
        return SMC_ERR_NOMEM;
    if (config != NULL && config->name != NULL)
        snprintf(link->name, sizeof(link->name), "%s", config->name);
    else
        snprintf(link->name, sizeof(link->name), "%s--%s", a, b);
    struct net_params params = params_of(config);
    link->net = lab_find_link(lab, link->name) == NULL ? net_link_new(lab->net, from, to, &params) : NULL;
    if (link->net == NULL) {
        int error = lab_fail(lab, SMC_ERR_ARGUMENT, "%s cannot be linked to %s: linked already, or a name or MTU not allowed", a, b);
        lab_release(lab, link, sizeof(*link));
        return error;
    }
    *lab->links_end = link;
    lab->links_end = &link->next;
    if (out != NULL)
        *out = link;
    lab_interface_linked(from, params.rate_bps);
    lab_interface_linked(to, params.rate_bps);
    return carry(lab, link, config);
}

int lab_add_switch(struct lab *lab, const char *name, unsigned ports)
{
    struct lab_switch *s = lab_alloc(lab, sizeof(*s));
    if (s == NULL)
        return SMC_ERR_NOMEM;
    snprintf(s->name, sizeof(s->name), "%s", name);
    s->net = net_switch_new(lab->net, name, ports != 0 ? ports : SWITCH_PORTS);
    if (s->net == NULL) {
        lab_release(lab, s, sizeof(*s));
        return lab_fail(lab, SMC_ERR_EXISTS, "there cannot be a switch \"%s\": the name is taken or too long", name);
    }
    s->next = lab->switches;
    lab->switches = s;
    return 0;
}

/* ---- middleboxes ---- */
static struct lab_box *find_box(struct lab *lab, const char *name)
{
    for (struct lab_box *b = lab->boxes; b != NULL; b = b->next)
        if (strcmp(b->name, name) == 0)
            return b;
    return NULL;
}

static int set_kind(struct lab *lab, struct net_box *box, const char *kind)
{
    if (strcmp(kind, "strip") == 0)
        net_box_strip_option(box, NET_BOX_TOWARD_0 | NET_BOX_TOWARD_1);
    else if (strcmp(kind, "strip to 0") == 0)
        net_box_strip_option(box, NET_BOX_TOWARD_0);
    else if (strcmp(kind, "strip to 1") == 0)
        net_box_strip_option(box, NET_BOX_TOWARD_1);
    else if (strcmp(kind, "syn cookies") == 0)
        net_box_syn_cookies(box, true, 0);
    else if (strcmp(kind, "balance") != 0)
        return lab_fail(lab, SMC_ERR_ARGUMENT,
                        "\"%s\" is no kind of middlebox: strip, strip to 0, strip to 1, syn cookies, balance", kind);
    return 0;
}

int lab_add_box(struct lab *lab, const char *name, const char *kind)
{
    struct lab_box *b = lab_alloc(lab, sizeof(*b));
    if (b == NULL)
        return SMC_ERR_NOMEM;
    snprintf(b->name, sizeof(b->name), "%s", name);
    b->net = net_box_new(lab->net, name);
    if (b->net == NULL) {
        lab_release(lab, b, sizeof(*b));
        return lab_fail(lab, SMC_ERR_EXISTS, "there cannot be a middlebox \"%s\": the name is taken or too long", name);
    }
    b->next = lab->boxes;
    lab->boxes = b;
    return set_kind(lab, b->net, kind);
}

int lab_box_balance(struct lab *lab, const char *name, const char *address, struct lab_host *const *servers, unsigned count)
{
    struct lab_box *b = find_box(lab, name);
    struct net_server list[NET_SERVERS_MAX];
    struct ip_address virtual;
    if (b == NULL || !ip_from_text(address, &virtual) || count > NET_SERVERS_MAX)
        return lab_fail(lab, SMC_ERR_ARGUMENT, "a middlebox, an address and at most %d servers are wanted", NET_SERVERS_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (servers[i]->interface_count == 0 || servers[i]->interfaces[0]->prefix_count == 0)
            return lab_fail(lab, SMC_ERR_ARGUMENT, "%s has no address", servers[i]->name);
        memcpy(list[i].address, servers[i]->interfaces[0]->prefixes[0].address.bytes, 16);
        memcpy(list[i].mac, servers[i]->interfaces[0]->port->mac, 6);
    }
    return net_box_balance(b->net, virtual.bytes, list, count);
}
