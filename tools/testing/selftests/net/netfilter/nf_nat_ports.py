#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_ports.py CLIENT ROUTER SERVER [MAPPINGS]: ports that run out, the last free
one, many mappings to one destination, ports that must not be given away. Names of
network namespaces; how many mappings (default 60000)."""

import socket
import sys
import time

from nf_nat_packets import OURS, TCP, UDP, Test, addr, inside, network, raw, tcp, udp

t = Test(*sys.argv[1:4], buffer=1 << 28)
client, server = t.client, t.server
MAPPINGS = int(sys.argv[4]) if len(sys.argv) > 4 else 60000
RULES = '''
table inet t {
	chain post {
		type nat hook postrouting priority srcnat
		ip daddr { 192.168.2.10, 192.168.2.11 } udp dport 53 snat ip to 203.0.113.10:4000-4015
		ip6 daddr { fd00:22::a, fd00:22::b } udp dport 53 snat ip6 to [2001:db8::a]:4000-4015
		ip daddr 192.168.2.12 udp dport 53 snat ip to 203.0.113.10:4100-4227
		ip6 daddr fd00:22::c tcp dport 53 snat ip6 to [2001:db8::a]:4100-4227
		ip daddr 192.168.2.13 udp dport 53 snat ip to 203.0.113.13
		ip daddr { 192.168.2.14, 192.168.2.15 } masquerade
		ip6 daddr { fd00:22::e, fd00:22::f } masquerade
	}
}
'''
t.rules(RULES)
LOST = ('insert_failed',)


def burst(family, protocol, dst, sources, dport=53, there=server, seconds=0.5):
    """Sends a packet of each source (address, port) to a destination; the packets
    that came out, and how many were lost according to the statistics."""
    there.drain()
    b = addr(family, dst)
    lost = t.statistics(*LOST)
    wanted = raw(b)
    build = udp if protocol == UDP else tcp
    for a, sport in sources:
        client.send(network(a, b, protocol, build(a, b, sport, dport)))
    got = [p for p in there.packets(seconds) if wanted in p.raw and p.dst == b]
    return got, t.statistics(*LOST) - lost


def crowd(family, count):
    """Clients: addresses, all with the same source port."""
    if family == 4:
        return [(f'192.168.{100 + n // 250}.{1 + n % 250}', 9999) for n in range(count)]
    return [(f'fd00:11::{n + 0x1000:x}', 9999) for n in range(count)]


for f in 4, 6:
    # Every destination has the sixteen; two of them for one family are enough.
    for name in ('s10', 's11') if f == 4 else ('s10',):
        began = time.monotonic()
        got, lost = burst(f, UDP, name, crowd(f, 1000))
        spent = time.monotonic() - began
        t.equal('ports', sorted(p.sport for p in got), list(range(4000, 4016)))
        t.equal('lost, says the table', lost, 984)
        for p in got:
            wrong = p.differs({'src': addr(f, 'p10'), 'ttl': 63})
            if wrong:
                t.wrong(wrong)
        if spent > 30:
            t.wrong(f'1,000 packets took {spent:.1f} s')
        t.point(f'IPv{f}: 16 ports, 1,000 clients: 16 get through to {name}, 984 are lost and counted')
        # Those that have one go on.
        again = t.token()
        for p in got[:2]:
            back = network(p.dst, p.src, UDP, udp(p.dst, p.src, 53, p.sport, again))
            server.send(back)
            answer = client.get(again)
            if not answer or answer.dport != 9999:
                t.wrong(f'no answer for port {p.sport}: {answer}')
        t.point(f'IPv{f}: those that have a port keep it')

# 128 ports: what stock tries in any case. All can be had.
for f, protocol in (4, UDP), (6, TCP):
    got, lost = burst(f, protocol, 's12', crowd(f, 127))
    t.equal('ports', len({p.sport for p in got}), 127)
    t.point(f'IPv{f}: 127 clients get 127 of 128 ports, nothing is lost')
    free = set(range(4100, 4228)) - {p.sport for p in got}
    last = crowd(f, 128)[-1:]
    got, lost = burst(f, protocol, 's12', last, seconds=0.3)
    t.equal('ports', {p.sport for p in got}, free)
    t.point(f'IPv{f}: the last free port is found')
    got, lost = burst(f, protocol, 's12', crowd(f, 129)[-1:], seconds=0.3)
    t.equal('ports', [p.sport for p in got], [])
    t.point(f'IPv{f}: then there is none')
t.run('conntrack -F 2>&1')


def shadow(f):
    """A mapping must not take what is for a service of the router's."""
    here, there, own = addr(f, 'c5'), addr(f, 's14'), addr(f, 'S1')
    with inside(t.router):
        service = socket.socket(socket.AF_INET6 if f == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        service.bind((own, 5353))
        service.settimeout(3)
    token = t.token()
    got = t.passes('from a service port to an ephemeral one', client, server,
                   network(here, there, UDP, udp(here, there, 5353, 40000, token)), token, src=own,
                   sport=lambda port: port != 5353 and port >= 1024)
    # The answer still comes.
    if got:
        token = t.token()
        t.passes('its answer', server, client, network(there, own, UDP, udp(there, own, 40000, got.sport, token)), token,
                 dst=here, dport=5353)
    token = t.token()
    server.send(network(there, own, UDP, udp(there, own, 40000, 5353, token)))
    try:
        t.equal('what the service gets', service.recv(100), token)
    except TimeoutError:
        t.wrong('the service got nothing')
    if client.get(token, 0.2):
        t.wrong('a client got what was for the service')
    service.close()
    what = f'IPv{f}: a mapping does not take what is for a service of the router'
    if OURS:
        t.point(what)
    else:
        t.skip(what, 'on the stock modules it does')

    # A mapping in the other direction: what came for the service first, a client
    # cannot take over.
    with inside(t.router):
        service = socket.socket(socket.AF_INET6 if f == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        service.bind((own, 5354))
        service.settimeout(3)
    there = addr(f, 's15')
    token = t.token()
    server.send(network(there, own, UDP, udp(there, own, 53, 5354, token)))
    t.equal('what the service gets', service.recv(100), token)
    token = t.token()
    t.passes('a client with the same ports', client, server, network(here, there, UDP, udp(here, there, 5354, 53, token)), token,
             src=own, sport=lambda port: port != 5354)
    token = t.token()
    server.send(network(there, own, UDP, udp(there, own, 53, 5354, token)))
    try:
        t.equal('what the service gets', service.recv(100), token)
    except TimeoutError:
        t.wrong('the service got nothing more')
    # To a port of a service, from an ephemeral one: nothing changes.
    token = t.token()
    t.passes('an ordinary client', client, server, network(here, there, UDP, udp(here, there, 40001, 123, token)), token,
             src=own, sport=40001)
    service.close()
    t.point(f'IPv{f}: nor what a service of the router has begun')


for family in 4, 6:
    shadow(family)

# One destination, many clients, one source port: each needs a port of its own.
began = time.monotonic()
b = addr(4, 's13')
ports = set()
came = twice = wrong = 0
lost = t.statistics(*LOST)
server.drain()
frame = bytearray(client.router + client.mine + b'\x08\x00' + network('10.9.0.0', b, UDP, udp('10.9.0.0', b, 9999, 53, zero=True)))
# The header's checksum goes down as the address goes up.
head = int.from_bytes(frame[24:26], 'big')
slowest = 0.0
for n in range(MAPPINGS):
    frame[28:30] = (n & 0xffff).to_bytes(2, 'big')
    value = head - n
    frame[24:26] = (value if value > 0 else value + 0xffff).to_bytes(2, 'big')
    sent = time.monotonic()
    client.socket.send(frame)
    slowest = max(slowest, time.monotonic() - sent)
    if n % 500 == 499 or n == MAPPINGS - 1:
        while True:
            try:
                data, origin = server.socket.recvfrom(200, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if origin[2] == 4 or data[23:24] != b'\x11':
                continue
            came += 1
            port = data[34] << 8 | data[35]
            if port in ports:
                twice += 1
            ports.add(port)
            if data[26:30] != raw('203.0.113.13') or port < 1024:
                wrong += 1
time.sleep(0.5)
while True:
    try:
        data, origin = server.socket.recvfrom(200, socket.MSG_DONTWAIT)
    except BlockingIOError:
        break
    if origin[2] != 4 and data[23:24] == b'\x11':
        came += 1
        ports.add(data[34] << 8 | data[35])
spent = time.monotonic() - began
lost = t.statistics(*LOST) - lost
print(f'# {MAPPINGS} mappings: {spent:.1f} s, slowest packet {slowest * 1000:.1f} ms, {came} came, {lost} lost')
t.equal('ports that were used twice', twice, 0)
t.equal('packets with a wrong source', wrong, 0)
t.equal('came and lost', came + lost, MAPPINGS)
# Stock looks at 248 ports at most, neighbours of each other.
if lost > (0 if OURS else MAPPINGS // 1000):
    t.wrong(f'{lost} of {MAPPINGS} found no port')
t.point(f'{MAPPINGS} mappings to one destination, each with a port of its own')
t.end()
