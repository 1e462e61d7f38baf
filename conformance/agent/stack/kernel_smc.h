/* What the kernel's own SMC and Soft-RoCE must be told by netlink before they can be used.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_KERNEL_SMC_H
#define CONFORMANCE_AGENT_KERNEL_SMC_H

/* "rxe0=eth0": a Soft-RoCE device on an interface. 0; -1 (said on standard error). */
int kernel_add_rxe(const char *text);
/* A UEID of the kernel's AF_SMC. 0; -1. */
int kernel_add_ueid(const char *ueid);
/* "NET1=eth0=rxe0": an interface and an RoCE device (its port 1) of one physical network. */
int kernel_add_pnet(const char *text);

#endif
