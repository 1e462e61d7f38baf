// ns-3's simulator as the laboratory's clock, its devices as the carrier of links.
// SPDX-License-Identifier: BSD-3-Clause
#include "sim/ns3/adapter.h"

#include "sim/ns3/device.hh"

#include <ns3/cobalt-queue-disc.h>
#ifdef SMCLAB_NS3_MPI
#include <ns3/global-value.h>
#include <ns3/mpi-interface.h>
#include <ns3/mpi-receiver.h>
#endif
#include <ns3/names.h>
#include <ns3/net-device-queue-interface.h>
#include <ns3/object-factory.h>
#include <ns3/pcap-file-wrapper.h>
#include <ns3/pie-queue-disc.h>
#include <ns3/pointer.h>
#include <ns3/queue-size.h>
#include <ns3/red-queue-disc.h>
#include <ns3/rng-seed-manager.h>
#include <ns3/scheduler.h>
#include <ns3/string.h>
#include <ns3/trace-helper.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <vector>

using smclab::Due;
using smclab::FrameChannel;
using smclab::FrameDevice;

namespace {

// ---- time

// Engine and ns-3 take turns: ns-3's queue holds a "tick" for our earliest timer, and for the time at which step() must return.
// Ticks are never taken out: an earlier one is put in front of them, one that comes too early does nothing.
// An event of ns-3 says only that something is due now: what, of all that is, is the earliest by our order, not by ns-3's.
class Clock : public smclab::EventGate {
  public:
    int Step(struct sim *sim, uint64_t until_ns);
    uint64_t Set(ns3::Time after, Due due) override;
    void Call(sim_fn fn, void *ctx) override;
    // With other processes: all return from Step() at the same time only, since they wait for each other inside ns-3.
    void SetSeveral() { m_several = true; }

  private:
    static uint64_t Now() { return static_cast<uint64_t>(ns3::Simulator::Now().GetNanoSeconds()); }
    void Happened(int result);
    void SetTick();
    void Tick();
    void Happen();
    Due TakeNext();

    using Place = std::tuple<int64_t, bool, int64_t, Due::Kind, uint64_t>; // when, no timer, when set, kind, number

