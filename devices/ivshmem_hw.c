/* ivshmem from inside a virtual machine: BARs from sysfs, or everything through vfio-pci.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem_hw.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/field.h"

#define DEVICES "/sys/bus/pci/devices"

enum { PATH = 160, BAR0_BYTES = 256, VENDOR = 0x1af4, DEVICE = 0x1110, EVENTS = 16 };
enum { CONFIG_COMMAND = 4, COMMAND_MEMORY = 2, COMMAND_MASTER = 4 };

struct ivshmem_hw {
    const struct smc_alloc *alloc;
    struct ivshmem_hw_config config;
    const char **problem;
    uint8_t *registers; /* POLL; VFIO: NULL */
    uint8_t *memory;
    size_t memory_bytes;
    uint32_t vectors;
    int container, group, device, epoll; /* VFIO; else -1 */
    uint64_t registers_at, config_at;    /* offsets in `device` */
    int bells[IVSHMEM_HW_VECTORS];
    uint32_t bell_count;
};

static int failed(struct ivshmem_hw *hw, const char *what)
{
    *hw->problem = what;
    return SMC_ERR_IO;
}

/* ---- sysfs ---- */

static int open_in_sysfs(const char *address, const char *file, int flags)
{
    char path[PATH];
    snprintf(path, sizeof(path), DEVICES "/%s/%s", address, file);
    return open(path, flags | O_CLOEXEC);
}

