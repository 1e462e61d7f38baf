/* What the files of the scenario engine share: the run, reading arguments of a script, failing.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_INTERNAL_H
#define SCENARIOS_INTERNAL_H

#include "scenarios/engine/script.h"
#include "sim/lab.h"
#include "wire/message.h"
#include "traces/session.h"

#include <lauxlib.h>
#include <lua.h>

enum { NAME_BYTES = 64 };

/* A message that crossed the network, as it stood there. */
struct seen {
    uint64_t at_ns, frame;
    char name[32];           /* "CLC Proposal", "CDC" … */
    char from[24], to[24];   /* hosts; "" unknown */
    int link;                /* number, -1: none */
    uint64_t conn;           /* of the tracker, 0: none */
    const struct smc_message *message;
    uint32_t offset, length; /* bytes in run->bytes */
    uint32_t data_length;    /* of a write or move */
};

struct run {
    const struct script_options *options;
    struct script_result *result;
    struct lab *lab;
    lua_State *L;
    struct trace_session *session;
    struct seen *seen;
    size_t seen_count, seen_room;
    uint8_t *bytes;
    size_t bytes_count, bytes_room;
    bool watch_failed;       /* memory was short */
    uint64_t frame, frame_ns; /* the last one that was captured */
    size_t lua_bytes;
    uint64_t steps;
    bool ran_inspect;
    void (*inspect)(void *user, struct lab *lab);
    void *inspect_user;
    char script_name[256];
    struct edit *edits;
    struct waiter *waiters;
};

struct run *run_of(lua_State *L);

/* sandbox.c: a state with memory and step limits and only the safe libraries. NULL: out of memory. */
lua_State *sandbox_new(struct run *run);

/* args.c: a script's values. Each raises an error that names the field. */
uint64_t arg_time(lua_State *L, int index, const char *what);
uint64_t arg_size(lua_State *L, int index, const char *what);
uint64_t arg_rate(lua_State *L, int index, const char *what);
uint32_t arg_share(lua_State *L, int index, const char *what); /* per million */
bool field_bool(lua_State *L, int table, const char *name, bool otherwise);
const char *field_text(lua_State *L, int table, const char *name, const char *otherwise);
uint64_t field_time(lua_State *L, int table, const char *name, uint64_t otherwise);
uint64_t field_size(lua_State *L, int table, const char *name, uint64_t otherwise);
uint64_t field_rate(lua_State *L, int table, const char *name, uint64_t otherwise);
uint64_t field_speed(lua_State *L, int table, const char *name, uint64_t otherwise); /* bytes a second */
uint64_t field_number(lua_State *L, int table, const char *name, uint64_t otherwise);
int check_error(lua_State *L, int error); /* raises lab_problem() if error != 0; returns 0 */

/* wait.c: lets virtual time pass until the predicate holds; false: until_ns came first, or nothing happens any more. Raises when
 * the lab fails. */
bool run_wait(struct run *run, bool (*holds)(struct run *run, void *ctx), void *ctx, uint64_t until_ns);
uint64_t run_now(const struct run *run);

/* watch.c: follows the capture. */
int watch_start(struct run *run);
void watch_frame(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length);
void watch_end(struct run *run);
void watch_open(lua_State *L);
void watch_ladder(const struct run *run, char *out, size_t room);
/* message.c: a message by name and fields (a table at `index`) → bytes; the other way; setting fields of one that exists. */
size_t message_encode(lua_State *L, int index, uint8_t *out, size_t room);
void message_push(lua_State *L, const struct seen *seen, const uint8_t *bytes);
const char *message_name(struct smc_view bytes, bool clc); /* "CLC Accept", "TEST LINK", "CDC" …; NULL: none */
bool message_edit(lua_State *L, int index, uint8_t *bytes, size_t length);
void message_open(lua_State *L);

/* One a file: puts its functions into the table `lab` on top of the stack. */
void host_open(lua_State *L);
void net_open(lua_State *L);
void socket_open(lua_State *L);
void fault_open(lua_State *L);
void devmem_open(lua_State *L);
/* congestion.c */
void congestion_open(lua_State *L);
struct roce_dcqcn;
/* Fields `dscp`, `priority`, `pfc`, `dcqcn` of a table into the configuration, which borrows *dcqcn. */
void congestion_interface(lua_State *L, int table, struct lab_interface_config *c, struct roce_dcqcn *dcqcn);
void measure_open(lua_State *L);
/* measure.c: the `cpu` of a host's table; false: it has none. */
struct cpu_costs;
bool measure_costs(lua_State *L, int table, struct cpu_costs *out);
extern const char script_experiment_text[];
void info_open(lua_State *L);
/* Frees the first of each list. */
void fault_free_edits(struct run *run);
void socket_free_waiters(struct run *run);
extern const unsigned char prelude_text[];
extern const size_t prelude_length;

#endif
