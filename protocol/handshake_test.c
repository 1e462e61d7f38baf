/* The handshake of two well-behaved sides: every mode, order of steps, waiting, resources that fail, timers, fallbacks.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake_fake_test.h"

#define PROFILE(i) ((i) % 2 == 0 ? &smc_profile_linux : &smc_profile_rfc)
#define KIND(i) (&fake_kinds[(i) / 2])

static struct fake_end *end(unsigned pair, unsigned side)
{
    return &fake_ends[pair][side];
}

static void is_connected(unsigned pair, enum smc_mode mode)
{
    for (unsigned s = 0; s < 2; s++) {
        const struct smc_connection *c = end(pair, s)->c;
        NEED(c->mode == mode, "pair %u side %u: mode %u", pair, s, c->mode);
        NEED(end(pair, s)->events == SMC_EVENT_CONNECTED && c->hs == NULL && c->error == 0, "side %u: %x", s, end(pair, s)->events);
        NEED((mode == SMC_MODE_TCP) == (c->group == NULL), "side %u", s);
    }
}

/* Over TCP, because `who` declined with that code. */
static void is_declined(unsigned pair, unsigned who, uint32_t diagnosis)
{
    is_connected(pair, SMC_MODE_TCP);
    const struct smc_connection *c = end(pair, who)->c, *peer = end(pair, !who)->c;
    NEED(c->fallback == diagnosis && c->peer_diagnosis == 0, "%x", (unsigned)c->fallback);
    NEED(peer->fallback == SMC_DIAG_PEERDECL && peer->peer_diagnosis == diagnosis, "%x %x", (unsigned)peer->fallback, (unsigned)peer->peer_diagnosis);
}

static void is_broken(unsigned pair, unsigned side, int error)
{
    const struct smc_connection *c = end(pair, side)->c;
    NEED(c->error == error && c->hs == NULL && c->group == NULL, "error %d", c->error);
    NEED((end(pair, side)->events & (SMC_EVENT_ERROR | SMC_EVENT_CONNECTED)) == SMC_EVENT_ERROR, "events");
}

static void logs_clear(void)
{
    fake[0].log[0] = fake[1].log[0] = '\0';
}

/* ---- Success ------------------------------------------------------------------------------------ */
START_TEST(every_mode_is_reached_and_used_again)
{
    const struct fake_kind *kind = KIND(_i);
    fake_up(kind, PROFILE(_i));
    for (unsigned pair = 0; pair < 2; pair++) {
        fake_connect(pair);
        fake_pump();
        is_connected(pair, kind->mode);
        for (unsigned s = 0; s < 2; s++) {
            const struct smc_connection *c = end(pair, s)->c, *peer = end(pair, !s)->c;
            ck_assert_uint_eq(c->version, kind->version);
            ck_assert_uint_eq(c->release, kind->release);
            ck_assert_uint_eq(c->peer_rmbe_bytes, 65536);
            ck_assert_uint_eq(c->peer_rmbe_index, peer->rmbe_index);
            if (kind->mode == SMC_MODE_R)
                ck_assert_uint_eq(c->peer_token, peer->token);
            else
                ck_assert_uint_eq(c->peer_dmb_token, peer->rmb->dmb.token);
            ck_assert_uint_eq(fake[s].groups, 1);
        }
    }
    const struct smc_group *g = end(0, SERVER)->c->group;
    ck_assert_ptr_eq(g, end(1, SERVER)->c->group);
    if (kind->version == 2 && kind->mode == SMC_MODE_R) { /* [CLC-060] */
        ck_assert_uint_eq(g->gid_count, 1);
        ck_assert_mem_eq(g->gids, end(0, CLIENT)->c->link->gid.bytes, 16);
        ck_assert_mem_eq(g->peer_id, fake[CLIENT].ep.peer_id, 8);
        ck_assert_uint_eq(g->peer_os, SMC_OS_LINUX);
        ck_assert_mem_eq(g->peer_hostname, fake[CLIENT].ep.config.hostname, 32);
    }
    const struct smc_counters *k = &fake[SERVER].ep.counters;
    const struct smc_path_counters *path = kind->mode == SMC_MODE_D ? &k->d : &k->r;
    ck_assert_uint_eq(kind->version == 2 ? path->connections_v2 : path->connections_v1, 2);
    ck_assert_uint_eq(k->server_handshakes, 2);
    fake_down();
}
END_TEST

/* state-machines §1.2, §1.3: nothing in another order. */
START_TEST(the_steps_have_their_order)
{
    bool d = KIND(_i)->mode == SMC_MODE_D;
    fake_up(KIND(_i), PROFILE(_i));
    fake_connect(0);
    fake_pump();
    ck_assert_str_eq(fake[CLIENT].log, d ? "send:1 new attach rmb send:3 start" : "send:1 new attach rmb rtr send:3 llc start");
    ck_assert_str_eq(fake[SERVER].log, d ? "new attach rmb send:2 start" : "new attach rmb send:2 rtr rts llc start");
    logs_clear();
    fake[CLIENT].needs_confirm = fake[SERVER].needs_confirm = true; /* [CLC-075] */
    fake_connect(1);
    fake_pump();
    ck_assert_str_eq(fake[CLIENT].log, d ? "send:1 attach rmb send:3 start" : "send:1 attach rmb rkey send:3 start");
    ck_assert_str_eq(fake[SERVER].log, d ? "attach rmb send:2 start" : "attach rmb rkey send:2 start");
    fake_down();
}
END_TEST

