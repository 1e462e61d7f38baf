/* Tests of the dibs registry: each rule of its contract, with a device and clients that note what happens.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <smc/dibs.h>

#include "testing/check_main.h"

enum { SLOTS = 8 };

/* ---- memory that can be short ---- */

static size_t held_bytes;
static int fail_in = -1; /* allocations until one fails; -1: none */

static void *test_allocate(void *user, size_t size)
{
    (void)user;
    if (fail_in == 0)
        return NULL;
    if (fail_in > 0)
        fail_in--;
    held_bytes += size;
    return malloc(size);
}

static void *test_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    held_bytes += new_size - old_size;
    return realloc(block, new_size);
}

static void test_release(void *user, void *block, size_t size)
{
    (void)user;
    held_bytes -= size;
    free(block);
}

static const struct smc_alloc memory = {test_allocate, test_resize, test_release, NULL};

/* ---- a device ---- */

struct device {
    struct smc_dibs_device device;
    uint64_t tokens[SLOTS];
    uint64_t next_token;
    int released, unregistered;
    uint32_t forced_index; /* UINT32_MAX: the first free one */
    int moves, last_error;
};

static struct device *device_of(struct smc_dibs_device *d)
{
    return (struct device *)d;
}

static uint16_t dev_fabric(struct smc_dibs_device *d)
{
    (void)d;
    return 0x1234;
}

static int dev_query(struct smc_dibs_device *d, const struct smc_gid *rgid, bool valid, uint16_t id)
{
    (void)valid;
    (void)id;
    return smc_gid_equal(&d->gid, rgid) ? 0 : SMC_ERR_UNREACHABLE;
}

static uint32_t dev_max(struct smc_dibs_device *d)
{
    (void)d;
    return SLOTS;
}

static int dev_register(struct smc_dibs_device *d, struct smc_dibs_dmb *dmb)
{
    struct device *t = device_of(d);
    uint32_t i = 0;
    while (i < SLOTS && t->tokens[i] != 0)
        i++;
    if (i == SLOTS)
        return SMC_ERR_NOSPACE;
    dmb->index = t->forced_index != UINT32_MAX ? t->forced_index : i;
    dmb->token = ++t->next_token;
    if (dmb->index < SLOTS)
        t->tokens[dmb->index] = dmb->token;
    return 0;
}

static int dev_unregister(struct smc_dibs_device *d, struct smc_dibs_dmb *dmb)
{
    struct device *t = device_of(d);
    if (t->last_error != 0)
        return t->last_error;
    t->unregistered++;
    if (dmb->index < SLOTS && t->tokens[dmb->index] == dmb->token)
        t->tokens[dmb->index] = 0;
    return 0;
}

static int dev_move(struct smc_dibs_device *d, uint64_t token, uint32_t index, bool signal,
                    uint32_t offset, const void *data, uint32_t size)
{
    struct device *t = device_of(d);
    (void)offset;
    (void)data;
    (void)size;
    t->moves++;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (t->tokens[i] == token && signal)
            smc_dibs_irq(d, i, (uint16_t)(1u << index));
    return 0;
}

static int dev_vlan(struct smc_dibs_device *d, uint16_t id)
{
    (void)d;
    return id == 7 ? 0 : SMC_ERR_NOTFOUND;
}

static bool dev_mmapped(struct smc_dibs_device *d)
{
    (void)d;
    return true;
}

static int dev_attach(struct smc_dibs_device *d, struct smc_dibs_dmb *dmb)
{
    (void)d;
    (void)dmb;
    return 0;
}

static int dev_detach(struct smc_dibs_device *d, uint64_t token)
{
    (void)d;
    (void)token;
    return 0;
}

static int wrote_calls;
static void dev_wrote(struct smc_dibs_device *d, uint64_t token, uint32_t offset, uint32_t size)
{
    (void)d;
    (void)token;
    (void)offset;
    (void)size;
    wrote_calls++;
}

static void dev_released(struct smc_dibs_device *d)
{
    ck_assert_ptr_null(d->dmb_owners);
    device_of(d)->released++;
}

