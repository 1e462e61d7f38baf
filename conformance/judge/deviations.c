/* The table of known deviations.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "deviations.h"

#include <stdlib.h>
#include <string.h>

/* Ids are those of the project's list of deviations. Entries that break no requirement of the catalogue (how Linux
 * posts receives, which form it chose where RFC 7609 contradicts itself) are not here. */
const struct judge_deviation judge_deviations[] = {
    {"A-01", "linux",
     "both CONFIRM LINK messages of the group carry flags 0x03 (no eyecatcher) and cursors run from 0 to size - 1; or a side "
     "declines with 0x03050000 because the peer's CONFIRM LINK does not",
     {"CURSOR-004", "CURSOR-021", "CLC-050"}},
    {"A-08", "linux",
     "consumption with B set is reported only once it reached the update limit of 10 percent or 2304 bytes",
     {"CURSOR-011"}},
    {"A-09", "linux",
     "a consumer cursor that moves by more than 2304 bytes but less than 10 percent of the ring, or the other way round",
     {"CURSOR-010", "CURSOR-023"}},
    {"A-11", "linux",
     "on first contact a Decline with diagnosis 0x02010000 follows CONFIRM LINK after at least 2 s without reply",
     {"CLC-050", "LLC-064"}},
    {"A-12", "linux", "the client writes on the first link 2 s or more after CONFIRM LINK though no ADD LINK came",
     {"LLC-021", "LLC-064"}},
    {"A-14", "linux", "CONFIRM RKEY during an ADD LINK or DELETE LINK exchange is answered positively",
     {"LLC-043", "LLC-047", "LLC-048"}},
    {"A-15", "linux", "of several DELETE LINK and ADD LINK requests during an exchange only one is ever answered",
     {"LLC-035", "LLC-046"}},
    {"A-16", "linux", "an LLC message of an unknown type 00xxxxxx is passed over and the link goes on", {"LLC-004"}},
    {"A-17", "linux", "CONFIRM RKEY of more than two further links has no CONTINUATION", {"LLC-050", "LLC-057"}},
    {"A-18", "linux", "ADD LINK with MTU code 6 to 15 is accepted, or MTU 0 is rejected by reason 1", {"LLC-024"}},
    {"A-19", "linux", "max links is 1 or 2 where the standard has 2 to 8", {"LLC-013"}},
    {"A-20", "linux", "v1 CONFIRM LINK carries max links 2 whatever the other side sent", {"LLC-013", "LLC-014"}},
    {"A-21", "linux", "after an A of its own a side closes TCP without awaiting the peer's A", {"CLOSE-015", "CLOSE-016"}},
    {"A-22", "linux", "close() with unread data sends A and TCP FIN instead of TCP RST", {"CLOSE-002"}},
    {"A-23", "linux", "a half closed connection stays open without bound until TCP or the link ends", {"CLOSE-014"}},
    {"A-25", "linux", "an offered element that another connection still uses is taken without aborting the old one",
     {"CLC-039"}},
    {"A-26", "linux", "an Accept with MTU code 6 to 15 or 0 is confirmed instead of declined", {"CLC-009"}},
    {"A-28", "linux", "a TEST LINK response with other user data ends the wait and the link goes on",
     {"LLC-062", "LLC-063"}},
    {"A-30", "linux", "the subnet of an SMC-Rv2 or SMC-D peer is not compared on first contact", {"CLC-021"}},
    {"A-31", "linux", "a CDC with the number of the last one is accepted", {"CDC-003"}},
    {"A-32", "linux", "the client's ADD LINK carries QPN 0, PSN 0 and MTU 0", {"LLC-022", "LLC-024", "LLC-028"}},
    {"A-33", "linux", "length and rkey count of a v2 LLC message are both little endian",
     {"LLC-069", "LLC-071", "LLC-075", "LLC-076"}},
    {"A-36", "linux", "a v2 reject of ADD LINK carries the length where v1 has the reason", {"LLC-023", "LLC-077"}},
    {"A-37", "linux", "the rkey count of ADD LINK v2 exceeds the entries that follow", {"LLC-030", "LLC-076"}},
    {"A-38", "linux", "a client rejects ADD LINK after it had answered the same request positively",
     {"LLC-002", "LLC-023", "LLC-068", "LLC-082", "LLC-051"}},
    {"A-39", "linux", "after REQUEST ADD LINK without answer no further flow of the client is seen",
     {"LLC-064", "LLC-079"}},
    {"A-40", "linux", "a server's DELETE LINK stays unanswered 2 s or more and the link that carried it stays in use",
     {"LLC-036", "LLC-066"}},
    {"A-41", "linux", "a CONFIRM LINK with other MAC, GID or QPN than announced is answered", {"LLC-011"}},
    {"A-42", "linux", "an LLC or CDC message of wrong length is passed over and the link goes on",
     {"LLC-001", "LLC-005", "CDC-001"}},
    {"A-44", "linux", "an option of kind 254 with the right ExID and an even length above 6 on a SYN is honoured",
     {"TCPOPT-001", "TCPOPT-003"}},
    {"A-45", "linux", "the number of a failover validation is one less than that of the last completed CDC",
     {"FAILOVER-002"}},
    {"A-46", "linux", "consumption of an urgent byte that was the next byte of the stream is not confirmed",
     {"CURSOR-017", "CURSOR-018"}},
    {"A-47", "linux", "a connection with nothing unread but one out-of-line urgent byte is closed by C instead of A",
     {"CLOSE-002"}},
    {"A-48", "linux", "a client that sent its own DELETE LINK for a link never confirmed leaves the server's unanswered",
     {"LLC-035", "LLC-064", "LLC-066", "LLC-083"}},
    {"A-49", "linux", "the client target GID of ADD LINK v2 is the sender's own GID of the new link",
     {"LLC-022", "LLC-076"}},
    {"A-50", "linux", "the TCP FIN leaves together with D, or shortly before C", {"CLOSE-023", "CLOSE-024"}},
    {"A-51", "linux", "alert tokens of successive connections of a side are consecutive numbers", {"CDC-006"}},
    {"A-52", "linux", "client and server with different GIDs carry the same peer id", {"CLC-014"}},
    {"A-53", "linux",
     "an SMC-R element has size code 6, 7 or 8 (1 to 4 MiB) and the address of its RMB is a multiple of that size",
     {"CLC-033"}},
};

