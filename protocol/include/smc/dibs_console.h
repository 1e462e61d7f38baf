/* A console over dibs: a byte stream between two systems, by a client of the registry that is not SMC.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_DIBS_CONSOLE_H
#define SMC_DIBS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/dibs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each side registers a DMB that the other may write. Its first 64 bytes are a block of the other's
 * counters, the rest is a ring for the other's bytes. All numbers little endian:
 *
 *      0  u32  0x4f434253, "SBCO"
 *      4  u32  flags: 1 closed
 *      8  u64  bytes that the other has written here since it opened
 *     16  u64  bytes that the other has taken from its own ring, so what may be overwritten there
 *     24  u32  bytes in the other's own ring, which the owner of this DMB writes
 *     28       reserved, zero
 *
 * Data are moved first, without signal, then the block, with one. Whoever opens tells its token by a
 * SOFTWARE event (code SMC_DIBS_CONSOLE_EVENT, data: the token) if the device has events; otherwise
 * the two tokens are carried out of band.
 *
 * What stands in the DMB is the peer's word: the block is copied once and checked, and a session in
 * which it makes no sense ends with SMC_ERR_PROTOCOL. */

enum { SMC_DIBS_CONSOLE_EVENT = 0x434f4e53, SMC_DIBS_CONSOLE_OFFERS = 16 };

struct smc_dibs_session;

/* A peer's token that came by event before somebody here opened to that peer. */
struct smc_dibs_offer {
    struct smc_dibs_device *device; /* NULL: free */
    struct smc_gid gid;
    uint64_t token;
};

/* The caller owns it; everything in it is the console's. */
struct smc_dibs_console {
    struct smc_dibs_client client;
    struct smc_dibs *dibs;
    const struct smc_alloc *alloc;
    void (*wake)(void *user);
    void *user;
    struct smc_dibs_session *sessions;
    struct smc_dibs_offer offers[SMC_DIBS_CONSOLE_OFFERS];
};

/* Registers the console with `dibs`. `wake` (may be NULL) is called when smc_dibs_console_run has
 * something to do; it may come from within another system's operation and only takes note.
 * Errors: those of smc_dibs_register_client. */
int smc_dibs_console_init(struct smc_dibs_console *console, struct smc_dibs *dibs,
                          const struct smc_alloc *alloc, void (*wake)(void *user), void *user);
/* Ends all sessions and unregisters; sessions are gone afterwards. SMC_ERR_REENTERED. */
int smc_dibs_console_free(struct smc_dibs_console *console);

/* Registers a DMB of `bytes` (as the device wants them: whole pages) for `peer` and tells the peer its
 * token. If the peer's own offer is here already, the session is connected at once; otherwise with
 * the peer's event, or by smc_dibs_console_connect. One session per device and peer: SMC_ERR_EXISTS.
 * SMC_ERR_NOMEM, SMC_ERR_ARGUMENT (no room for a ring), and what smc_dibs_register_dmb returns. */
int smc_dibs_console_open(struct smc_dibs_console *console, struct smc_dibs_device *device,
                          const struct smc_gid *peer, uint32_t bytes,
                          struct smc_dibs_session **session);
/* Ours, to be carried out of band. */
uint64_t smc_dibs_console_token(const struct smc_dibs_session *session);
/* The peer's, which came out of band. SMC_ERR_STATE (connected already), or the move's error. */
int smc_dibs_console_connect(struct smc_dibs_session *session, uint64_t peer_token);

/* Does what the callbacks took note of. */
void smc_dibs_console_run(struct smc_dibs_console *console);

/* Writes up to `size` bytes: how many. SMC_ERR_WOULDBLOCK (not connected yet, or the ring is full),
 * SMC_ERR_CLOSED (by the peer), SMC_ERR_PROTOCOL, SMC_ERR_RESET (peer, device or move failed). */
int smc_dibs_console_write(struct smc_dibs_session *session, const void *data, uint32_t size);
/* Reads up to `size` bytes: how many; 0: the peer has closed and everything is read.
 * SMC_ERR_WOULDBLOCK, SMC_ERR_PROTOCOL, SMC_ERR_RESET (what had arrived before is read first). */
int smc_dibs_console_read(struct smc_dibs_session *session, void *data, uint32_t size);

/* Tells the peer, gives the DMB back and frees the session; what the peer has not read it can still
 * read, it lies in its own memory. SMC_ERR_REENTERED: from a handler of the device; nothing done. */
int smc_dibs_console_close(struct smc_dibs_session *session);

#ifdef __cplusplus
}
#endif

#endif
