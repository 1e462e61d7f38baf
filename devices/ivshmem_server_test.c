/* Tests of the ivshmem server and our client of it: greeting, peers, interrupts, and those who break the rules.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/dibs_testing.h"
#include "devices/ivshmem_client.h"
#include "testing/check_main.h"

enum { VECTORS = 3, REGION = 1 << 20, NOTHING = INT16_MIN };

struct heard {
    unsigned interrupts[VECTORS + 1], came, went;
    uint16_t last_gone;
};

static struct test_memory memory;
static struct ivshmem_server *server;
static char folder[64], path[96];
static unsigned arrivals, departures;

static void changed(void *user, uint16_t id, bool present)
{
    (void)user;
    (void)id;
    if (present)
        arrivals++;
    else
        departures++;
}

static struct ivshmem_server_config server_config(void)
{
    return (struct ivshmem_server_config){
        .alloc = &memory.alloc, .path = path, .memory_bytes = REGION, .vectors = VECTORS, .changed = changed};
}

static void set_up(void)
{
    test_memory_init(&memory);
    snprintf(folder, sizeof(folder), "/tmp/smclab-ivshmem-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
    struct ivshmem_server_config config = server_config();
    ck_assert_int_eq(ivshmem_server_create(&config, &server), 0);
}

static void tear_down(void)
{
    if (server != NULL)
        ivshmem_server_destroy(server);
    server = NULL;
    ck_assert_uint_eq(memory.held, 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void serve(void)
{
    for (int i = 0; i < 3; i++)
        ivshmem_server_run(server);
}

/* ---- a client that is nothing but a socket ---- */

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    serve();
    return fd;
}

/* The next message; *file: what came with it, or -1. NOTHING: there is none now, or the connection ended. */
static int64_t next(int fd, int *file)
{
    uint8_t bytes[8];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT);
    *file = -1;
    if (n <= 0)
        return NOTHING;
    ck_assert_int_eq(n, 8);
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    if (c != NULL)
        memcpy(file, CMSG_DATA(c), sizeof(int));
    return (int64_t)smc_load_le(bytes, 8);
}

static void expect(int fd, int64_t number, bool with_file)
{
    int file;
    ck_assert_int_eq(next(fd, &file), number);
    ck_assert_int_eq(file >= 0, with_file);
    if (file >= 0)
        close(file);
}

static void expect_peer(int fd, int64_t id)
{
    for (int v = 0; v < VECTORS; v++)
        expect(fd, id, true);
}

static void expect_greeting(int fd, int64_t id)
{
    expect(fd, 0, false);
    expect(fd, id, false);
    expect(fd, -1, true);
}

static bool ended(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void drain(int fd)
{
    int file;
    while (next(fd, &file) != NOTHING)
        if (file >= 0)
            close(file);
}

/* ---- the server ---- */

START_TEST(a_client_is_greeted_in_the_order_of_the_protocol) /* [IVSHMEM-003] [IVSHMEM-004] [IVSHMEM-007] */
{
    int a = connect_raw(), file;
    expect_greeting(a, 0);
    expect_peer(a, 0);
    ck_assert_int_eq(next(a, &file), NOTHING);
    int b = connect_raw();
    expect_peer(a, 1);
    expect_greeting(b, 1);
    expect_peer(b, 0);
    expect_peer(b, 1);
    ck_assert_uint_eq(ivshmem_server_clients(server), 2);
    close(a);
    close(b);
    serve();
    ck_assert_uint_eq(ivshmem_server_clients(server), 0);
}
END_TEST

START_TEST(a_client_that_ends_is_reported_and_its_id_is_given_again) /* [IVSHMEM-005] */
{
    int a = connect_raw(), b = connect_raw(), c = connect_raw();
    drain(b);
    drain(c);
    close(a);
    serve();
    expect(b, 0, false);
    expect(c, 0, false);
    int d = connect_raw();
    expect_greeting(d, 0);
    expect_peer(d, 1);
    expect_peer(d, 2);
    expect_peer(d, 0);
    expect_peer(b, 0);
    close(b);
    close(c);
    close(d);
    serve();
}
END_TEST

START_TEST(the_memory_is_one_for_all_and_nobody_can_change_its_size)
{
    int a = connect_raw(), b = connect_raw(), fa, fb;
    expect(a, 0, false);
    expect(a, 0, false);
    ck_assert_int_eq(next(a, &fa), -1);
    expect(b, 0, false);
    expect(b, 1, false);
    ck_assert_int_eq(next(b, &fb), -1);
    struct stat info;
    ck_assert_int_eq(fstat(fa, &info), 0);
    ck_assert_int_eq(info.st_size, REGION);
    ck_assert_int_eq(ftruncate(fa, 4096), -1);
    ck_assert_int_eq(ftruncate(fa, 2 * REGION), -1);
    uint8_t *ma = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, fa, 0);
    uint8_t *mb = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_SHARED, fb, 0);
    ma[REGION - 1] = 77;
    ck_assert_uint_eq(mb[REGION - 1], 77);
    munmap(ma, REGION);
    munmap(mb, REGION);
    close(fa);
    close(fb);
    close(a);
    close(b);
    serve();
}
END_TEST

