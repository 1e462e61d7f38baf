/* The learning switch: which VLAN a frame is in, where it goes, with or without a tag.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_internal.h"
#include "sim/switch.h"

#include <stdio.h>
#include <string.h>

enum { VLANS = 4096, FIRST_STATIONS = 64, TAG = 4 };
#define NOWHERE UINT32_MAX /* the lane of a forgotten station */

struct lane { /* one port's rules */
    struct net_port *port;
    bool access;
    uint16_t native; /* the access VLAN, or the trunk's; 0: none */
    uint16_t group;  /* 0: of none */
    bool all;        /* a trunk of all VLANs: `member` is not looked at */
    uint8_t member[VLANS / 8];
};

struct station {
    uint64_t key; /* VLAN and MAC; 0: free (VLAN 0 does not exist) */
    uint64_t seen_ns;
    uint32_t lane;
    bool fixed;
};

struct net_switch {
    struct net_part part; /* first */
    struct net *net;
    struct lane *lanes;
    uint32_t count;
    struct station *stations;
    uint32_t used, capacity; /* a power of two */
    uint64_t seed;           /* of the choice among a group's ports */
};

/* ---- stations ---- */

static uint64_t key_of(uint16_t vlan, const uint8_t mac[6])
{
    return (uint64_t)vlan << 48 | smc_load_be(mac, 4) << 16 | smc_load_be(mac + 4, 2);
}

/* The entry with this key, or the free one where it belongs. */
static struct station *slot_of(struct station *stations, uint32_t capacity, uint64_t key)
{
    uint32_t i = (uint32_t)sim_mix(key) & (capacity - 1);
    while (stations[i].key != 0 && stations[i].key != key)
        i = (i + 1) & (capacity - 1);
    return &stations[i];
}

/* Moves to a table of that size what is not stale; false: no memory. */
static bool rebuild(struct net_switch *sw, uint32_t capacity)
{
    const struct smc_alloc *alloc = sw->net->alloc;
    struct station *fresh = smc_alloc_zeroed(alloc, capacity, sizeof *fresh);
    if (fresh == NULL)
        return false;
    uint64_t now = sim_now(sw->net->sim);
    uint32_t used = 0;
    for (uint32_t i = 0; i < sw->capacity; i++) {
        const struct station *s = &sw->stations[i];
        bool stale = !s->fixed && (s->lane == NOWHERE || now - s->seen_ns > SWITCH_AGE_NS);
        if (s->key == 0 || stale)
            continue;
        *slot_of(fresh, capacity, s->key) = *s;
        used++;
    }
    smc_alloc_release(alloc, sw->stations, sw->capacity, sizeof *sw->stations);
    sw->stations = fresh;
    sw->capacity = capacity;
    sw->used = used;
    return true;
}

/* Marks as long unseen instead of removing: needs no memory, and a search may pass over it. */
static void forget(struct net_switch *sw, uint32_t lane, bool all)
{
    for (uint32_t i = 0; i < sw->capacity; i++) {
        struct station *s = &sw->stations[i];
        if (s->key != 0 && !s->fixed && (all || s->lane == lane))
            s->lane = NOWHERE;
    }
}

static struct station *station_to_write(struct net_switch *sw, uint64_t key)
{
    struct station *s = slot_of(sw->stations, sw->capacity, key);
    if (s->key != 0)
        return s;
    if (sw->used + 1 > sw->capacity / 4 * 3) {
        /* First without the stale ones at the same size; then larger. */
        if (!rebuild(sw, sw->capacity))
            return NULL;
        if (sw->used + 1 > sw->capacity / 2 &&
            (sw->capacity >= SWITCH_STATIONS_MAX * 2 || !rebuild(sw, sw->capacity * 2)))
            return NULL;
        s = slot_of(sw->stations, sw->capacity, key);
    }
    s->key = key;
    sw->used++;
    return s;
}

static void learn(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6], uint32_t lane,
                  uint64_t now_ns)
{
    if (mac[0] & 1)
        return; /* nobody's source address */
    struct station *s = station_to_write(sw, key_of(vlan, mac));
    if (s == NULL || s->fixed)
        return;
    s->lane = lane;
    s->seen_ns = now_ns;
}

static int lane_of_station(const struct net_switch *sw, uint16_t vlan, const uint8_t mac[6])
{
    const struct station *s = slot_of(sw->stations, sw->capacity, key_of(vlan, mac));
    if (s->key == 0 || s->lane >= sw->count)
        return -1;
    if (!s->fixed && sim_now(sw->net->sim) - s->seen_ns > SWITCH_AGE_NS)
        return -1;
    return (int)s->lane;
}