static size_t length_of(const struct fake_end *e)
{
    return e->in_length;
}

START_TEST(messages_have_the_lengths_and_flags_of_captures)
{
    const struct fake_kind *k = KIND(_i);
    bool as_linux = _i % 2 == 0;
    fake_up(k, PROFILE(_i));
    for (unsigned pair = 0; pair < 2; pair++) {
        struct fake_end *client = end(pair, CLIENT), *server = end(pair, SERVER);
        fake_connect(pair);
        if (as_linux)
            ck_assert_uint_eq(length_of(server), k->proposal);
        else if (k == &fake_kinds[KIND_R1])
            ck_assert_uint_eq(length_of(server), 52); /* [CLC-015] */
        ck_assert(fake_feed(server));
        ck_assert_uint_eq(length_of(client), pair == 0 ? k->accept_first : k->accept_next);
        ck_assert_uint_eq(client->in[7] & 8, pair == 0 ? 8 : 0);
        ck_assert_uint_eq(client->in[7] >> 4, k->version);
        ck_assert(fake_feed(client));
        ck_assert_uint_eq(length_of(server), pair == 0 ? k->confirm_first : k->confirm_next);
        ck_assert_uint_eq(server->in[7] & 8, pair == 0 && (as_linux || k->version == 2) ? 8 : 0);
        fake_pump();
    }
    fake_down();
}
END_TEST

START_TEST(messages_may_come_byte_by_byte) /* [CLC-006] */
{
    fake_up(KIND(_i), PROFILE(_i));
    fake_connect(0);
    for (unsigned round = 0; round < 3; round++) {
        struct fake_end *e = end(0, round % 2 == 0 ? SERVER : CLIENT);
        uint8_t bytes[1024];
        size_t length = e->in_length, used = 0;
        memcpy(bytes, e->in, length);
        e->in_length = 0;
        for (size_t have = 1; have <= length; have++) {
            used = smc_tcp_input(e->c, bytes, have, fake_now);
            NEED(used == (have == length ? length : 0), "%zu of %zu: %zu", have, length, used);
        }
    }
    fake_pump();
    is_connected(0, KIND(_i)->mode);
    fake_down();
}
END_TEST

START_TEST(what_follows_a_message_is_left_alone) /* [CLC-005] */
{
    fake_up(KIND(_i), PROFILE(_i));
    fake_connect(0);
    struct fake_end *client = end(0, CLIENT), *server = end(0, SERVER);
    fake[CLIENT].new_error = SMC_ERR_NOMEM;
    ck_assert(fake_feed(server));
    memcpy(client->in + client->in_length, "payload", 7);
    client->in_length += 7;
    ck_assert(fake_feed(client)); /* Accept, answered by a Decline */
    ck_assert_uint_eq(client->c->mode, SMC_MODE_TCP);
    ck_assert_uint_eq(client->in_length, 7);
    ck_assert_mem_eq(client->in, "payload", 7);
    memcpy(server->in + server->in_length, "request", 7);
    server->in_length += 7;
    ck_assert(fake_feed(server));
    ck_assert_uint_eq(server->c->mode, SMC_MODE_TCP);
    ck_assert_uint_eq(server->in_length, 7);
    fake_down();
}
END_TEST

/* ---- TCP without SMC ---------------------------------------------------------------------------- */
START_TEST(without_the_option_no_byte_is_sent) /* [TCPOPT-005] */
{
    struct smc_connection_config config = {.option = false};
    fake_up(&fake_kinds[KIND_ALL], PROFILE(_i));
    ck_assert_int_eq(fake_open(0, SERVER, &config), 0);
    ck_assert_int_eq(fake_open(0, CLIENT, &config), 0);
    is_connected(0, SMC_MODE_TCP);
    ck_assert_str_eq(fake[CLIENT].log, "");
    ck_assert_str_eq(fake[SERVER].log, "");
    ck_assert_uint_eq(end(0, CLIENT)->c->fallback, SMC_DIAG_PEERNOSMC);
    ck_assert_uint_eq(fake[CLIENT].ep.counters.client_fallbacks, 1);
    ck_assert_uint_eq(fake[SERVER].ep.counters.server_reasons[0].code, SMC_DIAG_PEERNOSMC);
    fake_down();
}
END_TEST

START_TEST(ipsec_and_fast_open_are_declined_by_either_side)
{
    for (unsigned fast_open = 0; fast_open < 2; fast_open++) {
        for (unsigned who = 0; who < 2; who++) {
            struct smc_connection_config config = {.option = true, .ipsec = !fast_open, .fast_open = fast_open};
            fake_up(&fake_kinds[KIND_ALL], PROFILE(_i));
            ck_assert_int_eq(fake_open(0, SERVER, who == SERVER ? &config : NULL), 0);
            ck_assert_int_eq(fake_open(0, CLIENT, who == CLIENT ? &config : NULL), 0);
            fake_pump();
            is_declined(0, who, fast_open ? SMC_DIAG_OPTUNSUPP : SMC_DIAG_IPSEC);
            ck_assert_str_eq(fake[who].log, "send:4");
            fake_down();
        }
    }
}
END_TEST

