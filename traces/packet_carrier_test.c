/* Tests that SMC is found in whatever carries it: link types, tags, mirror tunnels, each around real frames.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"
#include "traces/test_frames.h"

enum { ETH = 14, LINK_SLL = 113, LINK_SLL2 = 276, LINK_LOOP = 108 };

/* One real frame of each sort, by capture and number. */
static const struct {
    const char *name;
    size_t number;
    bool ip; /* can stand without Ethernet */
} samples[] = {
    {"captures/6.12.107-v2-a-first-contact", 4, true},            /* TCP over IPv4: a Proposal */
    {"captures/6.12.107-v2-a-first-contact", 18, true},           /* RoCEv2 over IPv4: a WRITE */
    {"captures/6.12.107-smclo-v1pure-i-ipv6", 4, true},           /* TCP over IPv6 */
    {"captures/6.12.107-smclo-v1pure-i-ipv6", 6, true},           /* RoCEv2 over IPv6: a SEND */
    {"synthetic/first-contact-rocev1", 20, false},                /* RoCEv1: a WRITE with padding */
    {"synthetic/smcd-records-le", 19, false},                     /* a move of SMC-D */
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

typedef void change_fn(struct test_frame *f);

static void expect_same(const struct trace_packet *x, const struct trace_packet *y, const char *what)
{
    ck_assert_msg(x->proto == y->proto, "%s: protocol %d became %d", what, x->proto, y->proto);
    ck_assert(trace_addr_equal(&x->src, &y->src));
    ck_assert(trace_addr_equal(&x->dst, &y->dst));
    ck_assert_int_eq(x->ipv6, y->ipv6);
    ck_assert_int_eq(x->cut, y->cut);
    ck_assert_uint_eq(x->payload_wire_len, y->payload_wire_len);
    ck_assert_uint_eq(smc_view_len(x->payload), smc_view_len(y->payload));
    ck_assert_int_eq(memcmp(x->payload.p, y->payload.p, smc_view_len(x->payload)), 0);
    ck_assert_uint_eq(x->tcp.seq, y->tcp.seq);
    ck_assert_uint_eq(x->tcp.sport, y->tcp.sport);
    ck_assert_int_eq(memcmp(&x->roce, &y->roce, sizeof x->roce), 0);
}

/* The change leaves what is found in each sample as it was. */
static void changes_nothing(change_fn *change, bool ip_only, const char *what)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        if (ip_only && !samples[i].ip)
            continue;
        struct test_frame before = test_frame_of(samples[i].name, samples[i].number), after = before;
        struct trace_packet x = test_decode(&before);
        ck_assert_int_ne(x.proto, TRACE_OTHER);
        if (x.proto == TRACE_ROCE)
            ck_assert_int_eq(x.roce.icrc, TRACE_ICRC_GOOD);
        change(&after);
        struct trace_packet y = test_decode(&after);
        expect_same(&x, &y, what);
    }
}

#define UNCHANGED_BY(change) changes_nothing(change, false, #change)
#define IP_UNCHANGED_BY(change) changes_nothing(change, true, #change)

/* ---- link types ---- */

static void to_sll(struct test_frame *f)
{
    uint8_t head[16] = {0, 0, 0, 1, 0, 6};
    memcpy(head + 6, f->b + 6, 6);
    memcpy(head + 14, f->b + 12, 2);
    test_replace(f, 0, ETH, head, sizeof head);
    f->linktype = LINK_SLL;
}

static void to_sll2(struct test_frame *f)
{
    uint8_t head[20] = {[7] = 2, [9] = 1, [11] = 6};
    memcpy(head, f->b + 12, 2);
    memcpy(head + 12, f->b + 6, 6);
    test_replace(f, 0, ETH, head, sizeof head);
    f->linktype = LINK_SLL2;
}

static bool is_ipv6(const struct test_frame *f)
{
    return f->b[12] == 0x86;
}

static void to_raw(struct test_frame *f, int linktype)
{
    test_replace(f, 0, ETH, "", 0);
    f->linktype = linktype;
}

static void to_raw_12(struct test_frame *f)
{
    to_raw(f, 12);
}

static void to_raw_101(struct test_frame *f)
{
    to_raw(f, 101);
}

static void to_raw_by_version(struct test_frame *f)
{
    to_raw(f, is_ipv6(f) ? 229 : 228);
}

