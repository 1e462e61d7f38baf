/* Layouts of the LLC messages, v1 and v2. The v2 messages share the v1 bodies; only the first four bytes differ.
 * SPDX-License-Identifier: BSD-3-Clause */

#ifndef SMC_WIRE_LLC_LAYOUTS_H
#define SMC_WIRE_LLC_LAYOUTS_H

#include "layout.h"
#include "values.h"


/* LLC header v1. Source: RFC 7609 A.3 */
#define SMC_FIELDS_llc_header(F, L)                                     \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")             \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")        \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")  \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response") \
    F(L, flags, 3, 1, 0x7f, UINT, HEX, ANY, 0, 0, NULL, "flags")
SMC_LAYOUT(llc_header, 4)

/* LLC header v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_header_v2(F, L)                                  \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")             \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")         \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response") \
    F(L, flags, 3, 1, 0x7f, UINT, HEX, ANY, 0, 0, NULL, "flags")
SMC_LAYOUT(llc_header_v2, 4)

/* CONFIRM LINK. Source: RFC 7609 A.3.1 */
#define SMC_FIELDS_llc_confirm_link(F, L)                                                 \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                               \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                          \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                    \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                   \
    F(L, reserved2, 3, 1, 0x7c, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                 \
    F(L, no_eyecatcher, 3, 1, 0x03, UINT, HEX, ANY, 0, 0, NULL, "no RMBE eyecatcher (3)") \
    F(L, mac, 4, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender MAC")                         \
    F(L, gid, 10, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "sender GID")                       \
    F(L, qpn, 26, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "sender QP number")                   \
    F(L, link_number, 29, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")                \
    F(L, link_user_id, 30, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "sender link user id")       \
    F(L, max_links, 34, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max links")                    \
    F(L, max_conns, 35, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max connections (v2.1)")       \
    F(L, reserved3, 36, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_confirm_link, 44)

/* ADD LINK. Source: RFC 7609 A.3.2, wire form */
#define SMC_FIELDS_llc_add_link(F, L)                                                             \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                                       \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                                  \
    F(L, reserved1, 2, 1, 0xf0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                         \
    F(L, reject_reason, 2, 1, 0x0f, UINT, DEC, ANY, 0, 0, smc_values_llc_reject, "reject reason") \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                           \
    F(L, reject, 3, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "rejected")                             \
    F(L, reserved2, 3, 1, 0x3f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                         \
    F(L, mac, 4, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender MAC")                                 \
    F(L, reserved3, 10, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                           \
    F(L, gid, 12, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "sender GID")                               \
    F(L, qpn, 28, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "sender QP number")                           \
    F(L, link_number, 31, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")                        \
    F(L, reserved4, 32, 1, 0xf0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                        \
    F(L, mtu, 32, 1, 0x0f, UINT, DEC, ANY, 0, 0, smc_values_clc_mtu, "QP MTU")                    \
    F(L, psn, 33, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "initial PSN")                                \
    F(L, reserved5, 36, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_add_link, 44)

/* ADD LINK CONTINUATION. Source: RFC 7609 A.3.3 */
#define SMC_FIELDS_llc_add_link_cont(F, L)                                                                  \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                                                 \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                                            \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                      \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                                     \
    F(L, reserved2, 3, 1, 0x7f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                   \
    F(L, link_number, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")                                   \
    F(L, rtoken_count, 5, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "RTokens still to come, this message included") \
    F(L, reserved3, 6, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                      \
    F(L, ref_rkey1, 8, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "reference rkey 1")                                \
    F(L, new_rkey1, 12, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "new rkey 1")                                     \
    F(L, new_va1, 16, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "new virtual address 1")                            \
    F(L, ref_rkey2, 24, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "reference rkey 2")                               \
    F(L, new_rkey2, 28, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "new rkey 2")                                     \
    F(L, new_va2, 32, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "new virtual address 2")                            \
    F(L, reserved4, 40, 4, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_add_link_cont, 44)

/* DELETE LINK. Source: RFC 7609 A.3.4 */
#define SMC_FIELDS_llc_delete_link(F, L)                                             \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                          \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                     \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")               \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")              \
    F(L, all, 3, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "all links")                  \
    F(L, orderly, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "orderly")                \
    F(L, reserved2, 3, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")            \
    F(L, link_number, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")            \
    F(L, reason, 5, 4, 0, UINT, HEX, ANY, 0, 0, smc_values_llc_del_reason, "reason") \
    F(L, reserved3, 9, 35, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_delete_link, 44)

/* CONFIRM RKEY. Source: RFC 7609 A.3.5 */
#define SMC_FIELDS_llc_confirm_rkey(F, L)                                                  \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                                \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                           \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                     \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                    \
    F(L, reserved2, 3, 1, 0x40, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                  \
    F(L, negative, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "negative")                    \
    F(L, retry, 3, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "configuration retry")            \
    F(L, reserved3, 3, 1, 0x0f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                  \
    F(L, other_count, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "number of other-link RTokens") \
    F(L, rkey, 5, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "new rkey on this link")               \
    F(L, va, 9, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "new virtual address on this link")      \
    F(L, link1, 17, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "other link 1, number")              \
    F(L, rkey1, 18, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 1, rkey")                \
    F(L, va1, 22, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 1, virtual address")       \
    F(L, link2, 30, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "other link 2, number")              \
    F(L, rkey2, 31, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 2, rkey")                \
    F(L, va2, 35, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 2, virtual address")       \
    F(L, reserved4, 43, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_confirm_rkey, 44)

/* CONFIRM RKEY CONTINUATION. Source: RFC 7609 A.3.6 */
#define SMC_FIELDS_llc_confirm_rkey_cont(F, L)                                                              \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                                                 \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                                            \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                      \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                                     \
    F(L, reserved2, 3, 1, 0x40, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                   \
    F(L, negative, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "negative")                                     \
    F(L, reserved3, 3, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                   \
    F(L, rtoken_count, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "RTokens still to come, this message included") \
    F(L, link1, 5, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link 1, number")                                      \
    F(L, rkey1, 6, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "link 1, rkey")                                        \
    F(L, va1, 10, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "link 1, virtual address")                              \
    F(L, link2, 18, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link 2, number")                                     \
    F(L, rkey2, 19, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "link 2, rkey")                                       \
    F(L, va2, 23, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "link 2, virtual address")                              \
    F(L, link3, 31, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link 3, number")                                     \
    F(L, rkey3, 32, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "link 3, rkey")                                       \
    F(L, va3, 36, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "link 3, virtual address")
SMC_LAYOUT(llc_confirm_rkey_cont, 44)

/* TEST LINK. Source: RFC 7609 A.3.8 */
#define SMC_FIELDS_llc_test_link(F, L)                                    \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")               \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")          \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")    \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")   \
    F(L, reserved2, 3, 1, 0x7f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, user_data, 4, 16, 0, BYTES, HEX, ANY, 0, 0, NULL, "user data")   \
    F(L, reserved3, 20, 24, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_test_link, 44)

/* DELETE RKEY. Source: RFC 7609 A.3.7 */
#define SMC_FIELDS_llc_delete_rkey(F, L)                                  \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")               \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")          \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")    \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")   \
    F(L, reserved2, 3, 1, 0x40, UINT, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, negative, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "negative")   \
    F(L, reserved3, 3, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, count, 4, 1, 0, UINT, DEC, IN, 1, 8, NULL, "number of rkeys")    \
    F(L, error_mask, 5, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "error mask")   \
    F(L, reserved4, 6, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")    \
    F(L, rkey1, 8, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 1")            \
    F(L, rkey2, 12, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 2")           \
    F(L, rkey3, 16, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 3")           \
    F(L, rkey4, 20, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 4")           \
    F(L, rkey5, 24, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 5")           \
    F(L, rkey6, 28, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 6")           \
    F(L, rkey7, 32, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 7")           \
    F(L, rkey8, 36, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey 8")           \
    F(L, reserved5, 40, 4, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_delete_rkey, 44)

/* CONFIRM LINK v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_confirm_link_v2(F, L)                                              \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                               \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")                           \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                   \
    F(L, reserved2, 3, 1, 0x7c, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                 \
    F(L, no_eyecatcher, 3, 1, 0x03, UINT, HEX, ANY, 0, 0, NULL, "no RMBE eyecatcher (3)") \
    F(L, mac, 4, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender MAC")                         \
    F(L, gid, 10, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "sender GID")                       \
    F(L, qpn, 26, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "sender QP number")                   \
    F(L, link_number, 29, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")                \
    F(L, link_user_id, 30, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "sender link user id")       \
    F(L, max_links, 34, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max links")                    \
    F(L, max_conns, 35, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max connections (v2.1)")       \
    F(L, reserved3, 36, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_confirm_link_v2, 44)

/* ADD LINK v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_add_link_v2(F, L)                                       \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                    \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")                \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")        \
    F(L, reject, 3, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "rejected")          \
    F(L, reserved2, 3, 1, 0x3f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")      \
    F(L, mac, 4, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender MAC")              \
    F(L, reserved3, 10, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")        \
    F(L, gid, 12, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "sender GID")            \
    F(L, qpn, 28, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "sender QP number")        \
    F(L, link_number, 31, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")     \
    F(L, reserved4, 32, 1, 0xf0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")     \
    F(L, mtu, 32, 1, 0x0f, UINT, DEC, ANY, 0, 0, smc_values_clc_mtu, "QP MTU") \
    F(L, psn, 33, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "initial PSN")             \
    F(L, reserved5, 36, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_add_link_v2, 44)

/* DELETE LINK v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_delete_link_v2(F, L)                                          \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                          \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")                      \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")              \
    F(L, all, 3, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "all links")                  \
    F(L, orderly, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "orderly")                \
    F(L, reserved2, 3, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")            \
    F(L, link_number, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "link number")            \
    F(L, reason, 5, 4, 0, UINT, HEX, ANY, 0, 0, smc_values_llc_del_reason, "reason") \
    F(L, reserved3, 9, 35, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_delete_link_v2, 44)

/* CONFIRM RKEY v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_confirm_rkey_v2(F, L)                                               \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                                \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")                            \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                    \
    F(L, reserved2, 3, 1, 0x40, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                  \
    F(L, negative, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "negative")                    \
    F(L, retry, 3, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "configuration retry")            \
    F(L, reserved3, 3, 1, 0x0f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                  \
    F(L, other_count, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "number of other-link RTokens") \
    F(L, rkey, 5, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "new rkey on this link")               \
    F(L, va, 9, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "new virtual address on this link")      \
    F(L, link1, 17, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "other link 1, number")              \
    F(L, rkey1, 18, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 1, rkey")                \
    F(L, va1, 22, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 1, virtual address")       \
    F(L, link2, 30, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "other link 2, number")              \
    F(L, rkey2, 31, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 2, rkey")                \
    F(L, va2, 35, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "other link 2, virtual address")       \
    F(L, reserved4, 43, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_confirm_rkey_v2, 44)

/* TEST LINK v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_test_link_v2(F, L)                                 \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")               \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")           \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")   \
    F(L, reserved2, 3, 1, 0x7f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, user_data, 4, 16, 0, BYTES, HEX, ANY, 0, 0, NULL, "user data")   \
    F(L, reserved3, 20, 24, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_test_link_v2, 44)

/* DELETE RKEY v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_delete_rkey_v2(F, L)                                                        \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                                        \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")                                    \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")                            \
    F(L, reserved2, 3, 1, 0x40, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, negative, 3, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "negative")                            \
    F(L, reserved3, 3, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, count, 4, 1, 0, UINT, DEC, IN, 1, 255, NULL, "number of rkeys")                           \
    F(L, invalid_count, 5, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "number of invalid rkeys (response)") \
    F(L, reserved4, 6, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_delete_rkey_v2, 8)

/* rkey of a v2 DELETE RKEY. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_rkey(F, L)                           \
    F(L, rkey, 0, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey")
SMC_LAYOUT(llc_rkey, 4)

/* ADD LINK v2 extension. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_add_link_v2_ext(F, L)                                     \
    F(L, v2_direct, 0, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "v2 direct")        \
    F(L, reserved1, 0, 1, 0x7f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")        \
    F(L, reserved2, 1, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")           \
    F(L, target_gid, 2, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "client target GID") \
    F(L, reserved3, 18, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")         \
    F(L, rkey_count, 26, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "number of rkeys")
SMC_LAYOUT(llc_add_link_v2_ext, 28)

/* RToken pair. Source: RFC 7609 A.3.3 */
#define SMC_FIELDS_llc_rtoken(F, L)                                          \
    F(L, ref_rkey, 0, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "reference rkey")    \
    F(L, new_rkey, 4, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "new rkey")          \
    F(L, new_va, 8, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "new virtual address")
SMC_LAYOUT(llc_rtoken, 16)

/* REQUEST ADD LINK v2. Source: linux net/smc/smc_llc.c */
#define SMC_FIELDS_llc_req_add_link_v2(F, L)                                \
    F(L, type, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "type")                 \
    F(L, length, 1, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")             \
    F(L, response, 3, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "response")     \
    F(L, reject, 3, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "rejected")       \
    F(L, reserved2, 3, 1, 0x3f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")   \
    F(L, reserved3, 4, 20, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")    \
    F(L, gid_count, 24, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "number of GIDs") \
    F(L, reserved4, 25, 3, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(llc_req_add_link_v2, 28)

#endif
