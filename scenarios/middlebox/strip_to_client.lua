-- The server believes in SMC, the client does not: the client's bytes are no Proposal, and the server must not take them for one.
-- A client that says nothing leaves the server waiting for a Proposal until its timer ends the connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The option is lost on the SYN-ACK",
    source = "RFC 7609 3.1; 3.5.1.1",
    requirements = { "TCPOPT-005", "TCPOPT-006", "CLC-010" },
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
middlebox("client", "server", "strip to client")
server:listen(5000)
local c = client:connect(server, 5000)
expect(c:connected(), "TCP")
expect(server:try_accept(5000), nil, "the server's socket is not given out before the negotiation ended")
c:send("GET / HTTP/1.0\r\n\r\n")
expect_error(c, "RESET", { within = "10 s" })
expect(server:try_accept(5000), nil)
expect(count_messages { "CLC Decline" }, 0)

local silent = client:connect(server, 5000)
expect(silent:connected(), "TCP")
local before = now()
local how -- by RST or, as Linux does, by FIN
wait_for(function()
    local _, err = silent:try_receive(1)
    how = err
    return err == "RESET" or err == "END"
end, "the server did not end it", { within = "20 s" })
expect_true(how == "RESET" or real_time(), "ours resets it")
expect_true(now() - before >= 5 * 1000000000, "the server did not wait for its timer")