/* ---- VLANs ---- */

static bool is_tagged(const struct net_buffer *b)
{
    return b->length >= 18 && b->bytes[12] == 0x81 && b->bytes[13] == 0x00;
}

static bool carries(const struct lane *lane, uint16_t vlan)
{
    if (lane->access)
        return lane->native == vlan;
    return lane->all || lane->native == vlan || (lane->member[vlan / 8] >> (vlan % 8) & 1);
}

/* The VLAN a frame belongs to that came in here; 0: none. */
static uint16_t vlan_of(const struct lane *lane, const struct net_buffer *b)
{
    uint16_t vlan = is_tagged(b) ? (uint16_t)(smc_load_be(b->bytes + 14, 2) & 0xfff) : 0;
    if (vlan == 0)
        return lane->native;
    return vlan <= NET_VLAN_MAX && carries(lane, vlan) ? vlan : 0;
}

static bool leaves_tagged(const struct lane *lane, uint16_t vlan)
{
    return !lane->access && lane->native != vlan;
}

static void put_tag(const struct net_buffer *from, uint16_t tci, uint8_t *to)
{
    memcpy(to, from->bytes, 12);
    smc_store_be(to + 12, 2, SMC_ETHERTYPE_VLAN);
    smc_store_be(to + 14, 2, tci);
    memcpy(to + 16, from->bytes + 12, from->length - 12);
}

/* The same frame with the tag it needs for a port; shared if it is right already. */
static struct net_buffer *retag(struct net *net, struct net_buffer *b, uint16_t vlan, bool tagged,
                                unsigned priority)
{
    bool has = is_tagged(b);
    uint16_t old = has ? (uint16_t)smc_load_be(b->bytes + 14, 2) : (uint16_t)(priority << 13);
    uint16_t tci = (uint16_t)((old & 0xf000) | vlan);
    if (has == tagged && (!tagged || old == tci)) {
        b->refs++;
        return b;
    }
    /* A frame of 60 bytes that loses its tag is padded to 60 again. */
    size_t length = b->length + (tagged ? TAG : 0) - (has ? TAG : 0);
    size_t padded = length < NET_MIN_FRAME ? NET_MIN_FRAME : length;
    struct net_buffer *fresh = net_buffer_new(net, b->bytes, 12, padded);
    if (fresh == NULL)
        return NULL;
    fresh->tapped = b->tapped;
    if (tagged && has)
        memcpy(fresh->bytes + 12, b->bytes + 12, length - 12);
    if (tagged && !has)
        put_tag(b, tci, fresh->bytes);
    else if (tagged)
        smc_store_be(fresh->bytes + 14, 2, tci);
    else
        memcpy(fresh->bytes + 12, b->bytes + 12 + TAG, length - 12);
    return fresh;
}

/* ---- forwarding ---- */

struct passage { /* of one frame through the switch */
    struct net_switch *sw;
    struct net_packet *packet;
    struct net_port *in;
    uint16_t vlan;
    struct net_buffer *form[2]; /* untagged, tagged; as needed */
    uint64_t now_ns;
};

static struct net_packet *copy_for(struct passage *way, struct lane *out)
{
    const struct net_packet *packet = way->packet;
    bool tagged = leaves_tagged(out, way->vlan);
    struct net *net = way->sw->net;
    if (way->form[tagged] == NULL)
        way->form[tagged] = retag(net, packet->buffer, way->vlan, tagged, packet->priority);
    if (way->form[tagged] == NULL)
        return NULL;
    way->form[tagged]->refs++;
    struct net_packet *p = net_packet_new(net, way->form[tagged]);
    if (p != NULL) {
        p->priority = packet->priority;
        p->priority_known = packet->priority_known;
    }
    return p;
}

static void send_copy(struct passage *way, struct lane *out)
{
    struct net_packet *p = copy_for(way, out);
    if (p == NULL) {
        out->port->stats.no_memory++;
        return;
    }
    if (!pfc_charge(way->in, p, way->now_ns)) {
        way->in->stats.queue_drops++;
        net_packet_free(p);
        return;
    }
    (void)net_port_queue(out->port, p, way->now_ns);
}

static bool is_up(const struct lane *lane)
{
    return lane->port->link != NULL && lane->port->link->up;
}

