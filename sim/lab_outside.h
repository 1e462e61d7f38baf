/* Hosts that are not in the laboratory: a real kernel, a vendor's machine. Their frames and their sockets come from elsewhere.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LAB_OUTSIDE_H
#define SIM_LAB_OUTSIDE_H

#include "devices/port.h"
#include "sim/lab.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A host of a script may live outside: whoever runs the script says so before the host is made, by name or by its place among
 * the script's hosts. It then is a struct lab_host like any other — interfaces, links and their faults, capture, sockets — but
 * what it does is done by the functions below. Its interfaces are ports of the simulated network: frames for the host are given
 * to `frame`, and what the host sends is put in by lab_outside_frame(). Its sockets are numbers of the outside.
 *
 * All functions are called from within the run, and must not call the lab but for the functions below. They return as the
 * functions of sim/lab.h do; an error's text is set by lab_outside_fail() or lab_outside_refuse(). Any may be NULL: then a
 * script that needs it is refused. */

struct lab_outside_info { /* of a socket */
    enum smc_mode mode;
    char state[24];                   /* "ACTIVE" … */
    uint32_t fallback, peer_diagnosis;
    bool smc;                         /* the next is filled, as far as it is known outside */
    struct smc_connection_info connection;
};

struct lab_outside_ops {
    /* The script wants this host. What it cannot be is refused. */
    int (*begin)(void *user, struct lab_host *host, const struct lab_host_config *config);
    /* A dibs device of the host ("loopback"): is there one outside? */
    int (*device)(void *user, const char *kind);
    /* An interface: first its MAC address (an interface exists outside already), then how it is to be set up. */
    int (*mac)(void *user, unsigned index, uint8_t mac[6]);
    int (*interface)(void *user, unsigned index, const char *name, const struct lab_interface_config *config);
    int (*address)(void *user, unsigned index, const char *address);
    int (*roce_present)(void *user, unsigned index, bool present);
    int (*link)(void *user, unsigned index, bool up);
    /* A frame for it; never called for a host that was killed. */
    void (*frame)(void *user, unsigned index, const uint8_t *bytes, size_t length);
    /* Sockets. `listen` and `connect` set *number, by which the socket is named from then on. */
    int (*listen)(void *user, struct lab_socket *socket, uint16_t port, const struct lab_socket_config *config, uint64_t *number);
    int (*connect)(void *user, struct lab_socket *socket, const char *address, uint16_t port,
                   const struct lab_socket_config *config, uint64_t *number);
    int64_t (*send)(void *user, uint64_t number, const void *data, size_t length, unsigned flags);
    int64_t (*recv)(void *user, uint64_t number, void *data, size_t length, unsigned flags);
    uint32_t (*room)(void *user, uint64_t number);
    int (*shutdown)(void *user, uint64_t number, enum smc_how how);
    int (*close)(void *user, uint64_t number);
    int (*set)(void *user, uint64_t number, enum smc_option option, int64_t value);
    int (*info)(void *user, uint64_t number, struct lab_outside_info *out);
    int (*traffic)(void *user, uint64_t number, const struct lab_traffic *traffic);
    int (*traffic_get)(void *user, uint64_t number, struct lab_traffic_state *out);
    int (*traffic_stop)(void *user, uint64_t number);
    /* 1: filled; 0: there are fewer groups. */
    int (*group)(void *user, unsigned index, struct smc_group_info *out);
};

struct lab_outside {
    const struct lab_outside_ops *ops;
    void *user;
    const char *kind; /* "a kernel", for messages */
    /* Where the network is not the script's own to number: instead of what the script says, the address of the host's first
     * interface, that of the first interface of each other host ("192.168.1.7/24"; NULL: the script's), and the port that is
     * connected to there (0: the script's). */
    const char *address, *own_address;
    uint16_t port;
    bool mac_unknown; /* what `mac` said is only a beginning: frames tell it */
};

/* `name` NULL: the host that is made as the index-th, from 0. One outside a lab; before its host is made. `outside` is borrowed. */
int lab_set_outside(struct lab *lab, const char *name, unsigned index, const struct lab_outside *outside);
/* The first and the second host of the script are both outside, in place of one; `label` says that instead of a host's name. */
int lab_set_both_outside(struct lab *lab, const char *label, const struct lab_outside *first, const struct lab_outside *second);
/* Before the first interface is made: version 1 runs over UDP between link-local addresses (roce_config.v1_over_udp), which our
 * hosts then answer for. */
void lab_set_v1_over_udp(struct lab *lab);
bool lab_both_outside(const struct lab *lab);
/* The outside host's name, or the label of both; NULL: none was made. */
const char *lab_outside_name(const struct lab *lab);
bool lab_host_is_outside(const struct lab_host *host);

/* The script cannot run with this host outside: the reason ("host server is a kernel: …") is lab_problem(), and lab_refused()
 * from then on. Returns SMC_ERR_UNSUPPORTED. */
int lab_outside_refuse(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *lab_refused(const struct lab *lab); /* NULL: nothing was */
/* If the host is outside: refuses `what` ("its messages cannot be changed"). Else 0. */
int lab_inside_only(struct lab_host *host, const char *what);
int lab_outside_fail(struct lab *lab, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* For looking in. Info: false if nothing is known of the socket. Group: 1, or 0: there are fewer; or an error. */
bool lab_outside_info(const struct lab_socket *socket, struct lab_outside_info *out);
int lab_outside_group(struct lab_host *host, unsigned index, struct smc_group_info *out);

/* What happens outside; called from within an event of the engine. A frame that was seen where the laboratory's network is not
 * (between two hosts that are both outside): it is captured, and goes nowhere. */
void lab_outside_seen(struct lab *lab, const uint8_t *bytes, size_t length);
void lab_outside_frame(struct lab_host *host, unsigned index, const uint8_t *bytes, size_t length);
/* The socket with this number has these new SMC_EVENT_*; CONNECTED: its info is asked first. `error` with SMC_EVENT_ERROR. */
void lab_outside_event(struct lab_host *host, uint64_t number, unsigned events, int error);
/* A listener has a new connection, whose mode is known. */
int lab_outside_accepted(struct lab_host *host, uint64_t listener, uint64_t number);

#ifdef __cplusplus
}
#endif

#endif
