/* The interesting states of a run: their names, and who has seen them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_STATES_H
#define SCENARIOS_EXPLORE_STATES_H

/* A state is counted once a run in which it was reached. Pairs of LLC flows are named after two requests of one group that
 * were both unanswered at a time, of one type: one from each side. What is missing here, and why, says docs/campaigns.md. */
#define EXPLORE_STATE_LIST(X)                                                                                          \
    X(MODE_R1, "mode: SMC-Rv1") X(MODE_R2, "mode: SMC-Rv2") X(MODE_D1, "mode: SMC-Dv1") X(MODE_D2, "mode: SMC-Dv2")    \
    X(MODE_TCP, "mode: fallback to TCP") X(MODE_RFC, "mode: RFC profile on both sides, SMC")                           \
    X(RELEASE_1, "mode: release 1 negotiated") X(NO_OPTION, "mode: plain TCP, no option")                              \
    X(PROFILE_CLASH, "decline: eyecatcher against none")                                                               \
    X(DEV_ISM, "device: ISM carries data") X(DEV_LOOPBACK, "device: loopback carries data")                            \
    X(DEV_IVSHMEM, "device: ivshmem carries data") X(NO_COPY, "device: no-copy attach")                                \
    X(DMB_FULL, "device: DMB refused") X(DEVICE_GONE, "device: removed while it carries data")                         \
    X(DEVICE_BACK, "device: back again and used")                                                                      \
    X(RING_WRAP, "ring: wrapped around") X(RING_FULL, "ring: window closed")                                           \
    X(RING_FULL_WRAP, "ring: window closed across the end") X(WRITER_BLOCKED, "ring: writer blocked")                  \
    X(WRAP_MANY, "ring: wrapped more than eight times") X(WRAP_16, "ring: the 16-bit wrap number began anew")          \
    X(UPDATE_ONLY, "ring: update without data")                                                                        \
    X(URGENT, "urgent: announced") X(URGENT_CLOSED, "urgent: with a closed window") X(URGENT_READ, "urgent: read out of line")\
    X(URGENT_SKIPPED, "urgent: skipped in the stream") X(URGENT_INLINE, "urgent: in line") X(URGENT_LAST, "urgent: at the end of the ring")\
    X(CLOSE_HALF, "close: one direction") X(CLOSE_DONE_THEN_CLOSED, "close: D, then C") X(CLOSE_BOTH, "close: both at once")\
    X(CLOSE_ABORT, "close: abort") X(CLOSE_ABORT_BOTH, "close: abort from both sides") X(CLOSE_UNREAD, "close: with unread data")\
    X(CLOSE_AFTER_EOF, "close: answered") X(CLOSE_FULL, "close: while the window is closed")                           \
    X(ST_ACTIVE, "socket: ACTIVE") X(ST_PEERCLOSEWAIT1, "socket: PEERCLOSEWAIT1") X(ST_PEERCLOSEWAIT2, "socket: PEERCLOSEWAIT2")\
    X(ST_APPCLOSEWAIT1, "socket: APPCLOSEWAIT1") X(ST_APPCLOSEWAIT2, "socket: APPCLOSEWAIT2")                          \
    X(ST_APPFINCLOSEWAIT, "socket: APPFINCLOSEWAIT") X(ST_PEERFINCLOSEWAIT, "socket: PEERFINCLOSEWAIT")                \
    X(ST_PEERABORTWAIT, "socket: PEERABORTWAIT") X(ST_PROCESSABORT, "socket: PROCESSABORT")                            \
    X(FO_ACTIVE, "failover in ACTIVE") X(FO_PEERCLOSEWAIT1, "failover in PEERCLOSEWAIT1") X(FO_PEERCLOSEWAIT2, "failover in PEERCLOSEWAIT2")\
    X(FO_APPCLOSEWAIT1, "failover in APPCLOSEWAIT1") X(FO_APPCLOSEWAIT2, "failover in APPCLOSEWAIT2")                  \
    X(FO_APPFINCLOSEWAIT, "failover in APPFINCLOSEWAIT") X(FO_PEERFINCLOSEWAIT, "failover in PEERFINCLOSEWAIT")        \
    X(FO_VALIDATION, "failover: validation sent") X(FO_REPLAY, "failover: lost data written again")                    \
    X(FO_BLOCKED, "failover: while the writer is blocked") X(FO_URGENT, "failover: with urgent data pending")          \
    X(FO_BACK, "failover: twice in one connection") X(FO_NONE_LEFT, "failover: no link left")                          \
    X(GROUP_SINGLE, "group: single") X(GROUP_SYMMETRIC, "group: symmetric") X(GROUP_ASYM_PEER, "group: asymmetric, peer")\
    X(GROUP_ASYM_LOCAL, "group: asymmetric, local") X(GROUP_REUSED, "group: used again") X(GROUP_PARALLEL, "group: first contacts in parallel")\
    X(GROUP_SECOND, "group: a second one beside a full one") X(GROUP_255, "group: 255 connections")                    \
    X(GROUP_IDLE, "group: freed when idle") X(GROUP_BOTH_WAYS, "group: one in each direction") X(GROUP_3_LINKS, "group: three links")\
    X(OUT_OF_SYNC, "group: out of sync")                                                                               \
    X(LINK_DURING_DATA, "link: second one added while data flows") X(LINK_LOST, "link: lost") X(LINK_REPLACED, "link: added again after a loss")\
    X(DELETE_BY_CLIENT, "DELETE LINK: by the client") X(DELETE_BY_SERVER, "DELETE LINK: by the server") X(DELETE_ALL, "DELETE LINK: all links")\
    X(ADD_REJECTED, "ADD LINK: rejected") X(ADD_REQUESTED, "REQUEST ADD LINK") X(ADD_CONTINUED, "ADD LINK CONTINUATION")\
    X(RKEY_CONTINUED, "CONFIRM RKEY CONTINUATION") X(RKEY_NEGATIVE, "RKEY: negative answer") X(RKEY_RETRY, "RKEY: try again")\
    X(TEST_LINK, "TEST LINK")                                                                                          \
    X(P_ADD_ADD, "flows: ADD LINK, ADD LINK") X(P_ADD_DEL, "flows: ADD LINK, DELETE LINK") X(P_ADD_REQ, "flows: ADD LINK, REQUEST ADD LINK")\
    X(P_ADD_CRK, "flows: ADD LINK, CONFIRM RKEY") X(P_ADD_TST, "flows: ADD LINK, TEST LINK") X(P_ADD_DRK, "flows: ADD LINK, DELETE RKEY")\
    X(P_DEL_DEL, "flows: DELETE LINK, DELETE LINK") X(P_DEL_REQ, "flows: DELETE LINK, REQUEST ADD LINK")               \
    X(P_DEL_CRK, "flows: DELETE LINK, CONFIRM RKEY") X(P_DEL_TST, "flows: DELETE LINK, TEST LINK") X(P_DEL_DRK, "flows: DELETE LINK, DELETE RKEY")\
    X(P_REQ_TST, "flows: REQUEST ADD LINK, TEST LINK") X(P_REQ_CRK, "flows: REQUEST ADD LINK, CONFIRM RKEY") X(P_REQ_DRK, "flows: REQUEST ADD LINK, DELETE RKEY")\
    X(P_CRK_CRK, "flows: CONFIRM RKEY, CONFIRM RKEY") X(P_CRK_TST, "flows: CONFIRM RKEY, TEST LINK") X(P_CRK_DRK, "flows: CONFIRM RKEY, DELETE RKEY")\
    X(P_DRK_TST, "flows: DELETE RKEY, TEST LINK") X(P_DRK_DRK, "flows: DELETE RKEY, DELETE RKEY") X(P_TST_TST, "flows: TEST LINK, TEST LINK")\
    X(RC_NAK, "RoCE: sequence NAK") X(RC_RNR, "RoCE: RNR NAK") X(RC_TIMEOUT, "RoCE: timeout") X(RC_ICRC, "RoCE: bad ICRC dropped")\
    X(RC_DUPLICATE, "RoCE: duplicate request") X(RC_QP_ERROR, "RoCE: QP in error")                                     \
    X(PFC_STOPPED, "flow control: a NIC was stopped") X(PFC_LOST, "flow control: links lost where a NIC was stopped")  \
    X(ECN_MARKED, "congestion: marked by a switch") X(DCQCN_SLOWER, "congestion: a flow slowed down")                  \
    X(DCQCN_BACK, "congestion: a flow back at line rate") X(CONGESTED, "congestion: queues full for a second")   \
    X(BUFFER_REUSED, "buffer: used again") X(BUFFER_SMALLER, "buffer: smaller than asked for") X(CORKED, "data held back by cork")\
    X(MEMORY_FAILED, "memory: an allocation failed") X(MEMORY_HANDSHAKE, "memory: failed, and a handshake with it")    \
    X(HOST_KILLED, "host: power cut") X(RESET_SEEN, "end: reset seen by an application") X(TIMEOUT_SEEN, "end: time-out seen by an application")\
    X(CONNECT_FAILED, "end: connection never came up")                                                                 \
    X(D_01010000, "decline 0x01010000: memory") X(D_02010000, "decline 0x02010000: CONFIRM LINK not answered")         \
    X(D_03020000, "decline 0x03020000: IPsec") X(D_03030000, "decline 0x03030000: no SMC device")                      \
    X(D_03030001, "decline 0x03030001: no SMC-D device") X(D_03030002, "decline 0x03030002: no SMC-R device")          \
    X(D_03030007, "decline 0x03030007: no SMC-Dv2 device") X(D_03030008, "decline 0x03030008: no UEID")                \
    X(D_03040000, "decline 0x03040000: no mode in common") X(D_03050000, "decline 0x03050000: eyecatcher")             \
    X(D_03060000, "decline 0x03060000: Fast Open") X(D_03070000, "decline 0x03070000: another prefix")                 \
    X(D_03090000, "decline 0x03090000: VLAN refused by ISM")                                                           \
    X(D_030B0000, "decline 0x030b0000: link not found") X(D_030C0000, "decline 0x030c0000: no version in common")      \
    X(D_030D0000, "decline 0x030d0000: no DMB") X(D_030E0000, "decline 0x030e0000: no route")                          \
    X(D_04000000, "decline 0x04000000: out of sync")                                                                   \
    X(D_09990002, "decline 0x09990002: QP not ready")                                                                  \
    X(D_09990003, "decline 0x09990003: rkey not confirmed")

#define EXPLORE_STATE_ENUM(name, text) EXPLORE_##name,
enum explore_state { EXPLORE_STATE_LIST(EXPLORE_STATE_ENUM) EXPLORE_STATES };
#undef EXPLORE_STATE_ENUM

extern const char *const explore_state_names[EXPLORE_STATES];

#endif
