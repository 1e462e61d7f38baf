/* Netlink messages: built attribute by attribute, sent, and their answers read.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_NETLINK_H
#define CONFORMANCE_AGENT_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netlink.h>

#include "conformance/agent/agent_line.h"

enum { AGENT_NL_ROOM = 8192 };

/* A request under construction. Too much for its room: `full` is set, and agent_nl_talk() says EMSGSIZE. */
struct agent_nl {
    union {
        struct nlmsghdr head;
        uint8_t bytes[AGENT_NL_ROOM];
    } u;
    bool full;
};
void agent_nl_begin(struct agent_nl *m, uint16_t type, uint16_t flags); /* NLM_F_REQUEST is added */
void agent_nl_add(struct agent_nl *m, const void *bytes, size_t n);     /* the family's own header */
void agent_nl_attr(struct agent_nl *m, uint16_t type, const void *bytes, size_t n);
void agent_nl_u8(struct agent_nl *m, uint16_t type, uint8_t value);
void agent_nl_u32(struct agent_nl *m, uint16_t type, uint32_t value);
void agent_nl_string(struct agent_nl *m, uint16_t type, const char *text);

/* Every message of the answer; nonzero ends reading, and is returned. */
typedef int agent_nl_fn(void *user, const struct nlmsghdr *message);
/* Sends it to a family and reads until it is acknowledged or the dump is done. 0, or an errno: the kernel's own, too. */
int agent_nl_talk(int protocol, struct agent_nl *m, agent_nl_fn *each, void *user);

/* Walks attributes: bounded by `end`, whatever they claim. */
struct agent_nla {
    uint16_t type;
    const uint8_t *p;
    size_t n;
};
bool agent_nla_next(const uint8_t **at, const uint8_t *end, struct agent_nla *out);
bool agent_nla_find(const uint8_t *from, const uint8_t *end, uint16_t type, struct agent_nla *out);
uint64_t agent_nla_number(const struct agent_nla *a); /* 1, 2, 4 or 8 bytes in host order; else 0 */
/* The attributes behind a message's header of `header` bytes; *end is set. */
const uint8_t *agent_nl_attrs(const struct nlmsghdr *m, size_t header, const uint8_t **end);

/* Generic netlink: the number of a family; 0: the kernel has none. */
uint16_t agent_genl_family(const char *name);
void agent_genl_begin(struct agent_nl *m, uint16_t family, uint8_t command, uint8_t version, uint16_t flags);
enum { AGENT_GENL_HEADER = 4 };

/* Tables that say how attributes are printed: " PREFIXname=value". */
enum agent_nla_kind { AGENT_NLA_NUMBER, AGENT_NLA_HEX, AGENT_NLA_STRING, AGENT_NLA_NEST };
struct agent_nla_field {
    uint16_t type;
    uint8_t kind;
    const char *name;
    const struct agent_nla_field *nested; /* its names are put behind "name." unless name is NULL */
};
void agent_nla_print(struct agent_text *out, const char *prefix, const struct agent_nla_field *fields, const uint8_t *from,
                     const uint8_t *end);

#endif