static const struct smc_dibs_ops plain_ops = {.get_fabric_id = dev_fabric,
                                              .query_remote_gid = dev_query,
                                              .max_dmbs = dev_max,
                                              .register_dmb = dev_register,
                                              .unregister_dmb = dev_unregister,
                                              .move_data = dev_move,
                                              .released = dev_released};

static struct device make_device(uint8_t gid)
{
    struct device d = {.forced_index = UINT32_MAX};
    d.device.ops = &plain_ops;
    d.device.gid.bytes[15] = gid;
    return d;
}

/* ---- clients ---- */

struct client {
    struct smc_dibs_client client;
    struct smc_dibs *dibs;
    int adds, dels, irqs, events;
    uint32_t last_index;
    uint16_t last_mask;
    void *data_at_del;
    void (*in_add)(struct client *, struct smc_dibs_device *);
    void (*in_del)(struct client *, struct smc_dibs_device *);
    void (*in_irq)(struct client *, struct smc_dibs_device *);
    int seen[12];
    struct smc_dibs_device *order[4];
    struct smc_dibs_dmb dmb;
};

static void on_add(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    struct client *c = (struct client *)client;
    if (c->adds < 4)
        c->order[c->adds] = device;
    c->adds++;
    ck_assert_ptr_null(*smc_dibs_client_data(client, device));
    *smc_dibs_client_data(client, device) = c;
    if (c->in_add != NULL)
        c->in_add(c, device);
}

static void on_del(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    struct client *c = (struct client *)client;
    c->dels++;
    c->data_at_del = *smc_dibs_client_data(client, device);
    if (c->in_del != NULL)
        c->in_del(c, device);
}

static void on_irq(struct smc_dibs_client *client, struct smc_dibs_device *device, uint32_t index,
                   uint16_t mask)
{
    struct client *c = (struct client *)client;
    c->irqs++;
    c->last_index = index;
    c->last_mask = mask;
    if (c->in_irq != NULL)
        c->in_irq(c, device);
}

static void on_event(struct smc_dibs_client *client, struct smc_dibs_device *device,
                     const struct smc_dibs_event *event)
{
    struct client *c = (struct client *)client;
    c->events++;
    c->last_index = event->code;
    if (c->in_irq != NULL)
        c->in_irq(c, device);
}

static const struct smc_dibs_client_ops client_ops = {on_add, on_del, on_irq, on_event};

static struct client make_client(struct smc_dibs *dibs)
{
    return (struct client){.client.ops = &client_ops, .dibs = dibs};
}

static const struct smc_dibs_event some_event = {.type = SMC_DIBS_EVENT_SOFTWARE, .code = 5};

static void take(struct client *c, struct device *d)
{
    c->dmb = (struct smc_dibs_dmb){.length = 4096};
    ck_assert_int_eq(smc_dibs_register_dmb(&c->client, &d->device, &c->dmb), 0);
}

static void end(struct smc_dibs *dibs)
{
    ck_assert_int_eq(smc_dibs_free(dibs), 0);
    ck_assert_uint_eq(held_bytes, 0);
}

/* ---- clients and devices meet ---- */