/* In place of the Proposal: version 2 only where SMC-Dv2 could be done; peer id zero without a RoCE device (A-35). */
START_TEST(a_client_without_devices_declines_in_place_of_the_proposal)
{
    struct fake_kind none = {.name = "none", .v1 = true, .v2 = true, .r = true};
    static const uint8_t zero[8];
    fake_up(&none, PROFILE(_i));
    smc_list_remove(&fake[CLIENT].rnic.node);
    memset(fake[CLIENT].ep.peer_id, 0, 8);
    fake_connect(0);
    ck_assert_uint_eq(end(0, SERVER)->in_length, 28);
    ck_assert_uint_eq(end(0, SERVER)->in[7], 0x10);
    ck_assert_mem_eq(end(0, SERVER)->in + 8, zero, 8);
    fake_pump();
    is_declined(0, CLIENT, SMC_DIAG_NOSMCDEV);
    fake_down();
    struct smc_connection_config config = {.option = true, .ipsec = true};
    fake_up(&fake_kinds[KIND_D2], PROFILE(_i));
    ck_assert_int_eq(fake_open(0, CLIENT, &config), 0);
    ck_assert_uint_eq(end(0, SERVER)->in_length, 44);
    fake_down();
}
END_TEST

/* The server takes it from the Proposal; who knows version 1 alone and is no Linux answers in that. */
START_TEST(a_declines_version_is_that_of_the_message_it_answers)
{
    for (unsigned v2 = 0; v2 < 2; v2++) {
        struct fake_kind kind = {.name = "R", .v1 = true, .v2 = v2, .r = true};
        fake_up(&kind, PROFILE(_i));
        fake[SERVER].port_down = true;
        fake_connect(0);
        uint8_t nibble = end(0, SERVER)->in[7] >> 4;
        ck_assert_uint_eq(nibble, v2 || _i == 0 ? 2 : 1);
        ck_assert(fake_feed(end(0, SERVER)));
        ck_assert_uint_eq(end(0, CLIENT)->in_length, nibble == 2 ? 44 : 28);
        ck_assert_mem_eq(end(0, CLIENT)->in + 8, fake[SERVER].ep.peer_id, 8);
        fake_pump();
        is_declined(0, SERVER, v2 ? SMC_DIAG_NOSMCRDEV : SMC_DIAG_NOSMCDEV);
        fake_down();
    }
}
END_TEST

/* ---- What can fail ------------------------------------------------------------------------------ */
struct fault {
    int *error;
    int value;
    uint32_t r, d; /* the code; 0: does not happen there */
};

START_TEST(each_resource_that_is_missing_has_its_code)
{
    for (unsigned who = 0; who < 2; who++) {
        struct fake_side *s = &fake[who];
        const struct fault faults[] = {
            {&s->new_error, SMC_ERR_NOMEM, SMC_DIAG_MEM, SMC_DIAG_MEM},
            {&s->new_error, SMC_ERR_UNSUPPORTED, 0, SMC_DIAG_ISMVLANERR},
            {&s->new_error, SMC_ERR_GONE, SMC_DIAG_NOACTLINK, SMC_DIAG_NOSMCDDEV},
            {&s->attach_error, SMC_ERR_NOMEM, SMC_DIAG_MEM, SMC_DIAG_MEM},
            {&s->rmb_error, SMC_ERR_NOMEM, SMC_DIAG_MEM, SMC_DIAG_MEM},
            {&s->rmb_error, SMC_ERR_NOSPACE, SMC_DIAG_MEM, SMC_DIAG_MAX_DMB}, /* [SMCD-016] */
            {&s->rmb_error, SMC_ERR_IO, SMC_DIAG_INTERR, SMC_DIAG_INTERR},
            {&s->rtoken_error, SMC_ERR_NOSPACE, SMC_DIAG_ERR_RTOK, 0},
            {&s->rtr_error, SMC_ERR_IO, SMC_DIAG_ERR_RDYLNK, 0},
            {&s->rts_error, SMC_ERR_IO, who == SERVER ? SMC_DIAG_ERR_RDYLNK : 0, 0},
        };
        for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            uint32_t code = KIND(_i)->mode == SMC_MODE_D ? faults[i].d : faults[i].r;
            if (code == 0 || (KIND(_i) == &fake_kinds[KIND_ALL] && who == SERVER) || (KIND(_i) == &fake_kinds[3] && who == SERVER))
                continue; /* a server with a choice tries the next: see below */
            fake_up(KIND(_i), PROFILE(_i));
            *faults[i].error = faults[i].value;
            fake_connect(0);
            fake_pump();
            fake_run(3 * SECOND);
            is_declined(0, who, code);
            ck_assert_uint_eq(fake[CLIENT].groups + fake[SERVER].groups, 0);
            *faults[i].error = 0; /* and the next connection is none the worse */
            fake_connect(1);
            fake_pump();
            is_connected(1, KIND(_i)->mode);
            fake_down();
        }
    }
}
END_TEST

START_TEST(a_server_goes_on_to_the_next_mode_and_says_the_first_reason) /* §1.6 [CLC-072] */
{
    fake_up(&fake_kinds[KIND_ALL], PROFILE(_i));
    fake[SERVER].query_error = SMC_ERR_UNREACHABLE; /* [SMCD-025] */
    fake_connect(0);
    fake_pump();
    is_connected(0, SMC_MODE_R);
    ck_assert_uint_eq(end(0, CLIENT)->c->version, 2);
    fake_down();
    fake_up(&fake_kinds[KIND_ALL], PROFILE(_i));
    fake[SERVER].query_error = SMC_ERR_UNREACHABLE;
    fake[SERVER].route_error = SMC_ERR_UNREACHABLE;
    fake_connect(0);
    fake_pump();
    is_connected(0, SMC_MODE_R);
    ck_assert_uint_eq(end(0, CLIENT)->c->version, 1);
    fake_down();
    fake_up(&fake_kinds[KIND_ALL], PROFILE(_i));
    fake[SERVER].query_error = SMC_ERR_UNREACHABLE;
    fake[SERVER].rmb_error = SMC_ERR_NOMEM;
    fake_connect(0);
    fake_pump();
    is_declined(0, SERVER, SMC_DIAG_NOSMCD2DEV);
    ck_assert_uint_eq(fake[SERVER].groups, 0);
    fake_down();
}
END_TEST

