/* Tests on what real kernels sent, and on the synthetic captures in the RFC's own form: every message is parsed, breaks
 * no rule by itself, and is encoded as it was.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "pcap_test.h"

#include "wire/cdc.h"
#include "wire/clc.h"
#include "wire/llc.h"
#include "wire/tcp_option.h"

struct seen {
    const char *file;
    unsigned clc, llc, cdc, options;
};

/* A reserved value is the receiver's to decline [CLC-009]; one capture shows that. */
static void broken(void *ctx, const struct smc_reject *why)
{
    const struct seen *seen = ctx;
    if (strcmp(why->rule, "CLC-009") == 0 && strcmp(seen->file, "synthetic/decline-phases") == 0)
        return;
    ck_abort_msg("%s: %s %s", seen->file, why->rule, why->what);
}

static size_t encode_again(const struct smc_parsed *m, uint8_t *buf, size_t cap)
{
    struct smc_clc_proposal_info proposal;
    struct smc_clc_accept_info accept;
    struct smc_clc_decline_info decline;
    if (smc_clc_decode_proposal(m, &proposal))
        return smc_clc_encode_proposal(&proposal, buf, cap);
    if (smc_clc_decode_accept(m, &accept))
        return smc_clc_encode_accept(&accept, buf, cap);
    ck_assert(smc_clc_decode_decline(m, &decline));
    return smc_clc_encode_decline(&decline, buf, cap);
}

static void see_clc(struct seen *seen, struct smc_view payload)
{
    uint8_t again[SMC_CLC_MAX_PROPOSAL];
    struct smc_parsed m;
    struct smc_reject why;
    size_t n;
    if (smc_view_len(payload) < 8 || !smc_is_eyecatcher(payload.p))
        return;
    if (smc_clc_frame(payload, &n, &why) != SMC_FRAME_OK)
        return; /* a segment of a message that was split */
    struct smc_view bytes = smc_view_sub(payload, 0, n);
    ck_assert_msg(smc_clc_parse(bytes, &m, &why), "%s: %s %s", seen->file, why.rule, why.what);
    smc_clc_check(&m, broken, seen);
    ck_assert_msg(encode_again(&m, again, sizeof(again)) == n && memcmp(again, bytes.p, n) == 0,
                  "%s: %s", seen->file, m.message->title);
    seen->clc++;
}

static void see_cdc(struct seen *seen, struct smc_view payload)
{
    uint8_t again[smc_cdc_size];
    struct smc_cdc h;
    struct smc_cdc_fields fields;
    struct smc_reject why;
    ck_assert_msg(smc_cdc_parse(payload, &h, &why), "%s: %s %s", seen->file, why.rule, why.what);
    smc_cdc_decode(h, &fields);
    smc_cdc_encode(&fields, again);
    ck_assert_mem_eq(again, payload.p, sizeof(again));
    seen->cdc++;
}

static void see_send(struct seen *seen, struct smc_view payload)
{
    uint8_t again[SMC_LLC_V2_MAX];
    struct smc_llc_info info;
    struct smc_reject why;
    if (smc_llc_classify(payload) == SMC_LLC_CDC) {
        see_cdc(seen, payload);
        return;
    }
    ck_assert_msg(smc_llc_decode(payload, &info, &why), "%s: %s %s", seen->file, why.rule,
                  why.what);
    ck_assert_msg(info.length_order != SMC_FITS_NONE, "%s", seen->file);
    ck_assert_uint_eq(smc_llc_encode(&info, again, sizeof(again)), smc_view_len(payload));
    ck_assert_msg(memcmp(again, payload.p, smc_view_len(payload)) == 0, "%s: type 0x%02x",
                  seen->file, payload.p[0]);
    seen->llc++;
}

