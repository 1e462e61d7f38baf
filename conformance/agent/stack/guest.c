/* What an init has to do so that one program can run: file systems, modules, addresses, and the end.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void complain(const char *what, const char *name)
{
    fprintf(stderr, "smclab-endpoint: %s %s: %s\n", what, name, strerror(errno));
}

static int load(const char *file)
{
    char path[256];
    snprintf(path, sizeof(path), "/modules/%.200s", file);
    int fd = open(path, O_RDONLY | O_CLOEXEC), result = -1;
    if (fd >= 0) {
        result = (int)syscall(SYS_finit_module, fd, "", 0);
        close(fd);
    }
    if (result != 0 && errno == EEXIST)
        result = 0;
    if (result != 0)
        complain("loading", file);
    return result;
}

/* A line of the index: "+" or "-", a name, files. */
static int load_line(char *line, const char *name)
{
    char *save, *when = strtok_r(line, " \n", &save), *whose = strtok_r(NULL, " \n", &save);
    if (when == NULL || whose == NULL || (name == NULL ? strcmp(when, "+") : strcmp(whose, name)) != 0)
        return name == NULL ? 0 : -1;
    int result = 0;
    for (char *file = strtok_r(NULL, " \n", &save); file != NULL; file = strtok_r(NULL, " \n", &save))
        if (load(file) != 0)
            result = -1;
    return result;
}

static int load_from_index(const char *name)
{
    char line[4096];
    int result = -1;
    FILE *index = fopen("/modules/index", "re");
    while (index != NULL && result != 0 && fgets(line, sizeof(line), index) != NULL)
        if (load_line(line, name) == 0 && name != NULL)
            result = 0;
    if (index != NULL)
        fclose(index);
    return result;
}

int guest_load(const char *name)
{
    return load_from_index(name);
}

static void mount_all(void)
{
    static const char *const places[][2] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"cgroup2", "/cgroup"}};
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)mkdir(places[i][1], 0755);
        if (mount(places[i][0], places[i][1], places[i][0], 0, NULL) != 0 && errno != EBUSY)
            complain("mounting", places[i][1]);
    }
}

static int bring_up(int fd, struct ifreq *request)
{
    if (ioctl(fd, SIOCGIFFLAGS, request) != 0)
        return -1;
    request->ifr_flags = (short)(request->ifr_flags | IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, request);
}

static int set(int fd, const char *name, const char *address, unsigned prefix)
{
    struct ifreq request = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&request.ifr_addr;
    struct in_addr parsed;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (address != NULL) {
        if (inet_pton(AF_INET, address, &parsed) != 1 || prefix > 32) {
            errno = EINVAL;
            return -1;
        }
        *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = parsed};
        if (ioctl(fd, SIOCSIFADDR, &request) != 0)
            return -1;
        in->sin_addr.s_addr = prefix == 0 ? 0 : htonl(UINT32_MAX << (32 - prefix));
        if (ioctl(fd, SIOCSIFNETMASK, &request) != 0)
            return -1;
    }
    return bring_up(fd, &request);
}

/* Several interfaces may be of one network (SMC-Rv2 of Linux wants that of a second link): each answers for itself. */
static void settle(const char *name)
{
    static const char *const all[][2] = {{"rp_filter", "0"}, {"arp_ignore", "1"}, {"arp_announce", "2"}};
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        char path[96];
        snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", name, all[i][0]);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, all[i][1], 1) != 1)
            complain("setting", path);
        if (fd >= 0)
            close(fd);
    }
}

int guest_set_address(const char *text)
{
    char name[IFNAMSIZ], address[INET_ADDRSTRLEN];
    unsigned prefix;
    int result = -1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    errno = EINVAL;
    if (fd >= 0 && sscanf(text, "%15[^=]=%15[0-9.]/%2u", name, address, &prefix) == 3)
        result = set(fd, name, address, prefix);
    if (result == 0)
        settle(name);
    if (result != 0)
        complain("setting", text);
    if (fd >= 0)
        close(fd);
    return result;
}

void guest_start(void)
{
    mount_all();
    (void)load_from_index(NULL);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || set(fd, "lo", NULL, 0) != 0)
        complain("bringing up", "lo");
    if (fd >= 0)
        close(fd);
}

void guest_end(void)
{
    fflush(stdout);
    fflush(stderr);
    sync();
    (void)reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