START_TEST(every_allocation_may_fail) /* [CLC-079] */
{
    unsigned failures = 0;
    for (unsigned budget = 1;; budget++) {
        fake_up(KIND(_i), PROFILE(_i));
        fake_budget = budget;
        int server = fake_open(0, SERVER, NULL), client = server == 0 ? fake_open(0, CLIENT, NULL) : 0;
        if (server == 0 && client == 0) {
            fake_pump();
            fake_run(20 * SECOND);
            for (unsigned s = 0; s < 2; s++)
                NEED(end(0, s)->c->hs == NULL && (end(0, s)->events & (SMC_EVENT_CONNECTED | SMC_EVENT_ERROR)) != 0, "side %u hangs", s);
            NEED(end(0, 0)->c->mode == end(0, 1)->c->mode, "two views");
        } else {
            NEED((server != 0 ? server : client) == SMC_ERR_NOMEM, "another error");
            failures++;
        }
        bool all = fake_budget > 1;
        fake_budget = 0;
        fake_down();
        if (all)
            break;
    }
    ck_assert_uint_eq(failures, 4); /* connection and handshake of both sides */
}
END_TEST

START_TEST(a_dead_tcp_ends_it_with_an_error)
{
    for (unsigned who = 0; who < 2; who++) {
        fake_up(KIND(_i), PROFILE(_i));
        fake[who].send_error = SMC_ERR_RESET;
        fake_connect(0);
        fake_pump();
        is_broken(0, who, SMC_ERR_RESET);
        fake_down();
    }
}
END_TEST

/* ---- Devices: networks, ports, VLANs ------------------------------------------------------------ */
START_TEST(devices_of_another_physical_network_are_not_used)
{
    for (unsigned who = 0; who < 2; who++) {
        struct smc_connection_config config = {.option = true, .pnet = "NETA"};
        fake_up(KIND(_i), PROFILE(_i));
        memcpy(fake[who].rnic.pnet, "NETB", 5);
        memcpy(fake[who].use[0].pnet, "NETB", 5);
        memcpy(fake[who].use[1].pnet, "NETB", 5);
        ck_assert_int_eq(fake_open(0, SERVER, &config), 0);
        ck_assert_int_eq(fake_open(0, CLIENT, &config), 0);
        fake_pump();
        ck_assert_uint_eq(end(0, who)->c->mode, SMC_MODE_TCP);
        ck_assert_uint_eq(end(0, !who)->c->fallback, SMC_DIAG_PEERDECL);
        memcpy(fake[who].rnic.pnet, "NETA", 5);
        memcpy(fake[who].use[0].pnet, "NETA", 5);
        memset(fake[who].use[1].pnet, 0, 5); /* every one */
        ck_assert_int_eq(fake_open(1, SERVER, &config), 0);
        ck_assert_int_eq(fake_open(1, CLIENT, &config), 0);
        fake_pump();
        is_connected(1, KIND(_i)->mode);
        fake_down();
    }
}
END_TEST

START_TEST(the_confirm_lists_all_ports_the_links_own_first) /* [CLC-060] */
{
    fake_up(&fake_kinds[KIND_R2], PROFILE(_i));
    fake[CLIENT].two_ports = true;
    fake_connect(0);
    fake_pump();
    is_connected(0, SMC_MODE_R);
    const struct smc_group *g = end(0, SERVER)->c->group;
    ck_assert_uint_eq(g->gid_count, 2);
    ck_assert_mem_eq(g->gids, end(0, CLIENT)->c->link->gid.bytes, 16);
    ck_assert_uint_eq(g->gids[16 + 14], 1);
    fake_down();
}
END_TEST

START_TEST(a_client_holds_its_vlan_only_while_it_shakes_hands) /* [SMCD-030] */
{
    struct smc_connection_config config = {.option = true, .vlan_valid = true, .vlan_id = FAKE_VLAN};
    fake_up(&fake_kinds[KIND_D1], PROFILE(_i));
    ck_assert_int_eq(fake_open(0, SERVER, &config), 0);
    ck_assert_int_eq(fake_open(0, CLIENT, &config), 0);
    ck_assert_uint_eq(fake[CLIENT].vlans, 1);
    fake_pump();
    is_connected(0, SMC_MODE_D);
    ck_assert_uint_eq(fake[CLIENT].vlans, 0);
    fake_down();
    fake_up(&fake_kinds[KIND_D1], PROFILE(_i)); /* a device that refuses the VLAN is not offered */
    fake[CLIENT].vlan_error = SMC_ERR_UNSUPPORTED;
    ck_assert_int_eq(fake_open(0, SERVER, &config), 0);
    ck_assert_int_eq(fake_open(0, CLIENT, &config), 0);
    fake_pump();
    is_declined(0, CLIENT, end(0, CLIENT)->c->fallback);
    fake_down();
}
END_TEST

