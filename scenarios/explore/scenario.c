/* Writes a plan as a scenario in the language of docs/scenarios.md.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "campaign.h"
#include "internal.h"

#include "devices/dibs_parts.h"
#include "devices/roce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- hosts and links ---- */
static void write_profile(const struct explore_host *h, FILE *to)
{
    const char *name = h->profile == 0 ? "linux" : "rfc";
    if (h->max_conns == 0 && h->max_links == 0 && (h->rmbes == 0 || h->profile == 0)) {
        fprintf(to, ", profile = \"%s\"", name);
        return;
    }
    fprintf(to, ", profile = { \"%s\"", name);
    if (h->max_conns != 0)
        fprintf(to, ", max_conns = %" PRIu64, h->max_conns);
    if (h->max_links != 0)
        fprintf(to, ", max_links = %" PRIu64, h->max_links);
    if (h->rmbes != 0 && h->profile != 0)
        fprintf(to, ", rmbes_per_rmb = %" PRIu64, h->rmbes);
    fputs(" }", to);
}

static void write_nic_fields(const struct explore_host *h, bool flow_control, FILE *to)
{
    static const char *const roce[] = {"", ", roce = \"v1\"", ", roce = \"v2\"", ", roce = false"};
    fputs(roce[h->roce], to);
    if (h->vlan != 0)
        fprintf(to, ", vlan = %" PRIu64, h->vlan);
    if (h->mtu != 0)
        fprintf(to, ", mtu = %" PRIu64, h->mtu);
    if (h->dscp != 0)
        fprintf(to, ", dscp = %" PRIu64, h->dscp);
    fprintf(to, "%s%s", h->dcqcn ? ", dcqcn = true" : "", flow_control ? ", pfc = true" : "");
}

static void write_devices(const struct explore_host *h, FILE *to)
{
    if (h->devices == 0)
        return;
    fputs(", devices = {", to);
    for (unsigned k = 0; k < 3; k++)
        if ((h->devices >> k & 1) != 0)
            fprintf(to, " \"%s\",", explore_device_kinds[k]);
    fputs(" }", to);
}

static void write_host(const struct explore_plan *p, unsigned i, FILE *to)
{
    const struct explore_host *h = &p->hosts[i];
    char address[64];
    explore_address(p, i, 0, true, address);
    fprintf(to, "host \"%s\" { address = \"%s\"", explore_host_names[i], address);
    write_profile(h, to);
    if (h->versions != 0)
        fprintf(to, ", versions = { %" PRIu64 " }", h->versions);
    if (h->paths != 0)
        fprintf(to, ", paths = { \"%s\" }", h->paths == 1 ? "R" : "D");
    if (h->release0)
        fputs(", release = 0", to);
    if (h->eid != 0)
        fputs(h->eid == 1 ? ", ueids = { \"ANOTHER.EID\" }" : ", ueids = {}", to);
    if (h->machine != 0)
        fprintf(to, ", machine = \"machine%" PRIu64 "\"", h->machine);
    write_devices(h, to);
    fprintf(to, "%s%s%s", h->no_copy ? ", no_copy = true" : "", h->autocork ? ", autocork = true" : "", h->ipsec ? ", ipsec = true" : "");
    if (h->rmb != 0)
        fprintf(to, ", rmb = %" PRIu64, h->rmb);
    if (h->sndbuf != 0)
        fprintf(to, ", sndbuf = %" PRIu64, h->sndbuf);
    write_nic_fields(h, p->xoff != 0, to);
    fputs(" }\n", to);
    for (unsigned n = 1; n < h->nics; n++) {
        explore_address(p, i, n, true, address);
        fprintf(to, "%s:interface \"eth%u\" { address = \"%s\"", explore_host_names[i], n, address);
        write_nic_fields(h, p->xoff != 0, to);
        fputs(" }\n", to);
    }
}

static void end_text(uint64_t end, char out[32])
{
    if (end >= 100)
        snprintf(out, 32, "sw%u", (unsigned)(end - 100));
    else
        snprintf(out, 32, "%s.eth%u", explore_host_names[end / 10], (unsigned)(end % 10));
}

static void write_switch(const struct explore_plan *p, unsigned number, FILE *to)
{
    fprintf(to, "switch \"sw%u\"%s", number, p->xoff + p->ecn != 0 ? " {" : "");
    if (p->xoff != 0)
        fprintf(to, " pfc = { lossless = { %d }, xoff = %" PRIu64 ", xon = %" PRIu64 ", headroom = %d, quanta = %d },", EXPLORE_LOSSLESS,
                p->xoff, p->xoff / 4 * 3, EXPLORE_HEADROOM, EXPLORE_QUANTA);
    if (p->ecn != 0)
        fprintf(to, " ecn = { min = %" PRIu64 ", max = %" PRIu64 ", share = \"%d ppm\" },", p->ecn / 8, p->ecn, EXPLORE_ECN_SHARE);
    fputs(p->xoff + p->ecn != 0 ? " }\n" : "\n", to);
}

