/* A kernel as a host of a script: interfaces, RoCE devices, UEIDs and limits are set by its agent, frames go by carriers.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/kernel_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */
int kernel_error(int number)
{
    switch (number) {
    case 0: return 0;
    case EAGAIN: return SMC_ERR_WOULDBLOCK;
    case ECONNRESET: case ECONNABORTED: case ECONNREFUSED: return SMC_ERR_RESET;
    case EPIPE: return SMC_ERR_CLOSED;
    case ETIMEDOUT: return SMC_ERR_TIMEOUT;
    case EHOSTUNREACH: case ENETUNREACH: case EHOSTDOWN: return SMC_ERR_UNREACHABLE;
    case ENOTCONN: return SMC_ERR_STATE;
    case ENOMEM: return SMC_ERR_NOMEM;
    case EADDRINUSE: case EEXIST: return SMC_ERR_EXISTS;
    case EOPNOTSUPP: case ENOSYS: return SMC_ERR_UNSUPPORTED;
    case EINVAL: return SMC_ERR_ARGUMENT;
    default: return SMC_ERR_IO;
    }
}

int kernel_check(struct kernel_host *k, int result, const char *what, const char *answer)
{
    kernel_tell_later(k);
    return result == 0 ? 0 : lab_outside_fail(k->lab, kernel_error(-result), "the kernel's agent, %s: %s", what, answer);
}

/* ---- the host ---- */
/* Of a profile, what the kernel can be told; the rest must be Linux's own. */
static int set_profile(struct kernel_host *k, const struct lab_host *host, const struct smc_profile *wanted)
{
    struct smc_profile rest = *wanted;
    const char *answer;
    const struct smc_profile *own = &smc_profile_linux;
    if (strcmp(wanted->name, own->name) != 0)
        return lab_outside_refuse(k->lab, "the script wants the profile \"%s\"", wanted->name);
    rest.test_link_idle_ns = own->test_link_idle_ns;
    rest.max_links = own->max_links;
    rest.max_conns = own->max_conns;
    /* Times of ours that a kernel has as constants: the script sets them to be quick, and waits for them by its `within`. */
    rest.group_idle_client_ns = own->group_idle_client_ns;
    rest.group_idle_server_ns = own->group_idle_server_ns;
    if (memcmp(&rest, own, sizeof(rest)) != 0)
        return lab_outside_refuse(k->lab, "its rules and times cannot be changed");
    if (wanted->test_link_idle_ns != own->test_link_idle_ns &&
        kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "sysctl smc.smcr_testlink_time=%" PRIu64 "%s",
                         (wanted->test_link_idle_ns + SIM_S - 1) / SIM_S, kernel_space(k, host)) != 0)
        return lab_outside_refuse(k->lab, "its time of TEST LINK cannot be set: %s", answer);
    if (wanted->max_links != own->max_links &&
        kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "sysctl smc.smcr_max_links_per_lgr=%u%s", wanted->max_links,
                         kernel_space(k, host)) != 0)
        return lab_outside_refuse(k->lab, "its number of links cannot be set: %s", answer);
    if (wanted->max_conns != own->max_conns &&
        kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "sysctl smc.smcr_max_conns_per_lgr=%u%s", wanted->max_conns,
                         kernel_space(k, host)) != 0)
        return lab_outside_refuse(k->lab, "its number of connections cannot be set: %s", answer);
    return 0;
}

/* A UEID that is there already is refused with EEXIST. Namespaces of one kernel have one table: the second host adds to it. */
static int add_ueid(struct kernel_host *k, const char *ueid, const char **answer)
{
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, answer, "ueid add=%s", ueid);
    return result == -EEXIST ? 0 : result;
}

static int set_ueids(struct kernel_host *k, const struct lab_host_config *c, bool second)
{
    const char *answer = "";
    int result = second ? 0 : kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "ueid flush=1");
    for (unsigned i = 0; result == 0 && i < 8 && c->ueids[i] != NULL; i++)
        result = add_ueid(k, c->ueids[i], &answer);
    /* Without a UEID the kernel offers no version 2 over RoCE: so it speaks version 1 alone. */
    if (result == 0 && c->ueids[0] == NULL && !c->no_ueid && (c->v2 || !c->v1))
        result = add_ueid(k, "SMCLAB.EID", &answer);
    return result == 0 ? 0 : lab_outside_refuse(k->lab, "its UEIDs cannot be set: %s", answer);
}