START_TEST(a_client_that_says_anything_is_put_out_and_the_others_hear_it)
{
    int a = connect_raw(), b = connect_raw();
    drain(a);
    ck_assert_int_eq(write(b, "x", 1), 1);
    serve();
    expect(a, 1, false);
    drain(b);
    ck_assert(ended(b));
    ck_assert_uint_eq(ivshmem_server_clients(server), 1);
    ck_assert_uint_eq(ivshmem_server_refused(server), 1);
    close(a);
    close(b);
    serve();
}
END_TEST

static unsigned open_files(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < 1000; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

START_TEST(a_client_that_never_reads_costs_no_more_than_who_is_there)
{
    int sleeper = connect_raw();
    size_t held = 0;
    unsigned files = 0;
    for (int round = 0; round < 1000; round++) {
        int fd = connect_raw();
        drain(fd);
        close(fd);
        serve();
        if (round == 500) { /* its socket is full by now */
            held = memory.held;
            files = open_files();
        }
    }
    ck_assert_uint_eq(ivshmem_server_clients(server), 1);
    ck_assert_uint_eq(memory.held, held);
    ck_assert_uint_eq(open_files(), files);
    int peer = connect_raw(), file;
    bool present = false;
    for (int64_t m; (m = next(sleeper, &file)) != NOTHING; serve()) {
        present = m == 1 ? file >= 0 : present;
        if (file >= 0)
            close(file);
    }
    ck_assert(present); /* awake, it knows the one that is there */
    close(sleeper);
    close(peer);
    serve();
}
END_TEST

START_TEST(a_client_that_reads_late_misses_nobody_who_is_there)
{
    int late = connect_raw(), others[200];
    for (int i = 0; i < 200; i++) {
        others[i] = connect_raw();
        drain(others[i]);
    }
    expect_greeting(late, 0);
    expect_peer(late, 0);
    for (int i = 0; i < 200; i++) {
        expect_peer(late, i + 1);
        serve(); /* there is room again */
    }
    for (int i = 0; i < 200; i++)
        close(others[i]);
    for (int i = 0; i < 20; i++)
        serve();
    bool gone[201] = {false};
    for (int i = 0, file; i < 200; i++) {
        int64_t id = next(late, &file);
        ck_assert(id >= 1 && id <= 200 && !gone[id] && file < 0);
        gone[id] = true;
    }
    close(late);
    serve();
}
END_TEST

START_TEST(when_files_run_out_newcomers_are_turned_away_and_the_rest_lives_on)
{
    struct rlimit before, tight;
    int a = connect_raw(), fds[8], top = dup(0);
    drain(a);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    close(top);
    for (int i = 0; i < 8; i++)
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
    tight = (struct rlimit){.rlim_cur = (rlim_t)fds[7] + 2, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
    serve();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_uint_eq(ivshmem_server_clients(server), 1);
    ck_assert_uint_eq(ivshmem_server_refused(server), 8);
    for (int i = 0; i < 8; i++) {
        ck_assert(ended(fds[i]));
        close(fds[i]);
    }
    int b = connect_raw();
    expect_greeting(b, 1);
    close(a);
    close(b);
    serve();
}
END_TEST

START_TEST(no_more_clients_than_allowed_are_let_in)
{
    struct ivshmem_server_config config = server_config();
    ivshmem_server_destroy(server);
    config.max_clients = 2;
    ck_assert_int_eq(ivshmem_server_create(&config, &server), 0);
    int a = connect_raw(), b = connect_raw(), c = connect_raw();
    ck_assert(ended(c));
    ck_assert_uint_eq(ivshmem_server_clients(server), 2);
    close(a);
    serve();
    int d = connect_raw();
    expect_greeting(d, 0);
    close(b);
    close(c);
    close(d);
    serve();
}
END_TEST

START_TEST(a_socket_in_use_is_respected_and_one_left_behind_is_replaced)
{
    struct ivshmem_server_config config = server_config();
    struct ivshmem_server *second = NULL;
    ck_assert_int_eq(ivshmem_server_create(&config, &second), SMC_ERR_EXISTS);
    ivshmem_server_destroy(server);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd); /* as a server that was killed leaves it */
    ck_assert_int_eq(ivshmem_server_create(&config, &server), 0);
    ivshmem_server_destroy(server);
    server = NULL;
    FILE *file = fopen(path, "w");
    fclose(file);
    ck_assert_int_eq(ivshmem_server_create(&config, &server), SMC_ERR_EXISTS); /* no socket: not ours to remove */
    ck_assert_int_eq(unlink(path), 0);
    server = NULL;
}
END_TEST

START_TEST(a_wrong_size_number_or_path_is_refused)
{
    char long_path[300];
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    struct ivshmem_server *s;
    struct ivshmem_server_config good = server_config(), c;
    const uint64_t sizes[] = {0, 1, 2048, 4097, 3 << 20, (uint64_t)1 << 47};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        c = good;
        c.memory_bytes = sizes[i];
        ck_assert_int_eq(ivshmem_server_create(&c, &s), SMC_ERR_ARGUMENT);
    }
    c = good;
    c.vectors = 0;
    ck_assert_int_eq(ivshmem_server_create(&c, &s), SMC_ERR_ARGUMENT);
    c.vectors = IVSHMEM_SERVER_VECTORS + 1;
    ck_assert_int_eq(ivshmem_server_create(&c, &s), SMC_ERR_ARGUMENT);
    c = good;
    c.path = long_path;
    ck_assert_int_eq(ivshmem_server_create(&c, &s), SMC_ERR_ARGUMENT);
    c.path = "";
    ck_assert_int_eq(ivshmem_server_create(&c, &s), SMC_ERR_ARGUMENT);
    c.path = "/nowhere/at/all";
    ck_assert_int_eq(ivshmem_server_create(&c, &s), SMC_ERR_IO);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(without_memory_a_newcomer_is_refused_and_nothing_is_lost)
{
    int a = connect_raw();
    for (int left = 1; left < 6; left++) {
        memory.fail_at = memory.calls + (size_t)left;
        int b = connect_raw();
        memory.fail_at = 0;
        close(b);
        serve();
        ck_assert_uint_eq(ivshmem_server_clients(server), 1);
    }
    close(a);
    serve();
}
END_TEST

/* ---- our client ---- */

static void on_interrupt(void *user, uint16_t vector)
{
    ((struct heard *)user)->interrupts[vector]++;
}

static void on_peer(void *user, uint16_t id, bool present)
{
    struct heard *h = user;
    if (present)
        h->came++;
    else {
        h->went++;
        h->last_gone = id;
    }
}

static struct ivshmem_client_config client_config(struct heard *h, uint32_t vectors)
{
    return (struct ivshmem_client_config){
        .alloc = &memory.alloc, .path = path, .vectors = vectors, .interrupt = on_interrupt, .peer = on_peer, .user = h};
}

static struct ivshmem_client *join(struct heard *h, uint32_t vectors)
{
    struct ivshmem_client *c;
    struct ivshmem_client_config config = client_config(h, vectors);
    ck_assert_int_eq(ivshmem_client_connect(&config, &c), 0);
    serve();
    ck_assert_int_eq(ivshmem_client_wait(c, 2000), 0);
    ck_assert(ivshmem_client_ready(c));
    return c;
}

static void ring(struct ivshmem_client *from, uint32_t value)
{
    struct ivshmem_bars bars = ivshmem_client_bars(from);
    bars.write(bars.user, IVSHMEM_DOORBELL, value);
}

START_TEST(clients_ring_each_other_and_themselves) /* [IVSHMEM-001] [IVSHMEM-002] [IVSHMEM-008] */
{
    struct heard ha, hb;
    memset(&ha, 0, sizeof(ha));
    memset(&hb, 0, sizeof(hb));
    struct ivshmem_client *a = join(&ha, VECTORS), *b = join(&hb, VECTORS);
    ck_assert_int_eq(ivshmem_client_run(a), 0);
    struct ivshmem_bars bars = ivshmem_client_bars(b);
    ck_assert_uint_eq(bars.read(bars.user, IVSHMEM_POSITION), 1);
    ck_assert_uint_eq(bars.read(bars.user, IVSHMEM_DOORBELL), 0);
    ck_assert_uint_eq(bars.memory_bytes, REGION);
    ck_assert_uint_eq(bars.vectors, VECTORS);
    ring(a, 1u << 16 | 2);
    ring(b, 0u << 16 | 1);
    ring(b, 1u << 16 | 0);
    ring(b, 0u << 16 | VECTORS); /* no such vector */
    ring(b, 9u << 16 | 0);       /* no such peer */
    bars.write(bars.user, IVSHMEM_MASK, 1);
    ck_assert_int_eq(ivshmem_client_run(a), 0);
    ck_assert_int_eq(ivshmem_client_run(b), 0);
    ck_assert_uint_eq(ha.interrupts[1], 1);
    ck_assert_uint_eq(ha.interrupts[0] + ha.interrupts[2], 0);
    ck_assert_uint_eq(hb.interrupts[0], 1);
    ck_assert_uint_eq(hb.interrupts[1], 0);
    ck_assert_uint_eq(hb.interrupts[2], 1);
    ck_assert_uint_eq(ivshmem_client_peers(a), 1);
    ivshmem_client_close(b);
    serve();
    ck_assert_int_eq(ivshmem_client_run(a), 0);
    ck_assert_uint_eq(ha.came, 1);
    ck_assert_uint_eq(ha.went, 1);
    ck_assert_uint_eq(ha.last_gone, 1);
    ring(a, 1u << 16); /* nobody there any more */
    ivshmem_client_close(a);
    serve();
}
END_TEST

START_TEST(fewer_and_more_vectors_than_the_server_has_both_work) /* [IVSHMEM-006] */
{
    struct heard ha, hb;
    memset(&ha, 0, sizeof(ha));
    memset(&hb, 0, sizeof(hb));
    struct ivshmem_client *a = join(&ha, 1), *b = join(&hb, 8);
    ck_assert_int_eq(ivshmem_client_run(a), 0);
    ck_assert_uint_eq(ivshmem_client_bars(a).vectors, 1);
    ck_assert_uint_eq(ivshmem_client_bars(b).vectors, VECTORS);
    ring(a, 1u << 16 | 2); /* b has three, whatever a has itself */
    ck_assert_int_eq(ivshmem_client_run(b), 0);
    ck_assert_uint_eq(hb.interrupts[2], 1);
    ivshmem_client_close(a);
    ivshmem_client_close(b);
    serve();
}
END_TEST

START_TEST(when_the_server_goes_memory_and_bells_stay)
{
    struct heard ha, hb;
    memset(&ha, 0, sizeof(ha));
    memset(&hb, 0, sizeof(hb));
    struct ivshmem_client *a = join(&ha, 1), *b = join(&hb, 1);
    ck_assert_int_eq(ivshmem_client_run(a), 0);
    ivshmem_server_destroy(server);
    server = NULL;
    ck_assert_int_eq(ivshmem_client_run(a), SMC_ERR_GONE);
    ck_assert_int_eq(ivshmem_client_run(a), 0); /* said once */
    ivshmem_client_bars(a).memory[5] = 42;
    ck_assert_uint_eq(ivshmem_client_bars(b).memory[5], 42);
    ring(a, 1u << 16);
    ck_assert_int_eq(ivshmem_client_run(b), SMC_ERR_GONE);
    ck_assert_uint_eq(hb.interrupts[0], 1);
    ivshmem_client_close(a);
    ivshmem_client_close(b);
}
END_TEST

START_TEST(a_client_without_memory_fails_and_leaves_nothing)
{
    struct heard h;
    memset(&h, 0, sizeof(h));
    struct ivshmem_client_config config = client_config(&h, 2);
    struct ivshmem_client *c;
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(ivshmem_client_connect(&config, &c), SMC_ERR_NOMEM);
    memory.fail_at = 0;
    config.vectors = 0;
    ck_assert_int_eq(ivshmem_client_connect(&config, &c), SMC_ERR_ARGUMENT);
    config = client_config(&h, 2);
    config.memory_bytes = REGION / 2; /* larger than wanted */
    ck_assert_int_eq(ivshmem_client_connect(&config, &c), 0);
    serve();
    ck_assert_int_eq(ivshmem_client_wait(c, 1000), SMC_ERR_PROTOCOL);
    ivshmem_client_close(c);
    serve();
}
END_TEST

/* ---- a server that breaks the rules: the test itself, in pieces of any size ---- */

enum { FILE_NONE = -1, FILE_BELL = -2, FILE_MEMORY = -3, FILE_SMALL = -4, FILE_TWO = -5, FILE_PIPE = -6 };

struct step {
    int64_t number;
    int file;
    size_t cut; /* so many bytes of it only; 0: all */
};

static int open_file(int kind)
{
    if (kind == FILE_BELL || kind == FILE_TWO)
        return eventfd(0, 0);
    if (kind == FILE_PIPE) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        close(ends[1]);
        return ends[0];
    }
    int fd = memfd_create("test", 0);
    ck_assert_int_eq(ftruncate(fd, kind == FILE_SMALL ? 100 : REGION), 0);
    return fd;
}