const size_t judge_deviations_size = sizeof judge_deviations / sizeof judge_deviations[0];

/* What was seen, by captures that docs/linux.md names, on 6.12.107 or 6.12.117 and on 7.3.4, and so on all between: of an older kernel
 * nobody knows, and there it is no excuse. */
const struct judge_versions judge_deviation_versions[] = {
    {"A-33", "6.12", NULL},
    {"A-38", "6.12", NULL},
    {"A-40", "6.12", NULL},
    {"A-45", "6.12", NULL},
    {"A-46", "6.12", NULL},
    {"A-47", "6.12", NULL},
    {"A-48", "6.12", NULL},
    {"A-50", "6.12", NULL},
    {"A-51", "6.12", NULL},
    {NULL, NULL, NULL},
};

/* "6.12.117+deb13" → 6, 12, 117; what is missing is 0. */
static bool read_version(const char *text, unsigned long out[3])
{
    char *end;
    for (int i = 0; i < 3; i++) {
        if (*text < '0' || *text > '9')
            return i > 0;
        out[i] = strtoul(text, &end, 10);
        text = *end == '.' ? end + 1 : "";
    }
    return true;
}

/* -1, 0, 1: a is before b, is b, comes after it. */
static int compare_versions(const unsigned long a[3], const char *b_text)
{
    unsigned long b[3] = {0};
    (void)read_version(b_text, b);
    for (int i = 0; i < 3; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

bool judge_versions_hold(const struct judge_versions *v, const char *implementation)
{
    unsigned long version[3] = {0};
    if (strncmp(implementation, "Linux ", 6) != 0 || !read_version(implementation + 6, version))
        return true;
    return (v->since == NULL || compare_versions(version, v->since) >= 0) &&
           (v->until == NULL || compare_versions(version, v->until) < 0);
}

bool judge_deviation_in(const char *id, const char *implementation)
{
    for (const struct judge_versions *v = judge_deviation_versions; v->id != NULL; v++)
        if (strcmp(v->id, id) == 0)
            return judge_versions_hold(v, implementation);
    return true;
}

const struct judge_deviation *judge_deviation_find(const char *id)
{
    for (size_t i = 0; i < judge_deviations_size; i++)
        if (strcmp(judge_deviations[i].id, id) == 0)
            return &judge_deviations[i];
    return NULL;
}

bool judge_deviation_excuses(const struct judge_deviation *d, const char *requirement)
{
    for (size_t i = 0; i < JUDGE_DEVIATION_REQUIREMENTS && d->requirements[i] != NULL; i++)
        if (strcmp(d->requirements[i], requirement) == 0)
            return true;
    return false;
}
