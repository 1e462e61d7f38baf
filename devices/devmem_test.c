/* Tests of the devmem model: bind and its undoing, queue restart, pools, header split, steering, hostile frames.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_memory_test.h"

enum { IFINDEX = 7, QUEUES = 4, PAGES = 8, FRAME = 70000 };

struct rig {
    struct devmem_test_memory memory;
    struct devmem_test_faults faults;
    struct trap_memory trap;
    struct devmem *host;
    struct devmem_nic *nic;
    struct devmem_netlink *netlink;
    struct devmem_buffer *buffer;
    int fd;
    uint8_t frame[FRAME];
    size_t tapped, tap_readable, tap_length;
};

static void tap(void *user, const uint8_t *bytes, size_t readable, size_t length)
{
    struct rig *rig = user;
    rig->tapped++;
    rig->tap_readable = readable;
    rig->tap_length = length;
    for (size_t i = 0; i < readable; i++) /* all of it may be read */
        rig->tap_readable += bytes[i] * 0u;
}

static struct rig *rig_new_with(const struct devmem_nic_config *config, size_t pages)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    devmem_test_memory_init(&rig->memory, 0);
    const struct devmem_config host = {&rig->memory.alloc, devmem_test_fail, devmem_test_log, &rig->faults};
    rig->host = devmem_new(&host);
    ck_assert_ptr_nonnull(rig->host);
    ck_assert_int_eq(devmem_nic_new(rig->host, config, &rig->nic), 0);
    devmem_nic_set_tap(rig->nic, tap, rig);
    ck_assert_int_eq(devmem_netlink_open(rig->host, true, &rig->netlink), 0);
    rig->fd = trap_fd(rig->host, &rig->trap, pages, &rig->buffer);
    ck_assert_int_ge(rig->fd, DEVMEM_FD_FIRST);
    memset(&rig->faults, 0, sizeof(rig->faults));
    return rig;
}

static struct rig *rig_new(void)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES};
    return rig_new_with(&config, PAGES);
}

static void rig_free(struct rig *rig)
{
    devmem_free(rig->host);
    ck_assert_uint_eq(rig->memory.live, 0);
    ck_assert_uint_eq(rig->trap.released, 1);
    free(rig);
}

static int64_t bind_queues(struct rig *rig, uint32_t first, size_t count)
{
    struct devmem_queue_id ids[QUEUES];
    for (size_t i = 0; i < count; i++)
        ids[i] = (struct devmem_queue_id){DEVMEM_QUEUE_RX, first + (uint32_t)i};
    const struct devmem_bind bind = {.ifindex = IFINDEX, .fd = rig->fd, .queues = ids, .count = count};
    return devmem_bind_rx(rig->netlink, &bind);
}

/* To queue dport - 1000. */
static void steer_by_port(struct rig *rig)
{
    for (uint32_t q = 0; q < QUEUES; q++) {
        const struct devmem_rule rule = {.dport = (uint16_t)(1000 + q), .queue = q};
        ck_assert_int_eq(devmem_nic_add_rule(rig->nic, &rule), (int)q);
    }
}

static int rx(struct rig *rig, uint16_t dport, size_t payload, uint8_t seed, struct devmem_skb **out)
{
    const struct devmem_test_frame f = {.sport = 5, .dport = dport, .payload = payload, .seed = seed};
    return devmem_nic_rx(rig->nic, rig->frame, devmem_test_build(&f, rig->frame), out);
}

/* The packet's payload as the device finds it. */
static void check_payload(const struct rig *rig, const struct devmem_skb *skb, size_t payload, uint8_t seed)
{
    size_t at = 0;
    uint8_t bytes[DEVMEM_PAGE];
    ck_assert(skb->unreadable);
    for (unsigned i = 0; i < skb->nfrags; i++) {
        const struct devmem_frag *f = &skb->frags[i];
        ck_assert(devmem_is_iov(f->mem));
        ck_assert_ptr_null(devmem_netmem_bytes(f->mem));
        ck_assert_int_eq(devmem_buffer_read(rig->buffer, devmem_netmem_offset(f->mem) + f->offset, bytes, f->size), 0);
        for (uint32_t k = 0; k < f->size; k++)
            ck_assert_uint_eq(bytes[k], devmem_test_byte(seed, at + k));
        at += f->size;
    }
    ck_assert_uint_eq(at, payload);
}

static void check_queue_is_plain(const struct rig *rig, uint32_t q)
{
    struct devmem_queue_info info = devmem_nic_queue(rig->nic, q);
    ck_assert(info.alive);
    ck_assert_uint_eq(info.dmabuf_id, 0);
    ck_assert_uint_eq(info.memory_id, 0);
}

/* Every queue receives, and what it should: device memory or host memory. */
static void check_receives(struct rig *rig, uint32_t q, bool device)
{
    struct devmem_skb *skb = NULL;
    ck_assert_int_eq(rx(rig, (uint16_t)(1000 + q), 300, 3, &skb), 0);
    ck_assert_uint_eq(skb->queue, q);
    ck_assert_int_eq(skb->unreadable, device);
    ck_assert_int_eq(skb->bound, device);
    if (device)
        check_payload(rig, skb, 300, 3);
    devmem_skb_free(skb);
}

