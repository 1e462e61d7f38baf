/* Switches of a laboratory: flow control, marks, and forwarding where there are several ways.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"
#include "sim/pfc.h"

static struct lab_switch *find_switch(struct lab *lab, const char *name)
{
    for (struct lab_switch *s = lab->switches; s != NULL; s = s->next)
        if (strcmp(s->name, name) == 0)
            return s;
    (void)lab_fail(lab, SMC_ERR_NOTFOUND, "there is no switch \"%s\"", name);
    return NULL;
}

int lab_switch_flow(struct lab *lab, const char *name, const struct pfc_config *pfc, const struct ecn_config *ecn)
{
    struct lab_switch *s = find_switch(lab, name);
    if (s == NULL)
        return SMC_ERR_NOTFOUND;
    int error = net_switch_enable_pfc(s->net, pfc);
    if (error != 0)
        return lab_fail(lab, error, "%s: flow control cannot be set: %s", name,
                        error == SMC_ERR_ARGUMENT ? "xon is above xoff" : smc_error_text(error));
    error = net_switch_enable_ecn(s->net, ecn);
    if (error != 0)
        return lab_fail(lab, error, "%s: ECN cannot be set: %s", name,
                        error == SMC_ERR_ARGUMENT ? "min is above max, or the share above 100 %" : smc_error_text(error));
    return 0;
}

struct port *lab_link_port(struct lab_link *link, const char *owner)
{
    size_t n = strlen(owner);
    for (int d = NET_A_TO_B; d <= NET_B_TO_A; d++) {
        struct port *port = net_link_end(link->net, (enum net_direction)d);
        const char *name = net_port_name(port);
        if (strncmp(name, owner, n) == 0 && (name[n] == '\0' || name[n] == '.'))
            return port;
    }
    return NULL;
}

struct port *lab_switch_port(struct lab *lab, const char *name, unsigned i)
{
    struct lab_switch *s = find_switch(lab, name);
    return s != NULL ? net_switch_port(s->net, i) : NULL;
}

/* The number of the switch's port that the link ends at; -1: none, and lab_problem() says so. */
static int port_number(struct lab *lab, const struct lab_switch *s, const char *link)
{
    struct lab_link *l = lab_find_link(lab, link);
    struct port *end = l != NULL ? lab_link_port(l, s->name) : NULL, *port;
    for (unsigned i = 0; end != NULL && (port = net_switch_port(s->net, i)) != NULL; i++)
        if (port == end)
            return (int)i;
    (void)lab_fail(lab, SMC_ERR_NOTFOUND, "no link \"%s\" ends at %s", link, s->name);
    return -1;
}

int lab_switch_group(struct lab *lab, const char *name, const char *link, unsigned group)
{
    struct lab_switch *s = find_switch(lab, name);
    int port = s != NULL ? port_number(lab, s, link) : -1;
    if (port < 0)
        return SMC_ERR_NOTFOUND;
    if (group > UINT16_MAX)
        return lab_fail(lab, SMC_ERR_ARGUMENT, "%s: groups are numbered from 1 to %d", name, UINT16_MAX);
    return net_switch_set_group(s->net, (unsigned)port, (uint16_t)group);
}

int lab_switch_station(struct lab *lab, const char *name, const char *interface, const char *link)
{
    struct lab_switch *s = find_switch(lab, name);
    const struct lab_interface *i = lab_find_interface(lab, interface);
    int port = s != NULL ? port_number(lab, s, link) : -1;
    if (port < 0)
        return SMC_ERR_NOTFOUND;
    if (i == NULL)
        return lab_fail(lab, SMC_ERR_NOTFOUND, "there is no interface \"%s\"", interface);
    int error = net_switch_set_station(s->net, i->vlan != 0 ? i->vlan : 1, i->port->mac, (unsigned)port);
    return error == 0 ? 0 : lab_fail(lab, error, "%s: no station more: %s", name, smc_error_text(error));
}
