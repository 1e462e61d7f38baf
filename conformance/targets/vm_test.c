/* Virtual machines: they boot, two kernels speak SMC-R to each other, and a kernel in trouble is noticed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/vm.h"

#include "testing/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER = 65536, WAIT_MS = 60000 };

static char problem[8192];
static struct vm_image image;

#define OK(call) ck_assert_msg((call) == VM_OK, "%s", problem)

static void make_image(void)
{
    const struct vm_image_config config = {.kernel = "debian"};
    OK(vm_image_make(&config, &image, problem, sizeof(problem)));
}

/* Asks, and wants "ok …"; the rest is returned, valid until the next call. */
static const char *ask(struct vm_talk *talk, const char *request)
{
    static char answer[ANSWER];
    ck_assert_msg(vm_talk(talk, request, answer, sizeof(answer), WAIT_MS) == VM_OK, "no answer to: %s", request);
    ck_assert_msg(strncmp(answer, "ok", 2) == 0, "%s: %s", request, answer);
    return answer + 2;
}

static unsigned long long number(const char *text, const char *name)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), " %s=", name);
    const char *p = strstr(text, wanted);
    ck_assert_msg(p != NULL, "no %s in: %s", name, text);
    return strtoull(p + strlen(wanted), NULL, 0);
}

static void wait_event(struct vm_talk *talk, const char *begins, char *out, size_t size)
{
    ck_assert_msg(vm_talk_wait(talk, begins, out, size, WAIT_MS) == VM_OK, "no event: %s", begins);
}

START_TEST(a_kernel_that_panics_is_shown)
{
    struct vm *vm;
    const struct vm_config config = {.image = &image, .append = "rdinit=/nothing"};
    OK(vm_start(&config, &vm, problem, sizeof(problem)));
    ck_assert_int_eq(vm_wait_ready(vm, 0, problem, sizeof(problem)), VM_FAILED);
    ck_assert_msg(strstr(problem, "Kernel panic") != NULL, "%s", problem);
    problem[0] = '\0';
    ck_assert_int_eq(vm_end(vm, 0, problem, sizeof(problem)), VM_FAILED);
    ck_assert_ptr_nonnull(strstr(problem, "Kernel panic"));
}
END_TEST

static void boot_pair(struct vm *vm[2], struct vm_talk talk[2])
{
    int cable[2];
    OK(vm_nic_pair(cable));
    for (int i = 0; i < 2; i++) {
        const struct vm_nic nic = {.fd = cable[i], .mac = {0x02, 0, 0, 0, 0, (uint8_t)(1 + i)}};
        const struct vm_config config = {.image = &image, .name = i == 0 ? "left" : "right", .nics = &nic, .nic_count = 1};
        OK(vm_start(&config, &vm[i], problem, sizeof(problem)));
        close(cable[i]);
    }
    for (int i = 0; i < 2; i++) {
        char line[256];
        OK(vm_wait_ready(vm[i], 0, problem, sizeof(problem)));
        talk[i] = (struct vm_talk){.fd = vm_agent_fd(vm[i])};
        snprintf(line, sizeof(line), "interface name=eth0 mac=02:00:00:00:00:%02x address=10.0.0.%d/24,fd00::%d/64 mtu=1500 rxe=1", 1 + i,
                 1 + i, 1 + i);
        ask(&talk[i], line);
        ask(&talk[i], "ueid add=SMCLAB.EID");
    }
}

static void wait_traffic(struct vm_talk *talk, unsigned long long bytes)
{
    char line[1024];
    wait_event(talk, "traffic", line, sizeof(line));
    ck_assert_msg(number(line, "done") == 1 && number(line, "wrong") == 0, "%s", line);
    ck_assert_uint_eq(number(line, "received"), bytes);
    ck_assert_uint_eq(number(line, "sent"), bytes);
}