/* ---- bind ---- */
START_TEST(a_binding_has_an_id_and_all_chunks_of_its_buffer)
{
    struct rig *rig = rig_new();
    steer_by_port(rig);
    int64_t id = bind_queues(rig, 1, 2);
    ck_assert_int_ge(id, 1);
    struct devmem_binding_info info = devmem_binding(rig->host, (uint32_t)id);
    ck_assert(info.known && info.bound);
    ck_assert_uint_eq(info.ifindex, IFINDEX);
    ck_assert_uint_eq(info.chunks, PAGES);
    ck_assert_uint_eq(info.available, PAGES);
    ck_assert_uint_eq(devmem_nic_queue(rig->nic, 2).dmabuf_id, (uint32_t)id);
    ck_assert_uint_eq(rig->trap.mapped, 1);
    for (uint32_t q = 0; q < QUEUES; q++)
        check_receives(rig, q, q == 1 || q == 2);
    ck_assert_int_eq(devmem_close_fd(rig->host, rig->fd), 0); /* the binding keeps the buffer */
    ck_assert_int_eq(devmem_close_fd(rig->host, rig->fd), DEVMEM_EBADF);
    check_receives(rig, 1, true);
    devmem_netlink_close(rig->netlink);
    ck_assert(!devmem_binding(rig->host, (uint32_t)id).known);
    ck_assert_uint_eq(rig->trap.released, 1);
    rig_free(rig);
}
END_TEST

/* [DEVMEM-011, DEVMEM-012, DEVMEM-013] */
START_TEST(a_bind_that_is_not_allowed_changes_nothing)
{
    struct rig *rig = rig_new();
    struct devmem_netlink *weak;
    ck_assert_int_eq(devmem_netlink_open(rig->host, false, &weak), 0);
    ck_assert_int_ge(bind_queues(rig, 3, 1), 1);
    static const struct devmem_queue_id good[] = {{DEVMEM_QUEUE_RX, 0}, {DEVMEM_QUEUE_RX, 1}};
    static const struct devmem_queue_id tx[] = {{DEVMEM_QUEUE_RX, 0}, {DEVMEM_QUEUE_TX, 1}};
    static const struct devmem_queue_id twice[] = {{DEVMEM_QUEUE_RX, 1}, {DEVMEM_QUEUE_RX, 1}};
    static const struct devmem_queue_id high[] = {{DEVMEM_QUEUE_RX, 0}, {DEVMEM_QUEUE_RX, 999}};
    static const struct devmem_queue_id edge[] = {{DEVMEM_QUEUE_RX, QUEUES}};
    static const struct devmem_queue_id bound[] = {{DEVMEM_QUEUE_RX, 0}, {DEVMEM_QUEUE_RX, 3}};
    const struct {
        bool weak;
        struct devmem_bind bind;
        int64_t error;
    } cases[] = {{true, {IFINDEX, rig->fd, good, 2, false}, DEVMEM_EPERM},
                 {false, {IFINDEX + 1, rig->fd, good, 2, false}, DEVMEM_ENODEV},
                 {false, {IFINDEX, rig->fd, good, 0, false}, DEVMEM_EINVAL},
                 {false, {IFINDEX, rig->fd, NULL, 2, false}, DEVMEM_EINVAL},
                 {false, {IFINDEX, rig->fd, tx, 2, false}, DEVMEM_EINVAL},
                 {false, {IFINDEX, rig->fd, twice, 2, false}, DEVMEM_EINVAL},
                 {false, {IFINDEX, rig->fd, high, 2, false}, DEVMEM_ERANGE},
                 {false, {IFINDEX, rig->fd, edge, 1, false}, DEVMEM_ERANGE},
                 {false, {IFINDEX, rig->fd, bound, 2, false}, DEVMEM_EEXIST},
                 {false, {IFINDEX, rig->fd + 1, good, 2, false}, DEVMEM_EBADFD},
                 {false, {IFINDEX, -1, good, 2, false}, DEVMEM_EBADFD},
                 {false, {IFINDEX, 0, good, 2, false}, DEVMEM_EBADFD}};
    struct devmem_test_faults before = rig->faults;
    size_t calls = rig->memory.calls;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(devmem_bind_rx(cases[i].weak ? weak : rig->netlink, &cases[i].bind), cases[i].error);
        check_queue_is_plain(rig, 0);
        check_queue_is_plain(rig, 1);
    }
    ck_assert_mem_eq(&before, &rig->faults, sizeof(before)); /* no step was begun */
    ck_assert_uint_eq(rig->memory.calls, calls);
    rig_free(rig);
}
END_TEST

START_TEST(a_driver_without_queue_operations_or_split_is_not_bound)
{
    for (int i = 0; i < 2; i++) {
        const struct devmem_nic_config config = {
            .ifindex = IFINDEX, .queues = 1, .no_queue_ops = i == 0, .no_split = i == 1};
        struct rig *rig = rig_new_with(&config, PAGES);
        ck_assert_int_eq(bind_queues(rig, 0, 1), DEVMEM_EOPNOTSUPP);
        rig_free(rig);
    }
    struct rig *rig = rig_new();
    ck_assert_int_eq(devmem_nic_set_split(rig->nic, false), 0);
    ck_assert_int_eq(bind_queues(rig, 0, 1), DEVMEM_EOPNOTSUPP);
    ck_assert_int_eq(devmem_nic_set_split(rig->nic, true), 0);
    ck_assert_int_ge(bind_queues(rig, 0, 1), 1);
    ck_assert_int_eq(devmem_nic_set_split(rig->nic, false), DEVMEM_EBUSY);
    rig_free(rig);
}
END_TEST

