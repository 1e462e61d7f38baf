/* Sending LLC messages: at once, or when the link has a send slot again.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { AGAIN_NS = 1000000 }; /* how often a full link is looked at */

static void out_fired(struct smc_timer *timer);

static void release(struct smc_flow *f, struct flow_message *m)
{
    smc_alloc_release(f->group->ep->alloc, m->big, m->length, 1);
    m->big = NULL;
}

static void remove_at(struct smc_flow *f, unsigned i)
{
    release(f, &f->out[i]);
    memmove(&f->out[i], &f->out[i + 1], (f->out_count - i - 1) * sizeof(f->out[0]));
    f->out_count--;
}

bool smc_flow_waits(const struct smc_flow *f, struct smc_flow_ref on)
{
    for (unsigned i = 0; i < f->out_count; i++)
        if (f->out[i].on.slot == on.slot && f->out[i].on.number == on.number)
            return true;
    return false;
}

void smc_flow_out_drop(struct smc_flow *f, struct smc_flow_ref on)
{
    for (unsigned i = f->out_count; i-- > 0;)
        if (f->out[i].on.slot == on.slot)
            remove_at(f, i);
}

void smc_flow_out_free(struct smc_flow *f)
{
    while (f->out_count > 0)
        remove_at(f, f->out_count - 1);
}

static void count_sent(struct smc_flow *f, const uint8_t *bytes)
{
    f->group->ep->counters.llc_sent[bytes[0] & 15]++;
}

static int keep(struct smc_flow *f, struct smc_link *link, const uint8_t *bytes, size_t length)
{
    if (f->out_count == FLOW_OUT)
        return SMC_ERR_NOSPACE;
    struct flow_message *m = &f->out[f->out_count];
    *m = (struct flow_message){.on = smc_flow_ref(link), .length = length};
    m->until_ns = f->group->ep->now_ns + flow_profile(f)->send_slot_timeout_ns;
    if (length > FLOW_OUT_BYTES) {
        m->big = smc_alloc_zeroed(f->group->ep->alloc, length, 1);
        if (m->big == NULL)
            return SMC_ERR_NOMEM;
    }
    memcpy(m->big != NULL ? m->big : m->bytes, bytes, length);
    f->out_count++;
    if (!f->out_timer.set)
        smc_flow_timer(f, &f->out_timer, AGAIN_NS, out_fired);
    return 0;
}

int smc_flow_send_bytes(struct smc_flow *f, struct smc_link *link, const uint8_t *bytes, size_t length)
{
    int rc = SMC_ERR_NOSPACE;
    if (!smc_flow_waits(f, smc_flow_ref(link))) /* in order */
        rc = smc_wr_send(link, bytes, length, NULL, NULL);
    if (rc == SMC_ERR_NOSPACE)
        return keep(f, link, bytes, length);
    if (rc == 0)
        count_sent(f, bytes);
    return rc;
}

/* One of the messages, oldest first. False: nothing more can be done for its link now. */
static bool send_again(struct smc_flow *f, unsigned i, uint16_t *full)
{
    struct flow_message *m = &f->out[i];
    struct smc_link *link = smc_flow_deref(f, m->on);
    if (link == NULL) {
        remove_at(f, i);
        return true;
    }
    if (*full >> m->on.slot & 1)
        return false;
    const uint8_t *bytes = m->big != NULL ? m->big : m->bytes;
    int rc = smc_wr_send(link, bytes, m->length, NULL, NULL);
    if (rc == SMC_ERR_NOSPACE && f->group->ep->now_ns < m->until_ns) {
        *full = (uint16_t)(*full | 1u << m->on.slot);
        return false;
    }
    if (rc == 0)
        count_sent(f, bytes);
    else
        smc_flow_fail_link(f, link); /* [LLC-065] [LLC-087] */
    remove_at(f, i);
    return true;
}

static void out_fired(struct smc_timer *timer)
{
    struct smc_flow *f = SMC_LIST_ENTRY(timer, struct smc_flow, out_timer);
    uint16_t full = 0;
    for (unsigned i = 0; i < f->out_count;)
        if (!send_again(f, i, &full))
            i++;
    if (f->out_count > 0)
        smc_flow_timer(f, &f->out_timer, AGAIN_NS, out_fired);
}

int smc_flow_send(struct smc_flow *f, struct smc_link *link, struct smc_llc_info *info)
{
    uint8_t bytes[72 + 16 * SMC_LLC_MAX_RTOKENS];
    info->version = f->group->version == 2 ? 2 : 1;
    info->length_order = info->count_order = flow_profile(f)->v2_little_endian ? SMC_FITS_LE : SMC_FITS_BE; /* [LLC-071] */
    size_t length = smc_llc_encode(info, bytes, sizeof(bytes));
    return length > 0 ? smc_flow_send_bytes(f, link, bytes, length) : SMC_ERR_ARGUMENT;
}

int smc_flow_echo(struct smc_flow *f, struct smc_link *link, const uint8_t *request, uint8_t flags)
{
    uint8_t bytes[SMC_LLC_BYTES];
    memcpy(bytes, request, sizeof(bytes));
    bytes[3] = (uint8_t)(bytes[3] | SMC_LLC_RESPONSE | flags);
    if (f->group->version == 2) { /* the request may have been longer */
        if (flow_profile(f)->v2_little_endian)
            smc_store_le(bytes + 1, 2, SMC_LLC_BYTES);
        else
            smc_store_be(bytes + 1, 2, SMC_LLC_BYTES);
    }
    return smc_flow_send_bytes(f, link, bytes, sizeof(bytes));
}
