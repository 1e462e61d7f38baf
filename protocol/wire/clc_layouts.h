/* Layouts of the CLC messages (Proposal, Accept, Confirm, Decline; v1, v2, v2.1; R and D) and of the TCP option.
 * Areas reached by an offset or a count are lists of their own; message.c ties them together.
 * SPDX-License-Identifier: BSD-3-Clause */

#ifndef SMC_WIRE_CLC_LAYOUTS_H
#define SMC_WIRE_CLC_LAYOUTS_H

#include "layout.h"
#include "values.h"


/* CLC header. Source: RFC 7609 A.2 */
#define SMC_FIELDS_clc_header(F, L)                                               \
    F(L, eyecatcher, 0, 4, 0, BYTES, EBCDIC, EYE, 0, 0, NULL, "eyecatcher")       \
    F(L, type, 4, 1, 0, UINT, DEC, IN, 1, 4, smc_values_clc_type, "message type") \
    F(L, length, 5, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "message length")           \
    F(L, version, 7, 1, 0xf0, UINT, DEC, IN, 1, 15, NULL, "version")              \
    F(L, flags, 7, 1, 0x0f, UINT, HEX, ANY, 0, 0, NULL, "flags")
SMC_LAYOUT(clc_header, 8)

/* CLC trailer. Source: RFC 7609 A.2 */
#define SMC_FIELDS_clc_trailer(F, L)                                            \
    F(L, eyecatcher, 0, 4, 0, BYTES, EBCDIC, EYE, 0, 0, NULL, "end eyecatcher")
SMC_LAYOUT(clc_trailer, 4)

