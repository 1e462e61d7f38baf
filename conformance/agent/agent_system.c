/* The agent's verbs about the machine: hello, sysctls, reset, the kernel's log, modules; and what pid 1 has to do.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"
#include "agent_space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 8192, LOG_MOST = 256 * 1024, UNLOAD_MS = 5000 };

bool agent_has_smc(void)
{
    int fd = socket(AF_SMC, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int verb_hello(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct utsname name;
    (void)line;
    if (uname(&name) != 0)
        return errno;
    agent_text_print(answer, " protocol=1");
    agent_text_pair(answer, "kernel", name.release);
    agent_text_pair(answer, "build", name.version);
    agent_text_pair(answer, "machine", name.machine);
    agent_text_pair(answer, "host", name.nodename);
    agent_text_print(answer, " smc=%d init=%d now=%" PRIu64, agent_has_smc(), a->init, agent_now_ns());
    return 0;
}

/* ---- Sysctls ---- */
struct agent_saved {
    struct agent_saved *next;
    char *name, *value;
};

/* "net/smc/wmem" or "net.smc.wmem"; a name with a slash is taken as it is (interfaces may have dots). */
static bool sysctl_path(const char *name, char *out, size_t size)
{
    if (strstr(name, "..") != NULL || (size_t)snprintf(out, size, "/proc/sys/%s", name) >= size)
        return false;
    if (strchr(name, '/') == NULL)
        for (char *p = out + strlen("/proc/sys/"); *p != '\0'; p++)
            if (*p == '.')
                *p = '/';
    return true;
}

int agent_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int status = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
    close(fd);
    return status;
}

int agent_sysctl_write(const char *name, const char *value)
{
    char path[256];
    return sysctl_path(name, path, sizeof(path)) ? agent_write_file(path, value) : EINVAL;
}

static char *sysctl_read(const char *name)
{
    char path[256], value[256];
    int fd = sysctl_path(name, path, sizeof(path)) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return NULL;
    ssize_t n = read(fd, value, sizeof(value) - 1);
    close(fd);
    if (n < 0)
        return NULL;
    value[n] = '\0';
    value[strcspn(value, "\n")] = '\0';
    return strdup(value);
}

/* The first value it had is remembered for reset. */
static void remember(struct agent *a, const char *name)
{
    for (struct agent_saved *s = a->saved; s != NULL; s = s->next)
        if (strcmp(s->name, name) == 0)
            return;
    struct agent_saved *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return;
    s->name = strdup(name);
    s->value = sysctl_read(name);
    if (s->name == NULL || s->value == NULL) {
        free(s->name);
        free(s->value);
        free(s);
        return;
    }
    s->next = a->saved;
    a->saved = s;
}

int agent_sysctl_set(struct agent *a, const char *name, const char *value)
{
    char full[200];
    if ((size_t)snprintf(full, sizeof(full), "%s", name) >= sizeof(full))
        return EINVAL;
    remember(a, full);
    return agent_sysctl_write(full, value);
}

void agent_sysctl_restore(struct agent *a)
{
    while (a->saved != NULL) {
        struct agent_saved *s = a->saved;
        a->saved = s->next;
        (void)agent_sysctl_write(s->name, s->value);
        free(s->name);
        free(s->value);
        free(s);
    }
}

static int verb_sysctl(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    char name[200];
    (void)answer;
    for (unsigned i = 0; i < line->count; i++) {
        if ((size_t)snprintf(name, sizeof(name), "net.%s", line->pair[i].name) >= sizeof(name))
            return agent_fail(a, EINVAL, "a name is too long");
        int status = agent_sysctl_set(a, name, line->pair[i].value);
        if (status != 0)
            return agent_fail(a, status, "net.%.100s is not set", line->pair[i].name);
    }
    return 0;
}