static void to_null_little_endian(struct test_frame *f)
{
    uint8_t head[4] = {is_ipv6(f) ? 30 : 2, 0, 0, 0};
    test_replace(f, 0, ETH, head, sizeof head);
    f->linktype = 0;
}

static void to_null_big_endian(struct test_frame *f)
{
    uint8_t head[4] = {0, 0, 0, is_ipv6(f) ? 24 : 2};
    test_replace(f, 0, ETH, head, sizeof head);
    f->linktype = 0;
}

static void to_loop(struct test_frame *f)
{
    to_null_big_endian(f);
    f->linktype = LINK_LOOP;
}

START_TEST(every_link_type_carries_the_same)
{
    UNCHANGED_BY(to_sll);
    UNCHANGED_BY(to_sll2);
    IP_UNCHANGED_BY(to_raw_12);
    IP_UNCHANGED_BY(to_raw_101);
    IP_UNCHANGED_BY(to_raw_by_version);
    IP_UNCHANGED_BY(to_null_little_endian);
    IP_UNCHANGED_BY(to_null_big_endian);
    IP_UNCHANGED_BY(to_loop);
}
END_TEST

START_TEST(macs_are_given_where_the_link_type_has_them)
{
    struct test_frame f = test_frame_of(samples[0].name, samples[0].number), original = f;
    struct trace_packet p;
    to_sll(&f);
    p = test_decode(&f);
    ck_assert_mem_eq(p.src_mac, original.b + 6, 6);
    ck_assert_ptr_null(p.dst_mac);
    f.b[5] = 0; /* loopback has no address */
    ck_assert_ptr_null(test_decode(&f).src_mac);
    f = original;
    to_sll2(&f);
    p = test_decode(&f);
    ck_assert_mem_eq(p.src_mac, original.b + 6, 6);
    f = original;
    to_raw_12(&f);
    ck_assert_ptr_null(test_decode(&f).src_mac);
}
END_TEST

START_TEST(an_unknown_link_type_is_other)
{
    struct test_frame f = test_frame_of(samples[0].name, samples[0].number);
    f.linktype = 147;
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
}
END_TEST

/* ---- tags, padding ---- */

static void vlan(struct test_frame *f)
{
    test_replace(f, 12, 0, "\x81\x00\xa0\x64", 4);
}

static void priority_tag(struct test_frame *f)
{
    test_replace(f, 12, 0, "\x81\x00\xa0\x00", 4);
}

static void qinq(struct test_frame *f)
{
    test_replace(f, 12, 0, "\x88\xa8\x00\xc8\x81\x00\x00\x64", 8);
}

static void old_qinq(struct test_frame *f)
{
    test_replace(f, 12, 0, "\x91\x00\x00\xc8\x81\x00\x00\x64", 8);
}

static void frame_check_sequence(struct test_frame *f)
{
    test_replace(f, f->n, 0, "\xde\xad\xbe\xef", 4);
}

static void sll_vlan(struct test_frame *f)
{
    vlan(f);
    to_sll(f);
}

START_TEST(tags_and_trailers_are_stepped_over)
{
    UNCHANGED_BY(vlan);
    UNCHANGED_BY(priority_tag);
    UNCHANGED_BY(qinq);
    UNCHANGED_BY(old_qinq);
    UNCHANGED_BY(sll_vlan);
    UNCHANGED_BY(frame_check_sequence);
}
END_TEST

START_TEST(the_innermost_vlan_is_told)
{
    struct test_frame real = test_frame_of(samples[0].name, samples[0].number), f = real;
    qinq(&f);
    struct trace_packet p = test_decode(&f);
    ck_assert(p.vlan_present);
    ck_assert_uint_eq(p.vlan, 100);
    f = real;
    priority_tag(&f);
    ck_assert(!test_decode(&f).vlan_present);
}
END_TEST

/* ---- tunnels ---- */

static const uint8_t outer_mac[12] = {2, 0, 0, 0, 0x99, 1, 2, 0, 0, 0, 0x99, 2};

static void in_ipv4(struct test_frame *f, uint8_t protocol)
{
    size_t total = f->n + 20;
    uint8_t head[34] = {[12] = 0x08, 0x00, 0x45, 0, (uint8_t)(total >> 8), (uint8_t)total, [22] = 64, protocol,
                        [26] = 192, 0, 2, 1, 192, 0, 2, 2};
    memcpy(head, outer_mac, sizeof outer_mac);
    test_replace(f, 0, 0, head, sizeof head);
}

