/* A doubly linked list whose links live inside its items (private to traces/).
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_LIST_H
#define TRACE_LIST_H

#include <stddef.h>

struct trace_node {
    struct trace_node *prev, *next;
};

struct trace_list {
    struct trace_node *first, *last;
};

/* The item of this type whose member is this link; NULL for NULL. */
#define TRACE_ITEM(link, type, member) \
    ((link) ? (type *)(void *)((char *)(link) - offsetof(type, member)) : NULL)

static inline void trace_list_append(struct trace_list *list, struct trace_node *l)
{
    l->prev = list->last;
    l->next = NULL;
    if (list->last)
        list->last->next = l;
    else
        list->first = l;
    list->last = l;
}

/* Leaves l's own pointers as they are, so that a walk that stands on it can go on. */
static inline void trace_list_remove(struct trace_list *list, struct trace_node *l)
{
    if (l->prev)
        l->prev->next = l->next;
    else
        list->first = l->next;
    if (l->next)
        l->next->prev = l->prev;
    else
        list->last = l->prev;
}

/* Keeps a list in order of last use. */
static inline void trace_list_touch(struct trace_list *list, struct trace_node *l)
{
    if (list->last == l)
        return;
    trace_list_remove(list, l);
    trace_list_append(list, l);
}

#endif
