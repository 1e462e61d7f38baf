/* Ports and GID tables of a libibverbs device, with the MAC and VLAN of the interface behind each GID.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/verbs_internal.h"

#include <errno.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void describe(struct smc_rdma_gid_entry *entry, uint32_t interface)
{
    struct ifreq request = {0};
    struct vlan_ioctl_args vlan = {.cmd = GET_VLAN_VID_CMD};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (if_indextoname(interface, request.ifr_name) != NULL) {
        memcpy(vlan.device1, request.ifr_name, sizeof(request.ifr_name));
        if (ioctl(fd, SIOCGIFHWADDR, &request) == 0)
            memcpy(entry->mac, request.ifr_hwaddr.sa_data, sizeof(entry->mac));
        if (ioctl(fd, SIOCGIFVLAN, &vlan) == 0) {
            entry->vlan_valid = true;
            entry->vlan_id = (uint16_t)vlan.u.VID;
        }
    }
    close(fd);
}

static void take(struct verbs *v, const struct ibv_gid_entry *from)
{
    if (from->port_num == 0 || from->port_num > VERBS_PORTS || from->gid_index >= VERBS_GIDS ||
        from->gid_type == IBV_GID_TYPE_IB)
        return;
    unsigned port = from->port_num - 1;
    struct smc_rdma_gid_entry *entry = &v->ports[port].entries[from->gid_index];
    memcpy(entry->gid.bytes, from->gid.raw, sizeof(entry->gid.bytes));
    entry->type = from->gid_type == IBV_GID_TYPE_ROCE_V1 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    describe(entry, from->ndev_ifindex);
    if (from->gid_index >= v->ports[port].count)
        v->ports[port].count = from->gid_index + 1;
}

void verbs_forget_gids(struct verbs *v)
{
    memset(v->ports, 0, sizeof(v->ports));
}

/* All at once: one entry after the other is a thousand calls of the kernel. */
static int read_gids(struct verbs *v)
{
    struct ibv_gid_entry entries[VERBS_GIDS];
    verbs_forget_gids(v);
    ssize_t n = ibv_query_gid_table(v->context, entries, VERBS_GIDS, 0);
    if (n < 0)
        return verbs_error((int)-n);
    for (ssize_t i = 0; i < n; i++)
        take(v, &entries[i]);
    for (unsigned p = 0; p < VERBS_PORTS; p++)
        v->ports[p].known = true;
    return 0;
}

int verbs_query_port(struct smc_rdma_device *device, uint8_t port, struct smc_rdma_port *out)
{
    struct verbs *v = verbs_of(device);
    struct ibv_port_attr attr;
    if (v->calling)
        return SMC_ERR_REENTERED;
    if (port == 0 || port > device->port_count)
        return SMC_ERR_NOTFOUND;
    int error = verbs_error(ibv_query_port(v->context, port, &attr));
    if (error == 0)
        error = read_gids(v); /* addresses come and go, and not every change is an event */
    if (error != 0)
        return error;
    out->active = attr.state == IBV_PORT_ACTIVE;
    out->active_mtu = (enum smc_rdma_mtu)attr.active_mtu; /* the same codes */
    out->gid_count = v->ports[port - 1].count;
    return 0;
}

int verbs_query_gid(struct smc_rdma_device *device, uint8_t port, uint32_t index, struct smc_rdma_gid_entry *out)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    if (port == 0 || port > device->port_count)
        return SMC_ERR_NOTFOUND;
    int error = v->ports[port - 1].known ? 0 : read_gids(v);
    if (error != 0)
        return error;
    if (index >= v->ports[port - 1].count)
        return SMC_ERR_NOTFOUND;
    *out = v->ports[port - 1].entries[index];
    return 0;
}
