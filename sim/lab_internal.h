/* The inside of the laboratory: its objects, and what its files share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LAB_INTERNAL_H
#define SIM_LAB_INTERNAL_H

#include "devices/dibs_record.h"
#include "devices/ism.h"
#include "devices/ivshmem.h"
#include "devices/loopback.h"
#include "devices/roce.h"
#include "protocol/core.h"
#include "sim/capture.h"
#include "sim/carrier.h"
#include "sim/lab.h"
#include "sim/lab_outside.h"
#include "sim/middlebox.h"
#include "sim/network.h"
#include "sim/stack.h"
#include "sim/switch.h"
#include "sim/tcp.h"

enum { LAB_NAME = 48, LAB_INTERFACES = 8, LAB_DIBS = 8, LAB_GIDS = 16, LAB_PROBLEM = 256 };

/* What hosts of one machine share. */
struct lab_machine {
    struct lab_machine *next;
    char name[LAB_NAME];
    struct loopback *loopback;
    struct { uint16_t chid; struct ism_fabric *fabric; } fabrics[LAB_DIBS];
    unsigned fabric_count;
    struct ivshmem_host *shared;
    struct lab_observer { struct dibs_observer observer; struct lab *lab; uint8_t mac[6]; } observer;
};

struct lab_interface {
    struct lab_host *host;
    char name[LAB_NAME]; /* "host.eth0" */
    struct port *port;
    struct roce *roce; /* NULL: no_roce */
    struct lab_proxy *proxy;
    bool roce_present;
    int ip;            /* index in the stack */
    char pnet[SMC_PNET_BYTES];
    uint16_t vlan;
    struct smc_ip_prefix prefixes[8];
    unsigned prefix_count, gid_count;
    bool v1_gids, v2_gids;
    struct roce_fault faults[ROCE_FAULTS_MAX];
    unsigned fault_count;
    bool line_rate_given;   /* for DCQCN */
    struct devmem_nic *nic; /* in front of the IP stack; NULL: none */
    uint32_t nic_ifindex;
    bool nic_gone;          /* unregistered: nothing is received */
};

struct lab_dibs {
    struct lab_host *host;
    char name[LAB_NAME];
    char pnet[SMC_PNET_BYTES];
    struct smc_dibs_device *device;
    struct ism_function *ism;
    struct loopback_port *loopback;
    struct ivshmem *ivshmem;
    struct ivshmem_pci *pci;
    bool present;
};

struct lab_host {
    struct lab_host *next;
    struct lab *lab;
    char name[LAB_NAME];
    struct lab_machine *machine;
    struct ip_stack *stack;
    bool retry_given;
    uint8_t retry_count, ack_timeout;
    struct lab_cpu *cpu; /* NULL: what it does takes no time */
    struct smc_endpoint *ep;
    struct smc_dibs dibs;
    struct lab_interface *interfaces[LAB_INTERFACES];
    unsigned interface_count;
    struct lab_dibs *devices[LAB_DIBS];
    unsigned device_count;
    bool ipsec, dead, running;
    struct sim_timer timer;
    lab_edit_fn *edit;
    void *edit_user;
    uint64_t seed;
    struct lab_devmem *devmem; /* NULL: none */
    const struct lab_outside *outside; /* NULL: it is simulated */
};

struct lab_link {
    struct lab_link *next;
    char name[2 * LAB_NAME];
    struct net_link *net;
};

struct lab_switch {
    struct lab_switch *next;
    char name[LAB_NAME];
    struct net_switch *net;
    unsigned ports;
};

struct lab_box {
    struct lab_box *next;
    char name[LAB_NAME];
    struct net_box *net;
};

struct lab_run; /* a socket's traffic */

struct lab_socket {
    struct lab_socket *next;
    struct lab *lab;
    struct lab_host *host;
    unsigned id;
    struct lab_app *app;
    const struct lab_socket_ops *ops;
    void *user;
    struct lab_socket_config config;
    struct lab_socket *listener; /* of an accepted one */
    struct tcp_listener *tcp_listener;
    struct tcp_conn *tcp;
    struct smc_connection *smc;
    enum smc_mode mode;
    int error;
    uint32_t fallback, peer_diagnosis;
    unsigned events;
    bool closed, told_connected, muted, tcp_eof, ended;
    bool smc_over; /* SMC has said CLOSED: the connection dies with lab_close(), and says nothing more */
    struct lab_run *run;
    /* Of a host outside. */
    uint64_t outside_number;
    bool outside_listens;
    char outside_state[24];
};

struct lab {
    struct smc_alloc alloc; /* counts what is alive */
    const struct smc_alloc *inner;
    uint64_t blocks, bytes;
    struct sim *sim;
    const struct lab_clock *clock; /* NULL: the engine's own */
    struct net *net;
    const struct net_carrier *carrier; /* NULL: ours */
    struct capture *capture;
    struct lab_host *hosts, **hosts_end;
    struct lab_machine *machines;
    struct lab_link *links, **links_end;
    struct lab_switch *switches;
    struct lab_box *boxes;
    struct lab_socket *sockets, **sockets_end;
    struct lab_socket **socket_table; /* by id − 1 */
    unsigned socket_count, socket_room, port_count;
    char problem[LAB_PROBLEM];
    const struct lab_outside *outside; /* who of the hosts is outside: by name or index; NULL: nobody */
    bool v1_over_udp;
    const struct lab_outside *second_outside; /* NULL: at most one; else the first host is `outside` and the second this */
    char outside_name[LAB_NAME];
    unsigned outside_index;
    char refused[LAB_PROBLEM];
};

