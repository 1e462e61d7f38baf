-- Lab 1. Run it, and then open the capture in Wireshark:
--     smclab run scenarios/labs/first_steps.lua
--     smclab explain smclab-out/scenarios/labs/first_steps.1.pcap
-- A line that begins with two dashes is a comment. Everything else happens from top to bottom.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Lab 1: what happens when two hosts meet",
    source = "RFC 7609 3.5.1",
    requirements = { "TCPOPT-001", "TCPOPT-002", "CLC-031", "CLC-032", "LLC-009", "LLC-010", "CDC-007", "CLOSE-001" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

-- Two hosts, each with an Ethernet card that can do RDMA (RoCE), and a cable between them.
host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server")

-- The server's application waits for connections; the client's connects. Neither knows about SMC: they use ordinary sockets.
server:listen(5000)
local c = client:connect(server, 5000)

-- Step 1: TCP. Both SYNs carry the option "I can speak SMC", six bytes long.
expect(expect_message { "TCP SYN", from = "client" }.data_length, 6)
expect(expect_message { "TCP SYN", from = "server" }.data_length, 6)

-- Step 2: over that TCP connection the hosts agree on SMC-R (CLC messages). The Accept says that this is a first contact: there
-- is no RDMA link between the two yet.
expect_message { "CLC Proposal", from = "client" }
expect_message { "CLC Accept", from = "server", first_contact = true }
expect_message { "CLC Confirm", from = "client" }

-- Step 3: the new link is tried in both directions, by messages that travel over RDMA (LLC messages).
expect_message { "CONFIRM LINK", from = "server", response = false }
expect_message { "CONFIRM LINK", from = "client", response = true }

-- Only now do the applications get their sockets.
local s = server:accept(5000)
expect(c:connected(), "SMC-R")

-- Step 4: data. The client writes straight into the server's memory (RDMA WRITE) and then says how far (CDC).
c:send("Hello, server!")
expect_message { "RDMA WRITE", from = "client", data_length = 14 }
expect_message { "CDC", from = "client", prod_count = 14 }
expect(s:receive(14), "Hello, server!")

-- Step 5: both close.
c:close()
expect_message { "CDC", from = "client", closed = true }
s:at_end()
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"

-- Things to try:
-- * Give the server `roce = false`. Where does the story end, and how do the bytes travel then?
-- * Connect a second time before closing. Which of the steps are missing?
-- * Change one of the expectations so that it is wrong, and read what smclab says.