/* The n-th port of the group that is up, from 0; NULL: there are not so many. */
static struct lane *member(struct net_switch *sw, uint16_t group, uint64_t n)
{
    for (uint32_t i = 0; i < sw->count; i++)
        if (sw->lanes[i].group == group && is_up(&sw->lanes[i]) && n-- == 0)
            return &sw->lanes[i];
    return NULL;
}

/* Where a frame for something behind `lane` leaves. */
static struct lane *way_to(const struct passage *way, struct lane *lane)
{
    struct net_switch *sw = way->sw;
    struct net_frame_info info;
    uint32_t up = 0;
    if (lane->group == 0)
        return lane;
    for (uint32_t i = 0; i < sw->count; i++)
        up += sw->lanes[i].group == lane->group && is_up(&sw->lanes[i]);
    if (up == 0)
        return lane; /* that counts it as lost by the link */
    net_frame_classify(way->packet->buffer->bytes, way->packet->buffer->length, &info);
    return member(sw, lane->group, net_frame_flow(&info, sw->seed) % up);
}

static bool is_way_back(const struct passage *way, const struct lane *out)
{
    const struct lane *in = &way->sw->lanes[way->in->index];
    return out == in || (out->group != 0 && out->group == in->group);
}

static void flood(struct passage *way)
{
    struct net_switch *sw = way->sw;
    for (uint32_t i = 0; i < sw->count; i++) {
        struct lane *out = &sw->lanes[i];
        if (is_up(out) && !is_way_back(way, out) && carries(out, way->vlan) &&
            (out->group == 0 || member(sw, out->group, 0) == out))
            send_copy(way, out);
    }
}

static bool stays_on_link(const uint8_t *mac)
{
    static const uint8_t reserved[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};
    return memcmp(mac, reserved, sizeof reserved) == 0 && mac[5] < 0x10;
}

static void forward(struct passage *way)
{
    const uint8_t *frame = way->packet->buffer->bytes;
    int to = frame[0] & 1 ? -1 : lane_of_station(way->sw, way->vlan, frame);
    if (to < 0) {
        flood(way);
        return;
    }
    struct lane *out = &way->sw->lanes[to];
    if (is_way_back(way, out) || !carries(out, way->vlan))
        way->in->stats.filtered++;
    else
        send_copy(way, way_to(way, out));
}

static void switch_arrive(struct net_port *port, struct net_packet *packet, uint64_t now_ns)
{
    struct net_switch *sw = port->owner;
    struct passage way = {.sw = sw, .packet = packet, .in = port, .now_ns = now_ns};
    const uint8_t *frame = packet->buffer->bytes;
    way.vlan = stays_on_link(frame) ? 0 : vlan_of(&sw->lanes[port->index], packet->buffer);
    if (way.vlan == 0) {
        port->stats.filtered++;
    } else {
        (void)pfc_priority(port, packet); /* while it still has the tag it came with */
        learn(sw, way.vlan, frame + 6, port->index, now_ns);
        forward(&way);
    }
    for (unsigned i = 0; i < 2; i++)
        if (way.form[i] != NULL)
            net_buffer_drop(sw->net, way.form[i]);
    net_packet_free(packet);
}

static void switch_link(struct net_port *port, bool up, uint64_t now_ns)
{
    (void)now_ns;
    if (!up)
        forget(port->owner, port->index, false);
}

static const struct net_port_kind switch_kind = {switch_arrive, switch_link};

/* ---- making and configuring ---- */

static void free_switch(struct net_part *part)
{
    struct net_switch *sw = (struct net_switch *)part;
    const struct smc_alloc *alloc = sw->net->alloc;
    smc_alloc_release(alloc, sw->stations, sw->capacity, sizeof *sw->stations);
    smc_alloc_release(alloc, sw->lanes, sw->count, sizeof *sw->lanes);
    smc_alloc_release(alloc, sw, 1, sizeof *sw);
}

static bool make_ports(struct net_switch *sw, const char *name)
{
    for (uint32_t i = 0; i < sw->count; i++) {
        char text[NET_NAME_MAX * 2];
        uint8_t mac[6];
        snprintf(text, sizeof text, "%.*s.%u", NET_NAME_MAX, name, i);
        smc_store_be(mac, 4, sim_hash_64(text, strlen(text), 0));
        smc_store_be(mac + 4, 2, i);
        mac[0] = 0x02; /* locally administered */
        struct lane *lane = &sw->lanes[i];
        lane->port = net_port_make(sw->net, text, mac, &switch_kind, sw, i);
        if (lane->port == NULL)
            return false;
        lane->all = true;
        lane->native = 1;
    }
    return true;
}

