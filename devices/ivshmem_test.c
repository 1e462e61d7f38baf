/* Tests of ivshmem: the PCI model, and the dibs device on it among machines that come, go and scribble.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem.h"

#include "devices/dibs_testing.h"
#include "devices/ivshmem_region.h"
#include "testing/check_main.h"

enum { PAGE = DIBS_PAGE_BYTES, MACHINES = 3, REGION = 4 << 20 };

struct world {
    struct test_memory memory;
    struct test_host host[MACHINES];
    struct ivshmem_host *vmm;
    struct ivshmem_pci *pci[MACHINES];
    struct ivshmem *v[MACHINES];
    struct smc_dibs_device *dev[MACHINES];
    struct test_records records;
};

static struct world w;

static struct ivshmem_config machine_config(int i)
{
    return (struct ivshmem_config){.bars = ivshmem_pci_bars(w.pci[i]),
                                   .name = "ivshmem",
                                   .seed = 11,
                                   .alive_interval_ns = 1000,
                                   .alive_timeout_ns = 10000,
                                   .observer = &w.records.observer,
                                   .wake = test_wake,
                                   .user = &w.host[i]};
}

static void start(int i)
{
    struct ivshmem_config config = machine_config(i);
    ck_assert_int_eq(ivshmem_create(&config, &w.memory.alloc, &w.v[i]), 0);
    w.dev[i] = ivshmem_device(w.v[i]);
    ivshmem_pci_on_interrupt(w.pci[i], ivshmem_interrupt, w.v[i]);
    ck_assert_int_eq(smc_dibs_add_device(&w.host[i].dibs, w.dev[i]), 0);
}

static void stop(int i)
{
    ck_assert_int_eq(ivshmem_destroy(w.v[i]), SMC_ERR_BUSY);
    ck_assert_int_eq(smc_dibs_remove_device(&w.host[i].dibs, w.dev[i]), 0);
    ivshmem_pci_on_interrupt(w.pci[i], NULL, NULL);
    ck_assert_int_eq(ivshmem_destroy(w.v[i]), 0);
}

static void set_up(void)
{
    struct ivshmem_host_config config = {.memory_bytes = REGION, .vectors = 4, .revision = 1};
    test_memory_init(&w.memory);
    test_records_init(&w.records);
    w.records.observer.record = NULL;
    ck_assert_int_eq(ivshmem_host_create(&config, &w.memory.alloc, &w.vmm), 0);
    for (int i = 0; i < MACHINES; i++) {
        test_host_init(&w.host[i], &w.memory.alloc);
        ck_assert_int_eq(ivshmem_pci_plug(w.vmm, 1 + (uint32_t)i, &w.pci[i]), 0);
        start(i);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < MACHINES; i++)
        stop(i);
    ck_assert_int_eq(ivshmem_host_destroy(w.vmm), SMC_ERR_BUSY);
    for (int i = 0; i < MACHINES; i++) {
        ivshmem_pci_unplug(w.pci[i]);
        test_host_end(&w.host[i]);
    }
    ck_assert_int_eq(ivshmem_host_destroy(w.vmm), 0);
    ck_assert_uint_eq(w.memory.held, 0);
}

static void run_all(uint64_t now_ns)
{
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MACHINES; i++)
            if (ivshmem_next_ns(w.v[i]) <= now_ns)
                ivshmem_run(w.v[i], now_ns);
}

static struct smc_dibs_dmb take(int owner, int writer, uint32_t length)
{
    struct smc_dibs_dmb dmb;
    ck_assert_int_eq(test_register(&w.host[owner], w.dev[owner], &w.dev[writer]->gid, length, &dmb),
                     0);
    return dmb;
}

static int give_back(int owner, struct smc_dibs_dmb *dmb)
{
    return smc_dibs_unregister_dmb(&w.host[owner].client, w.dev[owner], dmb);
}

static int move(int writer, uint64_t token, const char *text)
{
    return smc_dibs_move_data(w.dev[writer], token, 0, true, 0, text, (uint32_t)strlen(text));
}

/* The region as the test, a hostile machine, sees it. */
static struct ivshmem_region region(void)
{
    struct ivshmem_region none = {.max_peers = 1, .max_dmbs = 1}, r;
    struct ivshmem_bars bars = ivshmem_pci_bars(w.pci[0]);
    ck_assert_int_eq(ivshmem_region_open(&r, bars.memory, bars.memory_bytes, &none), 0);
    return r;
}

