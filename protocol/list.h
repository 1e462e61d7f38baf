/* Intrusive doubly linked lists: a node lies in the object, a head is a node of its own.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_LIST_H
#define SMC_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct smc_list {
    struct smc_list *next, *prev;
};

/* An empty head, or a node that is in no list: points to itself. Zeroed memory is NOT initialised. */
static inline void smc_list_init(struct smc_list *n)
{
    n->next = n->prev = n;
}

/* A head: empty? A node: in no list? */
static inline bool smc_list_empty(const struct smc_list *n)
{
    return n->next == n;
}

static inline void smc_list_add_tail(struct smc_list *head, struct smc_list *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}

static inline void smc_list_add_head(struct smc_list *head, struct smc_list *n)
{
    smc_list_add_tail(head->next, n);
}

/* May be called again: a removed node is in no list. */
static inline void smc_list_remove(struct smc_list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    smc_list_init(n);
}

#define SMC_LIST_ENTRY(n, type, member) ((type *)(void *)((char *)(n) - offsetof(type, member)))

/* `n` (struct smc_list *) runs over the nodes and `following` keeps the next, so that n may be removed (but not following). */
#define SMC_LIST_EACH(n, following, head)                                                          \
    for ((n) = (head)->next, (following) = (n)->next; (n) != (head);                               \
         (n) = (following), (following) = (n)->next)

#endif
