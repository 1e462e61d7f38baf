/* Takes captured packets apart: link types, VLAN tags, IP, mirror tunnels, TCP, SMC-D records.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "traces/packet_internal.h"

enum {
    MAX_NESTING = 8,       /* tunnels and IP in IP; a mirror needs one or two */
    MAX_IPV6_EXTENSIONS = 8,
    ETHERTYPE_QINQ_OLD = 0x9100,
    PROTO_IPV4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IPV6 = 41,
    PROTO_GRE = 47,
    GRH_NEXT_HEADER_BTH = 0x1b,
    PORT_ROCE = 4791,
    PORT_VXLAN = 4789,
    PORT_VXLAN_LINUX = 8472, /* what Linux took before there was an assigned port */
};

/* ---- transport ---- */

static void decode_tcp(struct trace_packet *out, struct rest r)
{
    struct smc_tcp h;
    struct trace_tcp_header *tcp = &out->tcp;
    if (!smc_tcp_at(captured(&r), 0, &h))
        return;
    size_t header = (size_t)smc_tcp_data_offset(h) * 4;
    struct smc_view options = smc_view_sub(captured(&r), smc_tcp_size, header - smc_tcp_size);
    if (header < smc_tcp_size || !skip_header(&r, header))
        return;
    out->proto = TRACE_TCP;
    tcp->sport = smc_tcp_sport(h);
    tcp->dport = smc_tcp_dport(h);
    tcp->seq = smc_tcp_seq(h);
    tcp->ack = smc_tcp_ack_seq(h);
    tcp->syn = smc_tcp_syn(h);
    tcp->fin = smc_tcp_fin(h);
    tcp->rst = smc_tcp_rst(h);
    tcp->has_ack = smc_tcp_ack(h);
    tcp->psh = smc_tcp_psh(h);
    tcp->urg = smc_tcp_urg(h);
    tcp->window = smc_tcp_window(h);
    tcp->options = options;
    set_payload(out, &r);
}

/* ---- tunnels ---- */

static void decode_ethertype(struct decoder *d, struct rest r, unsigned type);
static void decode_ethernet(struct decoder *d, struct rest r);

static void decode_inner_frame(struct decoder *d, struct rest r)
{
    if (++d->nesting > MAX_NESTING)
        return;
    memset(&d->out->src, 0, sizeof d->out->src); /* the tunnel's ends are not the frame's */
    memset(&d->out->dst, 0, sizeof d->out->dst);
    d->out->ipv6 = false;
    decode_ethernet(d, r);
}

static void decode_vxlan(struct decoder *d, struct rest r)
{
    struct smc_vxlan h;
    if (!smc_vxlan_at(captured(&r), 0, &h) || !(smc_vxlan_flags(h) & 0x08))
        return;
    skip(&r, smc_vxlan_size);
    decode_inner_frame(d, r);
}

static void decode_erspan3(struct decoder *d, struct rest r)
{
    enum { SUBHEADER = 8, FRAME_ETHERNET = 0, FRAME_IP = 2 };
    struct smc_erspan3 h;
    if (!smc_erspan3_at(captured(&r), 0, &h))
        return;
    size_t size = smc_erspan3_size + (smc_erspan3_optional(h) ? SUBHEADER : 0);
    if (captured(&r).end - r.p < (ptrdiff_t)size)
        return;
    skip(&r, size);
    if (smc_erspan3_frame_type(h) == FRAME_ETHERNET)
        decode_inner_frame(d, r);
    else if (smc_erspan3_frame_type(h) == FRAME_IP && r.p < r.end)
        decode_ethertype(d, r, r.p[0] >> 4 == 4 ? SMC_ETHERTYPE_IPV4 : SMC_ETHERTYPE_IPV6);
}

static void decode_gre(struct decoder *d, struct rest r)
{
    struct smc_gre h;
    if (!smc_gre_at(captured(&r), 0, &h) || smc_gre_version(h) != 0 || smc_gre_reserved1(h))
        return;
    bool sequenced = smc_gre_sequence_present(h);
    size_t size = smc_gre_size + 4u * smc_gre_checksum_present(h) + 4u * smc_gre_key_present(h) + 4u * sequenced;
    if ((size_t)(r.end - r.p) < size)
        return;
    skip(&r, size);
    switch (smc_gre_protocol(h)) {
    case SMC_ETHERTYPE_TEB:
        decode_inner_frame(d, r);
        break;
    case SMC_ETHERTYPE_ERSPAN2: /* type I has no header of its own and is told by the missing sequence number */
        if (sequenced && (size_t)(r.end - r.p) < smc_erspan_size)
            return;
        if (sequenced)
            skip(&r, smc_erspan_size);
        decode_inner_frame(d, r);
        break;
    case SMC_ETHERTYPE_ERSPAN3:
        decode_erspan3(d, r);
        break;
    default:
        if (++d->nesting <= MAX_NESTING)
            decode_ethertype(d, r, smc_gre_protocol(h));
    }
}

