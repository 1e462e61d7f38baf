/* Negotiation: the whole matrix of versions, paths, devices and EIDs through real bytes, against a model that is a table.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "negotiate.h"

#include "testing/check_main.h"
#include "wire/clc.h"

/* Check tells its parent of each success, which is too slow in loops. */
#define NEED(condition, ...)                                                                                                 \
    do {                                                                                                                     \
        if (!(condition))                                                                                                    \
            ck_abort_msg("line " LINE_TEXT(__LINE__) " " #condition ": " __VA_ARGS__);                                       \
    } while (0)
#define LINE_TEXT(n) LINE_TEXT2(n)
#define LINE_TEXT2(n) #n

static uint8_t ueids[2][SMC_CLC_EID_BYTES], seid[SMC_CLC_EID_BYTES];
static const struct smc_ip_prefix net_client = {.address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}}, .length = 24};
static const struct smc_ip_prefix net_server = {.address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2}}, .length = 24};

/* One side of the matrix: 2^10 kinds. */
enum {
    V1 = 1, V2 = 2, PATH_R = 4, PATH_D = 8, PORTS = 16, NATIVE = 32, EMULATED = 64, UEID = 128, SEID = 256, RELEASE1 = 512,
    KINDS = 1024
};

static struct smc_own make(unsigned kind, bool client)
{
    struct smc_own own = {.v1 = kind & V1,
                          .v2 = kind & V2,
                          .smc_r = kind & PATH_R,
                          .smc_d = kind & PATH_D,
                          .release = (kind & RELEASE1) != 0,
                          .emulated = kind & EMULATED,
                          .max_conns = client ? 255 : 32,
                          .max_links = 2,
                          .smcd_area = true,
                          .always_v2 = true,
                          .subnet_number = true,
                          .r1 = kind & PORTS,
                          .r2 = kind & PORTS,
                          .prefix_count = 1};
    own.eids = (struct smc_eids){.ueids = (const uint8_t(*)[SMC_CLC_EID_BYTES])ueids,
                                 .ueid_count = (kind & UEID) != 0,
                                 .seid_enabled = kind & SEID,
                                 .seid = seid};
    own.own_ip = client ? net_client.address : net_server.address;
    own.peer_ip = client ? net_server.address : net_client.address;
    own.prefixes = client ? &net_client : &net_server;
    own.r1_gid = (struct smc_gid){{0xfe, 0x80, [15] = client ? 1 : 2}};
    own.r2_gid = own.own_ip;
    memset(own.peer_id, client ? 0xc1 : 0x5e, sizeof(own.peer_id));
    memset(own.r1_mac, client ? 0xc2 : 0x52, sizeof(own.r1_mac));
    if (kind & EMULATED)
        own.devices[own.device_count++] = (struct smc_own_device){.gid = {{0xee, [15] = client ? 1 : 2}}, .chid = 0xff00, .v2_capable = true};
    if (kind & NATIVE)
        own.devices[own.device_count++] = (struct smc_own_device){.gid = {{0x15, [7] = client ? 1 : 2}}, .chid = 0x7c0, .v2_capable = true};
    return own;
}

static void prepare(void)
{
    ck_assert(smc_eid_from_text("UEID-A", ueids[0]));
    ck_assert(smc_eid_from_text("UEID-B", ueids[1]));
    ck_assert(smc_eid_from_text("IBM-SYSZ-ISMSEID000000001A2B8561", seid));
}

/* Through the wire: what the other side sees. */
static void over_the_wire(const struct smc_clc_proposal_info *in, struct smc_clc_proposal_info *out)
{
    uint8_t bytes[SMC_CLC_MAX_PROPOSAL];
    struct smc_parsed parsed;
    struct smc_reject why;
    size_t length = smc_clc_encode_proposal(in, bytes, sizeof(bytes));
    NEED(length > 0, "cannot be encoded");
    NEED(smc_clc_parse(smc_view_of(bytes, length), &parsed, &why), "%s %s", why.rule, why.what);
    NEED(smc_clc_check(&parsed, NULL, NULL) == 0, "breaks a rule");
    NEED(smc_clc_decode_proposal(&parsed, out), "not decoded");
}

static bool has(unsigned kind, unsigned all)
{
    return (kind & all) == all;
}

/* What a client of this kind offers, as §1.10 and the captures say. */
struct offer { bool r1, d1, r2, d2; };
static struct offer offer_of(unsigned k)
{
    return (struct offer){.r1 = has(k, V1 | PATH_R | PORTS),
                          .d1 = has(k, V1 | PATH_D | NATIVE),
                          .r2 = has(k, V2 | PATH_R | PORTS | UEID),
                          .d2 = has(k, V2 | PATH_D) && (k & (NATIVE | EMULATED)) != 0};
}