/* CLC Proposal. Source: RFC 7609 A.2.2; linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_proposal(F, L)                                                            \
    F(L, eyecatcher, 0, 4, 0, BYTES, EBCDIC, EYE, 0, 0, NULL, "eyecatcher")                      \
    F(L, type, 4, 1, 0, UINT, DEC, IN, 1, 1, smc_values_clc_type, "message type")                \
    F(L, length, 5, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "message length")                          \
    F(L, version, 7, 1, 0xf0, UINT, DEC, IN, 1, 15, NULL, "version")                             \
    F(L, typev2, 7, 1, 0x0c, UINT, DEC, ANY, 0, 0, smc_values_clc_modes, "SMC v2 types offered") \
    F(L, typev1, 7, 1, 0x03, UINT, DEC, ANY, 0, 0, smc_values_clc_modes, "SMC v1 types offered") \
    F(L, instance, 8, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "sender peer id, instance")              \
    F(L, peer_mac, 10, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender peer id, MAC")                 \
    F(L, gid, 16, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "client preferred GID")                    \
    F(L, mac, 32, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "client preferred RoCE MAC")                \
    F(L, iparea_offset, 38, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "offset to IP mask/prefix area")
SMC_LAYOUT(clc_proposal, 40)

/* SMC-D and v2 locator area. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_smcd_area(F, L)                                                         \
    F(L, ism_gid, 0, 8, 0, BYTES, GID, ANY, 0, 0, NULL, "ISM GID")                             \
    F(L, chid, 8, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "ISM CHID")                                \
    F(L, v2_offset, 10, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "offset to v2 extension")            \
    F(L, oui, 12, 3, 0, BYTES, HEX, ANY, 0, 0, NULL, "vendor OUI")                             \
    F(L, vendor_options, 15, 5, 0, BYTES, HEX, ANY, 0, 0, NULL, "vendor experimental options") \
    F(L, reserved, 20, 20, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_smcd_area, 40)

/* IP mask/prefix area. Source: RFC 7609 A.2.2 */
#define SMC_FIELDS_clc_ip_area(F, L)                                                  \
    F(L, subnet, 0, 4, 0, UINT, IP4, ANY, 0, 0, NULL, "IPv4 subnet")                  \
    F(L, mask_len, 4, 1, 0, UINT, DEC, IN, 0, 32, NULL, "IPv4 subnet mask length")    \
    F(L, reserved, 5, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                 \
    F(L, prefix_count, 7, 1, 0, UINT, DEC, IN, 0, 8, NULL, "number of IPv6 prefixes")
SMC_LAYOUT(clc_ip_area, 8)

/* IPv6 prefix. Source: RFC 7609 A.2.2 */
#define SMC_FIELDS_clc_ip6_prefix(F, L)                                  \
    F(L, prefix, 0, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "IPv6 prefix")   \
    F(L, length, 16, 1, 0, UINT, DEC, IN, 0, 128, NULL, "prefix length")
SMC_LAYOUT(clc_ip6_prefix, 17)

/* v2 extension. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_v2_ext(F, L)                                                       \
    F(L, eid_count, 0, 1, 0, UINT, DEC, IN, 0, 8, NULL, "number of user EIDs")            \
    F(L, gid_count, 1, 1, 0, UINT, DEC, IN, 0, 8, NULL, "number of ISM GID/CHID entries") \
    F(L, reserved1, 2, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                    \
    F(L, release, 3, 1, 0xf0, UINT, DEC, ANY, 0, 0, NULL, "SMC release")                  \
    F(L, reserved2, 3, 1, 0x0e, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                 \
    F(L, seid_valid, 3, 1, 0x01, UINT, FLAG, ANY, 0, 0, NULL, "SEID valid")               \
    F(L, reserved3, 4, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                    \
    F(L, d_offset, 6, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "offset to SMC-Dv2 extension")    \
    F(L, roce_gid, 8, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "RoCEv2 GID")                   \
    F(L, max_conns, 24, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max connections")              \
    F(L, max_links, 25, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max links")                    \
    F(L, features, 26, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "feature mask")                  \
    F(L, reserved4, 28, 12, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_v2_ext, 40)

/* user EID. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_eid(F, L)                              \
    F(L, eid, 0, 32, 0, BYTES, ASCII, ANY, 0, 0, NULL, "EID")
SMC_LAYOUT(clc_eid, 32)

/* SMC-Dv2 extension. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_d_ext(F, L)                                       \
    F(L, seid, 0, 32, 0, BYTES, ASCII, ANY, 0, 0, NULL, "system EID")    \
    F(L, reserved, 32, 16, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_d_ext, 48)

/* ISM GID and CHID. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_gid_chid(F, L)                          \
    F(L, gid, 0, 8, 0, BYTES, GID, ANY, 0, 0, NULL, "ISM GID") \
    F(L, chid, 8, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "CHID")
SMC_LAYOUT(clc_gid_chid, 10)

/* CLC Accept/Confirm, SMC-R. Source: RFC 7609 A.2.3, A.2.4 */
#define SMC_FIELDS_clc_accept_r(F, L)                                               \
    F(L, eyecatcher, 0, 4, 0, BYTES, EBCDIC, EYE, 0, 0, NULL, "eyecatcher")         \
    F(L, type, 4, 1, 0, UINT, DEC, IN, 2, 3, smc_values_clc_type, "message type")   \
    F(L, length, 5, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "message length")             \
    F(L, version, 7, 1, 0xf0, UINT, DEC, IN, 1, 15, NULL, "version")                \
    F(L, first_contact, 7, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "first contact")   \
    F(L, reserved1, 7, 1, 0x04, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")           \
    F(L, path, 7, 1, 0x03, UINT, DEC, ANY, 0, 0, smc_values_clc_path, "path type")  \
    F(L, instance, 8, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "sender peer id, instance") \
    F(L, peer_mac, 10, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender peer id, MAC")    \
    F(L, gid, 16, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "sender GID")                 \
    F(L, mac, 32, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender MAC")                  \
    F(L, qpn, 38, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "QP number")                    \
    F(L, rkey, 41, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "RMB rkey")                    \
    F(L, rmbe_index, 45, 1, 0, UINT, DEC, IN, 1, 255, NULL, "RMBE index")           \
    F(L, token, 46, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "RMBE alert token")           \
    F(L, bsize, 50, 1, 0xf0, UINT, DEC, ANY, 0, 0, NULL, "compressed RMBE size")    \
    F(L, mtu, 50, 1, 0x0f, UINT, DEC, ANY, 0, 0, smc_values_clc_mtu, "QP MTU")      \
    F(L, reserved2, 51, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")             \
    F(L, rmb_va, 52, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "RMB virtual address")       \
    F(L, reserved3, 60, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")             \
    F(L, psn, 61, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "initial PSN")
SMC_LAYOUT(clc_accept_r, 64)

/* SMC-R v2 part of Accept/Confirm. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_accept_r_v2(F, L)                                 \
    F(L, eid, 0, 32, 0, BYTES, ASCII, ANY, 0, 0, NULL, "negotiated EID") \
    F(L, reserved, 32, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_accept_r_v2, 40)

/* CLC Accept/Confirm, SMC-D. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_accept_d(F, L)                                              \
    F(L, eyecatcher, 0, 4, 0, BYTES, EBCDIC, EYE, 0, 0, NULL, "eyecatcher")        \
    F(L, type, 4, 1, 0, UINT, DEC, IN, 2, 3, smc_values_clc_type, "message type")  \
    F(L, length, 5, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "message length")            \
    F(L, version, 7, 1, 0xf0, UINT, DEC, IN, 1, 15, NULL, "version")               \
    F(L, first_contact, 7, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "first contact")  \
    F(L, reserved1, 7, 1, 0x04, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")          \
    F(L, path, 7, 1, 0x03, UINT, DEC, ANY, 0, 0, smc_values_clc_path, "path type") \
    F(L, gid, 8, 8, 0, BYTES, GID, ANY, 0, 0, NULL, "sender ISM GID")              \
    F(L, token, 16, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "DMB token")                 \
    F(L, dmbe_index, 24, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "DMBE index")           \
    F(L, bsize, 25, 1, 0xf0, UINT, DEC, ANY, 0, 0, NULL, "compressed DMBE size")   \
    F(L, reserved2, 25, 1, 0x0f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")         \
    F(L, reserved3, 26, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")            \
    F(L, link_id, 28, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "link id")
SMC_LAYOUT(clc_accept_d, 32)

/* SMC-D v1 end of Accept/Confirm. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_accept_d_v1(F, L)                                \
    F(L, reserved, 0, 12, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_accept_d_v1, 12)

/* SMC-D v2 part of Accept/Confirm. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_accept_d_v2(F, L)                                  \
    F(L, chid, 0, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "CHID")               \
    F(L, eid, 2, 32, 0, BYTES, ASCII, ANY, 0, 0, NULL, "negotiated EID")  \
    F(L, gid_ext, 34, 8, 0, BYTES, GID, ANY, 0, 0, NULL, "GID extension")
SMC_LAYOUT(clc_accept_d_v2, 42)

/* first-contact extension. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_fce(F, L)                                                  \
    F(L, v2_direct, 0, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "v2 direct")         \
    F(L, reserved1, 0, 1, 0x7f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")         \
    F(L, os_type, 1, 1, 0xf0, UINT, DEC, ANY, 0, 0, smc_values_clc_os, "OS type") \
    F(L, release, 1, 1, 0x0f, UINT, DEC, ANY, 0, 0, NULL, "release")              \
    F(L, reserved2, 2, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")            \
    F(L, hostname, 4, 32, 0, BYTES, ASCII, ANY, 0, 0, NULL, "host name")
SMC_LAYOUT(clc_fce, 36)

/* first-contact extension, v2.x tail. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_fce_v2x(F, L)                                                          \
    F(L, max_conns, 0, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max connections")                   \
    F(L, max_links, 1, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "max links")                         \
    F(L, features, 2, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "feature mask")                       \
    F(L, vendor_options, 4, 4, 0, BYTES, HEX, ANY, 0, 0, NULL, "vendor experimental options") \
    F(L, reserved, 8, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_fce_v2x, 16)

/* GID list. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_gid_list(F, L)                                  \
    F(L, count, 0, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "number of GIDs") \
    F(L, reserved, 1, 3, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_gid_list, 4)

/* client RoCEv2 GID. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_gid(F, L)                            \
    F(L, gid, 0, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "GID")
SMC_LAYOUT(clc_gid, 16)

/* CLC Decline. Source: RFC 7609 A.2.5 */
#define SMC_FIELDS_clc_decline(F, L)                                                                        \
    F(L, eyecatcher, 0, 4, 0, BYTES, EBCDIC, EYE, 0, 0, NULL, "eyecatcher")                                 \
    F(L, type, 4, 1, 0, UINT, DEC, IN, 4, 4, smc_values_clc_type, "message type")                           \
    F(L, length, 5, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "message length")                                     \
    F(L, version, 7, 1, 0xf0, UINT, DEC, IN, 1, 15, NULL, "version")                                        \
    F(L, out_of_sync, 7, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "out of sync")                               \
    F(L, reserved1, 7, 1, 0x07, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                   \
    F(L, instance, 8, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "sender peer id, instance")                         \
    F(L, peer_mac, 10, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender peer id, MAC")                            \
    F(L, diagnosis, 16, 4, 0, UINT, HEX, ANY, 0, 0, smc_values_clc_diagnosis, "peer diagnosis information") \
    F(L, os_type, 20, 1, 0xf0, UINT, DEC, ANY, 0, 0, smc_values_clc_os, "OS type")                          \
    F(L, reserved2, 20, 1, 0x0f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                                  \
    F(L, reserved3, 21, 3, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(clc_decline, 24)

/* further diagnosis codes of a v2 Decline. Source: linux net/smc/smc_clc.h */
#define SMC_FIELDS_clc_decline_v2(F, L)                                   \
    F(L, diagnosis1, 0, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "diagnosis 1")  \
    F(L, diagnosis2, 4, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "diagnosis 2")  \
    F(L, diagnosis3, 8, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "diagnosis 3")  \
    F(L, diagnosis4, 12, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "diagnosis 4")
SMC_LAYOUT(clc_decline_v2, 16)

/* TCP option SMC. Source: RFC 7609 3.1 */
#define SMC_FIELDS_tcp_option(F, L)                                          \
    F(L, kind, 0, 1, 0, UINT, DEC, IN, 254, 254, NULL, "kind")               \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 6, 6, NULL, "length")               \
    F(L, exid, 2, 4, 0, UINT, HEX, IN, 0xe2d4c3d9, 0xe2d4c3d9, NULL, "ExID")
SMC_LAYOUT(tcp_option, 6)

#endif
