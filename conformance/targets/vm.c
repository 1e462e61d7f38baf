/* Virtual machines as child processes: QEMU with socket pairs for its NICs and its agent, and an eye on the console.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/vm.h"

#include "conformance/targets/vm_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 120, TEXT = 8192, BOOT_MS = 120000, END_MS = 20000, TAIL = 3000, AGENT_FD = 3, NIC_FD = 4 };
static const char program[] = "qemu-system-x86_64";
/* What takes minutes with KASAN on an emulated processor is no hang; least of all the firmware's own programs for interrupts. */
static const char for_debug[] = " pci=noacpi watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=200 smclab.slow=6";

struct vm {
    pid_t pid;
    int agent;                 /* our end */
    char console[PATH_MAX];
    bool remove_console, killed, gone;
    int status;
    long console_read;         /* bytes that were looked at */
    bool bad, slow;
    char why[TAIL];
    struct vm_talk talk;       /* only until the agent is there */
};

struct words {
    char *list[WORDS + 1], text[TEXT];
    size_t count, used;
    bool full;
};

static void add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct words *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(w->text + w->used, TEXT - w->used, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= TEXT - w->used || w->count == WORDS) {
        w->full = true;
        return;
    }
    w->list[w->count++] = w->text + w->used;
    w->list[w->count] = NULL;
    w->used += (size_t)n + 1;
}