/* B-35 [DEVMEM-014, DEVMEM-015, DEVMEM-016]: each step in turn, each queue of three. */
START_TEST(a_bind_that_fails_at_any_step_is_undone_fully)
{
    static const int errors[DEVMEM_STEPS] = {DEVMEM_EBADFD, DEVMEM_EIO, DEVMEM_EIO, DEVMEM_ENOMEM,
                                             DEVMEM_ENOMEM, DEVMEM_EIO, DEVMEM_EIO, 0};
    for (enum devmem_step step = 0; step < DEVMEM_STEP_RESTORE; step++) {
        for (unsigned nth = 1; nth <= (step < DEVMEM_STEP_ALLOC ? 1u : 3u); nth++) {
            struct rig *rig = rig_new();
            steer_by_port(rig);
            struct devmem_objects before = devmem_objects(rig->host);
            size_t live = rig->memory.live;
            rig->faults.fail[step] = nth;
            ck_assert_int_eq(bind_queues(rig, 0, 3), errors[step]);
            struct devmem_objects after = devmem_objects(rig->host);
            ck_assert_mem_eq(&before, &after, sizeof(before));
            ck_assert_uint_eq(rig->memory.live, live);
            ck_assert_uint_eq(rig->trap.attached + rig->trap.mapped, 0);
            ck_assert_uint_eq(rig->faults.logged, 0);
            for (uint32_t q = 0; q < QUEUES; q++) {
                check_queue_is_plain(rig, q);
                check_receives(rig, q, false);
            }
            ck_assert_int_ge(bind_queues(rig, 0, 3), 1);
            for (uint32_t q = 0; q < QUEUES; q++)
                check_receives(rig, q, q < 3);
            rig_free(rig);
        }
    }
}
END_TEST

START_TEST(a_queue_that_neither_start_wants_is_dead_and_logged_and_alone)
{
    struct rig *rig = rig_new();
    struct devmem_skb *skb = NULL;
    steer_by_port(rig);
    rig->faults.fail[DEVMEM_STEP_START] = 2; /* queue 1 of 0, 1, 2 */
    rig->faults.fail[DEVMEM_STEP_RESTORE] = 1;
    ck_assert_int_eq(bind_queues(rig, 0, 3), DEVMEM_EIO);
    ck_assert_uint_eq(rig->faults.logged, 1);
    ck_assert_uint_eq(rig->faults.logged_queue, 1);
    ck_assert(!devmem_nic_queue(rig->nic, 1).alive);
    ck_assert_uint_eq(devmem_objects(rig->host).bindings, 0);
    ck_assert_int_eq(rx(rig, 1001, 50, 0, &skb), DEVMEM_ENETDOWN);
    ck_assert_uint_eq(devmem_nic_queue(rig->nic, 1).dead, 1);
    ck_assert_int_eq(devmem_queue_restart(rig->nic, 1), DEVMEM_EIO);
    for (uint32_t q = 0; q < QUEUES; q++)
        if (q != 1) {
            check_queue_is_plain(rig, q);
            check_receives(rig, q, false);
        }
    rig_free(rig);
}
END_TEST

/* The undo itself fails: said, and nothing is lost when the queue restarts later. */
START_TEST(an_unbind_that_cannot_restart_is_logged_and_mended_by_the_next_restart)
{
    for (enum devmem_step step = DEVMEM_STEP_ALLOC; step <= DEVMEM_STEP_START; step++) {
        struct rig *rig = rig_new();
        steer_by_port(rig);
        int64_t id = bind_queues(rig, 0, 2);
        ck_assert_int_ge(id, 1);
        rig->faults.fail[step] = rig->faults.seen[step] + 1;
        devmem_netlink_close(rig->netlink);
        ck_assert_uint_eq(rig->faults.logged, 1);
        ck_assert_uint_eq(rig->faults.logged_queue, 0);
        ck_assert_uint_eq(devmem_nic_queue(rig->nic, 0).dmabuf_id, 0);
        ck_assert_uint_eq(devmem_nic_queue(rig->nic, 0).memory_id, (uint32_t)id);
        check_queue_is_plain(rig, 1);
        ck_assert(!devmem_binding(rig->host, (uint32_t)id).bound);
        check_receives(rig, 0, true); /* the old queue runs on, its binding lives */
        ck_assert_int_eq(devmem_queue_restart(rig->nic, 0), 0);
        check_queue_is_plain(rig, 0);
        ck_assert_uint_eq(devmem_objects(rig->host).bindings, 0);
        rig_free(rig);
    }
}
END_TEST

START_TEST(a_restart_of_a_bound_queue_keeps_its_binding_and_what_is_out)
{
    struct rig *rig = rig_new();
    struct devmem_skb *skb = NULL;
    steer_by_port(rig);
    int64_t id = bind_queues(rig, 0, 1);
    ck_assert_int_eq(rx(rig, 1000, 5000, 9, &skb), 0);
    static const struct {
        enum devmem_step step;
        int error;
    } cases[] = {{DEVMEM_STEP_ALLOC, DEVMEM_ENOMEM}, {DEVMEM_STEP_STOP, DEVMEM_EIO}, {DEVMEM_STEP_START, DEVMEM_EIO}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t restarts = devmem_nic_queue(rig->nic, 0).restarts;
        size_t pools = devmem_objects(rig->host).pools;
        rig->faults.fail[cases[i].step] = rig->faults.seen[cases[i].step] + 1;
        ck_assert_int_eq(devmem_queue_restart(rig->nic, 0), cases[i].error);
        ck_assert_uint_eq(devmem_objects(rig->host).pools, pools);
        ck_assert_uint_eq(devmem_nic_queue(rig->nic, 0).restarts, restarts);
        check_receives(rig, 0, true);
    }
    ck_assert_int_eq(devmem_queue_restart(rig->nic, 0), 0);
    ck_assert_int_eq(devmem_queue_restart(rig->nic, QUEUES), DEVMEM_ERANGE);
    check_receives(rig, 0, true);
    check_payload(rig, skb, 5000, 9);
    ck_assert_uint_eq(devmem_binding(rig->host, (uint32_t)id).available, PAGES - 2);
    devmem_skb_free(skb); /* back by way of the old pool, which then goes */
    ck_assert_uint_eq(devmem_binding(rig->host, (uint32_t)id).available, PAGES);
    ck_assert_uint_eq(devmem_objects(rig->host).pools, QUEUES);
    rig_free(rig);
}
END_TEST

