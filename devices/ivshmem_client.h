/* A client of the ivshmem server: the host itself as one of the machines that share the region.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_IVSHMEM_CLIENT_H
#define DEVICES_IVSHMEM_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <smc/alloc.h>

#include "devices/ivshmem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Speaks the protocol that ivshmem_server.h describes, maps the memory, and gives what a driver sees
 * of the PCI device: struct ivshmem_bars. Works with any server of that protocol, which it trusts
 * with the memory's life (as a guest trusts its hypervisor), but not with the form of its messages. */
struct ivshmem_client;

enum { IVSHMEM_CLIENT_VECTORS = 64 };

struct ivshmem_client_config {
    const struct smc_alloc *alloc; /* borrowed */
    const char *path;
    uint32_t vectors;      /* to connect, 1 to IVSHMEM_CLIENT_VECTORS; surplus ones of others are closed */
    uint64_t memory_bytes; /* at most, a larger region is refused; 0: 4 GiB */
    /* Called from ivshmem_client_run; may be NULL. */
    void (*interrupt)(void *user, uint16_t vector);
    void (*peer)(void *user, uint16_t id, bool present);
    void *user;
};

/* Connects; the greeting comes later. SMC_ERR_ARGUMENT, SMC_ERR_NOMEM, SMC_ERR_IO (errno). */
int ivshmem_client_connect(const struct ivshmem_client_config *config, struct ivshmem_client **out);
void ivshmem_client_close(struct ivshmem_client *client);

/* Waits for the greeting: until all own vectors are connected, or some, and nothing more comes for
 * 200 ms. SMC_ERR_TIMEOUT; what ivshmem_client_run returns. */
int ivshmem_client_wait(struct ivshmem_client *client, int timeout_ms);

/* Readable when there is something to do; then ivshmem_client_run: 0; SMC_ERR_PROTOCOL (the server broke
 * a rule; the connection is closed); SMC_ERR_GONE (the server is gone: the memory stays, peers that
 * are known can still be rung); SMC_ERR_NOMEM, SMC_ERR_IO. An error is told once, then 0. */
int ivshmem_client_fd(const struct ivshmem_client *client);
int ivshmem_client_run(struct ivshmem_client *client);

bool ivshmem_client_ready(const struct ivshmem_client *client);
/* Only when ready. The memory stays mapped until ivshmem_client_close. */
struct ivshmem_bars ivshmem_client_bars(struct ivshmem_client *client);
/* How many peers are there now, without this one. */
unsigned ivshmem_client_peers(const struct ivshmem_client *client);

#ifdef __cplusplus
}
#endif

#endif