START_TEST(a_client_hears_of_devices_present_and_later_oldest_first) /* [DIBS-001] [DIBS-002] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device a = make_device(1), b = make_device(2), late = make_device(3);
    struct client c = make_client(&dibs);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &a.device), 0);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &b.device), 0);
    ck_assert_int_eq(smc_dibs_register_client(&dibs, &c.client), 0);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &late.device), 0);
    ck_assert_int_eq(c.adds, 3);
    ck_assert_ptr_eq(c.order[0], &a.device);
    ck_assert_ptr_eq(c.order[1], &b.device);
    ck_assert_ptr_eq(c.order[2], &late.device);
    ck_assert_int_eq(smc_dibs_free(&dibs), SMC_ERR_BUSY);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &a.device), 0);
    ck_assert_int_eq(c.dels, 1);
    ck_assert_ptr_eq(c.data_at_del, &c);
    ck_assert_ptr_null(a.device.client_data[0]);
    ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c.client), 0);
    ck_assert_int_eq(c.dels, 3);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &b.device), 0);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &late.device), 0);
    ck_assert_int_eq(c.dels, 3);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &late.device), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(a.released + b.released + late.released, 3);
    end(&dibs);
}
END_TEST

START_TEST(the_ninth_client_is_refused_and_ids_are_used_again) /* [DIBS-004] [DIBS-005] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct client c[9];
    for (int i = 0; i < 9; i++)
        c[i] = make_client(&dibs);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(smc_dibs_register_client(&dibs, &c[i].client), 0);
        ck_assert_int_eq(c[i].client.id, i);
    }
    ck_assert_int_eq(smc_dibs_register_client(&dibs, &c[8].client), SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_dibs_register_client(&dibs, &c[3].client), SMC_ERR_EXISTS);
    for (int cycle = 0; cycle < 100; cycle++) {
        ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c[3].client), 0);
        ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c[3].client), SMC_ERR_NOTFOUND);
        ck_assert_int_eq(smc_dibs_register_client(&dibs, &c[3].client), 0);
        ck_assert_int_eq(c[3].client.id, 3);
    }
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c[i].client), 0);
    end(&dibs);
}
END_TEST

START_TEST(a_client_that_owns_a_dmb_stays_and_nothing_is_detached) /* [DIBS-021] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device a = make_device(1), b = make_device(2);
    struct client c = make_client(&dibs);
    smc_dibs_add_device(&dibs, &a.device);
    smc_dibs_add_device(&dibs, &b.device);
    smc_dibs_register_client(&dibs, &c.client);
    take(&c, &b); /* on the second device: the first must not be detached either */
    ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c.client), SMC_ERR_BUSY);
    ck_assert_int_eq(c.dels, 0);
    smc_dibs_event(&a.device, &some_event);
    ck_assert_int_eq(c.events, 1);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c.client, &b.device, &c.dmb), 0);
    ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c.client), 0);
    smc_dibs_remove_device(&dibs, &a.device);
    smc_dibs_remove_device(&dibs, &b.device);
    end(&dibs);
}
END_TEST

/* ---- what add_device refuses ---- */

START_TEST(incomplete_devices_are_refused_and_in_no_list) /* [DIBS-010] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    for (int part = 0; part < 11; part++) {
        struct smc_dibs_ops ops = plain_ops;
        void *const parts[] = {&ops.get_fabric_id, &ops.query_remote_gid, &ops.max_dmbs,
                               &ops.register_dmb,  &ops.unregister_dmb,   &ops.move_data,
                               &ops.released};
        if (part < 7)
            memset(parts[part], 0, sizeof(ops.max_dmbs));
        if (part == 7)
            ops.add_vlan_id = dev_vlan;
        if (part == 8)
            ops.attach_dmb = dev_attach;
        if (part == 9) {
            ops.attach_dmb = dev_attach;
            ops.detach_dmb = dev_detach;
        }
        if (part == 10)
            ops.wrote = dev_wrote;
        d.device.ops = &ops;
        ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), SMC_ERR_ARGUMENT);
        ck_assert_ptr_null(dibs.devices);
    }
    d = make_device(0);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), SMC_ERR_ARGUMENT);
    end(&dibs);
}
END_TEST

START_TEST(
    a_failed_add_leaves_nothing_behind) /* [DIBS-019] [DIBS-024], historic bugs B-26 and B-50 */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1), twin = make_device(1);
    struct client c = make_client(&dibs);
    smc_dibs_register_client(&dibs, &c.client);
    fail_in = 0;
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), SMC_ERR_NOMEM);
    fail_in = -1;
    ck_assert_ptr_null(dibs.devices);
    ck_assert_ptr_null(d.device.dibs);
    ck_assert_uint_eq(d.device.references, 0);
    ck_assert_int_eq(c.adds, 0);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), 0);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), SMC_ERR_EXISTS);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &twin.device), SMC_ERR_EXISTS);
    ck_assert_int_eq(c.adds, 1);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &d.device), 0);
    ck_assert_int_eq(smc_dibs_unregister_client(&dibs, &c.client), 0);
    end(&dibs);
}
END_TEST

