/* Processes of the agent: those that hold sockets (and can be killed), those that wait for a slow kernel, and programs.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ACCEPTED_A_CHILD = 100000, PATIENCE_MS = 30000, KILL_MS = 15000, READ = 65536 };
enum kind { HOLDER, SLOW, PROGRAM };

struct agent_child {
    struct agent_source source; /* the first member; a holder's channel, a program's output, or -1 */
    struct agent_child *next;
    enum kind kind;
    pid_t pid;
    bool gone;                  /* reaped */
    int status;                 /* of waitpid */
    uint64_t *ids;              /* sockets that a holder has; or [0]: the program's number */
    size_t count, room;
    char *what;                 /* the event of a slow call */
    struct agent_text in;       /* a holder's lines that are not complete */
};

static struct agent_child *add_child(struct agent *a, enum kind kind)
{
    struct agent_child *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->kind = kind;
    c->source.fd = -1;
    c->pid = -1;
    c->next = a->children;
    a->children = c;
    return c;
}

static void close_source(struct agent *a, struct agent_child *c)
{
    if (c->source.fd < 0)
        return;
    agent_unwatch(a, &c->source);
    close(c->source.fd);
    c->source.fd = -1;
}

static void remove_child(struct agent *a, struct agent_child *c)
{
    for (struct agent_child **p = &a->children; *p != NULL; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    close_source(a, c);
    agent_text_free(&c->in);
    free(c->ids);
    free(c->what);
    free(c);
}

static int add_id(struct agent_child *c, uint64_t id)
{
    if (c->count == c->room) {
        size_t room = c->room == 0 ? 4 : 2 * c->room;
        uint64_t *ids = realloc(c->ids, room * sizeof(*ids));
        if (ids == NULL)
            return ENOMEM;
        c->ids = ids;
        c->room = room;
    }
    c->ids[c->count++] = id;
    return 0;
}

static struct agent_child *holder_of(struct agent *a, uint64_t id)
{
    for (struct agent_child *c = a->children; c != NULL; c = c->next)
        for (size_t i = 0; c->kind == HOLDER && i < c->count; i++)
            if (c->ids[i] == id)
                return c;
    return NULL;
}

/* In the child: nothing of the parent stays open but one descriptor, which becomes 3. */
static void become_child(int keep)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (keep != 3)
        dup2(keep, 3);
    close_range(4, ~0u, 0);
}

/* ---- Holders of sockets ---- */
static void take_event(struct agent *a, struct agent_child *c, char *line)
{
    char *id = strstr(line, " id=");
    if (strncmp(line, "* accepted ", 11) == 0 && id != NULL)
        (void)add_id(c, strtoull(id + 4, NULL, 10));
    agent_text_print(&a->out, "%s\n", line);
}

/* Takes lines that are complete; the first that is no event is copied to *answer (which is then owned by the caller). */
static void take_lines(struct agent *a, struct agent_child *c, char **answer)
{
    size_t from = 0;
    for (char *end; answer == NULL || *answer == NULL;) {
        if (c->in.length == from || (end = memchr(c->in.p + from, '\n', c->in.length - from)) == NULL)
            break;
        *end = '\0';
        char *line = c->in.p + from;
        from = (size_t)(end - c->in.p) + 1;
        if (line[0] == '*')
            take_event(a, c, line);
        else if (answer != NULL)
            *answer = strdup(line);
    }
    memmove(c->in.p, c->in.p + from, c->in.length - from);
    c->in.length -= from;
}

