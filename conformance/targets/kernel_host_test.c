/* A kernel as a host of a laboratory, with an agent that is played: what is asked for, what is told, what is refused.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/kernel_host.h"
#include "testing/check_main.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the agent that is played: one socket's bytes are echoed, every line it got stands in a file ---- */
struct played {
    FILE *log;
    int fd;
    char kept[4096]; /* hex digits that were sent and not read back */
    bool silent;
};

static void say(const struct played *p, const char *text)
{
    ck_assert_int_eq((int)write(p->fd, text, strlen(text)), (int)strlen(text));
}

static const char *value(const char *line, const char *name, char out[4096])
{
    size_t length = 0;
    const char *at = kernel_agent_value(line, name, &length);
    snprintf(out, 4096, "%.*s", (int)length, at != NULL ? at : "");
    return out;
}

static void answer(struct played *p, const char *line)
{
    char number[32], verb[32], text[4200], got[4096];
    if (sscanf(line, "%31s %31s", number, verb) != 2)
        return;
    const char *what = "";
    char more[4200] = "";
    if (strcmp(verb, "hello") == 0) {
        what = " protocol=1 kernel=6.12.played machine=x86_64 smc=1";
    } else if (strcmp(verb, "connect") == 0) {
        snprintf(more, sizeof(more), "* socket id=%s events=connected,writable\n", value(line, "id", got));
    } else if (strcmp(verb, "listen") == 0) {
        snprintf(more, sizeof(more), "* accepted listener=%s id=1000000 peer=10.0.0.1 port=4000\n", value(line, "id", got));
    } else if (strcmp(verb, "info") == 0) {
        what = " mode=SMC-R state=ACTIVE fallback=0x0 rx_prod=3:17 token=0x1234 rmb=65536";
    } else if (strcmp(verb, "send") == 0) {
        value(line, "bytes", p->kept);
        snprintf(got, sizeof(got), " n=%zu", strlen(p->kept) / 2);
        what = got;
        snprintf(more, sizeof(more), "* socket id=%s events=readable\n", "1");
    } else if (strcmp(verb, "recv") == 0 && p->kept[0] != '\0') {
        snprintf(got, sizeof(got), " bytes=%.4000s", p->kept);
        p->kept[0] = '\0';
        what = got;
    } else if (strcmp(verb, "recv") == 0) {
        snprintf(text, sizeof(text), "%s error EAGAIN nothing%%20there\n", number);
        say(p, text);
        return;
    } else if (strcmp(verb, "groups") == 0) {
        what = " 1.kind=SMC-R 1.id=0x70001 1.role=1 1.type=2 1.connections=3 count=1";
    } else if (strcmp(verb, "links") == 0) {
        what = " 1.group=0x70001 1.number=1 1.state=3 2.group=0x70001 2.number=2 2.state=1 3.group=0x9 3.number=1 3.state=3 count=3";
    } else if (strcmp(verb, "set") == 0) {
        snprintf(more, sizeof(more), "* kernel level=warning text=WARNING:%%20CPU:%%200\n");
    } else if (strcmp(verb, "shutdown") == 0) {
        snprintf(text, sizeof(text), "%s error ENOTCONN\n", number);
        say(p, text);
        return;
    } else if (strcmp(verb, "room") == 0) {
        p->silent = true;
        close(p->fd);
        return;
    }
    snprintf(text, sizeof(text), "%s", more);
    say(p, text); /* events may come before the answer */
    snprintf(text, sizeof(text), "%s ok%s\n", number, what);
    say(p, text);
}