/* ---- references ---- */

START_TEST(the_owner_table_lives_until_the_last_reference) /* [DIBS-020] [DIBS-024], B-50 */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client c = make_client(&dibs);
    smc_dibs_add_device(&dibs, &d.device);
    smc_dibs_register_client(&dibs, &c.client);
    take(&c, &d);
    smc_dibs_device_get(&d.device); /* an interrupt on its way */
    smc_dibs_remove_device(&dibs, &d.device);
    ck_assert_int_eq(d.released, 0);
    ck_assert_ptr_nonnull(d.device.dmb_owners);
    smc_dibs_irq(&d.device, 0, 1);
    smc_dibs_event(&d.device, &some_event);
    ck_assert_int_eq(c.irqs + c.events, 0);
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), SMC_ERR_EXISTS);
    smc_dibs_device_put(&d.device);
    ck_assert_int_eq(d.released, 1);
    smc_dibs_irq(&d.device, 0, 1); /* and even now it is only dropped */
    ck_assert_int_eq(smc_dibs_add_device(&dibs, &d.device), 0);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &d.device), 0);
    ck_assert_int_eq(d.released, 2);
    smc_dibs_unregister_client(&dibs, &c.client);
    end(&dibs);
}
END_TEST

START_TEST(dmbs_that_del_dev_forgets_are_taken_back)
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client c = make_client(&dibs);
    smc_dibs_add_device(&dibs, &d.device);
    smc_dibs_register_client(&dibs, &c.client);
    take(&c, &d);
    take(&c, &d);
    ck_assert_int_eq(smc_dibs_remove_device(&dibs, &d.device), 0);
    ck_assert_int_eq(d.unregistered, 2);
    ck_assert_uint_eq(d.tokens[0] + d.tokens[1], 0);
    smc_dibs_unregister_client(&dibs, &c.client);
    end(&dibs);
}
END_TEST

/* ---- signals and events ---- */

START_TEST(signals_go_to_the_owner_and_events_to_all) /* [DIBS-006] [DIBS-007] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client one = make_client(&dibs), two = make_client(&dibs);
    smc_dibs_irq(&d.device, 0, 1); /* before registration: dropped */
    smc_dibs_event(&d.device, &some_event);
    smc_dibs_add_device(&dibs, &d.device);
    smc_dibs_register_client(&dibs, &one.client);
    smc_dibs_register_client(&dibs, &two.client);
    take(&one, &d);
    take(&two, &d);
    ck_assert_int_eq(smc_dibs_move_data(&d.device, two.dmb.token, 3, true, 0, NULL, 0), 0);
    ck_assert_int_eq(one.irqs, 0);
    ck_assert_int_eq(two.irqs, 1);
    ck_assert_uint_eq(two.last_index, two.dmb.index);
    ck_assert_uint_eq(two.last_mask, 8);
    smc_dibs_event(&d.device, &some_event);
    ck_assert_int_eq(one.events, 1);
    ck_assert_int_eq(two.events, 1);
    smc_dibs_irq(&d.device, 5, 1);          /* nobody's */
    smc_dibs_irq(&d.device, SLOTS, 1);      /* no index */
    smc_dibs_irq(&d.device, UINT32_MAX, 1); /* nor this */
    ck_assert_int_eq(smc_dibs_unregister_dmb(&two.client, &d.device, &one.dmb), SMC_ERR_PERMISSION);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&one.client, &d.device, &one.dmb), 0);
    smc_dibs_irq(&d.device, one.dmb.index, 1);
    ck_assert_int_eq(one.irqs, 0);
    ck_assert_int_eq(two.irqs, 1);
    smc_dibs_remove_device(&dibs, &d.device);
    smc_dibs_unregister_client(&dibs, &one.client);
    smc_dibs_unregister_client(&dibs, &two.client);
    end(&dibs);
}
END_TEST