struct outcome { uint32_t decline; bool smc_d; uint8_t version; uint16_t chid; };

static struct outcome outcome_of(unsigned c, unsigned s)
{
    struct offer o = offer_of(c);
    struct outcome out = {0};
    bool any1 = o.r1 || o.d1, any2 = o.r2 || o.d2, ueid = has(c & s, UEID), eid_d = has(c & s, SEID) || ueid;
    if (!(any1 && (s & V1)) && !(any2 && (s & V2))) {
        out.decline = SMC_DIAG_VERSMISMAT;
        return out;
    }
    bool d2 = o.d2 && has(s, V2 | PATH_D), r2 = o.r2 && has(s, V2 | PATH_R);
    bool d1 = o.d1 && has(s, V1 | PATH_D), r1 = o.r1 && has(s, V1 | PATH_R);
    if (!d2 && !r2 && !d1 && !r1) {
        out.decline = SMC_DIAG_MODEUNSUPP;
        return out;
    }
    bool d2_eids = (c & (UEID | SEID)) != 0 && (s & (UEID | SEID)) != 0, r2_eids = (s & UEID) != 0;
    if (!d1 && !r1 && !(d2 && d2_eids) && !(r2 && r2_eids)) {
        out.decline = SMC_DIAG_NOUEID;
        return out;
    }
    if (d2 && eid_d && (has(c & s, NATIVE) || has(c & s, EMULATED)))
        out = (struct outcome){.smc_d = true, .version = 2, .chid = has(c & s, NATIVE) && (o.d1 || !has(c & s, EMULATED)) ? 0x7c0 : 0xff00};
    else if (d1 && has(s, NATIVE))
        out = (struct outcome){.smc_d = true, .version = 1, .chid = 0x7c0};
    else if (r2 && ueid && has(s, PORTS))
        out.version = 2;
    else if (r1 && has(s, PORTS))
        out.version = 1;
    else if (d2 && d2_eids)
        out.decline = SMC_DIAG_NOSMCD2DEV;
    else if (d1)
        out.decline = SMC_DIAG_NOSMCDDEV;
    else if (r2 && ueid)
        out.decline = SMC_DIAG_NOSMCRDEV;
    else
        out.decline = SMC_DIAG_NOSMCDEV;
    return out;
}

/* What a server would do if everything that it tries works. */
static const struct smc_step *first_try(const struct smc_step *steps, unsigned count, uint32_t *reason)
{
    *reason = 0;
    for (unsigned i = 0; i < count; i++) {
        if (steps[i].diagnosis == 0)
            return &steps[i];
        if (*reason == 0)
            *reason = steps[i].diagnosis;
        if (steps[i].final)
            break;
    }
    return NULL;
}

/* The Accept of a server that agrees, as handshake_peer.c makes it. */
static struct smc_clc_accept_info accept_of(const struct smc_own *own, const struct smc_agreement *a, bool first)
{
    struct smc_clc_accept_info m = {.type = SMC_CLC_ACCEPT,
                                    .version = a->version,
                                    .path = a->smc_d ? SMC_PATH_D : SMC_PATH_R,
                                    .first_contact = first,
                                    .rmbe_index = a->smc_d ? 0 : 1,
                                    .mtu = a->smc_d ? 0 : 3,
                                    .bsize = 2,
                                    .qpn = 17,
                                    .chid = a->version >= 2 ? a->chid : 0};
    memcpy(m.gid, a->smc_d ? own->devices[a->device].gid.bytes : own->r2_gid.bytes, 16);
    if (a->version < 2)
        return m;
    m.has_eid = true;
    memcpy(m.eid, a->eid, sizeof(m.eid));
    if (!first)
        return m;
    m.fce_len = a->smc_d && a->release == 0 ? SMC_CLC_FCE_SHORT : SMC_CLC_FCE_LONG;
    m.release = a->release;
    m.v2_direct = !a->smc_d;
    if (a->release >= 1) {
        m.features = a->features;
        m.max_conns = a->smc_d ? 0 : a->max_conns;
        m.max_links = a->smc_d ? 0 : a->max_links;
    }
    return m;
}

static void check_offer(unsigned kind, uint32_t refused, const struct smc_clc_proposal_info *p)
{
    struct offer o = offer_of(kind);
    bool any = o.r1 || o.d1 || o.r2 || o.d2;
    NEED(refused == (any ? 0 : SMC_DIAG_NOSMCDEV), "client %x: %x", kind, (unsigned)refused);
    if (any)
        NEED(p->v1_r == o.r1 && p->v1_d == o.d1 && p->v2_r == o.r2 && p->v2_d == o.d2, "client %x", kind);
}