/* One number of a file such as `vendor`; -1: none. */
static long read_number(const char *address, const char *file)
{
    char text[32] = {0};
    int fd = open_in_sysfs(address, file, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    return n > 0 ? strtol(text, NULL, 0) : -1;
}

static bool write_text(int fd, const char *text)
{
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return done;
}

static int is_ivshmem(const struct dirent *entry)
{
    return strlen(entry->d_name) < IVSHMEM_HW_ADDRESS && read_number(entry->d_name, "vendor") == VENDOR &&
           read_number(entry->d_name, "device") == DEVICE;
}

int ivshmem_hw_find(unsigned n, char address[IVSHMEM_HW_ADDRESS])
{
    struct dirent **entries;
    int count = scandir(DEVICES, &entries, is_ivshmem, alphasort), error = SMC_ERR_NOTFOUND;
    for (int i = 0; i < count; i++) {
        if ((unsigned)i == n) {
            snprintf(address, IVSHMEM_HW_ADDRESS, "%.*s", IVSHMEM_HW_ADDRESS - 1, entries[i]->d_name);
            error = 0;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return error;
}

/* The file's size is the BAR's. [IVSHMEM-014]: whatever its address, it is the kernel that maps it. */
static uint8_t *map_resource(const char *address, const char *file, size_t *bytes)
{
    int fd = open_in_sysfs(address, file, O_RDWR);
    struct stat info;
    void *memory = MAP_FAILED;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        *bytes = (size_t)info.st_size;
        memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    close(fd);
    return memory != MAP_FAILED ? memory : NULL;
}

static int open_polled(struct ivshmem_hw *hw)
{
    const char *address = hw->config.address;
    size_t bytes;
    if (!write_text(open_in_sysfs(address, "enable", O_WRONLY), "1"))
        return failed(hw, "the function cannot be enabled");
    hw->registers = map_resource(address, "resource0", &bytes);
    if (hw->registers == NULL || bytes < BAR0_BYTES)
        return failed(hw, "BAR0 cannot be mapped");
    hw->memory = map_resource(address, "resource2", &hw->memory_bytes);
    if (hw->memory == NULL)
        return failed(hw, "BAR2 cannot be mapped");
    hw->vectors = hw->config.vectors;
    return 0;
}

/* ---- vfio ---- */

static int bind_to_vfio(struct ivshmem_hw *hw)
{
    const char *address = hw->config.address;
    char link[PATH], target[PATH];
    snprintf(link, sizeof(link), DEVICES "/%s/driver", address);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n >= 0) {
        target[n] = '\0';
        const char *name = strrchr(target, '/');
        if (name != NULL && strcmp(name, "/vfio-pci") == 0)
            return 0;
        if (!write_text(open_in_sysfs(address, "driver/unbind", O_WRONLY), address))
            return failed(hw, "the function's driver does not let it go");
    }
    if (!write_text(open_in_sysfs(address, "driver_override", O_WRONLY), "vfio-pci") ||
        !write_text(open("/sys/bus/pci/drivers_probe", O_WRONLY | O_CLOEXEC), address))
        return failed(hw, "the function cannot be given to vfio-pci");
    return 0;
}

static int open_group(struct ivshmem_hw *hw)
{
    char link[PATH], target[PATH], path[PATH];
    struct vfio_group_status status = {.argsz = sizeof(status)};
    snprintf(link, sizeof(link), DEVICES "/%s/iommu_group", hw->config.address);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return failed(hw, "there is no IOMMU");
    target[n] = '\0';
    const char *number = strrchr(target, '/');
    snprintf(path, sizeof(path), "/dev/vfio/%.20s", number != NULL ? number + 1 : "");
    hw->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    hw->group = open(path, O_RDWR | O_CLOEXEC);
    if (hw->container < 0 || hw->group < 0)
        return failed(hw, "vfio's files cannot be opened");
    if (ioctl(hw->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION || ioctl(hw->group, VFIO_GROUP_GET_STATUS, &status) != 0 ||
        (status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
        return failed(hw, "the function's IOMMU group has other devices in use");
    if (ioctl(hw->group, VFIO_GROUP_SET_CONTAINER, &hw->container) != 0 ||
        ioctl(hw->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0)
        return failed(hw, "the IOMMU cannot be set up");
    hw->device = ioctl(hw->group, VFIO_GROUP_GET_DEVICE_FD, hw->config.address);
    return hw->device >= 0 ? 0 : failed(hw, "vfio does not give the function out");
}

static int region(struct ivshmem_hw *hw, uint32_t index, struct vfio_region_info *out)
{
    *out = (struct vfio_region_info){.argsz = sizeof(*out), .index = index};
    return ioctl(hw->device, VFIO_DEVICE_GET_REGION_INFO, out) == 0 && out->size > 0 ? 0 : failed(hw, "a BAR is missing");
}

static int map_bars(struct ivshmem_hw *hw)
{
    struct vfio_region_info registers, memory, config;
    int error = region(hw, VFIO_PCI_BAR0_REGION_INDEX, &registers);
    if (error == 0)
        error = region(hw, VFIO_PCI_BAR2_REGION_INDEX, &memory);
    if (error == 0)
        error = region(hw, VFIO_PCI_CONFIG_REGION_INDEX, &config);
    if (error != 0)
        return error;
    hw->registers_at = registers.offset;
    hw->config_at = config.offset;
    void *at = mmap(NULL, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, hw->device, (off_t)memory.offset);
    if (at == MAP_FAILED)
        return failed(hw, "BAR2 cannot be mapped");
    hw->memory = at;
    hw->memory_bytes = memory.size;
    return 0;
}

/* An interrupt is a write to memory by the function: it must be allowed to be master of the bus. */
static int enable(struct ivshmem_hw *hw)
{
    uint8_t bytes[2];
    off_t at = (off_t)(hw->config_at + CONFIG_COMMAND);
    if (pread(hw->device, bytes, 2, at) != 2)
        return failed(hw, "the command register cannot be read");
    smc_store_le(bytes, 2, smc_load_le(bytes, 2) | COMMAND_MEMORY | COMMAND_MASTER);
    return pwrite(hw->device, bytes, 2, at) == 2 ? 0 : failed(hw, "the command register cannot be written");
}

static int open_bells(struct ivshmem_hw *hw)
{
    hw->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (; hw->bell_count < hw->vectors; hw->bell_count++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = hw->bell_count};
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0 || epoll_ctl(hw->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            if (fd >= 0)
                close(fd);
            return failed(hw, "no eventfd");
        }
        hw->bells[hw->bell_count] = fd;
    }
    return 0;
}

static int connect_interrupts(struct ivshmem_hw *hw)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX};
    union {
        struct vfio_irq_set set;
        uint8_t bytes[sizeof(struct vfio_irq_set) + IVSHMEM_HW_VECTORS * sizeof(int)];
    } irqs = {.bytes = {0}};
    if (ioctl(hw->device, VFIO_DEVICE_GET_IRQ_INFO, &info) != 0 || info.count == 0) {
        *hw->problem = "the function has no MSI-X vectors";
        return SMC_ERR_UNSUPPORTED;
    }
    hw->vectors = info.count < hw->config.vectors ? info.count : hw->config.vectors;
    int error = open_bells(hw);
    if (error != 0)
        return error;
    irqs.set.argsz = (uint32_t)(sizeof(irqs.set) + hw->vectors * sizeof(int));
    irqs.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    irqs.set.index = VFIO_PCI_MSIX_IRQ_INDEX;
    irqs.set.count = hw->vectors;
    memcpy(irqs.bytes + sizeof(irqs.set), hw->bells, hw->vectors * sizeof(int));
    return ioctl(hw->device, VFIO_DEVICE_SET_IRQS, &irqs) == 0 ? 0 : failed(hw, "the vectors cannot be connected");
}

static int open_vfio(struct ivshmem_hw *hw)
{
    int (*const steps[])(struct ivshmem_hw *) = {bind_to_vfio, open_group, map_bars, enable, connect_interrupts};
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int error = steps[i](hw);
        if (error != 0)
            return error;
    }
    return 0;
}

/* ---- the face ---- */

static uint32_t bar_read(void *user, uint32_t offset)
{
    const struct ivshmem_hw *hw = user;
    uint8_t bytes[4] = {0};
    if (hw->registers != NULL) {
        uint32_t raw = *(const volatile uint32_t *)(const void *)(hw->registers + offset);
        memcpy(bytes, &raw, 4);
    } else if (pread(hw->device, bytes, 4, (off_t)(hw->registers_at + offset)) != 4)
        return 0;
    return (uint32_t)smc_load_le(bytes, 4);
}

static void bar_write(void *user, uint32_t offset, uint32_t value)
{
    struct ivshmem_hw *hw = user;
    uint8_t bytes[4];
    uint32_t raw;
    smc_store_le(bytes, 4, value);
    memcpy(&raw, bytes, 4);
    if (hw->registers != NULL)
        *(volatile uint32_t *)(void *)(hw->registers + offset) = raw; /* one access, as wide as the register */
    else if (pwrite(hw->device, bytes, 4, (off_t)(hw->registers_at + offset)) != 4)
        return; /* a bell that did not ring: the alive counters will tell */
}

struct ivshmem_bars ivshmem_hw_bars(struct ivshmem_hw *hw)
{
    return (struct ivshmem_bars){.memory = hw->memory,
                                 .memory_bytes = hw->memory_bytes,
                                 .vectors = hw->vectors,
                                 .read = bar_read,
                                 .write = bar_write,
                                 .user = hw};
}

int ivshmem_hw_fd(const struct ivshmem_hw *hw)
{
    return hw->epoll;
}

void ivshmem_hw_run(struct ivshmem_hw *hw)
{
    struct epoll_event events[EVENTS];
    int n = hw->epoll >= 0 ? epoll_wait(hw->epoll, events, EVENTS, 0) : 0;
    for (int i = 0; i < n; i++) {
        uint64_t count;
        uint32_t vector = events[i].data.u32;
        if (read(hw->bells[vector], &count, sizeof(count)) == sizeof(count) && hw->config.interrupt != NULL)
            hw->config.interrupt(hw->config.user, (uint16_t)vector);
    }
}

static bool config_ok(const struct ivshmem_hw_config *c)
{
    return c->address != NULL && strlen(c->address) < IVSHMEM_HW_ADDRESS && strchr(c->address, '/') == NULL && c->vectors >= 1 &&
           c->vectors <= IVSHMEM_HW_VECTORS && (c->mode == IVSHMEM_HW_POLL || c->mode == IVSHMEM_HW_VFIO);
}

int ivshmem_hw_open(const struct ivshmem_hw_config *config, struct ivshmem_hw **out, const char **problem)
{
    static const char *nobody_asks;
    if (!config_ok(config))
        return SMC_ERR_ARGUMENT;
    struct ivshmem_hw *hw = smc_alloc_zeroed(config->alloc, 1, sizeof(*hw));
    if (hw == NULL)
        return SMC_ERR_NOMEM;
    hw->alloc = config->alloc;
    hw->config = *config;
    hw->problem = problem != NULL ? problem : &nobody_asks;
    hw->container = hw->group = hw->device = hw->epoll = -1;
    *hw->problem = "revision 0 of the function is not supported";
    int error = read_number(config->address, "revision") < 1             ? SMC_ERR_UNSUPPORTED
                : config->mode == IVSHMEM_HW_VFIO ? open_vfio(hw)
                                                                         : open_polled(hw);
    if (error != 0) {
        int why = errno;
        ivshmem_hw_close(hw);
        errno = why;
        return error;
    }
    *out = hw;
    return 0;
}

void ivshmem_hw_close(struct ivshmem_hw *hw)
{
    if (hw->memory != NULL)
        munmap(hw->memory, hw->memory_bytes);
    if (hw->registers != NULL)
        munmap(hw->registers, BAR0_BYTES);
    while (hw->bell_count > 0)
        close(hw->bells[--hw->bell_count]);
    const int files[] = {hw->device, hw->group, hw->container, hw->epoll};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i] >= 0)
            close(files[i]);
    smc_alloc_release(hw->alloc, hw, 1, sizeof(*hw));
}
