/* Images of virtual machines: asks guest_image.py, which stands in the data folder of this program.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT = 8192, ARGUMENTS = 160, FLOORS = 6 };

const char *const vm_modules[] = {
    "virtio_pci", "virtio_console", "virtio_net", "crc32_generic?", "rdma_rxe", "smc", "smc_diag",
    "-veth?", "-tun?", "-dummy?", "-sch_netem?", "-uio?", "-uio_pci_generic?", "-vfio-pci?", NULL,
};

/* `name` below the folder of this program, or below one of those above it: so it is found in a build and in an installation. */
static bool find_near(const char *name, char *out, size_t out_size)
{
    char folder[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
    folder[n > 0 ? n : 0] = '\0';
    for (int i = 0; i < FLOORS; i++) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
        if ((size_t)snprintf(out, out_size, "%s/%s", folder, name) < out_size && access(out, R_OK) == 0)
            return true;
    }
    return false;
}

int vm_agent_program(char *out, size_t out_size, char *error, size_t error_size)
{
    const char *given = getenv("SMCLAB_AGENT");
    if (given != NULL && (size_t)snprintf(out, out_size, "%s", given) < out_size && access(out, X_OK) == 0)
        return VM_OK;
    if (given == NULL && (find_near("smclab-agent", out, out_size) || find_near("bin/smclab-agent", out, out_size) ||
                          find_near("libexec/smclab/smclab-agent", out, out_size)))
        return VM_OK;
    snprintf(error, error_size, "the program smclab-agent is not there: build it, or name it in SMCLAB_AGENT");
    return VM_MISSING;
}

static int find_script(char *out, size_t out_size, char *error, size_t error_size)
{
    const char *data = getenv("SMCLAB_DATA");
    if (data != NULL && (size_t)snprintf(out, out_size, "%s/targets/guest_image.py", data) < out_size && access(out, R_OK) == 0)
        return VM_OK;
    if (data == NULL && find_near("share/smclab/targets/guest_image.py", out, out_size))
        return VM_OK;
    snprintf(error, error_size, "the file targets/guest_image.py of smclab's data folder is not there: install it, or name the "
             "folder in SMCLAB_DATA");
    return VM_MISSING;
}

struct arguments {
    const char *list[ARGUMENTS + 1];
    unsigned count;
    bool full;
};

static void add(struct arguments *a, const char *word)
{
    a->full = a->full || a->count == ARGUMENTS;
    if (!a->full)
        a->list[a->count++] = word;
}

static void add_all(struct arguments *a, const char *option, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++) {
        add(a, option);
        add(a, *words);
    }
}

/* "--module=-veth": a word that begins with a minus would be taken for an option. */
static bool add_modules(struct arguments *a, const char *const *modules, char *room, size_t size)
{
    for (; *modules != NULL; modules++) {
        int n = snprintf(room, size, "--module=%s", *modules);
        if (n < 0 || (size_t)n >= size)
            return false;
        add(a, room);
        room += n + 1;
        size -= (size_t)n + 1;
    }
    return true;
}

/* Reads both streams of a child to their ends. `err` keeps the last line; lines go on to standard error if `loud`. */
static void read_both(int out_fd, int err_fd, char *out, size_t out_size, char *err, size_t err_size, bool loud)
{
    struct pollfd wait[2] = {{.fd = out_fd, .events = POLLIN}, {.fd = err_fd, .events = POLLIN}};
    size_t length = 0, at = 0;
    char line[1024];
    while (wait[0].fd >= 0 || wait[1].fd >= 0) {
        char byte[1024];
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < 2; i++) {
            if (wait[i].fd < 0 || wait[i].revents == 0)
                continue;
            ssize_t n = read(wait[i].fd, byte, sizeof(byte));
            if (n <= 0)
                wait[i].fd = -1;
            for (ssize_t k = 0; k < n && i == 0 && length + 1 < out_size; k++)
                out[length++] = byte[k];
            for (ssize_t k = 0; k < n && i == 1; k++) {
                if (byte[k] != '\n') {
                    if (at + 1 < sizeof(line))
                        line[at++] = byte[k];
                    continue;
                }
                line[at] = '\0';
                at = 0;
                if (loud && strncmp(line, "smclab: ", 8) == 0)
                    fprintf(stderr, "%s\n", line);
                else
                    snprintf(err, err_size, "%s", line);
            }
        }
    }
    out[length] = '\0';
}