static bool try_pair(unsigned c, unsigned s)
{
    struct smc_own client = make(c, true), server = make(s, false);
    struct smc_clc_proposal_info sent, seen;
    struct smc_offered offered;
    struct smc_step steps[SMC_STEPS_MAX];
    uint32_t reason, refused = smc_negotiate_proposal(&client, &sent, &offered);
    check_offer(c, refused, &sent);
    if (refused != 0)
        return false;
    over_the_wire(&sent, &seen);
    const struct smc_step *step = first_try(steps, smc_negotiate_server(&server, &seen, steps), &reason);
    struct outcome expected = outcome_of(c, s);
    NEED((step == NULL) == (expected.decline != 0), "client %x server %x: %x, not %x", c, s, (unsigned)reason, (unsigned)expected.decline);
    if (step == NULL) {
        NEED(reason == expected.decline, "client %x server %x: %x, not %x", c, s, (unsigned)reason, (unsigned)expected.decline);
        return false;
    }
    const struct smc_agreement *a = &step->agreement;
    NEED(a->smc_d == expected.smc_d && a->version == expected.version, "client %x server %x", c, s);
    NEED(!a->smc_d || (a->chid == expected.chid && server.devices[a->device].chid == a->chid), "client %x server %x", c, s);
    NEED(a->release == (a->version == 2 && has(c & s, RELEASE1)), "client %x server %x", c, s);
    NEED(a->features == (a->release == 1 && has(c & s, EMULATED)), "client %x server %x", c, s);
    NEED(a->max_conns == 32, "client %x server %x", c, s);
    for (unsigned first = 0; first < 2; first++) { /* and both ends agree to the end */
        struct smc_agreement mine;
        struct smc_clc_accept_info accept = accept_of(&server, a, first != 0);
        uint32_t diagnosis = smc_negotiate_accept(&client, &sent, &offered, &accept, &mine);
        NEED(diagnosis == 0, "client %x server %x: %x", c, s, (unsigned)diagnosis);
        NEED(!a->smc_d || client.devices[mine.device].chid == a->chid, "client %x server %x", c, s);
        struct smc_clc_accept_info confirm = accept;
        confirm.type = SMC_CLC_CONFIRM;
        NEED(smc_negotiate_confirm(&accept, &confirm) == 0, "client %x server %x", c, s);
    }
    return true;
}

/* 1,048,576 pairs: version × R/D × ports × native × emulated × UEID × SEID × release, of either side. [CLC-072] */
START_TEST(every_pair_of_hosts_agrees_on_what_the_table_says)
{
    unsigned agreed = 0;
    prepare();
    for (unsigned c = 0; c < KINDS; c++)
        for (unsigned s = 0; s < KINDS; s++)
            agreed += try_pair(c, s);
    ck_assert_uint_gt(agreed, 40000); /* 45,148 as the table stands; the others are declined with the code it says */
}
END_TEST

/* ---- The Proposal's form ---- */
static size_t encoded(const struct smc_own *own, uint8_t *bytes)
{
    struct smc_clc_proposal_info p;
    struct smc_offered offered;
    ck_assert_uint_eq(smc_negotiate_proposal(own, &p, &offered), 0);
    return smc_clc_encode_proposal(&p, bytes, SMC_CLC_MAX_PROPOSAL);
}

START_TEST(a_proposal_in_the_rfcs_form_has_52_bytes) /* [CLC-015] */
{
    struct smc_own own = make(V1 | PATH_R | PORTS, true);
    uint8_t bytes[SMC_CLC_MAX_PROPOSAL];
    own.smcd_area = own.always_v2 = false;
    ck_assert_uint_eq(encoded(&own, bytes), 52);
    ck_assert_uint_eq(bytes[7], 0x10);
    ck_assert_uint_eq(bytes[39], 0);
    ck_assert_mem_eq(bytes + 40, "\x0a\x00\x00\x00\x18\x00\x00\x00", 8);
    own.subnet_number = false;
    ck_assert_uint_eq(encoded(&own, bytes), 52);
    ck_assert_mem_eq(bytes + 40, "\xff\xff\xff\x00\x18\x00\x00\x00", 8); /* */
}
END_TEST