START_TEST(a_mapping_that_makes_no_sense_is_refused_and_undone)
{
    const uint64_t size = PAGES * DEVMEM_PAGE;
    const struct {
        int segments;
        struct devmem_segment segment[2];
        int error;
    } cases[] = {{DEVMEM_ENOMEM, {{0, 0}}, DEVMEM_ENOMEM},
                 {101, {{0, 0}}, DEVMEM_EINVAL}, /* none */
                 {DEVMEM_SEGMENTS_MAX + 1, {{TRAP_ADDRESS, size}}, DEVMEM_EINVAL},
                 {1, {{TRAP_ADDRESS, size - DEVMEM_PAGE}}, DEVMEM_EINVAL},
                 {1, {{TRAP_ADDRESS, size + DEVMEM_PAGE}}, DEVMEM_EINVAL},
                 {2, {{TRAP_ADDRESS, size - 1}, {TRAP_ADDRESS, 1}}, DEVMEM_EINVAL},
                 {2, {{TRAP_ADDRESS, size}, {TRAP_ADDRESS, 0}}, DEVMEM_EINVAL},
                 {2, {{TRAP_ADDRESS, size + DEVMEM_PAGE}, {0, UINT64_MAX - DEVMEM_PAGE + 1}}, DEVMEM_EINVAL}, /* wraps */
                 {1, {{UINT64_MAX - 10, size}}, DEVMEM_EINVAL}};
    struct rig *rig = rig_new();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rig->trap.segments = cases[i].segments;
        memcpy(rig->trap.segment, cases[i].segment, sizeof(cases[i].segment));
        ck_assert_int_eq(bind_queues(rig, 0, 1), cases[i].error);
        ck_assert_uint_eq(rig->trap.attached + rig->trap.mapped, 0);
        check_queue_is_plain(rig, 0);
    }
    rig->trap.segments = 0;
    rig->trap.attach_error = DEVMEM_EBUSY;
    ck_assert_int_eq(bind_queues(rig, 0, 1), DEVMEM_EBUSY);
    rig->trap.attach_error = 0;
    ck_assert_int_ge(bind_queues(rig, 0, 1), 1);
    rig_free(rig);
}
END_TEST

/* ---- the end of a binding ---- */

/* [DEVMEM-020] */
START_TEST(an_undone_binding_lives_until_its_last_fragment_is_back)
{
    struct rig *rig = rig_new();
    struct devmem_skb *skb = NULL, *other = NULL;
    steer_by_port(rig);
    uint32_t id = (uint32_t)bind_queues(rig, 0, 1);
    ck_assert_int_eq(rx(rig, 1000, 5000, 1, &skb), 0);
    ck_assert_int_eq(rx(rig, 1000, 100, 2, &other), 0);
    devmem_netlink_close(rig->netlink);
    check_queue_is_plain(rig, 0);
    check_receives(rig, 0, false); /* host pages: no packet has both [DEVMEM-019] */
    ck_assert(devmem_binding(rig->host, id).known && !devmem_binding(rig->host, id).bound);
    ck_assert_uint_eq(rig->trap.attached, 1);
    check_payload(rig, skb, 5000, 1);
    devmem_netmem held = other->frags[0].mem;
    devmem_netmem_get(held);
    devmem_skb_free(skb);
    devmem_skb_free(other);
    ck_assert(devmem_binding(rig->host, id).known);
    ck_assert_uint_eq(devmem_netmem_id(held), id);
    devmem_netmem_put(held);
    ck_assert(!devmem_binding(rig->host, id).known);
    ck_assert_uint_eq(rig->trap.attached, 0);
    rig_free(rig);
}
END_TEST

START_TEST(a_device_that_goes_leaves_its_packets_readable)
{
    struct rig *rig = rig_new();
    struct devmem_skb *skb = NULL;
    steer_by_port(rig);
    uint32_t id = (uint32_t)bind_queues(rig, 0, 2);
    ck_assert_int_eq(rx(rig, 1001, 1448, 4, &skb), 0);
    devmem_nic_unregister(rig->nic);
    ck_assert_uint_eq(devmem_binding(rig->host, id).ifindex, 0);
    ck_assert(devmem_binding(rig->host, id).bound);
    check_payload(rig, skb, 1448, 4);
    ck_assert_int_eq(bind_queues(rig, 0, 1), DEVMEM_ENODEV);
    devmem_netlink_close(rig->netlink);
    check_payload(rig, skb, 1448, 4);
    devmem_skb_free(skb);
    ck_assert(!devmem_binding(rig->host, id).known);
    rig_free(rig);
}
END_TEST

START_TEST(ids_are_not_used_again_at_once)
{
    struct rig *rig = rig_new();
    int64_t first = bind_queues(rig, 0, 1);
    int64_t second = bind_queues(rig, 1, 1);
    ck_assert_int_ne(first, second);
    devmem_netlink_close(rig->netlink);
    ck_assert_int_eq(devmem_netlink_open(rig->host, true, &rig->netlink), 0);
    int64_t third = bind_queues(rig, 0, 1);
    ck_assert(third != first && third != second && third >= 1);
    rig_free(rig);
}
END_TEST

