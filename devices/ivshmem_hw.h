/* The ivshmem-doorbell PCI function of a virtual machine, as Linux shows it to a program: BARs and interrupts.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_IVSHMEM_HW_H
#define DEVICES_IVSHMEM_HW_H

#include <stdbool.h>
#include <stdint.h>

#include <smc/alloc.h>

#include "devices/ivshmem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two ways to use it, neither with a driver of our own in the kernel:
 *
 *     POLL   BAR0 and BAR2 mapped from sysfs (resource0, resource2). No interrupts: the program looks at
 *            its flag in the region's header page (ivshmem_poll) as often as it likes.
 *     VFIO   the function is given to vfio-pci; BAR2 mapped from it, BAR0 by reads and writes, MSI-X
 *            vectors as eventfds. Needs an IOMMU (QEMU: -M q35 -device intel-iommu) and the module
 *            vfio-pci loaded.
 *
 * Needs to be root in the machine. */
enum ivshmem_hw_mode { IVSHMEM_HW_POLL, IVSHMEM_HW_VFIO };

enum { IVSHMEM_HW_VECTORS = 64, IVSHMEM_HW_ADDRESS = 16 };

struct ivshmem_hw;

struct ivshmem_hw_config {
    const struct smc_alloc *alloc; /* borrowed */
    const char *address;           /* "0000:00:04.0" */
    enum ivshmem_hw_mode mode;
    uint32_t vectors; /* at most as many, 1 to IVSHMEM_HW_VECTORS; POLL: said to others, not used */
    void (*interrupt)(void *user, uint16_t vector); /* from ivshmem_hw_run */
    void *user;
};

/* The address of the n-th ivshmem function, in the order of their addresses. SMC_ERR_NOTFOUND. */
int ivshmem_hw_find(unsigned n, char address[IVSHMEM_HW_ADDRESS]);

/* SMC_ERR_ARGUMENT, SMC_ERR_NOMEM, SMC_ERR_UNSUPPORTED (revision 0, or no MSI-X), SMC_ERR_IO. `problem` (may
 * be NULL) gets what could not be done, static text; errno says why. */
int ivshmem_hw_open(const struct ivshmem_hw_config *config, struct ivshmem_hw **out, const char **problem);
void ivshmem_hw_close(struct ivshmem_hw *hw);

struct ivshmem_bars ivshmem_hw_bars(struct ivshmem_hw *hw);
/* VFIO: readable when an interrupt came; then ivshmem_hw_run. POLL: -1. */
int ivshmem_hw_fd(const struct ivshmem_hw *hw);
void ivshmem_hw_run(struct ivshmem_hw *hw);

#ifdef __cplusplus
}
#endif

#endif
