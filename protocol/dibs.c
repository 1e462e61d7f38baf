/* The dibs registry: devices, clients, who owns which DMB, and who hears what when.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <smc/dibs.h>

#include <assert.h>
#include <string.h>

enum { NOBODY = 0xFF };

void smc_dibs_init(struct smc_dibs *dibs, const struct smc_alloc *alloc)
{
    memset(dibs, 0, sizeof(*dibs));
    dibs->alloc = alloc;
}

int smc_dibs_free(struct smc_dibs *dibs)
{
    if (dibs->devices != NULL)
        return SMC_ERR_BUSY;
    for (int i = 0; i < SMC_DIBS_MAX_CLIENTS; i++)
        if (dibs->clients[i] != NULL)
            return SMC_ERR_BUSY;
    return 0;
}

/* Rules 1 and 2: lists stand still while somebody walks them or a handler runs. [DIBS-023] */
static bool is_inside(const struct smc_dibs *dibs)
{
    if (dibs->walking)
        return true;
    for (const struct smc_dibs_device *d = dibs->devices; d != NULL; d = d->next)
        if (d->calling)
            return true;
    return false;
}

static bool is_registered(const struct smc_dibs *dibs, const struct smc_dibs_client *client)
{
    for (int i = 0; i < SMC_DIBS_MAX_CLIENTS; i++)
        if (dibs->clients[i] == client)
            return true;
    return false;
}

/* ---- a client and a device meet and part ---- */

static void introduce(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    device->client_data[client->id] = NULL;
    client->ops->add_dev(client, device);
    /* [DIBS-022]: not a moment earlier, the client may not be able to take a signal before. */
    device->subscribed |= (uint8_t)(1u << client->id);
}

/* DMBs that the client has not given back in its del_dev. */
static void take_back(struct smc_dibs_device *device, int client_id)
{
    for (uint32_t i = 0; i < device->max_dmbs; i++) {
        if (device->dmb_owners[i] != client_id)
            continue;
        struct smc_dibs_dmb dmb = {.index = i, .token = device->dmb_tokens[i]};
        device->dmb_owners[i] = NOBODY;
        device->ops->unregister_dmb(device, &dmb);
    }
}

static void part(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    device->subscribed &= (uint8_t) ~(1u << client->id); /* [DIBS-003] */
    client->ops->del_dev(client, device);                /* [DIBS-002] */
    device->client_data[client->id] = NULL;
    take_back(device, client->id);
}

/* ---- clients ---- */

int smc_dibs_register_client(struct smc_dibs *dibs, struct smc_dibs_client *client)
{
    if (is_inside(dibs))
        return SMC_ERR_REENTERED;
    if (is_registered(dibs, client))
        return SMC_ERR_EXISTS;
    int id = 0;
    while (id < SMC_DIBS_MAX_CLIENTS && dibs->clients[id] != NULL)
        id++;
    if (id == SMC_DIBS_MAX_CLIENTS) /* [DIBS-004] */
        return SMC_ERR_NOSPACE;
    client->id = id;
    dibs->clients[id] = client;
    dibs->walking = true;
    for (struct smc_dibs_device *d = dibs->devices; d != NULL; d = d->next)
        introduce(client, d); /* [DIBS-001] */
    dibs->walking = false;
    return 0;
}

static bool owns_a_dmb(const struct smc_dibs *dibs, int client_id)
{
    for (const struct smc_dibs_device *d = dibs->devices; d != NULL; d = d->next)
        if (memchr(d->dmb_owners, client_id, d->max_dmbs) != NULL)
            return true;
    return false;
}

int smc_dibs_unregister_client(struct smc_dibs *dibs, struct smc_dibs_client *client)
{
    if (is_inside(dibs))
        return SMC_ERR_REENTERED;
    if (!is_registered(dibs, client))
        return SMC_ERR_NOTFOUND;
    if (owns_a_dmb(dibs, client->id)) /* [DIBS-021]: asked of all devices before any is detached */
        return SMC_ERR_BUSY;
    dibs->walking = true;
    for (struct smc_dibs_device *d = dibs->devices; d != NULL; d = d->next)
        part(client, d);
    dibs->walking = false;
    dibs->clients[client->id] = NULL; /* [DIBS-005] */
    return 0;
}

/* ---- devices ---- */

static bool all_or_none(int present, int of)
{
    return present == 0 || present == of;
}

static bool ops_are_complete(const struct smc_dibs_ops *ops)
{
    if (ops == NULL || ops->get_fabric_id == NULL || ops->query_remote_gid == NULL ||
        ops->max_dmbs == NULL || ops->register_dmb == NULL || ops->unregister_dmb == NULL ||
        ops->move_data == NULL || ops->released == NULL)
        return false;
    int vlan = (ops->add_vlan_id != NULL) + (ops->del_vlan_id != NULL);
    int attach =
        (ops->support_mmapped_rdmb != NULL) + (ops->attach_dmb != NULL) + (ops->detach_dmb != NULL);
    bool hint = ops->wrote == NULL || attach != 0;
    return all_or_none(vlan, 2) && all_or_none(attach, 3) && hint; /* [DIBS-010] */
}

