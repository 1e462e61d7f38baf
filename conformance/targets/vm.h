/* Virtual machines with a real Linux kernel: fetch it, make its initramfs, boot it, talk to the agent in it, end it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_TARGETS_VM_H
#define CONFORMANCE_TARGETS_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An image is a kernel and an initramfs in the cache ($SMCLAB_CACHE, or ${XDG_CACHE_HOME:-~/.cache}/smclab). It is made by
 * guest_image.py (which is part of the program): the kernel comes from Debian by a private apt state, the machine's own apt is
 * left alone. The first time takes a download of about 110 MB; later the image is there in under a second.
 *
 * A machine is one QEMU process, our child: it dies with us. Nothing of it has a name in the file system but its console: its
 * NICs and its agent are socket pairs. Nothing here needs root. Blocking functions say how long they may take.
 *
 * Functions that can fail return 0, VM_MISSING or VM_FAILED, and fill `error` with one sentence (no newline at its end; the
 * console's last lines may stand before it). */
enum { VM_OK = 0, VM_FAILED = -1, VM_MISSING = 77 }; /* MISSING: what to install or to allow stands in the sentence */

/* ---- Images ------------------------------------------------------------------------------------- */
struct vm_image_config {
    const char *kernel;         /* NULL or "debian": what Debian trixie's linux-image-amd64 depends on; "backports": of
                                 * trixie-backports; "build:trixie", "build:backports": built from Debian's linux-source (minutes) */
    bool debug;                 /* of a built one: KASAN, KMEMLEAK, PROVE_LOCKING */
    bool refresh;               /* ask for a newer package than the one in the cache */
    bool quiet;                 /* no lines on standard error about what takes long */
    const char *init;           /* the program that becomes /init, statically linked or not (its libraries come along);
                                 * NULL: smclab-agent, found by vm_agent_program() */
    const char *const *modules; /* NULL ends; loaded by the agent at the start, in this order, with what they need. "veth?": not
                                 * an error if the kernel has no such module; "-veth": in the image, loaded when asked for.
                                 * NULL: vm_modules */
    const char *const *files;   /* NULL ends; "SOURCE=/DEST" more files for the image; dynamic programs bring their libraries.
                                 * NULL: none */
};
struct vm_image {
    char kernel[512];           /* vmlinuz */
    char initrd[512];
    char version[128];          /* "6.12.117+deb13-amd64", as uname -r */
    char package[128];          /* "linux-image-6.12.117+deb13-amd64 6.12.117-1" */
    bool debug;                 /* such a kernel is slow: its watchdogs are given time */
};
extern const char *const vm_modules[]; /* what the agent and the SMC targets need */
/* Up to minutes (a download, or a build). */
int vm_image_make(const struct vm_image_config *config, struct vm_image *out, char *error, size_t error_size);
/* The path of smclab-agent: $SMCLAB_AGENT, beside this program, or in ../libexec/smclab. VM_MISSING if it is not there. */
int vm_agent_program(char *out, size_t out_size, char *error, size_t error_size);

/* ---- Machines ----------------------------------------------------------------------------------- */
enum { VM_NICS = 3 };

struct vm_nic {
    int fd;                     /* our end of a datagram socket pair belongs to the caller, this is the other end: one datagram is
                                 * one Ethernet frame without FCS (no virtio header, no offloads). Borrowed: vm_start() gives a
                                 * copy to QEMU; the caller closes it afterwards. A full socket holds the sender back (EAGAIN), it
                                 * does not lose frames. Make it with vm_nic_pair(). */
    uint8_t mac[6];
    uint16_t host_mtu;          /* 0: 1500; else the largest MTU the guest may set */
};
/* A pair of nonblocking datagram sockets with room for frames: one end for a vm_nic, the other for us (or for a second vm). */
int vm_nic_pair(int fd[2]);

struct vm_config {
    const struct vm_image *image;
    const char *name;           /* the guest's host name (SMC tells it to the peer); NULL: "linux" */
    const char *console;        /* path of the console's log; NULL: a file in $TMPDIR, removed with the vm */
    const struct vm_nic *nics;  /* eth0, eth1, … in the guest, in this order */
    unsigned nic_count;         /* at most VM_NICS */
    unsigned memory_mib;        /* 0: 512 */
    unsigned cpus;              /* 0: 1 */
    const char *append;         /* more words for the kernel's command line; NULL: none */
    const char *const *qemu;    /* NULL ends; more arguments for QEMU (devices, -M); NULL: none */
    const int *fds;             /* more descriptors that QEMU inherits under the same numbers; fd_count of them */
    unsigned fd_count;
    bool q35;                   /* -M q35 with an IOMMU that the guest may use (vfio-pci) */
};
struct vm;
/* Starts QEMU (KVM if a probe has shown that it works here, TCG otherwise; the answer of the probe is cached) and returns at
 * once: several may boot at the same time. VM_MISSING: no QEMU. */
int vm_start(const struct vm_config *config, struct vm **out, char *error, size_t error_size);
/* Waits until the agent is there (its `ready` event, which is taken off the stream): about 6 s under TCG, more on a busy
 * machine. VM_FAILED after `timeout_ms` (0: 120 s), or if it died before: the console's last lines are in `error`. */
int vm_wait_ready(struct vm *vm, unsigned timeout_ms, char *error, size_t error_size);
/* The stream to the agent (docs/agent.md): nonblocking, ours; stays open until vm_end(). For poll(): readable, or hung up. */
int vm_agent_fd(const struct vm *vm);
/* Has the kernel warned, oopsed, hung or died? Reads what is new on the console; cheap, call it as often as you like. 0: all is
 * well; VM_FAILED with the lines in `error` (and again at each later call: a machine that has warned stays bad). */
int vm_check(struct vm *vm, char *error, size_t error_size);
/* Lines of the console so far, the last `size` - 1 bytes of them. Returns the length. */
size_t vm_console(struct vm *vm, char *out, size_t size);
/* Power cut: SIGKILL to QEMU. vm_check() does not mind; vm_end() is still needed. */
void vm_kill(struct vm *vm);
/* Asks the agent to power off, waits up to `timeout_ms` (0: 20 s), then kills; frees everything. VM_FAILED as vm_check(), or if
 * it had to be killed (but for vm_kill()). NULL is fine. */
int vm_end(struct vm *vm, unsigned timeout_ms, char *error, size_t error_size);

/* A line to an agent and its answer, for programs that wait (tests, `smclab vm`); works on any socket to an agent. `request` is
 * without its number and LF: "hello". Events that come before the answer are given to `event` (may be NULL). `answer` receives the
 * text after the number: "ok kernel=6.12.…" or "error EINVAL …". VM_OK if an answer came within `timeout_ms`, whatever it says. */
struct vm_talk {
    int fd;
    unsigned long number;       /* of the last request */
    void (*event)(void *user, const char *line); /* without "* " */
    void *user;
    char *buffer;               /* owned by vm_talk_*: free with vm_talk_end() */
    size_t length, room, skip;
};
int vm_talk(struct vm_talk *talk, const char *request, char *answer, size_t answer_size, unsigned timeout_ms);
/* Waits for an event that begins with `begins`; it is copied to `out`. Events that come before it go to `event`. */
int vm_talk_wait(struct vm_talk *talk, const char *begins, char *out, size_t out_size, unsigned timeout_ms);
void vm_talk_end(struct vm_talk *talk);

#ifdef __cplusplus
}
#endif

#endif
