/* The processor of a host: frames wait for it on their way in and out, the endpoint and applications wait for it too.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_cpu.h"

#include "sim/lab_internal.h"

struct waiting { /* a frame, in the order in which the processor gets to them */
    struct waiting *next;
    uint64_t at_ns;
    struct lab_interface *interface; /* inwards */
    struct port *out;                /* outwards */
    size_t length;
    uint8_t bytes[];
};

struct cpu_port {
    struct port port; /* first: found by a cast */
    struct port *real;
    struct lab_cpu *cpu;
    struct cpu_port *next;
};

struct lab_cpu {
    struct cpu cpu;
    struct lab_host *host;
    struct cpu_port *ports;
    struct waiting *first, **last;
    unsigned count;
    uint64_t dropped;
    struct sim_timer frames; /* the first frame's time */
    struct sim_timer idle;   /* an application's call was refused: ask again */
    unsigned calls;          /* depth of begin() */
    bool device;             /* the endpoint was woken by a device */
    uint64_t device_ns;      /* it may run then */
    struct lab_cpu_turn *running, *waiting; /* applications; those that wait in their order */
    uint64_t slice_ns;                      /* the running one's began */
    uint64_t posts, sends, completions, cdcs;
};

static uint64_t now_of(const struct lab_cpu *c)
{
    return sim_now(c->host->lab->sim);
}

/* ---- Frames ---- */
static void pass(struct lab_cpu *c, const struct waiting *w, uint64_t now)
{
    if (w->out != NULL)
        (void)port_send(w->out, w->bytes, w->length, now); /* refused: lost like any frame */
    else
        lab_devmem_frame(w->interface, w->bytes, w->length, now);
    if (w->out == NULL)
        lab_host_wake(c->host);
}

static void take_frames(void *ctx, uint64_t now)
{
    struct lab_cpu *c = ctx;
    while (c->first != NULL && c->first->at_ns <= now) {
        struct waiting *w = c->first;
        c->first = w->next;
        if (c->first == NULL)
            c->last = &c->first;
        c->count--;
        if (!c->host->dead)
            pass(c, w, now);
        lab_release(c->host->lab, w, sizeof(*w) + w->length);
    }
    if (c->first != NULL)
        (void)sim_timer_set(c->host->lab->sim, &c->frames, c->first->at_ns); /* reserved: cannot fail */
}

static bool put(struct lab_cpu *c, const struct waiting *what, const uint8_t *bytes)
{
    struct waiting *w = c->count < LAB_CPU_FRAMES ? lab_alloc(c->host->lab, sizeof(*w) + what->length) : NULL;
    if (w == NULL) {
        c->dropped++;
        return false;
    }
    *w = *what;
    memcpy(w->bytes, bytes, w->length);
    *c->last = w;
    c->last = &w->next;
    if (c->count++ == 0)
        (void)sim_timer_set(c->host->lab->sim, &c->frames, w->at_ns);
    return true;
}

/* A segment of TCP without data, SYN or FIN. Whatever cannot be read is none. */
static bool is_bare(const uint8_t *frame, size_t length)
{
    size_t at = 12, header;
    if (length >= 18 && frame[12] == 0x81 && frame[13] == 0)
        at += 4;
    if (length < at + 2 + 40)
        return false;
    const uint8_t *ip = frame + at + 2;
    size_t left = length - at - 2, total;
    if (frame[at] == 0x08 && frame[at + 1] == 0 && ip[9] == 6) {
        header = (size_t)(ip[0] & 15) * 4;
        total = (size_t)ip[2] << 8 | ip[3];
    } else if (frame[at] == 0x86 && frame[at + 1] == 0xdd && ip[6] == 6) {
        header = 40;
        total = 40 + ((size_t)ip[4] << 8 | ip[5]);
    } else {
        return false;
    }
    if (left < header + 20 || total < header + 20)
        return false;
    const uint8_t *tcp = ip + header;
    return total == header + (size_t)(tcp[12] >> 4) * 4 && (tcp[13] & 3) == 0;
}