static void signal_myself(struct client *c, struct smc_dibs_device *device)
{
    int irqs = c->irqs, events = c->events;
    struct smc_dibs_dmb dmb = {.length = 4096};
    ck_assert_int_eq(smc_dibs_register_dmb(&c->client, device, &dmb), 0);
    ck_assert_int_eq(smc_dibs_move_data(device, dmb.token, 0, true, 0, NULL, 0), 0);
    smc_dibs_event(device, &some_event);
    ck_assert_int_eq(c->irqs, irqs);
    ck_assert_int_eq(c->events, events);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c->client, device, &dmb), 0);
}

START_TEST(nothing_is_heard_within_add_dev_and_del_dev) /* [DIBS-003] [DIBS-022] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client first = make_client(&dibs), late = make_client(&dibs);
    first.in_add = first.in_del = late.in_add = late.in_del = signal_myself;
    smc_dibs_register_client(&dibs, &first.client);
    smc_dibs_add_device(&dibs, &d.device);
    smc_dibs_register_client(&dibs, &late.client);
    int heard =
        first.events; /* the event within the late client's add_dev is the first one's to hear */
    ck_assert_int_eq(heard, 1);
    smc_dibs_unregister_client(&dibs, &late.client);
    smc_dibs_remove_device(&dibs, &d.device);
    ck_assert_int_eq(late.events, 0);
    ck_assert_int_eq(first.dels + late.dels, 2);
    smc_dibs_unregister_client(&dibs, &first.client);
    end(&dibs);
}
END_TEST

static void raise_event(struct client *c, struct smc_dibs_device *device)
{
    (void)c;
    smc_dibs_event(device, &some_event);
}

START_TEST(removal_silences_a_device_for_all_before_the_first_del_dev) /* [DIBS-003] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client first = make_client(&dibs), second = make_client(&dibs);
    first.in_del = raise_event;
    smc_dibs_register_client(&dibs, &first.client);
    smc_dibs_register_client(&dibs, &second.client);
    smc_dibs_add_device(&dibs, &d.device);
    smc_dibs_remove_device(&dibs, &d.device);
    ck_assert_int_eq(first.dels + second.dels, 2);
    ck_assert_int_eq(first.events + second.events, 0);
    smc_dibs_unregister_client(&dibs, &first.client);
    smc_dibs_unregister_client(&dibs, &second.client);
    end(&dibs);
}
END_TEST

/* ---- re-entry ---- */

static void try_the_four(struct client *c, struct smc_dibs_device *device)
{
    struct client other = make_client(c->dibs);
    struct device more = make_device(9);
    c->seen[0] = smc_dibs_register_client(c->dibs, &other.client);
    c->seen[1] = smc_dibs_unregister_client(c->dibs, &c->client);
    c->seen[2] = smc_dibs_add_device(c->dibs, &more.device);
    c->seen[3] = smc_dibs_remove_device(c->dibs, device);
}

static void expect_four_refused(const struct client *c)
{
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(c->seen[i], SMC_ERR_REENTERED);
}