START_TEST(proposals_look_as_the_kernels_in_captures)
{
    uint8_t bytes[SMC_CLC_MAX_PROPOSAL];
    prepare();
    struct smc_own v1 = make(V1 | PATH_R | PORTS, true);
    ck_assert_uint_eq(encoded(&v1, bytes), 92);
    ck_assert_uint_eq(bytes[7], 0x28); /* version 2, typev2 none, typev1 R: A-04 */
    struct smc_own v2 = make(V2 | PATH_R | PORTS | UEID | RELEASE1 | EMULATED, true);
    v2.device_count = 0;
    ck_assert_uint_eq(encoded(&v2, bytes), 156);
    ck_assert_uint_eq(bytes[7], 0x22);
    static const uint8_t zero[32];
    ck_assert_mem_eq(bytes + 8, zero, 32); /* peer id, GID, MAC, offset */
    ck_assert_uint_eq(bytes[51], 0x1c);
    ck_assert_mem_eq(bytes + 80, "\x01\x00\x00\x10", 4);
    ck_assert_mem_eq(bytes + 104, "\xff\x02\x00\x01", 4);
    v2.release = 0;
    ck_assert_uint_eq(encoded(&v2, bytes), 156);
    ck_assert_mem_eq(bytes + 104, zero, 4);
    struct smc_own d = make(V2 | PATH_D | EMULATED | UEID | RELEASE1, true);
    ck_assert_uint_eq(encoded(&d, bytes), 224);
    ck_assert_uint_eq(bytes[7], 0x26);
    ck_assert_mem_eq(bytes + 80, "\x01\x02\x00\x10\x00\x00\x00\x40", 8);
    ck_assert_mem_eq(bytes + 88, zero, 16);
    ck_assert_mem_eq(bytes + 104, "\x00\x00\x00\x01", 4);
    struct smc_own both = make(V1 | V2 | PATH_R | PATH_D | PORTS | NATIVE | EMULATED | UEID | RELEASE1, true);
    ck_assert_uint_eq(encoded(&both, bytes), 232);
    ck_assert_uint_eq(bytes[7], 0x2f);
    ck_assert_mem_eq(bytes + 48, "\x07\xc0\x00\x24", 4);
}
END_TEST

START_TEST(ipv6_prefixes_are_cut_to_their_length_and_at_most_eight) /* [CLC-018] */
{
    struct smc_ip_prefix prefixes[10];
    struct smc_own own = make(V1 | V2 | PATH_R | PORTS | UEID, true);
    uint8_t bytes[SMC_CLC_MAX_PROPOSAL];
    struct smc_clc_proposal_info p;
    struct smc_offered offered;
    prepare();
    for (unsigned i = 0; i < 10; i++) {
        memset(prefixes[i].address.bytes, 0xff, 16);
        prefixes[i].length = (uint8_t)(i == 0 ? 61 : 64 + i);
    }
    own.own_ip = own.peer_ip = prefixes[0].address;
    own.prefixes = prefixes;
    own.prefix_count = 10;
    ck_assert_uint_eq(smc_negotiate_proposal(&own, &p, &offered), 0);
    ck_assert(p.v1_r && !p.v2_r); /* no SMC-Rv2 on native IPv6 */
    ck_assert_uint_eq(p.prefix_count, 8);
    ck_assert_uint_eq(p.prefixes[0].prefix[7], 0xf8);
    ck_assert_uint_eq(p.prefixes[0].prefix[8], 0);
    ck_assert_uint_eq(encoded(&own, bytes), 40 + 40 + 8 + 8 * 17 + 4);
}
END_TEST

START_TEST(without_a_network_version_1_is_not_offered)
{
    struct smc_own own = make(V1 | PATH_R | PORTS, true);
    struct smc_clc_proposal_info p;
    struct smc_offered offered;
    own.prefix_count = 0;
    ck_assert_uint_eq(smc_negotiate_proposal(&own, &p, &offered), SMC_DIAG_CNFERR);
    prepare();
    own = make(V1 | V2 | PATH_R | PORTS | UEID, true);
    own.prefix_count = 0;
    ck_assert_uint_eq(smc_negotiate_proposal(&own, &p, &offered), 0);
    ck_assert_uint_eq(p.typev1, SMC_MODES_NONE);
    ck_assert(!p.has_ip_area && p.v2_r);
}
END_TEST

START_TEST(no_more_devices_than_eight_entries_and_each_chid_once) /* [CLC-070] */
{
    struct smc_own own = make(V2 | PATH_D | EMULATED | UEID, true);
    struct smc_clc_proposal_info p, seen;
    struct smc_offered offered;
    prepare();
    own.device_count = 0;
    for (unsigned i = 0; i < SMC_OWN_DEVICES_MAX; i++)
        own.devices[own.device_count++] =
            (struct smc_own_device){.gid = {{(uint8_t)(i + 1)}}, .chid = (uint16_t)(i % 3 == 2 ? 0x7c0 : 0xff00 + i / 2), .v2_capable = i != 5};
    own.devices[1].chid = 0; /* no device [SMCD-024] */
    ck_assert_uint_eq(smc_negotiate_proposal(&own, &p, &offered), 0);
    over_the_wire(&p, &seen);
    ck_assert_uint_le(p.gid_count, 8);
    for (unsigned i = 0; i < offered.listed_count; i++)
        for (unsigned k = 0; k < i; k++)
            ck_assert_uint_ne(own.devices[offered.listed[i]].chid, own.devices[offered.listed[k]].chid);
    for (unsigned i = 0; i < offered.listed_count; i++)
        ck_assert(own.devices[offered.listed[i]].chid != 0 && own.devices[offered.listed[i]].v2_capable);
}
END_TEST