/* ---- the PCI model ---- */

static uint32_t heard[8];
static void hear(void *user, uint16_t vector)
{
    (void)user;
    heard[vector]++;
}

START_TEST(registers_read_and_write_as_specified) /* [IVSHMEM-001] [IVSHMEM-007] */
{
    for (uint32_t i = 0; i < MACHINES; i++) {
        ck_assert_uint_eq(ivshmem_pci_read(w.pci[i], IVSHMEM_POSITION), i);
        ck_assert_uint_eq(ivshmem_pci_id(w.pci[i]), i);
    }
    ivshmem_pci_write(w.pci[1], IVSHMEM_POSITION, 77);
    ivshmem_pci_write(w.pci[1], IVSHMEM_MASK, 1);
    ivshmem_pci_write(w.pci[1], IVSHMEM_STATUS, 1);
    for (uint32_t offset = 0; offset < 256; offset += 4)
        ck_assert_uint_eq(ivshmem_pci_read(w.pci[1], offset), offset == IVSHMEM_POSITION ? 1 : 0);
    struct ivshmem_host_config config = {.memory_bytes = PAGE, .vectors = 1, .revision = 0};
    struct ivshmem_host *old;
    struct ivshmem_pci *a, *b;
    ck_assert_int_eq(ivshmem_host_create(&config, &w.memory.alloc, &old), 0);
    ck_assert_int_eq(ivshmem_pci_plug(old, 0, &a), 0);
    ck_assert_int_eq(ivshmem_pci_plug(old, 1, &b), 0);
    ivshmem_pci_set_ready(b, false);
    ck_assert_uint_eq(ivshmem_pci_read(b, IVSHMEM_POSITION), UINT32_MAX);
    ivshmem_pci_set_ready(b, true);
    ck_assert_uint_eq(ivshmem_pci_read(b, IVSHMEM_POSITION), 1);
    ck_assert_uint_eq(ivshmem_pci_read(a, IVSHMEM_POSITION), 0); /* no interrupts */
    ivshmem_pci_write(a, IVSHMEM_DOORBELL, 1 << 16);             /* ignored: a has no interrupts */
    ck_assert_uint_eq(ivshmem_pci_read(b, IVSHMEM_STATUS), 0);
    ivshmem_pci_write(b, IVSHMEM_DOORBELL, 1 << 16); /* itself */
    ck_assert_uint_eq(ivshmem_pci_read(b, IVSHMEM_STATUS), 1);
    ck_assert_uint_eq(ivshmem_pci_read(b, IVSHMEM_STATUS), 0); /* reading clears */
    ivshmem_pci_unplug(a);
    ck_assert_int_eq(ivshmem_pci_plug(old, 1, &a), 0);
    ck_assert_uint_eq(ivshmem_pci_id(a), 0); /* the lowest free ID */
    ivshmem_pci_unplug(a);
    ivshmem_pci_unplug(b);
    ck_assert_int_eq(ivshmem_host_destroy(old), 0);
}
END_TEST

