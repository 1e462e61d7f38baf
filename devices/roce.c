/* The software RoCE NIC seen from outside: creation, ports and GIDs, incoming frames, time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce.h"
#include "devices/roce_internal.h"

enum {
    GIDS_DEFAULT = 16,
    GIDS_MAX = 256,
    QPS_DEFAULT = 65536,
    QPS_MAX = 1 << 23,
    MRS_DEFAULT = 1 << 20,
    MRS_MAX = 1 << 26,
    WINDOW_DEFAULT = 128,
    WINDOW_MAX = 32768,
    ACK_EVERY_DEFAULT = 32,
    QP_NUMBER_DEFAULT = 0x11, /* rxe's first */
    DSCP_MAX = 63,
    PRIORITY_MAX = 7,
    CONGESTION = 3 /* ECN: CE */
};
#define FIRST_ADDRESS UINT64_C(0x7f0000000000)

/* ---- Callbacks ----------------------------------------------------------------------------------- */

int roce_may(const struct roce *roce)
{
    if (roce->callbacks > 0)
        return SMC_ERR_REENTERED;
    return roce->gone ? SMC_ERR_GONE : 0;
}

void roce_raise(struct roce *roce, enum smc_rdma_event_type type, uint8_t port,
                struct smc_rdma_qp *qp)
{
    struct smc_rdma_event event = {.type = type, .port = port, .qp = qp};
    if (roce->device.handler.event == NULL)
        return;
    roce->callbacks++;
    roce->device.handler.event(roce->device.handler.user, &event);
    roce->callbacks--;
}

static uint64_t next_ns(const struct roce *roce)
{
    uint64_t next = roce_cq_next_ns(roce);
    if (roce->heap_count > 0 && roce->heap[0]->heap_key < next)
        next = roce->heap[0]->heap_key;
    for (unsigned i = 0; i < roce->config.ports; i++) {
        const struct roce_port *port = &roce->ports[i];
        if (roce_list_empty(&port->ready))
            continue;
        uint64_t due = port->blocked_ns > roce->now_ns ? port->blocked_ns : 0;
        next = due < next ? due : next;
    }
    return next;
}

void roce_notify(struct roce *roce)
{
    uint64_t next = next_ns(roce);
    if (roce->running || next >= roce->announced_ns)
        return;
    roce->announced_ns = next;
    if (roce->config.wake != NULL)
        roce->config.wake(roce->config.user);
}

/* ---- Ports and GIDs ------------------------------------------------------------------------------ */

struct roce_port *roce_port_of(struct roce *roce, unsigned number)
{
    return number >= 1 && number <= roce->config.ports ? &roce->ports[number - 1] : NULL;
}

static enum smc_rdma_mtu active_mtu(const struct roce_port *port)
{
    uint32_t bytes = port->port != NULL ? port_mtu(port->port) : 0;
    enum smc_rdma_mtu mtu = SMC_RDMA_MTU_256;
    while (mtu < SMC_RDMA_MTU_4096 && (256u << mtu) + ROCE_OVERHEAD <= bytes)
        mtu++;
    return mtu;
}

static int query_port(struct smc_rdma_device *device, uint8_t number, struct smc_rdma_port *out)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    const struct roce_port *port = roce_port_of(roce, number);
    if (port == NULL)
        return SMC_ERR_NOTFOUND;
    *out = (struct smc_rdma_port){.active = port->up,
                                  .active_mtu = active_mtu(port),
                                  .gid_count = roce->config.gid_table_size};
    return 0;
}

static int query_gid(struct smc_rdma_device *device, uint8_t number, uint32_t index,
                     struct smc_rdma_gid_entry *out)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    const struct roce_port *port = roce_port_of(roce, number);
    if (port == NULL || index >= roce->config.gid_table_size)
        return SMC_ERR_NOTFOUND;
    *out = port->gids[index];
    return 0;
}

static void set_up(struct roce *roce, struct roce_port *port, bool up)
{
    if (port->up == up || roce->gone)
        return;
    port->up = up;
    roce_raise(roce, up ? SMC_RDMA_PORT_ACTIVE : SMC_RDMA_PORT_ERROR, port->number, NULL);
}

