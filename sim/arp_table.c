/* The table of neighbours: who is being asked for, who is known, which packets wait for whom.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/stack_parts.h"

enum state {
    ASKED,  /* no MAC yet */
    KNOWN,  /* believed until valid_until_ns */
    DOUBTED /* believed still, being asked again */
};

struct waiting {
    struct waiting *next;
    uint16_t ethertype;
    uint32_t length;
    uint8_t bytes[]; /* IP_LINK_ROOM, then the packet */
};

struct ip_question {
    struct ip_question *next;
    ip_resolved done;
    void *user;
    int result;
    struct ip_hop hop;
};

struct ip_neighbour_entry {
    struct ip_timer timer; /* first: the timer's address is the entry's */
    struct ip_neighbour_entry *next;
    struct ip_stack *stack;
    struct ip_address address;
    int interface;
    enum state state;
    uint8_t mac[6];
    unsigned tries;
    uint64_t valid_until_ns;
    uint64_t number; /* order of creation */
    struct waiting *first, *last;
    unsigned nwaiting;
    struct ip_question *questions;
};

static struct ip_neighbour_entry **bucket(struct ip_stack *stack, struct ip_address address)
{
    return &stack->neighbours[ip_hash(stack->config.seed, address.bytes, 16) % IP_NEIGHBOUR_BUCKETS];
}

static struct ip_neighbour_entry *find(const struct ip_stack *stack, int interface,
                                       struct ip_address address)
{
    uint64_t slot = ip_hash(stack->config.seed, address.bytes, 16) % IP_NEIGHBOUR_BUCKETS;
    struct ip_neighbour_entry *entry = stack->neighbours[slot];
    while (entry != NULL && !((interface < 0 || entry->interface == interface) &&
                              ip_equal(entry->address, address)))
        entry = entry->next;
    return entry;
}

static void drop_packets(struct ip_neighbour_entry *entry)
{
    while (entry->first != NULL) {
        struct waiting *packet = entry->first;
        entry->first = packet->next;
        smc_alloc_release(entry->stack->config.alloc, packet, 1,
                          sizeof(*packet) + IP_LINK_ROOM + packet->length);
    }
    entry->last = NULL;
    entry->nwaiting = 0;
}

static void unlink_entry(struct ip_neighbour_entry *entry)
{
    struct ip_neighbour_entry **at = bucket(entry->stack, entry->address);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    entry->stack->nneighbours--;
}

static void free_question(struct ip_stack *stack, struct ip_question *question)
{
    smc_alloc_release(stack->config.alloc, question, 1, sizeof(*question));
}

static void free_questions(struct ip_stack *stack, struct ip_question **list)
{
    while (*list != NULL) {
        struct ip_question *question = *list;
        *list = question->next;
        free_question(stack, question);
    }
}

/* Nobody is told. */
static void remove_entry(struct ip_neighbour_entry *entry)
{
    unlink_entry(entry);
    drop_packets(entry);
    free_questions(entry->stack, &entry->questions);
    ip_timer_drop(entry->stack, &entry->timer);
    smc_alloc_release(entry->stack->config.alloc, entry, 1, sizeof(*entry));
}

void arp_free_all(struct ip_stack *stack)
{
    for (unsigned i = 0; i < IP_NEIGHBOUR_BUCKETS; i++)
        while (stack->neighbours[i] != NULL)
            remove_entry(stack->neighbours[i]);
    free_questions(stack, &stack->answers);
}

/* From here on the answers wait in the stack, not in the entry, which a callback may make go. */
static void answer(struct ip_neighbour_entry *entry, int result)
{
    struct ip_question **at = &entry->stack->answers;
    while (*at != NULL)
        at = &(*at)->next;
    *at = entry->questions;
    entry->questions = NULL;
    for (struct ip_question *question = *at; question != NULL; question = question->next) {
        question->result = result;
        question->hop.mac_known = result == 0;
        memcpy(question->hop.mac, entry->mac, 6);
    }
}

static void tell(struct ip_stack *stack)
{
    while (stack->answers != NULL) {
        struct ip_question question = *stack->answers;
        free_question(stack, stack->answers);
        stack->answers = question.next;
        question.done(question.user, question.result, &question.hop);
    }
}