/* ---- packets ---- */
START_TEST(payload_is_split_off_whatever_the_headers)
{
    static const size_t sizes[] = {1, 63, 1448, DEVMEM_PAGE, DEVMEM_PAGE + 1, 3 * DEVMEM_PAGE - 1};
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = 1};
    struct rig *rig = rig_new_with(&config, PAGES);
    struct devmem_skb *skb = NULL;
    uint8_t byte;
    ck_assert_int_ge(bind_queues(rig, 0, 1), 1);
    for (unsigned i = 0; i < 6 * 2 * 2 * 2; i++) {
        const struct devmem_test_frame f = {.v6 = i & 1, .vlan = (i & 2) != 0 ? 5 : 0, .tcp_options = (i & 4) * 3,
                                            .payload = sizes[i >> 3], .seed = (uint8_t)i};
        size_t length = devmem_test_build(&f, rig->frame), headers = length - f.payload;
        memset(rig->frame + length, 0xee, 30); /* padding */
        ck_assert_int_eq(devmem_nic_rx(rig->nic, rig->frame, length + 30, &skb), 0);
        ck_assert_uint_eq(skb->linear, headers);
        ck_assert_uint_eq(skb->length, length);
        ck_assert_mem_eq(skb->head, rig->frame, headers);
        ck_assert_int_eq(skb->checksum, DEVMEM_CHECKSUM_GOOD);
        ck_assert_uint_eq(rig->tap_readable, headers); /* [DEVMEM-018] */
        ck_assert_uint_eq(rig->tap_length, length);
        check_payload(rig, skb, f.payload, (uint8_t)i);
        ck_assert_int_eq(devmem_skb_copy(skb, 0, rig->frame, (uint32_t)headers), 0);
        ck_assert_int_eq(devmem_skb_copy(skb, (uint32_t)headers, &byte, 1), DEVMEM_EFAULT);
        ck_assert_int_eq(devmem_skb_copy(skb, (uint32_t)length, &byte, 1), DEVMEM_ERANGE);
        devmem_skb_free(skb);
    }
    ck_assert_uint_eq(rig->tapped, 48);
    rig_free(rig);
}
END_TEST

START_TEST(what_cannot_be_split_comes_as_host_memory)
{
    struct rig *rig = rig_new();
    struct devmem_skb *skb = NULL;
    ck_assert_int_ge(bind_queues(rig, 0, 4), 1);
    for (unsigned i = 0; i < 7; i++) {
        const struct devmem_test_frame f = {
            .v6 = i == 5, .protocol = i == 1 ? 17 : i == 5 ? 60 : 0, .payload = i == 0 ? 0 : 200, .seed = 5};
        size_t length = devmem_test_build(&f, rig->frame);
        if (i == 2)
            rig->frame[20] |= 0x20; /* more fragments */
        if (i == 3)
            rig->frame[21] = 1; /* fragment offset */
        if (i == 4)
            rig->frame[13] = 6; /* ARP */
        if (i == 6)
            rig->frame[14 + 20 + 12] = 0x40; /* TCP header of four words */
        ck_assert_int_eq(devmem_nic_rx(rig->nic, rig->frame, length, &skb), 0);
        ck_assert(!skb->unreadable && skb->bound);
        ck_assert_uint_eq(skb->nfrags, 0);
        ck_assert_uint_eq(skb->linear, length);
        ck_assert_mem_eq(skb->head, rig->frame, length);
        devmem_skb_free(skb);
    }
    rig_free(rig);
}
END_TEST

START_TEST(a_plain_queue_puts_payload_into_pages_that_the_host_reads)
{
    struct rig *rig = rig_new();
    struct devmem_skb *skb = NULL;
    uint8_t copy[9000];
    ck_assert_int_eq(rx(rig, 1, 8000, 6, &skb), 0);
    ck_assert(!skb->unreadable && !skb->bound);
    ck_assert_uint_eq(skb->nfrags, 2);
    ck_assert(!devmem_is_iov(skb->frags[0].mem));
    ck_assert_int_eq(devmem_skb_copy(skb, 0, copy, skb->length), 0);
    ck_assert_mem_eq(copy, rig->frame, skb->length);
    for (uint32_t at = 0; at < skb->length; at += 997) {
        uint32_t n = skb->length - at < 1500 ? skb->length - at : 1500;
        ck_assert_int_eq(devmem_skb_copy(skb, at, copy, n), 0);
        ck_assert_mem_eq(copy, rig->frame + at, n);
    }
    devmem_skb_free(skb);
    rig_free(rig);
}
END_TEST

START_TEST(the_nic_says_whether_the_checksum_was_right)
{
    struct devmem_skb *skb = NULL;
    for (unsigned i = 0; i < 4; i++) {
        const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = 1, .no_checksum = i == 3};
        struct rig *rig = rig_new_with(&config, PAGES);
        ck_assert_int_ge(bind_queues(rig, 0, 1), 1);
        const struct devmem_test_frame f = {.v6 = i == 1, .bad_checksum = i == 2, .payload = 333};
        ck_assert_int_eq(devmem_nic_rx(rig->nic, rig->frame, devmem_test_build(&f, rig->frame), &skb), 0);
        ck_assert_int_eq(skb->checksum, i == 3   ? DEVMEM_CHECKSUM_NONE
                                        : i == 2 ? DEVMEM_CHECKSUM_BAD
                                                 : DEVMEM_CHECKSUM_GOOD);
        devmem_skb_free(skb);
        rig_free(rig);
    }
}
END_TEST