static void decode_udp(struct decoder *d, struct rest r)
{
    struct smc_udp h;
    if (!smc_udp_at(captured(&r), 0, &h))
        return;
    size_t length = smc_udp_length(h);
    if (length >= smc_udp_size && length <= r.wire) /* else wrong, or left to be filled in by a NIC */
        limit(&r, length);
    skip(&r, smc_udp_size);
    switch (smc_udp_dport(h)) {
    case PORT_ROCE:
        trace_packet_decode_roce(d, r, false);
        break;
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX:
        decode_vxlan(d, r);
        break;
    default:
        break;
    }
}

/* ---- network layer ---- */

static void decode_protocol(struct decoder *d, struct rest r, unsigned protocol)
{
    switch (protocol) {
    case PROTO_TCP:
        decode_tcp(d->out, r);
        break;
    case PROTO_UDP:
        decode_udp(d, r);
        break;
    case PROTO_GRE:
        decode_gre(d, r);
        break;
    case PROTO_IPV4:
    case PROTO_IPV6:
        if (++d->nesting <= MAX_NESTING)
            decode_ethertype(d, r, protocol == PROTO_IPV4 ? SMC_ETHERTYPE_IPV4 : SMC_ETHERTYPE_IPV6);
        break;
    default:
        break;
    }
}

static void set_ipv4_address(struct trace_addr *a, const uint8_t *p)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(a->b, mapped, sizeof mapped);
    memcpy(a->b + sizeof mapped, p, 4);
}

static void decode_ipv4(struct decoder *d, struct rest r)
{
    struct smc_ipv4 h;
    struct trace_packet *out = d->out;
    if (!smc_ipv4_at(captured(&r), 0, &h) || smc_ipv4_version(h) != 4)
        return;
    size_t header = (size_t)smc_ipv4_ihl(h) * 4, total = smc_ipv4_total_length(h);
    if (header < smc_ipv4_size || (total != 0 && total < header))
        return;
    if (total != 0) /* zero: a sender's NIC was to cut this into packets; it fills the frame */
        limit(&r, total);
    d->l3 = r.p;
    out->ipv6 = false;
    set_ipv4_address(&out->src, h.p + 12);
    set_ipv4_address(&out->dst, h.p + 16);
    out->fragment = smc_ipv4_more_fragments(h) || smc_ipv4_fragment_offset(h) != 0;
    if (out->fragment || (size_t)(r.end - r.p) < header)
        return;
    skip(&r, header);
    decode_protocol(d, r, smc_ipv4_protocol(h));
}

/* Steps over extension headers; returns the protocol behind them, or -1 if there is none to be had. */
static int skip_ipv6_extensions(struct trace_packet *out, struct rest *r, int next)
{
    enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60, MOBILITY = 135 };
    for (int i = 0; i < MAX_IPV6_EXTENSIONS; i++) {
        size_t have = (size_t)(r->end - r->p), size;
        if (next != HOP_BY_HOP && next != ROUTING && next != FRAGMENT && next != AUTHENTICATION && next != DESTINATION &&
            next != MOBILITY)
            return next;
        if (have < 8)
            return -1;
        size = next == FRAGMENT ? 8 : next == AUTHENTICATION ? (r->p[1] + 2u) * 4 : (r->p[1] + 1u) * 8;
        if (next == FRAGMENT && (smc_load_be(r->p + 2, 2) & 0xfff9) != 0) {
            out->fragment = true;
            return -1;
        }
        if (have < size)
            return -1;
        next = r->p[0];
        skip(r, size);
    }
    return -1;
}

/* IPv6 header or GRH; the rest is then what follows it. */
static bool enter_ipv6(struct decoder *d, struct rest *r, struct smc_ipv6 *h)
{
    struct trace_packet *out = d->out;
    if (!smc_ipv6_at(captured(r), 0, h) || smc_ipv6_version(*h) != 6)
        return false;
    d->l3 = r->p;
    out->ipv6 = true;
    out->fragment = false;
    memcpy(out->src.b, smc_ipv6_src(*h), sizeof out->src.b);
    memcpy(out->dst.b, smc_ipv6_dst(*h), sizeof out->dst.b);
    skip(r, smc_ipv6_size);
    if (smc_ipv6_payload_length(*h) != 0) /* zero: as for IPv4, or a jumbogram */
        limit(r, smc_ipv6_payload_length(*h));
    return true;
}

static void decode_ipv6(struct decoder *d, struct rest r)
{
    struct smc_ipv6 h;
    if (!enter_ipv6(d, &r, &h))
        return;
    int protocol = skip_ipv6_extensions(d->out, &r, smc_ipv6_next_header(h));
    if (protocol >= 0)
        decode_protocol(d, r, (unsigned)protocol);
}