static void in_ipv6(struct test_frame *f, uint8_t next)
{
    size_t n = f->n;
    uint8_t head[54] = {[12] = 0x86, 0xdd, 0x60, [18] = (uint8_t)(n >> 8), (uint8_t)n, next, 64,
                        [22] = 0x20, 1, 0x0d, 0xb8, [37] = 1, [38] = 0x20, 1, 0x0d, 0xb8, [53] = 2};
    memcpy(head, outer_mac, sizeof outer_mac);
    test_replace(f, 0, 0, head, sizeof head);
}

static void vxlan_header(struct test_frame *f, uint16_t port)
{
    size_t n = f->n + 16;
    uint8_t head[16] = {0xc0, 0, (uint8_t)(port >> 8), (uint8_t)port, (uint8_t)(n >> 8), (uint8_t)n, 0, 0, 0x08, [14] = 77};
    test_replace(f, 0, 0, head, sizeof head);
}

static void vxlan(struct test_frame *f)
{
    vxlan_header(f, 4789);
    in_ipv4(f, 17);
}

static void vxlan_of_linux(struct test_frame *f)
{
    vxlan_header(f, 8472);
    in_ipv4(f, 17);
}

static void vxlan_over_ipv6(struct test_frame *f)
{
    vxlan_header(f, 4789);
    in_ipv6(f, 17);
}

static void gre(struct test_frame *f, const char *head, size_t n)
{
    test_replace(f, 0, 0, head, n);
    in_ipv4(f, 47);
}

static void gre_ethernet(struct test_frame *f)
{
    gre(f, "\0\0\x65\x58", 4);
}

static void gre_key_and_sequence(struct test_frame *f)
{
    gre(f, "\x30\0\x65\x58\0\0\0\7\0\0\0\1", 12);
}

static void gre_checksum(struct test_frame *f)
{
    gre(f, "\x80\0\x65\x58\0\0\0\0", 8);
}

static void gre_over_ipv6(struct test_frame *f)
{
    test_replace(f, 0, 0, "\0\0\x65\x58", 4);
    in_ipv6(f, 47);
}

static void gre_ip(struct test_frame *f)
{
    test_replace(f, 0, 12, "\0\0", 2);
    in_ipv4(f, 47);
}

static void erspan_1(struct test_frame *f)
{
    gre(f, "\0\0\x88\xbe", 4);
}

static void erspan_2(struct test_frame *f)
{
    gre(f, "\x10\0\x88\xbe\0\0\0\0\x10\0\0\x64\0\0\0\0", 16);
}

static void erspan_3(struct test_frame *f)
{
    gre(f, "\x10\0\x22\xeb\0\0\0\0\x20\0\0\x64\x12\x34\x56\x78\0\0\0\0", 20);
}

static void erspan_3_with_subheader(struct test_frame *f)
{
    gre(f, "\x10\0\x22\xeb\0\0\0\0\x20\0\0\x64\x12\x34\x56\x78\0\0\0\1\1\2\3\4\5\6\7\x8", 28);
}

static void erspan_3_ip(struct test_frame *f)
{
    test_replace(f, 0, ETH, "", 0);
    gre(f, "\x10\0\x22\xeb\0\0\0\0\x20\0\0\x64\x12\x34\x56\x78\0\0\x08\0", 20);
}

static void ip_in_ip(struct test_frame *f)
{
    uint8_t protocol = is_ipv6(f) ? 41 : 4;
    test_replace(f, 0, ETH, "", 0);
    in_ipv4(f, protocol);
}

static void vxlan_in_vlan_in_erspan(struct test_frame *f)
{
    vxlan(f);
    vlan(f);
    erspan_2(f);
}

START_TEST(mirror_tunnels_are_removed)
{
    UNCHANGED_BY(vxlan);
    UNCHANGED_BY(vxlan_of_linux);
    UNCHANGED_BY(vxlan_over_ipv6);
    UNCHANGED_BY(gre_ethernet);
    UNCHANGED_BY(gre_key_and_sequence);
    UNCHANGED_BY(gre_checksum);
    UNCHANGED_BY(gre_over_ipv6);
    IP_UNCHANGED_BY(gre_ip);
    UNCHANGED_BY(erspan_1);
    UNCHANGED_BY(erspan_2);
    UNCHANGED_BY(erspan_3);
    UNCHANGED_BY(erspan_3_with_subheader);
    IP_UNCHANGED_BY(erspan_3_ip);
    IP_UNCHANGED_BY(ip_in_ip);
    UNCHANGED_BY(vxlan_in_vlan_in_erspan);
}
END_TEST