static void send_step(int fd, const struct step *step, size_t piece)
{
    uint8_t bytes[8];
    size_t length = step->cut != 0 ? step->cut : sizeof(bytes);
    smc_store_le(bytes, 8, (uint64_t)step->number);
    int files[2] = {-1, -1};
    size_t count = step->file == FILE_NONE ? 0 : step->file == FILE_TWO ? 2 : 1;
    for (size_t i = 0; i < count; i++)
        files[i] = open_file(step->file);
    for (size_t at = 0; at < length; at += piece) {
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control = {.bytes = {0}};
        struct iovec iov = {bytes + at, length - at < piece ? length - at : piece};
        struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
        if (count > 0 && at == 0) {
            header.msg_control = control.bytes;
            header.msg_controllen = CMSG_SPACE(count * sizeof(int));
            struct cmsghdr *c = CMSG_FIRSTHDR(&header);
            c->cmsg_level = SOL_SOCKET;
            c->cmsg_type = SCM_RIGHTS;
            c->cmsg_len = CMSG_LEN(count * sizeof(int));
            memcpy(CMSG_DATA(c), files, count * sizeof(int));
        }
        ck_assert_int_gt(sendmsg(fd, &header, MSG_NOSIGNAL), 0);
    }
    for (size_t i = 0; i < count; i++)
        close(files[i]);
}

