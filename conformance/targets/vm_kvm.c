/* KVM: /dev/kvm may be there and a kernel still hang in it, so it is tried once, and the answer kept.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/vm_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROBE_MS = 10000 };

/* The answer's file in the cache folder; the host's kernel and CPU are part of its name. The image's kernel stands in
 * CACHE/kernel/NAME/vmlinuz. */
static bool answer_path(const struct vm_image *image, char *out, size_t size)
{
    struct utsname host;
    char folder[PATH_MAX];
    if ((size_t)snprintf(folder, sizeof(folder), "%s", image->kernel) >= sizeof(folder) || uname(&host) != 0)
        return false;
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    return (size_t)snprintf(out, size, "%s/kvm-%s", folder, host.release) < size;
}

/* Without a root file system a kernel that runs panics, and panic=-1 with -no-reboot ends QEMU. One that hangs is killed. */
static bool probe(const struct vm_image *image)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("qemu-system-x86_64", "qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-M", "pc", "-m", "256", "-nodefaults",
               "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none", "-kernel", image->kernel, "-append",
               "panic=-1 quiet", (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        return false;
    for (uint64_t until = vm_now_ms() + PROBE_MS; vm_now_ms() < until; nanosleep(&pause, NULL))
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return false;
}

bool vm_kvm_works(const struct vm_image *image)
{
    char path[PATH_MAX], known = '?';
    const char *said = getenv("SMCLAB_KVM");
    if (said != NULL && (said[0] == '0' || said[0] == '1'))
        return said[0] == '1';
    if (access("/dev/kvm", R_OK | W_OK) != 0 || !answer_path(image, path, sizeof(path)))
        return false;
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fread(&known, 1, 1, file) != 1)
            known = '?';
        fclose(file);
    }
    if (known == '0' || known == '1')
        return known == '1';
    bool works = probe(image);
    if ((file = fopen(path, "we")) != NULL) {
        fputs(works ? "1\n" : "0\n", file);
        fclose(file);
    }
    return works;
}