/* Of a kernel with our patch: does it choose RoCEv2 GIDs for version 1? */
static int set_version(struct kernel_host *k, const struct lab_host_config *c)
{
    const char *answer;
    bool wanted = c->v1 && !c->v2;
    k->v1 = wanted;
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "parameter module=smc name=v1_over_udp value=%c", wanted ? 'Y' : 'N');
    return result == 0 || !wanted ? 0 : lab_outside_refuse(k->lab, "its version cannot be set: %s", answer);
}

static int set_sizes(struct kernel_host *k, const struct lab_host *host, const struct lab_host_config *c)
{
    const char *answer;
    if (c->rmb_bytes != 0 && kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "sysctl smc.rmem=%u%s", c->rmb_bytes,
                                              kernel_space(k, host)) != 0)
        return lab_outside_refuse(k->lab, "its buffers cannot be set: %s", answer);
    if (c->sndbuf_bytes != 0 && kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "sysctl smc.wmem=%u%s", c->sndbuf_bytes,
                                                 kernel_space(k, host)) != 0)
        return lab_outside_refuse(k->lab, "its buffers cannot be set: %s", answer);
    return 0;
}

/* Where only one host is this kernel, nobody is reached by its loopback device, and the script means one without: a PNET ID that no
 * interface has takes it out of what is offered. Its name is that of 6.12, or of kernels with dibs. */
static void hide_loopback(struct kernel_host *k)
{
    const char *answer;
    if (k->both != KERNEL_ONE || kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "smc") != 0 ||
        kernel_agent_number(answer, "1.ism_v2", 0) == 0)
        return;
    (void)kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "pnet name=NOLOOP device=loopback-ism");
    (void)kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "pnet name=NOLOOP device=lo");
}

static int begin(void *user, struct lab_host *host, const struct lab_host_config *c)
{
    struct kernel_host *k = user;
    bool second = k->hosts[0] != NULL;
    k->hosts[second] = host;
    k->no_smc[second] = c->no_smc;
    if (c->v1 && !c->v2 && !kernel_host_has_v1(k))
        return lab_outside_refuse(k->lab, "the script wants version 1 alone, which it does not have over its RoCE devices");
    if (c->smc_d && !c->smc_r && k->both == KERNEL_ONE)
        return lab_outside_refuse(k->lab, "the script wants SMC-D alone");
    if (c->release_set && c->release == 0)
        return lab_outside_refuse(k->lab, "the script wants release 0");
    if (c->ipsec || c->seid_enabled || c->no_copy || (c->machine != NULL && k->both == KERNEL_ONE))
        return lab_outside_refuse(k->lab, "the script wants IPsec, an SEID, no-copy buffers, or a machine shared with another host");
    if (c->no_smc)
        return 0;
    hide_loopback(k);
    int error = set_profile(k, host, c->profile != NULL ? c->profile : &smc_profile_linux);
    if (error == 0)
        error = set_version(k, c);
    if (error == 0)
        error = set_ueids(k, c, second);
    return error != 0 ? error : set_sizes(k, host, c);
}

/* ---- time ---- */
/* While the agent is waited for, our hosts go on: a peer that is silent for a second is dead to RoCE. Not from within an event of
 * the engine. */
static bool pass(void *user)
{
    struct kernel_host *k = user;
    return lab_step(k->lab, sim_now(lab_sim(k->lab)) + SIM_S) >= 0;
}

/* ---- interfaces ---- */
const char *kernel_space(const struct kernel_host *k, const struct lab_host *host)
{
    return k->both != KERNEL_CONTAINERS ? "" : host == k->hosts[0] ? " space=first" : " space=second";
}

static const char *space_of(const struct kernel_host *k, unsigned index)
{
    return kernel_space(k, k->hosts[k->both != KERNEL_ONE && index >= KERNEL_SECOND]);
}

bool kernel_has_no_smc(const struct kernel_host *k, const struct lab_host *host)
{
    return k->no_smc[host == k->hosts[1]];
}

static int mac(void *user, unsigned index, uint8_t out[6])
{
    struct kernel_host *k = user;
    if (index >= k->nic_count)
        return lab_outside_refuse(k->lab, "it has %u NICs", k->both == KERNEL_ONE ? k->nic_count : 1);
    memcpy(out, k->nics[index].mac, 6);
    return 0;
}

