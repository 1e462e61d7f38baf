// Frames through ns-3: queue disc, transmitter, channel, error model.
// SPDX-License-Identifier: BSD-3-Clause
#include "sim/ns3/device.hh"

#include "sim/hash.h"
#include "sim/network_frame.h"

#ifdef SMCLAB_NS3_MPI
#include <ns3/mpi-interface.h>
#endif
#include <ns3/pointer.h>
#include <ns3/uinteger.h>

#include <vector>

namespace smclab {

NS_OBJECT_ENSURE_REGISTERED(FrameChannel);
NS_OBJECT_ENSURE_REGISTERED(FrameDevice);

// ---- channel

ns3::TypeId FrameChannel::GetTypeId()
{
    static ns3::TypeId tid = ns3::TypeId("smclab::FrameChannel")
                                 .SetParent<ns3::Channel>()
                                 .SetGroupName("smclab")
                                 .AddConstructor<FrameChannel>()
                                 .AddAttribute("Delay", "Propagation, one way.", ns3::TimeValue(ns3::MicroSeconds(1)),
                                               ns3::MakeTimeAccessor(&FrameChannel::SetDelay, &FrameChannel::GetDelay), ns3::MakeTimeChecker());
    return tid;
}

// Frames to another process are announced there a nanosecond before they arrive, to be put in order with what else arrives then.
// ns-3 asks for this attribute to know how far processes may run ahead of each other, so that nanosecond is taken off.
ns3::Time FrameChannel::GetDelay() const
{
#ifdef SMCLAB_NS3_MPI
    return m_delay - ns3::NanoSeconds(1);
#else
    return m_delay;
#endif
}

std::size_t FrameChannel::GetNDevices() const
{
    return m_end[0] ? 2 : 0;
}

ns3::Ptr<ns3::NetDevice> FrameChannel::GetDevice(std::size_t i) const
{
    return i < 2 ? m_end[i] : nullptr;
}

void FrameChannel::Attach(ns3::Ptr<FrameDevice> a, ns3::Ptr<FrameDevice> b)
{
    m_end[0] = a;
    m_end[1] = b;
    a->SetPeer(ns3::PeekPointer(b));
    b->SetPeer(ns3::PeekPointer(a));
}

bool FrameChannel::Transmit(FrameDevice *from, ns3::Ptr<ns3::Packet> frame, net_packet *packet, ns3::Time late)
{
    ns3::Ptr<FrameDevice> to = from->Peer();
#ifdef SMCLAB_NS3_MPI
    if (to->GetNode()->GetSystemId() != ns3::MpiInterface::GetSystemId()) {
        ns3::MpiInterface::SendPacket(frame, ns3::Simulator::Now() + GetDelay() + late, to->GetNode()->GetId(), to->GetIfIndex());
        return false;
    }
#endif
    to->ArrivesAfter(m_delay + late, frame, packet);
    return true;
}

// ---- what lies in a queue

static ns3::Address destination(const uint8_t *bytes)
{
    ns3::Mac48Address mac;
    mac.CopyFrom(bytes);
    return mac;
}

static uint16_t ethertype(const uint8_t *bytes)
{
    return static_cast<uint16_t>(bytes[12] << 8 | bytes[13]);
}

FrameItem::FrameItem(FrameDevice *device, ns3::Ptr<ns3::Packet> frame, net_packet *packet, const uint8_t *bytes, std::size_t length)
    : QueueDiscItem(frame, destination(bytes), ethertype(bytes)), m_device(device), m_packet(packet)
{
    net_frame_info info;
    net_frame_classify(bytes, length, &info);
    m_ip = info.ip_version != 0;
    m_tos = info.tos;
    uint8_t ports[5] = {info.ip_protocol, static_cast<uint8_t>(info.sport >> 8), static_cast<uint8_t>(info.sport),
                        static_cast<uint8_t>(info.dport >> 8), static_cast<uint8_t>(info.dport)};
    uint64_t flow = sim_hash_64(ports, sizeof ports, 0);
    if (info.ip_version == 4)
        flow = sim_hash_64(bytes + info.l3 + 12, 8, flow);
    else if (info.ip_version == 6)
        flow = sim_hash_64(bytes + info.l3 + 8, 32, flow);
    else
        flow = sim_hash_64(bytes, 12, flow);
    m_flow = static_cast<uint32_t>(flow);
}

bool FrameItem::Mark()
{
    const uint8_t *bytes = nullptr;
    if (!net_carrier_mark_ce(m_device->Above(), m_packet, &bytes))
        return false;
    ns3::Ptr<ns3::Packet> frame = GetPacket();
    uint32_t length = frame->GetSize();
    frame->RemoveAtEnd(length); // what ns-3 traces is what arrives
    frame->AddAtEnd(ns3::Create<ns3::Packet>(bytes, length));
    return true;
}

uint32_t FrameItem::Hash(uint32_t perturbation) const
{
    return static_cast<uint32_t>(sim_mix(m_flow ^ static_cast<uint64_t>(perturbation) << 32));
}

bool FrameItem::GetUint8Value(Uint8Values field, uint8_t &value) const
{
    if (field != IP_DSFIELD || !m_ip)
        return false;
    value = m_tos;
    return true;
}

// ---- device

template <class T> static auto trace(T member)
{
    return ns3::MakeTraceSourceAccessor(member);
}

ns3::TypeId FrameDevice::GetTypeId()
{
    const char *type = "ns3::Packet::TracedCallback";
    static ns3::TypeId tid =
        ns3::TypeId("smclab::FrameDevice")
            .SetParent<ns3::NetDevice>()
            .SetGroupName("smclab")
            .AddConstructor<FrameDevice>()
            .AddAttribute("DataRate", "Bits per second; 0: a frame takes no time.", ns3::DataRateValue(ns3::DataRate("10Gb/s")),
                          ns3::MakeDataRateAccessor(&FrameDevice::m_rate), ns3::MakeDataRateChecker())
            .AddAttribute("FrameOverhead", "Bytes on the wire besides the frame: preamble, FCS, gap.", ns3::UintegerValue(24),
                          ns3::MakeUintegerAccessor(&FrameDevice::m_overhead), ns3::MakeUintegerChecker<uint32_t>(0, 1000))
            .AddAttribute("ReceiveErrorModel", "Which frames that arrive are lost.", ns3::PointerValue(),
                          ns3::MakePointerAccessor(&FrameDevice::m_errors), ns3::MakePointerChecker<ns3::ErrorModel>())
            .AddAttribute("QueueDisc", "Where frames wait.", ns3::PointerValue(), ns3::MakePointerAccessor(&FrameDevice::m_queue),
                          ns3::MakePointerChecker<ns3::QueueDisc>())
            .AddTraceSource("MacTx", "A frame came from the port.", trace(&FrameDevice::m_mac_tx), type)
            .AddTraceSource("MacTxDrop", "The queue had no room for it.", trace(&FrameDevice::m_mac_tx_drop), type)
            .AddTraceSource("MacRx", "A frame goes to the port.", trace(&FrameDevice::m_mac_rx), type)
            .AddTraceSource("PhyTxBegin", "Transmission begins.", trace(&FrameDevice::m_phy_tx_begin), type)
            .AddTraceSource("PhyTxEnd", "Transmission ends.", trace(&FrameDevice::m_phy_tx_end), type)
            .AddTraceSource("PhyRxEnd", "A frame was received.", trace(&FrameDevice::m_phy_rx_end), type)
            .AddTraceSource("PhyRxDrop", "The error model took it.", trace(&FrameDevice::m_phy_rx_drop), type)
            .AddTraceSource("Sniffer", "Frames as in a pcap file.", trace(&FrameDevice::m_sniffer), type)
            .AddTraceSource("PromiscSniffer", "The same.", trace(&FrameDevice::m_promisc_sniffer), type);
    return tid;
}

FrameDevice::FrameDevice() = default;

void FrameDevice::Setup(EventGate *gate, port *above, ns3::Ptr<FrameChannel> channel, ns3::Ptr<ns3::QueueDisc> queue, bool queue_named)
{
    m_gate = gate;
    m_above = above;
    m_channel = channel;
    m_queue = queue;
    m_queue_named = queue_named;
    m_mtu = static_cast<uint16_t>(above->ops->mtu(above));
    m_address = destination(above->mac);
    m_queue->TraceConnectWithoutContext("Drop", ns3::MakeCallback(&FrameDevice::OnQueueDrop, this));
}

void FrameDevice::DoDispose()
{
    m_node = nullptr;
    m_channel = nullptr;
    m_frame = m_frame_in = nullptr;
    m_errors = nullptr;
    if (m_queue)
        m_queue->Dispose();
    m_queue = nullptr;
    NetDevice::DoDispose();
}

void FrameDevice::SetAddress(ns3::Address address)
{
    m_address = address;
}

bool FrameDevice::SetMtu(const uint16_t mtu)
{
    return mtu == m_mtu; // the link's: it is set in the scenario
}

bool FrameDevice::IsLinkUp() const
{
    return m_above->ops->link_up(m_above);
}

// ---- sending

void FrameDevice::Transmit(ns3::Ptr<ns3::Packet> frame, net_packet *packet)
{
    m_frame = frame;
    m_packet = packet;
    m_phy_tx_begin(frame);
    ns3::Time takes;
    if (m_rate.GetBitRate() != 0)
        takes = m_rate.CalculateBytesTxTime(frame->GetSize() + m_overhead);
    m_sending = m_gate->Set(takes, {Due::SENT, this, nullptr, nullptr, ns3::Simulator::Now().GetNanoSeconds(), 0});
}

void FrameDevice::Next()
{
    // A disc may drop while it hands out, and then the port may send: that frame has to wait for the one handed out.
    if (m_dequeuing || m_packet != nullptr || m_queue->GetNPackets() == 0)
        return;
    m_dequeuing = true;
    ns3::Ptr<ns3::QueueDiscItem> item = m_queue->Dequeue();
    m_dequeuing = false;
    if (item)
        Transmit(item->GetPacket(), static_cast<FrameItem *>(ns3::PeekPointer(item))->Packet());
}

bool FrameDevice::SendFrame(net_packet *packet, const uint8_t *bytes, std::size_t length)
{
    ns3::Ptr<ns3::Packet> frame = ns3::Create<ns3::Packet>(bytes, static_cast<uint32_t>(length));
    m_mac_tx(frame);
    if (!m_queue_named && !m_dequeuing && m_packet == nullptr && m_queue->GetNPackets() == 0) { // goes out at once, whatever the limit
        Transmit(frame, packet);
        return true;
    }
    m_entering = packet;
    m_refused = false;
    m_queue->Enqueue(ns3::Create<FrameItem>(this, frame, packet, bytes, length));
    m_entering = nullptr;
    if (m_refused)
        return false;
    Next();
    return true;
}

void FrameDevice::OnQueueDrop(ns3::Ptr<const ns3::QueueDiscItem> item)
{
    net_packet *packet = static_cast<const FrameItem *>(ns3::PeekPointer(item))->Packet();
    m_mac_tx_drop(item->GetPacket());
    if (packet == m_entering)
        m_refused = true;
    else
        net_carrier_lost(m_above, packet, m_flushing ? NET_LOST_LINK : NET_LOST_QUEUE);
}

void FrameDevice::Sent(void *self, uint64_t now_ns)
{
    auto device = static_cast<FrameDevice *>(self);
    net_packet *packet = device->m_packet;
    ns3::Ptr<ns3::Packet> frame = device->m_frame;
    device->m_packet = nullptr;
    device->m_frame = nullptr;
    device->m_sending = 0;
    device->m_phy_tx_end(frame);
    device->m_sniffer(frame);
    device->m_promisc_sniffer(frame);
    net_carrier_sent(device->m_above, packet, now_ns);
    device->Next();
}

void FrameDevice::Happens(const Due &due)
{
    if (due.kind == Due::SENT && due.number == m_sending) // it may have been flushed
        m_gate->Call(Sent, this);
    else if (due.kind == Due::ARRIVAL && due.packet != nullptr)
        Receive(due.frame, due.packet);
    else if (due.kind == Due::ARRIVAL)
        Enter(due.frame);
}

bool FrameDevice::Propagate(net_packet *packet, const uint8_t *bytes, std::size_t length, uint64_t late_ns)
{
    ns3::Ptr<ns3::Packet> frame = ns3::Create<ns3::Packet>(bytes, static_cast<uint32_t>(length));
    return m_channel->Transmit(this, frame, packet, ns3::NanoSeconds(late_ns));
}

void FrameDevice::Flush()
{
    net_packet *packet = m_packet;
    m_sending = 0;
    m_packet = nullptr;
    m_frame = nullptr;
    if (packet != nullptr)
        net_carrier_lost(m_above, packet, NET_LOST_LINK);
    m_flushing = true;
    while (ns3::Ptr<ns3::QueueDiscItem> item = m_queue->Dequeue())
        net_carrier_lost(m_above, static_cast<FrameItem *>(ns3::PeekPointer(item))->Packet(), NET_LOST_LINK);
    m_flushing = false;
}

// ---- receiving

void FrameDevice::Arrived(void *self, uint64_t now_ns)
{
    auto device = static_cast<FrameDevice *>(self);
    net_carrier_arrived(device->m_arriving, now_ns);
}

void FrameDevice::Entered(void *self, uint64_t now_ns)
{
    auto device = static_cast<FrameDevice *>(self);
    std::vector<uint8_t> bytes(device->m_frame_in->GetSize());
    device->m_frame_in->CopyData(bytes.data(), static_cast<uint32_t>(bytes.size()));
    net_carrier_entered(device->m_above, bytes.data(), bytes.size(), now_ns);
}

void FrameDevice::Announce(ns3::Ptr<ns3::Packet> frame)
{
    ArrivesAfter(ns3::NanoSeconds(1), frame, nullptr);
}

void FrameDevice::ArrivesAfter(ns3::Time after, ns3::Ptr<ns3::Packet> frame, net_packet *packet)
{
    ns3::Time left = ns3::Simulator::Now() + after - m_channel->Delay();
    m_gate->Set(after, {Due::ARRIVAL, this, frame, packet, left.GetNanoSeconds(), 0});
}

void FrameDevice::Enter(ns3::Ptr<ns3::Packet> frame)
{
    m_frame_in = frame;
    m_phy_rx_end(frame);
    if (m_errors && m_errors->IsCorrupt(frame)) {
        m_phy_rx_drop(frame); // the sender, who counts such losses, is in another process
        return;
    }
    m_mac_rx(frame);
    m_gate->Call(Entered, this);
}

void FrameDevice::LostByError(void *self, uint64_t now_ns)
{
    auto device = static_cast<FrameDevice *>(self);
    (void)now_ns;
    net_carrier_lost(device->m_peer->m_above, device->m_arriving, NET_LOST_ERROR);
}

void FrameDevice::Receive(ns3::Ptr<ns3::Packet> frame, net_packet *packet)
{
    m_arriving = packet;
    m_phy_rx_end(frame);
    if (m_errors && m_errors->IsCorrupt(frame)) {
        m_phy_rx_drop(frame);
        m_gate->Call(LostByError, this);
        return;
    }
    m_sniffer(frame);
    m_promisc_sniffer(frame);
    m_mac_rx(frame);
    m_gate->Call(Arrived, this);
}

} // namespace smclab