static void fail(struct ip_neighbour_entry *entry)
{
    struct ip_stack *stack = entry->stack;
    struct ip_address address = entry->address;
    stack->counters.unsent += entry->nwaiting;
    answer(entry, SMC_ERR_UNREACHABLE);
    remove_entry(entry);
    tell(stack);
    tcp_unreachable(stack, address);
}

/* Asked in the timer only, so that a question put from outside ip_run() sends nothing there. */
static void entry_due(struct ip_timer *timer, uint64_t now_ns)
{
    struct ip_neighbour_entry *entry = (struct ip_neighbour_entry *)timer;
    struct ip_stack *stack = entry->stack;
    if (entry->state == KNOWN)
        return;
    if (entry->tries == stack->config.neighbour_tries) {
        fail(entry);
        return;
    }
    entry->tries++;
    ip_timer_set(stack, &entry->timer, now_ns + stack->config.neighbour_retry_ns);
    arp_ask(stack, entry->interface, entry->address, entry->state == DOUBTED ? entry->mac : NULL);
}

static void ask(struct ip_neighbour_entry *entry, enum state state)
{
    entry->state = state;
    entry->tries = 0;
    ip_timer_set(entry->stack, &entry->timer, 0);
    ip_wake(entry->stack);
}

static void make_room(struct ip_stack *stack)
{
    struct ip_neighbour_entry *oldest = NULL;
    for (unsigned i = 0; i < IP_NEIGHBOUR_BUCKETS; i++)
        for (struct ip_neighbour_entry *e = stack->neighbours[i]; e != NULL; e = e->next)
            if (e->state == KNOWN && (oldest == NULL || e->number < oldest->number))
                oldest = e;
    if (oldest != NULL)
        remove_entry(oldest);
}

/* NULL: no memory, or the table is full of neighbours being asked for. */
static struct ip_neighbour_entry *add(struct ip_stack *stack, int interface,
                                      struct ip_address address)
{
    if (stack->nneighbours >= IP_NEIGHBOURS_MAX)
        make_room(stack);
    if (stack->nneighbours >= IP_NEIGHBOURS_MAX || ip_timer_reserve(stack) != 0)
        return NULL;
    struct ip_neighbour_entry *entry = smc_alloc_zeroed(stack->config.alloc, 1, sizeof(*entry));
    if (entry == NULL) {
        stack->timers.reserved--;
        return NULL;
    }
    entry->timer.due = entry_due;
    entry->stack = stack;
    entry->interface = interface;
    entry->address = address;
    entry->number = stack->next_neighbour++;
    struct ip_neighbour_entry **at = bucket(stack, address);
    entry->next = *at;
    *at = entry;
    stack->nneighbours++;
    return entry;
}

static void flush(struct ip_neighbour_entry *entry)
{
    struct ip_stack *stack = entry->stack;
    for (struct waiting *packet = entry->first; packet != NULL; packet = packet->next)
        ip_transmit(stack, entry->interface, entry->mac, packet->ethertype,
                    packet->bytes + IP_LINK_ROOM, packet->length);
    drop_packets(entry);
}

void arp_learn(struct ip_stack *stack, int interface, struct ip_address address,
               const uint8_t mac[6], bool create)
{
    struct ip_neighbour_entry *entry = find(stack, interface, address);
    if (entry == NULL && create)
        entry = add(stack, interface, address);
    if (entry == NULL)
        return;
    memcpy(entry->mac, mac, 6);
    entry->state = KNOWN;
    entry->valid_until_ns = stack->now_ns + stack->config.neighbour_valid_ns;
    ip_timer_set(stack, &entry->timer, UINT64_MAX);
    flush(entry);
    answer(entry, 0);
    tell(stack);
}

static int keep(struct ip_neighbour_entry *entry, uint16_t ethertype, const uint8_t *packet,
                size_t length)
{
    struct ip_stack *stack = entry->stack;
    if (entry->nwaiting == IP_QUEUE_MAX) {
        stack->counters.unsent++;
        return SMC_ERR_NOSPACE;
    }
    struct waiting *kept =
        stack->config.alloc->allocate(stack->config.alloc->user, sizeof(*kept) + IP_LINK_ROOM + length);
    if (kept == NULL) {
        stack->counters.no_memory++;
        return SMC_ERR_NOMEM;
    }
    *kept = (struct waiting){.ethertype = ethertype, .length = (uint32_t)length};
    memcpy(kept->bytes + IP_LINK_ROOM, packet, length);
    if (entry->last != NULL)
        entry->last->next = kept;
    else
        entry->first = kept;
    entry->last = kept;
    entry->nwaiting++;
    return 0;
}

