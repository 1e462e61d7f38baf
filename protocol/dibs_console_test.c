/* Tests of the console over dibs: streams, closing, and a peer that writes nonsense into our DMB.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <smc/dibs_console.h>

#include "testing/check_main.h"
#include "wire/field.h"

enum { BYTES = 4096, RING = BYTES - 64, SLOTS = 4 };

static size_t held_bytes, calls, fail_at;

static void *test_allocate(void *user, size_t size)
{
    (void)user;
    if (++calls == fail_at)
        return NULL;
    held_bytes += size;
    return malloc(size);
}

static void test_release(void *user, void *block, size_t size)
{
    (void)user;
    held_bytes -= size;
    free(block);
}

static void *test_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    held_bytes += new_size - old_size;
    return realloc(block, new_size);
}

static const struct smc_alloc memory = {test_allocate, test_resize, test_release, NULL};

/* ---- two ends of a small device ---- */

struct end {
    struct smc_dibs_device device; /* first */
    struct end *peer;
    struct smc_dibs dibs;
    struct smc_dibs_console console;
    struct smc_dibs_session *session;
    struct smc_dibs_dmb dmbs[SLOTS];
    bool mute; /* no events get through */
    int wakes;
};

static struct end a, b;
static uint64_t next_token;

static struct end *end_of(struct smc_dibs_device *device)
{
    return (struct end *)device;
}

static uint16_t fabric(struct smc_dibs_device *device)
{
    (void)device;
    return 1;
}

static int query(struct smc_dibs_device *device, const struct smc_gid *rgid, bool valid,
                 uint16_t id)
{
    (void)valid;
    (void)id;
    return smc_gid_equal(rgid, &end_of(device)->peer->device.gid) ? 0 : SMC_ERR_UNREACHABLE;
}

static uint32_t slots(struct smc_dibs_device *device)
{
    (void)device;
    return SLOTS;
}

static int reg(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    struct smc_dibs_dmb *all = end_of(device)->dmbs;
    uint32_t i = 0;
    while (i < SLOTS && all[i].data != NULL)
        i++;
    if (i == SLOTS)
        return SMC_ERR_NOSPACE;
    dmb->data = calloc(1, dmb->length);
    dmb->index = i;
    dmb->token = ++next_token;
    all[i] = *dmb;
    return 0;
}

static int unreg(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    struct smc_dibs_dmb *mine = &end_of(device)->dmbs[dmb->index];
    free(mine->data);
    mine->data = NULL;
    return 0;
}

static int move(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                uint32_t offset, const void *data, uint32_t size)
{
    struct end *to = end_of(device)->peer;
    (void)index;
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct smc_dibs_dmb *dmb = &to->dmbs[i];
        if (dmb->data == NULL || dmb->token != token)
            continue;
        if ((uint64_t)offset + size > dmb->length)
            return SMC_ERR_RANGE;
        memcpy(dmb->data + offset, data, size);
        if (signal)
            smc_dibs_irq(&to->device, i, 1);
        return 0;
    }
    return SMC_ERR_NOTFOUND;
}

static int event(struct smc_dibs_device *device, const struct smc_gid *rgid, bool irq,
                 uint32_t code, uint64_t data)
{
    struct smc_dibs_event e = {
        .type = SMC_DIBS_EVENT_SOFTWARE, .gid = device->gid, .code = code, .data = data};
    (void)rgid;
    (void)irq;
    if (end_of(device)->mute)
        return SMC_ERR_IO;
    smc_dibs_event(&end_of(device)->peer->device, &e);
    return 0;
}

static void released(struct smc_dibs_device *device)
{
    (void)device;
}

static const struct smc_dibs_ops ops = {.get_fabric_id = fabric,
                                        .query_remote_gid = query,
                                        .max_dmbs = slots,
                                        .register_dmb = reg,
                                        .unregister_dmb = unreg,
                                        .move_data = move,
                                        .signal_event = event,
                                        .released = released};

