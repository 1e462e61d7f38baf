/* Tests of the whole agent in a process of its own: TCP on this machine, hostile streams, processes that are killed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/agent/agent.h"
#include "sim/hash.h"
#include "sim/pattern.h"
#include "sim/random.h"
#include "testing/check_main.h"

static FILE *to, *from;
static pid_t pid;
static char *got;
static size_t room;
static unsigned long number;
static char kept[64][256]; /* events that came before an answer */
static unsigned kept_count;

static void start(void)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct agent_setup setup = {.in = pair[1], .out = pair[1], .no_kmsg = true, .first_accepted = AGENT_FIRST_ACCEPTED};
        bool poweroff = false;
        close(pair[0]);
        int status = agent_serve(&setup, &poweroff);
        _exit(status != 0 ? 1 : poweroff ? 7 : 0);
    }
    close(pair[1]);
    to = fdopen(pair[0], "w");
    from = fdopen(dup(pair[0]), "r");
    number = 0;
    kept_count = 0;
    alarm(100);
}

/* The agent's exit status. */
static int finish(void)
{
    int status;
    shutdown(fileno(to), SHUT_WR);
    fclose(to);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    fclose(from);
    free(got);
    got = NULL;
    ck_assert_msg(WIFEXITED(status), "the agent died of signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static char *read_line(void)
{
    ck_assert_msg(getline(&got, &room, from) > 0, "the agent says no more");
    got[strcspn(got, "\n")] = '\0';
    return got;
}

/* The answer behind the number; events are kept. */
static const char *ask(const char *request)
{
    fprintf(to, "%lu %s\n", ++number, request);
    fflush(to);
    while (read_line()[0] == '*') {
        ck_assert_uint_lt(kept_count, 64);
        snprintf(kept[kept_count++], sizeof(kept[0]), "%s", got + 2);
    }
    char *end;
    ck_assert_uint_eq(strtoul(got, &end, 10), number);
    return end + 1;
}

static const char *ask_ok(const char *request)
{
    const char *answer = ask(request);
    ck_assert_msg(strncmp(answer, "ok", 2) == 0, "%s: %s", request, answer);
    return answer;
}

/* The first event with this beginning, kept or to come. */
static const char *event(const char *begins)
{
    static char found[256];
    size_t n = strlen(begins);
    for (unsigned i = 0; i < kept_count; i++)
        if (strncmp(kept[i], begins, n) == 0) {
            memcpy(found, kept[i], sizeof(found));
            memmove(kept[i], kept[i + 1], (--kept_count - i) * sizeof(kept[0]));
            return found;
        }
    for (read_line(); got[0] != '*' || strncmp(got + 2, begins, n) != 0; read_line()) {
        ck_assert_msg(got[0] == '*' && kept_count < 64, "unexpected: %s", got);
        snprintf(kept[kept_count++], sizeof(kept[0]), "%s", got + 2);
    }
    snprintf(found, sizeof(found), "%s", got + 2);
    return found;
}

static uint64_t value(const char *text, const char *name)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), " %s=", name);
    const char *p = strstr(text, wanted);
    ck_assert_msg(p != NULL, "no %s in: %s", name, text);
    return strtoull(p + strlen(wanted), NULL, 0);
}

/* A listener (id 1) on a free port, a connection to it (id 2), and what was accepted: returned. */
static uint64_t connect_pair(const char *more)
{
    char line[160];
    unsigned port = 20000 + (unsigned)getpid() % 20000;
    for (;; port++) {
        snprintf(line, sizeof(line), "listen id=1 address=127.0.0.1 port=%u family=tcp%s", port, more);
        if (strncmp(ask(line), "ok", 2) == 0)
            break;
        ck_assert_msg(strstr(got, "EADDRINUSE") != NULL, "%s", got);
    }
    snprintf(line, sizeof(line), "connect id=2 address=127.0.0.1 port=%u family=tcp", port);
    ask_ok(line);
    ck_assert_ptr_nonnull(strstr(event("socket id=2"), "connected"));
    return value(event("accepted listener=1"), "id");
}

