-- An urgent byte is announced at once, read out of band or inline, and the stream around it stays whole.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data over SMC-D",
    source = "RFC 7609 4.6",
    requirements = { "SMCD-005" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
local c, s = connect(client, server)
c:send("before")
c:urgent("!")
s:wait_urgent()
expect(c:try_send("after"), 0, "the urgent byte was not consumed yet")
expect(s:read_urgent(), "!")
expect(s:receive(6), "before")
expect(s:try_receive(10), "", "the urgent byte is not in the stream")
c:send("after")
expect(s:receive(5), "after")

local inline, s2 = connect(client, server)
s2:set { oob_inline = true }
inline:send("abc")
inline:urgent("D")
s2:wait_urgent()
expect(s2:receive(4), "abcD")
inline:send("efg")
expect(s2:receive(3), "efg")
expect(s2:read_urgent(), nil, "inline: there is nothing out of band")