START_TEST(the_vlan_of_the_inner_frame_counts)
{
    struct test_frame f = test_frame_of(samples[0].name, samples[0].number);
    vxlan(&f);
    vlan(&f);
    ck_assert(!test_decode(&f).vlan_present);
}
END_TEST

START_TEST(a_tunnel_header_that_is_none_leaves_the_packet_other)
{
    struct test_frame real = test_frame_of(samples[0].name, samples[0].number), f = real;
    vxlan(&f);
    f.b[34 + 8] = 0; /* no valid VNI */
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
    f = real;
    gre(&f, "\0\1\x65\x58", 4); /* PPTP's version */
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
    f = real;
    gre(&f, "\x10\0\x22\xeb\0\0\0\0\x20\0\0\x64\x12\x34\x56\x78\0\0\x04\0", 20); /* frame type: CPRI or so */
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    struct test_frame f = test_frame_of(samples[0].name, samples[0].number);
    for (int i = 0; i < 8; i++)
        gre_ethernet(&f);
    ck_assert_int_eq(test_decode(&f).proto, TRACE_TCP);
    gre_ethernet(&f);
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
}
END_TEST

/* A mirror that cuts: the outer lengths fit the cut frame, the inner ones tell the truth. */
START_TEST(a_frame_cut_by_the_mirror_says_how_long_it_was)
{
    struct test_frame f = test_frame_of(samples[0].name, samples[0].number);
    f.n = f.wire_len = f.n - 100;
    erspan_2(&f);
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_TCP);
    ck_assert(p.cut);
    ck_assert_uint_eq(p.payload_wire_len, 156);
    ck_assert_uint_eq(smc_view_len(p.payload), 56);
}
END_TEST

/* ---- cuts inside of every tunnel ---- */

START_TEST(a_tunnel_may_be_cut_anywhere)
{
    static change_fn *const changes[] = {to_sll, to_sll2, to_null_little_endian, qinq, vxlan, vxlan_over_ipv6, gre_key_and_sequence,
                                         gre_checksum, gre_ip, erspan_1, erspan_2, erspan_3_with_subheader, erspan_3_ip,
                                         ip_in_ip, vxlan_in_vlan_in_erspan};
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t k = 0; k < sizeof changes / sizeof changes[0]; k++) {
            struct test_frame f = test_frame_of(samples[i].name, samples[i].number);
            changes[k](&f);
            struct trace_packet whole = test_decode(&f);
            for (size_t n = 0; n <= f.n; n++) {
                uint8_t *exact = malloc(n > 0 ? n : 1);
                memcpy(exact, f.b, n);
                struct trace_raw raw = test_raw(&f);
                raw.bytes = smc_view_of(exact, n);
                struct trace_packet p;
                trace_packet_decode(&raw, true, &p);
                ck_assert(p.proto == TRACE_OTHER || p.proto == whole.proto);
                if (p.proto != TRACE_OTHER)
                    ck_assert_uint_eq(p.payload_wire_len, whole.payload_wire_len);
                free(exact);
            }
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("packet carriers");
    TCase *t = tcase_create("carriers");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_link_type_carries_the_same);
    tcase_add_test(t, macs_are_given_where_the_link_type_has_them);
    tcase_add_test(t, an_unknown_link_type_is_other);
    tcase_add_test(t, tags_and_trailers_are_stepped_over);
    tcase_add_test(t, the_innermost_vlan_is_told);
    tcase_add_test(t, mirror_tunnels_are_removed);
    tcase_add_test(t, the_vlan_of_the_inner_frame_counts);
    tcase_add_test(t, a_tunnel_header_that_is_none_leaves_the_packet_other);
    tcase_add_test(t, nesting_is_bounded);
    tcase_add_test(t, a_frame_cut_by_the_mirror_says_how_long_it_was);
    tcase_add_test(t, a_tunnel_may_be_cut_anywhere);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(make_suite)
