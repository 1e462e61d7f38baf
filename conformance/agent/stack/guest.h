/* The endpoint program as the first and only process of a virtual machine.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_GUEST_H
#define CONFORMANCE_AGENT_GUEST_H

/* Mounts proc, sysfs, devtmpfs and cgroup2, loads the modules that /modules/index wants
 * loaded at the start (see conformance/targets/guest_image.py), brings up lo. What fails is said on standard error. */
void guest_start(void);
/* "eth0=10.0.0.1/24": sets the address and brings the interface up. 0, -1 (said on standard error). */
int guest_set_address(const char *text);
/* Loads a module that stands in /modules/index, and what it needs. 0, -1. */
int guest_load(const char *name);
/* Writes what is buffered and switches the machine off. Does not return. */
void guest_end(void) __attribute__((noreturn));

#endif