static void woken(void *user)
{
    ((struct end *)user)->wakes++;
}

static void start(struct end *end, struct end *peer, uint8_t gid)
{
    *end = (struct end){.peer = peer, .device = {.ops = &ops, .gid.bytes[0] = gid}};
    smc_dibs_init(&end->dibs, &memory);
    ck_assert_int_eq(smc_dibs_console_init(&end->console, &end->dibs, &memory, woken, end), 0);
    ck_assert_int_eq(smc_dibs_add_device(&end->dibs, &end->device), 0);
}

static void set_up(void)
{
    start(&a, &b, 1);
    start(&b, &a, 2);
}

static void stop(struct end *end)
{
    ck_assert_int_eq(smc_dibs_console_free(&end->console), 0);
    if (end->device.dibs != NULL)
        ck_assert_int_eq(smc_dibs_remove_device(&end->dibs, &end->device), 0);
    ck_assert_int_eq(smc_dibs_free(&end->dibs), 0);
    for (int i = 0; i < SLOTS; i++)
        ck_assert_ptr_null(end->dmbs[i].data);
}

static void tear_down(void)
{
    stop(&a);
    stop(&b);
    ck_assert_uint_eq(held_bytes, 0);
}

static int open_end(struct end *end)
{
    return smc_dibs_console_open(&end->console, &end->device, &end->peer->device.gid, BYTES,
                                 &end->session);
}

static void run(void)
{
    for (int i = 0; i < 3; i++) {
        smc_dibs_console_run(&a.console);
        smc_dibs_console_run(&b.console);
    }
}

static void connect_both(void)
{
    ck_assert_int_eq(open_end(&a), 0);
    ck_assert_int_eq(open_end(&b), 0);
    run();
}

/* ---- */

START_TEST(two_systems_talk)
{
    char text[64];
    ck_assert_int_eq(open_end(&a), 0);
    ck_assert_int_eq(open_end(&a), SMC_ERR_EXISTS);
    ck_assert_int_eq(smc_dibs_console_write(a.session, "x", 1), SMC_ERR_WOULDBLOCK);
    ck_assert_int_eq(open_end(&b), 0);
    ck_assert_int_gt(a.wakes, 0);
    run();
    ck_assert_int_eq(smc_dibs_console_write(a.session, "login:", 6), 6);
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 64),
                     SMC_ERR_WOULDBLOCK); /* not run yet */
    run();
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 4), 4);
    ck_assert_int_eq(smc_dibs_console_read(b.session, text + 4, 60), 2);
    ck_assert_mem_eq(text, "login:", 6);
    ck_assert_int_eq(smc_dibs_console_write(b.session, "root", 4), 4);
    run();
    ck_assert_int_eq(smc_dibs_console_read(a.session, text, 64), 4);
    ck_assert_mem_eq(text, "root", 4);
}
END_TEST

START_TEST(tokens_may_be_carried_out_of_band)
{
    char text[4];
    a.mute = b.mute = true;
    connect_both();
    ck_assert_int_eq(smc_dibs_console_write(a.session, "x", 1), SMC_ERR_WOULDBLOCK);
    ck_assert_int_eq(smc_dibs_console_connect(a.session, smc_dibs_console_token(b.session)), 0);
    ck_assert_int_eq(smc_dibs_console_connect(a.session, 1), SMC_ERR_STATE);
    ck_assert_int_eq(smc_dibs_console_connect(b.session, 12345), SMC_ERR_NOTFOUND); /* mistyped */
    ck_assert_int_eq(smc_dibs_console_connect(b.session, smc_dibs_console_token(a.session)), 0);
    run();
    ck_assert_int_eq(smc_dibs_console_write(a.session, "hi", 2), 2);
    run();
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 4), 2);
}
END_TEST

