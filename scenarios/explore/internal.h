/* What the files of a run share: the run, its applications, its watchers.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_INTERNAL_H
#define SCENARIOS_EXPLORE_INTERNAL_H

#include "conformance/judge/judge.h"
#include "explore.h"
#include "sim/engine.h"
#include "sim/lab.h"
#include "sim/network.h"
#include "sim/network_frame.h"

enum {
    EXPLORE_PORT = 5000,
    EXPLORE_GROUPS = 32,
    EXPLORE_HEADROOM = 65536,
    EXPLORE_QUANTA = 1000,    /* half a megabit */
    EXPLORE_ECN_SHARE = 50000, /* of a million, where marks become certain */
    EXPLORE_RESPITE_NS = 200000000,   /* a queue that drops nothing for so long was not full all the time: RoCE repeats after 134 ms */
    EXPLORE_CONGESTED_NS = 1000000000 /* RoCE gives up after as much silence; LLC after twice that */
};

/* The allocator of a run: counts, and fails when a plan says so. */
struct explore_memory {
    struct smc_alloc alloc;
    uint64_t blocks, wrong_sizes, failed, pass, fail, every, count;
    bool armed;
};
void explore_memory_init(struct explore_memory *m);
void explore_memory_arm(struct explore_memory *m, const struct explore_fault *fault);
void explore_memory_disarm(struct explore_memory *m);

/* One application: one end of one connection. */
struct explore_app {
    struct explore_run *run;
    struct explore_app *peer;
    const struct explore_side *plan;
    struct lab_socket *socket; /* NULL: not yet, or never */
    struct sim_timer read_timer, write_timer, hold_timer;
    unsigned conn, side;
    uint64_t sent;     /* of its own pattern */
    uint64_t position; /* in the peer's pattern: received, and urgent bytes skipped */
    int error;
    uint64_t error_ns;   /* when it was told */
    uint64_t closing_ns; /* when it had nothing more to say: closed, or shut both ways */
    enum smc_mode mode;
    bool connected, eof, closed, ended, shut, read_paused, write_paused, held, write_failed, closed_unread, forced, uncorked;
    /* What was seen last of its SMC connection. */
    int state;
    uint8_t link;
    unsigned moves;
};

/* What is known of a link group on the wire: requests without an answer, as 1 << LLC type, a side. */
struct explore_flows {
    uint64_t group;
    unsigned open[2];
};

struct explore_run {
    const struct explore_plan *plan;
    struct explore_outcome *out;
    struct explore_licence licence;
    struct explore_memory memory;
    struct lab *lab;
    struct sim *sim;
    struct judge *judge;
    struct lab_host *hosts[EXPLORE_HOSTS];
    struct lab_interface *nics[EXPLORE_HOSTS][8];
    struct lab_link *links[EXPLORE_LINKS];
    struct port *ports[EXPLORE_LINKS][2]; /* their ends */
    uint64_t drops, drops_since_ns, drops_last_ns; /* by queues that were full: how many, and for how long now */
    bool congested; /* … for so long that timers may have run out */
    struct explore_app *apps; /* 2 × connections */
    struct lab_socket **listeners;
    struct explore_step { struct explore_run *run; unsigned index; bool end; } *steps; /* of faults and starts */
    struct explore_match { const struct explore_message *message; } matches[EXPLORE_FAULTS];
    uint64_t frame;
    bool judge_failed, device_gone, corrupts;
    unsigned kills;
    unsigned back[EXPLORE_HOSTS]; /* 1 << mode: a device that serves it was gone and is there again */
    struct explore_flows flows[EXPLORE_GROUPS];
    unsigned flow_count;
    bool link_lost;
};

/* The first failure counts. */
void explore_fail(struct explore_run *run, const char *kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline void explore_saw(struct explore_run *run, enum explore_state state)
{
    run->out->states[state] = 1;
}

extern const char *const explore_host_names[EXPLORE_HOSTS];
extern const char *const explore_device_kinds[3];

/* build.c: hosts, links and listeners of the plan. false: it cannot be built (told as a failure). */
bool explore_build(struct explore_run *run);
/* The address of a NIC, "10.0.0.1/24". */
void explore_address(const struct explore_plan *plan, unsigned host, unsigned nic, bool with_prefix, char out[64]);
struct port *explore_end_port(const struct explore_run *run, unsigned link, unsigned end); /* 0: a, 1: b */
/* apps.c */
bool explore_listen(struct explore_run *run, unsigned conn);
void explore_connect(struct explore_run *run, unsigned conn);
void explore_app_close(struct explore_app *app);
bool explore_app_done(const struct explore_app *app);
void explore_check_ends(struct explore_run *run);
void explore_apps_free(struct explore_run *run);
/* faults.c */
bool explore_schedule(struct explore_run *run);
void explore_heal(struct explore_run *run);
/* observe.c: states on the wire. */
extern const struct trace_session_events explore_watch;
/* sample.c: states inside the hosts. */
void explore_sample(struct explore_run *run);
void explore_sample_end(struct explore_run *run);
void explore_saw_decline(struct explore_run *run, uint32_t code); /* one that only malformed messages cause is a failure */

#endif