void lab_cpu_frame(struct lab_cpu *c, struct lab_interface *interface, const uint8_t *frame, size_t length)
{
    (void)cpu_interrupt(&c->cpu, now_of(c));
    uint64_t at = cpu_spend_frame(&c->cpu, false, is_bare(frame, length), length, now_of(c));
    (void)put(c, &(struct waiting){.at_ns = at, .interface = interface, .length = length}, frame);
}

static bool send_later(struct port *port, const uint8_t *frame, size_t length, uint64_t now_ns)
{
    struct cpu_port *p = (struct cpu_port *)(void *)port;
    if (!port_link_up(p->real))
        return false;
    uint64_t at = cpu_spend_frame(&p->cpu->cpu, true, is_bare(frame, length), length, now_ns);
    return put(p->cpu, &(struct waiting){.at_ns = at, .out = p->real, .length = length}, frame);
}

static uint32_t mtu(const struct port *port)
{
    return port_mtu(((const struct cpu_port *)(const void *)port)->real);
}

static bool link_up(const struct port *port)
{
    return port_link_up(((const struct cpu_port *)(const void *)port)->real);
}

int lab_cpu_port(struct lab_cpu *c, struct port *real, struct port **out)
{
    static const struct port_ops ops = {.send = send_later, .mtu = mtu, .link_up = link_up};
    struct cpu_port *p = lab_alloc(c->host->lab, sizeof(*p));
    if (p == NULL)
        return SMC_ERR_NOMEM;
    p->port.ops = &ops;
    memcpy(p->port.mac, real->mac, sizeof(p->port.mac));
    p->real = real;
    p->cpu = c;
    p->next = c->ports;
    c->ports = p;
    *out = &p->port;
    return 0;
}

/* ---- The endpoint ---- */
/* What it posted since the last time: work requests, and CDCs that were no work requests. */
static void pay_posts(struct lab_cpu *c)
{
    uint64_t cdcs = c->host->ep != NULL ? smc_endpoint_counters(c->host->ep)->cdc_sent : 0;
    uint64_t moved = cdcs - c->cdcs > c->sends ? cdcs - c->cdcs - c->sends : 0;
    (void)cpu_spend(&c->cpu, CPU_SMC, (c->posts + moved) * c->cpu.costs.post_ns, now_of(c));
    c->posts = c->sends = 0;
    c->cdcs = cdcs;
}

void lab_cpu_device(struct lab_cpu *c)
{
    if (c->device || c->calls > 0)
        return; /* what the endpoint does within a call is paid with it */
    c->device = true;
    (void)cpu_interrupt(&c->cpu, now_of(c));
    c->device_ns = cpu_spend(&c->cpu, CPU_SMC, c->cpu.costs.smc_receive_ns, now_of(c));
}

uint64_t lab_cpu_endpoint_ns(const struct lab_cpu *c, uint64_t next_ns)
{
    return c->device && next_ns < c->device_ns ? c->device_ns : next_ns;
}

void lab_cpu_endpoint_begin(struct lab_cpu *c)
{
    c->calls++;
    c->completions = 0;
}

void lab_cpu_endpoint_end(struct lab_cpu *c)
{
    uint64_t more = c->completions > 1 ? c->completions - 1 : 0;
    c->calls--;
    c->device = false;
    (void)cpu_spend(&c->cpu, CPU_SMC, more * c->cpu.costs.smc_receive_ns, now_of(c));
    pay_posts(c);
}

void lab_cpu_posted(struct lab_cpu *c, bool send)
{
    c->posts++;
    c->sends += send;
}

void lab_cpu_polled(struct lab_cpu *c, unsigned completions)
{
    c->completions += completions;
}

/* ---- Applications ---- */
static void ask_again(void *ctx, uint64_t now)
{
    (void)ctx; /* that time has come is all: who waits asks after every event */
    (void)now;
}

bool lab_cpu_may_call(struct lab_cpu *c)
{
    if (!cpu_busy(&c->cpu, now_of(c)))
        return true;
    (void)sim_timer_set(c->host->lab->sim, &c->idle, c->cpu.free_ns);
    return false;
}

void lab_cpu_begin(struct lab_cpu *c)
{
    c->calls++;
}

