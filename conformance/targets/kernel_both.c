/* Both hosts of a script in one kernel: the second one's interfaces, and frames that only the agent sees.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/kernel_internal.h"

#include <stdio.h>

/* ---- the second host's interfaces: the NICs behind those of the first ---- */
static int second_mac(void *user, unsigned index, uint8_t out[6])
{
    return kernel_ops.mac(user, index + KERNEL_SECOND, out);
}

static int second_interface(void *user, unsigned index, const char *name, const struct lab_interface_config *config)
{
    return kernel_ops.interface(user, index + KERNEL_SECOND, name, config);
}

static int second_address(void *user, unsigned index, const char *address)
{
    return kernel_ops.address(user, index + KERNEL_SECOND, address);
}

static int second_roce_present(void *user, unsigned index, bool present)
{
    return kernel_ops.roce_present(user, index + KERNEL_SECOND, present);
}

static int second_link(void *user, unsigned index, bool up)
{
    return kernel_ops.link(user, index + KERNEL_SECOND, up);
}

static void second_frame(void *user, unsigned index, const uint8_t *bytes, size_t length)
{
    kernel_ops.frame(user, index + KERNEL_SECOND, bytes, length);
}

/* The first host has one NIC. */
static int first_mac(void *user, unsigned index, uint8_t out[6])
{
    return kernel_ops.mac(user, index < KERNEL_SECOND ? index : KERNEL_NICS, out);
}

const struct lab_outside *kernel_host_both(struct kernel_host *k, enum kernel_both how, char *error, size_t error_size)
{
    const char *answer;
    if (k->nic_count <= KERNEL_SECOND) {
        snprintf(error, error_size, "both hosts are this kernel: it needs %d NICs, and has %u", KERNEL_SECOND + 1, k->nic_count);
        return NULL;
    }
    if (how == KERNEL_LO && kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "capture interface=lo on=1") != 0) {
        snprintf(error, error_size, "the agent cannot capture: %s", answer);
        return NULL;
    }
    k->both = how;
    k->first_ops = k->second_ops = kernel_ops;
    k->first_ops.mac = first_mac;
    k->second_ops.mac = second_mac;
    k->second_ops.interface = second_interface;
    k->second_ops.address = second_address;
    k->second_ops.roce_present = second_roce_present;
    k->second_ops.link = second_link;
    k->second_ops.frame = second_frame;
    k->outside.ops = &k->first_ops;
    k->second = k->outside;
    k->second.ops = &k->second_ops;
    return &k->second;
}

/* ---- frames of `lo` ---- */
void kernel_seen(struct kernel_host *k, const char *line)
{
    static uint8_t frame[65536 + 64]; /* the largest that `lo` carries */
    long n = kernel_agent_bytes(line, "bytes", frame, sizeof(frame));
    if (n >= 0)
        lab_outside_seen(k->lab, frame, (size_t)n);
}

/* ---- version 1 ---- */
bool kernel_host_has_v1(struct kernel_host *k)
{
    const char *answer;
    return kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "parameter module=smc name=v1_over_udp") == 0;
}