static bool gid_is_taken(const struct smc_dibs *dibs, const struct smc_gid *gid)
{
    for (const struct smc_dibs_device *d = dibs->devices; d != NULL; d = d->next)
        if (smc_gid_equal(&d->gid, gid))
            return true;
    return false;
}

/* One block for both tables, the wider one first, so that there is one allocation to fail. */
static int make_owner_table(struct smc_dibs_device *device, const struct smc_alloc *alloc,
                            uint32_t max_dmbs)
{
    uint64_t *block = smc_alloc_zeroed(alloc, max_dmbs, sizeof(*block) + 1);
    if (block == NULL)
        return SMC_ERR_NOMEM;
    device->alloc = alloc;
    device->max_dmbs = max_dmbs;
    device->dmb_tokens = block;
    device->dmb_owners = (uint8_t *)(block + max_dmbs);
    memset(device->dmb_owners, NOBODY, max_dmbs);
    return 0;
}

static void append(struct smc_dibs *dibs, struct smc_dibs_device *device)
{
    struct smc_dibs_device **end = &dibs->devices;
    while (*end != NULL)
        end = &(*end)->next;
    device->next = NULL;
    *end = device;
}

int smc_dibs_add_device(struct smc_dibs *dibs, struct smc_dibs_device *device)
{
    if (is_inside(dibs))
        return SMC_ERR_REENTERED;
    if (!ops_are_complete(device->ops) || smc_gid_is_zero(&device->gid))
        return SMC_ERR_ARGUMENT;
    /* An owner table without a registry: a late reference still keeps it. */
    if (device->dibs != NULL || device->dmb_owners != NULL || gid_is_taken(dibs, &device->gid))
        return SMC_ERR_EXISTS;
    uint32_t max_dmbs = device->ops->max_dmbs(device);
    if (max_dmbs == 0)
        return SMC_ERR_ARGUMENT;
    int error = make_owner_table(device, dibs->alloc, max_dmbs);
    if (error != 0)
        return error; /* [DIBS-019]: in no list, nothing to free */
    smc_dibs_device_get(device);
    device->dibs = dibs;
    device->subscribed = 0;
    dibs->walking = true;
    for (int i = 0; i < SMC_DIBS_MAX_CLIENTS; i++)
        if (dibs->clients[i] != NULL)
            introduce(dibs->clients[i], device); /* [DIBS-001] */
    dibs->walking = false;
    append(dibs, device);
    return 0;
}

int smc_dibs_remove_device(struct smc_dibs *dibs, struct smc_dibs_device *device)
{
    if (is_inside(dibs))
        return SMC_ERR_REENTERED;
    if (device->dibs != dibs)
        return SMC_ERR_NOTFOUND;
    /* Of all clients first: what one of them does in its del_dev must not signal another. */
    device->subscribed = 0;
    dibs->walking = true;
    for (int i = 0; i < SMC_DIBS_MAX_CLIENTS; i++)
        if (dibs->clients[i] != NULL)
            part(dibs->clients[i], device);
    dibs->walking = false;
    struct smc_dibs_device **link = &dibs->devices;
    while (*link != device)
        link = &(*link)->next;
    *link = device->next;
    device->next = NULL;
    device->dibs = NULL;
    smc_dibs_device_put(device);
    return 0;
}

void smc_dibs_device_get(struct smc_dibs_device *device)
{
    device->references++;
}

void smc_dibs_device_put(struct smc_dibs_device *device)
{
    assert(device->references > 0);
    if (--device->references > 0)
        return;
    /* [DIBS-020] [DIBS-024]: only now, a late interrupt looks into the table. */
    smc_alloc_release(device->alloc, device->dmb_tokens, device->max_dmbs,
                      sizeof(*device->dmb_tokens) + 1);
    device->dmb_tokens = NULL;
    device->dmb_owners = NULL;
    device->max_dmbs = 0;
    device->alloc = NULL;
    device->ops->released(device);
}

/* ---- from devices to clients ---- */

void smc_dibs_irq(struct smc_dibs_device *device, uint32_t index, uint16_t mask)
{
    if (device->dibs == NULL || index >= device->max_dmbs)
        return;
    uint8_t owner = device->dmb_owners[index]; /* [DIBS-006] */
    if (owner == NOBODY || (device->subscribed & 1u << owner) == 0)
        return;
    struct smc_dibs_client *client = device->dibs->clients[owner];
    bool outer = device->calling;
    device->calling = true;
    client->ops->handle_irq(client, device, index, mask);
    device->calling = outer;
}

void smc_dibs_event(struct smc_dibs_device *device, const struct smc_dibs_event *event)
{
    if (device->dibs == NULL)
        return;
    bool outer = device->calling;
    device->calling = true;
    for (int i = 0; i < SMC_DIBS_MAX_CLIENTS; i++) /* [DIBS-007] */
        if ((device->subscribed & 1u << i) != 0) {
            struct smc_dibs_client *client = device->dibs->clients[i];
            client->ops->handle_event(client, device, event);
        }
    device->calling = outer;
}

