/* The ivshmem-doorbell PCI device as its specification has it: registers, vectors, the server's IDs.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem.h"

enum { MAX_IDS = 65536 };

struct ivshmem_host {
    const struct smc_alloc *alloc;
    struct ivshmem_host_config config;
    uint8_t *memory;
    struct ivshmem_pci *machines; /* by ID, ascending */
};

struct ivshmem_pci {
    struct ivshmem_host *host;
    struct ivshmem_pci *next;
    uint16_t id;
    uint32_t vectors;
    bool ready;
    uint32_t mask, status; /* revision 0 */
    void (*handler)(void *user, uint16_t vector);
    void *user;
};

int ivshmem_host_create(const struct ivshmem_host_config *config, const struct smc_alloc *alloc,
                        struct ivshmem_host **out)
{
    if (config->memory_bytes == 0 || config->memory_bytes % DIBS_PAGE_BYTES != 0 ||
        config->vectors > 65535 || config->revision > 1)
        return SMC_ERR_ARGUMENT;
    struct ivshmem_host *host = smc_alloc_zeroed(alloc, 1, sizeof(*host));
    if (host == NULL)
        return SMC_ERR_NOMEM;
    host->alloc = alloc;
    host->config = *config;
    host->memory = smc_alloc_zeroed(alloc, config->memory_bytes, 1);
    if (host->memory == NULL) {
        smc_alloc_release(alloc, host, 1, sizeof(*host));
        return SMC_ERR_NOMEM;
    }
    *out = host;
    return 0;
}

int ivshmem_host_destroy(struct ivshmem_host *host)
{
    if (host->machines != NULL)
        return SMC_ERR_BUSY;
    smc_alloc_release(host->alloc, host->memory, host->config.memory_bytes, 1);
    smc_alloc_release(host->alloc, host, 1, sizeof(*host));
    return 0;
}

int ivshmem_pci_plug(struct ivshmem_host *host, uint32_t vectors, struct ivshmem_pci **out)
{
    uint32_t id = 0;
    struct ivshmem_pci **link = &host->machines;
    while (*link != NULL && (*link)->id == id) {
        id++;
        link = &(*link)->next;
    }
    if (id == MAX_IDS)
        return SMC_ERR_NOSPACE;
    struct ivshmem_pci *pci = smc_alloc_zeroed(host->alloc, 1, sizeof(*pci));
    if (pci == NULL)
        return SMC_ERR_NOMEM;
    pci->host = host;
    pci->id = (uint16_t)id;
    /* [IVSHMEM-006] */
    pci->vectors = vectors < host->config.vectors ? vectors : host->config.vectors;
    pci->ready = true;
    pci->next = *link;
    *link = pci;
    *out = pci;
    return 0;
}

void ivshmem_pci_unplug(struct ivshmem_pci *pci)
{
    struct ivshmem_pci **link = &pci->host->machines;
    while (*link != pci)
        link = &(*link)->next;
    *link = pci->next;
    smc_alloc_release(pci->host->alloc, pci, 1, sizeof(*pci));
}

void ivshmem_pci_on_interrupt(struct ivshmem_pci *pci, void (*handler)(void *user, uint16_t vector),
                              void *user)
{
    pci->handler = handler;
    pci->user = user;
}

void ivshmem_pci_set_ready(struct ivshmem_pci *pci, bool ready)
{
    pci->ready = ready;
}

uint16_t ivshmem_pci_id(const struct ivshmem_pci *pci)
{
    return pci->id;
}

static bool old(const struct ivshmem_pci *pci)
{
    return pci->host->config.revision == 0;
}

/* ID 0 is also what a machine without interrupts reads. [IVSHMEM-007] */
static uint32_t position(const struct ivshmem_pci *pci)
{
    if (!pci->ready && old(pci))
        return UINT32_MAX;
    return pci->vectors > 0 && pci->ready ? pci->id : 0;
}

uint32_t ivshmem_pci_read(void *user, uint32_t offset)
{
    struct ivshmem_pci *pci = user;
    uint32_t status = pci->status;
    switch (offset) { /* [IVSHMEM-001] */
    case IVSHMEM_MASK:
        return pci->mask;
    case IVSHMEM_STATUS:
        pci->status = 0;
        return status;
    case IVSHMEM_POSITION:
        return position(pci);
    default:
        return 0;
    }
}

static void interrupt(struct ivshmem_pci *to, uint16_t vector)
{
    if (old(to))
        to->status |= 1;
    if (to->handler != NULL)
        to->handler(to->user, vector);
}

/* [IVSHMEM-002]: whatever cannot be delivered is ignored, and the guest does not learn it. */
static void ring(struct ivshmem_pci *from, uint32_t value)
{
    uint16_t peer = (uint16_t)(value >> 16), vector = (uint16_t)value;
    if (from->vectors == 0 || !from->ready)
        return;
    struct ivshmem_pci *to = from->host->machines;
    while (to != NULL && to->id != peer)
        to = to->next;
    if (to != NULL && to->ready && vector < to->vectors)
        interrupt(to, vector);
}

void ivshmem_pci_write(void *user, uint32_t offset, uint32_t value)
{
    struct ivshmem_pci *pci = user;
    if (offset == IVSHMEM_DOORBELL)
        ring(pci, value);
    else if (offset == IVSHMEM_MASK && old(pci))
        pci->mask = value & 1;
    else if (offset == IVSHMEM_STATUS && old(pci))
        pci->status = value & 1;
}

struct ivshmem_bars ivshmem_pci_bars(struct ivshmem_pci *pci)
{
    return (struct ivshmem_bars){.memory = pci->host->memory,
                                 .memory_bytes = pci->host->config.memory_bytes,
                                 .vectors = pci->vectors,
                                 .read = ivshmem_pci_read,
                                 .write = ivshmem_pci_write,
                                 .user = pci};
}
