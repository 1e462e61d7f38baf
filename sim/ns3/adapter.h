/* ns-3 as the laboratory's clock and network: a run of the laboratory over ns-3's simulator.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NS3_ADAPTER_H
#define SIM_NS3_ADAPTER_H

#include "sim/carrier.h"
#include "sim/lab.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What follows links ns-3, which is GPL-2: a program that uses it is under the GPL-2 as a whole.
 *
 * ns-3's simulator owns the time. The earliest timer of our engine stands in its queue as one event; frames on links are events of
 * its own. Each host and each switch is an ns3::Node; each of their ports that is linked is a smclab::FrameDevice on it, whose
 * channel, rate, delay, queue disc and error model are ns-3's. Hosts, TCP, RoCE NICs, switches with PFC and ECN, fault plans and
 * captures are the laboratory's, the same as without ns-3.
 *
 *     ns3_engine_new(&config, &engine, …);   lab_config.clock = ns3_engine_clock(engine);
 *     lab_new(&lab_config, &lab);            ns3_engine_attach(engine, lab);   … the run …
 *     ns3_engine_free(engine);               lab_free(lab);                    in this order
 *
 * ns-3's simulator is one a process, so is the engine. */
struct ns3_engine;

struct ns3_engine_config {
    uint64_t seed;            /* of ns-3's random streams (its run number) */
    const char *scheduler;    /* NULL: "ns3::PriorityQueueScheduler" */
    /* Several processes (a build with MPI, sim/ns3/mpi): which of them a node belongs to, by its name. NULL: there is one process.
     * Each process makes the whole laboratory, but lets only its own hosts do something. */
    unsigned (*rank_of)(const char *node);
    const char *trace_folder; /* each device writes FOLDER/node-device.pcap, as ns-3's helpers do; NULL: none */
};

/* 0; SMC_ERR_BUSY: there is one already; SMC_ERR_ARGUMENT: no such scheduler; SMC_ERR_NOMEM. */
int ns3_engine_new(const struct ns3_engine_config *config, struct ns3_engine **out, char *error, size_t error_size);
const struct lab_clock *ns3_engine_clock(struct ns3_engine *engine);
/* Links that are made from now on are ns-3's. Options of a link (sim/carrier.h), all optional:
 *   queue         a queue disc: ns3::FifoQueueDisc (default; MaxSize is the link's queue_bytes), RedQueueDisc, CoDelQueueDisc,
 *                 FqCoDelQueueDisc, PieQueueDisc, CobaltQueueDisc …
 *   error_rate    share of frames lost, 0 … 1: an ns3::RateErrorModel in units of packets
 *   error         an error model: ns3::RateErrorModel, ns3::BurstErrorModel …; error.NAME: its attributes
 *   device.NAME, channel.NAME   attributes of smclab::FrameDevice and smclab::FrameChannel
 *   NAME          any other: an attribute of the queue disc
 * Both directions get a queue and an error model of their own. What ns-3 does not know or take fails the link. */
void ns3_engine_attach(struct ns3_engine *engine, struct lab *lab);
/* Events of ns-3 that happened, its stand-ins for our timers included. */
uint64_t ns3_engine_events(const struct ns3_engine *engine);
/* Before and after everything else where there are several processes; without MPI there is one, number 0. */
void ns3_ranks_begin(int *argc, char ***argv);
unsigned ns3_rank(void);
unsigned ns3_rank_count(void);
void ns3_ranks_end(void);
/* Ends ns-3's simulator. NULL is allowed. */
void ns3_engine_free(struct ns3_engine *engine);

#ifdef __cplusplus
}
#endif

#endif