/* ---- Routes of SMC-Rv2 -------------------------------------------------------------------------- */
START_TEST(a_route_may_take_a_while_but_not_for_ever)
{
    for (unsigned who = 0; who < 2; who++) {
        for (unsigned waits = 98; waits <= 101; waits++) {
            fake_up(&fake_kinds[KIND_R2], PROFILE(_i));
            fake[who].route_waits = waits;
            fake_connect(0);
            fake_pump();
            fake_run(waits == 98 ? 979000000 : 1100000000);
            if (waits == 98)
                ck_assert_ptr_nonnull(end(0, who)->c->hs);
            fake_run(SECOND);
            if (waits <= 99)
                is_connected(0, SMC_MODE_R);
            else
                is_declined(0, who, SMC_DIAG_NOROUTE);
            fake_down();
        }
    }
}
END_TEST

START_TEST(both_must_see_the_same_kind_of_way) /* §1.10 */
{
    for (unsigned bits = 0; bits < 4; bits++) {
        fake_up(&fake_kinds[KIND_R2], PROFILE(_i));
        fake[CLIENT].indirect = bits & 1;
        fake[SERVER].indirect = bits & 2;
        fake_connect(0);
        fake_pump();
        if (bits == 1 || bits == 2) {
            is_declined(0, CLIENT, SMC_DIAG_NOINDIRECT);
        } else {
            is_connected(0, SMC_MODE_R);
            const struct smc_link *link = end(0, CLIENT)->c->link;
            ck_assert_uint_eq(link->v2_direct, bits == 0);
            ck_assert_uint_eq(link->next_hop_mac[0], 0x77);
        }
        fake_down();
    }
}
END_TEST

/* ---- Another's first contact -------------------------------------------------------------------- */
START_TEST(others_wait_for_a_first_contact_in_order)
{
    fake_up(KIND(_i), PROFILE(_i));
    bool d = KIND(_i)->mode == SMC_MODE_D;
    fake[CLIENT].llc_by_hand = fake[SERVER].llc_by_hand = true;
    for (unsigned p = 0; p < 4; p++)
        fake_connect(p);
    for (unsigned p = 0; p < 4; p++) /* all Proposals are there before any Confirm is */
        ck_assert(fake_feed(end(p, SERVER)));
    ck_assert_uint_gt(end(0, CLIENT)->in_length, 0);
    for (unsigned p = 1; p < 4; p++)
        ck_assert_uint_eq(end(p, CLIENT)->in_length, 0);
    fake_pump();
    if (!d) {
        ck_assert_uint_eq(end(1, SERVER)->c->hs->state, SMC_HS_PENDING);
        fake[CLIENT].llc_by_hand = fake[SERVER].llc_by_hand = false;
        fake_pump();
    }
    for (unsigned p = 0; p < 4; p++)
        is_connected(p, KIND(_i)->mode);
    ck_assert_uint_eq(fake[SERVER].groups, 1);
    ck_assert_uint_lt(end(1, SERVER)->c->token, end(2, SERVER)->c->token);
    ck_assert_uint_lt(end(2, SERVER)->c->token, end(3, SERVER)->c->token);
    fake_down();
}
END_TEST

START_TEST(when_a_first_contact_fails_the_next_begins_one)
{
    fake_up(KIND(_i), PROFILE(_i));
    for (unsigned p = 0; p < 3; p++)
        fake_connect(p);
    for (unsigned p = 0; p < 3; p++)
        ck_assert(fake_feed(end(p, SERVER)));
    smc_tcp_reset(end(0, SERVER)->c, fake_now);
    smc_tcp_reset(end(0, CLIENT)->c, fake_now);
    is_broken(0, SERVER, SMC_ERR_RESET);
    end(0, CLIENT)->in_length = 0;
    ck_assert_uint_gt(end(1, CLIENT)->in_length, 0);
    ck_assert_uint_eq(end(1, CLIENT)->in[7] & 8, 8);
    ck_assert_uint_eq(end(2, CLIENT)->in_length, 0);
    fake_pump();
    is_connected(1, KIND(_i)->mode);
    is_connected(2, KIND(_i)->mode);
    ck_assert_uint_eq(fake[SERVER].groups, 1);
    fake_down();
}
END_TEST

START_TEST(nobody_waits_for_ever_for_another)
{
    fake_up(&fake_kinds[KIND_R1], PROFILE(_i));
    fake[CLIENT].llc_by_hand = fake[SERVER].llc_by_hand = true;
    fake_connect(0);
    fake_pump();
    fake_connect(1);
    fake_pump();
    ck_assert_uint_eq(end(1, SERVER)->c->hs->state, SMC_HS_PENDING);
    fake[CLIENT].llc = fake[SERVER].llc = NULL; /* and never a word of the first */
    fake_run(2900000000);
    ck_assert_uint_eq(end(1, SERVER)->c->hs->state, SMC_HS_PENDING);
    fake[CLIENT].llc_by_hand = fake[SERVER].llc_by_hand = false;
    fake_run(200000000); /* it begins a group of its own, before the client has lost patience */
    is_connected(1, SMC_MODE_R);
    ck_assert_uint_eq(fake[SERVER].groups, 2);
    fake_down();
}
END_TEST

START_TEST(a_client_waits_for_the_group_that_an_accept_names)
{
    fake_up(&fake_kinds[KIND_R2], PROFILE(_i));
    fake[CLIENT].llc_by_hand = true; /* the server is through before the client */
    fake_connect(0);
    fake_pump();
    fake_connect(1);
    fake_pump();
    ck_assert_uint_eq(end(0, SERVER)->c->mode, SMC_MODE_R);
    ck_assert_uint_eq(end(1, CLIENT)->c->hs->state, SMC_HS_PENDING);
    fake[CLIENT].llc_by_hand = false;
    fake_pump();
    is_connected(0, SMC_MODE_R);
    is_connected(1, SMC_MODE_R);
    fake_down();
}
END_TEST