    struct sim *m_sim = nullptr;
    uint64_t m_until = 0;
    int m_result = 0;
    bool m_several = false;
    std::vector<uint64_t> m_ticks; // set now, the next one last
    uint64_t m_number = 0;
    std::map<Place, Due> m_due;
};

uint64_t Clock::Set(ns3::Time after, Due due)
{
    due.number = ++m_number;
    m_due.emplace(Place{(ns3::Simulator::Now() + after).GetNanoSeconds(), due.kind != Due::TICK, due.set_ns, due.kind, due.number}, due);
    ns3::Simulator::ScheduleWithContext(due.device != nullptr ? due.device->GetNode()->GetId() : 0, after, &Clock::Happen, this);
    return due.number;
}

// The first; but where several of a kind are alike, set at one instant for one instant and one node, that of the lowest port.
// The order between nodes matters to no node, and stays that in which things were set, as without ns-3.
Due Clock::TakeNext()
{
    auto first = m_due.begin(), best = first;
    auto [at, no_timer, set, kind, number] = first->first;
    for (auto i = first; no_timer && ++i != m_due.end() && i->first < Place{at, no_timer, set, kind, UINT64_MAX};)
        if (i->second.device->GetNode() == first->second.device->GetNode() && i->second.device->GetIfIndex() < best->second.device->GetIfIndex())
            best = i;
    Due due = best->second;
    best->second = first->second; // it waits in the other's place
    m_due.erase(first);
    return due;
}

void Clock::Happen()
{
    Due due = TakeNext();
    if (due.kind == Due::TICK)
        Tick();
    else
        due.device->Happens(due);
}

void Clock::Happened(int result)
{
    m_result = result;
    if (!m_several || result <= 0)
        ns3::Simulator::Stop();
}

void Clock::SetTick()
{
    uint64_t next = sim_next_ns(m_sim), want = next < m_until ? next : m_until;
    if (want >= INT64_MAX || (!m_ticks.empty() && m_ticks.back() <= want))
        return;
    m_ticks.push_back(want);
    Set(ns3::NanoSeconds(want - Now()), {Due::TICK, nullptr, nullptr, nullptr, 0, 0});
}

void Clock::Tick()
{
    uint64_t now = Now();
    m_ticks.pop_back();
    if (sim_next_ns(m_sim) <= now)
        Happened(sim_step(m_sim));
    else if (m_until <= now)
        Happened(sim_run_until(m_sim, m_until));
    SetTick();
}

void Clock::Call(sim_fn fn, void *ctx)
{
    Happened(sim_call(m_sim, Now(), fn, ctx));
    SetTick();
}

int Clock::Step(struct sim *sim, uint64_t until_ns)
{
    m_sim = sim;
    m_until = until_ns;
    m_result = 0;
    if (until_ns < sim_now(sim))
        return 0;
    SetTick();
    ns3::Simulator::Run();
    return m_result;
}

// ---- options of links

struct Options {
    explicit Options(const net_carried_link *link);
    std::string Get(const std::string &name) const;
    // Those that begin with `prefix`, without it; those of the queue disc have none.
    std::vector<std::pair<std::string, std::string>> With(const std::string &prefix) const;
    std::vector<std::pair<std::string, std::string>> all;
};

Options::Options(const net_carried_link *link)
{
    for (unsigned i = 0; i < link->option_count; i++)
        all.emplace_back(link->options[i].name, link->options[i].value);
}

std::string Options::Get(const std::string &name) const
{
    for (const auto &[key, value] : all)
        if (key == name)
            return value;
    return "";
}

std::vector<std::pair<std::string, std::string>> Options::With(const std::string &prefix) const
{
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto &[key, value] : all) {
        bool ours = key == "queue" || key == "error" || key == "error_rate";
        std::string::size_type dot = key.find('.');
        if (prefix.empty() ? !ours && dot == std::string::npos : key.compare(0, prefix.size(), prefix) == 0)
            found.emplace_back(key.substr(prefix.size()), value);
    }
    return found;
}

class Refused : public std::exception {
  public:
    explicit Refused(std::string why) : m_why(std::move(why)) {}
    const char *what() const noexcept override { return m_why.c_str(); }

  private:
    std::string m_why;
};

// A number, then one of these units (or none, if "" is among them).
bool is_measure(const std::string &value, std::initializer_list<const char *> units)
{
    const char *p = value.c_str();
    char *end = nullptr;
    if (!isdigit(static_cast<unsigned char>(*p)) && *p != '.')
        return false;
    (void)strtod(p, &end);
    return std::any_of(units.begin(), units.end(), [end](const char *unit) { return strcmp(end, unit) == 0; });
}

// ns-3 ends the program where a number has no number's form.
bool is_well_formed(std::string type, const std::string &value)
{
    if (type.compare(0, 5, "ns3::") == 0)
        type.erase(0, 5); // some classes say it, some do not
    if (type == "DoubleValue")
        return is_measure(value, {""});
    if (type == "UintegerValue" || type == "IntegerValue")
        return !value.empty() && value.size() < 19 && value.find_first_not_of("0123456789") == std::string::npos;
    if (type == "TimeValue")
        return is_measure(value, {"s", "ms", "us", "ns", "min"});
    if (type == "DataRateValue")
        return is_measure(value, {"bps", "b/s", "kbps", "kb/s", "Mbps", "Mb/s", "Gbps", "Gb/s"});
    if (type == "QueueSizeValue")
        return is_measure(value, {"p", "B", "kB", "MB", "KiB", "MiB"}) && value.find_first_of(".e") == std::string::npos;
    return type == "BooleanValue" || type == "EnumValue";
}

void set_attribute(ns3::ObjectBase *object, const std::string &name, const std::string &value)
{
    ns3::TypeId::AttributeInformation info;
    ns3::TypeId tid = object->GetInstanceTypeId();
    if (!tid.LookupAttributeByName(name, &info))
        throw Refused(tid.GetName() + " has no attribute " + name);
    if (!is_well_formed(info.checker->GetValueTypeName(), value) || !object->SetAttributeFailSafe(name, ns3::StringValue(value)))
        throw Refused(tid.GetName() + ": " + name + " cannot be \"" + value + "\"");
}