START_TEST(the_split_point_can_be_late_and_small_payload_stays_whole)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = 1, .split_above = 100, .split_late = 40};
    struct rig *rig = rig_new_with(&config, PAGES);
    struct devmem_skb *skb = NULL;
    ck_assert_int_ge(bind_queues(rig, 0, 1), 1);
    ck_assert_int_eq(rx(rig, 1, 100, 0, &skb), 0);
    ck_assert(!skb->unreadable && skb->linear == 14 + 40 + 100);
    devmem_skb_free(skb);
    ck_assert_int_eq(rx(rig, 1, 101, 0, &skb), 0);
    ck_assert(skb->unreadable && skb->linear == 14 + 40 + 40 && skb->frags[0].size == 61);
    devmem_skb_free(skb);
    rig_free(rig);
}
END_TEST

/* [DEVMEM-017] */
START_TEST(an_empty_pool_drops_and_recovers_when_something_comes_back)
{
    struct rig *rig = rig_new();
    struct devmem_skb *held[PAGES], *skb = NULL;
    steer_by_port(rig);
    uint32_t id = (uint32_t)bind_queues(rig, 0, 2);
    for (int i = 0; i < PAGES; i++)
        ck_assert_int_eq(rx(rig, (uint16_t)(1000 + i % 2), 1000, (uint8_t)i, &held[i]), 0);
    ck_assert_int_eq(rx(rig, 1000, 1000, 0, &skb), DEVMEM_ENOBUFS);
    ck_assert_uint_eq(devmem_nic_queue(rig->nic, 0).no_memory, 1);
    check_receives(rig, 3, false); /* a plain queue does not starve with it */
    for (int i = 0; i < PAGES; i++)
        check_payload(rig, held[i], 1000, (uint8_t)i); /* nobody wrote over it [DEVMEM-005] */
    devmem_skb_free(held[4]);
    ck_assert_int_eq(rx(rig, 1000, 5000, 0, &skb), DEVMEM_ENOBUFS); /* needs two: takes none */
    ck_assert_uint_eq(devmem_binding(rig->host, id).available, 1);
    ck_assert_int_eq(rx(rig, 1000, 1000, 77, &held[4]), 0);
    check_payload(rig, held[4], 1000, 77);
    for (int i = 0; i < PAGES; i++)
        devmem_skb_free(held[i]);
    ck_assert_uint_eq(devmem_binding(rig->host, id).available, PAGES);
    rig_free(rig);
}
END_TEST

START_TEST(several_packets_share_a_chunk_by_counted_references)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = 1, .pack = true};
    struct rig *rig = rig_new_with(&config, 2);
    struct devmem_skb *held[6], *skb = NULL;
    uint32_t id = (uint32_t)bind_queues(rig, 0, 1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 6; i++) /* three of 1,344 bytes a chunk */
            ck_assert_int_eq(rx(rig, 1, 1300, (uint8_t)(round * 6 + i), &held[i]), 0);
        ck_assert_int_eq(rx(rig, 1, 1300, 0, &skb), DEVMEM_ENOBUFS);
        ck_assert_uint_eq(held[1]->frags[0].offset, 1344);
        ck_assert_uint_eq(held[0]->frags[0].mem, held[2]->frags[0].mem);
        for (int i = 0; i < 6; i++)
            check_payload(rig, held[i], 1300, (uint8_t)(round * 6 + i));
        for (int i = 0; i < 6; i++)
            devmem_skb_free(held[(i * 5 + round) % 6]);
    }
    devmem_netlink_close(rig->netlink);
    ck_assert(!devmem_binding(rig->host, id).known);
    rig_free(rig);
}
END_TEST

/* ---- steering ---- */
START_TEST(rules_come_before_the_hash_and_the_hash_stays_in_its_set)
{
    struct rig *rig = rig_new();
    struct devmem_test_frame f = {.payload = 10};
    unsigned seen[QUEUES] = {0};
    ck_assert_int_eq(devmem_nic_set_rss(rig->nic, 1, 2), 0);
    ck_assert_int_eq(devmem_nic_set_rss(rig->nic, 3, 2), DEVMEM_ERANGE);
    ck_assert_int_eq(devmem_nic_set_rss(rig->nic, 0, 0), DEVMEM_ERANGE);
    for (f.sport = 1; f.sport <= 200; f.sport++) {
        size_t n = devmem_test_build(&f, rig->frame);
        seen[devmem_nic_steer(rig->nic, rig->frame, n)]++;
    }
    ck_assert_uint_eq(seen[0] + seen[3], 0);
    ck_assert(seen[1] > 50 && seen[2] > 50);
    struct devmem_rule rule = {.src = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 9},
                               .dst = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7},
                               .sport = 4, .dport = 5, .queue = 3};
    const struct devmem_rule any_port = {.dport = 5, .queue = 0};
    int first = devmem_nic_add_rule(rig->nic, &rule);
    ck_assert_int_eq(devmem_nic_add_rule(rig->nic, &any_port), first + 1);
    f.sport = 4;
    f.dport = 5;
    ck_assert_uint_eq(devmem_nic_steer(rig->nic, rig->frame, devmem_test_build(&f, rig->frame)), 3);
    f.sport = 6;
    ck_assert_uint_eq(devmem_nic_steer(rig->nic, rig->frame, devmem_test_build(&f, rig->frame)), 0);
    f.sport = 4;
    f.v6 = true;
    ck_assert_uint_eq(devmem_nic_steer(rig->nic, rig->frame, devmem_test_build(&f, rig->frame)), 0);
    f.protocol = 17;
    ck_assert_uint_eq(devmem_nic_steer(rig->nic, rig->frame, devmem_test_build(&f, rig->frame)), 1);
    ck_assert_int_eq(devmem_nic_remove_rule(rig->nic, first), 0);
    ck_assert_int_eq(devmem_nic_remove_rule(rig->nic, first), DEVMEM_EINVAL);
    ck_assert_int_eq(devmem_nic_remove_rule(rig->nic, -1), DEVMEM_EINVAL);
    rule.queue = QUEUES;
    ck_assert_int_eq(devmem_nic_add_rule(rig->nic, &rule), DEVMEM_ERANGE);
    rule.queue = 0;
    for (int i = 1; i < DEVMEM_RULES_MAX; i++)
        ck_assert_int_ge(devmem_nic_add_rule(rig->nic, &rule), 0);
    ck_assert_int_eq(devmem_nic_add_rule(rig->nic, &rule), DEVMEM_ENOSPC);
    rig_free(rig);
}
END_TEST

