/* The ivshmem server: hands shared memory, IDs and interrupts to virtual machines over a unix socket.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_IVSHMEM_SERVER_H
#define DEVICES_IVSHMEM_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <smc/alloc.h>
#include <smc/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The protocol of QEMU's docs/specs/ivshmem-spec, spoken to QEMU's ivshmem-doorbell device and to
 * ivshmem_client.h. Only the server speaks: 8-byte little-endian signed numbers, some with a file:
 *
 *     0                  version
 *     ID                 the client's own, the lowest that is free
 *     -1 + file          the shared memory
 *     ID + file          once a vector: how to interrupt that peer; for every peer, then for itself
 *     ID                 that peer is gone
 *
 * One thread, never blocks: whoever owns it waits until ivshmem_server_fd() is readable and calls
 * ivshmem_server_run().
 *
 * Clients are not trusted. The memory is sealed (it cannot be shrunk under the others, nor grown). A
 * client that says anything, or cannot be given a file, is put out; the others only hear that it is
 * gone. One that does not read is waited for: a machine may stand still. Nothing is kept for it about
 * peers that it has not heard of and that are gone again. */
struct ivshmem_server;

enum { IVSHMEM_SERVER_VECTORS = 1024, IVSHMEM_SERVER_CLIENTS = 65536 };

struct ivshmem_server_config {
    const struct smc_alloc *alloc; /* borrowed */
    const char *path;              /* of the socket; one that nobody listens on any more is replaced */
    uint64_t memory_bytes;         /* a power of two (it becomes a PCI BAR), 4 KiB or more */
    uint32_t vectors;              /* of each client, 1 to IVSHMEM_SERVER_VECTORS */
    uint32_t max_clients;          /* 0: IVSHMEM_SERVER_CLIENTS */
    /* A client came or went; may be NULL. */
    void (*changed)(void *user, uint16_t id, bool present);
    void *user;
};

/* SMC_ERR_ARGUMENT; SMC_ERR_NOMEM; SMC_ERR_EXISTS (somebody listens on that path); SMC_ERR_IO, and
 * errno tells. */
int ivshmem_server_create(const struct ivshmem_server_config *config, struct ivshmem_server **out);
/* Closes every connection and removes the socket. Machines keep the memory they have mapped. */
void ivshmem_server_destroy(struct ivshmem_server *server);

int ivshmem_server_fd(const struct ivshmem_server *server);
void ivshmem_server_run(struct ivshmem_server *server);

unsigned ivshmem_server_clients(const struct ivshmem_server *server);
/* How many were put out for what they did, or could not be let in. */
unsigned ivshmem_server_refused(const struct ivshmem_server *server);

#ifdef __cplusplus
}
#endif

#endif
