/* The ns-3 side of a link: a net device that carries whole Ethernet frames, its channel, its queue's items.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NS3_DEVICE_H
#define SIM_NS3_DEVICE_H

#include "sim/carrier.h"

#include <ns3/channel.h>
#include <ns3/data-rate.h>
#include <ns3/error-model.h>
#include <ns3/mac48-address.h>
#include <ns3/net-device.h>
#include <ns3/node.h>
#include <ns3/packet.h>
#include <ns3/queue-disc.h>
#include <ns3/simulator.h>
#include <ns3/traced-callback.h>

namespace smclab {

class FrameDevice;

// Something that happens at an instant. Of several at one, our timers come first, then what was set earlier, then arrivals; arrivals at
// one node by port. So what a node sees does not depend on how many processes there are.
struct Due {
    enum Kind { TICK, ARRIVAL, SENT };
    Kind kind;
    FrameDevice *device;
    ns3::Ptr<ns3::Packet> frame;
    net_packet *packet; // of an arrival; null: the frame comes from another process
    int64_t set_ns;     // of an arrival: when it left, for all processes alike
    uint64_t number;    // Set() counts from 1
};

// Keeps what is due, and runs functions inside events of our engine at ns-3's present time.
class EventGate {
  public:
    virtual ~EventGate() = default;
    // Later Happens() of that device is called; returns the number.
    virtual uint64_t Set(ns3::Time after, Due due) = 0;
    virtual void Call(sim_fn fn, void *ctx) = 0;
};

// Two devices, a delay.
class FrameChannel : public ns3::Channel {
  public:
    static ns3::TypeId GetTypeId();
    std::size_t GetNDevices() const override;
    ns3::Ptr<ns3::NetDevice> GetDevice(std::size_t i) const override;
    void Attach(ns3::Ptr<FrameDevice> a, ns3::Ptr<FrameDevice> b);
    // False: the frame went to another process.
    bool Transmit(FrameDevice *from, ns3::Ptr<ns3::Packet> frame, net_packet *packet, ns3::Time late);
    ns3::Time Delay() const { return m_delay; }

  private:
    void SetDelay(ns3::Time delay) { m_delay = delay; }
    ns3::Time GetDelay() const;

    ns3::Time m_delay;
    ns3::Ptr<FrameDevice> m_end[2];
};

// A frame in a queue disc. Marking it marks the laboratory's bytes too.
class FrameItem : public ns3::QueueDiscItem {
  public:
    FrameItem(FrameDevice *device, ns3::Ptr<ns3::Packet> frame, net_packet *packet, const uint8_t *bytes, std::size_t length);
    net_packet *Packet() const { return m_packet; }
    void AddHeader() override {}
    bool Mark() override;
    uint32_t Hash(uint32_t perturbation) const override;
    bool GetUint8Value(Uint8Values field, uint8_t &value) const override;

  private:
    FrameDevice *m_device;
    net_packet *m_packet;
    uint32_t m_flow; // a hash of the addresses and ports
    uint8_t m_tos;
    bool m_ip;
};

// Queue disc, transmitter, receiver with an error model. What is above it is a port of the laboratory: ns-3's own protocols, if
// somebody puts them on the node, are not served (Send() says so).
class FrameDevice : public ns3::NetDevice {
  public:
    static ns3::TypeId GetTypeId();
    FrameDevice();

    void Setup(EventGate *gate, port *above, ns3::Ptr<FrameChannel> channel, ns3::Ptr<ns3::QueueDisc> queue, bool queue_named);
    bool SendFrame(net_packet *packet, const uint8_t *bytes, std::size_t length);
    bool Propagate(net_packet *packet, const uint8_t *bytes, std::size_t length, uint64_t late_ns);
    void Flush();
    void Happens(const Due &due);
    void Announce(ns3::Ptr<ns3::Packet> frame); // from another process: it arrives in a nanosecond
    void ArrivesAfter(ns3::Time after, ns3::Ptr<ns3::Packet> frame, net_packet *packet);
    port *Above() const { return m_above; }
    ns3::Ptr<FrameDevice> Peer() const { return m_peer; }
    void SetPeer(FrameDevice *peer) { m_peer = peer; }

    void SetIfIndex(const uint32_t index) override { m_index = index; }
    uint32_t GetIfIndex() const override { return m_index; }
    ns3::Ptr<ns3::Channel> GetChannel() const override { return m_channel; }
    void SetAddress(ns3::Address address) override;
    ns3::Address GetAddress() const override { return m_address; }
    bool SetMtu(const uint16_t mtu) override;
    uint16_t GetMtu() const override { return m_mtu; }
    bool IsLinkUp() const override;
    void AddLinkChangeCallback(ns3::Callback<void> callback) override { (void)callback; }
    bool IsBroadcast() const override { return true; }
    ns3::Address GetBroadcast() const override { return ns3::Mac48Address::GetBroadcast(); }
    bool IsMulticast() const override { return true; }
    ns3::Address GetMulticast(ns3::Ipv4Address group) const override { return ns3::Mac48Address::GetMulticast(group); }
    ns3::Address GetMulticast(ns3::Ipv6Address group) const override { return ns3::Mac48Address::GetMulticast(group); }
    bool IsBridge() const override { return false; }
    bool IsPointToPoint() const override { return true; }
    bool Send(ns3::Ptr<ns3::Packet>, const ns3::Address &, uint16_t) override { return false; }
    bool SendFrom(ns3::Ptr<ns3::Packet>, const ns3::Address &, const ns3::Address &, uint16_t) override { return false; }
    ns3::Ptr<ns3::Node> GetNode() const override { return m_node; }
    void SetNode(ns3::Ptr<ns3::Node> node) override { m_node = node; }
    bool NeedsArp() const override { return true; }
    void SetReceiveCallback(ReceiveCallback) override {}
    void SetPromiscReceiveCallback(PromiscReceiveCallback) override {}
    bool SupportsSendFrom() const override { return false; }

  protected:
    void DoDispose() override;

  private:
    void Transmit(ns3::Ptr<ns3::Packet> frame, net_packet *packet);
    void Next();
    void Receive(ns3::Ptr<ns3::Packet> frame, net_packet *packet);
    void Enter(ns3::Ptr<ns3::Packet> frame);
    void OnQueueDrop(ns3::Ptr<const ns3::QueueDiscItem> item);
    static void Sent(void *self, uint64_t now_ns);
    static void Arrived(void *self, uint64_t now_ns);
    static void Entered(void *self, uint64_t now_ns);
    static void LostByError(void *self, uint64_t now_ns);

    EventGate *m_gate = nullptr;
    port *m_above = nullptr;
    ns3::Ptr<ns3::Node> m_node;
    ns3::Ptr<FrameChannel> m_channel;
    ns3::Ptr<ns3::QueueDisc> m_queue;
    ns3::Ptr<ns3::ErrorModel> m_errors;
    FrameDevice *m_peer = nullptr;
    ns3::Address m_address;
    ns3::DataRate m_rate;
    uint32_t m_index = 0, m_overhead = 0;
    uint16_t m_mtu = 0;
    bool m_queue_named = false, m_refused = false, m_flushing = false, m_dequeuing = false;
    ns3::Ptr<ns3::Packet> m_frame, m_frame_in; // in transmission; from another process
    net_packet *m_packet = nullptr, *m_entering = nullptr, *m_arriving = nullptr;
    uint64_t m_sending = 0; // the number of the end of this transmission

    ns3::TracedCallback<ns3::Ptr<const ns3::Packet>> m_mac_tx, m_mac_tx_drop, m_mac_rx, m_phy_tx_begin, m_phy_tx_end, m_phy_rx_end,
        m_phy_rx_drop, m_sniffer, m_promisc_sniffer;
};

} // namespace smclab

#endif