START_TEST(a_long_stream_keeps_its_order_through_full_rings)
{
    static uint8_t out[9000], in[9000];
    uint64_t sent = 0, got = 0, random = 1;
    bool was_full = false;
    connect_both();
    while (got < 300000) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t size = (uint32_t)(random >> 33) % sizeof(out);
        for (uint32_t i = 0; i < size; i++)
            out[i] = (uint8_t)((sent + i) * 7 >> 3);
        int n = smc_dibs_console_write(a.session, out, size);
        was_full |= n != (int)size;
        ck_assert(n >= 0 || n == SMC_ERR_WOULDBLOCK);
        sent += n > 0 ? (uint64_t)n : 0;
        ck_assert_uint_le(sent - got, RING);
        run();
        n = smc_dibs_console_read(b.session, in, (uint32_t)(random >> 40) % 3000);
        for (int i = 0; i < n; i++)
            ck_assert_uint_eq(in[i], (uint8_t)((got + (uint64_t)i) * 7 >> 3));
        got += n > 0 ? (uint64_t)n : 0;
        run();
    }
    ck_assert(was_full);
}
END_TEST

START_TEST(closing_leaves_what_was_written_and_can_be_followed_by_opening)
{
    char text[8];
    connect_both();
    ck_assert_int_eq(smc_dibs_console_write(a.session, "bye", 3), 3);
    ck_assert_int_eq(smc_dibs_console_close(a.session), 0);
    run();
    ck_assert_int_eq(open_end(&a), 0); /* before b has noticed */
    run();
    ck_assert_int_eq(smc_dibs_console_write(b.session, "x", 1), SMC_ERR_CLOSED);
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 8), 3);
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 8), 0);
    ck_assert_int_eq(smc_dibs_console_close(b.session), 0);
    ck_assert_int_eq(open_end(&b), 0);
    run();
    ck_assert_int_eq(smc_dibs_console_write(b.session, "again", 5), 5);
    run();
    ck_assert_int_eq(smc_dibs_console_read(a.session, text, 8), 5);
}
END_TEST

/* Puts a block into a's DMB as a hostile peer would, and says what a makes of it. */
static int forge(size_t at, unsigned size, uint64_t value)
{
    smc_store_le(a.dmbs[0].data + at, size, value);
    smc_dibs_irq(&a.device, 0, 1);
    run();
    char text[1];
    int read = smc_dibs_console_read(a.session, text, 1);
    ck_assert_int_eq(smc_dibs_console_write(a.session, "x", 1), read);
    return read;
}

static const struct {
    size_t at;
    unsigned size;
    uint64_t value;
} forgeries[] = {
    {0, 4, 1},                       /* no console */
    {8, 8, RING + 1},                /* written more than the ring holds */
    {8, 8, UINT64_MAX},              /* likewise, and the difference wraps */
    {16, 8, 6},                      /* took more than was written */
    {16, 8, UINT64_MAX}, {16, 8, 4}, /* takes back what it had taken */
    {8, 8, 2},                       /* takes back what it had written */
    {24, 4, 0},                      /* a ring of nothing */
    {24, 4, UINT32_MAX},             /* another ring than before */
};

START_TEST(a_block_that_makes_no_sense_ends_the_session)
{
    char text[8];
    connect_both();
    ck_assert_int_eq(smc_dibs_console_write(a.session, "abcde", 5), 5);
    ck_assert_int_eq(smc_dibs_console_write(b.session, "abc", 3), 3);
    run();
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 8), 5);
    run();
    ck_assert_int_eq(forge(forgeries[_i].at, forgeries[_i].size, forgeries[_i].value),
                     SMC_ERR_PROTOCOL);
}
END_TEST

START_TEST(a_peer_that_lies_about_its_ring_is_found_out_by_the_device)
{
    static uint8_t data[BYTES * 2];
    a.mute = b.mute = true;
    ck_assert_int_eq(open_end(&a), 0);
    ck_assert_int_eq(open_end(&b), 0);
    ck_assert_int_eq(smc_dibs_console_connect(a.session, smc_dibs_console_token(b.session)), 0);
    smc_store_le(a.dmbs[0].data, 4, 0x4f434253);
    smc_store_le(a.dmbs[0].data + 24, 4, UINT32_MAX);
    smc_dibs_irq(&a.device, 0, 1);
    run();
    ck_assert_int_eq(smc_dibs_console_write(a.session, data, sizeof(data)), SMC_ERR_PROTOCOL);
}
END_TEST

