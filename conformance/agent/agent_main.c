/* smclab-agent: does with a kernel's sockets and netlink what its asker says (docs/agent.md); init of a guest, or a program.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DEBUG_EXIT = 0xf4 }; /* the I/O port of QEMU's isa-debug-exit, as conformance/targets/vm.c asks for it */

static const char usage[] =
    "usage: smclab-agent --socket PATH | --fd N\n"
    "\n"
    "Drives this machine's AF_SMC and TCP sockets, network interfaces and SMC settings for somebody who speaks the\n"
    "protocol of docs/agent.md. As process 1 of a virtual machine it needs no arguments: it mounts, loads the modules of\n"
    "/modules/index and speaks on the virtio-serial port smclab.agent.\n"
    "\n"
    "  --socket PATH   listen on a unix socket (mode 0600) and serve one asker after another\n"
    "  --fd N          serve the asker at this descriptor, then end\n"
    "  -h, --help      this text\n"
    "\n"
    "Most requests beyond sockets need root (CAP_NET_ADMIN, CAP_SYSLOG).\n"
    "Exit status: 0 the asker left or asked for the end; 1 something failed; 2 usage.\n";

static int fail(const char *what)
{
    fprintf(stderr, "smclab-agent: %s: %s\n", what, strerror(errno));
    return 1;
}

static int serve(int fd, bool init, bool *poweroff)
{
    struct agent_setup setup = {.in = fd, .out = fd, .init = init, .first_accepted = AGENT_FIRST_ACCEPTED};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return agent_serve(&setup, poweroff) == 0 ? 0 : fail("the loop");
}

/* The kernel's own way out waits for link groups that may never go (SMC's reboot notifier), so a virtual machine that has QEMU's
 * isa-debug-exit is ended by that. */
static void power_off(void)
{
    sync();
#ifdef __x86_64__
    if (ioperm(DEBUG_EXIT, 4, 1) == 0)
        outl(0, DEBUG_EXIT);
#endif
    reboot(RB_POWER_OFF);
    reboot(RB_AUTOBOOT);
}

static int be_init(void)
{
    bool poweroff = false;
    agent_boot();
    int fd = agent_open_port();
    if (fd < 0)
        dprintf(2, "smclab-agent: there is no virtio-serial port called smclab.agent\n");
    else
        (void)serve(fd, true, &poweroff);
    power_off();
    return 1;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    bool done = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
    umask(mask);
    return done ? fd : -1;
}

static int serve_socket(const char *path)
{
    bool poweroff = false;
    int status = 0, listener = listen_at(path);
    if (listener < 0)
        return fail(path);
    while (status == 0 && !poweroff) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && errno == EINTR)
            continue;
        status = fd < 0 ? fail("accept") : serve(fd, false, &poweroff);
        if (fd >= 0)
            close(fd);
    }
    close(listener);
    unlink(path);
    return status;
}

static int bad_usage(void)
{
    fputs(usage, stderr);
    return 2;
}

int main(int argc, char **argv)
{
    bool poweroff;
    signal(SIGPIPE, SIG_IGN);
    if (getpid() == 1 && access("/modules/index", F_OK) == 0)
        return be_init();
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc != 3)
        return bad_usage();
    if (strcmp(argv[1], "--socket") == 0)
        return serve_socket(argv[2]);
    char *end;
    long fd = strtol(argv[2], &end, 10);
    if (strcmp(argv[1], "--fd") != 0 || *argv[2] == '\0' || *end != '\0' || fd < 0 || fd > 1 << 20)
        return bad_usage();
    return serve((int)fd, false, &poweroff);
}