/* ---- Networks ---- */
static bool same(uint32_t subnet, uint8_t length, bool number)
{
    struct smc_own own = make(V1 | PATH_R | PORTS, false);
    struct smc_clc_proposal_info p = {.has_ip_area = true, .subnet = subnet, .mask_len = length};
    own.subnet_number = number;
    return smc_negotiate_same_network(&own, &p);
}

START_TEST(networks_match_by_number_and_length) /* [CLC-020] [CLC-021] */
{
    ck_assert(same(0x0a000000, 24, true));
    ck_assert(!same(0x0a000000, 16, true));
    ck_assert(!same(0x0a000100, 24, true));
    ck_assert(!same(0xffffff00, 24, true)); /* the mask itself is no number */
    ck_assert(same(0xffffff00, 24, false)); /* but for the letter of the RFC */
    ck_assert(same(0x0a000000, 24, false));
    for (unsigned length = 0; length < 256; length++)
        NEED(same(0x0a000000, (uint8_t)length, true) == (length == 24), "%u", length);
}
END_TEST

START_TEST(ipv6_networks_match_by_the_peers_prefix)
{
    struct smc_own own = make(V1 | PATH_R | PORTS, false);
    struct smc_ip_prefix mine = {.address = {{0x20, 1, 0xd, 0xb8, 0, 1, [15] = 2}}, .length = 64};
    own.own_ip = mine.address;
    own.prefixes = &mine;
    for (unsigned length = 0; length < 256; length++) {
        for (unsigned bit = 0; bit < 129; bit++) { /* the first bit that differs */
            struct smc_clc_proposal_info p = {.has_ip_area = true, .prefix_count = 1};
            memcpy(p.prefixes[0].prefix, mine.address.bytes, 16);
            p.prefixes[0].length = (uint8_t)length;
            if (bit < 128)
                p.prefixes[0].prefix[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
            NEED(smc_negotiate_same_network(&own, &p) == (length <= 128 && length <= bit), "length %u bit %u", length, bit);
        }
    }
    struct smc_clc_proposal_info none = {.has_ip_area = true, .subnet = 0x0a000000, .mask_len = 24};
    ck_assert(!smc_negotiate_same_network(&own, &none)); /* [CLC-019] */
}
END_TEST

START_TEST(another_network_is_remembered_but_hinders_smc_r_v1_alone)
{
    struct smc_own client, server;
    struct smc_clc_proposal_info p;
    struct smc_offered offered;
    struct smc_step steps[SMC_STEPS_MAX];
    uint32_t reason;
    static const struct smc_ip_prefix far = {.address = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 9, 0, 2}}, .length = 24};
    static const unsigned kinds[] = {V1 | PATH_R | PORTS, V1 | PATH_R | PATH_D | PORTS | NATIVE, V1 | V2 | PATH_R | PORTS | UEID};
    prepare();
    for (unsigned i = 0; i < 3; i++) {
        client = make(kinds[i], true);
        server = make(kinds[i], false);
        server.prefixes = &far;
        ck_assert_uint_eq(smc_negotiate_proposal(&client, &p, &offered), 0);
        const struct smc_step *step = first_try(steps, smc_negotiate_server(&server, &p, steps), &reason);
        ck_assert_uint_eq(reason, SMC_DIAG_DIFFPREFIX);
        ck_assert(i == 0 ? step == NULL : step != NULL && (step->agreement.smc_d || step->agreement.version == 2));
    }
}
END_TEST

/* ---- What a Proposal may say that is hostile ---- */
static uint32_t refused_with(const struct smc_own *server, const struct smc_clc_proposal_info *p)
{
    struct smc_step steps[SMC_STEPS_MAX];
    uint32_t reason;
    return first_try(steps, smc_negotiate_server(server, p, steps), &reason) != NULL ? 0 : reason;
}

static struct smc_clc_proposal_info propose(unsigned kind)
{
    struct smc_own client = make(kind, true);
    struct smc_clc_proposal_info p;
    struct smc_offered offered;
    prepare();
    ck_assert_uint_eq(smc_negotiate_proposal(&client, &p, &offered), 0);
    return p;
}