static void write_links(const struct explore_plan *p, FILE *to)
{
    for (uint64_t sw = 100; sw < 102; sw++) {
        bool used = false;
        for (unsigned i = 0; i < p->link_count; i++)
            used |= p->links[i].a == sw || p->links[i].b == sw;
        if (used)
            write_switch(p, (unsigned)(sw - 100), to);
    }
    for (unsigned i = 0; i < p->link_count; i++) {
        const struct explore_link *l = &p->links[i];
        char a[32], b[32];
        end_text(l->a, a);
        end_text(l->b, b);
        fprintf(to, "local link%u = link(\"%s\", \"%s\", {", i, a, b);
        if (l->rate != 0)
            fprintf(to, " rate = \"%" PRIu64 " Mbit/s\",", l->rate / 1000000);
        if (l->delay != 0)
            fprintf(to, " delay = %" PRIu64 ",", l->delay);
        if (l->queue != 0)
            fprintf(to, " queue = %" PRIu64 ",", l->queue);
        if (l->mtu != 0)
            fprintf(to, " mtu = %" PRIu64 ",", l->mtu);
        fputs(" })\n", to);
    }
}

/* ---- faults ---- */
static void from_text(const struct explore_plan *p, const struct explore_fault *f, char out[48])
{
    out[0] = '\0';
    if (f->dir != 0) {
        uint64_t end = f->dir == 1 ? p->links[f->where].a : p->links[f->where].b;
        char name[32];
        end_text(end, name);
        snprintf(out, 48, "\"%s\"", name);
    }
}

static void write_rates(const struct explore_fault *f, const char *from, FILE *to)
{
    const char *comma = from[0] != '\0' ? ", " : "";
    const struct { const char *name; uint64_t ppm; } rates[] = {
        {"loss", f->p}, {"duplicate", f->q}, {"corrupt", f->s}, {"corrupt_deep", f->t}};
    for (unsigned i = 0; i < 4; i++)
        if (rates[i].ppm != 0)
            fprintf(to, "link%" PRIu64 ":%s(\"%" PRIu64 " ppm\"%s%s)\n", f->where, rates[i].name, rates[i].ppm, comma, from);
    if (f->r != 0)
        fprintf(to, "link%" PRIu64 ":reorder(\"%" PRIu64 " ppm\", \"200 us\"%s%s)\n", f->where, f->r, comma, from);
}

static void write_message(const struct explore_fault *f, const char *from, FILE *to)
{
    const struct explore_message *m = &explore_messages[f->p];
    fprintf(to, "link%" PRIu64 ":%s { \"%s\", nth = %" PRIu64 ", count = %" PRIu64, f->where, f->t ? "copy" : f->s != 0 ? "delay" : "drop", m->name,
            f->q + 1, f->r != 0 ? f->r : 1);
    if (m->response >= 0)
        fprintf(to, ", response = %s", m->response ? "true" : "false");
    if (!f->t && f->s != 0)
        fprintf(to, ", by = %" PRIu64, f->s);
    if (from[0] != '\0')
        fprintf(to, ", from = %s", from);
    fputs(" }\n", to);
}

static void write_roce(const struct explore_fault *f, bool on, FILE *to)
{
    static const char *const kinds[] = {"drop completion", "delay completion", "error completion", "not placed", "late write", "rnr",
                                        "hold qp", "qp fatal", "device fatal", "refuse mr", "refuse qp"};
    const char *host = explore_host_names[f->where / 10];
    unsigned nic = (unsigned)(f->where % 10);
    if (!on)
        fprintf(to, "%s:roce_fault(\"eth%u\")\n", host, nic);
    else
        fprintf(to, "%s:roce_fault(\"eth%u\", { \"%s\"%s, first = %" PRIu64 "%s, times = %" PRIu64 ", argument = %" PRIu64 " })\n", host, nic,
                f->p < sizeof(kinds) / sizeof(kinds[0]) ? kinds[f->p] : "?",
                f->q == ROCE_ON_SEND ? ", operations = \"send\"" : f->q == ROCE_ON_RECV ? ", operations = \"recv\"" : "", f->r,
                f->s > 1 ? ", every = 1" : "", f->s, f->t);
}