/* ---- hostile ---- */
static void check_any(struct rig *rig, const uint8_t *frame, size_t length)
{
    struct devmem_skb *skb = NULL;
    uint8_t *copy = malloc(length + 1);
    int error = devmem_nic_rx(rig->nic, frame, length, &skb);
    ck_assert_int_eq(error, length < 14 ? DEVMEM_EINVAL : 0);
    if (error == 0) {
        ck_assert_uint_le(skb->length, length);
        ck_assert_mem_eq(skb->head, frame, skb->linear);
        uint32_t behind = 0;
        for (unsigned i = 0; i < skb->nfrags; i++) {
            ck_assert(devmem_is_iov(skb->frags[i].mem));
            ck_assert_uint_le(devmem_netmem_offset(skb->frags[i].mem) + skb->frags[i].offset + skb->frags[i].size,
                              devmem_buffer_size(rig->buffer)); /* [DEVMEM-021] */
            behind += skb->frags[i].size;
        }
        ck_assert_uint_eq(skb->linear + behind, skb->length);
        ck_assert_int_eq(skb->unreadable, behind > 0);
        ck_assert_int_eq(devmem_skb_copy(skb, 0, copy, skb->length), behind > 0 ? DEVMEM_EFAULT : 0);
        devmem_skb_free(skb);
    }
    free(copy);
}

START_TEST(any_frame_is_taken_without_harm)
{
    struct rig *rig = rig_new();
    uint32_t random = 1;
    int64_t id = bind_queues(rig, 0, 4);
    for (unsigned kind = 0; kind < 4; kind++) {
        const struct devmem_test_frame f = {.v6 = kind & 1, .vlan = kind & 2, .tcp_options = 8, .payload = 150};
        size_t length = devmem_test_build(&f, rig->frame);
        for (size_t cut = 0; cut <= length; cut++) {
            uint8_t *exact = malloc(cut + 1);
            memcpy(exact + 1, rig->frame, cut);
            check_any(rig, exact + 1, cut); /* the sanitizer sees a read behind it */
            free(exact);
        }
        for (int i = 0; i < 3000; i++) {
            uint8_t damaged[400];
            memcpy(damaged, rig->frame, length);
            for (int k = 0; k < 3; k++) {
                random = random * 1664525u + 1013904223u;
                damaged[(random >> 8) % 90] = (uint8_t)(random >> 24);
            }
            check_any(rig, damaged, length);
        }
    }
    struct devmem_skb *skb = NULL;
    ck_assert_int_eq(devmem_nic_rx(rig->nic, rig->frame, 65601, &skb), DEVMEM_EINVAL);
    ck_assert_uint_eq(devmem_binding(rig->host, (uint32_t)id).available, PAGES);
    rig_free(rig);
}
END_TEST

START_TEST(the_largest_packet_fits)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = 1};
    struct rig *rig = rig_new_with(&config, 32);
    struct devmem_skb *skb = NULL;
    ck_assert_int_ge(bind_queues(rig, 0, 1), 1);
    ck_assert_int_eq(rx(rig, 1, 65535 - 40, 8, &skb), 0);
    ck_assert_uint_eq(skb->nfrags, 16);
    check_payload(rig, skb, 65535 - 40, 8);
    devmem_skb_free(skb);
    const struct devmem_test_frame f = {.v6 = true, .payload = 65535 - 20, .seed = 2};
    ck_assert_int_eq(devmem_nic_rx(rig->nic, rig->frame, devmem_test_build(&f, rig->frame), &skb), 0);
    check_payload(rig, skb, 65535 - 20, 2);
    devmem_skb_free(skb);
    rig_free(rig);
}
END_TEST

/* ---- buffers of the host's own making ---- */
START_TEST(a_buffer_of_two_segments_has_offsets_that_are_not_addresses)
{
    struct rig *rig = rig_new();
    struct devmem_buffer *buffer = NULL;
    struct devmem_skb *held[32];
    uint8_t bytes[100];
    ck_assert_int_eq(devmem_buffer_new(rig->host, 0, &buffer), DEVMEM_EINVAL);
    ck_assert_int_eq(devmem_buffer_new(rig->host, 4097, &buffer), DEVMEM_EINVAL);
    ck_assert_int_eq(devmem_buffer_new(rig->host, 32 * DEVMEM_PAGE, &buffer), 0);
    const struct devmem_queue_id q = {DEVMEM_QUEUE_RX, 0};
    const struct devmem_bind bind = {IFINDEX, devmem_buffer_fd(buffer), &q, 1, false};
    ck_assert_int_ge(devmem_bind_rx(rig->netlink, &bind), 1);
    steer_by_port(rig);
    for (unsigned i = 0; i < 32; i++) {
        ck_assert_int_eq(rx(rig, 1000, 100, (uint8_t)i, &held[i]), 0);
        ck_assert_uint_eq(devmem_netmem_offset(held[i]->frags[0].mem), i * DEVMEM_PAGE);
    }
    for (unsigned i = 0; i < 32; i++) {
        ck_assert_int_eq(devmem_buffer_read(buffer, i * DEVMEM_PAGE, bytes, 100), 0);
        ck_assert_uint_eq(bytes[50], devmem_test_byte((uint8_t)i, 50));
        devmem_skb_free(held[i]);
    }
    ck_assert_int_eq(devmem_buffer_read(buffer, 32 * DEVMEM_PAGE - 99, bytes, 100), DEVMEM_ERANGE);
    ck_assert_int_eq(devmem_buffer_read(buffer, UINT64_MAX, bytes, 100), DEVMEM_ERANGE);
    devmem_buffer_put(buffer);
    rig_free(rig);
}
END_TEST