START_TEST(lists_cannot_change_while_they_are_walked) /* rule 1, [DIBS-023] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client c = make_client(&dibs);
    c.in_add = c.in_del = try_the_four;
    smc_dibs_register_client(&dibs, &c.client);
    smc_dibs_add_device(&dibs, &d.device);
    ck_assert_int_eq(c.adds, 1);
    expect_four_refused(&c);
    memset(c.seen, 0, sizeof(c.seen));
    smc_dibs_remove_device(&dibs, &d.device);
    expect_four_refused(&c);
    smc_dibs_unregister_client(&dibs, &c.client);
    end(&dibs);
}
END_TEST

static void try_operations(struct client *c, struct smc_dibs_device *device)
{
    struct smc_dibs_dmb dmb = c->dmb;
    int *seen = c->seen + 4;
    try_the_four(c, device);
    *seen++ = smc_dibs_query_remote_gid(device, &device->gid, false, 0);
    *seen++ = smc_dibs_register_dmb(&c->client, device, &dmb);
    *seen++ = smc_dibs_unregister_dmb(&c->client, device, &c->dmb);
    *seen++ = smc_dibs_move_data(device, c->dmb.token, 0, false, 0, NULL, 0);
    *seen++ = smc_dibs_signal_event(device, &device->gid, false, 0, 0);
    *seen++ = smc_dibs_add_vlan_id(device, 7);
    *seen++ = smc_dibs_attach_dmb(device, &dmb);
    *seen++ = smc_dibs_detach_dmb(device, 1);
    smc_dibs_wrote(device, 1, 0, 1);
}

START_TEST(handlers_can_only_take_note) /* rule 2, [DIBS-017] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct smc_dibs_ops ops = plain_ops;
    ops.support_mmapped_rdmb = dev_mmapped;
    ops.attach_dmb = dev_attach;
    ops.detach_dmb = dev_detach;
    ops.wrote = dev_wrote;
    d.device.ops = &ops;
    struct client c = make_client(&dibs);
    smc_dibs_register_client(&dibs, &c.client);
    smc_dibs_add_device(&dibs, &d.device);
    take(&c, &d);
    c.in_irq = try_operations;
    for (int event = 0; event < 2; event++) {
        memset(c.seen, 0, sizeof(c.seen));
        int moves = d.moves;
        if (event)
            smc_dibs_event(&d.device, &some_event);
        else
            smc_dibs_irq(&d.device, c.dmb.index, 1);
        for (int i = 0; i < 12; i++)
            ck_assert_int_eq(c.seen[i], SMC_ERR_REENTERED);
        ck_assert_int_eq(d.moves, moves);
        ck_assert_int_eq(wrote_calls, 0);
    }
    ck_assert(!d.device.calling);
    smc_dibs_wrote(&d.device, 1, 0, 1);
    ck_assert_int_eq(wrote_calls, 1);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c.client, &d.device, &c.dmb), 0);
    smc_dibs_remove_device(&dibs, &d.device);
    smc_dibs_unregister_client(&dibs, &c.client);
    end(&dibs);
}
END_TEST

/* ---- operations ---- */