void set_attributes(ns3::ObjectBase *object, const std::vector<std::pair<std::string, std::string>> &attributes)
{
    for (const auto &[name, value] : attributes)
        set_attribute(object, name, value);
}

// An object of a class named in a scenario: nothing of that may end the program, as ns-3's own functions would.
template <class Base> ns3::Ptr<Base> make(const std::string &name, const char *what)
{
    ns3::TypeId tid;
    if (!ns3::TypeId::LookupByNameFailSafe(name, &tid) || !tid.IsChildOf(Base::GetTypeId()) || !tid.HasConstructor())
        throw Refused("\"" + name + "\" is no " + what + " of ns-3");
    ns3::ObjectFactory factory;
    factory.SetTypeId(tid);
    return factory.Create<Base>();
}

// So that a run repeats, whatever ran before it in this process; those that cannot be told take the next free stream.
void assign_streams(ns3::Object *object, int64_t stream)
{
    if (auto rate = dynamic_cast<ns3::RateErrorModel *>(object))
        rate->AssignStreams(stream);
    else if (auto burst = dynamic_cast<ns3::BurstErrorModel *>(object))
        burst->AssignStreams(stream);
    else if (auto red = dynamic_cast<ns3::RedQueueDisc *>(object))
        red->AssignStreams(stream);
    else if (auto pie = dynamic_cast<ns3::PieQueueDisc *>(object))
        pie->AssignStreams(stream);
    else if (auto cobalt = dynamic_cast<ns3::CobaltQueueDisc *>(object))
        cobalt->AssignStreams(stream);
}

ns3::Ptr<ns3::QueueDisc> make_queue(const Options &options, const net_params &params)
{
    std::string name = options.Get("queue");
    ns3::Ptr<ns3::QueueDisc> queue = make<ns3::QueueDisc>(name.empty() ? "ns3::FifoQueueDisc" : name, "queue disc");
    if (name.empty() && params.queue_bytes != 0)
        queue->SetMaxSize(ns3::QueueSize(ns3::QueueSizeUnit::BYTES, params.queue_bytes));
    // RED and PIE compute with the link's rate; a scenario may say something else.
    (void)queue->SetAttributeFailSafe("LinkBandwidth", ns3::DataRateValue(ns3::DataRate(params.rate_bps)));
    (void)queue->SetAttributeFailSafe("LinkDelay", ns3::TimeValue(ns3::NanoSeconds(params.delay_ns)));
    set_attributes(ns3::PeekPointer(queue), options.With(""));
    return queue;
}

ns3::Ptr<ns3::ErrorModel> make_errors(const Options &options)
{
    std::string name = options.Get("error"), rate = options.Get("error_rate");
    auto attributes = options.With("error.");
    if (name.empty() && rate.empty() && attributes.empty())
        return nullptr;
    ns3::Ptr<ns3::ErrorModel> errors = make<ns3::ErrorModel>(name.empty() ? "ns3::RateErrorModel" : name, "error model");
    if (!rate.empty())
        set_attributes(ns3::PeekPointer(errors), {{"ErrorUnit", "ERROR_UNIT_PACKET"}, {"ErrorRate", rate}});
    set_attributes(ns3::PeekPointer(errors), attributes);
    return errors;
}

} // namespace

// ---- the engine

enum { STREAMS = 8 }; // of random numbers that a device may use

struct ns3_engine {
    Clock clock;
    lab_clock lab;
    net_carrier carrier;
    unsigned (*rank_of)(const char *node) = nullptr;
    std::map<std::string, ns3::Ptr<ns3::Node>> nodes;
    std::string trace_folder;
    int64_t next_stream = 0;

    ns3::Ptr<ns3::Node> NodeOf(const struct port *port);
    ns3::Ptr<FrameDevice> MakeDevice(const net_carried_link *link, const Options &options, unsigned i, ns3::Ptr<FrameChannel> channel);
    void Link(const net_carried_link *link, void *ends[2]);
    void Trace(ns3::Ptr<FrameDevice> device, const std::string &name);
};