static void decode_grh(struct decoder *d, struct rest r)
{
    struct smc_ipv6 h;
    if (enter_ipv6(d, &r, &h) && smc_ipv6_next_header(h) == GRH_NEXT_HEADER_BTH)
        trace_packet_decode_roce(d, r, true);
}

static void decode_record(struct trace_packet *out, struct rest r)
{
    struct smc_smcd_record h;
    if (!smc_smcd_record_at(captured(&r), 0, &h))
        return;
    out->proto = TRACE_RECORD;
    out->record = h;
    skip(&r, smc_smcd_record_size);
    /* Only a move carries data; whatever else follows is padding or a frame check sequence. */
    uint32_t total = smc_smcd_record_total(h), done = smc_smcd_record_fragment_offset(h);
    size_t data = smc_smcd_record_operation(h) == SMC_RECORD_MOVE && done < total ? total - done : 0;
    if (data > SMC_RECORD_MAX_DATA)
        data = SMC_RECORD_MAX_DATA;
    limit(&r, data < r.wire ? data : r.wire);
    set_payload(out, &r);
}

/* ---- link layer ---- */

static void decode_ethertype(struct decoder *d, struct rest r, unsigned type)
{
    struct smc_vlan tag;
    while (type == SMC_ETHERTYPE_VLAN || type == SMC_ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD) {
        if (!smc_vlan_at(captured(&r), 0, &tag))
            return;
        type = smc_vlan_ethertype(tag);
        d->out->vlan = smc_vlan_vid(tag);
        d->out->vlan_present = d->out->vlan != 0; /* id 0: only a priority */
        skip(&r, smc_vlan_size);
    }
    switch (type) {
    case SMC_ETHERTYPE_IPV4:
        decode_ipv4(d, r);
        break;
    case SMC_ETHERTYPE_IPV6:
        decode_ipv6(d, r);
        break;
    case SMC_ETHERTYPE_ROCE:
        decode_grh(d, r);
        break;
    case SMC_ETHERTYPE_SMCD_RECORD:
        decode_record(d->out, r);
        break;
    default:
        break;
    }
}

static void decode_ethernet(struct decoder *d, struct rest r)
{
    struct smc_eth h;
    if (!smc_eth_at(captured(&r), 0, &h))
        return;
    d->out->dst_mac = smc_eth_dst(h);
    d->out->src_mac = smc_eth_src(h);
    d->out->vlan_present = false;
    d->out->vlan = 0;
    skip(&r, smc_eth_size);
    decode_ethertype(d, r, smc_eth_ethertype(h));
}

static void decode_ip(struct decoder *d, struct rest r)
{
    if (r.p < r.end)
        decode_ethertype(d, r, r.p[0] >> 4 == 4 ? SMC_ETHERTYPE_IPV4 : SMC_ETHERTYPE_IPV6);
}

static void decode_sll(struct decoder *d, struct rest r)
{
    struct smc_sll h;
    if (!smc_sll_at(captured(&r), 0, &h))
        return;
    if (smc_sll_addr_len(h) == 6)
        d->out->src_mac = smc_sll_addr(h);
    skip(&r, smc_sll_size);
    decode_ethertype(d, r, smc_sll_protocol(h));
}

static void decode_sll2(struct decoder *d, struct rest r)
{
    struct smc_sll2 h;
    if (!smc_sll2_at(captured(&r), 0, &h))
        return;
    if (smc_sll2_addr_len(h) == 6)
        d->out->src_mac = smc_sll2_addr(h);
    skip(&r, smc_sll2_size);
    decode_ethertype(d, r, smc_sll2_protocol(h));
}

void trace_packet_decode(const struct trace_raw *raw, bool check_icrc, struct trace_packet *out)
{
    enum { NULL_HEADER = 4 };
    size_t have = smc_view_len(raw->bytes);
    struct rest r = {raw->bytes.p, raw->bytes.end, raw->wire_len > have ? raw->wire_len : have};
    struct decoder d = {.out = out, .check_icrc = check_icrc};
    memset(out, 0, sizeof *out);
    out->raw = *raw;
    switch (raw->linktype) {
    case 1:
        decode_ethernet(&d, r);
        break;
    case 113:
        decode_sll(&d, r);
        break;
    case 276:
        decode_sll2(&d, r);
        break;
    case 0: /* the protocol family in an unknown byte order; the IP header itself says which IP it is */
    case 108:
        if (have > NULL_HEADER) {
            skip(&r, NULL_HEADER);
            decode_ip(&d, r);
        }
        break;
    case 12: /* raw IP: the number depends on the system, 101 in the file */
    case 14:
    case 101:
    case 228:
    case 229:
        decode_ip(&d, r);
        break;
    default:
        break;
    }
}