static void play(int fd, const char *log_path)
{
    struct played p = {.fd = fd, .log = fopen(log_path, "w")};
    char line[65536];
    size_t have = 0;
    ssize_t n;
    say(&p, "garbage without a number\n* \n\n99 ok too=late\n");
    while (!p.silent && (n = read(fd, line + have, sizeof(line) - 1 - have)) > 0) {
        have += (size_t)n;
        line[have] = '\0';
        char *end;
        while (!p.silent && (end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            fprintf(p.log, "%s\n", strchr(line, ' ') != NULL ? strchr(line, ' ') + 1 : line);
            fflush(p.log);
            answer(&p, line);
            have -= (size_t)(end + 1 - line);
            memmove(line, end + 1, have + 1);
        }
    }
    _exit(0);
}

/* ---- the laboratory ---- */
static struct live *live;
static struct lab *lab;
static struct kernel_host *kernel;
static struct live_carrier *carrier;
static struct lab_host *client, *server;
static int wire; /* the kernel's end of its NIC */
static pid_t player;
static char log_path[] = "/tmp/smclab-kernel-XXXXXX";

static void open_all(void)
{
    int channel[2], nic[2];
    char error[256];
    strcpy(log_path, "/tmp/smclab-kernel-XXXXXX");
    close(mkstemp(log_path));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, nic), 0);
    player = fork();
    if (player == 0) {
        close(channel[0]);
        play(channel[1], log_path);
    }
    close(channel[1]);
    wire = nic[1];
    live = live_new();
    struct lab_config config = {.clock = live_clock(live), .seed = 1};
    ck_assert_int_eq(lab_new(&config, &lab), 0);
    carrier = live_carrier_fd(nic[0], false, error);
    struct kernel_host_config k = {.agent_fd = channel[0], .first_number = 100, .nic_count = 1,
                                   .nics = {{carrier, {2, 0, 0, 0, 0, 7}}}};
    kernel = kernel_host_new(&k, live, error, sizeof(error));
    ck_assert_msg(kernel != NULL, "%s", error);
    ck_assert_int_eq(lab_set_outside(lab, NULL, 1, kernel_host_start(kernel, lab)), 0);
}

static void close_all(void)
{
    kernel_host_free(kernel);
    ck_assert_int_eq(lab_free(lab), 0);
    live_carrier_free(carrier);
    live_free(live);
    kill(player, SIGKILL);
    waitpid(player, NULL, 0);
    unlink(log_path);
    close(wire);
}

static void make_hosts(const struct smc_profile *profile)
{
    struct lab_interface *i;
    struct lab_host_config c = {.name = "client"}, s = {.name = "server", .profile = profile, .ueids = {"A.EID"}, .rmb_bytes = 16384};
    ck_assert_int_eq(lab_add_host(lab, &c, &client), 0);
    ck_assert_int_eq(lab_add_host(lab, &s, &server), 0);
    struct lab_interface_config ci = {.address = "10.0.0.1/24"}, si = {.address = "10.0.0.2/24 10.0.1.2/24", .pnet = "NET"};
    ck_assert_int_eq(lab_add_interface(client, &ci, &i), 0);
    ck_assert_int_eq(lab_add_interface(server, &si, &i), 0);
    ck_assert_int_eq(lab_add_link(lab, "client.eth0", "server.eth0", NULL, NULL), 0);
}

static void run_ms(unsigned ms)
{
    ck_assert_int_eq(lab_run_until(lab, live_now(live) + ms * SIM_MS), 0);
}

static bool logged(const char *text)
{
    char all[65536];
    FILE *f = fopen(log_path, "r");
    size_t n = fread(all, 1, sizeof(all) - 1, f);
    fclose(f);
    all[n] = '\0';
    return strstr(all, text) != NULL;
}

START_TEST(a_host_and_its_interface_are_set_up_as_the_script_says)
{
    make_hosts(NULL);
    ck_assert_str_eq(lab_outside_name(lab), "server");
    ck_assert_str_eq(kernel_host_version(kernel), "Linux 6.12.played");
    ck_assert(logged("reset\n"));
    ck_assert(logged("ueid flush=1\nueid add=A.EID\n"));
    ck_assert(logged("sysctl smc.rmem=16384\n"));
    ck_assert(logged("interface name=eth0 mac=02:00:00:00:00:07 up=1 rxe=1 pnet=NET address=10.0.0.2/24,10.0.1.2/24\n"));
}
END_TEST

START_TEST(bytes_go_there_and_come_back)
{
    struct lab_socket *s;
    struct lab_outside_info info;
    char bytes[16];
    make_hosts(NULL);
    ck_assert_int_eq(lab_connect(server, "client", 5000, NULL, &s), 0);
    run_ms(20);
    ck_assert(logged("connect id=1 address=10.0.0.1 port=5000 family=smc\n"));
    ck_assert_int_eq(lab_socket_mode(s), SMC_MODE_R);
    ck_assert_str_eq(lab_socket_state(s), "ACTIVE");
    ck_assert_int_eq((int)lab_recv(s, bytes, sizeof(bytes), 0), SMC_ERR_WOULDBLOCK);
    ck_assert_int_eq((int)lab_send(s, "hello\xff", 6, 0), 6);
    ck_assert(logged("send id=1 bytes=68656c6c6fff\n"));
    run_ms(20);
    ck_assert_int_eq((int)lab_recv(s, bytes, sizeof(bytes), 0), 6);
    ck_assert_mem_eq(bytes, "hello\xff", 6);
    ck_assert(lab_outside_info(s, &info));
    ck_assert_uint_eq(info.connection.rx_prod.wrap, 3);
    ck_assert_uint_eq(info.connection.rx_prod.count, 17);
    ck_assert_uint_eq(info.connection.alert_token, 0x1234);
    lab_close(s);
    ck_assert(logged("close id=1\n"));
    ck_assert_str_eq(lab_socket_state(s), "CLOSED");
}
END_TEST