START_TEST(doorbells_that_cannot_be_delivered_are_ignored) /* [IVSHMEM-002] [IVSHMEM-006] */
{
    ivshmem_pci_on_interrupt(w.pci[1], hear, NULL); /* machine 1 has two vectors */
    ivshmem_pci_write(w.pci[0], IVSHMEM_DOORBELL, 1 << 16 | 1);
    ivshmem_pci_write(w.pci[0], IVSHMEM_DOORBELL, 1 << 16 | 2);
    ivshmem_pci_write(w.pci[0], IVSHMEM_DOORBELL, 1 << 16 | 0xffff);
    ivshmem_pci_write(w.pci[0], IVSHMEM_DOORBELL, 99u << 16);
    ck_assert_uint_eq(heard[0], 0);
    ck_assert_uint_eq(heard[1], 1);
    ck_assert_uint_eq(heard[2], 0);
    ivshmem_pci_set_ready(w.pci[1], false);
    ivshmem_pci_write(w.pci[0], IVSHMEM_DOORBELL, 1 << 16 | 1);
    ck_assert_uint_eq(heard[1], 1);
    ivshmem_pci_set_ready(w.pci[1], true);
    ivshmem_pci_on_interrupt(w.pci[1], ivshmem_interrupt, w.v[1]);
}
END_TEST

/* ---- the dibs device ---- */

START_TEST(connections_have_memory_of_their_own) /* [IVSHMEM-009], B-34 */
{
    struct smc_dibs_dmb a = take(0, 1, PAGE), b = take(0, 1, 3 * PAGE), c = take(0, 2, PAGE);
    struct smc_dibs_dmb back = take(1, 0, PAGE);
    ck_assert_int_eq(move(1, a.token, "first"), 0);
    ck_assert_int_eq(move(1, b.token, "second"), 0);
    ck_assert_int_eq(move(2, c.token, "third"), 0);
    ck_assert_int_eq(move(0, back.token, "fourth"), 0);
    ck_assert_mem_eq(a.data, "first", 6);
    ck_assert_mem_eq(b.data, "second", 7);
    ck_assert_mem_eq(c.data, "third", 6);
    ck_assert_mem_eq(back.data, "fourth", 7);
    run_all(10);
    ck_assert_uint_eq(w.host[0].irqs, 3);
    ck_assert_uint_eq(w.host[0].irqs_of[a.index], 1);
    ck_assert_uint_eq(w.host[1].irqs, 1);
    ck_assert_int_eq(move(2, a.token, "x"), SMC_ERR_PERMISSION);
    ck_assert_int_eq(move(0, a.token, "x"), SMC_ERR_PERMISSION);
    ck_assert_int_eq(give_back(0, &a), 0);
    ck_assert_int_eq(give_back(0, &a), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(give_back(0, &b), 0);
    ck_assert_int_eq(give_back(0, &c), 0);
    ck_assert_int_eq(give_back(1, &back), 0);
}
END_TEST

START_TEST(gids_name_host_machine_and_generation) /* [IVSHMEM-011] */
{
    struct smc_gid other_host = w.dev[1]->gid, later = w.dev[1]->gid, nobody = w.dev[1]->gid;
    other_host.bytes[0] ^= 1;
    later.bytes[15]++;
    nobody.bytes[8] = 0xff;
    ck_assert_uint_eq(smc_dibs_fabric_id(w.dev[0]), 0xFF00);
    ck_assert_mem_eq(w.dev[0]->gid.bytes, w.dev[1]->gid.bytes, 8);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &w.dev[1]->gid, false, 0), 0);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[1], &w.dev[0]->gid, false, 0), 0); /* ID 0 */
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &other_host, false, 0),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &later, false, 0), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &nobody, false, 0), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(smc_dibs_add_vlan_id(w.dev[0], 1), SMC_ERR_UNSUPPORTED);
}
END_TEST

