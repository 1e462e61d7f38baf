/* A frame comes in: parsed as a NIC does, steered, split, its payload written to chunks, an skb handed up.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_internal.h"
#include "wire/carrier_layouts.h"

#include <assert.h>

enum {
    TYPE_V4 = 0x0800,
    TYPE_VLAN = 0x8100,
    TYPE_V6 = 0x86dd,
    PROTOCOL_TCP = 6,
    FRAME_MAX = 65600,
    PACK_ALIGN = 64 /* a cache line: two packets never share one */
};

/* ---- what a NIC sees in a frame ---- */
static void map_v4(uint8_t out[16], const uint8_t *v4)
{
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, v4, 4);
}

static bool parse_v4(struct smc_view frame, size_t at, struct devmem_flow *out)
{
    struct smc_ipv4 ip;
    if (!smc_ipv4_at(frame, at, &ip) || smc_ipv4_version(ip) != 4 || smc_ipv4_ihl(ip) < 5)
        return false;
    size_t header = smc_ipv4_ihl(ip) * 4u, total = smc_ipv4_total_length(ip);
    if (total < header || total > smc_view_len(frame) - at ||
        smc_ipv4_protocol(ip) != PROTOCOL_TCP || smc_ipv4_more_fragments(ip) ||
        smc_ipv4_fragment_offset(ip) != 0)
        return false;
    map_v4(out->src, frame.p + at + 12);
    map_v4(out->dst, frame.p + at + 16);
    out->tcp_at = (uint32_t)(at + header);
    out->end = (uint32_t)(at + total);
    return true;
}

/* Behind extension headers this NIC does not look: such a packet cannot be split. */
static bool parse_v6(struct smc_view frame, size_t at, struct devmem_flow *out)
{
    struct smc_ipv6 ip;
    if (!smc_ipv6_at(frame, at, &ip) || smc_ipv6_version(ip) != 6 ||
        smc_ipv6_next_header(ip) != PROTOCOL_TCP ||
        smc_ipv6_payload_length(ip) > smc_view_len(frame) - at - smc_ipv6_size)
        return false;
    memcpy(out->src, smc_ipv6_src(ip), 16);
    memcpy(out->dst, smc_ipv6_dst(ip), 16);
    out->tcp_at = (uint32_t)(at + smc_ipv6_size);
    out->end = out->tcp_at + smc_ipv6_payload_length(ip);
    return true;
}

bool devmem_parse(const uint8_t *bytes, size_t length, struct devmem_flow *out)
{
    struct smc_view frame = smc_view_of(bytes, length);
    struct smc_eth eth;
    struct smc_vlan tag;
    struct smc_tcp tcp;
    size_t at = smc_eth_size;
    if (length > FRAME_MAX || !smc_eth_at(frame, 0, &eth))
        return false;
    uint16_t type = smc_eth_ethertype(eth);
    if (type == TYPE_VLAN) {
        if (!smc_vlan_at(frame, at, &tag))
            return false;
        type = smc_vlan_ethertype(tag);
        at += smc_vlan_size;
    }
    if (type == TYPE_V4 ? !parse_v4(frame, at, out)
                        : type != TYPE_V6 || !parse_v6(frame, at, out))
        return false;
    struct smc_view segment = smc_view_sub(frame, out->tcp_at, out->end - out->tcp_at);
    if (!smc_tcp_at(segment, 0, &tcp) || smc_tcp_data_offset(tcp) < 5 ||
        smc_tcp_data_offset(tcp) * 4u > smc_view_len(segment))
        return false;
    out->payload_at = out->tcp_at + smc_tcp_data_offset(tcp) * 4u;
    out->sport = smc_tcp_sport(tcp);
    out->dport = smc_tcp_dport(tcp);
    return true;
}

static uint64_t sum_words(uint64_t sum, const uint8_t *bytes, size_t length)
{
    for (; length >= 2; bytes += 2, length -= 2)
        sum += (uint32_t)bytes[0] << 8 | bytes[1];
    return length > 0 ? sum + ((uint32_t)bytes[0] << 8) : sum;
}

bool devmem_checksum_good(const uint8_t *frame, const struct devmem_flow *flow)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    size_t skip = memcmp(flow->dst, mapped, 12) == 0 ? 12 : 0;
    uint32_t length = flow->end - flow->tcp_at;
    uint64_t sum = PROTOCOL_TCP + (length >> 16) + (length & 0xffff);
    sum = sum_words(sum, flow->src + skip, 16 - skip);
    sum = sum_words(sum, flow->dst + skip, 16 - skip);
    sum = sum_words(sum, frame + flow->tcp_at, length);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/* ---- putting payload into memory ---- */
static void write_mem(devmem_netmem mem, uint32_t offset, const uint8_t *data, uint32_t length)
{
    if (!devmem_is_iov(mem)) {
        memcpy(((struct devmem_page *)devmem_mem_of(mem))->bytes + offset, data, length);
        return;
    }
    const struct devmem_iov *iov = (const struct devmem_iov *)devmem_mem_of(mem);
    const struct devmem_buffer *buffer = iov->owner->binding->buffer;
    uint64_t address = iov->owner->base_address + (uint64_t)(iov - iov->owner->first) * DEVMEM_PAGE;
    buffer->exporter.dma_write(buffer->user, address + offset, data, length);
}