/* What ivshmem_client_run says after these steps; without a server of ours. */
static int play(const struct step *steps, unsigned count, size_t piece, bool hang_up, bool *ready)
{
    static struct heard h;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ivshmem_client_config config = client_config(&h, 1);
    struct ivshmem_client *c;
    unsigned before = open_files();
    memcpy(address.sun_path, path, strlen(path));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), result = 0;
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(ivshmem_client_connect(&config, &c), 0);
    int fd = accept(listener, NULL, NULL);
    for (unsigned i = 0; i < count && result == 0; i++) {
        send_step(fd, &steps[i], piece);
        result = ivshmem_client_run(c);
    }
    if (hang_up && result == 0) {
        close(fd);
        fd = -1;
        result = ivshmem_client_run(c);
    }
    for (int i = 0; i < 4; i++)
        (void)ivshmem_client_run(c);
    *ready = ivshmem_client_ready(c);
    if (fd >= 0)
        close(fd);
    close(listener);
    unlink(path);
    ivshmem_client_close(c);
    ck_assert_uint_eq(open_files(), before); /* no file of a hostile server stays open */
    return result;
}

static void without_server(void)
{
    set_up();
    ivshmem_server_destroy(server);
    server = NULL;
}

#define GREETING {0, FILE_NONE, 0}, {3, FILE_NONE, 0}, {-1, FILE_MEMORY, 0}