/* ---- Subsequent contact ------------------------------------------------------------------------- */
static void first_then(const struct fake_kind *kind, const struct smc_profile *profile)
{
    fake_up(kind, profile);
    fake_connect(0);
    fake_pump();
    is_connected(0, kind->mode);
    logs_clear();
}

START_TEST(an_unknown_group_is_out_of_sync) /* [CLC-051] [CLC-052] */
{
    first_then(KIND(_i), PROFILE(_i));
    fake_close(end(0, CLIENT));
    while (!smc_list_empty(&fake[CLIENT].ep.groups))
        smc_group_terminate(SMC_LIST_ENTRY(fake[CLIENT].ep.groups.next, struct smc_group, all), 0, false);
    fake_connect(1);
    ck_assert(fake_feed(end(1, SERVER)));
    ck_assert(fake_feed(end(1, CLIENT)));
    ck_assert_uint_eq(end(1, SERVER)->in[4], 4);
    ck_assert_uint_eq(end(1, SERVER)->in[7] & 0x0f, 8);
    fake_pump();
    is_declined(1, CLIENT, SMC_DIAG_SYNCERR);
    ck_assert_uint_eq(fake[SERVER].groups, 0); /* and the server's view of it is gone, with all in it */
    ck_assert_int_eq(end(0, SERVER)->c->error, SMC_ERR_RESET);
    fake_down();
}
END_TEST

START_TEST(an_unknown_link_is_named) /* §8 */
{
    first_then(&fake_kinds[KIND_R1 + _i / 2 * 2], PROFILE(_i));
    fake[CLIENT].no_link = true;
    fake_connect(1);
    fake_pump();
    is_declined(1, CLIENT, SMC_DIAG_NOSRVLINK);
    fake_down();
}
END_TEST

START_TEST(a_server_may_always_ask_for_a_first_contact) /* [CLC-073] */
{
    first_then(KIND(_i), PROFILE(_i));
    end(0, SERVER)->c->group->sync_error = true;
    fake_connect(1);
    fake_pump();
    is_connected(1, KIND(_i)->mode);
    ck_assert_uint_eq(fake[CLIENT].groups, 2);
    fake_down();
}
END_TEST

START_TEST(a_refused_rkey_declines_where_one_still_may)
{
    for (unsigned who = 0; who < 2; who++) {
        first_then(&fake_kinds[KIND_R2], PROFILE(_i));
        fake[who].needs_confirm = fake[who].rkey_waits = true;
        fake_connect(1);
        fake_pump();
        ck_assert_uint_eq(end(1, who)->c->hs->state, SMC_HS_RKEY);
        smc_hs_rkey_done(fake[who].rkey, SMC_ERR_TIMEOUT);
        fake_pump();
        is_declined(1, who, SMC_DIAG_ERR_REGBUF);
        ck_assert_uint_eq(fake[who].groups, 1); /* the group lives on */
        fake_down();
    }
}
END_TEST

START_TEST(an_rmbe_named_again_ends_the_connection_that_had_it) /* [CLC-039], A-25 */
{
    first_then(&fake_kinds[KIND_R1], PROFILE(_i));
    struct smc_connection *old = end(0, SERVER)->c;
    bool rfc = _i % 2 == 1;
    fake_connect(1);
    ck_assert(fake_feed(end(1, SERVER)));
    ck_assert(fake_feed(end(1, CLIENT)));
    old->peer_row = (int16_t)(smc_load_be(end(1, SERVER)->in + 41, 4) % 200);
    fake_pump();
    is_connected(1, SMC_MODE_R);
    ck_assert_int_eq(old->error, rfc ? SMC_ERR_RESET : 0);
    fake_down();
    if (!rfc)
        return;
    first_then(&fake_kinds[KIND_R1], PROFILE(_i)); /* one that has said C writes no more: its peer's C may be on its way */
    old = end(0, SERVER)->c;
    old->tx_conn_flags = 0x40;
    fake_connect(1);
    ck_assert(fake_feed(end(1, SERVER)));
    ck_assert(fake_feed(end(1, CLIENT)));
    old->peer_row = (int16_t)(smc_load_be(end(1, SERVER)->in + 41, 4) % 200);
    fake_pump();
    ck_assert_int_eq(old->error, 0);
    fake_down();
}
END_TEST

/* ---- LLC ---------------------------------------------------------------------------------------- */
static void at_llc(const struct fake_kind *kind, const struct smc_profile *profile)
{
    fake_up(kind, profile);
    fake[CLIENT].llc_by_hand = fake[SERVER].llc_by_hand = true;
    fake_connect(0);
    fake_pump();
    ck_assert_ptr_nonnull(fake[CLIENT].llc);
    ck_assert_ptr_nonnull(fake[SERVER].llc);
}

static void llc_fails(unsigned who, int error, uint32_t diagnosis)
{
    struct smc_connection *c = fake[who].llc;
    fake[who].llc = NULL;
    smc_hs_llc_failed(c, error, diagnosis);
}

START_TEST(a_declined_first_contact_falls_back_on_both_sides) /* [CLC-050] */
{
    for (unsigned who = 0; who < 2; who++) {
        at_llc(&fake_kinds[KIND_R1 + _i / 2 * 2], PROFILE(_i));
        llc_fails(who, SMC_ERR_PROTOCOL, SMC_DIAG_RMBE_EC);
        fake_pump();
        ck_assert_uint_eq(end(0, !who)->c->mode, SMC_MODE_TCP);
        fake_run(SECOND);
        is_declined(0, who, SMC_DIAG_RMBE_EC);
        ck_assert_uint_eq(fake[0].groups + fake[1].groups, 0);
        fake_down();
    }
}
END_TEST