/* ---- every allocation fails once ---- */
static bool session(struct devmem_test_memory *memory)
{
    static const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = 2};
    static const struct devmem_queue_id ids[] = {{DEVMEM_QUEUE_RX, 0}, {DEVMEM_QUEUE_RX, 1}};
    const struct devmem_config host_config = {.alloc = &memory->alloc};
    struct devmem *host = devmem_new(&host_config);
    struct devmem_nic *nic = NULL;
    struct devmem_netlink *netlink = NULL;
    struct devmem_buffer *buffer = NULL;
    struct devmem_skb *skb = NULL;
    uint8_t frame[2000];
    bool good = host != NULL && devmem_nic_new(host, &config, &nic) == 0 &&
                devmem_netlink_open(host, true, &netlink) == 0 &&
                devmem_buffer_new(host, 4 * DEVMEM_PAGE, &buffer) == 0;
    if (good) {
        const struct devmem_bind bind = {IFINDEX, devmem_buffer_fd(buffer), ids, 2, false};
        const struct devmem_test_frame f = {.payload = 1000};
        devmem_buffer_put(buffer);
        struct devmem_objects before = devmem_objects(host);
        good = bind.fd >= 0;
        if (good && devmem_bind_rx(netlink, &bind) < 0) {
            struct devmem_objects after = devmem_objects(host);
            ck_assert_mem_eq(&before, &after, sizeof(before));
            good = false;
        }
        int error = devmem_nic_rx(nic, frame, devmem_test_build(&f, frame), &skb);
        good = good && error == 0;
        ck_assert(error == 0 || error == DEVMEM_ENOMEM || error == DEVMEM_ENOBUFS);
        if (error == 0)
            devmem_skb_free(skb);
        good = devmem_queue_restart(nic, 0) == 0 && good;
    }
    devmem_free(host);
    ck_assert_uint_eq(memory->live, 0);
    return good;
}

START_TEST(each_allocation_may_fail)
{
    struct devmem_test_memory memory;
    size_t fail_at = 0;
    do
        devmem_test_memory_init(&memory, ++fail_at);
    while (!session(&memory) || memory.calls >= fail_at);
    ck_assert_uint_gt(fail_at, 15);
}
END_TEST

START_TEST(errors_have_names)
{
    ck_assert_str_eq(devmem_error_name(DEVMEM_EFAULT), "EFAULT");
    ck_assert_str_eq(devmem_error_name(DEVMEM_ETOOSMALL), "ETOOSMALL");
    ck_assert_str_eq(devmem_error_name(3), "success");
    ck_assert_str_eq(devmem_error_name(-9999), "unknown error");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("devmem");
    TCase *bind = tcase_create("bind");
    tcase_add_test(bind, a_binding_has_an_id_and_all_chunks_of_its_buffer);
    tcase_add_test(bind, a_bind_that_is_not_allowed_changes_nothing);
    tcase_add_test(bind, a_driver_without_queue_operations_or_split_is_not_bound);
    tcase_add_test(bind, a_bind_that_fails_at_any_step_is_undone_fully);
    tcase_add_test(bind, a_queue_that_neither_start_wants_is_dead_and_logged_and_alone);
    tcase_add_test(bind, an_unbind_that_cannot_restart_is_logged_and_mended_by_the_next_restart);
    tcase_add_test(bind, a_restart_of_a_bound_queue_keeps_its_binding_and_what_is_out);
    tcase_add_test(bind, a_mapping_that_makes_no_sense_is_refused_and_undone);
    tcase_add_test(bind, an_undone_binding_lives_until_its_last_fragment_is_back);
    tcase_add_test(bind, a_device_that_goes_leaves_its_packets_readable);
    tcase_add_test(bind, ids_are_not_used_again_at_once);
    suite_add_tcase(suite, bind);
    TCase *packets = tcase_create("packets");
    tcase_add_test(packets, payload_is_split_off_whatever_the_headers);
    tcase_add_test(packets, what_cannot_be_split_comes_as_host_memory);
    tcase_add_test(packets, a_plain_queue_puts_payload_into_pages_that_the_host_reads);
    tcase_add_test(packets, the_nic_says_whether_the_checksum_was_right);
    tcase_add_test(packets, the_split_point_can_be_late_and_small_payload_stays_whole);
    tcase_add_test(packets, an_empty_pool_drops_and_recovers_when_something_comes_back);
    tcase_add_test(packets, several_packets_share_a_chunk_by_counted_references);
    tcase_add_test(packets, rules_come_before_the_hash_and_the_hash_stays_in_its_set);
    tcase_add_test(packets, any_frame_is_taken_without_harm);
    tcase_add_test(packets, the_largest_packet_fits);
    tcase_add_test(packets, a_buffer_of_two_segments_has_offsets_that_are_not_addresses);
    tcase_add_test(packets, each_allocation_may_fail);
    tcase_add_test(packets, errors_have_names);
    suite_add_tcase(suite, packets);
    return suite;
}

CHECK_MAIN(make_suite)
