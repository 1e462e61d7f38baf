/* TEST LINK: a link on which nothing was received for a while is asked whether it lives (RFC 7609 4.5.3; state-machines §6).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

static int send_test(struct smc_link *link)
{
    struct smc_endpoint *ep = link->group->ep;
    uint8_t message[SMC_LLC_BYTES];
    struct smc_llc_info info = {.version = link->group->version >= 2 ? 2 : 1,
                                .type = SMC_LLC_TEST_LINK,
                                .length_order = ep->profile.v2_little_endian ? SMC_FITS_LE : SMC_FITS_BE};
    memcpy(info.user_data, link->test_data, sizeof(info.user_data));
    size_t length = smc_llc_encode(&info, message, sizeof(message));
    int error = smc_wr_send(link, message, length, NULL, NULL);
    if (error == 0)
        ep->counters.llc_sent[SMC_LLC_TEST_LINK]++;
    return error;
}

/* Runs when the link may have been idle for long enough, and when an answer is due. The LLC input clears test_outstanding. */
static void due(struct smc_timer *timer)
{
    struct smc_link *link = SMC_LIST_ENTRY(timer, struct smc_link, test_timer);
    struct smc_endpoint *ep = link->group->ep;
    uint64_t idle_at = link->last_received_ns + ep->profile.test_link_idle_ns;
    if (link->test_outstanding) {
        smc_link_down(link);
        return;
    }
    if (ep->now_ns < idle_at) {
        smc_timer_set(&ep->timers, timer, idle_at, due);
        return;
    }
    int error = send_test(link);
    if (error != 0 && error != SMC_ERR_NOSPACE) {
        smc_link_down(link);
        return;
    }
    /* Without a slot the link is not idle: its own SENDs will tell whether it lives. Asked again after the same time. */
    link->test_outstanding = error == 0;
    smc_timer_set(&ep->timers, timer, ep->now_ns + ep->profile.test_link_reply_ns, due);
}

void smc_link_keepalive(struct smc_link *link)
{
    struct smc_endpoint *ep = link->group->ep;
    link->last_received_ns = ep->now_ns;
    if (ep->profile.test_link_idle_ns != 0)
        smc_timer_set(&ep->timers, &link->test_timer, ep->now_ns + ep->profile.test_link_idle_ns, due);
}