static void list_of(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = text; *p != '\0' && n + 1 < size; p++)
        if (*p != ' ')
            out[n++] = *p;
        else if (n > 0 && out[n - 1] != ',')
            out[n++] = ',';
    while (n > 0 && out[n - 1] == ',')
        n--;
    out[n] = '\0';
}

/* Version 1 speaks between link-local addresses, which come some time after the interface. */
static void wait_for_local(struct kernel_host *k, unsigned index)
{
    const char *answer;
    uint64_t until = live_now(k->live) + 5 * SIM_S;
    while (kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "local name=%s", k->names[index]) == 0 &&
           kernel_agent_number(answer, "ready", 1) == 0 && live_now(k->live) < until && pass(k))
        continue;
}

static int interface(void *user, unsigned index, const char *name, const struct lab_interface_config *c)
{
    struct kernel_host *k = user;
    const uint8_t *m = k->nics[index].mac;
    bool second = k->both != KERNEL_ONE && index >= KERNEL_SECOND;
    char addresses[512], more[256] = "";
    const char *answer;
    if (c->vlan != 0)
        return lab_outside_refuse(k->lab, "it has no VLAN interfaces here");
    if (k->both != KERNEL_ONE && !c->no_roce && !k->no_smc[second])
        return lab_outside_refuse(k->lab, "both hosts are one kernel, where only SMC-D is driven so");
    if (c->roce_v1_only)
        return lab_outside_refuse(k->lab, "its RoCE devices have no RoCEv1 GIDs");
    list_of(c->address != NULL ? c->address : "", addresses, sizeof(addresses));
    size_t n = 0;
    if (c->mtu != 0)
        n += (size_t)snprintf(more + n, sizeof(more) - n, " mtu=%u", c->mtu);
    if (c->gateway != NULL)
        n += (size_t)snprintf(more + n, sizeof(more) - n, " gateway=%s", c->gateway);
    if (c->pnet != NULL && c->pnet[0] != '\0')
        n += (size_t)snprintf(more + n, sizeof(more) - n, " pnet=%s", c->pnet);
    if (addresses[0] != '\0')
        snprintf(more + n, sizeof(more) - n, " address=%s", addresses);
    name = k->nics[index].name != NULL ? k->nics[index].name : name;
    snprintf(k->names[index], sizeof(k->names[index]), "%s%s", k->both == KERNEL_LO && index >= KERNEL_SECOND ? "b" : "", name);
    int result = kernel_agent_ask(&k->agent, KERNEL_RESET_MS, &answer, "interface name=%s mac=%02x:%02x:%02x:%02x:%02x:%02x up=1 rxe=%d%s%s",
                                  k->names[index], m[0], m[1], m[2], m[3], m[4], m[5], !c->no_roce && !k->no_smc[second], more,
                                  kernel_space(k, k->hosts[second]));
    if (result == 0 && k->v1)
        wait_for_local(k, index);
    return kernel_check(k, result, "interface", answer);
}

static int address(void *user, unsigned index, const char *text)
{
    struct kernel_host *k = user;
    char addresses[512];
    const char *answer;
    list_of(text, addresses, sizeof(addresses));
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "address name=%s address=%s%s", k->names[index], addresses,
                                  space_of(k, index));
    return kernel_check(k, result, "address", answer);
}

/* Linux takes a connection that comes meanwhile, and then waits for its end with the removal: whoever goes on must know that the
 * device is gone. With connections it may wait for them: then the script's own time counts. */
static int wait_until_gone(struct kernel_host *k, unsigned index)
{
    uint64_t most = k->sockets == NULL ? 20 * SIM_S : SIM_S, until = live_now(k->live) + most;
    while (k->rxe_leaves[index] && live_now(k->live) < until && !k->agent.dead && pass(k))
        continue;
    return k->rxe_leaves[index] && k->sockets == NULL ? kernel_check(k, -ETIMEDOUT, "rxe", "the kernel does not let the device go") : 0;
}

static int roce_present(void *user, unsigned index, bool present)
{
    struct kernel_host *k = user;
    const char *answer;
    int result;
    /* One that leaves is gone a while after it was taken away; until then there cannot be a new one. */
    uint64_t until = live_now(k->live) + 5 * SIM_S;
    do {
        result = kernel_agent_ask(&k->agent, KERNEL_RESET_MS, &answer, "rxe name=%s present=%d%s", k->names[index], present, space_of(k, index));
    } while (present && (result == -EEXIST || result == -ENFILE) && live_now(k->live) < until && pass(k));
    k->rxe_leaves[index] = !present && result == 0;
    return result == 0 && !present ? wait_until_gone(k, index) : kernel_check(k, result, "rxe", answer);
}