START_TEST(a_spurious_signal_changes_nothing)
{
    ck_assert_int_eq(open_end(&a), 0);
    smc_dibs_irq(&a.device, 0, 1); /* before anything was moved there */
    run();
    ck_assert_int_eq(open_end(&b), 0);
    run();
    smc_dibs_irq(&a.device, 0, 1);
    run();
    ck_assert_int_eq(smc_dibs_console_write(a.session, "ok", 2), 2);
}
END_TEST

START_TEST(peers_and_devices_that_go_end_sessions)
{
    char text[8];
    connect_both();
    ck_assert_int_eq(smc_dibs_console_write(b.session, "last", 4), 4);
    run();
    struct smc_dibs_event gone = {.type = SMC_DIBS_EVENT_DEVICE,
                                  .subtype = SMC_DIBS_SUBTYPE_DISABLED};
    gone.gid.bytes[0] = 77; /* somebody else [SMCD-027] */
    smc_dibs_event(&a.device, &gone);
    ck_assert_int_eq(smc_dibs_console_write(a.session, "x", 1), 1);
    gone.gid = b.device.gid;
    smc_dibs_event(&a.device, &gone);
    ck_assert_int_eq(smc_dibs_console_write(a.session, "x", 1), SMC_ERR_RESET);
    ck_assert_int_eq(smc_dibs_console_read(a.session, text, 8), 4);
    ck_assert_int_eq(smc_dibs_console_read(a.session, text, 8), SMC_ERR_RESET);
    ck_assert_int_eq(smc_dibs_remove_device(&b.dibs, &b.device), 0);
    ck_assert_int_eq(smc_dibs_console_read(b.session, text, 8), SMC_ERR_RESET);
    ck_assert_int_eq(smc_dibs_console_write(b.session, "x", 1), SMC_ERR_RESET);
}
END_TEST

START_TEST(opening_without_memory_or_dmbs_leaves_nothing)
{
    size_t before = held_bytes;
    struct smc_dibs_session *session;
    fail_at = calls + 1;
    ck_assert_int_eq(open_end(&a), SMC_ERR_NOMEM);
    fail_at = 0;
    ck_assert_uint_eq(held_bytes, before);
    ck_assert_int_eq(smc_dibs_console_open(&a.console, &a.device, &b.device.gid, 64, &session),
                     SMC_ERR_ARGUMENT);
    for (uint8_t i = 0; i < SLOTS; i++) {
        struct smc_gid gid = {{9, i}};
        ck_assert_int_eq(smc_dibs_console_open(&a.console, &a.device, &gid, BYTES, &session), 0);
    }
    before = held_bytes;
    ck_assert_int_eq(open_end(&a), SMC_ERR_NOSPACE);
    ck_assert_uint_eq(held_bytes, before);
}
END_TEST

static Suite *console_suite(void)
{
    Suite *suite = suite_create("dibs_console");
    TCase *tc = tcase_create("console");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, two_systems_talk);
    tcase_add_test(tc, tokens_may_be_carried_out_of_band);
    tcase_add_test(tc, a_long_stream_keeps_its_order_through_full_rings);
    tcase_add_test(tc, closing_leaves_what_was_written_and_can_be_followed_by_opening);
    tcase_add_loop_test(tc, a_block_that_makes_no_sense_ends_the_session, 0,
                        sizeof(forgeries) / sizeof(forgeries[0]));
    tcase_add_test(tc, a_peer_that_lies_about_its_ring_is_found_out_by_the_device);
    tcase_add_test(tc, a_spurious_signal_changes_nothing);
    tcase_add_test(tc, peers_and_devices_that_go_end_sessions);
    tcase_add_test(tc, opening_without_memory_or_dmbs_leaves_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(console_suite)
