/* TEST LINK: keeps an eye on an idle link, and answers the peer's.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

static void fired(struct smc_timer *timer);

static void again_at(struct smc_link *link, uint64_t at_ns)
{
    smc_timer_set(&link->group->ep->timers, &link->test_timer, at_ns, fired);
}

void smc_flow_keepalive_start(struct smc_link *link)
{
    struct smc_endpoint *ep = link->group->ep;
    link->test_outstanding = false;
    if (ep->profile.test_link_idle_ns > 0)
        again_at(link, ep->now_ns + ep->profile.test_link_idle_ns);
}

static void ask(struct smc_flow *f, struct smc_link *link)
{
    struct smc_endpoint *ep = f->group->ep;
    struct smc_llc_info m = {.type = SMC_LLC_TEST_LINK};
    if (!ep->profile.test_link_zero) {
        smc_store_be(m.user_data, 8, smc_ep_random(ep));
        smc_store_be(m.user_data + 8, 8, smc_ep_random(ep));
    }
    memcpy(link->test_data, m.user_data, sizeof(link->test_data));
    link->test_outstanding = true;
    if (smc_flow_send(f, link, &m) < 0)
        smc_flow_fail_link(f, link); /* [LLC-065] */
    again_at(link, ep->now_ns + ep->profile.test_link_reply_ns);
}

static void fired(struct smc_timer *timer)
{
    struct smc_link *link = SMC_LIST_ENTRY(timer, struct smc_link, test_timer);
    struct smc_endpoint *ep = link->group->ep;
    struct smc_flow *f = link->group->flow;
    if (f == NULL || !smc_flow_usable(link))
        return;
    uint64_t due = link->last_received_ns + ep->profile.test_link_idle_ns;
    if (link->test_outstanding && smc_flow_waits(f, smc_flow_ref(link)))
        again_at(link, ep->now_ns + ep->profile.test_link_reply_ns); /* it has not left yet */
    else if (link->test_outstanding)
        smc_flow_fail_link(f, link);
    else if (ep->now_ns < due) /* [LLC-086] */
        again_at(link, due);
    else
        ask(f, link);
}

void smc_flow_keepalive_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    if (!m->response) { /* [LLC-042] [LLC-062] [LLC-007] */
        if (f->out_count >= FLOW_OUT / 2 || smc_flow_echo(f, link, bytes, 0) < 0)
            smc_flow_drop(f); /* a flood must not keep back what we have to say ourselves */
        return;
    }
    if (!link->test_outstanding || !smc_flow_usable(link)) {
        smc_flow_drop(f);
        return;
    }
    if (!flow_profile(f)->test_link_zero && memcmp(m->user_data, link->test_data, sizeof(link->test_data)) != 0) {
        smc_flow_fail_link(f, link); /* [LLC-063] */
        return;
    }
    link->test_outstanding = false;
    again_at(link, f->group->ep->now_ns + flow_profile(f)->test_link_idle_ns);
}