/* False: the child is gone. */
static bool read_child(struct agent_child *c)
{
    char bytes[READ];
    ssize_t n = read(c->source.fd, bytes, sizeof(bytes));
    if (n > 0)
        agent_text_add(&c->in, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void holder_ready(struct agent *a, struct agent_source *source, uint32_t events)
{
    struct agent_child *c = (struct agent_child *)source;
    (void)events;
    bool alive = read_child(c);
    if (c->in.length > 0)
        take_lines(a, c, NULL);
    if (!alive)
        close_source(a, c); /* its end is told by SIGCHLD */
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (done < 0) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            if (poll(&wait, 1, (int)agent_patience(PATIENCE_MS)) <= 0)
                return false;
            continue;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static int error_of_name(const char *name, size_t n)
{
    for (int i = 1; i < 134; i++) {
        const char *known = strerrorname_np(i);
        if (known != NULL && strlen(known) == n && memcmp(known, name, n) == 0)
            return i;
    }
    return EIO;
}

static int take_answer(struct agent *a, const char *line, struct agent_text *answer)
{
    const char *text = strchr(line, ' ');
    if (text != NULL && strncmp(text, " ok", 3) == 0) {
        agent_text_add(answer, text + 3, strlen(text + 3));
        return 0;
    }
    if (text == NULL || strncmp(text, " error ", 7) != 0)
        return EIO;
    size_t n = strcspn(text + 7, " ");
    const char *why = text + 7 + n;
    snprintf(a->why, sizeof(a->why), "%s", *why == ' ' ? why + 1 : "");
    return error_of_name(text + 7, n);
}

/* The child answers at once, as we do: so it is waited for, and answers stay in order. */
static int forward(struct agent *a, struct agent_child *c, const struct agent_line *line, struct agent_text *answer)
{
    struct agent_text text = {0};
    char *reply = NULL;
    agent_text_print(&text, "%" PRIu64 " %s", line->number, line->verb);
    for (unsigned i = 0; i < line->count; i++)
        agent_text_pair(&text, line->pair[i].name, line->pair[i].value);
    agent_text_add(&text, "\n", 1);
    bool alive = !text.failed && c->source.fd >= 0 && write_all(c->source.fd, text.p, text.length);
    agent_text_free(&text);
    while (alive && reply == NULL) {
        struct pollfd wait = {.fd = c->source.fd, .events = POLLIN};
        alive = poll(&wait, 1, (int)agent_patience(PATIENCE_MS)) > 0 && read_child(c);
        take_lines(a, c, &reply);
    }
    if (reply == NULL)
        return agent_fail(a, ESRCH, "the process of this socket is gone");
    int status = take_answer(a, reply, answer);
    free(reply);
    return status;
}

static void be_holder(uint64_t first_accepted)
{
    struct agent_setup setup = {.in = 3, .out = 3, .child = true, .no_kmsg = true, .first_accepted = first_accepted};
    bool poweroff;
    (void)agent_serve(&setup, &poweroff);
    _exit(0);
}

static int start_holder(struct agent *a, struct agent_child *c)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    uint64_t first = AGENT_FIRST_ACCEPTED + ++a->children_made * ACCEPTED_A_CHILD;
    c->pid = fork();
    if (c->pid == 0) {
        become_child(pair[1]);
        be_holder(first);
    }
    int status = c->pid < 0 ? errno : 0;
    close(pair[1]);
    c->source = (struct agent_source){.fd = pair[0], .ready = holder_ready};
    return status != 0 ? status : agent_watch(a, &c->source, EPOLLIN);
}

int agent_child_start(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    uint64_t id;
    int status = agent_need_number(a, line, "id", AGENT_FIRST_ACCEPTED - 1, &id);
    if (status != 0)
        return status;
    struct agent_child *c = add_child(a, HOLDER);
    if (c == NULL)
        return ENOMEM;
    status = add_id(c, id);
    if (status == 0)
        status = start_holder(a, c);
    if (status == 0)
        status = forward(a, c, line, answer);
    if (status != 0) {
        if (c->pid > 0)
            kill(c->pid, SIGKILL);
        c->count = 0;
        if (c->pid <= 0)
            remove_child(a, c);
    }
    return status;
}

bool agent_child_takes(struct agent *a, const struct agent_line *line, struct agent_text *answer, int *status)
{
    uint64_t id;
    if (agent_line_number(line, "id", UINT64_MAX, &id) != 1)
        return false;
    struct agent_child *c = holder_of(a, id);
    if (c == NULL)
        return false;
    if (strcmp(line->verb, "kill") != 0) {
        *status = forward(a, c, line, answer);
        if (*status == 0 && (strcmp(line->verb, "close") == 0 || strcmp(line->verb, "abort") == 0))
            for (size_t i = 0; i < c->count; i++)
                if (c->ids[i] == id)
                    c->ids[i] = c->ids[--c->count];
        return true;
    }
    *status = kill(c->pid, SIGKILL) == 0 ? 0 : errno;
    c->count = 0;
    close_source(a, c);
    return true;
}

/* ---- Slow calls ---- */
/* Where in the kernel a process sleeps, innermost first, as /proc/PID/stack tells it to root. */
static void where_in_kernel(pid_t pid, char *out, size_t size)
{
    char path[64], line[256];
    size_t n = 0;
    snprintf(path, sizeof(path), "/proc/%d/stack", (int)pid);
    FILE *file = fopen(path, "re");
    out[0] = '\0';
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *name = strstr(line, "] ");
        if (name == NULL)
            continue;
        name += 2;
        name[strcspn(name, "+\n")] = '\0';
        int more = snprintf(out + n, size - n, "%s%s", n > 0 ? " < " : "", name);
        if (more < 0 || (size_t)more >= size - n)
            break;
        n += (size_t)more;
    }
    if (file != NULL)
        fclose(file);
}

static int fail_stuck(struct agent *a, const char *what, pid_t pid)
{
    char where[384];
    where_in_kernel(pid, where, sizeof(where));
    return agent_fail(a, ETIMEDOUT, "the kernel does not end '%s'%s%s", what, where[0] != '\0' ? ", it sleeps in " : "", where);
}

/* True: the process has ended. */
static bool wait_patiently(pid_t pid, unsigned timeout_ms, int *status)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    uint64_t until = agent_now_ns() + (uint64_t)timeout_ms * 1000000;
    for (;;) {
        pid_t done = waitpid(pid, status, WNOHANG);
        if (done == pid || (done < 0 && errno != EINTR))
            return true;
        if (agent_now_ns() >= until)
            return false;
        nanosleep(&pause, NULL);
    }
}