START_TEST(moves_are_bounded_and_memory_is_cleared) /* [IVSHMEM-010] [IVSHMEM-012] [DIBS-012] */
{
    static uint8_t data[PAGE + 1];
    memset(data, 5, sizeof(data));
    struct smc_dibs_dmb a = take(0, 1, PAGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], a.token, 0, true, 0, data, PAGE + 1),
                     SMC_ERR_RANGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], a.token, 0, true, UINT32_MAX, data, 1),
                     SMC_ERR_RANGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], a.token, 0, true, 1, data, UINT32_MAX),
                     SMC_ERR_RANGE);
    ck_assert(test_all_zero(a.data, PAGE));
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], a.token, 0, true, 0, data, PAGE), 0);
    uint64_t old = a.token;
    ck_assert_int_eq(give_back(0, &a), 0);
    ck_assert_int_eq(move(1, old, "x"), SMC_ERR_NOTFOUND);
    a = take(0, 1, PAGE);
    ck_assert_uint_ne(a.token, old);
    ck_assert(test_all_zero(a.data, PAGE));
    ck_assert_int_eq(move(1, old, "x"), SMC_ERR_NOTFOUND);
    run_all(10);
    ck_assert_uint_eq(w.host[0].irqs, 0); /* the signal was for the old one [SMCD-008] */
    ck_assert_int_eq(give_back(0, &a), 0);
}
END_TEST

START_TEST(memory_and_slots_run_out_and_come_back)
{
    static struct smc_dibs_dmb dmb[300];
    uint32_t count = 0;
    int error;
    while ((error = test_register(&w.host[0], w.dev[0], &w.dev[1]->gid, PAGE, &dmb[count])) == 0)
        count++;
    ck_assert_int_eq(error, SMC_ERR_NOSPACE);
    ck_assert_uint_eq(count, 256);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(give_back(0, &dmb[i]), 0);
    for (count = 0; test_register(&w.host[count % 2], w.dev[count % 2], &w.dev[2]->gid, 1 << 20,
                                  &dmb[count]) == 0;)
        count++;
    ck_assert_uint_eq(count, 3); /* of 4 MiB less the tables */
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(give_back((int)(i % 2), &dmb[i]), 0);
}
END_TEST

START_TEST(software_events_arrive_in_order_and_a_full_ring_refuses)
{
    for (int round = 0; round < 3; round++) {
        uint32_t sent = 0;
        w.host[0].events = 0;
        while (smc_dibs_signal_event(w.dev[1], &w.dev[0]->gid, true, 0x83, sent) == 0)
            sent++;
        ck_assert_uint_eq(sent, 16);
        run_all(10);
        ck_assert_uint_eq(w.host[0].events, 16);
        for (uint32_t i = 0; i < sent; i++)
            ck_assert_uint_eq(w.host[0].events_seen[i].data, i);
        ck_assert(smc_gid_equal(&w.host[0].last_event.gid, &w.dev[1]->gid));
    }
}
END_TEST

/* ---- peers that go ---- */

