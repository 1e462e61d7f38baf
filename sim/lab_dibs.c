/* dibs devices of a laboratory's hosts, what hosts of one machine share, and the records of what devices do.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"

#include <stdio.h>

enum { IVSHMEM_BYTES = 64 << 20, IVSHMEM_VECTORS = 8, CHID_ISM = 0x07c0, CHID_IVSHMEM = 0xff01 };

/* ---- Records into the capture ---- */
static void record(void *user, const struct smc_smcd_record_fields *header, const uint8_t *data, size_t length)
{
    struct lab_observer *o = user;
    uint8_t bytes[60 + SMC_RECORD_MAX_DATA];
    if (length > SMC_RECORD_MAX_DATA)
        return;
    smc_smcd_record_encode(header, bytes);
    if (length > 0)
        memcpy(bytes + 60, data, length);
    (void)capture_record(o->lab->capture, sim_now(o->lab->sim), o->mac, NULL, bytes, 60 + length);
}

/* ---- Machines ---- */
struct lab_machine *lab_machine_get(struct lab *lab, const char *name)
{
    unsigned number = 1;
    for (struct lab_machine *m = lab->machines; m != NULL; m = m->next, number++)
        if (strcmp(m->name, name) == 0)
            return m;
    struct lab_machine *m = lab_alloc(lab, sizeof(*m));
    if (m == NULL)
        return NULL;
    snprintf(m->name, sizeof(m->name), "%s", name);
    m->observer.lab = lab;
    m->observer.mac[0] = 0x02;
    m->observer.mac[1] = 0x5d;
    m->observer.mac[5] = (uint8_t)number;
    m->observer.observer =
        (struct dibs_observer){.record = lab->capture != NULL ? record : NULL, .user = &m->observer, .byte_order = SMC_ORDER_LITTLE};
    m->next = lab->machines;
    lab->machines = m;
    return m;
}

void lab_machine_free(struct lab *lab, struct lab_machine *m)
{
    if (m->loopback != NULL)
        (void)loopback_destroy(m->loopback);
    for (unsigned i = 0; i < m->fabric_count; i++)
        (void)ism_fabric_destroy(m->fabrics[i].fabric);
    if (m->shared != NULL)
        (void)ivshmem_host_destroy(m->shared);
    lab_release(lab, m, sizeof(*m));
}

static uint64_t machine_seed(struct lab_host *h, const char *what)
{
    uint64_t seed = sim_hash_64(h->machine->name, strlen(h->machine->name), sim_seed(h->lab->sim));
    return sim_hash_64(what, strlen(what), seed);
}

/* ---- The three kinds ---- */
static int start_loopback(struct lab_host *h, struct lab_dibs *d)
{
    struct lab_machine *m = h->machine;
    if (m->loopback == NULL) {
        struct loopback_config config = {.seed = machine_seed(h, "loopback")};
        int error = loopback_create(&config, &h->lab->alloc, &m->loopback);
        if (error != 0)
            return error;
        loopback_observe(m->loopback, &m->observer.observer);
    }
    int error = loopback_port_create(m->loopback, d->name, lab_host_wake, h, &d->loopback);
    if (error == 0)
        d->device = loopback_port_device(d->loopback);
    return error;
}

static int fabric_of(struct lab_host *h, uint16_t chid, uint64_t delay, struct ism_fabric **out)
{
    struct lab_machine *m = h->machine;
    for (unsigned i = 0; i < m->fabric_count; i++) {
        if (m->fabrics[i].chid == chid) {
            *out = m->fabrics[i].fabric;
            return 0;
        }
    }
    if (m->fabric_count == LAB_DIBS)
        return SMC_ERR_NOSPACE;
    struct ism_config config = {.seed = machine_seed(h, "ism") + chid, .interrupt_delay_ns = delay};
    int error = ism_fabric_create(&config, &h->lab->alloc, out);
    if (error == 0) {
        ism_fabric_observe(*out, &m->observer.observer);
        m->fabrics[m->fabric_count].chid = chid;
        m->fabrics[m->fabric_count++].fabric = *out;
    }
    return error;
}

static int start_ism(struct lab_host *h, struct lab_dibs *d, const struct lab_dibs_config *c)
{
    struct ism_fabric *fabric;
    uint16_t chid = c->chid != 0 ? c->chid : CHID_ISM;
    int error = fabric_of(h, chid, c->signal_delay_ns, &fabric);
    if (error != 0)
        return error;
    struct ism_function_config config = {.gid = c->gid != 0 ? c->gid : sim_hash_64(d->name, strlen(d->name), h->seed),
                                         .chid = chid,
                                         .pnet = c->pnet,
                                         .name = d->name,
                                         .v2_capable = true,
                                         .wake = lab_host_wake,
                                         .user = h};
    error = ism_function_create(fabric, &config, &d->ism);
    if (error == 0)
        d->device = ism_function_device(d->ism);
    return error;
}