START_TEST(messages_may_arrive_in_pieces_of_any_size) /* [IVSHMEM-004] */
{
    const struct step steps[] = {GREETING, {1, FILE_BELL, 0}, {3, FILE_BELL, 0}, {1, FILE_NONE, 0}};
    bool ready;
    for (size_t piece = 1; piece <= 8; piece++) {
        ck_assert_int_eq(play(steps, 6, piece, false, &ready), 0);
        ck_assert(ready);
    }
}
END_TEST

static const struct {
    struct step steps[6];
    unsigned count;
    bool hang_up;
    int result;
} rudeness[] = {
    {{{1, FILE_NONE, 0}}, 1, false, SMC_ERR_PROTOCOL},                                       /* version 1 */
    {{{-1, FILE_NONE, 0}}, 1, false, SMC_ERR_PROTOCOL},                                      /* version -1 */
    {{{0, FILE_BELL, 0}}, 1, false, SMC_ERR_PROTOCOL},                                       /* a file with the version */
    {{{0, FILE_NONE, 0}, {65536, FILE_NONE, 0}}, 2, false, SMC_ERR_PROTOCOL},                /* an ID that is none */
    {{{0, FILE_NONE, 0}, {-2, FILE_NONE, 0}}, 2, false, SMC_ERR_PROTOCOL},
    {{{0, FILE_NONE, 0}, {3, FILE_BELL, 0}}, 2, false, SMC_ERR_PROTOCOL},
    {{{0, FILE_NONE, 0}, {3, FILE_NONE, 0}, {-1, FILE_NONE, 0}}, 3, false, SMC_ERR_PROTOCOL}, /* memory without memory */
    {{{0, FILE_NONE, 0}, {3, FILE_NONE, 0}, {-1, FILE_SMALL, 0}}, 3, false, SMC_ERR_PROTOCOL},
    {{{0, FILE_NONE, 0}, {3, FILE_NONE, 0}, {-1, FILE_BELL, 0}}, 3, false, SMC_ERR_PROTOCOL}, /* an eventfd as memory */
    {{{0, FILE_NONE, 0}, {3, FILE_NONE, 0}, {5, FILE_MEMORY, 0}}, 3, false, SMC_ERR_PROTOCOL},
    {{{0, FILE_NONE, 0}, {3, FILE_NONE, 0}, {-1, FILE_TWO, 0}}, 3, false, SMC_ERR_PROTOCOL},  /* two files at once */
    {{GREETING, {-1, FILE_BELL, 0}}, 4, false, SMC_ERR_PROTOCOL},
    {{GREETING, {70000, FILE_BELL, 0}}, 4, false, SMC_ERR_PROTOCOL},
    {{GREETING, {3, FILE_MEMORY, 0}}, 4, false, SMC_ERR_PROTOCOL},                            /* a bell one cannot wait for */
    {{GREETING, {9, FILE_NONE, 0}}, 4, false, 0},                                             /* [IVSHMEM-005] */
    {{GREETING, {3, FILE_NONE, 0}}, 4, false, 0},                                             /* I am gone, am I? */
    {{GREETING, {3, FILE_PIPE, 0}}, 4, false, 0},                                             /* a pipe that has ended as a bell */
    {{GREETING, {1, FILE_BELL, 7}}, 4, true, SMC_ERR_PROTOCOL},                               /* 7 bytes, then the end */
    {{GREETING}, 3, true, SMC_ERR_GONE},
};