START_TEST(a_socket_that_has_nothing_is_not_asked_again_until_it_calls)
{
    struct lab_socket *s;
    char bytes[16], all[65536];
    unsigned asked = 0;
    make_hosts(NULL);
    ck_assert_int_eq(lab_connect(server, "client", 5000, NULL, &s), 0);
    run_ms(20);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_int_eq((int)lab_recv(s, bytes, sizeof(bytes), 0), SMC_ERR_WOULDBLOCK);
    FILE *f = fopen(log_path, "r");
    all[fread(all, 1, sizeof(all) - 1, f)] = '\0';
    fclose(f);
    for (const char *at = all; (at = strstr(at, "recv id=1")) != NULL; at++)
        asked++;
    ck_assert_uint_eq(asked, 1);
}
END_TEST

static unsigned accepts;
static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    (void)user;
    ck_assert_uint_eq(lab_socket_id(listener), 1);
    ck_assert_int_eq(lab_socket_mode(socket), SMC_MODE_R);
    accepts++;
}

START_TEST(a_listener_tells_of_its_connections)
{
    static const struct lab_socket_ops ops = {.accepted = on_accepted};
    struct lab_socket_config config = {.ops = &ops, .nodelay = true};
    struct lab_socket *s;
    make_hosts(NULL);
    ck_assert_int_eq(lab_listen(server, 5000, &config, &s), 0);
    ck_assert(logged("listen id=1 address=0.0.0.0 port=5000 family=smc nodelay=1\n"));
    run_ms(20);
    ck_assert_uint_eq(accepts, 1);
    ck_assert_str_eq(lab_socket_state(s), "LISTEN");
}
END_TEST