START_TEST(each_missing_part_has_its_code)
{
    struct smc_own server = make(V1 | V2 | PATH_R | PATH_D | PORTS | NATIVE | EMULATED | UEID | RELEASE1, false);
    struct smc_clc_proposal_info r = propose(V2 | PATH_R | PORTS | UEID | RELEASE1), d = propose(V2 | PATH_D | EMULATED | UEID | RELEASE1), p;
    p = r, p.has_v2_ext = false;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOV2EXT); /* [CLC-026] */
    p = d, p.has_d_ext = false;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOV2DEXT); /* [CLC-027] */
    p = r, p.eid_count = 0;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOUEID); /* [CLC-064] */
    p = d, p.eid_count = 0;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOUEID);
    p = r, p.v2_r = false;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_PEERNOSMC); /* [CLC-030] */
    p = r, p.max_conns = 15;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_MAXCONNERR); /* [CLC-066] */
    p = r, p.max_conns = 16;
    ck_assert_uint_eq(refused_with(&server, &p), 0);
    p = r, p.max_links = 0;
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_MAXLINKERR); /* [CLC-067] */
    p = r, p.release = 0, p.max_conns = p.max_links = 0;
    ck_assert_uint_eq(refused_with(&server, &p), 0); /* not evaluated */
    p = r, memcpy(p.eids[0], ueids[1], 32);
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOSMCDEV); /* as seen in captures */
    p = d, memcpy(p.eids[0], ueids[1], 32);
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOSMCD2DEV);
    p = r, memset(p.roce_gid, 0, 16);
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOSMCRDEV);
    p = r, p.features = 0xffff; /* [CLC-069] */
    ck_assert_uint_eq(refused_with(&server, &p), 0);
}
END_TEST

START_TEST(half_a_128_bit_gid_is_skipped_and_others_stay_usable) /* [CLC-070] */
{
    struct smc_own server = make(V2 | PATH_D | NATIVE | EMULATED | UEID, false);
    struct smc_clc_proposal_info p = propose(V2 | PATH_D | NATIVE | EMULATED | UEID);
    struct smc_step steps[SMC_STEPS_MAX];
    uint32_t reason;
    ck_assert_uint_eq(p.gid_count, 3);
    p.entries[1].chid = 0xff01; /* the second half belongs to another */
    const struct smc_step *step = first_try(steps, smc_negotiate_server(&server, &p, steps), &reason);
    ck_assert(step != NULL && step->agreement.chid == 0x7c0);
    p.gid_count = 1; /* a lone first half, the last entry */
    ck_assert_uint_eq(refused_with(&server, &p), SMC_DIAG_NOSMCD2DEV);
    p.gid_count = 255; /* hostile: nothing beyond the array is read */
    (void)refused_with(&server, &p);
}
END_TEST

START_TEST(a_flood_of_matches_fits_the_list_of_steps)
{
    struct smc_own server = make(V1 | V2 | PATH_R | PATH_D | PORTS | UEID, false);
    struct smc_clc_proposal_info p = propose(V1 | V2 | PATH_R | PATH_D | PORTS | NATIVE | UEID);
    struct smc_step steps[SMC_STEPS_MAX];
    for (unsigned i = 0; i < SMC_OWN_DEVICES_MAX; i++)
        server.devices[i] = (struct smc_own_device){.gid = {{1, [7] = (uint8_t)i}}, .chid = 0x7c0, .v2_capable = true};
    server.device_count = SMC_OWN_DEVICES_MAX;
    p.gid_count = 8;
    for (unsigned i = 0; i < 8; i++)
        p.entries[i] = (struct smc_clc_gid_chid_fields){.gid = {9}, .chid = 0x7c0};
    unsigned count = smc_negotiate_server(&server, &p, steps);
    ck_assert_uint_le(count, SMC_STEPS_MAX);
    ck_assert(steps[0].diagnosis == 0 && steps[0].agreement.smc_d);
    ck_assert(steps[count - 1].diagnosis == 0 && !steps[count - 1].agreement.smc_d); /* SMC-R v1, the last resort, is still there */
}
END_TEST

/* ---- Accept and Confirm ---- */
struct pair {
    struct smc_own client;
    struct smc_clc_proposal_info sent;
    struct smc_offered offered;
    struct smc_clc_accept_info accept;
};

static struct pair agree(unsigned kind)
{
    struct pair pair = {.client = make(kind, true)};
    struct smc_own server = make(kind, false);
    struct smc_step steps[SMC_STEPS_MAX];
    uint32_t reason;
    prepare();
    ck_assert_uint_eq(smc_negotiate_proposal(&pair.client, &pair.sent, &pair.offered), 0);
    const struct smc_step *step = first_try(steps, smc_negotiate_server(&server, &pair.sent, steps), &reason);
    ck_assert_ptr_nonnull(step);
    pair.accept = accept_of(&server, &step->agreement, true);
    return pair;
}

static uint32_t judge(const struct pair *pair)
{
    struct smc_agreement a;
    return smc_negotiate_accept(&pair->client, &pair->sent, &pair->offered, &pair->accept, &a);
}