static struct ip_neighbour_entry *find_or_ask(struct ip_stack *stack, int interface,
                                              struct ip_address next)
{
    struct ip_neighbour_entry *entry = find(stack, interface, next);
    if (entry == NULL && (entry = add(stack, interface, next)) != NULL)
        ask(entry, ASKED);
    else if (entry != NULL && entry->state == KNOWN && stack->now_ns >= entry->valid_until_ns)
        ask(entry, DOUBTED);
    return entry;
}

int arp_send(struct ip_stack *stack, int interface, struct ip_address next, uint16_t ethertype,
             uint8_t *packet, size_t length)
{
    if (stack->interfaces[interface].loopback)
        return ip_transmit(stack, interface, stack->interfaces[interface].port->mac, ethertype,
                           packet, length);
    struct ip_neighbour_entry *entry = find_or_ask(stack, interface, next);
    if (entry == NULL) {
        stack->counters.no_memory++;
        return SMC_ERR_NOMEM;
    }
    if (entry->state == ASKED)
        return keep(entry, ethertype, packet, length);
    return ip_transmit(stack, interface, entry->mac, ethertype, packet, length);
}

bool arp_known(const struct ip_stack *stack, int interface, struct ip_address address,
               uint8_t mac[6])
{
    const struct ip_neighbour_entry *entry = find(stack, interface, address);
    if (interface >= 0 && stack->interfaces[interface].loopback)
        memcpy(mac, stack->interfaces[interface].port->mac, 6);
    else if (entry != NULL && entry->state != ASKED)
        memcpy(mac, entry->mac, 6);
    else
        return false;
    return true;
}

int ip_neighbour(const struct ip_stack *stack, int interface, struct ip_address address,
                 uint8_t mac[6])
{
    if (interface >= stack->ninterfaces)
        return SMC_ERR_NOTFOUND;
    return arp_known(stack, interface, address, mac) ? 0 : SMC_ERR_NOTFOUND;
}

int ip_resolve(struct ip_stack *stack, int interface, struct ip_address destination,
               ip_resolved done, void *user, struct ip_hop *hop)
{
    int error = ip_hop_to(stack, interface, destination, hop);
    if (error != 0 || hop->mac_known)
        return error;
    struct ip_question *question = smc_alloc_zeroed(stack->config.alloc, 1, sizeof(*question));
    if (question == NULL)
        return SMC_ERR_NOMEM;
    struct ip_neighbour_entry *entry = find_or_ask(stack, hop->interface, hop->next);
    if (entry == NULL) {
        free_question(stack, question);
        return SMC_ERR_NOMEM;
    }
    *question = (struct ip_question){.done = done, .user = user, .hop = *hop};
    struct ip_question **at = &entry->questions;
    while (*at != NULL)
        at = &(*at)->next;
    *at = question;
    return SMC_ERR_WOULDBLOCK;
}

static void cancel_in(struct ip_stack *stack, struct ip_question **at, ip_resolved done,
                      const void *user)
{
    while (*at != NULL) {
        struct ip_question *question = *at;
        if (question->done != done || question->user != user) {
            at = &question->next;
            continue;
        }
        *at = question->next;
        free_question(stack, question);
    }
}

void ip_resolve_cancel(struct ip_stack *stack, ip_resolved done, void *user)
{
    cancel_in(stack, &stack->answers, done, user);
    for (unsigned i = 0; i < IP_NEIGHBOUR_BUCKETS; i++)
        for (struct ip_neighbour_entry *e = stack->neighbours[i]; e != NULL; e = e->next)
            cancel_in(stack, &e->questions, done, user);
}

void ip_forget_neighbours(struct ip_stack *stack, int interface)
{
    for (unsigned i = 0; i < IP_NEIGHBOUR_BUCKETS; i++)
        for (struct ip_neighbour_entry *e = stack->neighbours[i], *next; e != NULL; e = next) {
            next = e->next;
            if ((interface < 0 || e->interface == interface) && e->state != ASKED)
                remove_entry(e);
        }
}