int agent_child_slowly(struct agent *a, const char *what, int (*work)(void *user), void *user)
{
    struct agent_child *c = add_child(a, SLOW);
    if (c == NULL)
        return ENOMEM;
    c->what = strdup(what);
    c->pid = c->what != NULL ? fork() : -1;
    if (c->pid == 0) {
        become_child(2);
        _exit(work(user));
    }
    if (c->pid > 0)
        return 0;
    remove_child(a, c);
    return ENOMEM;
}

/* SMC may wait for ever for a link group that does not go: then the process is left to its fate. */
int agent_child_wait(struct agent *a, const char *what, int (*work)(void *user), void *user, unsigned timeout_ms)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        become_child(2);
        _exit(work(user));
    }
    if (pid < 0)
        return errno;
    if (!wait_patiently(pid, timeout_ms, &status))
        return fail_stuck(a, what, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/* ---- Programs ---- */
static void program_ready(struct agent *a, struct agent_source *source, uint32_t events)
{
    struct agent_child *c = (struct agent_child *)source;
    struct agent_text text = {0};
    char bytes[4096];
    (void)events;
    ssize_t n = read(source->fd, bytes, sizeof(bytes));
    if (n > 0) {
        agent_text_print(&text, "output program=%" PRIu64 " bytes=", c->ids[0]);
        agent_text_hex(&text, bytes, (size_t)n);
        agent_event_text(a, &text);
        agent_text_free(&text);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_source(a, c);
        agent_child_reap(a);
    }
}

enum { ARGUMENTS = 62 };
static void exec_program(int out, const char *path, const char *list)
{
    char *arguments[ARGUMENTS + 2], *copy = strdup(list);
    int n = 0;
    become_child(out);
    dup2(3, 1);
    dup2(3, 2);
    close(3);
    arguments[n++] = strdup(path);
    for (char *word, *rest = copy; n <= ARGUMENTS && (word = strsep(&rest, ",")) != NULL;)
        if (*word != '\0')
            arguments[n++] = word;
    arguments[n] = NULL;
    execv(path, arguments);
    dprintf(2, "%s: %s\n", path, strerror(errno));
    _exit(127);
}

static int start_program(struct agent *a, struct agent_child *c, const char *path, const char *list)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return errno;
    c->pid = fork();
    if (c->pid == 0)
        exec_program(pair[1], path, list);
    int status = c->pid < 0 ? errno : 0;
    close(pair[1]);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    c->source = (struct agent_source){.fd = pair[0], .ready = program_ready};
    return status != 0 ? status : agent_watch(a, &c->source, EPOLLIN);
}

