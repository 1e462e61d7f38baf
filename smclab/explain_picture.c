/* Which picture belongs to a rule, and how a layout is drawn.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "explain_picture.h"

#include "wire/carrier_layouts.h"
#include "wire/cdc_layouts.h"
#include "wire/clc_layouts.h"
#include "wire/llc_layouts.h"
#include "wire/smcd_record_layouts.h"

#include <string.h>

/* ---- which layout ---- */

/* The first row that fits counts: same area, and the word in the rule's text (NULL: always). */
static const struct {
    const char *area, *word;
    const struct smc_layout *layout;
} layouts[] = {
    {"TCPOPT", NULL, &smc_tcp_option_layout},
    {"CLC", "prefix", &smc_clc_ip6_prefix_layout},
    {"CLC", "mask", &smc_clc_ip_area_layout},
    {"CLC", "first-contact extension", &smc_clc_fce_layout},
    {"CLC", "First-contact extension", &smc_clc_fce_layout},
    {"CLC", "EID", &smc_clc_v2_ext_layout},
    {"CLC", "GID list", &smc_clc_gid_list_layout},
    {"CLC", "elease", &smc_clc_v2_ext_layout},
    {"CLC", "max_", &smc_clc_fce_v2x_layout},
    {"CLC", "Decline", &smc_clc_decline_layout},
    {"CLC", "Accept", &smc_clc_accept_r_layout},
    {"CLC", "Confirm", &smc_clc_accept_r_layout},
    {"CLC", "Proposal", &smc_clc_proposal_layout},
    {"CLC", NULL, &smc_clc_header_layout},
    {"LLC", "CONFIRM RKEY CONT", &smc_llc_confirm_rkey_cont_layout},
    {"LLC", "ADD LINK CONT", &smc_llc_add_link_cont_layout},
    {"LLC", "REQUEST ADD LINK", &smc_llc_req_add_link_v2_layout},
    {"LLC", "CONFIRM LINK", &smc_llc_confirm_link_layout},
    {"LLC", "ADD LINK", &smc_llc_add_link_layout},
    {"LLC", "DELETE LINK", &smc_llc_delete_link_layout},
    {"LLC", "CONFIRM RKEY", &smc_llc_confirm_rkey_layout},
    {"LLC", "DELETE RKEY", &smc_llc_delete_rkey_layout},
    {"LLC", "TEST LINK", &smc_llc_test_link_layout},
    {"LLC", "v2", &smc_llc_header_v2_layout},
    {"LLC", NULL, &smc_llc_header_layout},
    {"CDC", NULL, &smc_cdc_layout},
    {"CURSOR", NULL, &smc_cdc_layout},
    {"CLOSE", NULL, &smc_cdc_layout},
    {"FAILOVER", NULL, &smc_cdc_layout},
    {"SMCD", "Accept", &smc_clc_accept_d_layout},
    {"SMCD", "CHID", &smc_clc_gid_chid_layout},
    {"SMCD", NULL, &smc_smcd_cdc_be_layout},
    {"ROCE", NULL, &smc_bth_layout},
    {"DIBS", NULL, &smc_smcd_record_layout},
};

const struct smc_layout *explain_layout(const struct judge_requirement *r)
{
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (strcmp(layouts[i].area, r->area) == 0 && (layouts[i].word == NULL || strstr(r->text, layouts[i].word) != NULL))
            return layouts[i].layout;
    return NULL;
}

/* ---- which exchange ---- */