/* Release 1 has no way to say more than two links, whatever both sides would like [CLC-067]. */
START_TEST(release_1_agrees_on_two_links_at_most)
{
    struct smc_own server = make(V2 | PATH_R | PORTS | UEID | RELEASE1, false);
    struct smc_clc_proposal_info p = propose(V2 | PATH_R | PORTS | UEID | RELEASE1);
    struct smc_step steps[SMC_STEPS_MAX];
    uint32_t reason;
    server.max_links = 4;
    p.max_links = 3;
    const struct smc_step *step = first_try(steps, smc_negotiate_server(&server, &p, steps), &reason);
    ck_assert_ptr_nonnull(step);
    ck_assert_uint_eq(step->agreement.max_links, 2);
    struct pair pair = agree(V2 | PATH_R | PORTS | UEID | RELEASE1);
    pair.sent.max_links = 4;
    pair.accept.max_links = 3;
    ck_assert_uint_eq(judge(&pair), SMC_DIAG_MAXLINKERR);
}

#define REFUSED(good_, change, code)                                                                                         \
    do {                                                                                                                     \
        struct pair p = good_;                                                                                               \
        change;                                                                                                              \
        ck_assert_uint_eq(judge(&p), code);                                                                                  \
    } while (0)

START_TEST(an_accept_of_smc_r_v2_is_checked)
{
    struct pair good = agree(V2 | PATH_R | PORTS | UEID | RELEASE1);
    ck_assert_uint_eq(judge(&good), 0);
    REFUSED(good, p.accept.version = 1, SMC_DIAG_VERSMISMAT);
    REFUSED(good, p.accept.version = 3, SMC_DIAG_VERSMISMAT);
    REFUSED(good, p.accept.version = 15, SMC_DIAG_VERSMISMAT);
    REFUSED(good, p.accept.path = SMC_PATH_D, SMC_DIAG_MODEUNSUPP); /* [CLC-076] */
    REFUSED(good, memcpy(p.accept.eid, ueids[1], 32), SMC_DIAG_NOSMCDEV); /* [CLC-061] */
    REFUSED(good, p.accept.release = 2, SMC_DIAG_RELEASEERR);
    REFUSED(good, p.accept.release = 0, 0);
    REFUSED(good, p.accept.fce_len = 0, SMC_DIAG_RELEASEERR);
    REFUSED(good, p.accept.fce_len = SMC_CLC_FCE_SHORT, SMC_DIAG_RELEASEERR); /* [CLC-059] */
    REFUSED(good, p.accept.max_conns = 15, SMC_DIAG_MAXCONNERR); /* [CLC-066] */
    REFUSED(good, p.accept.max_conns = 0, SMC_DIAG_MAXCONNERR);
    REFUSED(good, p.accept.max_conns = 16, 0);
    REFUSED(good, p.accept.max_links = 0, SMC_DIAG_MAXLINKERR); /* [CLC-067] */
    REFUSED(good, p.accept.max_links = 3, SMC_DIAG_MAXLINKERR);
    REFUSED(good, p.accept.max_links = 255, SMC_DIAG_MAXLINKERR);
    REFUSED(good, p.accept.max_links = 1, 0);
    REFUSED(good, p.accept.features = 0xffff, 0); /* [CLC-069] */
    REFUSED(good, p.accept.rmbe_index = 0, SMC_DIAG_CNFERR); /* [CLC-037] */
    REFUSED(good, p.accept.bsize = 15, 0); /* */
    REFUSED(good, (p.accept.bsize = 15, p.accept.rmbe_index = 255), SMC_DIAG_CNFERR); /* [CLC-033] [CLC-038] */
    REFUSED(good, (p.accept.bsize = 5, p.accept.rmbe_index = 255), 0);
    for (unsigned mtu = 0; mtu < 16; mtu++) { /* [CLC-009]; [CLC-036]: on first contact only */
        REFUSED(good, p.accept.mtu = (uint8_t)mtu, mtu >= 1 && mtu <= 5 ? 0 : SMC_DIAG_CNFERR);
        REFUSED(good, (p.accept.mtu = (uint8_t)mtu, p.accept.first_contact = false), 0);
    }
}
END_TEST