static struct agent_child *find_program(struct agent *a, uint64_t number)
{
    for (struct agent_child *c = a->children; c != NULL; c = c->next)
        if (c->kind == PROGRAM && c->ids[0] == number)
            return c;
    return NULL;
}

int agent_program_start(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *path, *list = agent_line_get(line, "arguments");
    uint64_t number;
    int status = agent_need_number(a, line, "program", UINT64_MAX, &number);
    (void)answer;
    if (status == 0)
        status = agent_need(a, line, "path", &path);
    if (status == 0 && find_program(a, number) != NULL)
        status = agent_fail(a, EEXIST, "program %" PRIu64 " runs already", number);
    if (status == 0 && access(path, X_OK) != 0)
        status = errno;
    struct agent_child *c = status == 0 ? add_child(a, PROGRAM) : NULL;
    if (c == NULL)
        return status != 0 ? status : ENOMEM;
    status = add_id(c, number);
    if (status == 0)
        status = start_program(a, c, path, list != NULL ? list : "");
    if (status != 0)
        remove_child(a, c);
    return status;
}

int agent_program_signal(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    uint64_t number, signal_number = SIGKILL;
    int status = agent_need_number(a, line, "program", UINT64_MAX, &number);
    (void)answer;
    if (status == 0)
        status = agent_may_number(a, line, "signal", 64, &signal_number);
    if (status != 0)
        return status;
    struct agent_child *c = find_program(a, number);
    if (c == NULL || c->gone)
        return agent_fail(a, ESRCH, "there is no program %" PRIu64, number);
    return kill(c->pid, (int)signal_number) == 0 ? 0 : errno;
}

/* ---- Their ends ---- */
static void tell_end(struct agent *a, struct agent_child *c)
{
    int code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 0;
    if (c->kind == SLOW)
        agent_event(a, "%s error=%s", c->what, code != 0 ? agent_error_name(code) : "");
    if (c->kind == PROGRAM)
        agent_event(a, "exited program=%" PRIu64 " status=%d signal=%d", c->ids[0], code,
                    WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0);
}

void agent_child_reap(struct agent *a)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (struct agent_child *c = a->children; c != NULL; c = c->next)
            if (c->pid == pid) {
                c->gone = true;
                c->status = status;
            }
    for (struct agent_child *c = a->children, *next; c != NULL; c = next) {
        next = c->next;
        if (!c->gone || (c->kind == PROGRAM && c->source.fd >= 0)) /* its last words come first */
            continue;
        tell_end(a, c);
        /* The loop may still hold an event of it: only the descriptor goes now. */
        close_source(a, c);
        c->gone = false;
        c->pid = -1;
        c->count = 0;
    }
}

int agent_children_kill(struct agent *a)
{
    int result = 0, status;
    while (a->children != NULL) {
        struct agent_child *c = a->children;
        if (c->pid > 0 && !c->gone) {
            kill(c->pid, SIGKILL);
            if (!wait_patiently(c->pid, agent_patience(KILL_MS), &status))
                result = fail_stuck(a, c->kind == SLOW ? c->what : "a process that holds sockets", c->pid);
        }
        remove_child(a, c);
    }
    return result;
}