static int verb_sysctl_get(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    char name[200];
    const char *wanted;
    int status = agent_need(a, line, "name", &wanted);
    if (status != 0)
        return status;
    if ((size_t)snprintf(name, sizeof(name), "net.%s", wanted) >= sizeof(name))
        return agent_fail(a, EINVAL, "a name is too long");
    char *value = sysctl_read(name);
    if (value == NULL)
        return agent_fail(a, ENOENT, "there is no %s", name);
    agent_text_pair(answer, "value", value);
    free(value);
    return 0;
}

/* ---- Modules ---- */
static ssize_t read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n;
}

unsigned agent_patience(unsigned ms)
{
    static unsigned slower;
    char text[4096];
    if (slower == 0) {
        slower = 1;
        (void)read_small("/proc/cmdline", text, sizeof(text));
        const char *word = strstr(text, " smclab.slow=");
        if (word != NULL && word[13] >= '1' && word[13] <= '9')
            slower = (unsigned)(word[13] - '0');
    }
    return ms * slower;
}

/* "smc.x=1" on the kernel's command line is a parameter of the module smc, as modprobe has it. */
static void parameters_of(const char *file, char *out, size_t size)
{
    char text[4096], name[128];
    size_t n = 0, at = 0;
    for (; file[n] != '\0' && file[n] != '.' && n + 2 < sizeof(name); n++)
        name[n] = file[n] == '-' ? '_' : file[n];
    name[n++] = '.';
    out[0] = '\0';
    (void)read_small("/proc/cmdline", text, sizeof(text));
    for (char *word, *rest = text; (word = strsep(&rest, " \n")) != NULL;)
        if (strncmp(word, name, n) == 0 && strlen(word + n) + 2 < size - at)
            at += (size_t)snprintf(out + at, size - at, "%s ", word + n);
}

static int load_file(const char *file)
{
    char path[256], parameters[512];
    if ((size_t)snprintf(path, sizeof(path), "/modules/%s", file) >= sizeof(path))
        return EINVAL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    parameters_of(file, parameters, sizeof(parameters));
    int status = syscall(SYS_finit_module, fd, parameters, 0) == 0 || errno == EEXIST ? 0 : errno;
    close(fd);
    return status;
}

/* A line of /modules/index: "+name file file…". 0, or the first error. */
static int load_line(char *line)
{
    char *rest = line, *word = strsep(&rest, " "); /* the sign */
    int status = 0;
    word = strsep(&rest, " ");                    /* the name */
    while (status == 0 && (word = strsep(&rest, " ")) != NULL)
        if (*word != '\0')
            status = load_file(word);
    return status;
}

int agent_load(const char *name, bool start_only)
{
    char line[4096], known[128];
    int status = name != NULL ? ENOENT : 0;
    FILE *index = fopen("/modules/index", "re");
    if (index == NULL)
        return errno;
    while (fgets(line, sizeof(line), index) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (name != NULL ? sscanf(line, "%*s %127s", known) != 1 || strcmp(known, name) != 0 : start_only && line[0] != '+')
            continue;
        int this = load_line(line);
        if (name != NULL || (this != 0 && status == 0))
            status = this;
        if (this != 0)
            dprintf(2, "smclab-agent: modules: %s: %s\n", line, strerror(this));
    }
    fclose(index);
    return status;
}

int agent_unload(const char *name)
{
    return syscall(SYS_delete_module, name, O_NONBLOCK) == 0 ? 0 : errno;
}

static int verb_load(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name;
    int status = agent_need(a, line, "name", &name);
    (void)answer;
    return status != 0 ? status : agent_load(name, false);
}

/* Sockets that are closed but not yet gone hold the module: it is tried for some seconds. */
static int unload_patiently(const char *name)
{
    uint64_t until = agent_now_ns() + (uint64_t)agent_patience(UNLOAD_MS) * 1000000;
    const struct timespec pause = {.tv_nsec = 20000000};
    for (;;) {
        int status = agent_unload(name);
        if ((status != EAGAIN && status != EBUSY) || agent_now_ns() >= until)
            return status;
        nanosleep(&pause, NULL);
    }
}

