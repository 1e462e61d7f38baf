/* What an agent tells by itself: connections, sockets that can be used again, traffic, complaints of the kernel.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/targets/kernel_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned events_of(const char *list)
{
    static const struct { const char *name; unsigned event; } known[] = {
        {"connected", SMC_EVENT_CONNECTED}, {"readable", SMC_EVENT_READABLE}, {"writable", SMC_EVENT_WRITABLE},
        {"urgent", SMC_EVENT_URGENT}, {"eof", SMC_EVENT_EOF}, {"error", SMC_EVENT_ERROR}};
    unsigned events = 0;
    while (*list != '\0') {
        size_t n = strcspn(list, ",");
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (strlen(known[i].name) == n && memcmp(known[i].name, list, n) == 0)
                events |= known[i].event;
        list += n;
        list += *list == ',';
    }
    return events;
}

static int error_of(const char *line)
{
    static const struct { const char *name; int error; } known[] = {
        {"ECONNRESET", SMC_ERR_RESET}, {"ECONNABORTED", SMC_ERR_RESET}, {"ECONNREFUSED", SMC_ERR_RESET}, {"EPIPE", SMC_ERR_RESET},
        {"ETIMEDOUT", SMC_ERR_TIMEOUT}, {"EHOSTUNREACH", SMC_ERR_UNREACHABLE}, {"ENETUNREACH", SMC_ERR_UNREACHABLE},
        {"EPROTO", SMC_ERR_PROTOCOL}, {"EAGAIN", SMC_ERR_TIMEOUT}};
    char name[32];
    if (!kernel_agent_text(line, "error", name, sizeof(name)))
        return SMC_ERR_RESET;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].error;
    return SMC_ERR_IO;
}

static void socket_event(struct kernel_host *k, const char *line)
{
    char list[128] = "";
    uint64_t number = kernel_agent_number(line, "id", 0);
    struct kernel_socket *s = kernel_socket_get(k, number);
    (void)kernel_agent_text(line, "events", list, sizeof(list));
    unsigned events = events_of(list);
    if (s == NULL)
        return;
    s->info_known = false;
    if ((events & (SMC_EVENT_READABLE | SMC_EVENT_EOF | SMC_EVENT_ERROR | SMC_EVENT_URGENT | SMC_EVENT_CONNECTED)) != 0)
        s->empty_until = 0;
    if ((events & (SMC_EVENT_WRITABLE | SMC_EVENT_ERROR | SMC_EVENT_CONNECTED)) != 0)
        s->full_until = 0;
    if ((events & SMC_EVENT_EOF) != 0)
        events |= SMC_EVENT_READABLE;
    for (unsigned i = 0; i < KERNEL_HOSTS && k->hosts[i] != NULL; i++) /* whose it is not knows nothing of it */
        lab_outside_event(k->hosts[i], number, events, (events & SMC_EVENT_ERROR) != 0 ? error_of(line) : 0);
}

static void accepted_event(struct kernel_host *k, const char *line)
{
    uint64_t listener = kernel_agent_number(line, "listener", 0), number = kernel_agent_number(line, "id", 0);
    struct kernel_socket *s = kernel_socket_get(k, number), *parent = kernel_socket_get(k, listener);
    if (s == NULL || parent == NULL)
        return;
    s->host = parent->host;
    for (unsigned i = 0; i < KERNEL_HOSTS && k->hosts[i] != NULL; i++)
        if (lab_outside_accepted(k->hosts[i], listener, number) != SMC_ERR_NOTFOUND)
            return;
}

static void traffic_event(struct kernel_host *k, const char *line)
{
    struct kernel_socket *s = kernel_socket_get(k, kernel_agent_number(line, "id", 0));
    if (s == NULL)
        return;
    kernel_read_traffic(line, &s->traffic);
    s->traffic_known = true;
    s->traffic_at = live_now(k->live);
}

static void kernel_event(struct kernel_host *k, const char *line)
{
    char level[32] = "", text[900] = "";
    (void)kernel_agent_text(line, "level", level, sizeof(level));
    (void)kernel_agent_text(line, "text", text, sizeof(text));
    if (k->complained)
        return;
    k->complained = true;
    snprintf(k->complaint, sizeof(k->complaint), "the kernel complains (%s): %s", level, text);
}

static void rxe_event(struct kernel_host *k, const char *line)
{
    char name[32] = "";
    (void)kernel_agent_text(line, "name", name, sizeof(name));
    for (unsigned i = 0; i < k->nic_count; i++)
        if (strcmp(k->names[i], name) == 0)
            k->rxe_leaves[i] = false;
}

static void tell(struct kernel_host *k, const char *line)
{
    size_t n = strcspn(line, " ");
    if (k->hosts[0] == NULL)
        return;
    if (n == 8 && memcmp(line, "accepted", n) == 0)
        accepted_event(k, line);
    else if (n == 6 && memcmp(line, "socket", n) == 0)
        socket_event(k, line);
    else if (n == 7 && memcmp(line, "traffic", n) == 0)
        traffic_event(k, line);
    else if (n == 5 && memcmp(line, "frame", n) == 0)
        kernel_seen(k, line);
    else if (n == 3 && memcmp(line, "rxe", n) == 0)
        rxe_event(k, line);
    else if (n == 6 && memcmp(line, "kernel", n) == 0)
        kernel_event(k, line);
}

static void tell_all(void *user, uint64_t now_ns)
{
    struct kernel_host *k = user;
    char *line;
    (void)now_ns;
    if (k->dispatching)
        return;
    k->dispatching = true;
    while ((line = kernel_agent_event(&k->agent)) != NULL) {
        tell(k, line);
        free(line);
    }
    k->dispatching = false;
}

void kernel_tell_later(struct kernel_host *k)
{
    if (!k->dispatching && k->agent.waiting == NULL && kernel_agent_has_event(&k->agent))
        (void)sim_at(lab_sim(k->lab), sim_now(lab_sim(k->lab)), tell_all, k);
}

void kernel_agent_ready(void *user, uint64_t now_ns)
{
    struct kernel_host *k = user;
    kernel_agent_read(&k->agent);
    if (k->agent.waiting == NULL) /* else whoever asks will see to them */
        tell_all(k, now_ns);
    if (k->agent.dead)
        live_unwatch(&k->watch);
}