static void write_dibs(const struct explore_fault *f, bool on, FILE *to)
{
    static const char *const points[] = {"query", "register", "attach", "move", "event", "vlan"};
    const char *host = explore_host_names[f->where / 10], *device = explore_device_kinds[f->where % 10];
    if (f->kind == EXPLORE_FAULT_DIBS_SLOW) {
        if (on)
            fprintf(to, "%s:fault(\"%s\", \"signals\", { hold = %" PRIu64 ", copies = %" PRIu64 " })\n", host, device, f->until - f->at, f->p);
    } else if (on && f->p < 6) {
        const char *error = smc_error_name(-(int)f->s);
        fprintf(to, "%s:fault(\"%s\", \"%s\", { after = %" PRIu64 ", times = %" PRIu64 ", error = \"%s\" })\n", host, device, points[f->p], f->q, f->r,
                error != NULL ? error + strlen("SMC_ERR_") : "IO");
    }
}

static void write_fault(const struct explore_plan *p, const struct explore_fault *f, bool on, FILE *to)
{
    char from[48] = "";
    if (f->kind <= EXPLORE_FAULT_PARTITION)
        from_text(p, f, from);
    switch ((enum explore_fault_kind)f->kind) {
    case EXPLORE_FAULT_RATES:
        if (on)
            write_rates(f, from, to);
        else
            fprintf(to, "link%" PRIu64 ":clear()\n", f->where);
        break;
    case EXPLORE_FAULT_MESSAGE:
        if (on)
            write_message(f, from, to);
        break;
    case EXPLORE_FAULT_FLAP: fprintf(to, "link%" PRIu64 ":%s()\n", f->where, on ? "down" : "up"); break;
    case EXPLORE_FAULT_PARTITION: fprintf(to, "link%" PRIu64 ":%s(%s)\n", f->where, on ? "partition" : "heal", from); break;
    case EXPLORE_FAULT_ROCE_GONE:
        fprintf(to, "%s:%s \"roce eth%u\"\n", explore_host_names[f->where / 10], on ? "remove" : "restore", (unsigned)(f->where % 10));
        break;
    case EXPLORE_FAULT_DIBS_GONE:
        fprintf(to, "%s:%s \"%s\"\n", explore_host_names[f->where / 10], on ? "remove" : "restore", explore_device_kinds[f->where % 10]);
        break;
    case EXPLORE_FAULT_ROCE: write_roce(f, on, to); break;
    case EXPLORE_FAULT_DIBS:
    case EXPLORE_FAULT_DIBS_SLOW: write_dibs(f, on, to); break;
    case EXPLORE_FAULT_KILL:
        if (on)
            fprintf(to, "%s:kill()\n", explore_host_names[f->where]);
        break;
    case EXPLORE_FAULT_MEMORY:
        if (on)
            fprintf(to, "-- the language cannot say: %" PRIu64 " allocations pass, then %" PRIu64 " fail\n", f->p, f->q);
        break;
    case EXPLORE_FAULT_COUNT: break;
    }
}

/* ---- connections ---- */
static void write_conn(const struct explore_plan *p, unsigned i, FILE *to)
{
    const struct explore_conn *c = &p->conns[i];
    const struct explore_side *s = &c->side[0], *o = &c->side[1];
    uint64_t bytes = s->bytes > o->bytes ? s->bytes : o->bytes;
    bool half = s->end == EXPLORE_END_HALF || o->end == EXPLORE_END_HALF;
    fprintf(to, "start(%s, %s, %u, {%s%s%s%s rmb = %" PRIu64 ", sndbuf = %" PRIu64 " },\n    { bytes = %" PRIu64 ", both_ways = %s",
            explore_host_names[c->client], explore_host_names[c->server], EXPLORE_PORT + i, c->plain ? " tcp_only = true," : "",
            c->fast_open ? " fast_open = true," : "", s->nodelay ? " nodelay = true," : "", s->cork ? " cork = true," : "", s->rmb, s->sndbuf, bytes,
            s->bytes != 0 && o->bytes != 0 ? "true" : "false");
    if (s->chunk != 0)
        fprintf(to, ", chunk = %" PRIu64, s->chunk);
    if (o->read != 0)
        fprintf(to, ", read_chunk = %" PRIu64, o->read);
    if (o->read_delay != 0)
        fprintf(to, ", read_delay = %" PRIu64, o->read_delay);
    if (s->write_delay != 0)
        fprintf(to, ", write_delay = %" PRIu64, s->write_delay);
    fprintf(to, ", %s = true }, %s)\n", half ? "shutdown" : "close", s->bytes == 0 && o->bytes != 0 ? "true" : "false");
    if (s->end != EXPLORE_END_DONE || o->end != EXPLORE_END_DONE || s->urgent + o->urgent + s->hold + o->hold != 0)
        fprintf(to,
                "-- the language cannot say of the last one: ends %" PRIu64 " and %" PRIu64 ", urgent bytes each %" PRIu64 " and %" PRIu64
                ", closed %" PRIu64 " and %" PRIu64 " ns late\n",
                s->end, o->end, s->urgent, o->urgent, s->hold, o->hold);
}