uint64_t vm_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int vm_nic_pair(int fd[2])
{
    int size = 1 << 20;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0)
        return VM_FAILED;
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        (void)setsockopt(fd[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    return VM_OK;
}

/* ---- The command line ---- */
static void add_nic(struct words *w, unsigned i, const struct vm_nic *nic)
{
    const uint8_t *m = nic->mac;
    add(w, "-netdev");
    add(w, "dgram,id=n%u,local.type=fd,local.str=%u", i, NIC_FD + i);
    add(w, "-device");
    add(w, "virtio-net-pci,netdev=n%u,mac=%02x:%02x:%02x:%02x:%02x:%02x,host_mtu=%u,csum=off,guest_csum=off,gso=off,"
           "host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,"
           "mrg_rxbuf=off,romfile=", i, m[0], m[1], m[2], m[3], m[4], m[5], nic->host_mtu != 0 ? nic->host_mtu : 1500u);
}

static void add_machine(struct words *w, const struct vm_config *c, bool kvm)
{
    add(w, "%s", program);
    add(w, "-M");
    add(w, "%s", c->q35 ? "q35,kernel-irqchip=split" : "pc");
    add(w, "-accel");
    add(w, "%s", kvm ? "kvm" : "tcg,thread=multi");
    add(w, "-cpu");
    add(w, "%s", kvm ? "host" : "max,la57=off");
    add(w, "-smp");
    add(w, "%u", c->cpus != 0 ? c->cpus : 1);
    add(w, "-m");
    add(w, "%u", c->memory_mib != 0 ? c->memory_mib : 512);
    for (const char *const *p = (const char *const[]){"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor",
                                                      "none", NULL}; *p != NULL; p++)
        add(w, "%s", *p);
    add(w, "-device");
    add(w, "isa-debug-exit,iobase=0xf4,iosize=0x04"); /* with which the agent ends the machine */
    if (c->q35) {
        add(w, "-device");
        add(w, "intel-iommu,intremap=on,caching-mode=on");
    }
}

static void add_guest(struct words *w, const struct vm_config *c, const char *console, bool kvm)
{
    /* Emulated, the TSC ticks as the host's, but a busy host lets the guest calibrate it wrongly: its clock would run fast; and the
     * kernel panics at the start when the timer does not tick in time. */
    const char *clock = kvm ? "tsc=reliable" : "tsc=unstable clocksource=hpet no_timer_check";
    const char *name = c->name != NULL ? c->name : "linux";
    add(w, "-kernel");
    add(w, "%s", c->image->kernel);
    add(w, "-initrd");
    add(w, "%s", c->image->initrd);
    add(w, "-append");
    /* panic=-1 with -no-reboot: a kernel that panics ends its machine. */
    add(w, "console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off random.trust_cpu=on net.ifnames=0 %s "
           "smclab.name=%s%s%s%s%s", clock, name, c->q35 ? " intel_iommu=on" : "", c->image->debug ? for_debug : "",
        c->append != NULL ? " " : "", c->append != NULL ? c->append : "");
    add(w, "-serial");
    add(w, "file:%s", console);
    add(w, "-chardev");
    add(w, "socket,id=agent,fd=%d", AGENT_FD);
    add(w, "-device");
    add(w, "virtio-serial-pci,max_ports=2");
    add(w, "-device");
    add(w, "virtserialport,chardev=agent,name=smclab.agent");
}

static bool make_words(struct words *w, const struct vm_config *c, const char *console, bool kvm)
{
    memset(w, 0, sizeof(*w));
    add_machine(w, c, kvm);
    add_guest(w, c, console, kvm);
    for (unsigned i = 0; i < c->nic_count; i++)
        add_nic(w, i, &c->nics[i]);
    for (const char *const *p = c->qemu; p != NULL && *p != NULL; p++)
        add(w, "%s", *p);
    return !w->full;
}

/* ---- The process ---- */
static bool is_passed(const struct vm_config *c, int fd)
{
    for (unsigned i = 0; i < c->fd_count; i++)
        if (c->fds[i] == fd)
            return true;
    return false;
}

/* In the child: the agent's end becomes 3, the NICs' 4 and up. First everything moves out of the way. */
static void exec_qemu(const struct vm_config *c, struct words *w, int agent, pid_t parent)
{
    int high[1 + VM_NICS], null = open("/dev/null", O_RDWR);
    high[0] = fcntl(agent, F_DUPFD_CLOEXEC, 200);
    for (unsigned i = 0; i < c->nic_count; i++)
        high[1 + i] = fcntl(c->nics[i].fd, F_DUPFD_CLOEXEC, 200);
    for (unsigned i = 0; i < 1 + c->nic_count; i++)
        dup2(high[i], AGENT_FD + (int)i);
    dup2(null, 0);
    dup2(null, 1);
    for (int fd = AGENT_FD + 1 + (int)c->nic_count; fd < 1024; fd++)
        if (fd != agent)
            (void)fcntl(fd, F_SETFD, is_passed(c, fd) ? 0 : FD_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* ^C is for us: we end it in order */
    if (getppid() == parent)
        execvp(w->list[0], w->list);
    _exit(127);
}

static int spawn(struct vm *vm, const struct vm_config *c, struct words *w, char *error, size_t error_size)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        snprintf(error, error_size, "no socket pair for the agent: %s", strerror(errno));
        return VM_FAILED;
    }
    pid_t parent = getpid();
    /* What QEMU complains about goes to the console's file. */
    int errors = open(vm->console, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    vm->pid = errors >= 0 ? fork() : -1;
    if (vm->pid == 0) {
        dup2(errors, 2);
        exec_qemu(c, w, pair[1], parent);
    }
    close(pair[1]);
    if (errors >= 0)
        close(errors);
    vm->agent = pair[0];
    fcntl(vm->agent, F_SETFL, O_NONBLOCK);
    vm->talk.fd = vm->agent;
    if (vm->pid > 0)
        return VM_OK;
    snprintf(error, error_size, "%s: %s", vm->console, strerror(errno));
    return VM_FAILED;
}

static bool is_there(const char *name)
{
    const char *path = getenv("PATH");
    char full[PATH_MAX];
    while (path != NULL && *path != '\0') {
        size_t n = strcspn(path, ":");
        if ((size_t)snprintf(full, sizeof(full), "%.*s/%s", (int)n, path, name) < sizeof(full) && access(full, X_OK) == 0)
            return true;
        path += n;
        path += *path == ':';
    }
    return false;
}

static int name_console(struct vm *vm, const struct vm_config *c, char *error, size_t error_size)
{
    const char *folder = getenv("TMPDIR");
    if (c->console != NULL) {
        if ((size_t)snprintf(vm->console, sizeof(vm->console), "%s", c->console) < sizeof(vm->console))
            return VM_OK;
    } else if ((size_t)snprintf(vm->console, sizeof(vm->console), "%s/smclab-console-XXXXXX", folder != NULL ? folder : "/tmp") <
               sizeof(vm->console)) {
        int fd = mkstemp(vm->console);
        vm->remove_console = fd >= 0;
        if (fd >= 0) {
            close(fd);
            return VM_OK;
        }
    }
    snprintf(error, error_size, "no file for the console");
    return VM_FAILED;
}

static void release(struct vm *vm)
{
    if (vm->agent >= 0)
        close(vm->agent);
    if (vm->remove_console)
        unlink(vm->console);
    vm_talk_end(&vm->talk);
    free(vm);
}

int vm_start(const struct vm_config *config, struct vm **out, char *error, size_t error_size)
{
    struct words *words = malloc(sizeof(*words));
    struct vm *vm = calloc(1, sizeof(*vm));
    int status = words != NULL && vm != NULL ? VM_OK : VM_FAILED;
    *out = NULL;
    if (status != VM_OK)
        snprintf(error, error_size, "no memory");
    else
        *vm = (struct vm){.agent = -1, .slow = config->image->debug};
    if (status == VM_OK && !is_there(program)) {
        snprintf(error, error_size, "a virtual machine needs %s: install qemu-system-x86", program);
        status = VM_MISSING;
    }
    if (status == VM_OK && config->nic_count > VM_NICS) {
        snprintf(error, error_size, "a virtual machine has at most %d NICs", VM_NICS);
        status = VM_FAILED;
    }
    if (status == VM_OK)
        status = name_console(vm, config, error, error_size);
    if (status == VM_OK) {
        bool kvm = vm_kvm_works(config->image);
        if (!make_words(words, config, vm->console, kvm)) {
            snprintf(error, error_size, "too many arguments for %s", program);
            status = VM_FAILED;
        }
    }
    if (status == VM_OK)
        status = spawn(vm, config, words, error, error_size);
    free(words);
    if (status == VM_OK)
        *out = vm;
    else if (vm != NULL)
        release(vm);
    return status;
}

/* ---- Watching it ---- */
size_t vm_console(struct vm *vm, char *out, size_t size)
{
    FILE *file = fopen(vm->console, "re");
    size_t n = 0;
    if (file != NULL && size > 1) {
        fseek(file, 0, SEEK_END);
        long length = ftell(file);
        fseek(file, length > (long)size - 1 ? length - (long)size + 1 : 0, SEEK_SET);
        n = fread(out, 1, size - 1, file);
    }
    if (file != NULL)
        fclose(file);
    if (size > 0)
        out[n] = '\0';
    size_t to = 0;
    const char *from = n + 1 == size ? memchr(out, '\n', n) : NULL; /* whole lines */
    for (size_t i = from != NULL ? (size_t)(from - out) + 1 : 0; i < n; i++)
        if (out[i] != '\r' && out[i] != '\0')
            out[to++] = out[i];
    if (size > 0)
        out[to] = '\0';
    return to;
}

/* What a kernel prints when something is wrong with it. */
static const char *const bad_signs[] = {
    "WARNING:", "BUG:", "kernel BUG at", "Oops", "Kernel panic", "general protection fault", "INFO: task ", "rcu: INFO:",
    "soft lockup", "KASAN:", "UBSAN:", "refcount_t:", "list_add corruption", "list_del corruption",
    "unregister_netdevice: waiting for", "possible circular locking", "suspicious RCU usage", "INFO: possible",
    "Unable to handle kernel", "unreferenced object", "smclab-agent:",
};

static const char *find_bad(const char *text)
{
    const char *first = NULL;
    for (size_t i = 0; i < sizeof(bad_signs) / sizeof(bad_signs[0]); i++) {
        const char *p = strstr(text, bad_signs[i]);
        if (p != NULL && (first == NULL || p < first))
            first = p;
    }
    while (first != NULL && first > text && first[-1] != '\n')
        first--;
    return first;
}

static void read_console(struct vm *vm)
{
    enum { OVERLAP = 64 };
    struct stat st;
    if (vm->bad || stat(vm->console, &st) != 0 || st.st_size == vm->console_read)
        return;
    char text[65536];
    FILE *file = fopen(vm->console, "re");
    if (file == NULL)
        return;
    fseek(file, vm->console_read > OVERLAP ? vm->console_read - OVERLAP : 0, SEEK_SET);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    vm->console_read = ftell(file);
    fclose(file);
    text[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\0' || text[i] == '\r')
            text[i] = ' ';
    const char *sign = find_bad(text);
    if (sign == NULL)
        return;
    vm->bad = true;
    snprintf(vm->why, sizeof(vm->why), "%s", sign);
}

static void reap(struct vm *vm)
{
    if (!vm->gone && waitpid(vm->pid, &vm->status, WNOHANG) == vm->pid)
        vm->gone = true;
}

static void fill_tail(struct vm *vm, const char *sentence, char *error, size_t error_size)
{
    char tail[TAIL];
    vm_console(vm, tail, sizeof(tail));
    snprintf(error, error_size, "%s%s%s", tail, tail[0] != '\0' && tail[strlen(tail) - 1] != '\n' ? "\n" : "", sentence);
}

int vm_check(struct vm *vm, char *error, size_t error_size)
{
    read_console(vm);
    reap(vm);
    if (vm->bad) {
        snprintf(error, error_size, "%s", vm->why);
        return VM_FAILED;
    }
    if (!vm->gone || vm->killed)
        return VM_OK;
    fill_tail(vm, "the virtual machine ended by itself", error, error_size);
    return VM_FAILED;
}

int vm_wait_ready(struct vm *vm, unsigned timeout_ms, char *error, size_t error_size)
{
    uint64_t until = vm_now_ms() + (timeout_ms != 0 ? timeout_ms : vm->slow ? 3 * BOOT_MS : BOOT_MS);
    char line[256];
    while (vm_now_ms() < until) {
        if (vm_talk_wait(&vm->talk, "ready", line, sizeof(line), 100) == VM_OK) {
            /* The agent says nothing before it is asked: nothing can have been read beyond this line but events, and those are
             * read by nobody yet. */
            vm_talk_end(&vm->talk);
            return vm_check(vm, error, error_size);
        }
        if (vm_check(vm, error, error_size) != VM_OK)
            return VM_FAILED;
    }
    fill_tail(vm, "the agent in the virtual machine did not get ready in time", error, error_size);
    return VM_FAILED;
}

int vm_agent_fd(const struct vm *vm)
{
    return vm->agent;
}

/* ---- Ending it ---- */
void vm_kill(struct vm *vm)
{
    vm->killed = true;
    if (!vm->gone) {
        kill(vm->pid, SIGKILL);
        while (waitpid(vm->pid, &vm->status, 0) < 0 && errno == EINTR)
            continue;
        vm->gone = true;
    }
}

static bool wait_gone(struct vm *vm, unsigned timeout_ms)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    char sink[4096];
    uint64_t until = vm_now_ms() + timeout_ms;
    for (reap(vm); !vm->gone && vm_now_ms() < until; reap(vm)) {
        while (read(vm->agent, sink, sizeof(sink)) > 0) /* what it still says must not hold it up */
            continue;
        nanosleep(&pause, NULL);
    }
    return vm->gone;
}

int vm_end(struct vm *vm, unsigned timeout_ms, char *error, size_t error_size)
{
    static const char line[] = "\n999999999 poweroff\n";
    if (vm == NULL)
        return VM_OK;
    int status = vm_check(vm, error, error_size);
    if (!vm->gone) {
        (void)!send(vm->agent, line, sizeof(line) - 1, MSG_NOSIGNAL); /* one that is on its way out hears no more */
        if (!wait_gone(vm, timeout_ms != 0 ? timeout_ms : END_MS)) {
            if (status == VM_OK)
                fill_tail(vm, "the virtual machine did not power off", error, error_size);
            status = VM_FAILED;
            vm_kill(vm);
        }
    }
    read_console(vm);
    if (status == VM_OK && vm->bad && !vm->killed) {
        snprintf(error, error_size, "%s", vm->why);
        status = VM_FAILED;
    }
    release(vm);
    return status;
}