START_TEST(two_kernels_exchange_a_pattern_over_smc_r)
{
    struct vm *vm[2];
    struct vm_talk talk[2];
    char line[1024];
    boot_pair(vm, talk);
    const char *hello = ask(&talk[0], "hello");
    ck_assert_msg(number(hello, "smc") == 1 && number(hello, "init") == 1, "%s", hello);
    ck_assert_msg(strstr(hello, image.version) != NULL && strstr(hello, " host=left") != NULL, "%s", hello);
    ck_assert_int_eq(vm_talk(&talk[0], "nonsense", line, sizeof(line), WAIT_MS), VM_OK);
    ck_assert_int_eq(strncmp(line, "error EINVAL", 12), 0);
    ask(&talk[1], "listen id=1 address=10.0.0.2 port=5000 family=smc");
    ask(&talk[0], "connect id=1 address=10.0.0.2 port=5000 family=smc");
    wait_event(&talk[0], "socket id=1 events=connected", line, sizeof(line));
    wait_event(&talk[1], "accepted listener=1", line, sizeof(line));
    unsigned long long accepted = number(line, "id");
    ck_assert_ptr_nonnull(strstr(line, " peer=10.0.0.1"));
    const char *info = ask(&talk[0], "info id=1");
    ck_assert_msg(strstr(info, " mode=SMC-R") != NULL && strstr(info, " state=ACTIVE") != NULL, "%s", info);
    ck_assert_msg(number(info, "version") == 2 && number(info, "group") != 0 && number(info, "link") == 1, "%s", info);
    ask(&talk[0], "traffic id=1 send_bytes=1000000 send_pattern=1 receive_pattern=2 receive_bytes=1000000");
    snprintf(line, sizeof(line), "traffic id=%llu send_bytes=1000000 send_pattern=2 receive_pattern=1 receive_bytes=1000000", accepted);
    ask(&talk[1], line);
    wait_traffic(&talk[0], 1000000);
    wait_traffic(&talk[1], 1000000);
    const char *groups = ask(&talk[0], "groups");
    ck_assert_msg(number(groups, "count") == 1 && number(groups, "1.connections") == 1 && number(groups, "1.version") == 2, "%s", groups);
    const char *links = ask(&talk[1], "links");
    ck_assert_msg(number(links, "count") == 1 && number(links, "1.connections") == 1, "%s", links);
    ask(&talk[0], "traffic_stop id=1");
    ask(&talk[0], "close id=1");
    wait_event(&talk[1], "socket", line, sizeof(line));
    ck_assert_msg(strstr(line, "eof") != NULL, "%s", line);
    const char *reset = ask(&talk[0], "reset");
    ck_assert_uint_eq(number(reset, "reloaded"), 1);
    ck_assert_uint_eq(number(ask(&talk[0], "groups"), "count"), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(number(ask(&talk[i], "dmesg"), "warnings"), 0);
        vm_talk_end(&talk[i]);
        OK(vm_end(vm[i], 0, problem, sizeof(problem)));
    }
}
END_TEST

START_TEST(a_kernel_holds_containers)
{
    struct vm *vm;
    char line[4096];
    int cable[2];
    OK(vm_nic_pair(cable));
    const struct vm_nic nic = {.fd = cable[0], .mac = {0x02, 0, 0, 0, 0, 1}};
    const struct vm_config config = {.image = &image, .nics = &nic, .nic_count = 1};
    OK(vm_start(&config, &vm, problem, sizeof(problem)));
    OK(vm_wait_ready(vm, 0, problem, sizeof(problem)));
    struct vm_talk talk = {.fd = vm_agent_fd(vm)};
    ask(&talk, "interface name=eth0 mac=02:00:00:00:00:01 address=10.0.0.1/24 space=one");
    ck_assert_int_eq(vm_talk(&talk, "link name=eth0 up=1", line, sizeof(line), WAIT_MS), VM_OK);
    ck_assert_msg(strncmp(line, "error ENODEV", 12) == 0, "the NIC is elsewhere now: %s", line);
    /* Two sockets of the same port in two places; what is said over `lo` of one is heard there. */
    ask(&talk, "listen id=1 address=127.0.0.1 port=5000 family=tcp space=one");
    ask(&talk, "listen id=2 address=127.0.0.1 port=5000 family=tcp");
    ask(&talk, "capture interface=lo on=1 space=one");
    ask(&talk, "connect id=3 address=127.0.0.1 port=5000 family=tcp space=one");
    wait_event(&talk, "accepted listener=1", line, sizeof(line));
    ask(&talk, "send id=3 bytes=736d636c6162");
    do
        wait_event(&talk, "frame interface=lo", line, sizeof(line));
    while (strstr(line, "736d636c6162") == NULL);
    ck_assert_int_eq(vm_talk(&talk, "connect id=4 address=10.0.0.2 port=1 family=tcp", line, sizeof(line), WAIT_MS), VM_OK);
    ck_assert_msg(strncmp(line, "error ENETUNREACH", 17) == 0, "outside there is no such network: %s", line);
    ck_assert_int_eq(vm_talk(&talk, "parameter module=smc name=nothing", line, sizeof(line), WAIT_MS), VM_OK);
    ck_assert_int_eq(strncmp(line, "error ENOENT", 12), 0);
    ck_assert_int_eq(vm_talk(&talk, "parameter module=smc name=../../x", line, sizeof(line), WAIT_MS), VM_OK);
    ck_assert_int_eq(strncmp(line, "error EINVAL", 12), 0);
    ask(&talk, "reset");
    ask(&talk, "interface name=eth0 mac=02:00:00:00:00:01 address=10.0.0.1/24"); /* it has come home */
    ck_assert_uint_eq(number(ask(&talk, "local name=lo"), "ready"), 0);
    ck_assert_uint_eq(number(ask(&talk, "dmesg"), "warnings"), 0);
    vm_talk_end(&talk);
    OK(vm_end(vm, 0, problem, sizeof(problem)));
    close(cable[0]);
    close(cable[1]);
}
END_TEST

static Suite *vm_suite(void)
{
    Suite *s = suite_create("vm");
    TCase *t = tcase_create("vm");
    tcase_set_timeout(t, 400);
    tcase_add_unchecked_fixture(t, make_image, NULL);
    tcase_add_test(t, a_kernel_that_panics_is_shown);
    tcase_add_test(t, two_kernels_exchange_a_pattern_over_smc_r);
    tcase_add_test(t, a_kernel_holds_containers);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(vm_suite)
