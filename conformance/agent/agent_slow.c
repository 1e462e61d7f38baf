/* shutdown() and close() of an SMC socket sleep in the kernel while data are not sent yet (up to two seconds, or SO_LINGER): they
 * get a thread each, so that the other sockets go on.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_socket.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 4, CLOSE = -1, STACK = 65536, PATIENCE_NS = 20000000 };

struct agent_slow {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fd, step[STEPS]; /* SHUT_… or CLOSE */
    unsigned count, done;
    int error;           /* of the last step */
    bool idle, abandoned;
};

static void release(struct agent_slow *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}

static int do_step(int fd, int step)
{
    return (step == CLOSE ? close(fd) : shutdown(fd, step)) == 0 ? 0 : errno;
}

static void *work(void *user)
{
    struct agent_slow *w = user;
    pthread_mutex_lock(&w->lock);
    while (w->done < w->count) {
        int step = w->step[w->done];
        pthread_mutex_unlock(&w->lock);
        int error = do_step(w->fd, step);
        pthread_mutex_lock(&w->lock);
        w->error = error;
        w->done++;
        pthread_cond_broadcast(&w->changed);
    }
    w->idle = true;
    bool last = w->abandoned;
    pthread_mutex_unlock(&w->lock);
    if (last)
        release(w);
    return NULL;
}

static struct agent_slow *begin(int fd, int step)
{
    struct agent_slow *w = calloc(1, sizeof(*w));
    pthread_attr_t attr;
    pthread_t thread;
    if (w == NULL)
        return NULL;
    w->fd = fd;
    w->step[w->count++] = step;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int status = pthread_create(&thread, &attr, work, w);
    pthread_attr_destroy(&attr);
    if (status == 0)
        return w;
    release(w);
    return NULL;
}

/* Waits a little; the lock is held. True: everything is done. */
static bool settle(struct agent_slow *w)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PATIENCE_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (w->done < w->count)
        if (pthread_cond_timedwait(&w->changed, &w->lock, &until) != 0)
            break;
    return w->done == w->count;
}

/* Gives it up, lock held: whoever is last releases it. */
static void abandon(struct agent_slow *w)
{
    bool last = w->idle;
    w->abandoned = true;
    pthread_mutex_unlock(&w->lock);
    if (last)
        release(w);
}

/* Another step for a thread that is still at work. False: it has ended meanwhile. */
static bool append(struct agent_slow *w, int step)
{
    if (w->idle || w->done == w->count || w->count == STEPS)
        return false;
    w->step[w->count++] = step;
    return true;
}

int agent_slow_shutdown(struct agent_socket *s, int how, bool *pending)
{
    *pending = false;
    if (s->slow != NULL) {
        pthread_mutex_lock(&s->slow->lock);
        if (append(s->slow, how)) {
            *pending = true;
            pthread_mutex_unlock(&s->slow->lock);
            return 0;
        }
        abandon(s->slow);
    }
    s->slow = begin(s->source.fd, how);
    if (s->slow == NULL)
        return do_step(s->source.fd, how);
    pthread_mutex_lock(&s->slow->lock);
    if (!settle(s->slow)) {
        *pending = true;
        pthread_mutex_unlock(&s->slow->lock);
        return 0;
    }
    int error = s->slow->error;
    abandon(s->slow);
    s->slow = NULL;
    return error;
}

bool agent_slow_close(struct agent_socket *s)
{
    struct agent_slow *w = s->slow;
    s->slow = NULL;
    if (w != NULL) {
        pthread_mutex_lock(&w->lock);
        bool taken = append(w, CLOSE);
        abandon(w);
        if (taken)
            return true;
    }
    w = begin(s->source.fd, CLOSE);
    if (w == NULL) {
        close(s->source.fd);
        return false;
    }
    pthread_mutex_lock(&w->lock);
    bool done = settle(w);
    abandon(w);
    return !done;
}
