/* A plan: everything that a seed decides about one run, as plain numbers that can be printed, read and shrunk.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_PLAN_H
#define SCENARIOS_EXPLORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Zero is the plainest value of every field, so that "make it simpler" is "make it zero, or half". Each struct is a list of
 * 64-bit numbers; the lists below say their names, which are also those of the text form. */

enum {
    EXPLORE_HOSTS = 4,
    EXPLORE_LINKS = 8,
    EXPLORE_CONNS = 320, /* a group ends at 255 */
    EXPLORE_FAULTS = 16,
    EXPLORE_LOSSLESS = 3, /* the priority: the upper three bits of DSCP */
    EXPLORE_LOSSLESS_DSCP = 26
};

/* net_seed: of the run itself (QP numbers, chances of loss …). settle: the run ends only when idle groups are gone. xoff: switches
 * stop their neighbours when one port has taken in so many bytes of the lossless class, and NICs heed that; 0: no flow control.
 * ecn: egress queues of switches mark all that enters beyond so many bytes, some of it beyond an eighth of that; 0: none. */
#define EXPLORE_PLAN_FIELDS(X) X(net_seed) X(settle) X(xoff) X(ecn)

/* profile: 0 Linux, 1 RFC. versions: 0 both, 1, 2. paths: 0 both, 1 R, 2 D. machine: hosts of one number share dibs fabrics; 0
 * none. devices: bits 1 ISM, 2 loopback, 4 ivshmem. roce: 0 GIDs of both kinds, 1 v1, 2 v2, 3 no RoCE. eid: 0 the common one, 1
 * another, 2 none. rmb, sndbuf: bytes, 0 default. max_conns, max_links, rmbes: 0 the profile's. nics: 0 means 1. wide: its
 * subnet is larger than the other hosts' (same wire, another prefix). mtu: of its interfaces, 0 default. dscp: of its RoCE packets
 * (EXPLORE_LOSSLESS_DSCP is of the lossless class). dcqcn: its NICs slow down by it. */
#define EXPLORE_HOST_FIELDS(X)                                                                                         \
    X(profile) X(versions) X(paths) X(release0) X(nics) X(machine) X(devices) X(roce) X(no_copy) X(autocork) X(eid)    \
    X(ipsec) X(vlan) X(ipv6) X(rmb) X(sndbuf) X(max_conns) X(max_links) X(rmbes) X(wide) X(mtu)    \
    X(dscp) X(dcqcn)

/* An end is 10 × host + NIC, or 100 + switch. rate: bits a second; delay: ns; 0 the defaults of the laboratory. */
#define EXPLORE_LINK_FIELDS(X) X(a) X(b) X(rate) X(delay) X(queue) X(mtu)

#define EXPLORE_CONN_FIELDS(X) X(client) X(server) X(start) X(plain) X(fast_open)

/* What one application of a connection does. chunk 0: 16 KiB; read 0: 64 KiB at a time. end: enum explore_end, with end_at.
 * urgent: bytes between two urgent ones; 0 none. read_urgent: takes them out of line when told. hold: ns between the moment when it
 * could close and its close. */
#define EXPLORE_SIDE_FIELDS(X)                                                                                         \
    X(bytes) X(chunk) X(read) X(read_delay) X(write_delay) X(end) X(end_at) X(urgent) X(inline_urgent) X(read_urgent)  \
    X(cork) X(nodelay) X(rmb) X(sndbuf) X(hold)

/* where: a link, a host, 10 × host + NIC, or 10 × host + device number, as the kind says. dir: 0 both, 1 from a, 2 from b. */
#define EXPLORE_FAULT_FIELDS(X) X(kind) X(where) X(dir) X(at) X(until) X(p) X(q) X(r) X(s) X(t)

#define EXPLORE_FIELD(name) uint64_t name;
struct explore_host { EXPLORE_HOST_FIELDS(EXPLORE_FIELD) };
struct explore_link { EXPLORE_LINK_FIELDS(EXPLORE_FIELD) };
struct explore_side { EXPLORE_SIDE_FIELDS(EXPLORE_FIELD) };
struct explore_conn { EXPLORE_CONN_FIELDS(EXPLORE_FIELD) struct explore_side side[2]; /* client, server */ };
struct explore_fault { EXPLORE_FAULT_FIELDS(EXPLORE_FIELD) };

/* How an application ends its side. */
enum explore_end {
    EXPLORE_END_DONE,    /* closes when all is sent and all has come */
    EXPLORE_END_HALF,    /* shuts its sending side when all is sent; closes at the end of the other's stream */
    EXPLORE_END_LATE,    /* sends only when the other's stream has ended (the other: HALF); then closes */
    EXPLORE_END_EARLY,   /* closes when all is sent, whatever still comes */
    EXPLORE_END_ABORT,   /* closes in the middle, when end_at bytes have come and something lies unread if possible */
    EXPLORE_END_LINGER0, /* as EARLY with a linger time of 0 */
    EXPLORE_END_RDWR,    /* shuts both ways when all is sent and all has come; closes at the end of the other's stream */
    EXPLORE_ENDS
};