static void see_roce(struct seen *seen, struct smc_view packet)
{
    struct smc_bth bth;
    bool v4 = packet.p[0] >> 4 == 4;
    size_t at = v4 ? smc_ipv4_size + smc_udp_size
                   : smc_ipv6_size + (packet.p[6] == 17 ? (size_t)smc_udp_size : 0);
    if (!smc_bth_at(packet, at, &bth) || smc_bth_opcode(bth) != SMC_BTH_SEND_ONLY)
        return;
    size_t around = at + smc_bth_size + smc_bth_pad(bth) + 4;
    ck_assert_uint_gt(smc_view_len(packet), around);
    see_send(seen, smc_view_sub(packet, at + smc_bth_size, smc_view_len(packet) - around));
}

static void see_tcp(struct seen *seen, struct smc_view frame)
{
    struct smc_eth eth;
    struct smc_tcp tcp;
    struct smc_ipv4 v4;
    struct smc_ipv6 v6;
    size_t end, at = smc_eth_size + smc_ipv4_size;
    if (!smc_eth_at(frame, 0, &eth))
        return;
    if (smc_eth_ethertype(eth) == SMC_ETHERTYPE_IPV4 && smc_ipv4_at(frame, smc_eth_size, &v4) &&
        smc_ipv4_protocol(v4) == 6) {
        end = smc_eth_size + smc_ipv4_total_length(v4);
    } else if (smc_eth_ethertype(eth) == SMC_ETHERTYPE_IPV6 &&
               smc_ipv6_at(frame, smc_eth_size, &v6) && smc_ipv6_next_header(v6) == 6) {
        at = smc_eth_size + smc_ipv6_size;
        end = at + smc_ipv6_payload_length(v6);
    } else {
        return;
    }
    struct smc_view segment = smc_view_sub(frame, at, end - at);
    if (!smc_tcp_at(segment, 0, &tcp))
        return;
    size_t header = (size_t)smc_tcp_data_offset(tcp) * 4;
    struct smc_view options = smc_view_sub(segment, smc_tcp_size, header - smc_tcp_size);
    if (smc_tcp_syn(tcp))
        seen->options += smc_tcp_option_find(options, NULL, NULL) == SMC_OPTION_PRESENT;
    see_clc(seen, smc_view_sub(segment, header, SIZE_MAX));
}

static struct seen look(const char *name)
{
    struct seen seen = {.file = name};
    struct file f = load_from(SMCLAB_SOURCE_DIR, name);
    struct smc_view frame;
    for (size_t at = 24; next_frame(&f, &at, &frame);) {
        struct smc_view packet = roce_of(frame);
        if (smc_view_len(packet) > 0)
            see_roce(&seen, packet);
        else
            see_tcp(&seen, frame);
    }
    free(f.bytes);
    return seen;
}

