/* Names of the values that fields may hold: the enum constants and the tables for people.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Each list is stated once; from it come the constants and smc_values_<list>[]. */
#ifndef SMC_WIRE_VALUES_H
#define SMC_WIRE_VALUES_H

#include "field.h"

#define SMC_VALUE_ENUM(prefix, id, value, name) prefix##_##id = value,
#define SMC_VALUE_ROW(prefix, id, value, name) {value, name},

#define SMC_VALUES_clc_type(V)          \
    V(SMC_CLC, PROPOSAL, 1, "Proposal") \
    V(SMC_CLC, ACCEPT, 2, "Accept")     \
    V(SMC_CLC, CONFIRM, 3, "Confirm")   \
    V(SMC_CLC, DECLINE, 4, "Decline")
enum smc_clc_type { SMC_VALUES_clc_type(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_clc_type[];

#define SMC_VALUES_clc_modes(V)              \
    V(SMC_MODES, R, 0, "SMC-R")              \
    V(SMC_MODES, D, 1, "SMC-D")              \
    V(SMC_MODES, NONE, 2, "none")            \
    V(SMC_MODES, BOTH, 3, "SMC-R and SMC-D")
enum smc_clc_modes { SMC_VALUES_clc_modes(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_clc_modes[];

#define SMC_VALUES_clc_path(V) \
    V(SMC_PATH, R, 0, "SMC-R") \
    V(SMC_PATH, D, 1, "SMC-D")
enum smc_clc_path { SMC_VALUES_clc_path(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_clc_path[];

#define SMC_VALUES_clc_mtu(V)   \
    V(SMC_MTU, 256, 1, "256")   \
    V(SMC_MTU, 512, 2, "512")   \
    V(SMC_MTU, 1024, 3, "1024") \
    V(SMC_MTU, 2048, 4, "2048") \
    V(SMC_MTU, 4096, 5, "4096")
enum smc_clc_mtu { SMC_VALUES_clc_mtu(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_clc_mtu[];

#define SMC_VALUES_clc_os(V)     \
    V(SMC_OS, ZOS, 1, "z/OS")    \
    V(SMC_OS, LINUX, 2, "Linux") \
    V(SMC_OS, AIX, 3, "AIX")
enum smc_clc_os { SMC_VALUES_clc_os(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_clc_os[];

#define SMC_VALUES_clc_diagnosis(V)                                                  \
    V(SMC_DIAG, MEM, 0x1010000, "insufficient memory")                               \
    V(SMC_DIAG, TIMEOUT_CL, 0x2010000, "timeout waiting for CONFIRM LINK")           \
    V(SMC_DIAG, TIMEOUT_AL, 0x2020000, "timeout waiting for ADD LINK")               \
    V(SMC_DIAG, CNFERR, 0x3000000, "configuration error")                            \
    V(SMC_DIAG, PEERNOSMC, 0x3010000, "peer did not indicate SMC")                   \
    V(SMC_DIAG, IPSEC, 0x3020000, "IPsec in use")                                    \
    V(SMC_DIAG, NOSMCDEV, 0x3030000, "no SMC device (R or D)")                       \
    V(SMC_DIAG, NOSMCDDEV, 0x3030001, "no SMC-D device")                             \
    V(SMC_DIAG, NOSMCRDEV, 0x3030002, "no SMC-R device")                             \
    V(SMC_DIAG, NOISM2SUPP, 0x3030003, "hardware lacks ISMv2 support")               \
    V(SMC_DIAG, NOV2EXT, 0x3030004, "peer sent no v2 extension")                     \
    V(SMC_DIAG, NOV2DEXT, 0x3030005, "peer sent no SMC-Dv2 extension")               \
    V(SMC_DIAG, NOSEID, 0x3030006, "peer sent no SEID")                              \
    V(SMC_DIAG, NOSMCD2DEV, 0x3030007, "no SMC-Dv2 device")                          \
    V(SMC_DIAG, NOUEID, 0x3030008, "peer sent no UEID")                              \
    V(SMC_DIAG, RELEASEERR, 0x3030009, "release negotiation failed")                 \
    V(SMC_DIAG, MAXCONNERR, 0x303000a, "max connections negotiation failed")         \
    V(SMC_DIAG, MAXLINKERR, 0x303000b, "max links negotiation failed")               \
    V(SMC_DIAG, MODEUNSUPP, 0x3040000, "SMC modes (R/D) do not match")               \
    V(SMC_DIAG, RMBE_EC, 0x3050000, "peer uses eyecatcher in RMBE")                  \
    V(SMC_DIAG, OPTUNSUPP, 0x3060000, "TCP Fast Open (or other option) unsupported") \
    V(SMC_DIAG, DIFFPREFIX, 0x3070000, "IP prefix / subnet mismatch")                \
    V(SMC_DIAG, GETVLANERR, 0x3080000, "error getting VLAN id")                      \
    V(SMC_DIAG, ISMVLANERR, 0x3090000, "error registering VLAN on ISM")              \
    V(SMC_DIAG, NOACTLINK, 0x30a0000, "no active SMC-R link in link group")          \
    V(SMC_DIAG, NOSRVLINK, 0x30b0000, "server's link not found by client")           \
    V(SMC_DIAG, VERSMISMAT, 0x30c0000, "SMC version mismatch")                       \
    V(SMC_DIAG, MAX_DMB, 0x30d0000, "SMC-D DMB limit exceeded")                      \
    V(SMC_DIAG, NOROUTE, 0x30e0000, "SMC-Rv2: no route to peer")                     \
    V(SMC_DIAG, NOINDIRECT, 0x30f0000, "SMC-Rv2: direct/indirect mismatch")          \
    V(SMC_DIAG, SYNCERR, 0x4000000, "synchronisation error")                         \
    V(SMC_DIAG, PEERDECL, 0x5000000, "peer declined")                                \
    V(SMC_DIAG, INTERR, 0x9990000, "internal error")                                 \
    V(SMC_DIAG, ERR_RTOK, 0x9990001, "rtoken handling failed")                       \
    V(SMC_DIAG, ERR_RDYLNK, 0x9990002, "making the QP ready failed")                 \
    V(SMC_DIAG, ERR_REGBUF, 0x9990003, "registering RDMA buffers failed")
enum smc_clc_diagnosis { SMC_VALUES_clc_diagnosis(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_clc_diagnosis[];

#define SMC_VALUES_llc_type(V)                                    \
    V(SMC_LLC, CONFIRM_LINK, 1, "CONFIRM LINK")                   \
    V(SMC_LLC, ADD_LINK, 2, "ADD LINK")                           \
    V(SMC_LLC, ADD_LINK_CONT, 3, "ADD LINK CONTINUATION")         \
    V(SMC_LLC, DELETE_LINK, 4, "DELETE LINK")                     \
    V(SMC_LLC, REQ_ADD_LINK, 5, "REQUEST ADD LINK")               \
    V(SMC_LLC, CONFIRM_RKEY, 6, "CONFIRM RKEY")                   \
    V(SMC_LLC, TEST_LINK, 7, "TEST LINK")                         \
    V(SMC_LLC, CONFIRM_RKEY_CONT, 8, "CONFIRM RKEY CONTINUATION") \
    V(SMC_LLC, DELETE_RKEY, 9, "DELETE RKEY")
enum smc_llc_type { SMC_VALUES_llc_type(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_llc_type[];

#define SMC_VALUES_llc_reject(V)                           \
    V(SMC_LLC_REJECT, NO_ALT_PATH, 1, "no alternate path") \
    V(SMC_LLC_REJECT, INVALID_MTU, 2, "invalid MTU value")
enum smc_llc_reject { SMC_VALUES_llc_reject(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_llc_reject[];

#define SMC_VALUES_llc_del_reason(V)                                            \
    V(SMC_LLC_DEL, LOST_PATH, 0x10000, "lost path")                             \
    V(SMC_LLC_DEL, OPERATOR, 0x20000, "operator")                               \
    V(SMC_LLC_DEL, PROGRAM, 0x30000, "program or inactivity")                   \
    V(SMC_LLC_DEL, PROT_VIOL, 0x40000, "LLC protocol violation")                \
    V(SMC_LLC_DEL, NO_ASYM_NEEDED, 0x50000, "asymmetric link no longer needed") \
    V(SMC_LLC_DEL, UNKNOWN_LINK, 0x100000, "unknown link")                      \
    V(SMC_LLC_DEL, UNKNOWN_GROUP, 0x200000, "unknown link group")
enum smc_llc_del_reason { SMC_VALUES_llc_del_reason(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_llc_del_reason[];

#define SMC_VALUES_record_op(V)                \
    V(SMC_RECORD, REGISTER, 1, "register")     \
    V(SMC_RECORD, UNREGISTER, 2, "unregister") \
    V(SMC_RECORD, ATTACH, 3, "attach")         \
    V(SMC_RECORD, DETACH, 4, "detach")         \
    V(SMC_RECORD, MOVE, 5, "move")             \
    V(SMC_RECORD, SIGNAL, 6, "signal")         \
    V(SMC_RECORD, EVENT, 7, "event")
enum smc_record_op { SMC_VALUES_record_op(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_record_op[];

#define SMC_VALUES_record_order(V)           \
    V(SMC_ORDER, LITTLE, 0, "little endian") \
    V(SMC_ORDER, BIG, 1, "big endian")
enum smc_record_order { SMC_VALUES_record_order(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_record_order[];

#define SMC_VALUES_ethertype(V)                           \
    V(SMC_ETHERTYPE, IPV4, 0x800, "IPv4")                 \
    V(SMC_ETHERTYPE, ARP, 0x806, "ARP")                   \
    V(SMC_ETHERTYPE, VLAN, 0x8100, "802.1Q")              \
    V(SMC_ETHERTYPE, QINQ, 0x88a8, "802.1ad")             \
    V(SMC_ETHERTYPE, IPV6, 0x86dd, "IPv6")                \
    V(SMC_ETHERTYPE, FLOW_CONTROL, 0x8808, "MAC control") \
    V(SMC_ETHERTYPE, ROCE, 0x8915, "RoCEv1")              \
    V(SMC_ETHERTYPE, SMCD_RECORD, 0x88b5, "SMC-D record") \
    V(SMC_ETHERTYPE, ERSPAN2, 0x88be, "ERSPAN II")        \
    V(SMC_ETHERTYPE, ERSPAN3, 0x22eb, "ERSPAN III")       \
    V(SMC_ETHERTYPE, TEB, 0x6558, "Ethernet bridging")
enum smc_ethertype { SMC_VALUES_ethertype(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_ethertype[];

#define SMC_VALUES_bth_opcode(V)                                     \
    V(SMC_BTH, SEND_FIRST, 0, "SEND first")                          \
    V(SMC_BTH, SEND_MIDDLE, 1, "SEND middle")                        \
    V(SMC_BTH, SEND_LAST, 2, "SEND last")                            \
    V(SMC_BTH, SEND_LAST_IMM, 3, "SEND last with immediate")         \
    V(SMC_BTH, SEND_ONLY, 4, "SEND only")                            \
    V(SMC_BTH, SEND_ONLY_IMM, 5, "SEND only with immediate")         \
    V(SMC_BTH, WRITE_FIRST, 6, "RDMA WRITE first")                   \
    V(SMC_BTH, WRITE_MIDDLE, 7, "RDMA WRITE middle")                 \
    V(SMC_BTH, WRITE_LAST, 8, "RDMA WRITE last")                     \
    V(SMC_BTH, WRITE_LAST_IMM, 9, "RDMA WRITE last with immediate")  \
    V(SMC_BTH, WRITE_ONLY, 10, "RDMA WRITE only")                    \
    V(SMC_BTH, WRITE_ONLY_IMM, 11, "RDMA WRITE only with immediate") \
    V(SMC_BTH, READ_REQUEST, 12, "RDMA READ request")                \
    V(SMC_BTH, READ_RESP_FIRST, 13, "RDMA READ response first")      \
    V(SMC_BTH, READ_RESP_MIDDLE, 14, "RDMA READ response middle")    \
    V(SMC_BTH, READ_RESP_LAST, 15, "RDMA READ response last")        \
    V(SMC_BTH, READ_RESP_ONLY, 16, "RDMA READ response only")        \
    V(SMC_BTH, ACK, 17, "ACK")                                       \
    V(SMC_BTH, ATOMIC_ACK, 18, "ATOMIC ACK")                         \
    V(SMC_BTH, CMP_SWAP, 19, "CmpSwap")                              \
    V(SMC_BTH, FETCH_ADD, 20, "FetchAdd")                            \
    V(SMC_BTH, SEND_LAST_INV, 22, "SEND last with invalidate")       \
    V(SMC_BTH, SEND_ONLY_INV, 23, "SEND only with invalidate")       \
    V(SMC_BTH, CNP, 129, "CNP")
enum smc_bth_opcode { SMC_VALUES_bth_opcode(SMC_VALUE_ENUM) };
extern const struct smc_value_name smc_values_bth_opcode[];

#endif