void roce_attach_port(struct roce *roce, uint8_t number, struct port *port)
{
    struct roce_port *own = roce_port_of(roce, number);
    if (own == NULL)
        return;
    own->port = port;
    own->blocked_ns = 0;
    set_up(roce, own, port != NULL && port_link_up(port));
    roce_notify(roce);
}

static bool same_entry(const struct smc_rdma_gid_entry *a, const struct smc_rdma_gid_entry *b)
{
    return smc_gid_equal(&a->gid, &b->gid) && a->type == b->type &&
           a->vlan_valid == b->vlan_valid && a->vlan_id == b->vlan_id &&
           memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static bool entry_allowed(const struct smc_rdma_gid_entry *entry)
{
    static const uint8_t no_mac[6];
    return (unsigned)entry->type <= SMC_RDMA_GID_ROCE_V2 && !(entry->mac[0] & 1) &&
           memcmp(entry->mac, no_mac, sizeof(no_mac)) != 0 &&
           (!entry->vlan_valid || (entry->vlan_id >= 1 && entry->vlan_id <= 4094));
}

int roce_set_gid(struct roce *roce, uint8_t number, uint32_t index,
                 const struct smc_rdma_gid_entry *entry)
{
    struct smc_rdma_gid_entry next = {.type = SMC_RDMA_GID_ROCE_V1};
    struct roce_port *port = roce_port_of(roce, number);
    if (port == NULL || index >= roce->config.gid_table_size)
        return SMC_ERR_NOTFOUND;
    if (entry != NULL && !smc_gid_is_zero(&entry->gid)) {
        if (!entry_allowed(entry))
            return SMC_ERR_ARGUMENT;
        next = *entry;
        next.vlan_id = entry->vlan_valid ? entry->vlan_id : 0;
    }
    if (same_entry(&port->gids[index], &next))
        return 0;
    port->gids[index] = next;
    port->gid_versions[index]++;
    if (!roce->gone)
        roce_raise(roce, SMC_RDMA_GID_CHANGE, number, NULL);
    return 0;
}

void roce_link(struct roce *roce, uint8_t number, bool up, uint64_t now_ns)
{
    struct roce_port *port = roce_port_of(roce, number);
    if (port == NULL)
        return;
    roce->now_ns = now_ns;
    port->blocked_ns = 0;
    set_up(roce, port, up);
    roce_notify(roce);
}

/* ---- Frames -------------------------------------------------------------------------------------- */

enum smc_rdma_gid_type roce_wire_type(const struct roce *roce, const struct smc_rdma_gid_entry *entry)
{
    return roce->config.v1_over_udp ? SMC_RDMA_GID_ROCE_V2 : entry->type;
}

/* The GID entry that the packet is addressed to: GID, type, VLAN and MAC have to agree. */
static bool addressed_to(const struct roce *roce, const struct smc_rdma_gid_entry *entry, const struct roce_packet *packet)
{
    return smc_gid_equal(&entry->gid, &packet->destination) && roce_wire_type(roce, entry) == packet->type &&
           entry->vlan_valid == packet->tagged && entry->vlan_id == packet->vlan_id &&
           memcmp(entry->mac, packet->destination_mac, sizeof(entry->mac)) == 0;
}

static bool for_us(const struct roce *roce, const struct roce_port *port,
                   const struct roce_packet *packet)
{
    if (smc_gid_is_zero(&packet->destination) || (smc_bth_pkey(packet->bth) & 0x7fff) != 0x7fff)
        return false;
    for (uint32_t i = 0; i < roce->config.gid_table_size; i++)
        if (addressed_to(roce, &port->gids[i], packet))
            return true;
    return false;
}

/* Is it from the peer the QP is connected with, by the way it is connected? */
static bool from_peer(const struct smc_rdma_qp *qp, const struct roce_port *port,
                      const struct roce_packet *packet)
{
    return qp->port == port && roce_qp_has_gid(qp) &&
           addressed_to(qp->roce, &port->gids[qp->gid_index], packet) &&
           smc_gid_equal(&qp->remote_gid, &packet->source);
}

static void dispatch(struct roce *roce, const struct roce_port *port,
                     const struct roce_packet *packet)
{
    struct roce_counters *counters = &roce->counters;
    bool answer = smc_bth_opcode(packet->bth) == SMC_BTH_ACK;
    struct smc_rdma_qp *qp = roce_map_find(&roce->qp_map, smc_bth_dqpn(packet->bth));
    if (qp == NULL) {
        counters->dropped_unknown_qp++;
    } else if (qp->state != SMC_RDMA_QP_RTS && (answer || qp->state != SMC_RDMA_QP_RTR)) {
        counters->dropped_wrong_state++;
    } else if (!from_peer(qp, port, packet)) {
        counters->dropped_unknown_qp++;
    } else {
        counters->packets_received++;
        if (packet->ecn == CONGESTION)
            roce_congestion_seen(qp);
        if (smc_bth_opcode(packet->bth) == SMC_BTH_CNP)
            roce_cnp(qp, packet);
        else if (answer)
            roce_acknowledged(qp, packet);
        else
            roce_respond(qp, packet);
    }
}

void roce_frame(struct roce *roce, uint8_t number, const uint8_t *frame, size_t length,
                uint64_t now_ns)
{
    struct roce_counters *counters = &roce->counters;
    struct roce_packet packet;
    const struct roce_port *port = roce_port_of(roce, number);
    if (port == NULL || roce->gone)
        return;
    roce->now_ns = now_ns;
    counters->bytes_received += length;
    if (!roce_parse(frame, length, &packet))
        counters->dropped_malformed++;
    else if (!for_us(roce, port, &packet))
        counters->dropped_not_for_us++;
    else if (!smc_icrc_holds(packet.covered, roce->config.crc))
        counters->dropped_bad_icrc++;
    else
        dispatch(roce, port, &packet);
    roce_serve(roce);
    roce_notify(roce);
}

/* ---- Time and failure ---------------------------------------------------------------------------- */

/* Whatever the host reads it goes by, so it must be woken for anything earlier. */
uint64_t roce_next_ns(struct roce *roce)
{
    roce->announced_ns = next_ns(roce);
    return roce->announced_ns;
}

void roce_run(struct roce *roce, uint64_t now_ns)
{
    struct smc_rdma_qp *qp;
    roce->now_ns = now_ns;
    roce->running = true;
    roce_cq_show_due(roce, now_ns);
    while ((qp = roce_expired(roce, now_ns)) != NULL)
        roce_qp_expire(qp, now_ns);
    roce_serve(roce);
    roce->running = false;
    roce->announced_ns = ROCE_NEVER; /* what was announced is done; the host reads anew */
}

void roce_fail(struct roce *roce)
{
    if (roce->gone)
        return;
    roce->gone = true;
    for (unsigned i = 0; i < roce->config.ports; i++)
        roce->ports[i].up = false;
    roce_raise(roce, SMC_RDMA_DEVICE_FATAL, 0, NULL);
    for (struct roce_list *node = roce->qps.next; node != &roce->qps; node = node->next)
        roce_qp_to_error(ROCE_OWNER(node, struct smc_rdma_qp, node));
    roce_notify(roce);
}

const struct roce_counters *roce_counters(const struct roce *roce)
{
    return &roce->counters;
}

/* ---- Creation ------------------------------------------------------------------------------------ */

static const struct smc_rdma_ops ops = {
    .query_port = query_port,
    .query_gid = query_gid,
    .alloc_pd = roce_alloc_pd,
    .dealloc_pd = roce_dealloc_pd,
    .reg_mr = roce_reg_mr,
    .dereg_mr = roce_dereg_mr,
    .create_cq = roce_create_cq,
    .destroy_cq = roce_destroy_cq,
    .poll_cq = roce_poll_cq,
    .create_qp = roce_create_qp,
    .qp_number = roce_qp_number,
    .qp_state = roce_qp_state,
    .modify_qp = roce_modify_qp,
    .destroy_qp = roce_destroy_qp,
    .post_send = roce_post_send,
    .post_receive = roce_post_receive,
};

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static struct roce_config complete_config(const struct roce_config *given)
{
    struct roce_config config = *given;
    config.name = given->name != NULL ? given->name : "roce0";
    config.crc = given->crc != NULL ? given->crc : smc_crc32;
    config.first_qp_number = or_default(given->first_qp_number, QP_NUMBER_DEFAULT);
    config.ports = (uint8_t)or_default(given->ports, 1);
    config.gid_table_size = or_default(given->gid_table_size, GIDS_DEFAULT);
    config.max_qps = or_default(given->max_qps, QPS_DEFAULT);
    config.max_mrs = or_default(given->max_mrs, MRS_DEFAULT);
    config.window_packets = or_default(given->window_packets, WINDOW_DEFAULT);
    config.ack_every = or_default(given->ack_every, ACK_EVERY_DEFAULT);
    return config;
}

static bool config_allowed(const struct roce_config *config)
{
    return config->alloc != NULL && config->ports <= ROCE_PORTS_MAX &&
           config->first_qp_number <= ROCE_PSN_MASK && config->gid_table_size <= GIDS_MAX &&
           config->max_qps <= QPS_MAX && config->max_mrs <= MRS_MAX &&
           config->window_packets <= WINDOW_MAX && config->dscp <= DSCP_MAX &&
           config->priority <= PRIORITY_MAX;
}

static int new_port(struct roce *roce, uint8_t index)
{
    struct roce_port *port = &roce->ports[index];
    uint32_t gids = roce->config.gid_table_size;
    port->number = (uint8_t)(index + 1);
    roce_list_init(&port->ready);
    port->gids = smc_alloc_zeroed(roce->alloc, gids, sizeof(*port->gids));
    port->gid_versions = smc_alloc_zeroed(roce->alloc, gids, sizeof(*port->gid_versions));
    return port->gids != NULL && port->gid_versions != NULL ? 0 : SMC_ERR_NOMEM;
}

static void init(struct roce *roce, const struct roce_config *config)
{
    roce->config = *config;
    roce->alloc = config->alloc;
    roce->device.ops = &ops;
    roce->device.name = config->name;
    roce->device.port_count = config->ports;
    roce_list_init(&roce->pds);
    roce_list_init(&roce->cqs);
    roce_list_init(&roce->qps);
    roce_list_init(&roce->mrs);
    roce_list_init(&roce->delayed);
    roce->next_qp_number = config->first_qp_number;
    roce->next_address = FIRST_ADDRESS + (config->seed & 0xffff) * 0x10000000;
    roce->announced_ns = ROCE_NEVER;
}

int roce_new(const struct roce_config *given, struct roce **out)
{
    struct roce_config config = complete_config(given);
    if (!config_allowed(&config))
        return SMC_ERR_ARGUMENT;
    struct roce *roce = smc_alloc_zeroed(config.alloc, 1, sizeof(*roce));
    if (roce == NULL)
        return SMC_ERR_NOMEM;
    init(roce, &config);
    for (uint8_t i = 0; i < config.ports; i++) {
        int error = new_port(roce, i);
        if (error < 0) {
            roce_free(roce);
            return error;
        }
    }
    *out = roce;
    return 0;
}

void roce_free(struct roce *roce)
{
    if (roce == NULL)
        return;
    roce_free_mrs(roce);
    while (!roce_list_empty(&roce->qps))
        roce_qp_free(ROCE_OWNER(roce->qps.next, struct smc_rdma_qp, node));
    while (!roce_list_empty(&roce->cqs))
        roce_cq_free(ROCE_OWNER(roce->cqs.next, struct smc_rdma_cq, node));
    roce_free_pds(roce);
    roce_map_free(&roce->qp_map, roce->alloc);
    smc_alloc_release(roce->alloc, roce->heap, roce->heap_capacity, sizeof(struct smc_rdma_qp *));
    uint32_t gids = roce->config.gid_table_size;
    for (unsigned i = 0; i < roce->config.ports; i++) {
        smc_alloc_release(roce->alloc, roce->ports[i].gids, gids, sizeof(*roce->ports[i].gids));
        smc_alloc_release(roce->alloc, roce->ports[i].gid_versions, gids,
                          sizeof(*roce->ports[i].gid_versions));
    }
    smc_alloc_release(roce->alloc, roce, 1, sizeof(*roce));
}

struct smc_rdma_device *roce_device(struct roce *roce)
{
    return &roce->device;
}