static struct ns3_engine *the_engine; // as there is one ns-3 in a process

// "client.eth0" and "sw0.3" are on the nodes "client" and "sw0".
ns3::Ptr<ns3::Node> ns3_engine::NodeOf(const struct port *port)
{
    std::string name = net_port_name(port);
    name = name.substr(0, name.rfind('.'));
    ns3::Ptr<ns3::Node> &node = nodes[name];
    if (!node) {
        node = ns3::CreateObject<ns3::Node>(rank_of != nullptr ? rank_of(name.c_str()) : 0);
        ns3::Names::Add(name, node);
    }
    return node;
}

void ns3_engine::Trace(ns3::Ptr<FrameDevice> device, const std::string &name)
{
    ns3::PcapHelper helper;
    ns3::Ptr<ns3::PcapFileWrapper> file = helper.CreateFile(trace_folder + "/" + name + ".pcap", std::ios::out, ns3::PcapHelper::DLT_EN10MB);
    helper.HookDefaultSink<FrameDevice>(device, "PromiscSniffer", file);
}

ns3::Ptr<FrameDevice> ns3_engine::MakeDevice(const net_carried_link *link, const Options &options, unsigned i, ns3::Ptr<FrameChannel> channel)
{
    ns3::Ptr<FrameDevice> device = ns3::CreateObject<FrameDevice>();
    NodeOf(link->end[i])->AddDevice(device);
    device->SetAttribute("DataRate", ns3::DataRateValue(ns3::DataRate(link->params.rate_bps)));
    ns3::Ptr<ns3::QueueDisc> queue = make_queue(options, link->params);
    device->Setup(&clock, link->end[i], channel, queue, !options.Get("queue").empty());
    // Fair queues take their quantum from the device, which they find by way of this.
    auto interface = ns3::CreateObject<ns3::NetDeviceQueueInterface>();
    device->AggregateObject(interface);
    queue->SetNetDeviceQueueInterface(interface);
    assign_streams(ns3::PeekPointer(queue), next_stream);
    queue->Initialize();
    if (ns3::Ptr<ns3::ErrorModel> errors = make_errors(options)) {
        assign_streams(ns3::PeekPointer(errors), next_stream + STREAMS / 2);
        device->SetAttribute("ReceiveErrorModel", ns3::PointerValue(errors));
    }
    next_stream += STREAMS;
    set_attributes(ns3::PeekPointer(device), options.With("device."));
#ifdef SMCLAB_NS3_MPI
    auto receiver = ns3::CreateObject<ns3::MpiReceiver>();
    receiver->SetReceiveCallback(ns3::MakeCallback(&FrameDevice::Announce, ns3::PeekPointer(device)));
    device->AggregateObject(receiver);
#endif
    if (!trace_folder.empty())
        Trace(device, net_port_name(link->end[i]));
    return device;
}

void ns3_engine::Link(const net_carried_link *link, void *ends[2])
{
    Options options(link);
    ns3::Ptr<FrameChannel> channel = ns3::CreateObject<FrameChannel>();
    channel->SetAttribute("Delay", ns3::TimeValue(ns3::NanoSeconds(link->params.delay_ns)));
    set_attributes(ns3::PeekPointer(channel), options.With("channel."));
    ns3::Ptr<FrameDevice> device[2];
    for (unsigned i = 0; i < 2; i++) {
        device[i] = MakeDevice(link, options, i, channel);
        ends[i] = ns3::PeekPointer(device[i]); // the node keeps it
    }
    channel->Attach(device[0], device[1]);
}

// ---- the carrier

static int carry_link(void *user, const struct net_carried_link *link, void *ends[2], char *problem, size_t problem_size)
{
    try {
        static_cast<ns3_engine *>(user)->Link(link, ends);
        return 0;
    } catch (const Refused &refused) {
        snprintf(problem, problem_size, "%s", refused.what());
        return SMC_ERR_ARGUMENT;
    } catch (const std::exception &error) {
        snprintf(problem, problem_size, "ns-3: %s", error.what());
        return SMC_ERR_NOMEM;
    }
}