static int run(struct arguments *a, char *out, size_t out_size, char *error, size_t error_size, bool loud)
{
    int out_pipe[2], err_pipe[2], status;
    error[0] = '\0';
    if (pipe2(out_pipe, O_CLOEXEC) != 0 || pipe2(err_pipe, O_CLOEXEC) != 0) {
        snprintf(error, error_size, "no pipe: %s", strerror(errno));
        return VM_FAILED;
    }
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out_pipe[1], 1);
        dup2(err_pipe[1], 2);
        a->list[a->count] = NULL;
        execvp(a->list[0], (char *const *)(uintptr_t)a->list);
        dprintf(2, "%s is not here: install python3\n", a->list[0]);
        _exit(VM_MISSING);
    }
    close(out_pipe[1]);
    close(err_pipe[1]);
    read_both(out_pipe[0], err_pipe[0], out, out_size, error, error_size, loud);
    close(out_pipe[0]);
    close(err_pipe[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid < 0 || !WIFEXITED(status))
        return VM_FAILED;
    return WEXITSTATUS(status) == 0 ? VM_OK : WEXITSTATUS(status) == VM_MISSING ? VM_MISSING : VM_FAILED;
}

/* "name=value\n" in the script's output. */
static bool take(const char *text, const char *name, char *out, size_t out_size)
{
    size_t n = strlen(name);
    for (const char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n') != NULL ? strchr(p, '\n') + 1 : NULL) {
        if (strncmp(p, name, n) != 0 || p[n] != '=')
            continue;
        p += n + 1;
        size_t length = strcspn(p, "\n");
        if (length >= out_size)
            return false;
        memcpy(out, p, length);
        out[length] = '\0';
        return true;
    }
    return false;
}

int vm_image_make(const struct vm_image_config *config, struct vm_image *out, char *error, size_t error_size)
{
    static const char *const flags[] = {"--debug", "--refresh", "--quiet"};
    const bool given[] = {config->debug, config->refresh, config->quiet};
    char script[PATH_MAX], agent[PATH_MAX], text[OUTPUT], modules[4096];
    struct arguments a = {.count = 0};
    int status = find_script(script, sizeof(script), error, error_size);
    if (status == VM_OK && config->init == NULL)
        status = vm_agent_program(agent, sizeof(agent), error, error_size);
    if (status != VM_OK)
        return status;
    add(&a, "python3");
    add(&a, "-B");
    add(&a, script);
    add(&a, "--kernel");
    add(&a, config->kernel != NULL ? config->kernel : "debian");
    for (size_t i = 0; i < 3; i++)
        if (given[i])
            add(&a, flags[i]);
    add(&a, "--init");
    add(&a, config->init != NULL ? config->init : agent);
    add_all(&a, "--file", config->files);
    if (!add_modules(&a, config->modules != NULL ? config->modules : vm_modules, modules, sizeof(modules)) || a.full) {
        snprintf(error, error_size, "too many modules or files for an image");
        return VM_FAILED;
    }
    out->debug = config->debug;
    status = run(&a, text, sizeof(text), error, error_size, !config->quiet);
    if (status == VM_OK && !(take(text, "kernel", out->kernel, sizeof(out->kernel)) && take(text, "initrd", out->initrd, sizeof(out->initrd)) &&
                             take(text, "version", out->version, sizeof(out->version)) &&
                             take(text, "package", out->package, sizeof(out->package)))) {
        snprintf(error, error_size, "guest_image.py answered without a kernel");
        status = VM_FAILED;
    }
    return status;
}
