/* Joins the three: the way to the region and the interrupts, the dibs device on it, the stack's loop.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/shared_memory.h"

#include <time.h>

#include "devices/ivshmem.h"
#include "devices/ivshmem_client.h"
#include "devices/ivshmem_hw.h"

enum { GREETING_MS = 10000, FORMAT_TRIES = 500, TRY_NS = 10000000, ALIVE_NS = 100000000 };

struct shared_memory {
    struct shared_memory_config config;
    struct ivshmem_client *client;
    struct ivshmem_hw *hw;
    struct ivshmem *device;
    uint64_t next_poll_ns, interrupts;
    bool added;
};

static void interrupt(void *user, uint16_t vector)
{
    struct shared_memory *m = user;
    m->interrupts++;
    if (m->device != NULL)
        ivshmem_interrupt(m->device, vector);
}

static void peer(void *user, uint16_t id, bool present)
{
    struct shared_memory *m = user;
    if (m->device != NULL && !present)
        ivshmem_peer_left(m->device, id);
}

/* ---- the loop ---- */

static void ready(void *user, uint64_t now_ns)
{
    struct shared_memory *m = user;
    (void)now_ns;
    if (m->client != NULL)
        (void)ivshmem_client_run(m->client); /* the server may go: the region stays, alive counters tell who dies */
    if (m->hw != NULL)
        ivshmem_hw_run(m->hw);
}

static uint64_t next_ns(void *user)
{
    const struct shared_memory *m = user;
    uint64_t next = ivshmem_next_ns(m->device);
    return m->config.way == SHARED_MEMORY_POLL && m->next_poll_ns < next ? m->next_poll_ns : next;
}

static void run(void *user, uint64_t now_ns)
{
    struct shared_memory *m = user;
    if (m->config.way == SHARED_MEMORY_POLL && now_ns >= m->next_poll_ns) {
        m->interrupts += ivshmem_poll(m->device);
        m->next_poll_ns = now_ns + m->config.poll_ns;
    }
    ivshmem_run(m->device, now_ns);
}

/* ---- life ---- */

static int open_client(struct shared_memory *m, const char **problem)
{
    const struct shared_memory_config *c = &m->config;
    struct ivshmem_client_config config = {
        .alloc = c->alloc, .path = c->path, .vectors = c->vectors, .interrupt = interrupt, .peer = peer, .user = m};
    *problem = "the server cannot be reached";
    int error = ivshmem_client_connect(&config, &m->client);
    if (error != 0)
        return error;
    *problem = "the server does not greet";
    return ivshmem_client_wait(m->client, GREETING_MS);
}

static int open_function(struct shared_memory *m, const char **problem)
{
    const struct shared_memory_config *c = &m->config;
    char address[IVSHMEM_HW_ADDRESS];
    struct ivshmem_hw_config config = {.alloc = c->alloc,
                                       .address = c->path != NULL ? c->path : address,
                                       .mode = c->way == SHARED_MEMORY_VFIO ? IVSHMEM_HW_VFIO : IVSHMEM_HW_POLL,
                                       .vectors = c->vectors,
                                       .interrupt = interrupt,
                                       .user = m};
    *problem = "there is no ivshmem function";
    int error = c->path != NULL ? 0 : ivshmem_hw_find(0, address);
    return error != 0 ? error : ivshmem_hw_open(&config, &m->hw, problem);
}

/* Another machine may be formatting the region at this moment. */
static int join(struct shared_memory *m)
{
    const struct shared_memory_config *c = &m->config;
    const struct timespec a_while = {.tv_nsec = TRY_NS};
    struct ivshmem_config config = {.bars = m->client != NULL ? ivshmem_client_bars(m->client) : ivshmem_hw_bars(m->hw),
                                    .name = "ivshmem",
                                    .seed = c->seed,
                                    .max_dmbs = c->max_dmbs,
                                    .alive_interval_ns = ALIVE_NS,
                                    .alive_timeout_ns = c->alive_timeout_ns};
    int error = SMC_ERR_BUSY;
    for (int i = 0; i < FORMAT_TRIES && error == SMC_ERR_BUSY; i++) {
        error = ivshmem_create(&config, c->alloc, &m->device);
        if (error == SMC_ERR_BUSY)
            nanosleep(&a_while, NULL);
    }
    return error;
}

static int add(struct shared_memory *m)
{
    struct stack_part part = {.fd = m->client != NULL ? ivshmem_client_fd(m->client) : ivshmem_hw_fd(m->hw),
                              .ready = ready,
                              .next_ns = next_ns,
                              .run = run,
                              .user = m};
    int error = smc_dibs_add_device(stack_dibs(m->config.stack), ivshmem_device(m->device));
    m->added = error == 0;
    return error == 0 ? stack_add_part(m->config.stack, &part) : error;
}

int shared_memory_open(const struct shared_memory_config *config, struct shared_memory **out, const char **problem)
{
    *problem = "no memory";
    struct shared_memory *m = smc_alloc_zeroed(config->alloc, 1, sizeof(*m));
    if (m == NULL)
        return SMC_ERR_NOMEM;
    m->config = *config;
    int error = config->way == SHARED_MEMORY_SERVER ? open_client(m, problem) : open_function(m, problem);
    if (error == 0) {
        *problem = "the region cannot be used";
        error = join(m);
    }
    if (error == 0) {
        *problem = "the device cannot be added";
        error = add(m);
    }
    if (error != 0) {
        shared_memory_close(m);
        return error;
    }
    *out = m;
    return 0;
}

void shared_memory_close(struct shared_memory *m)
{
    if (m->added)
        (void)smc_dibs_remove_device(stack_dibs(m->config.stack), ivshmem_device(m->device));
    if (m->device != NULL)
        (void)ivshmem_destroy(m->device);
    if (m->client != NULL)
        ivshmem_client_close(m->client);
    if (m->hw != NULL)
        ivshmem_hw_close(m->hw);
    smc_alloc_release(m->config.alloc, m, 1, sizeof(*m));
}

uint64_t shared_memory_interrupts(const struct shared_memory *m)
{
    return m->interrupts;
}

uint32_t shared_memory_id(const struct shared_memory *m)
{
    struct ivshmem_bars bars = m->client != NULL ? ivshmem_client_bars(m->client) : ivshmem_hw_bars(m->hw);
    return bars.read(bars.user, IVSHMEM_POSITION);
}
