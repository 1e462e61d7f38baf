// Our timer heap (sim/engine.c) against ns-3's schedulers, in one run: the hold model, which takes the earliest of n pending events and
// sets a new one. Both do what a simulation does besides: ours calls a function, ns-3's makes an event object, invokes and frees it.
// SPDX-License-Identifier: BSD-3-Clause
#include "sim/engine.h"

#include <ns3/calendar-scheduler.h>
#include <ns3/event-impl.h>
#include <ns3/heap-scheduler.h>
#include <ns3/list-scheduler.h>
#include <ns3/make-event.h>
#include <ns3/map-scheduler.h>
#include <ns3/object-factory.h>
#include <ns3/priority-queue-scheduler.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

const char *const names[] = {"ns3::PriorityQueueScheduler", "ns3::HeapScheduler", "ns3::MapScheduler", "ns3::CalendarScheduler",
                             "ns3::ListScheduler"};

double seconds()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void *plain_allocate(void *, size_t size)
{
    return malloc(size);
}

void *plain_resize(void *, void *block, size_t, size_t new_size)
{
    return realloc(block, new_size);
}

void plain_release(void *, void *block, size_t)
{
    free(block);
}

const smc_alloc alloc = {plain_allocate, plain_resize, plain_release, nullptr};

// How far ahead an event is set: up to a millisecond, the same numbers for all.
struct Delays {
    struct sim_random random;
    explicit Delays() { sim_random_init(&random, 1, "hold"); }
    uint64_t Next() { return sim_random_below(&random, 1000000) + 1; }
};

struct Hold {
    struct sim *sim;
    Delays delays;
    uint64_t sum = 0; // of the times at which events happened: all must agree
    struct Timer {
        sim_timer timer;
        Hold *hold;
    };
    std::vector<Timer> timers;
};

void fire(void *ctx, uint64_t now_ns)
{
    auto t = static_cast<Hold::Timer *>(ctx);
    t->hold->sum += now_ns;
    if (sim_timer_set(t->hold->sim, &t->timer, now_ns + t->hold->delays.Next()) != 0)
        abort();
}

// Events a second; `sum` for comparison.
double ours(unsigned pending, unsigned events, uint64_t *sum)
{
    Hold hold;
    hold.sim = sim_new(&alloc, 1);
    hold.timers.resize(pending);
    for (auto &t : hold.timers) {
        t.hold = &hold;
        sim_timer_init(&t.timer, fire, &t);
        if (sim_timer_set(hold.sim, &t.timer, hold.delays.Next()) != 0)
            abort();
    }
    double start = seconds();
    for (unsigned i = 0; i < events; i++)
        if (sim_step(hold.sim) != 1)
            abort();
    double taken = seconds() - start;
    *sum = hold.sum;
    sim_free(hold.sim);
    return events / taken;
}

struct Holder {
    ns3::Ptr<ns3::Scheduler> scheduler;
    Delays delays;
    uint64_t sum = 0, now = 0;
    uint32_t uid = 4;
    void Insert()
    {
        ns3::Scheduler::Event event;
        event.impl = ns3::MakeEvent(&Holder::Fire, this);
        event.key = {now + delays.Next(), uid++, 0};
        scheduler->Insert(event);
    }
    void Fire()
    {
        sum += now;
        Insert();
    }
};

double ns3s(const char *name, unsigned pending, unsigned events, double budget, uint64_t *sum, unsigned *done)
{
    ns3::ObjectFactory factory(name);
    Holder holder;
    holder.scheduler = factory.Create<ns3::Scheduler>();
    double start = seconds(), taken = 0;
    for (unsigned i = 0; i < pending && taken < budget; i++) {
        holder.Insert();
        if (i % 1024 == 1023)
            taken = seconds() - start;
    }
    bool too_slow = taken >= budget;
    start = seconds();
    taken = 0;
    unsigned n = 0;
    for (; !too_slow && n < events && taken < budget; n++) {
        ns3::Scheduler::Event event = holder.scheduler->RemoveNext();
        holder.now = event.key.m_ts;
        event.impl->Invoke();
        event.impl->Unref();
        if (n % 1024 == 1023)
            taken = seconds() - start;
    }
    taken = seconds() - start;
    while (!holder.scheduler->IsEmpty())
        holder.scheduler->RemoveNext().impl->Unref();
    *sum = holder.sum;
    *done = n;
    return too_slow ? 0 : n / taken;
}

} // namespace

int main(int argc, char **argv)
{
    bool is_short = argc > 1 && strcmp(argv[1], "--short") == 0;
    unsigned events = is_short ? 20000 : 500000, most = is_short ? 1000 : 100000;
    int status = 0;
    printf("events a second: take the earliest of n, set a new one (%u events; ns-3's in multiples of ours)\n%10s %14s", events, "n", "sim/engine.c");
    for (const char *name : names)
        printf(" %22s", name + 5);
    printf("\n");
    for (unsigned n = 10; n <= most; n *= 10) {
        uint64_t wanted, sum;
        double base = ours(n, events, &wanted);
        printf("%10u %14.0f", n, base);
        for (const char *name : names) {
            unsigned done;
            double rate = ns3s(name, n, events, is_short ? 60 : 3, &sum, &done);
            if (rate > 0)
                printf(" %14.0f (%.2fx)", rate, rate / base);
            else
                printf(" %22s", "not filled in 3 s");
            if (rate > 0 && done == events && sum != wanted) {
                fprintf(stderr, "%s: events happened in another order than in ours, with %u pending\n", name, n);
                status = 1;
            }
        }
        printf("\n");
        fflush(stdout);
    }
    return status;
}