/* ---- from clients to devices ---- */

/* What is common to all operations; `present`: the device has this one. */
static int may_call(const struct smc_dibs_device *device, bool present)
{
    if (device->calling) /* [DIBS-017] */
        return SMC_ERR_REENTERED;
    if (device->dibs == NULL)
        return SMC_ERR_GONE;
    return present ? 0 : SMC_ERR_UNSUPPORTED;
}

void **smc_dibs_client_data(const struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    return &device->client_data[client->id];
}

uint16_t smc_dibs_fabric_id(struct smc_dibs_device *device)
{
    return device->ops->get_fabric_id(device);
}

bool smc_dibs_support_mmapped_rdmb(struct smc_dibs_device *device)
{
    return device->ops->support_mmapped_rdmb != NULL && device->ops->support_mmapped_rdmb(device);
}

int smc_dibs_query_remote_gid(struct smc_dibs_device *device, const struct smc_gid *rgid,
                              bool vlan_valid, uint16_t vlan_id)
{
    int error = may_call(device, true);
    return error != 0 ? error : device->ops->query_remote_gid(device, rgid, vlan_valid, vlan_id);
}

int smc_dibs_register_dmb(struct smc_dibs_client *client, struct smc_dibs_device *device,
                          struct smc_dibs_dmb *dmb)
{
    int error = may_call(device, true);
    if (error != 0)
        return error;
    if (!is_registered(device->dibs, client))
        return SMC_ERR_PERMISSION;
    error = device->ops->register_dmb(device, dmb);
    if (error != 0)
        return error;
    if (dmb->index >= device->max_dmbs || device->dmb_owners[dmb->index] != NOBODY) {
        device->ops->unregister_dmb(device, dmb); /* [DIBS-009]: real devices may be wrong, too */
        return SMC_ERR_IO;
    }
    device->dmb_owners[dmb->index] = (uint8_t)client->id;
    device->dmb_tokens[dmb->index] = dmb->token;
    return 0;
}

int smc_dibs_unregister_dmb(struct smc_dibs_client *client, struct smc_dibs_device *device,
                            struct smc_dibs_dmb *dmb)
{
    int error = may_call(device, true);
    if (error != 0)
        return error;
    if (!is_registered(device->dibs, client))
        return SMC_ERR_PERMISSION;
    uint32_t index = dmb->index;
    /* [DIBS-013]: the token as well, the index may have gone to another DMB since. */
    if (index >= device->max_dmbs || device->dmb_owners[index] == NOBODY ||
        device->dmb_tokens[index] != dmb->token)
        return SMC_ERR_NOTFOUND;
    if (device->dmb_owners[index] != client->id)
        return SMC_ERR_PERMISSION;
    device->dmb_owners[index] = NOBODY; /* [DIBS-014]: before the device can use the index again */
    error = device->ops->unregister_dmb(device, dmb);
    if (error != 0)
        device->dmb_owners[index] = (uint8_t)client->id;
    return error;
}

int smc_dibs_move_data(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                       uint32_t offset, const void *data, uint32_t size)
{
    int error = may_call(device, true);
    if (error != 0)
        return error;
    return device->ops->move_data(device, token, index, signal, offset, data, size);
}

int smc_dibs_signal_event(struct smc_dibs_device *device, const struct smc_gid *rgid,
                          bool trigger_irq, uint32_t code, uint64_t data)
{
    int error = may_call(device, device->ops->signal_event != NULL);
    return error != 0 ? error : device->ops->signal_event(device, rgid, trigger_irq, code, data);
}

int smc_dibs_add_vlan_id(struct smc_dibs_device *device, uint16_t vlan_id)
{
    int error = may_call(device, device->ops->add_vlan_id != NULL);
    return error != 0 ? error : device->ops->add_vlan_id(device, vlan_id);
}

int smc_dibs_del_vlan_id(struct smc_dibs_device *device, uint16_t vlan_id)
{
    int error = may_call(device, device->ops->del_vlan_id != NULL);
    return error != 0 ? error : device->ops->del_vlan_id(device, vlan_id);
}

int smc_dibs_attach_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    int error = may_call(device, device->ops->attach_dmb != NULL);
    return error != 0 ? error : device->ops->attach_dmb(device, dmb);
}

int smc_dibs_detach_dmb(struct smc_dibs_device *device, uint64_t token)
{
    int error = may_call(device, device->ops->detach_dmb != NULL);
    return error != 0 ? error : device->ops->detach_dmb(device, token);
}

void smc_dibs_wrote(struct smc_dibs_device *device, uint64_t token, uint32_t offset, uint32_t size)
{
    if (may_call(device, device->ops->wrote != NULL) == 0)
        device->ops->wrote(device, token, offset, size);
}