START_TEST(frames_for_the_kernel_leave_by_its_carrier_and_its_own_come_in)
{
    struct lab_socket *s;
    uint8_t frame[2048];
    make_hosts(NULL);
    ck_assert_int_eq(lab_connect(client, "server", 5000, NULL, &s), 0);
    run_ms(20);
    ssize_t n = recv(wire, frame, sizeof(frame), MSG_DONTWAIT);
    ck_assert_int_ge((int)n, 42);
    ck_assert_mem_eq(frame, "\xff\xff\xff\xff\xff\xff", 6);
    ck_assert_mem_eq(frame + 12, "\x08\x06\x00\x01", 4); /* who has 10.0.0.2? */
    uint8_t reply[42];
    memcpy(reply, frame + 6, 6);
    memcpy(reply + 6, "\x02\x00\x00\x00\x00\x07", 6);
    memcpy(reply + 12, frame + 12, 8);
    memcpy(reply + 20, "\x00\x02\x02\x00\x00\x00\x00\x07\x0a\x00\x00\x02", 12);
    memcpy(reply + 32, frame + 22, 10);
    ck_assert_int_eq((int)send(wire, reply, sizeof(reply), 0), 42);
    run_ms(20);
    n = recv(wire, frame, sizeof(frame), MSG_DONTWAIT);
    ck_assert_int_gt((int)n, 54);
    ck_assert_mem_eq(frame, "\x02\x00\x00\x00\x00\x07", 6); /* the SYN */
    ck_assert_int_eq(frame[47] & 0x3f, 2);
    ck_assert_int_eq(lab_host_kill(server), 0);
    ck_assert_int_eq((int)send(wire, reply, sizeof(reply), 0), 42);
    run_ms(1200); /* the SYN again: nobody hears it */
    ck_assert_int_lt((int)recv(wire, frame, sizeof(frame), MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(groups_and_links_are_those_of_the_kernel)
{
    struct smc_group_info g;
    make_hosts(NULL);
    ck_assert_int_eq(lab_outside_group(server, 0, &g), 1);
    ck_assert_uint_eq(g.id, 0x70001);
    ck_assert(!g.client);
    ck_assert_int_eq(g.type, SMC_GROUP_SYMMETRIC);
    ck_assert_uint_eq(g.link_count, 2);
    ck_assert_int_eq(g.links[0].state, SMC_LINK_ACTIVE);
    ck_assert_int_eq(g.links[1].state, SMC_LINK_INACTIVE);
    ck_assert_int_eq(lab_outside_group(server, 1, &g), 0);
}
END_TEST

START_TEST(what_a_kernel_cannot_do_is_refused_with_the_reason)
{
    struct lab_host *h;
    struct lab_host_config c = {.name = "client"}, s = {.name = "server", .profile = &smc_profile_rfc};
    ck_assert_int_eq(lab_add_host(lab, &c, &client), 0);
    ck_assert_ptr_null(lab_refused(lab));
    ck_assert_int_eq(lab_add_host(lab, &s, &h), SMC_ERR_UNSUPPORTED);
    ck_assert_str_eq(lab_refused(lab), "host server is a kernel: the script wants the profile \"rfc\"");
    ck_assert_str_eq(lab_problem(lab), lab_refused(lab));
}
END_TEST

START_TEST(nothing_is_injected_into_a_kernel)
{
    struct lab_socket *s;
    make_hosts(NULL);
    ck_assert_int_eq(lab_connect(server, "client", 5000, NULL, &s), 0);
    ck_assert_int_eq(lab_inject_tcp(s, "x", 1), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(lab_inject_link(s, 0, "x", 1), SMC_ERR_UNSUPPORTED);
    struct lab_dibs_config d = {.kind = "ism"};
    ck_assert_int_eq(lab_add_dibs(server, &d), SMC_ERR_UNSUPPORTED);
    ck_assert_int_eq(lab_inside_only(client, "anything"), 0);
}
END_TEST

START_TEST(a_complaint_of_the_kernel_is_kept)
{
    struct lab_socket *s;
    char text[256];
    bool serious = true;
    make_hosts(NULL);
    kernel_host_complaints(kernel, text, sizeof(text), &serious);
    ck_assert(!serious);
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(lab_connect(server, "client", 5000, NULL, &s), 0);
    ck_assert_int_eq(lab_set_option(s, SMC_OPTION_LINGER_NS, 1500000000), 0);
    ck_assert(logged("set id=1 linger=2\n"));
    run_ms(20);
    kernel_host_complaints(kernel, text, sizeof(text), &serious);
    ck_assert(serious);
    ck_assert_ptr_nonnull(strstr(text, "WARNING: CPU: 0"));
}
END_TEST

START_TEST(an_agent_that_goes_away_fails_what_is_asked_and_nothing_else)
{
    struct lab_socket *s;
    char bytes[4], text[256];
    bool serious;
    make_hosts(NULL);
    ck_assert_int_eq(lab_connect(server, "client", 5000, NULL, &s), 0);
    run_ms(20);
    ck_assert_int_eq(lab_shutdown(s, SMC_SHUT_WR), SMC_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(lab_problem(lab), "ENOTCONN"));
    ck_assert_uint_eq(lab_writable(s), 0); /* "room": the player leaves */
    ck_assert_int_eq((int)lab_recv(s, bytes, sizeof(bytes), 0), SMC_ERR_IO);
    ck_assert(!kernel_host_alive(kernel));
    kernel_host_complaints(kernel, text, sizeof(text), &serious);
    ck_assert(serious);
    run_ms(20);
}
END_TEST

static Suite *kernel_host_suite(void)
{
    Suite *s = suite_create("kernel_host");
    TCase *c = tcase_create("kernel_host");
    tcase_add_checked_fixture(c, open_all, close_all);
    tcase_add_test(c, a_host_and_its_interface_are_set_up_as_the_script_says);
    tcase_add_test(c, bytes_go_there_and_come_back);
    tcase_add_test(c, a_socket_that_has_nothing_is_not_asked_again_until_it_calls);
    tcase_add_test(c, a_listener_tells_of_its_connections);
    tcase_add_test(c, frames_for_the_kernel_leave_by_its_carrier_and_its_own_come_in);
    tcase_add_test(c, groups_and_links_are_those_of_the_kernel);
    tcase_add_test(c, what_a_kernel_cannot_do_is_refused_with_the_reason);
    tcase_add_test(c, nothing_is_injected_into_a_kernel);
    tcase_add_test(c, a_complaint_of_the_kernel_is_kept);
    tcase_add_test(c, an_agent_that_goes_away_fails_what_is_asked_and_nothing_else);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(kernel_host_suite)