START_TEST(a_timeout_looks_for_a_decline_first) /* C.7.1, A-11 */
{
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i));
    llc_fails(SERVER, SMC_ERR_TIMEOUT, SMC_DIAG_TIMEOUT_CL);
    fake_run(SECOND - 1);
    ck_assert_uint_eq(end(0, CLIENT)->in_length, 0);
    fake_run(2);
    ck_assert_uint_eq(end(0, CLIENT)->c->mode, SMC_MODE_TCP);
    fake_run(SECOND);
    is_declined(0, SERVER, SMC_DIAG_TIMEOUT_CL);
    fake_down();
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i)); /* the client's is seen: no own one is sent */
    llc_fails(SERVER, SMC_ERR_TIMEOUT, SMC_DIAG_TIMEOUT_CL);
    llc_fails(CLIENT, SMC_ERR_PROTOCOL, SMC_DIAG_INTERR);
    logs_clear();
    fake_pump();
    ck_assert_ptr_null(strstr(fake[SERVER].log, "send"));
    fake_run(2 * SECOND);
    is_declined(0, CLIENT, SMC_DIAG_INTERR);
    fake_down();
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i)); /* nothing to decline with: RST */
    llc_fails(SERVER, SMC_ERR_TIMEOUT, 0);
    fake_run(SECOND);
    is_broken(0, SERVER, SMC_ERR_TIMEOUT);
    ck_assert_uint_eq(end(0, SERVER)->aborts, 1);
    fake_down();
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i));
    llc_fails(CLIENT, SMC_ERR_GONE, 0);
    is_broken(0, CLIENT, SMC_ERR_RESET);
    fake_down();
}
END_TEST

START_TEST(crossing_declines_never_reach_an_application) /* B-06 [CLC-053] */
{
    at_llc(&fake_kinds[KIND_R2], PROFILE(_i));
    for (unsigned s = 0; s < 2; s++)
        llc_fails(s, SMC_ERR_PROTOCOL, SMC_DIAG_INTERR);
    for (unsigned s = 0; s < 2; s++) {
        struct fake_end *e = end(0, s);
        ck_assert_uint_eq(e->events, 0); /* not yet the application's */
        memcpy(e->in + e->in_length, "data", 4);
        e->in_length += 4;
    }
    fake_pump();
    is_connected(0, SMC_MODE_TCP);
    for (unsigned s = 0; s < 2; s++) {
        ck_assert_uint_eq(end(0, s)->in_length, 4);
        ck_assert_mem_eq(end(0, s)->in, "data", 4);
        ck_assert_uint_eq(end(0, s)->c->fallback, SMC_DIAG_INTERR);
        ck_assert_uint_eq(end(0, s)->c->peer_diagnosis, SMC_DIAG_INTERR);
    }
    fake_down();
}
END_TEST

START_TEST(data_of_a_peer_that_has_fallen_back_ends_the_wait_at_once)
{
    static const char *const data[] = {"GET /", "\xe2\xd4\xc3\xd9", "\xe2\xd4\xc3\xd9\x01", "\xe2\xd4\xc3\xd9\x02\x01\x34\x20...", "x"};
    for (unsigned i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        at_llc(&fake_kinds[KIND_R1], PROFILE(_i));
        llc_fails(SERVER, SMC_ERR_PROTOCOL, SMC_DIAG_INTERR);
        struct fake_end *e = end(0, SERVER);
        e->in_length = strlen(data[i]);
        memcpy(e->in, data[i], e->in_length);
        (void)fake_feed(e);
        if (i == 1) /* might be a Decline */
            fake_run(SECOND);
        ck_assert_uint_eq(e->c->mode, SMC_MODE_TCP);
        ck_assert_uint_eq(e->in_length, strlen(data[i])); /* all of it is the application's */
        fake_down();
    }
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i));
    llc_fails(SERVER, SMC_ERR_PROTOCOL, SMC_DIAG_INTERR);
    smc_tcp_eof(end(0, SERVER)->c, fake_now);
    ck_assert_uint_eq(end(0, SERVER)->c->mode, SMC_MODE_TCP);
    fake_down();
}
END_TEST

START_TEST(a_fin_ends_no_first_contact_that_llc_still_works_on)
{
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i));
    smc_tcp_eof(end(0, SERVER)->c, fake_now);
    ck_assert_ptr_nonnull(end(0, SERVER)->c->hs);
    ck_assert(end(0, SERVER)->c->tcp_fin_received);
    fake[CLIENT].llc_by_hand = fake[SERVER].llc_by_hand = false;
    fake_pump();
    is_connected(0, SMC_MODE_R);
    fake_down();
}
END_TEST

START_TEST(a_group_that_ends_takes_its_first_contact_along)
{
    at_llc(&fake_kinds[KIND_R1], PROFILE(_i));
    smc_group_terminate(end(0, SERVER)->c->group, 0, false);
    ck_assert_ptr_null(end(0, SERVER)->c->hs);
    ck_assert_int_eq(end(0, SERVER)->c->error, SMC_ERR_RESET);
    fake_down();
}
END_TEST