START_TEST(it_says_who_it_is)
{
    start();
    event("ready uptime=");
    const char *hello = ask_ok("hello");
    ck_assert_uint_eq(value(hello, "protocol"), 1);
    ck_assert_uint_eq(value(hello, "smc"), agent_has_smc());
    ck_assert_uint_eq(value(hello, "init"), 0);
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(bytes_urgent_data_and_the_end_cross_a_tcp_connection)
{
    char line[96];
    start();
    uint64_t accepted = connect_pair("");
    ck_assert_uint_eq(accepted, AGENT_FIRST_ACCEPTED);
    ck_assert_uint_eq(value(ask_ok("send id=2 bytes=010203"), "n"), 3);
    ck_assert_ptr_nonnull(strstr(event("socket id=1000000"), "readable"));
    ck_assert_str_eq(ask("recv id=1000000 max=2 peek=1"), "ok n=2 bytes=0102");
    ck_assert_str_eq(ask("recv id=1000000"), "ok n=3 bytes=010203");
    ck_assert_int_eq(strncmp(ask("recv id=1000000"), "error EAGAIN", 12), 0);
    ask_ok("send id=2 bytes=5a oob=1");
    while (strstr(event("socket id=1000000"), "urgent") == NULL) /* "readable" may be told for the byte behind it */
        continue;
    ck_assert_str_eq(ask("recv id=1000000 oob=1"), "ok n=1 bytes=5a");
    const char *info = ask_ok("info id=2");
    ck_assert_msg(strstr(info, " mode=TCP state=TCP own=127.0.0.1 ") != NULL && strstr(info, " peer=127.0.0.1 ") != NULL &&
                      strstr(info, " tcp=ESTABLISHED") != NULL, "%s", info);
    ck_assert_uint_gt(value(ask_ok("room id=2"), "n"), 1000);
    ask_ok("set id=2 nodelay=1 linger=3");
    ask_ok("shutdown id=2 how=write");
    while (strstr(event("socket id=1000000"), "eof") == NULL)
        continue;
    ck_assert_str_eq(ask("recv id=1000000"), "ok n=0 bytes= eof=1");
    snprintf(line, sizeof(line), "abort id=%" PRIu64, accepted);
    ask_ok(line);
    const char *end = event("socket id=2");
    while (strstr(end, "error") == NULL)
        end = event("socket id=2");
    ck_assert_ptr_nonnull(strstr(end, "error=ECONNRESET"));
    ask_ok("close id=2");
    ck_assert_int_eq(strncmp(ask("close id=2"), "error EBADF", 11), 0);
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(a_refused_connection_is_told)
{
    char line[96];
    start();
    connect_pair("");
    ask_ok("close id=1");
    ask_ok("close id=2");
    unsigned port = 20000 + (unsigned)getpid() % 20000; /* nobody listens there any more, or never did */
    snprintf(line, sizeof(line), "connect id=3 address=127.0.0.1 port=%u family=tcp", port);
    if (strncmp(ask(line), "ok", 2) == 0)
        ck_assert_ptr_nonnull(strstr(event("socket id=3"), "error=ECONNREFUSED"));
    else
        ck_assert_ptr_nonnull(strstr(got, "ECONNREFUSED"));
    ck_assert_int_eq(finish(), 0);
}
END_TEST

static uint64_t pattern_hash(uint64_t pattern, size_t n)
{
    struct sim_hash h;
    uint64_t result[2];
    uint8_t *bytes = malloc(n);
    ck_assert_ptr_nonnull(bytes);
    sim_pattern(pattern, 0, bytes, n);
    sim_hash_init(&h, 0);
    sim_hash_add(&h, bytes, n);
    sim_hash_value(&h, result);
    free(bytes);
    return result[0];
}

START_TEST(traffic_goes_both_ways_and_is_checked)
{
    enum { BYTES = 3000000 };
    char line[256];
    start();
    connect_pair("");
    snprintf(line, sizeof(line), "traffic id=2 send_bytes=%d send_pattern=5 receive_pattern=6 receive_bytes=1000 shutdown_when_sent=1", BYTES);
    ask_ok(line);
    snprintf(line, sizeof(line), "traffic id=1000000 send_bytes=1000 send_pattern=6 receive_pattern=5 receive_bytes=%d read_chunk=50000 "
             "read_delay_ns=100000 close_when_done=1", BYTES);
    ask_ok(line);
    const char *end = event("traffic id=1000000");
    ck_assert_msg(value(end, "done") == 1 && value(end, "wrong") == 0 && value(end, "received") == BYTES, "%s", end);
    ck_assert_uint_eq(value(end, "received_hash"), pattern_hash(5, BYTES));
    end = event("traffic id=2");
    ck_assert_msg(value(end, "done") == 1 && value(end, "wrong") == 0 && value(end, "received") == 1000, "%s", end);
    ck_assert_uint_eq(value(end, "received_hash"), pattern_hash(6, 1000));
    ck_assert_int_eq(strncmp(ask("info id=1000000"), "error EBADF", 11), 0); /* closed when done */
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(wrong_bytes_are_found_where_they_are)
{
    start();
    connect_pair("");
    ask_ok("traffic id=1000000 receive_bytes=1000 receive_pattern=9");
    uint8_t bytes[20];
    char line[128] = "send id=2 bytes=";
    sim_pattern(9, 0, bytes, sizeof(bytes));
    bytes[13] ^= 1;
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "%02x", bytes[i]);
    ask_ok(line);
    const char *end = event("traffic id=1000000");
    ck_assert_msg(value(end, "wrong") == 1 && value(end, "wrong_at") == 13, "%s", end);
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(an_echo_sends_back_what_it_gets)
{
    start();
    connect_pair("");
    ask_ok("traffic id=1000000 echo=1 receive_pattern=3 close_when_done=1");
    ask_ok("traffic id=2 send_bytes=500000 send_pattern=3 receive_pattern=3 receive_bytes=500000 shutdown_when_sent=1");
    const char *end = event("traffic id=2");
    ck_assert_msg(value(end, "done") == 1 && value(end, "wrong") == 0, "%s", end);
    end = event("traffic id=1000000");
    ck_assert_msg(value(end, "done") == 1 && value(end, "sent") == 500000, "%s", end);
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(a_process_that_holds_a_socket_can_be_killed)
{
    start();
    uint64_t accepted = connect_pair(" process=1");
    ck_assert_uint_gt(accepted, AGENT_FIRST_ACCEPTED);
    char line[96];
    snprintf(line, sizeof(line), "send id=%" PRIu64 " bytes=aa", accepted);
    ck_assert_str_eq(ask(line), "ok n=1");
    ck_assert_ptr_nonnull(strstr(event("socket id=2"), "readable"));
    ck_assert_str_eq(ask("recv id=2"), "ok n=1 bytes=aa");
    snprintf(line, sizeof(line), "kill id=%" PRIu64, accepted);
    ask_ok(line);
    while (strstr(event("socket id=2"), "eof") == NULL)
        continue;
    snprintf(line, sizeof(line), "info id=%" PRIu64, accepted);
    ck_assert_int_eq(strncmp(ask(line), "error EBADF", 11), 0);
    ck_assert_int_eq(strncmp(ask("kill id=2"), "error EPERM", 11), 0);
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(a_program_runs_and_its_end_is_told)
{
    start();
    ask_ok("run program=4 path=/bin/echo arguments=one,two%20three");
    ck_assert_str_eq(event("output program=4"), "output program=4 bytes=6f6e652074776f2074687265650a");
    ck_assert_str_eq(event("exited program=4"), "exited program=4 status=0 signal=0");
    ask_ok("run program=5 path=/bin/sleep arguments=100");
    ask_ok("signal program=5 signal=9");
    ck_assert_str_eq(event("exited program=5"), "exited program=5 status=0 signal=9");
    ck_assert_int_eq(strncmp(ask("run program=6 path=/no/such"), "error ENOENT", 12), 0);
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(bad_requests_are_answered_with_their_number)
{
    static const char *const bad[] = {
        "nonsense", "hello x=1", "send", "send id=77 bytes=00", "recv id=x", "listen id=5 port=1", "listen id=5 port=65536 address=::",
        "listen id=5 port=0 address=1.2.3", "listen id=5 port=0 address=127.0.0.1 family=x", "listen id=1000000 port=0 address=::1",
        "connect id=5 address=127.0.0.1", "interface name=", "interface name=a/b", "interface name=nosuch0", "link name=lo",
        "address name=nosuch0 address=1.2.3.4/33", "set id=1 nodelay=2", "traffic id=1", "ueid add=", "poweroff now=1",
        "sysctl ../../proc/x=1", "sysctl_get name=no.such", "run program=1 path=", "signal program=9", "load", "rxe name=lo present=3",
    };
    start();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(strncmp(ask(bad[i]), "error E", 7) == 0, "%s: %s", bad[i], got);
    ask_ok("hello");
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_refused_and_the_next_one_taken)
{
    start();
    event("ready");
    fputs("5 send id=1 bytes=", to);
    for (int i = 0; i < 1 << 20; i++)
        fputc('0', to);
    fputs("\n", to);
    fflush(to);
    ck_assert_int_eq(strncmp(read_line(), "0 error EMSGSIZE", 16), 0);
    ask_ok("hello");
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(a_hostile_stream_is_survived)
{
    static const char *const words[] = {"1", "99", "hello", "send", "recv", "listen", "connect", "info", "traffic", "set", "close",
                                        "id=1", "id=2", "id=1000000", "bytes=zz", "bytes=0011", "max=99999999", "port=1", "address=::1",
                                        "address=%", "how=both", "=", "%00", "\n", "\n", "\n", "family=tcp", "echo=1", "process=0"};
    struct sim_random r;
    start();
    connect_pair("");
    sim_random_init(&r, 2, "hostile stream");
    for (int i = 0; i < 3000; i++) {
        fputs(words[sim_random_below(&r, sizeof(words) / sizeof(words[0]))], to);
        fputc(sim_random_below(&r, 50) == 0 ? (int)sim_random_below(&r, 256) : ' ', to);
    }
    fputs("\n424242 hello\n", to);
    fflush(to);
    while (strncmp(read_line(), "424242 ok", 9) != 0)
        continue;
    ck_assert_int_eq(finish(), 0);
}
END_TEST

START_TEST(poweroff_ends_it_without_an_answer)
{
    start();
    fputs("1 poweroff\n2 hello\n", to);
    fflush(to);
    event("ready");
    ck_assert_int_lt(getline(&got, &room, from), 0);
    ck_assert_int_eq(finish(), 7);
}
END_TEST

static Suite *agent_suite(void)
{
    Suite *s = suite_create("agent");
    TCase *t = tcase_create("agent");
    tcase_add_test(t, it_says_who_it_is);
    tcase_add_test(t, bytes_urgent_data_and_the_end_cross_a_tcp_connection);
    tcase_add_test(t, a_refused_connection_is_told);
    tcase_add_test(t, traffic_goes_both_ways_and_is_checked);
    tcase_add_test(t, wrong_bytes_are_found_where_they_are);
    tcase_add_test(t, an_echo_sends_back_what_it_gets);
    tcase_add_test(t, a_process_that_holds_a_socket_can_be_killed);
    tcase_add_test(t, a_program_runs_and_its_end_is_told);
    tcase_add_test(t, bad_requests_are_answered_with_their_number);
    tcase_add_test(t, a_line_that_is_too_long_is_refused_and_the_next_one_taken);
    tcase_add_test(t, a_hostile_stream_is_survived);
    tcase_add_test(t, poweroff_ends_it_without_an_answer);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(agent_suite)