START_TEST(operations_need_a_registered_device_that_has_them)
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client c = make_client(&dibs), stranger = make_client(&dibs);
    struct smc_dibs_dmb dmb = {.length = 4096};
    smc_dibs_register_client(&dibs, &c.client);
    ck_assert_int_eq(smc_dibs_register_dmb(&c.client, &d.device, &dmb), SMC_ERR_GONE);
    ck_assert_int_eq(smc_dibs_move_data(&d.device, 1, 0, false, 0, NULL, 0), SMC_ERR_GONE);
    smc_dibs_add_device(&dibs, &d.device);
    ck_assert_uint_eq(smc_dibs_fabric_id(&d.device), 0x1234);
    ck_assert(!smc_dibs_support_mmapped_rdmb(&d.device));
    ck_assert_int_eq(smc_dibs_add_vlan_id(&d.device, 7), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(smc_dibs_del_vlan_id(&d.device, 7), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(smc_dibs_signal_event(&d.device, &d.device.gid, true, 1, 1),
                     SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(smc_dibs_attach_dmb(&d.device, &dmb), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(smc_dibs_detach_dmb(&d.device, 1), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(smc_dibs_query_remote_gid(&d.device, &d.device.gid, false, 0), 0);
    ck_assert_int_eq(smc_dibs_register_dmb(&stranger.client, &d.device, &dmb), SMC_ERR_PERMISSION);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c.client, &d.device, &dmb), SMC_ERR_NOTFOUND);
    smc_dibs_remove_device(&dibs, &d.device);
    smc_dibs_unregister_client(&dibs, &c.client);
    end(&dibs);
}
END_TEST

START_TEST(a_second_unregister_does_not_reach_the_next_dmb_of_the_index) /* [DIBS-013] [DIBS-014] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client c = make_client(&dibs), next = make_client(&dibs);
    smc_dibs_register_client(&dibs, &c.client);
    smc_dibs_register_client(&dibs, &next.client);
    smc_dibs_add_device(&dibs, &d.device);
    take(&c, &d);
    struct smc_dibs_dmb old = c.dmb;
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c.client, &d.device, &old), 0);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c.client, &d.device, &old), SMC_ERR_NOTFOUND);
    take(&next, &d);
    ck_assert_uint_eq(next.dmb.index, old.index);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&next.client, &d.device, &old), SMC_ERR_NOTFOUND);
    smc_dibs_irq(&d.device, old.index, 1);
    ck_assert_int_eq(c.irqs, 0);
    ck_assert_int_eq(next.irqs, 1);
    d.last_error = SMC_ERR_NOTFOUND; /* a device that refuses: the owner stays the owner */
    ck_assert_int_eq(smc_dibs_unregister_dmb(&next.client, &d.device, &next.dmb), SMC_ERR_NOTFOUND);
    d.last_error = 0;
    ck_assert_int_eq(smc_dibs_unregister_dmb(&next.client, &d.device, &next.dmb), 0);
    smc_dibs_remove_device(&dibs, &d.device);
    smc_dibs_unregister_client(&dibs, &c.client);
    smc_dibs_unregister_client(&dibs, &next.client);
    end(&dibs);
}
END_TEST

START_TEST(an_impossible_index_from_a_device_is_an_error) /* [DIBS-009] */
{
    struct smc_dibs dibs;
    smc_dibs_init(&dibs, &memory);
    struct device d = make_device(1);
    struct client c = make_client(&dibs);
    struct smc_dibs_dmb dmb = {.length = 4096};
    smc_dibs_register_client(&dibs, &c.client);
    smc_dibs_add_device(&dibs, &d.device);
    d.forced_index = SLOTS;
    ck_assert_int_eq(smc_dibs_register_dmb(&c.client, &d.device, &dmb), SMC_ERR_IO);
    d.forced_index = 2;
    ck_assert_int_eq(smc_dibs_register_dmb(&c.client, &d.device, &dmb), 0);
    struct smc_dibs_dmb twin = {.length = 4096};
    ck_assert_int_eq(smc_dibs_register_dmb(&c.client, &d.device, &twin), SMC_ERR_IO);
    ck_assert_int_eq(d.unregistered, 2);
    ck_assert_int_eq(smc_dibs_unregister_dmb(&c.client, &d.device, &dmb), 0);
    smc_dibs_remove_device(&dibs, &d.device);
    smc_dibs_unregister_client(&dibs, &c.client);
    end(&dibs);
}
END_TEST

static Suite *dibs_suite(void)
{
    Suite *suite = suite_create("dibs");
    TCase *tc = tcase_create("registry");
    tcase_add_test(tc, a_client_hears_of_devices_present_and_later_oldest_first);
    tcase_add_test(tc, the_ninth_client_is_refused_and_ids_are_used_again);
    tcase_add_test(tc, a_client_that_owns_a_dmb_stays_and_nothing_is_detached);
    tcase_add_test(tc, incomplete_devices_are_refused_and_in_no_list);
    tcase_add_test(tc, a_failed_add_leaves_nothing_behind);
    tcase_add_test(tc, the_owner_table_lives_until_the_last_reference);
    tcase_add_test(tc, dmbs_that_del_dev_forgets_are_taken_back);
    tcase_add_test(tc, signals_go_to_the_owner_and_events_to_all);
    tcase_add_test(tc, nothing_is_heard_within_add_dev_and_del_dev);
    tcase_add_test(tc, removal_silences_a_device_for_all_before_the_first_del_dev);
    tcase_add_test(tc, lists_cannot_change_while_they_are_walked);
    tcase_add_test(tc, handlers_can_only_take_note);
    tcase_add_test(tc, operations_need_a_registered_device_that_has_them);
    tcase_add_test(tc, a_second_unregister_does_not_reach_the_next_dmb_of_the_index);
    tcase_add_test(tc, an_impossible_index_from_a_device_is_an_error);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(dibs_suite)