static bool carry_send(void *end, net_packet *packet, const uint8_t *bytes, size_t length)
{
    return the_engine != nullptr && static_cast<FrameDevice *>(end)->SendFrame(packet, bytes, length);
}

static bool carry_propagate(void *end, net_packet *packet, const uint8_t *bytes, size_t length, uint64_t late_ns)
{
    return the_engine != nullptr && static_cast<FrameDevice *>(end)->Propagate(packet, bytes, length, late_ns);
}

static void carry_flush(void *end)
{
    if (the_engine != nullptr)
        static_cast<FrameDevice *>(end)->Flush();
}

static int clock_step(void *user, struct sim *sim, uint64_t until_ns)
{
    return static_cast<Clock *>(user)->Step(sim, until_ns);
}

// ---- several processes

#ifdef SMCLAB_NS3_MPI

void ns3_ranks_begin(int *argc, char ***argv)
{
    ns3::GlobalValue::Bind("SimulatorImplementationType", ns3::StringValue("ns3::DistributedSimulatorImpl"));
    ns3::MpiInterface::Enable(argc, argv);
}

unsigned ns3_rank()
{
    return ns3::MpiInterface::GetSystemId();
}

unsigned ns3_rank_count()
{
    return ns3::MpiInterface::IsEnabled() ? ns3::MpiInterface::GetSize() : 1;
}

void ns3_ranks_end()
{
    ns3::MpiInterface::Disable();
}

#else

void ns3_ranks_begin(int *, char ***) {}

unsigned ns3_rank()
{
    return 0;
}

unsigned ns3_rank_count()
{
    return 1;
}

void ns3_ranks_end() {}

#endif

// ---- C

int ns3_engine_new(const struct ns3_engine_config *config, struct ns3_engine **out, char *error, size_t error_size)
{
    const char *scheduler = config->scheduler != nullptr ? config->scheduler : "ns3::PriorityQueueScheduler";
    ns3::TypeId tid;
    if (the_engine != nullptr) {
        snprintf(error, error_size, "ns-3 runs already in this process");
        return SMC_ERR_BUSY;
    }
    if (!ns3::TypeId::LookupByNameFailSafe(scheduler, &tid) || !tid.IsChildOf(ns3::Scheduler::GetTypeId()) || !tid.HasConstructor()) {
        snprintf(error, error_size, "\"%s\" is no scheduler of ns-3", scheduler);
        return SMC_ERR_ARGUMENT;
    }
    auto engine = new (std::nothrow) ns3_engine;
    if (engine == nullptr) {
        snprintf(error, error_size, "out of memory");
        return SMC_ERR_NOMEM;
    }
    engine->rank_of = config->rank_of;
    if (ns3_rank_count() > 1)
        engine->clock.SetSeveral();
    ns3::ObjectFactory factory;
    factory.SetTypeId(tid);
    ns3::Simulator::SetScheduler(factory);
    ns3::RngSeedManager::SetSeed(1);
    ns3::RngSeedManager::SetRun(config->seed);
    engine->lab = {clock_step, &engine->clock};
    engine->carrier = {engine, carry_link, carry_send, carry_propagate, carry_flush};
    engine->trace_folder = config->trace_folder != nullptr ? config->trace_folder : "";
    *out = the_engine = engine;
    return 0;
}

const struct lab_clock *ns3_engine_clock(struct ns3_engine *engine)
{
    return &engine->lab;
}

void ns3_engine_attach(struct ns3_engine *engine, struct lab *lab)
{
    lab_set_carrier(lab, &engine->carrier);
}

uint64_t ns3_engine_events(const struct ns3_engine *engine)
{
    (void)engine;
    return ns3::Simulator::GetEventCount();
}

void ns3_engine_free(struct ns3_engine *engine)
{
    if (engine == nullptr)
        return;
    the_engine = nullptr; // before the end: discs that are emptied say nothing any more
    ns3::Simulator::Destroy();
    ns3::Names::Clear();
    delete engine;
}