/* What each file holds at least: CLC messages in one segment, LLC, CDC, SYNs with the option. */
static const struct seen captures[] = {
    {"captures/6.1.192-v2-a-clc-only-then-hang", 3, 0, 0, 2},
    {"captures/6.12.107-smclo-v1pure-a-first-contact", 3, 8, 4, 2},
    {"captures/6.12.107-smclo-v1pure-b2-sizes", 3, 8, 22, 2},
    {"captures/6.12.107-smclo-v1pure-d2-half-close-peer-sends", 3, 8, 5, 2},
    {"captures/6.12.107-smclo-v1pure-e3-close-with-unread", 3, 8, 5, 2},
    {"captures/6.12.107-smclo-v1pure-g-two-links-add-link", 3, 12, 12, 2},
    {"captures/6.12.107-smclo-v1pure-g6-failover-delete-rxe1", 6, 18, 106, 4},
    {"captures/6.12.107-smclo-v1pure-i-ipv6", 3, 8, 4, 2},
    {"captures/6.12.107-smclo-v1pure-j-first-contact-testlink", 3, 14, 6, 2},
    {"captures/6.12.107-v2-a-first-contact", 3, 8, 4, 2},
    {"captures/6.12.107-v2-b-subsequent-contact", 3, 8, 4, 2},
    {"captures/6.12.107-v2-c-bulk-4MB-snap160", 0, 8, 127, 2},
    {"captures/6.12.107-v2-c2-slow-reader-300kB", 3, 8, 31, 2},
    {"captures/6.12.107-v2-d-half-close", 3, 8, 5, 2},
    {"captures/6.12.107-v2-f3-decline-no-device-server", 2, 0, 0, 2},
    {"captures/6.12.107-v2-f5-decline-eid-mismatch", 2, 0, 0, 2},
    {"captures/6.12.107-v2-g-two-links-add-link", 3, 10, 12, 2},
    {"captures/6.12.107-v2-g2-failover-server-link-down", 6, 12, 106, 4},
    {"captures/7.3.4-smclo-smcd-a-first-contact", 3, 0, 0, 2},
    {"captures/7.3.4-smclo-smcd-d-half-close", 3, 0, 0, 2},
    {"captures/7.3.4-smclo-smcd-f5-no-eid", 2, 0, 0, 2},
    {"captures/7.3.4-smclo-v2-e1-linger0", 3, 8, 4, 2},
    {"captures/7.3.4-smclo-v2-e4-lgr-terminate-active", 3, 21, 44, 2},
    {"captures/7.3.4-smclo-v2-k-urgent", 3, 8, 4, 2},
    {"synthetic/abort", 9, 5, 11, 6},
    {"synthetic/asymmetric-rkey-continuation", 12, 56, 24, 8},
    {"synthetic/continuation-client-heavy", 15, 23, 20, 10},
    {"synthetic/continuation-server-heavy", 15, 24, 20, 10},
    {"synthetic/decline-out-of-sync", 9, 16, 8, 6},
    {"synthetic/decline-phases", 17, 17, 0, 13},
    {"synthetic/delete-all-open", 6, 9, 5, 4},
    {"synthetic/delete-link", 6, 38, 20, 4},
    {"synthetic/early-data", 10, 5, 13, 6},
    {"synthetic/eight-links", 12, 77, 16, 8},
    {"synthetic/failover-merged", 6, 15, 28, 4},
    {"synthetic/failover-same-numbers", 6, 18, 38, 4},
    {"synthetic/first-contact-ipv6", 1, 8, 6, 2},
    {"synthetic/first-contact-rocev1", 3, 5, 6, 2},
    {"synthetic/half-close", 9, 5, 15, 6},
    {"synthetic/link-timeouts", 9, 26, 2, 6},
    {"synthetic/loss-go-back-n", 3, 5, 14, 2},
    {"synthetic/ring-wrap-eyecatcher", 3, 5, 30, 2},
    {"synthetic/rkey-flows", 15, 57, 22, 10},
    {"synthetic/shared-rmb", 15, 5, 34, 10},
    {"synthetic/simultaneous-close", 9, 5, 11, 6},
    {"synthetic/smcd-records-be", 9, 0, 0, 6},
    {"synthetic/smcd-records-le", 6, 0, 0, 4},
    {"synthetic/smcd-v1-clc", 6, 0, 0, 4},
    {"synthetic/smcd-v2-seid-clc", 6, 0, 0, 4},
    {"synthetic/two-links-continuation", 21, 40, 48, 14},
    {"synthetic/urgent", 6, 5, 21, 4},
    {"synthetic/v2-big-endian", 11, 28, 22, 8},
};

START_TEST(every_message_is_parsed_and_encoded_as_it_was)
{
    const struct seen *expected = &captures[_i];
    struct seen seen = look(expected->file);
    ck_assert_uint_ge(seen.clc, expected->clc);
    ck_assert_uint_ge(seen.llc, expected->llc);
    ck_assert_uint_ge(seen.cdc, expected->cdc);
    ck_assert_uint_ge(seen.options, expected->options);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("captures");
    TCase *tc = tcase_create("captures");
    tcase_add_loop_test(tc, every_message_is_parsed_and_encoded_as_it_was, 0,
                        sizeof(captures) / sizeof(captures[0]));
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)