/* What goes wrong, from `at` to `until` (ns):
 *   RATES      link: p a million lost, q doubled, r reordered, s corrupted, t deeply corrupted
 *   MESSAGE    link: p which (enum explore_message), q how many pass, r how many are hit, s: 0 dropped, else late by s ns,
 *              t 1: doubled
 *   FLAP       link down;  PARTITION  link silent in direction dir
 *   ROCE_GONE  interface: the RoCE device is unplugged, and put back
 *   ROCE       interface: p the fault (enum roce_fault_what), q operations, r first, s times in a row, t argument
 *   DIBS       device: p the point, q after, r times, s minus the error
 *   DIBS_SLOW  device: signals are held until `until`, p copies of events
 *   DIBS_GONE  device removed and put back
 *   KILL       host: its power is cut
 *   MEMORY     p allocations pass, then q fail, then every r-th (0: none) until `until` */
#define EXPLORE_FAULT_KINDS(X)                                                                                         \
    X(RATES, "rates") X(MESSAGE, "message") X(FLAP, "flap") X(PARTITION, "partition") X(ROCE_GONE, "roce-gone")        \
    X(ROCE, "roce") X(DIBS, "dibs") X(DIBS_SLOW, "dibs-slow") X(DIBS_GONE, "dibs-gone") X(KILL, "kill") X(MEMORY, "memory")
#define EXPLORE_FAULT_ENUM(name, text) EXPLORE_FAULT_##name,
enum explore_fault_kind { EXPLORE_FAULT_KINDS(EXPLORE_FAULT_ENUM) EXPLORE_FAULT_COUNT };
const char *explore_fault_name(uint64_t kind);

/* The messages that a MESSAGE fault may hit, with the words of the scenario language. response: -1 any. */
struct explore_message {
    const char *name;
    int clc, llc, response, tcp_flags, opcode;
};
extern const struct explore_message explore_messages[];
extern const unsigned explore_message_count;

struct explore_plan {
    uint64_t seed; /* it was drawn from; says nothing once it was shrunk */
    EXPLORE_PLAN_FIELDS(EXPLORE_FIELD)
    unsigned host_count, link_count, conn_count, fault_count;
    struct explore_host hosts[EXPLORE_HOSTS];
    struct explore_link links[EXPLORE_LINKS];
    struct explore_conn conns[EXPLORE_CONNS];
    struct explore_fault faults[EXPLORE_FAULTS];
};

/* Most plans are drawn without an aim. A few in a hundred have one: what is rare or expensive is reached by plans made for it. */
#define EXPLORE_CLASSES(X)                                                                                              \
    X(PLAIN, "plain") X(FAILOVER, "failover") X(LINKS, "links") X(KEEPALIVE, "keepalive") X(CROWD, "crowd") X(LONG, "long")     \
    X(DEVICE, "device") X(REFUSED, "refused") X(LOSSLESS, "lossless")
#define EXPLORE_CLASS_ENUM(name, text) EXPLORE_CLASS_##name,
enum explore_class { EXPLORE_CLASSES(EXPLORE_CLASS_ENUM) EXPLORE_CLASS_COUNT };

/* The plan of a seed. */
void explore_draw(uint64_t seed, struct explore_plan *out);
enum explore_class explore_class_of(uint64_t seed);

/* A plan near `base`, which explore_plan_check() accepts: a few numbers differ, as the seed says (near.c). */
void explore_near(const struct explore_plan *base, uint64_t seed, struct explore_plan *out);

/* A line an object, "conn 0 client=0 server=1 …", fields that are 0 left out; each line begins with `prefix`. Reading takes such
 * lines, or a scenario that holds them in comments ("--@ "), and checks everything: false with a text in `problem` (256 bytes)
 * if it is no plan. */
void explore_plan_write(const struct explore_plan *plan, const char *prefix, FILE *to);
bool explore_plan_read(FILE *from, struct explore_plan *out, char problem[256]);
bool explore_plan_check(const struct explore_plan *plan, char problem[256]);

/* What may legally happen under this plan. */
struct explore_licence {
    bool hard;      /* a path may be lost for long: connections may be reset */
    bool memory;    /* allocations fail */
    bool killed[EXPLORE_HOSTS];
    uint64_t heal;  /* all faults are over then */
};
void explore_licence_of(const struct explore_plan *plan, struct explore_licence *out);

/* The text form's field names, for whoever goes over all fields of an object. */
struct explore_fields {
    const char *const *names;
    unsigned count;
};
extern const struct explore_fields explore_plan_fields, explore_host_fields, explore_link_fields, explore_conn_fields,
    explore_side_fields, explore_fault_fields;

#endif