/* Room for up to `length` bytes, in a chunk of its own or behind the packet before. */
static bool find_room(struct devmem_memory *memory, bool pack, uint32_t length,
                      struct devmem_frag *out)
{
    uint32_t size = length < DEVMEM_PAGE ? length : DEVMEM_PAGE;
    if (pack && memory->current != 0 && DEVMEM_PAGE - memory->filled < size) {
        devmem_netmem_put(memory->current);
        memory->current = 0;
    }
    if (!pack || memory->current == 0) {
        out->mem = devmem_pool_take(memory->pool);
        out->offset = 0;
        out->size = size;
        if (out->mem == 0 || !pack)
            return out->mem != 0;
        memory->current = out->mem;
        memory->filled = 0;
    }
    devmem_netmem_get(memory->current);
    *out = (struct devmem_frag){memory->current, memory->filled, size};
    memory->filled += (size + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
    return true;
}

static bool place(struct devmem_skb *skb, struct devmem_memory *memory, bool pack,
                  const uint8_t *data, uint32_t length)
{
    while (length > 0) {
        struct devmem_frag *frag = &skb->frags[skb->nfrags];
        assert(skb->nfrags < DEVMEM_FRAGS_MAX);
        if (!find_room(memory, pack, length, frag))
            return false;
        write_mem(frag->mem, frag->offset, data, frag->size);
        skb->nfrags++;
        data += frag->size;
        length -= frag->size;
    }
    return true;
}

/* Where the frame is cut; its length if it is not. */
static uint32_t split_point(const struct devmem_nic *nic, const struct devmem_flow *flow,
                            uint32_t length)
{
    if (flow == NULL || nic->config.no_split)
        return length;
    uint32_t payload = flow->end - flow->payload_at;
    if (payload <= nic->config.split_above || payload <= nic->config.split_late)
        return length;
    return flow->payload_at + nic->config.split_late;
}

static struct devmem_skb *skb_new(struct devmem *host, uint32_t linear)
{
    struct devmem_skb *skb = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*skb) + linear);
    if (skb == NULL)
        return NULL;
    skb->host = host;
    skb->linear = skb->length = linear;
    host->objects.skbs++;
    return skb;
}

static void tell_tap(const struct devmem_nic *nic, const struct devmem_skb *skb)
{
    if (nic->tap != NULL)
        nic->tap(nic->tap_user, skb->head, skb->linear, skb->length); /* [DEVMEM-018] */
}

static int receive(struct devmem_nic *nic, struct devmem_queue *queue, const uint8_t *frame,
                   uint32_t length, const struct devmem_flow *flow, struct devmem_skb **out)
{
    uint32_t cut = split_point(nic, flow, length);
    uint32_t behind = cut < length ? flow->end - cut : 0;
    struct devmem_skb *skb = skb_new(nic->host, cut);
    if (skb == NULL)
        return DEVMEM_ENOMEM;
    skb->bound = queue->memory->pool->binding != NULL;
    memcpy(skb->head, frame, cut);
    skb->length += behind;
    if (!place(skb, queue->memory, nic->config.pack, frame + cut, behind)) {
        devmem_skb_free(skb); /* [DEVMEM-017] */
        return DEVMEM_ENOBUFS;
    }
    skb->unreadable = skb->bound && skb->nfrags > 0;
    if (flow != NULL && !nic->config.no_checksum)
        skb->checksum = devmem_checksum_good(frame, flow) ? DEVMEM_CHECKSUM_GOOD
                                                          : DEVMEM_CHECKSUM_BAD;
    *out = skb;
    return 0;
}

int devmem_nic_rx(struct devmem_nic *nic, const uint8_t *frame, size_t length,
                  struct devmem_skb **out)
{
    struct devmem_flow flow;
    if (length < smc_eth_size || length > FRAME_MAX)
        return DEVMEM_EINVAL;
    bool tcp = devmem_parse(frame, length, &flow);
    uint32_t q = devmem_steer(nic, tcp ? &flow : NULL);
    struct devmem_queue *queue = &nic->queues[q];
    if (queue->memory == NULL) {
        queue->counts.dead++;
        return DEVMEM_ENETDOWN;
    }
    int error = receive(nic, queue, frame, (uint32_t)length, tcp ? &flow : NULL, out);
    if (error != 0) {
        queue->counts.no_memory++;
        return error;
    }
    (*out)->queue = q;
    queue->counts.packets++;
    queue->counts.split += (*out)->unreadable;
    tell_tap(nic, *out);
    return 0;
}

/* ---- packets ---- */
void devmem_skb_free(struct devmem_skb *skb)
{
    struct devmem *host = skb->host;
    for (unsigned i = 0; i < skb->nfrags; i++)
        devmem_netmem_put(skb->frags[i].mem);
    host->objects.skbs--;
    smc_alloc_release(host->config.alloc, skb, 1, sizeof(*skb) + skb->linear);
}

static int copy_frags(const struct devmem_skb *skb, uint32_t offset, uint8_t *out, uint32_t length)
{
    for (unsigned i = 0; i < skb->nfrags && length > 0; i++) {
        const struct devmem_frag *frag = &skb->frags[i];
        if (offset >= frag->size) {
            offset -= frag->size;
            continue;
        }
        const uint8_t *bytes = devmem_netmem_bytes(frag->mem);
        if (bytes == NULL)
            return DEVMEM_EFAULT;
        uint32_t n = frag->size - offset < length ? frag->size - offset : length;
        memcpy(out, bytes + frag->offset + offset, n);
        out += n;
        length -= n;
        offset = 0;
    }
    return 0;
}

int devmem_skb_copy(const struct devmem_skb *skb, uint32_t offset, void *out, uint32_t length)
{
    if (offset > skb->length || length > skb->length - offset)
        return DEVMEM_ERANGE;
    uint32_t head = offset < skb->linear ? skb->linear - offset : 0;
    if (head > length)
        head = length;
    if (length > head) {
        uint32_t at = offset + head - skb->linear;
        int error = copy_frags(skb, at, (uint8_t *)out + head, length - head);
        if (error != 0)
            return error;
    }
    memcpy(out, skb->head + (head > 0 ? offset : 0), head);
    return 0;
}