START_TEST(a_machine_that_says_good_bye_is_gone_at_once) /* [IVSHMEM-013] [SMCD-027] */
{
    struct smc_dibs_dmb a = take(0, 1, PAGE), b = take(0, 1, PAGE), other = take(2, 0, PAGE);
    struct smc_dibs_dmb theirs = take(1, 0, PAGE);
    struct smc_gid gone = w.dev[1]->gid;
    run_all(10);
    stop(1);
    start(1); /* the same ID, another generation */
    run_all(20);
    ck_assert_uint_eq(w.host[0].events, 1);
    ck_assert_int_eq(w.host[0].last_event.type, SMC_DIBS_EVENT_DEVICE);
    ck_assert(smc_gid_equal(&w.host[0].last_event.gid, &gone));
    ck_assert(!smc_gid_equal(&w.dev[1]->gid, &gone));
    ck_assert_uint_eq(w.host[2].events, 0);
    ck_assert_int_eq(move(1, a.token, "x"), SMC_ERR_PERMISSION); /* it is not who it was */
    ck_assert_int_eq(move(0, theirs.token, "x"), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(give_back(0, &a), 0);
    ck_assert_int_eq(give_back(0, &b), 0);
    ck_assert_int_eq(give_back(2, &other), 0);
}
END_TEST

START_TEST(a_dead_machine_is_noticed_by_its_counter) /* [IVSHMEM-013] */
{
    struct smc_dibs_dmb a = take(0, 1, PAGE), b = take(0, 2, PAGE);
    for (uint64_t now = 0; now < 50000; now += 500)
        run_all(now);
    ck_assert_uint_eq(w.host[0].events, 0);
    ivshmem_fail(w.v[1]);
    ck_assert_int_eq(move(1, a.token, "x"), SMC_ERR_GONE);
    uint64_t now = 50000;
    while (w.host[0].events == 0 && now < 100000)
        run_all(now += 500);
    ck_assert_uint_ge(now, 58000);
    ck_assert_uint_le(now, 62000);
    for (; now < 100000; now += 500)
        run_all(now);
    ck_assert_uint_eq(w.host[0].events, 1); /* once, and only about that one */
    ck_assert(smc_gid_equal(&w.host[0].last_event.gid, &w.dev[1]->gid));
    ck_assert_int_eq(give_back(0, &a), 0);
    ck_assert_int_eq(give_back(0, &b), 0);
}
END_TEST

START_TEST(the_servers_word_is_taken_for_known_machines) /* [IVSHMEM-005] */
{
    struct smc_dibs_dmb a = take(0, 1, PAGE);
    ivshmem_peer_left(w.v[0], 9999);
    ivshmem_peer_left(w.v[0], 0); /* oneself: nonsense */
    run_all(10);
    ck_assert_uint_eq(w.host[0].events, 0);
    ivshmem_fail(w.v[1]);
    ivshmem_peer_left(w.v[0], 1);
    run_all(20);
    ck_assert_uint_eq(w.host[0].events, 1);
    ck_assert_int_eq(smc_dibs_query_remote_gid(w.dev[0], &w.dev[1]->gid, false, 0),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(give_back(0, &a), 0);
}
END_TEST

START_TEST(a_machine_without_interrupts_finds_its_flag_in_the_header_page)
{
    ivshmem_pci_on_interrupt(w.pci[0], NULL, NULL);
    struct smc_dibs_dmb a = take(0, 1, PAGE);
    run_all(0);
    (void)ivshmem_poll(w.v[0]); /* that others came */
    run_all(0);
    uint32_t before = w.host[0].irqs;
    ck_assert(!ivshmem_poll(w.v[0]));
    ck_assert_int_eq(move(1, a.token, "data"), 0);
    run_all(1);
    ck_assert_uint_eq(w.host[0].irqs, before); /* nothing told it */
    ck_assert(ivshmem_poll(w.v[0]));
    ck_assert(!ivshmem_poll(w.v[0])); /* looked at once, it is down */
    run_all(2);
    ck_assert_uint_eq(w.host[0].irqs, before + 1);
    ck_assert_str_eq((const char *)a.data, "data");
    ck_assert_int_eq(move(1, a.token, "more"), 0);
    ivshmem_fail(w.v[0]);
    ck_assert(!ivshmem_poll(w.v[0])); /* a dead machine looks at nothing */
    ck_assert_int_eq(give_back(0, &a), 0);
}
END_TEST

START_TEST(what_a_dead_machine_held_is_reclaimed_by_its_successor)
{
    struct smc_dibs_dmb dmb[3];
    for (int i = 0; i < 3; i++)
        dmb[i] = take(1, 0, 1 << 20);
    ck_assert_int_eq(test_register(&w.host[2], w.dev[2], &w.dev[0]->gid, 1 << 20, &dmb[0]),
                     SMC_ERR_NOSPACE);
    ivshmem_fail(w.v[1]);
    stop(1);
    start(1);
    dmb[0] = take(2, 0, 1 << 20);
    ck_assert_int_eq(give_back(2, &dmb[0]), 0);
}
END_TEST

/* ---- hostile contents ---- */

START_TEST(a_region_that_is_not_ours_is_refused) /* [IVSHMEM-015] */
{
    const size_t words[] = {HEADER_MAGIC,  HEADER_MAGIC + 4, HEADER_VERSION, HEADER_ORDER,
                            HEADER_FABRIC, HEADER_PEERS,     HEADER_DMBS};
    struct ivshmem_region r = region();
    struct ivshmem *refused;
    stop(2);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint32_t good = ivshmem_exchange(&r, words[i], 0x7fffffff);
        struct ivshmem_config config = machine_config(2);
        size_t held = w.memory.held;
        ck_assert_int_eq(ivshmem_create(&config, &w.memory.alloc, &refused), SMC_ERR_PROTOCOL);
        ck_assert_uint_eq(w.memory.held, held);
        ivshmem_store(&r, words[i], good);
    }
    struct ivshmem_config config = machine_config(2);
    config.bars.vectors = 0;
    ck_assert_int_eq(ivshmem_create(&config, &w.memory.alloc, &refused), SMC_ERR_UNSUPPORTED);
    start(2);
}
END_TEST

START_TEST(a_forged_directory_leads_nowhere)
{
    struct smc_dibs_dmb theirs = take(0, 1, PAGE), mine = take(1, 0, PAGE);
    struct ivshmem_region r = region();
    size_t at = ivshmem_dmb_at(&r, theirs.index);
    uint32_t page = ivshmem_load(&r, at + DMB_PAGE);
    const uint32_t bad_pages[] = {r.pages, UINT32_MAX, 0x80000000u};
    for (size_t i = 0; i < 3; i++) {
        ivshmem_store(&r, at + DMB_PAGE, bad_pages[i]);
        ck_assert_int_eq(move(1, theirs.token, "x"), SMC_ERR_IO);
    }
    ivshmem_store(&r, at + DMB_PAGE, page);
    ivshmem_store(&r, at + DMB_LENGTH, UINT32_MAX / PAGE * PAGE);
    ck_assert_int_eq(
        smc_dibs_move_data(w.dev[1], theirs.token, 0, true, UINT32_MAX / PAGE * PAGE - 1, "x", 1),
        SMC_ERR_IO);
    ivshmem_store(&r, at + DMB_LENGTH, 17);
    ck_assert_int_eq(move(1, theirs.token, "x"), SMC_ERR_IO);
    ivshmem_store(&r, at + DMB_LENGTH, PAGE);
    /* Pointed at the writer's own DMB: a system must not be led to overwrite itself. */
    ivshmem_store(&r, at + DMB_PAGE, ivshmem_load(&r, ivshmem_dmb_at(&r, mine.index) + DMB_PAGE));
    ck_assert_int_eq(move(1, theirs.token, "x"), SMC_ERR_IO);
    ck_assert(test_all_zero(mine.data, PAGE));
    ivshmem_store(&r, at + DMB_PAGE, page);
    ivshmem_store(&r, at + DMB_OWNER, UINT32_MAX);
    ck_assert_int_eq(move(1, theirs.token, "x"), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(move(1, UINT64_MAX, "x"), SMC_ERR_NOTFOUND);
    /* The owner does not read its own entry back. */
    ivshmem_store(&r, at + DMB_STATE, 77);
    ck_assert_int_eq(give_back(0, &theirs), 0);
    ck_assert_int_eq(give_back(1, &mine), 0);
}
END_TEST

START_TEST(a_cleared_bitmap_and_directory_do_not_share_live_memory)
{
    struct smc_dibs_dmb a = take(0, 1, PAGE);
    struct ivshmem_region r = region();
    memset(r.memory + r.directory, 0, r.data - r.directory);
    struct smc_dibs_dmb b = take(0, 1, 2 * PAGE);
    ck_assert_uint_ne(a.index, b.index);
    ck_assert(b.data >= a.data + PAGE || b.data + 2 * PAGE <= a.data);
    ck_assert_int_eq(move(1, a.token, "x"), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(move(1, b.token, "y"), 0);
    ck_assert_int_eq(give_back(0, &a), 0);
    ck_assert_int_eq(give_back(0, &b), 0);
}
END_TEST

START_TEST(random_scribbling_breaks_nothing_outside_the_region)
{
    struct ivshmem_region r = region();
    uint64_t random = 99;
    struct smc_dibs_dmb dmb[4];
    for (int i = 0; i < 4; i++)
        dmb[i] = take(i % 2, 1 - i % 2, (uint32_t)(1 + i) * PAGE);
    for (uint32_t step = 0; step < 20000; step++) {
        size_t words = (r.data - r.peers) / 4;
        size_t at = r.peers + dibs_random(&random) % words * 4;
        uint32_t value = (uint32_t)dibs_random(&random);
        ivshmem_store(&r, at, dibs_random(&random) % 2 ? value : value % 8);
        int i = (int)(dibs_random(&random) % 4);
        (void)smc_dibs_move_data(w.dev[1 - i % 2], dmb[i].token, 0, true, value % PAGE, "abc", 3);
        (void)smc_dibs_signal_event(w.dev[0], &w.dev[1]->gid, true, 1, value);
        run_all(step);
        if (step % 50 == 0) {
            ck_assert_int_eq(give_back(i % 2, &dmb[i]), 0);
            while (test_register(&w.host[i % 2], w.dev[i % 2], &w.dev[1 - i % 2]->gid, PAGE,
                                 &dmb[i]) != 0) /* the test repairs what registration needs */
                for (uint32_t id = 0; id < 2; id++) {
                    size_t peer = ivshmem_peer_at(&r, id);
                    ivshmem_store(&r, peer + PEER_PRESENT, 1);
                    ivshmem_store(&r, peer + PEER_GENERATION, w.dev[id]->gid.bytes[15]);
                    ivshmem_store(
                        &r, ivshmem_dmb_at(&r, (uint32_t)dibs_random(&random) % 256) + DMB_STATE,
                        DMB_FREE);
                }
        }
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(give_back(i % 2, &dmb[i]), 0);
}
END_TEST

/* ---- records, faults, memory, traffic ---- */

START_TEST(operations_are_recorded_from_writer_to_owner)
{
    static uint8_t data[2000];
    w.records.observer.record = test_record;
    struct smc_dibs_dmb a = take(0, 1, PAGE);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], a.token, 0, true, 8, data, 2000), 0);
    ck_assert_int_eq(smc_dibs_move_data(w.dev[1], a.token, 0, true, 0, NULL, 0), 0);
    ck_assert_int_eq(give_back(0, &a), 0);
    const uint8_t operations[] = {SMC_RECORD_REGISTER, SMC_RECORD_MOVE, SMC_RECORD_MOVE,
                                  SMC_RECORD_SIGNAL, SMC_RECORD_UNREGISTER};
    ck_assert_uint_eq(w.records.count, 5);
    for (int i = 0; i < 5; i++) {
        bool by_owner = i == 0 || i == 4;
        ck_assert_uint_eq(w.records.header[i].operation, operations[i]);
        ck_assert_mem_eq(w.records.header[i].src_gid, w.dev[!by_owner]->gid.bytes, 16);
        ck_assert_mem_eq(w.records.header[i].dst_gid, w.dev[by_owner]->gid.bytes, 16);
        ck_assert_uint_eq(w.records.header[i].signal, i == 2 || i == 3);
        ck_assert_uint_eq(w.records.header[i].token, a.token);
    }
    w.records.observer.record = NULL;
}
END_TEST

START_TEST(planned_faults_and_failed_allocations_change_nothing)
{
    struct smc_dibs_dmb a = take(0, 1, PAGE), refused;
    dibs_faults_add(ivshmem_faults(w.v[1]), DIBS_FAULT_MOVE, 0, 1, SMC_ERR_IO);
    dibs_faults_add(ivshmem_faults(w.v[0]), DIBS_FAULT_REGISTER, 0, 1, SMC_ERR_NOMEM);
    ck_assert_int_eq(move(1, a.token, "x"), SMC_ERR_IO);
    ck_assert(test_all_zero(a.data, PAGE));
    ck_assert_int_eq(test_register(&w.host[0], w.dev[0], &w.dev[1]->gid, PAGE, &refused),
                     SMC_ERR_NOMEM);
    ivshmem_faults(w.v[0])->hold_until_ns = 700;
    ck_assert_int_eq(move(1, a.token, "x"), 0);
    ck_assert_int_eq(move(1, a.token, "y"), 0);
    run_all(699);
    ck_assert_uint_eq(w.host[0].irqs, 0);
    run_all(700);
    ck_assert_uint_eq(w.host[0].irqs, 1); /* coalesced */
    ck_assert_int_eq(give_back(0, &a), 0);
    stop(2);
    size_t held = w.memory.held;
    struct ivshmem_config config = machine_config(2);
    for (size_t nth = 1; nth <= 2; nth++) {
        w.memory.calls = 0;
        w.memory.fail_at = nth;
        ck_assert_int_eq(ivshmem_create(&config, &w.memory.alloc, &w.v[2]), SMC_ERR_NOMEM);
        ck_assert_uint_eq(w.memory.held, held);
    }
    w.memory.fail_at = 0;
    start(2);
}
END_TEST

static void let_interrupts_arrive(void *user)
{
    (void)user;
    run_all(10);
}

START_TEST(random_traffic_of_two_owners_arrives_unchanged)
{
    static struct test_traffic t;
    for (uint64_t seed = 0; seed < 20; seed++) {
        int other = 1 + (int)(seed % 2);
        t = (struct test_traffic){.host = {&w.host[0], &w.host[other]},
                                  .device = {w.dev[0], w.dev[other]},
                                  .settle = let_interrupts_arrive,
                                  .random = seed};
        test_traffic_run(&t, 300);
    }
}
END_TEST

static Suite *ivshmem_suite(void)
{
    Suite *suite = suite_create("ivshmem");
    TCase *tc = tcase_create("ivshmem");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, registers_read_and_write_as_specified);
    tcase_add_test(tc, doorbells_that_cannot_be_delivered_are_ignored);
    tcase_add_test(tc, connections_have_memory_of_their_own);
    tcase_add_test(tc, gids_name_host_machine_and_generation);
    tcase_add_test(tc, moves_are_bounded_and_memory_is_cleared);
    tcase_add_test(tc, memory_and_slots_run_out_and_come_back);
    tcase_add_test(tc, software_events_arrive_in_order_and_a_full_ring_refuses);
    tcase_add_test(tc, a_machine_that_says_good_bye_is_gone_at_once);
    tcase_add_test(tc, a_dead_machine_is_noticed_by_its_counter);
    tcase_add_test(tc, the_servers_word_is_taken_for_known_machines);
    tcase_add_test(tc, what_a_dead_machine_held_is_reclaimed_by_its_successor);
    tcase_add_test(tc, a_region_that_is_not_ours_is_refused);
    tcase_add_test(tc, a_forged_directory_leads_nowhere);
    tcase_add_test(tc, a_machine_without_interrupts_finds_its_flag_in_the_header_page);
    tcase_add_test(tc, a_cleared_bitmap_and_directory_do_not_share_live_memory);
    tcase_add_test(tc, random_scribbling_breaks_nothing_outside_the_region);
    tcase_add_test(tc, operations_are_recorded_from_writer_to_owner);
    tcase_add_test(tc, planned_faults_and_failed_allocations_change_nothing);
    tcase_add_test(tc, random_traffic_of_two_owners_arrives_unchanged);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(ivshmem_suite)