/* Notes in words why something failed, and returns `error`. */
int lab_fail(struct lab *lab, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The counting allocator of a lab; zeroed memory. */
void *lab_alloc(struct lab *lab, size_t size);
void lab_release(struct lab *lab, void *block, size_t size);

/* "host.device"; SMC_ERR_ARGUMENT: too long. */
int lab_join_name(struct lab_host *host, const char *name, char out[LAB_NAME]);

/* lab_host.c */
void lab_host_wake(void *host);
void lab_host_free(struct lab_host *host);
void lab_host_touch(struct lab_host *host); /* something was called on it: run at this instant */
struct lab_interface *lab_find_interface(struct lab *lab, const char *name);
struct lab_interface *lab_interface_of(struct lab_host *host, struct ip_address own);
/* The port has got a link of that rate: nothing, if it is no interface's. */
void lab_interface_linked(struct port *port, uint64_t rate_bits);
/* lab_dibs.c */
void lab_dibs_free(struct lab_dibs *dibs);
uint64_t lab_dibs_next_ns(const struct lab_dibs *dibs);
void lab_dibs_run(struct lab_dibs *dibs, uint64_t now_ns);
void lab_machine_free(struct lab *lab, struct lab_machine *machine);
struct lab_machine *lab_machine_get(struct lab *lab, const char *name);
/* lab_devmem.c */
void lab_devmem_free(struct lab_host *host);
/* A frame for the IP stack, by way of the NIC if there is one. */
void lab_devmem_frame(struct lab_interface *interface, const uint8_t *frame, size_t length, uint64_t now_ns);
/* lab_proxy.c: an RDMA device in front of another, through which lab_edit() sees what is sent */
struct lab_proxy;
int lab_proxy_new(struct lab_host *host, struct smc_rdma_device *real, struct lab_proxy **out);
void lab_proxy_free(struct lab_proxy *proxy);
struct smc_rdma_device *lab_proxy_device(struct lab_proxy *proxy);
/* lab_socket.c */
extern const struct smc_host_ops lab_smc_ops;
void lab_socket_free(struct lab_socket *socket);
void lab_socket_host_died(struct lab_socket *socket);
struct lab_socket *lab_socket_new(struct lab_host *host, const struct lab_socket_config *config);
void lab_socket_tell(struct lab_socket *socket, unsigned events);
void lab_socket_connected(struct lab_socket *socket, enum smc_mode mode);
/* lab_outside.c: the functions of lab.h for hosts that are outside */
const struct lab_outside *lab_outside_of(struct lab *lab, const char *name); /* for the host that is made now */
int lab_outside_device(struct lab_host *host, const char *kind);
int lab_outside_mac(struct lab_interface *interface, uint8_t mac[6]);
const char *lab_outside_numbered(const struct lab_interface *interface, const char *address);
int lab_outside_interface(struct lab_interface *interface, const struct lab_interface_config *config);
int lab_outside_address(struct lab_interface *interface, const char *address);
int lab_outside_roce_present(struct lab_interface *interface, bool present);
void lab_outside_link(struct lab_interface *interface, bool up);
void lab_outside_frame_out(struct lab_interface *interface, const uint8_t *frame, size_t length);
int lab_outside_listen(struct lab_socket *socket, uint16_t port);
int lab_outside_connect(struct lab_socket *socket, const char *address, uint16_t port);
int64_t lab_outside_send(struct lab_socket *socket, const void *data, size_t length, unsigned flags);
int64_t lab_outside_recv(struct lab_socket *socket, void *data, size_t length, unsigned flags);
uint32_t lab_outside_room(const struct lab_socket *socket);
int lab_outside_shutdown(struct lab_socket *socket, enum smc_how how);
void lab_outside_close(struct lab_socket *socket);
int lab_outside_set(struct lab_socket *socket, enum smc_option option, int64_t value);
int lab_outside_traffic(struct lab_socket *socket, const struct lab_traffic *traffic);
void lab_outside_traffic_get(const struct lab_socket *socket, struct lab_traffic_state *out);
void lab_outside_traffic_stop(struct lab_socket *socket);
const char *lab_outside_state(const struct lab_socket *socket);
/* What lab_send() and lab_recv() do, whether the processor is busy or not, and at no cost. */
int64_t lab_send_now(struct lab_socket *socket, const void *data, size_t length, unsigned flags);
int64_t lab_recv_now(struct lab_socket *socket, void *data, size_t length, unsigned flags);
/* lab_app.c */
void lab_app_event(struct lab_socket *socket);
void lab_app_free(struct lab_socket *socket);
/* lab_traffic.c */
void lab_traffic_event(struct lab_socket *socket, unsigned events);

#endif