static int set_link(void *user, unsigned index, bool up)
{
    struct kernel_host *k = user;
    const char *answer;
    int result;
    /* A script's first `link` puts the plug in: the kernel's interface is up since it was made. */
    if (k->link_down[index] == !up)
        return 0;
    k->link_down[index] = !up;
    result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "link name=%s up=%d%s", k->names[index], up, space_of(k, index));
    return kernel_check(k, result, "link", answer);
}

static void frame_to_kernel(void *user, unsigned index, const uint8_t *bytes, size_t length)
{
    struct kernel_host *k = user;
    if (index < k->nic_count)
        live_carrier_send(k->nics[index].carrier, bytes, length);
}

static void frame_from_kernel(void *user, const uint8_t *bytes, size_t length)
{
    struct kernel_port *port = user;
    const struct kernel_host *k = port->kernel;
    bool second = k->both != KERNEL_ONE && port->index >= KERNEL_SECOND;
    if (k->hosts[second] != NULL)
        lab_outside_frame(k->hosts[second], second ? port->index - KERNEL_SECOND : port->index, bytes, length);
}

/* ---- looking in ---- */
static const char *of_number(unsigned index, const char *name, char out[64])
{
    snprintf(out, 64, "%u.%s", index + 1, name);
    return out;
}

/* Linux's numbers (net/smc/smc_core.h): of links another order than ours, of groups the same. */
static int fill_links(struct kernel_host *k, struct smc_group_info *out)
{
    const char *answer;
    char key[64], text[64];
    if (kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "links") != 0)
        return 0;
    unsigned count = (unsigned)kernel_agent_number(answer, "count", 0);
    for (unsigned i = 0; i < count && out->link_count < 9; i++) {
        if (!kernel_agent_text(answer, of_number(i, "group", key), text, sizeof(text)) ||
            (uint32_t)strtoul(text, NULL, 0) != out->id)
            continue;
        struct smc_link_info *l = &out->links[out->link_count++];
        memset(l, 0, sizeof(*l));
        l->device = "kernel";
        l->number = (uint8_t)kernel_agent_number(answer, of_number(i, "number", key), 0);
        l->port = (uint8_t)kernel_agent_number(answer, of_number(i, "port", key), 1);
        l->connections = (uint32_t)kernel_agent_number(answer, of_number(i, "connections", key), 0);
        l->state = kernel_agent_link_state(kernel_agent_number(answer, of_number(i, "state", key), 0));
    }
    return 0;
}

static int group(void *user, unsigned index, struct smc_group_info *out)
{
    struct kernel_host *k = user;
    const char *answer;
    char key[64], text[64];
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "groups");
    if (result != 0)
        return kernel_check(k, result, "groups", answer);
    if (index >= kernel_agent_number(answer, "count", 0))
        return 0;
    memset(out, 0, sizeof(*out));
    out->flow = "none";
    if (kernel_agent_text(answer, of_number(index, "id", key), text, sizeof(text)))
        out->id = (uint32_t)strtoul(text, NULL, 0);
    out->client = kernel_agent_number(answer, of_number(index, "role", key), 1) == 0;
    out->type = (enum smc_group_type)(kernel_agent_number(answer, of_number(index, "type", key), 0) % 5);
    out->version = (uint8_t)kernel_agent_number(answer, of_number(index, "version", key), 0);
    out->release = (uint8_t)kernel_agent_number(answer, of_number(index, "release", key), 0);
    out->connections = (uint32_t)kernel_agent_number(answer, of_number(index, "connections", key), 0);
    out->max_conns = (uint32_t)kernel_agent_number(answer, of_number(index, "max_conns", key), 0);
    out->max_links = (uint32_t)kernel_agent_number(answer, of_number(index, "max_links", key), 0);
    (void)fill_links(k, out);
    return 1;
}