struct net_switch *net_switch_new(struct net *net, const char *name, unsigned ports)
{
    if (ports == 0 || ports > SWITCH_PORTS_MAX || name[0] == '\0' || strlen(name) + 6 > NET_NAME_MAX)
        return NULL;
    struct net_switch *sw = smc_alloc_zeroed(net->alloc, 1, sizeof *sw);
    if (sw == NULL)
        return NULL;
    sw->net = net;
    sw->count = ports;
    sw->capacity = FIRST_STATIONS;
    sw->seed = sim_hash_64(name, strlen(name), sim_seed(net->sim));
    sw->lanes = smc_alloc_zeroed(net->alloc, ports, sizeof *sw->lanes);
    sw->stations = smc_alloc_zeroed(net->alloc, sw->capacity, sizeof *sw->stations);
    struct net_port **before = net->last_port;
    if (sw->lanes != NULL && sw->stations != NULL && make_ports(sw, name)) {
        net_add_part(net, &sw->part, free_switch);
        return sw;
    }
    net_ports_unmake(net, before);
    sw->count = sw->lanes != NULL ? ports : 0;
    sw->capacity = sw->stations != NULL ? sw->capacity : 0;
    free_switch(&sw->part);
    return NULL;
}

struct port *net_switch_port(struct net_switch *sw, unsigned i)
{
    return i < sw->count ? &sw->lanes[i].port->port : NULL;
}

struct port *net_switch_free_port(struct net_switch *sw)
{
    for (uint32_t i = 0; i < sw->count; i++)
        if (sw->lanes[i].port->link == NULL)
            return &sw->lanes[i].port->port;
    return NULL;
}

int net_switch_access(struct net_switch *sw, unsigned i, uint16_t vlan)
{
    if (i >= sw->count || vlan == 0 || vlan > NET_VLAN_MAX)
        return SMC_ERR_ARGUMENT;
    sw->lanes[i].access = true;
    sw->lanes[i].native = vlan;
    return 0;
}

int net_switch_trunk(struct net_switch *sw, unsigned i, uint16_t native, const uint16_t *vlans,
                     size_t n)
{
    if (i >= sw->count || native > NET_VLAN_MAX)
        return SMC_ERR_ARGUMENT;
    for (size_t v = 0; v < n; v++)
        if (vlans[v] == 0 || vlans[v] > NET_VLAN_MAX)
            return SMC_ERR_ARGUMENT;
    struct lane *lane = &sw->lanes[i];
    lane->access = false;
    lane->native = native;
    lane->all = n == 0;
    memset(lane->member, 0, sizeof lane->member);
    for (size_t v = 0; v < n; v++)
        lane->member[vlans[v] / 8] |= (uint8_t)(1u << vlans[v] % 8);
    return 0;
}

int net_switch_set_station(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6], unsigned i)
{
    if (i >= sw->count || vlan == 0 || vlan > NET_VLAN_MAX || (mac[0] & 1))
        return SMC_ERR_ARGUMENT;
    struct station *s = station_to_write(sw, key_of(vlan, mac));
    if (s == NULL)
        return sw->capacity >= SWITCH_STATIONS_MAX * 2 ? SMC_ERR_NOSPACE : SMC_ERR_NOMEM;
    s->fixed = true;
    s->lane = i;
    return 0;
}

int net_switch_set_group(struct net_switch *sw, unsigned i, uint16_t group)
{
    if (i >= sw->count)
        return SMC_ERR_ARGUMENT;
    sw->lanes[i].group = group;
    return 0;
}

int net_switch_find_station(struct net_switch *sw, uint16_t vlan, const uint8_t mac[6])
{
    return lane_of_station(sw, vlan, mac);
}

void net_switch_flush(struct net_switch *sw)
{
    forget(sw, 0, true);
}

int net_switch_enable_pfc(struct net_switch *sw, const struct pfc_config *config)
{
    for (uint32_t i = 0; i < sw->count; i++) {
        int error = pfc_enable(&sw->lanes[i].port->port, config);
        if (error != 0)
            return error;
    }
    return 0;
}

int net_switch_enable_ecn(struct net_switch *sw, const struct ecn_config *config)
{
    for (uint32_t i = 0; i < sw->count; i++) {
        int error = ecn_enable(&sw->lanes[i].port->port, config);
        if (error != 0)
            return error;
    }
    return 0;
}