START_TEST(a_server_that_breaks_a_rule_is_left) /* [IVSHMEM-003] [IVSHMEM-004] */
{
    bool ready;
    for (size_t piece = 1; piece <= 8; piece += 7)
        ck_assert_int_eq(play(rudeness[_i].steps, rudeness[_i].count, piece, rudeness[_i].hang_up, &ready), rudeness[_i].result);
}
END_TEST

static void peer_count(void *user, uint16_t id, bool present)
{
    (void)id;
    *(int *)user += present ? 1 : -1;
}

START_TEST(many_clients_come_and_go_and_all_know_the_same)
{
    enum { MANY = 64 };
    struct ivshmem_client *c[MANY] = {NULL};
    int known[MANY] = {0};
    uint64_t random = 5;
    unsigned present = 0;
    for (int round = 0; round < 600; round++) {
        unsigned i = (unsigned)(dibs_random(&random) % MANY);
        struct ivshmem_client_config config = {
            .alloc = &memory.alloc, .path = path, .vectors = 2, .peer = peer_count, .user = &known[i]};
        if (c[i] != NULL) {
            ivshmem_client_close(c[i]);
            c[i] = NULL;
            present--;
        } else {
            known[i] = 0;
            ck_assert_int_eq(ivshmem_client_connect(&config, &c[i]), 0);
            present++;
        }
        serve();
    }
    for (int i = 0; i < MANY; i++) {
        if (c[i] == NULL)
            continue;
        for (int run = 0; run < 20; run++, serve()) /* what waits is more than its socket takes */
            ck_assert_int_eq(ivshmem_client_run(c[i]), 0);
        ck_assert_uint_eq(ivshmem_client_peers(c[i]), present - 1);
        ck_assert_int_eq(known[i], (int)present - 1);
        ivshmem_client_close(c[i]);
        c[i] = NULL;
        present--;
        serve();
    }
    ck_assert_uint_eq(ivshmem_server_clients(server), 0);
    ck_assert_uint_eq(arrivals, departures);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ivshmem server");
    TCase *of_server = tcase_create("server"), *of_client = tcase_create("client"), *rude = tcase_create("a server without manners");
    tcase_add_checked_fixture(of_server, set_up, tear_down);
    tcase_add_test(of_server, a_client_is_greeted_in_the_order_of_the_protocol);
    tcase_add_test(of_server, a_client_that_ends_is_reported_and_its_id_is_given_again);
    tcase_add_test(of_server, the_memory_is_one_for_all_and_nobody_can_change_its_size);
    tcase_add_test(of_server, a_client_that_says_anything_is_put_out_and_the_others_hear_it);
    tcase_add_test(of_server, a_client_that_never_reads_costs_no_more_than_who_is_there);
    tcase_add_test(of_server, a_client_that_reads_late_misses_nobody_who_is_there);
    tcase_add_test(of_server, when_files_run_out_newcomers_are_turned_away_and_the_rest_lives_on);
    tcase_add_test(of_server, no_more_clients_than_allowed_are_let_in);
    tcase_add_test(of_server, a_socket_in_use_is_respected_and_one_left_behind_is_replaced);
    tcase_add_test(of_server, a_wrong_size_number_or_path_is_refused);
    tcase_add_test(of_server, without_memory_a_newcomer_is_refused_and_nothing_is_lost);
    tcase_add_test(of_server, many_clients_come_and_go_and_all_know_the_same);
    suite_add_tcase(suite, of_server);
    tcase_add_checked_fixture(of_client, set_up, tear_down);
    tcase_add_test(of_client, clients_ring_each_other_and_themselves);
    tcase_add_test(of_client, fewer_and_more_vectors_than_the_server_has_both_work);
    tcase_add_test(of_client, when_the_server_goes_memory_and_bells_stay);
    tcase_add_test(of_client, a_client_without_memory_fails_and_leaves_nothing);
    suite_add_tcase(suite, of_client);
    tcase_add_checked_fixture(rude, without_server, tear_down);
    tcase_add_test(rude, messages_may_arrive_in_pieces_of_any_size);
    tcase_add_loop_test(rude, a_server_that_breaks_a_rule_is_left, 0, (int)(sizeof(rudeness) / sizeof(rudeness[0])));
    suite_add_tcase(suite, rude);
    return suite;
}

CHECK_MAIN(make_suite)