/* ---- beginning and end ---- */
/* The kernel does not list its loopback device among the others, but says that it has one of version 2: off s390 there is no other. */
static int device(void *user, const char *kind)
{
    struct kernel_host *k = user;
    const char *answer;
    if (strcmp(kind, "loopback") != 0 || k->both == KERNEL_ONE)
        return lab_outside_refuse(k->lab, "it has no dibs device of ours");
    int result = kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "smc");
    if (result == 0 && kernel_agent_number(answer, "1.ism_v2", 0) == 1)
        return 0;
    return lab_outside_refuse(k->lab, "it has no loopback device (SMC_LO or DIBS_LO): try --kernel build:trixie");
}

const struct lab_outside_ops kernel_ops = {.begin = begin,
                                           .device = device,
                                           .mac = mac,
                                           .interface = interface,
                                           .address = address,
                                           .roce_present = roce_present,
                                           .link = set_link,
                                           .frame = frame_to_kernel,
                                           .listen = kernel_listen,
                                           .connect = kernel_connect,
                                           .send = kernel_send,
                                           .recv = kernel_recv,
                                           .room = kernel_room,
                                           .shutdown = kernel_shutdown,
                                           .close = kernel_close,
                                           .set = kernel_set,
                                           .info = kernel_info,
                                           .traffic = kernel_traffic,
                                           .traffic_get = kernel_traffic_get,
                                           .traffic_stop = kernel_traffic_stop,
                                           .group = group};

static int greet(struct kernel_host *k, bool tidied, char *error, size_t error_size)
{
    const char *answer;
    char version[96] = "?";
    if (kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "hello") != 0) {
        snprintf(error, error_size, "the agent: %s", answer);
        return -1;
    }
    (void)kernel_agent_text(answer, "kernel", version, sizeof(version));
    snprintf(k->version, sizeof(k->version), "Linux %s", version);
    if (!tidied && kernel_agent_ask(&k->agent, KERNEL_RESET_MS, &answer, "reset") != 0) {
        snprintf(error, error_size, "the agent, reset: %s", answer);
        return -1;
    }
    (void)kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "dmesg"); /* of the runs before */
    return 0;
}

struct kernel_host *kernel_host_new(const struct kernel_host_config *config, struct live *live, char *error, size_t error_size)
{
    struct kernel_host *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    kernel_agent_init(&k->agent, config->agent_fd, config->first_number);
    k->agent.slower = config->slower;
    k->live = live;
    k->nic_count = config->nic_count;
    memcpy(k->nics, config->nics, sizeof(k->nics));
    k->outside = (struct lab_outside){.ops = &kernel_ops, .user = k, .kind = "a kernel"};
    if (greet(k, config->tidied, error, error_size) == 0)
        return k;
    kernel_host_free(k);
    return NULL;
}

const struct lab_outside *kernel_host_start(struct kernel_host *k, struct lab *lab)
{
    k->lab = lab;
    k->agent.pass = pass;
    k->agent.pass_user = k;
    k->watch = (struct live_watch){.fd = k->agent.fd, .ready = kernel_agent_ready, .user = k};
    live_watch(k->live, &k->watch);
    for (unsigned i = 0; i < k->nic_count; i++) {
        k->ports[i] = (struct kernel_port){k, i};
        live_carrier_start(k->nics[i].carrier, k->live, frame_from_kernel, &k->ports[i]);
    }
    return &k->outside;
}

const char *kernel_host_version(const struct kernel_host *k)
{
    return k->version;
}

bool kernel_host_alive(const struct kernel_host *k)
{
    return !k->agent.dead;
}

void kernel_host_complaints(struct kernel_host *k, char *out, size_t size, bool *serious)
{
    *serious = k->complained || k->agent.dead;
    snprintf(out, size, "%s", k->agent.dead ? "the kernel's agent does not answer any more" : k->complaint);
}

char *kernel_host_log(struct kernel_host *k)
{
    const char *answer;
    size_t length;
    if (k->agent.dead || kernel_agent_ask(&k->agent, KERNEL_ANSWER_MS, &answer, "dmesg") != 0 ||
        kernel_agent_value(answer, "text", &length) == NULL || length == 0)
        return NULL;
    char *text = malloc(length + 1);
    if (text != NULL && !kernel_agent_text(answer, "text", text, length + 1)) {
        free(text);
        return NULL;
    }
    return text;
}

void kernel_host_free(struct kernel_host *k)
{
    if (k == NULL)
        return;
    live_unwatch(&k->watch);
    kernel_sockets_free(k);
    kernel_agent_end(&k->agent);
    free(k);
}
