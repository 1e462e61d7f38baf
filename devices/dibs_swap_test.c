/* One client over every kind of dibs device: the console neither knows nor asks which it is.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <smc/dibs_console.h>

#include "devices/dibs_testing.h"
#include "devices/ism.h"
#include "devices/ivshmem.h"
#include "devices/loopback.h"
#include "testing/check_main.h"

static struct test_memory memory;
static struct smc_dibs dibs[2];
static struct smc_dibs_console console[2];
static struct smc_dibs_session *session[2];

static struct loopback *loopback;
static struct loopback_port *port[2];
static struct ism_fabric *fabric;
static struct ism_function *function[2];
static struct ivshmem_host *vmm;
static struct ivshmem_pci *pci[2];
static struct ivshmem *machine[2];

static void set_up(void)
{
    test_memory_init(&memory);
    for (int i = 0; i < 2; i++) {
        smc_dibs_init(&dibs[i], &memory.alloc);
        ck_assert_int_eq(smc_dibs_console_init(&console[i], &dibs[i], &memory.alloc, NULL, NULL),
                         0);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(smc_dibs_console_free(&console[i]), 0);
        ck_assert_int_eq(smc_dibs_free(&dibs[i]), 0);
    }
    ck_assert_uint_eq(memory.held, 0);
}

static void run_devices(uint64_t now_ns)
{
    for (int i = 0; i < 2; i++) {
        if (function[i] != NULL)
            ism_run(function[i], now_ns);
        if (machine[i] != NULL)
            ivshmem_run(machine[i], now_ns);
        smc_dibs_console_run(&console[i]);
    }
}

/* 100,000 bytes each way, then a good-bye; tokens by event or, where there are none, by hand. */
static void talk(struct smc_dibs_device *device[2], bool by_hand)
{
    uint8_t out[3000], in[3000];
    uint32_t sent[2] = {0}, got[2] = {0}, now = 0;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(smc_dibs_add_device(&dibs[i], device[i]), 0);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            smc_dibs_console_open(&console[i], device[i], &device[!i]->gid, 8192, &session[i]), 0);
    for (int i = 0; i < 2 && by_hand; i++)
        ck_assert_int_eq(smc_dibs_console_connect(session[i], smc_dibs_console_token(session[!i])),
                         0);
    while (got[0] < 100000 || got[1] < 100000) {
        ck_assert_uint_lt(++now, 1000);
        for (int i = 0; i < 2; i++) {
            for (uint32_t k = 0; k < sizeof(out); k++)
                out[k] = (uint8_t)((sent[i] + k) * 11 >> (2 + i));
            int n = smc_dibs_console_write(session[i], out, sizeof(out));
            ck_assert(n > 0 || n == SMC_ERR_WOULDBLOCK);
            sent[i] += n > 0 ? (uint32_t)n : 0;
            run_devices(now);
            n = smc_dibs_console_read(session[!i], in, 2000);
            ck_assert(n > 0 || n == SMC_ERR_WOULDBLOCK);
            for (int k = 0; k < n; k++)
                ck_assert_uint_eq(in[k], (uint8_t)((got[i] + (uint32_t)k) * 11 >> (2 + i)));
            got[i] += n > 0 ? (uint32_t)n : 0;
        }
    }
    ck_assert_int_eq(smc_dibs_console_close(session[0]), 0);
    run_devices(++now);
    ck_assert_int_eq(smc_dibs_console_write(session[1], "x", 1), SMC_ERR_CLOSED);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(smc_dibs_remove_device(&dibs[i], device[i]), 0);
}

START_TEST(the_console_runs_over_loopback) /* [DIBS-018] */
{
    struct loopback_config config = {.seed = 1};
    ck_assert_int_eq(loopback_create(&config, &memory.alloc, &loopback), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(loopback_port_create(loopback, "lo", NULL, NULL, &port[i]), 0);
    talk((struct smc_dibs_device *[]){loopback_port_device(port[0]), loopback_port_device(port[1])},
         true);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(loopback_port_destroy(port[i]), 0);
    ck_assert_int_eq(loopback_destroy(loopback), 0);
}
END_TEST

START_TEST(the_console_runs_over_ism) /* [DIBS-018] */
{
    struct ism_config config = {.seed = 1};
    ck_assert_int_eq(ism_fabric_create(&config, &memory.alloc, &fabric), 0);
    for (int i = 0; i < 2; i++) {
        struct ism_function_config c = {.gid = 1 + (uint64_t)i, .chid = 5, .name = "ism"};
        ck_assert_int_eq(ism_function_create(fabric, &c, &function[i]), 0);
    }
    talk((struct smc_dibs_device *[]){ism_function_device(function[0]),
                                      ism_function_device(function[1])},
         false);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(ism_function_destroy(function[i]), 0);
    ck_assert_int_eq(ism_fabric_destroy(fabric), 0);
}
END_TEST

START_TEST(the_console_runs_over_ivshmem) /* [DIBS-018] */
{
    struct ivshmem_host_config config = {.memory_bytes = 1 << 20, .vectors = 2, .revision = 1};
    ck_assert_int_eq(ivshmem_host_create(&config, &memory.alloc, &vmm), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ivshmem_pci_plug(vmm, 2, &pci[i]), 0);
        struct ivshmem_config c = {.bars = ivshmem_pci_bars(pci[i]), .name = "ivshmem", .seed = 4};
        ck_assert_int_eq(ivshmem_create(&c, &memory.alloc, &machine[i]), 0);
        ivshmem_pci_on_interrupt(pci[i], ivshmem_interrupt, machine[i]);
    }
    talk((struct smc_dibs_device *[]){ivshmem_device(machine[0]), ivshmem_device(machine[1])},
         false);
    for (int i = 0; i < 2; i++) {
        ivshmem_pci_on_interrupt(pci[i], NULL, NULL);
        ck_assert_int_eq(ivshmem_destroy(machine[i]), 0);
        ivshmem_pci_unplug(pci[i]);
    }
    ck_assert_int_eq(ivshmem_host_destroy(vmm), 0);
}
END_TEST

static Suite *swap_suite(void)
{
    Suite *suite = suite_create("dibs_swap");
    TCase *tc = tcase_create("swap");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, the_console_runs_over_loopback);
    tcase_add_test(tc, the_console_runs_over_ism);
    tcase_add_test(tc, the_console_runs_over_ivshmem);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(swap_suite)