/* ---- Time --------------------------------------------------------------------------------------- */
START_TEST(every_message_is_awaited_six_seconds) /* [CLC-010] [CLC-011] [CLC-012] */
{
    for (unsigned step = 0; step < 3; step++) { /* Proposal, Accept, Confirm never come */
        unsigned who = step == 1 ? CLIENT : SERVER;
        fake_up(KIND(_i), PROFILE(_i));
        fake_connect(0);
        if (step == 2)
            ck_assert(fake_feed(end(0, SERVER)));
        struct fake_end *e = end(0, who);
        uint8_t bytes[1024];
        size_t length = e->in_length;
        if (step == 1)
            length = 0;
        memcpy(bytes, e->in, sizeof(bytes));
        end(0, 0)->in_length = end(0, 1)->in_length = 0;
        for (unsigned second = 1; second < 6; second++) { /* dribbling does not help */
            fake_run(SECOND);
            if (length > 6)
                ck_assert_uint_eq(smc_tcp_input(e->c, bytes, second, fake_now), 0);
            ck_assert_ptr_nonnull(e->c->hs);
        }
        fake_run(SECOND - 1);
        ck_assert_ptr_nonnull(e->c->hs);
        fake_run(1);
        is_broken(0, who, SMC_ERR_TIMEOUT);
        ck_assert_uint_eq(e->aborts, 1);
        fake_down();
    }
}
END_TEST

/* What an Accept has offered is the peer's to write to until the peer itself declines [CLOSE-020]. */
START_TEST(an_element_that_was_offered_is_not_offered_again_before_the_peer_knows)
{
    for (unsigned how = 0; how < 4; how++) {
        fake_up(KIND(_i), PROFILE(_i));
        fake_connect(0);
        fake_pump();
        fake_connect(1);
        struct fake_end *server = end(1, SERVER);
        if (how > 0)
            ck_assert(fake_feed(server)); /* Accept */
        switch (how) {
        case 0: /* nothing was offered yet */
        case 1: smc_hs_reset(server->c); break;
        case 2: fake_run(6 * SECOND); break; /* no Confirm; the RST that says so may be lost */
        default:
            fake[CLIENT].rmb_error = SMC_ERR_NOMEM; /* the client declines */
            fake_pump();
        }
        ck_assert_ptr_null(server->c->hs);
        ck_assert_ptr_null(server->c->group);
        NEED(server->c->peer_silent == (how == 1 || how == 2), "%u", how);
        fake[CLIENT].rmb_error = 0;
        fake_down();
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("handshake");
    TCase *t = tcase_create("handshake");
    tcase_set_timeout(t, 60);
#define KINDS_TIMES_PROFILES(test) tcase_add_loop_test(t, test, 0, 2 * FAKE_KINDS)
#define PROFILES(test) tcase_add_loop_test(t, test, 0, 2)
    KINDS_TIMES_PROFILES(every_mode_is_reached_and_used_again);
    KINDS_TIMES_PROFILES(an_element_that_was_offered_is_not_offered_again_before_the_peer_knows);
    KINDS_TIMES_PROFILES(the_steps_have_their_order);
    KINDS_TIMES_PROFILES(messages_have_the_lengths_and_flags_of_captures);
    KINDS_TIMES_PROFILES(messages_may_come_byte_by_byte);
    KINDS_TIMES_PROFILES(what_follows_a_message_is_left_alone);
    PROFILES(without_the_option_no_byte_is_sent);
    PROFILES(ipsec_and_fast_open_are_declined_by_either_side);
    PROFILES(a_client_without_devices_declines_in_place_of_the_proposal);
    PROFILES(a_declines_version_is_that_of_the_message_it_answers);
    KINDS_TIMES_PROFILES(each_resource_that_is_missing_has_its_code);
    PROFILES(a_server_goes_on_to_the_next_mode_and_says_the_first_reason);
    KINDS_TIMES_PROFILES(every_allocation_may_fail);
    KINDS_TIMES_PROFILES(a_dead_tcp_ends_it_with_an_error);
    KINDS_TIMES_PROFILES(devices_of_another_physical_network_are_not_used);
    PROFILES(the_confirm_lists_all_ports_the_links_own_first);
    PROFILES(a_client_holds_its_vlan_only_while_it_shakes_hands);
    PROFILES(a_route_may_take_a_while_but_not_for_ever);
    PROFILES(both_must_see_the_same_kind_of_way);
    KINDS_TIMES_PROFILES(others_wait_for_a_first_contact_in_order);
    KINDS_TIMES_PROFILES(when_a_first_contact_fails_the_next_begins_one);
    PROFILES(nobody_waits_for_ever_for_another);
    PROFILES(a_client_waits_for_the_group_that_an_accept_names);
    KINDS_TIMES_PROFILES(an_unknown_group_is_out_of_sync);
    tcase_add_loop_test(t, an_unknown_link_is_named, 0, 4);
    KINDS_TIMES_PROFILES(a_server_may_always_ask_for_a_first_contact);
    PROFILES(a_refused_rkey_declines_where_one_still_may);
    PROFILES(an_rmbe_named_again_ends_the_connection_that_had_it);
    tcase_add_loop_test(t, a_declined_first_contact_falls_back_on_both_sides, 0, 4);
    PROFILES(a_timeout_looks_for_a_decline_first);
    PROFILES(crossing_declines_never_reach_an_application);
    PROFILES(data_of_a_peer_that_has_fallen_back_ends_the_wait_at_once);
    PROFILES(a_fin_ends_no_first_contact_that_llc_still_works_on);
    PROFILES(a_group_that_ends_takes_its_first_contact_along);
    KINDS_TIMES_PROFILES(every_message_is_awaited_six_seconds);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)