static const struct {
    const char *area, *word, *picture;
} exchanges[] = {
    {"TCPOPT", NULL,
     "client                                  server\n"
     "  |-- SYN      [254 6 E2D4C3D9] -------->|   wants SMC\n"
     "  |<- SYN-ACK  [254 6 E2D4C3D9] ---------|   so does the server: CLC follows\n"
     "  |-- ACK ------------------------------>|   (without the option on both: plain TCP)\n"},
    {"CLC", "Decline",
     "client                                  server\n"
     "  |-- CLC Proposal --------------------->|\n"
     "  |<- CLC Decline (diagnosis) -----------|   or from the client, in place of Confirm\n"
     "  |<= plain TCP ========================>|\n"},
    {"CLC", NULL,
     "client                                  server\n"
     "  |-- CLC Proposal --------------------->|   what I can do\n"
     "  |<- CLC Accept ------------------------|   what we do; my QP, RMB, token\n"
     "  |-- CLC Confirm ---------------------->|   my QP, RMB, token\n"
     "  |<~ CONFIRM LINK (first contact) ~~~~~>|   over the new link, then data\n"},
    {"LLC", "RKEY",
     "A                                        B\n"
     "  |~~ CONFIRM RKEY (new RMB) ~~~~~~~~~~~>|\n"
     "  |<~ CONFIRM RKEY response ~~~~~~~~~~~~~|   only now A names this RMB in CLC\n"
     "  |~~ DELETE RKEY (up to 8) ~~~~~~~~~~~~>|   nobody writes there any more\n"
     "  |<~ DELETE RKEY response ~~~~~~~~~~~~~~|\n"},
    {"LLC", "DELETE LINK",
     "client                                  server\n"
     "  |~~ DELETE LINK request ~~~~~~~~~~~~~~>|   a client asks,\n"
     "  |<~ DELETE LINK request ~~~~~~~~~~~~~~~|   the server drives\n"
     "  |~~ DELETE LINK response ~~~~~~~~~~~~~>|\n"},
    {"LLC", "TEST LINK",
     "A                                        B\n"
     "  |~~ TEST LINK, 16 bytes ~~~~~~~~~~~~~~>|\n"
     "  |<~ TEST LINK response, the same ~~~~~~|\n"},
    {"LLC", NULL,
     "client                                  server\n"
     "  |<~ CONFIRM LINK request ~~~~~~~~~~~~~~|   over the first link\n"
     "  |~~ CONFIRM LINK response ~~~~~~~~~~~~>|\n"
     "  |<~ ADD LINK request ~~~~~~~~~~~~~~~~~~|   a second link\n"
     "  |~~ ADD LINK response ~~~~~~~~~~~~~~~~>|\n"
     "  |<~ ADD LINK CONTINUATION (rkeys) ~~~~>|   both ways, until both have sent all\n"
     "  |<~ CONFIRM LINK, over the new link ~~>|\n"},
    {"CDC", NULL,
     "writer                                  reader\n"
     "  |== RDMA WRITE into the ring =========>|   first the bytes\n"
     "  |~~ CDC: producer cursor ~~~~~~~~~~~~~>|   then where they end\n"
     "  |<~ CDC: consumer cursor ~~~~~~~~~~~~~~|   what was read\n"},
    {"CURSOR", NULL,
     "the reader's ring       consumer         producer\n"
     "  +------------------------v----------------v-------------+\n"
     "  |   free                 | written, unread |   free      |   element of the RMB\n"
     "  +-------------------------------------------------------+\n"
     "  the consumer never passes the producer; the producer never writes over what is unread\n"},
    {"CLOSE", NULL,
     "A                                        B\n"
     "  |~~ CDC D (sending done) ~~~~~~~~~~~~~>|   shutdown: B may still send\n"
     "  |<~ CDC D or C ~~~~~~~~~~~~~~~~~~~~~~~~|\n"
     "  |~~ CDC C (connection closed) ~~~~~~~~>|   then the TCP connection is closed\n"
     "  |-- FIN ------------------------------>|   (A: abnormal close, instead of all this)\n"},
    {"FAILOVER", NULL,
     "sender                                  receiver\n"
     "  |== RDMA WRITE, CDC n over link 1 ====>|\n"
     "  |   x link 1 fails\n"
     "  |~~ CDC F (number n) over link 2 ~~~~~>|   validation: do you have all up to n?\n"
     "  |== RDMA WRITE again over link 2 =====>|   from the last consumer cursor on\n"
     "  |~~ CDC n, n+1 ... over link 2 ~~~~~~~>|\n"},
    {"SMCD", NULL,
     "writer                                  reader\n"
     "  |== move: bytes into the DMB =========>|\n"
     "  |== move: CDC block, with signal =====>|   at the start of the DMB element\n"},
    {"ROCE", NULL,
     "requester                               responder\n"
     "  |-- SEND / RDMA WRITE, PSN n --------->|\n"
     "  |<- ACK up to PSN n -------------------|   or NAK: again from the PSN it names\n"},
    {"DIBS", NULL,
     "owner of the buffer                     the other host\n"
     "  |   register_dmb: token                |\n"
     "  |<= attach, by the token ==============|   (devices that map, as loopback does)\n"
     "  |<= move_data(token, offset, signal) ==|   the owner's handler is called\n"
     "  |   unregister_dmb                     |   the token is worth nothing now\n"},
    {"IVSHMEM", NULL,
     "client                                  server, over a Unix socket\n"
     "  |<- protocol version 0 ----------------|\n"
     "  |<- my id -----------------------------|\n"
     "  |<- -1, with the file of the memory ---|\n"
     "  |<- id of a peer, with its doorbell ---|   once for each vector; without a file: it left\n"},
    {"DEVMEM", NULL,
     "application                             kernel\n"
     "  |-- bind the receive queue ----------->|   netlink, with a dma-buf\n"
     "  |-- recvmsg(MSG_SOCK_DEVMEM) --------->|\n"
     "  |<- fragments: offset, size, token ----|   in control messages; other data in the buffer\n"
     "  |-- SO_DEVMEM_DONTNEED (tokens) ------>|   the fragments are free again\n"},
};