static bool is_module(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
    return access(path, F_OK) == 0;
}

static int verb_reset(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    uint64_t begin = agent_now_ns();
    (void)line;
    int status = agent_children_kill(a);
    agent_captures_end(a);
    agent_sockets_close_all(a);
    agent_spaces_reset(a);
    if (status == 0)
        status = agent_net_reset(a);
    agent_sysctl_restore(a);
    if (status != 0)
        return status;
    (void)agent_smc_reset(a);
    if (a->init && is_module("smc")) {
        if (is_module("smc_diag"))
            status = unload_patiently("smc_diag");
        if (status == 0)
            status = unload_patiently("smc");
        agent_text_print(answer, " reloaded=%d", status == 0);
        status = agent_load("smc_diag", false);
    }
    agent_text_print(answer, " ns=%" PRIu64, agent_now_ns() - begin);
    return status;
}

static int verb_poweroff(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    (void)line;
    (void)answer;
    a->poweroff = a->ended = true;
    return 0;
}

/* ---- The kernel's log ---- */
static const char *const bad_signs[] = {
    "WARNING:", "BUG:", "kernel BUG at", "Oops", "Kernel panic", "general protection fault", "INFO: task ", "rcu: INFO:",
    "rcu_sched", "soft lockup", "hard LOCKUP", "KASAN:", "UBSAN:", "KCSAN:", "kmemleak:", "refcount_t:", "list_add corruption",
    "list_del corruption", "unregister_netdevice: waiting for", "possible circular locking", "suspicious RCU usage",
    "INFO: possible", "stack segment:", "Unable to handle kernel", "slab-out-of-bounds",
};
static const char *const harmless[] = {
    "kmemleak: Kernel memory leak detector initialized", "kmemleak: Automatic memory scanning thread started",
};

static bool is_bad(const char *text)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (strstr(text, harmless[i]) != NULL)
            return false;
    for (size_t i = 0; i < sizeof(bad_signs) / sizeof(bad_signs[0]); i++)
        if (strstr(text, bad_signs[i]) != NULL)
            return true;
    return false;
}

/* "level,number,time,flags;text\n": as Documentation/ABI/testing/dev-kmsg of Linux says. */
static void take_record(struct agent *a, char *record)
{
    char *text = strchr(record, ';');
    unsigned level = (unsigned)strtoul(record, NULL, 10) & 7;
    if (text == NULL)
        return;
    text++;
    text[strcspn(text, "\n")] = '\0';
    bool bad = is_bad(text);
    if (bad || level <= 4) {
        if (a->log.length < LOG_MOST)
            agent_text_print(&a->log, "%s\n", text);
        else
            a->log_lost = true;
    }
    if (!bad)
        return;
    struct agent_text event = {0};
    a->bad++;
    agent_text_print(&event, "kernel level=%u", level);
    agent_text_pair(&event, "text", text);
    agent_event_text(a, &event);
    agent_text_free(&event);
}

static void kmsg_ready(struct agent *a, struct agent_source *s, uint32_t events)
{
    char record[RECORD];
    (void)events;
    for (;;) {
        ssize_t n = read(s->fd, record, sizeof(record) - 1);
        if (n < 0 && (errno == EPIPE || errno == EINTR))
            continue; /* some were overwritten */
        if (n <= 0)
            return;
        record[n] = '\0';
        take_record(a, record);
    }
}

void agent_kmsg_open(struct agent *a)
{
    a->kmsg = (struct agent_source){.fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), .ready = kmsg_ready};
    if (a->kmsg.fd < 0)
        return;
    /* On a machine of others what was before is not ours. */
    if (!a->init)
        lseek(a->kmsg.fd, 0, SEEK_END);
    if (agent_watch(a, &a->kmsg, EPOLLIN) != 0) {
        close(a->kmsg.fd);
        a->kmsg.fd = -1;
    }
}