/* ---- the order of things ---- */
struct moment {
    uint64_t at;
    unsigned order, index; /* as the run: faults begin and end before connections of the same instant */
    enum { BEGIN_FAULT, END_FAULT, BEGIN_CONN } what;
};

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void write_moments(const struct explore_plan *p, FILE *to)
{
    unsigned n = 0;
    uint64_t now = 0;
    struct moment *list = calloc(2 * p->fault_count + p->conn_count + 1, sizeof(*list));
    if (list == NULL)
        return;
    for (unsigned i = 0; i < p->fault_count; i++) {
        list[n] = (struct moment){p->faults[i].at, n, i, BEGIN_FAULT};
        n++;
        list[n] = (struct moment){p->faults[i].until, n, i, END_FAULT};
        n++;
    }
    for (unsigned i = 0; i < p->conn_count; i++, n++)
        list[n] = (struct moment){p->conns[i].start, n, i, BEGIN_CONN};
    qsort(list, n, sizeof(*list), by_time);
    for (unsigned i = 0; i < n; i++) {
        if (list[i].at > now)
            fprintf(to, "pass(%" PRIu64 ")\n", list[i].at - now);
        now = list[i].at;
        if (list[i].what == BEGIN_CONN)
            write_conn(p, list[i].index, to);
        else
            write_fault(p, &p->faults[list[i].index], list[i].what == BEGIN_FAULT, to);
    }
    free(list);
}

static const char helpers[] =
    "-- Connections begin, and their traffic as soon as the server has them; meanwhile time passes.\n"
    "local waiting, transfers = {}, {}\n"
    "local function pump()\n"
    "    for i = #waiting, 1, -1 do\n"
    "        local w = waiting[i]\n"
    "        local s = w.server:try_accept(w.port)\n"
    "        if s then\n"
    "            w.plan.from, w.plan.to, w.plan.background = w.back and s or w.c, w.back and w.c or s, true\n"
    "            transfers[#transfers + 1] = transfer(w.plan)\n"
    "            table.remove(waiting, i)\n"
    "        end\n"
    "    end\n"
    "end\n"
    "local function pass(ns)\n"
    "    local goal = now() + ns\n"
    "    while now() < goal do\n"
    "        pump()\n"
    "        wait(math.min(200000, goal - now()))\n"
    "    end\n"
    "end\n"
    "local function start(client, server, port, options, plan, back)\n"
    "    server:listen(port, options)\n"
    "    waiting[#waiting + 1] = { c = client:connect(server, port, options), server = server, port = port, plan = plan, back = back }\n"
    "end\n\n";

void explore_scenario_write(const struct explore_plan *p, const struct explore_outcome *o, FILE *to)
{
    struct explore_licence licence;
    explore_licence_of(p, &licence);
    fprintf(to,
            "-- Found by smclab explore, from seed %" PRIu64 ": %s\n"
            "-- Run it with `smclab run`, or exactly as it was found with `smclab explore --plan` and this file.\n"
            "-- SPDX-License-Identifier: BSD-3-Clause\n"
            "scenario { title = \"seed %" PRIu64 " of smclab explore\", source = \"smclab explore\", requirements = {}, targets = { \"sim\" } }\n\n",
            p->seed, o->why, p->seed);
    for (unsigned i = 0; i < p->host_count; i++)
        write_host(p, i, to);
    write_links(p, to);
    fputc('\n', to);
    fputs(helpers, to);
    write_moments(p, to);
    fputs("\n-- No faults any more: all must come to an end.\npass(2000000000)\n", to);
    if (!licence.hard)
        fputs("for _, t in ipairs(transfers) do t:finish { within = \"150 s\" } end\n", to);
    fputs("wait \"150 s\"\nfor _, t in ipairs(transfers) do\n", to);
    fputs("    if t.close and t.from.mode ~= \"TCP\" then\n"
          "        expect_state(t.from, \"CLOSED\")\n        expect_state(t.to, \"CLOSED\")\n    end\nend\n\n",
          to);
    explore_plan_write(p, "--@ ", to);
}
