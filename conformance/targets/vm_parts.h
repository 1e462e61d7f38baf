/* Virtual machines from the inside.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_TARGETS_VM_PARTS_H
#define CONFORMANCE_TARGETS_VM_PARTS_H

#include "conformance/targets/vm.h"

/* Does a kernel run under KVM here? Tried once with this image's kernel (some seconds at most), then read from the cache. */
bool vm_kvm_works(const struct vm_image *image);
uint64_t vm_now_ms(void);

#endif