START_TEST(an_accept_of_smc_d_is_matched_against_what_was_offered) /* [CLC-078], B-39 */
{
    struct pair v2 = agree(V2 | PATH_D | NATIVE | EMULATED | UEID | RELEASE1), v1 = agree(V1 | PATH_D | NATIVE);
    ck_assert_int_eq(v2.offered.native, -1);
    ck_assert_uint_eq(judge(&v2), 0);
    ck_assert_uint_eq(judge(&v1), 0);
    for (unsigned chid = 0; chid < 65536; chid++) {
        struct pair p = v2;
        p.accept.chid = (uint16_t)chid;
        bool offered = chid == 0x7c0 || chid == 0xff00;
        NEED(judge(&p) == (offered ? 0 : SMC_DIAG_NOSMCD2DEV), "CHID %x", chid);
    }
    REFUSED(v2, (p.offered.listed_count = 0), SMC_DIAG_NOSMCD2DEV);
    REFUSED(v2, p.accept.rmbe_index = 16, SMC_DIAG_CNFERR); /* [SMCD-009] */
    REFUSED(v2, p.accept.rmbe_index = 255, SMC_DIAG_CNFERR);
    REFUSED(v2, p.accept.bsize = 6, 0);
    REFUSED(v2, p.accept.bsize = 7, SMC_DIAG_CNFERR); /* [SMCD-026] */
    REFUSED(v2, p.accept.bsize = 15, SMC_DIAG_CNFERR);
    REFUSED(v2, memset(p.accept.gid, 0, 16), SMC_DIAG_CNFERR);
    REFUSED(v2, memcpy(p.accept.eid, ueids[1], 32), SMC_DIAG_NOSMCD2DEV);
    REFUSED(v1, p.accept.path = SMC_PATH_R, SMC_DIAG_MODEUNSUPP);
    REFUSED(v1, p.accept.version = 2, SMC_DIAG_VERSMISMAT);
}
END_TEST

#define LATE(accept, change, code)                                                                                           \
    do {                                                                                                                     \
        struct smc_clc_accept_info c = accept;                                                                               \
        c.type = SMC_CLC_CONFIRM;                                                                                            \
        change;                                                                                                              \
        ck_assert_uint_eq(smc_negotiate_confirm(&accept, &c), code);                                                         \
    } while (0)

START_TEST(a_confirm_repeats_what_was_agreed)
{
    struct pair r = agree(V2 | PATH_R | PORTS | UEID | RELEASE1), d = agree(V2 | PATH_D | EMULATED | UEID | RELEASE1);
    LATE(r.accept, c.bsize = 4, 0);
    LATE(r.accept, c.version = 1, SMC_DIAG_VERSMISMAT);
    LATE(r.accept, c.path = SMC_PATH_D, SMC_DIAG_MODEUNSUPP);
    LATE(r.accept, c.eid[0] ^= 1, SMC_DIAG_NOSMCDEV);
    LATE(r.accept, c.release = 0, SMC_DIAG_RELEASEERR); /* [CLC-065] */
    LATE(r.accept, c.fce_len = 0, SMC_DIAG_RELEASEERR);
    LATE(r.accept, c.fce_len = SMC_CLC_FCE_SHORT, SMC_DIAG_RELEASEERR);
    LATE(r.accept, c.max_conns--, SMC_DIAG_MAXCONNERR); /* [CLC-068] */
    LATE(r.accept, c.max_links--, SMC_DIAG_MAXLINKERR);
    LATE(r.accept, c.v2_direct = false, SMC_DIAG_NOINDIRECT);
    LATE(r.accept, c.mtu = 6, SMC_DIAG_CNFERR);
    LATE(r.accept, c.rmbe_index = 0, SMC_DIAG_CNFERR);
    LATE(d.accept, c.chid = 0, SMC_DIAG_NOSMCD2DEV);
    LATE(d.accept, c.eid[31] ^= 1, SMC_DIAG_NOSMCD2DEV);
    LATE(d.accept, c.release = 0, SMC_DIAG_RELEASEERR);
    LATE(d.accept, c.bsize = 9, SMC_DIAG_CNFERR);
    r.accept.first_contact = false;
    r.accept.fce_len = 0;
    LATE(r.accept, (c.mtu = 0, c.release = 9), 0); /* only a first contact says that */
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("negotiate");
    TCase *t = tcase_create("negotiate");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, every_pair_of_hosts_agrees_on_what_the_table_says);
    tcase_add_test(t, a_proposal_in_the_rfcs_form_has_52_bytes);
    tcase_add_test(t, proposals_look_as_the_kernels_in_captures);
    tcase_add_test(t, ipv6_prefixes_are_cut_to_their_length_and_at_most_eight);
    tcase_add_test(t, without_a_network_version_1_is_not_offered);
    tcase_add_test(t, no_more_devices_than_eight_entries_and_each_chid_once);
    tcase_add_test(t, networks_match_by_number_and_length);
    tcase_add_test(t, ipv6_networks_match_by_the_peers_prefix);
    tcase_add_test(t, another_network_is_remembered_but_hinders_smc_r_v1_alone);
    tcase_add_test(t, each_missing_part_has_its_code);
    tcase_add_test(t, half_a_128_bit_gid_is_skipped_and_others_stay_usable);
    tcase_add_test(t, a_flood_of_matches_fits_the_list_of_steps);
    tcase_add_test(t, release_1_agrees_on_two_links_at_most);
    tcase_add_test(t, an_accept_of_smc_r_v2_is_checked);
    tcase_add_test(t, an_accept_of_smc_d_is_matched_against_what_was_offered);
    tcase_add_test(t, a_confirm_repeats_what_was_agreed);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)