void lab_cpu_end(struct lab_cpu *c)
{
    c->calls--;
    pay_posts(c);
}

uint64_t lab_cpu_call(struct lab_cpu *c, const struct lab_socket *s, bool send, uint64_t bytes)
{
    uint64_t now = now_of(c);
    bool smc = s->mode == SMC_MODE_R || s->mode == SMC_MODE_D;
    bool mapped = smc && s->smc != NULL && s->smc->sndbuf != NULL && s->smc->sndbuf->ghost;
    (void)cpu_spend(&c->cpu, CPU_SYSCALL, c->cpu.costs.syscall_ns, now);
    if (smc && send)
        (void)cpu_spend(&c->cpu, CPU_SMC, c->cpu.costs.smc_send_ns, now);
    if (s->mode == SMC_MODE_D && send && !mapped)
        (void)cpu_spend_bytes(&c->cpu, CPU_MOVE, bytes, now);
    return cpu_spend_bytes(&c->cpu, CPU_COPY, bytes, now);
}

static void begin_turn(struct lab_cpu *c, struct lab_cpu_turn *turn)
{
    c->running = turn;
    c->slice_ns = cpu_spend(&c->cpu, CPU_WAKEUP, c->cpu.costs.wakeup_ns, now_of(c));
    turn->run(turn->user, c->slice_ns);
}

void lab_cpu_enter(struct lab_cpu *c, struct lab_cpu_turn *turn)
{
    struct lab_cpu_turn **end = &c->waiting;
    if (c->running == turn || turn->waits)
        return;
    if (c->running == NULL) {
        begin_turn(c, turn);
        return;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = turn;
    turn->next = NULL;
    turn->waits = true;
}

bool lab_cpu_yields(const struct lab_cpu *c, const struct lab_cpu_turn *turn)
{
    return c->running == turn && c->waiting != NULL && now_of(c) > c->slice_ns + LAB_CPU_SLICE_NS;
}

void lab_cpu_leave(struct lab_cpu *c, struct lab_cpu_turn *turn)
{
    struct lab_cpu_turn **at = &c->waiting, *next;
    while (*at != NULL && *at != turn)
        at = &(*at)->next;
    if (*at != NULL)
        *at = turn->next;
    turn->waits = false;
    if (c->running != turn)
        return;
    c->running = NULL;
    next = c->waiting;
    if (next == NULL)
        return;
    c->waiting = next->next;
    next->waits = false;
    begin_turn(c, next);
}

/* ---- Beginning, end ---- */
int lab_cpu_new(struct lab_host *host, const struct cpu_costs *costs, struct lab_cpu **out)
{
    struct lab_cpu *c = lab_alloc(host->lab, sizeof(*c));
    if (c == NULL)
        return SMC_ERR_NOMEM;
    cpu_init(&c->cpu, costs);
    c->host = host;
    c->last = &c->first;
    sim_timer_init(&c->frames, take_frames, c);
    sim_timer_init(&c->idle, ask_again, c);
    *out = c;
    int error = sim_timer_reserve(host->lab->sim, &c->frames);
    return error != 0 ? error : sim_timer_reserve(host->lab->sim, &c->idle);
}

void lab_cpu_free(struct lab_cpu *c)
{
    struct lab *lab = c->host->lab;
    sim_timer_release(lab->sim, &c->frames);
    sim_timer_release(lab->sim, &c->idle);
    while (c->first != NULL) {
        struct waiting *w = c->first;
        c->first = w->next;
        lab_release(lab, w, sizeof(*w) + w->length);
    }
    while (c->ports != NULL) {
        struct cpu_port *p = c->ports;
        c->ports = p->next;
        lab_release(lab, p, sizeof(*p));
    }
    lab_release(lab, c, sizeof(*c));
}

const struct cpu *lab_host_cpu(const struct lab_host *host)
{
    return host->cpu != NULL ? &host->cpu->cpu : NULL;
}

uint64_t lab_host_cpu_dropped(const struct lab_host *host)
{
    return host->cpu != NULL ? host->cpu->dropped : 0;
}