const char *explain_exchange(const struct judge_requirement *r)
{
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++)
        if (strcmp(exchanges[i].area, r->area) == 0 && (exchanges[i].word == NULL || strstr(r->text, exchanges[i].word) != NULL))
            return exchanges[i].picture;
    return NULL;
}

/* ---- drawing a layout ---- */

enum { CELL = 12, ROW = 4 };

static bool owns(const struct smc_field *f, unsigned byte)
{
    return byte >= f->off && byte < (unsigned)f->off + f->size;
}

/* The only field of a byte; NULL if there are several (bits) or none. */
static const struct smc_field *field_of(const struct smc_layout *l, unsigned byte, bool *shared)
{
    const struct smc_field *found = NULL;
    *shared = false;
    for (unsigned i = 0; i < l->nfields; i++) {
        if (!owns(&l->fields[i], byte))
            continue;
        *shared |= found != NULL || l->fields[i].mask != 0;
        found = &l->fields[i];
    }
    return *shared ? NULL : found;
}

static void rule(FILE *out, unsigned cells)
{
    fputs("       +", out);
    for (unsigned i = 0; i < cells; i++)
        fprintf(out, "%.*s+", CELL - 1, "--------------------------------");
    fputc('\n', out);
}

/* One box from `byte` on; returns the first byte behind it. */
static unsigned box(const struct smc_layout *l, unsigned byte, unsigned end, FILE *out)
{
    bool shared;
    const struct smc_field *f = field_of(l, byte, &shared);
    unsigned next = byte + 1;
    while (next < end && f != NULL && owns(f, next))
        next++;
    const char *name = f != NULL ? f->name : shared ? "(bits)" : "";
    bool continued = f != NULL && byte > f->off;
    int width = (int)(next - byte) * CELL - 1;
    fprintf(out, "%-*.*s|", width, width, continued ? "..." : name);
    return next;
}

static void list_bits(const struct smc_layout *l, FILE *out)
{
    for (unsigned byte = 0; byte < l->size; byte++) {
        bool shared, first = true;
        field_of(l, byte, &shared);
        for (unsigned i = 0; shared && i < l->nfields; i++) {
            const struct smc_field *f = &l->fields[i];
            if (!owns(f, byte) || f->off != byte)
                continue;
            if (first)
                fprintf(out, "  byte %u:", byte);
            fprintf(out, "%s 0x%02x %s", first ? "" : ",", (unsigned)f->mask, f->name);
            first = false;
        }
        if (!first)
            fputc('\n', out);
    }
}

void explain_draw(const struct smc_layout *layout, FILE *out)
{
    fprintf(out, "%s, %u bytes (%s)\n\n  byte ", layout->title, layout->size, layout->source);
    for (unsigned i = 0; i < ROW; i++)
        fprintf(out, " +%-*u", CELL - 2, i);
    fputc('\n', out);
    rule(out, layout->size < ROW ? layout->size : ROW);
    for (unsigned byte = 0; byte < layout->size;) {
        bool shared;
        const struct smc_field *f = field_of(layout, byte, &shared);
        /* Of a field that fills many rows the first and the last are shown. */
        if (f != NULL && byte % ROW == 0 && byte >= (unsigned)f->off + ROW && owns(f, byte + 2 * ROW - 1)) {
            fputs("       :                                               :\n", out);
            while (owns(f, byte + 2 * ROW - 1))
                byte += ROW;
        }
        unsigned row = byte, end = byte + ROW < layout->size ? byte + ROW : layout->size;
        fprintf(out, "  %4u |", byte);
        while (byte < end)
            byte = box(layout, byte, end, out);
        fputc('\n', out);
        rule(out, end - row);
    }
    list_bits(layout, out);
}