static int start_ivshmem(struct lab_host *h, struct lab_dibs *d, const struct lab_dibs_config *c)
{
    struct lab_machine *m = h->machine;
    int error = 0;
    if (m->shared == NULL) {
        struct ivshmem_host_config config = {.memory_bytes = IVSHMEM_BYTES, .vectors = IVSHMEM_VECTORS, .revision = 1};
        error = ivshmem_host_create(&config, &h->lab->alloc, &m->shared);
    }
    if (error == 0)
        error = ivshmem_pci_plug(m->shared, IVSHMEM_VECTORS, &d->pci);
    if (error != 0)
        return error;
    struct ivshmem_config config = {.bars = ivshmem_pci_bars(d->pci),
                                    .name = d->name,
                                    .seed = machine_seed(h, "ivshmem"),
                                    .fabric_id = c->chid != 0 ? c->chid : CHID_IVSHMEM,
                                    .interrupt_delay_ns = c->signal_delay_ns,
                                    .alive_interval_ns = 100 * SIM_MS,
                                    .alive_timeout_ns = 1 * SIM_S,
                                    .observer = &m->observer.observer,
                                    .wake = lab_host_wake,
                                    .user = h};
    error = ivshmem_create(&config, &h->lab->alloc, &d->ivshmem);
    if (error != 0)
        return error;
    ivshmem_pci_on_interrupt(d->pci, ivshmem_interrupt, d->ivshmem);
    d->device = ivshmem_device(d->ivshmem);
    return 0;
}

static int start(struct lab_host *h, struct lab_dibs *d, const struct lab_dibs_config *c)
{
    if (strcmp(c->kind, "loopback") == 0)
        return start_loopback(h, d);
    if (strcmp(c->kind, "ism") == 0)
        return start_ism(h, d, c);
    if (strcmp(c->kind, "ivshmem") == 0)
        return start_ivshmem(h, d, c);
    return lab_fail(h->lab, SMC_ERR_ARGUMENT, "\"%s\" is no kind of dibs device: ism, loopback, ivshmem", c->kind);
}

static int present(struct lab_dibs *d, bool wanted)
{
    if (d->present == wanted)
        return 0;
    int error = wanted ? smc_dibs_add_device(&d->host->dibs, d->device) : smc_dibs_remove_device(&d->host->dibs, d->device);
    if (error != 0)
        return error;
    d->present = wanted;
    if (wanted && d->host->ep != NULL)
        (void)smc_endpoint_set_dibs_pnet(d->host->ep, d->device, d->pnet);
    lab_host_wake(d->host);
    return 0;
}

int lab_add_dibs(struct lab_host *host, const struct lab_dibs_config *c)
{
    struct lab *lab = host->lab;
    char name[LAB_NAME];
    if (host->outside != NULL)
        return lab_outside_device(host, c->kind);
    if (lab_join_name(host, c->name != NULL ? c->name : c->kind, name) != 0)
        return SMC_ERR_ARGUMENT;
    if (host->device_count == LAB_DIBS || lab_find_dibs(lab, name) != NULL)
        return lab_fail(lab, SMC_ERR_EXISTS, "%s: there is such a device, or %d of them", name, LAB_DIBS);
    struct lab_dibs *d = lab_alloc(lab, sizeof(*d));
    if (d == NULL)
        return SMC_ERR_NOMEM;
    memcpy(d->name, name, sizeof(name));
    d->host = host;
    snprintf(d->pnet, sizeof(d->pnet), "%s", c->pnet != NULL ? c->pnet : "");
    host->devices[host->device_count++] = d;
    lab->problem[0] = '\0';
    int error = start(host, d, c);
    if (error == 0)
        error = present(d, true);
    if (error != 0 && lab->problem[0] == '\0')
        return lab_fail(lab, error, "%s cannot be made: %s", name, smc_error_text(error));
    return error;
}

static struct lab_dibs *find(struct lab *lab, const char *name)
{
    for (struct lab_host *h = lab->hosts; h != NULL; h = h->next)
        for (unsigned i = 0; i < h->device_count; i++)
            if (strcmp(h->devices[i]->name, name) == 0)
                return h->devices[i];
    return NULL;
}

struct smc_dibs_device *lab_find_dibs(struct lab *lab, const char *name)
{
    struct lab_dibs *d = find(lab, name);
    return d != NULL ? d->device : NULL;
}

int lab_dibs_present(struct lab *lab, const char *name, bool wanted)
{
    struct lab_dibs *d = find(lab, name);
    if (d == NULL)
        return lab_fail(lab, SMC_ERR_NOTFOUND, "there is no dibs device \"%s\"", name);
    return present(d, wanted);
}

struct dibs_faults *lab_dibs_faults(struct lab *lab, const char *name)
{
    struct lab_dibs *d = find(lab, name);
    if (d == NULL)
        return NULL;
    if (d->ism != NULL)
        return ism_function_faults(d->ism);
    return d->ivshmem != NULL ? ivshmem_faults(d->ivshmem) : loopback_faults(d->host->machine->loopback);
}

uint64_t lab_dibs_next_ns(const struct lab_dibs *d)
{
    if (d->ism != NULL)
        return ism_next_ns(d->ism);
    if (d->loopback != NULL)
        return loopback_next_ns(d->loopback);
    return d->ivshmem != NULL ? ivshmem_next_ns(d->ivshmem) : UINT64_MAX;
}

void lab_dibs_run(struct lab_dibs *d, uint64_t now_ns)
{
    if (d->ism != NULL)
        ism_run(d->ism, now_ns);
    else if (d->loopback != NULL)
        loopback_run(d->loopback, now_ns);
    else if (d->ivshmem != NULL)
        ivshmem_run(d->ivshmem, now_ns);
}

void lab_dibs_free(struct lab_dibs *d)
{
    if (d->present)
        (void)smc_dibs_remove_device(&d->host->dibs, d->device);
    if (d->ism != NULL)
        (void)ism_function_destroy(d->ism);
    if (d->loopback != NULL)
        (void)loopback_port_destroy(d->loopback);
    if (d->ivshmem != NULL)
        (void)ivshmem_destroy(d->ivshmem);
    if (d->pci != NULL)
        ivshmem_pci_unplug(d->pci);
    lab_release(d->host->lab, d, sizeof(*d));
}