static int verb_dmesg(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    (void)line;
    if (a->kmsg.fd < 0)
        return agent_fail(a, EACCES, "/dev/kmsg cannot be read");
    kmsg_ready(a, &a->kmsg, 0);
    agent_text_print(answer, " warnings=%u lost=%d text=", a->bad, a->log_lost);
    agent_text_value(answer, a->log.p != NULL ? a->log.p : "", a->log.length);
    a->bad = 0;
    a->log.length = 0;
    a->log_lost = false;
    return 0;
}

/* ---- pid 1 ---- */
static void mount_all(void)
{
    static const struct {
        const char *type, *where;
    } all[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/run"}, {"tmpfs", "/tmp"}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (mount(all[i].type, all[i].where, all[i].type, 0, NULL) != 0 && errno != EBUSY)
            dprintf(2, "smclab-agent: mount %s: %s\n", all[i].where, strerror(errno));
}

static void lo_up(void)
{
    struct ifreq request;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memset(&request, 0, sizeof(request));
    snprintf(request.ifr_name, sizeof(request.ifr_name), "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        dprintf(2, "smclab-agent: lo: %s\n", strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* smclab.name=… of the kernel's command line. */
static void set_name(void)
{
    char text[4096];
    (void)read_small("/proc/cmdline", text, sizeof(text));
    char *name = strstr(text, "smclab.name=");
    if (name == NULL)
        return;
    name += strlen("smclab.name=");
    size_t length = strcspn(name, " \n");
    if (length > 0 && length < 64)
        (void)!sethostname(name, length);
}

void agent_boot(void)
{
    const struct rlimit files = {1 << 18, 1 << 18}, locked = {RLIM_INFINITY, RLIM_INFINITY};
    mount_all();
    int console = open("/dev/console", O_RDWR);
    for (int fd = 0; console >= 0 && fd < 3; fd++)
        if (fd != console)
            dup2(console, fd);
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_MEMLOCK, &locked);
    set_name();
    (void)agent_load(NULL, true);
    lo_up();
    (void)agent_sysctl_write("kernel/hung_task_timeout_secs", "30");
    (void)agent_sysctl_write("net/ipv4/conf/all/rp_filter", "0");
    (void)agent_sysctl_write("net/ipv6/conf/default/accept_dad", "0");
    (void)agent_sysctl_write("net/ipv6/conf/default/accept_ra", "0");
    (void)agent_sysctl_write("net/core/somaxconn", "8192");
}

static int find_port(char *out, size_t size)
{
    static const char folder[] = "/sys/class/virtio-ports";
    DIR *all = opendir(folder);
    int found = -1;
    for (struct dirent *d; all != NULL && found < 0 && (d = readdir(all)) != NULL;) {
        char path[600], name[64] = "";
        snprintf(path, sizeof(path), "%s/%s/name", folder, d->d_name);
        (void)read_small(path, name, sizeof(name));
        name[strcspn(name, "\n")] = '\0';
        if (strcmp(name, "smclab.agent") == 0 && (size_t)snprintf(out, size, "/dev/%s", d->d_name) < size)
            found = 0;
    }
    if (all != NULL)
        closedir(all);
    return found;
}

int agent_open_port(void)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    char path[300];
    for (int i = 0; i < 1000; i++) {
        int fd = find_port(path, sizeof(path)) == 0 ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
        if (fd >= 0)
            return fd;
        nanosleep(&pause, NULL);
    }
    return -1;
}

const struct agent_verb agent_verbs_system[] = {
    {"hello", "", verb_hello},
    {"sysctl", "*", verb_sysctl},
    {"sysctl_get", "name", verb_sysctl_get},
    {"load", "name", verb_load},
    {"reset", "", verb_reset},
    {"dmesg", "", verb_dmesg},
    {"poweroff", "", verb_poweroff},
    {"run", "program path arguments", agent_program_start},
    {"signal", "program signal", agent_program_signal},
    {NULL, NULL, NULL},
};
