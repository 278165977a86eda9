#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_icmp.py CLIENT ROUTER SERVER: ICMP and ICMPv6 errors about translated
connections: from beyond, from the other end, from the router itself. Names of
network namespaces."""

import struct
import sys

from nf_nat_packets import (ACK, ICMP, ICMPV6, RST, SCTP, SYN, TCP, UDP, Test, addr, checksum, echo, icmp_error, network, sctp,
                            tcp, udp)

t = Test(*sys.argv[1:4])
client, server = t.client, t.server
RULES = '''
table inet t {
	counter nat_new { }
	counter related { }
	counter unrelated { }
	chain pre {
		type nat hook prerouting priority dstnat
		counter name nat_new
		ip daddr 198.51.100.30 dnat to 192.168.2.30
		ip6 daddr 2001:db8:1::1e dnat to fd00:22::1e
		ip daddr 198.51.100.31 meta l4proto { tcp, udp } dnat to 192.168.2.31:8000
		ip6 daddr 2001:db8:1::1f meta l4proto { tcp, udp } dnat to [fd00:22::1f]:8000
		ip daddr 198.51.100.32 dnat to 192.168.2.32
		ip6 daddr 2001:db8:1::20 dnat to fd00:22::20
	}
	chain post {
		type nat hook postrouting priority srcnat
		counter name nat_new
		ip daddr { 192.168.2.10, 192.168.2.32 } snat ip to 203.0.113.10
		ip6 daddr { fd00:22::a, fd00:22::20 } snat ip6 to 2001:db8::a
		ip daddr 192.168.2.11 meta l4proto { tcp, udp } snat ip to 203.0.113.11:5000-5999
		ip6 daddr fd00:22::b meta l4proto { tcp, udp } snat ip6 to [2001:db8::b]:5000-5999
	}
	chain natout { type nat hook output priority -100; counter name nat_new; }
	chain natin { type nat hook input priority 100; counter name nat_new; }
	chain forward {
		type filter hook forward priority 0
		ct state new ct mark set 0x42
		ip daddr 192.168.2.31 udp dport 8000 reject with icmp type host-unreachable
		ip6 daddr fd00:22::1f udp dport 8000 reject with icmpv6 type addr-unreachable
		meta mark 0 ip daddr 192.168.2.31 tcp dport 8000 reject with tcp reset
		meta mark 0 ip6 daddr fd00:22::1f tcp dport 8000 reject with tcp reset
		icmp type { destination-unreachable, time-exceeded, parameter-problem } ct state related ct mark 0x42 counter name related
		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state related ct mark 0x42 counter name related
	}
	chain output {
		type filter hook output priority 0
		icmp type { destination-unreachable, time-exceeded } ct state related ct mark 0x42 counter name related
		icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state related ct mark 0x42 counter name related
		icmp type { destination-unreachable, time-exceeded } ct state != related counter name unrelated
		icmpv6 type { destination-unreachable, time-exceeded } ct state != related counter name unrelated
	}
}
'''
t.rules(RULES)
BASE = 20000


def kinds(f):
    """Type, code and the word behind the checksum: unreachable port, too big, time
    exceeded, parameter problem."""
    if f == 4:
        return (3, 3, 0), (3, 4, 1400), (11, 0, 0), (12, 0, 4 << 24)
    return (1, 4, 0), (2, 0, 1400), (3, 0, 0), (4, 0, 6)


def make(f, protocol, a, b, sport, dport, data):
    """A packet of a protocol."""
    builder = {TCP: tcp, UDP: udp, SCTP: sctp, ICMP: echo, ICMPV6: echo}[protocol]
    return network(a, b, protocol, builder(a, b, sport, dport, data))


def opened(f, protocol, src, dst, sport, dport=53, data=None):
    """Sends the first packet of a connection from the client; what came of it, and
    the packet."""
    token = data or t.token()
    packet = make(f, protocol, addr(f, src), addr(f, dst), sport, dport, token)
    client.send(packet)
    got = server.get(token)
    if not got:
        t.wrong(f'nothing came of {src} > {dst}, protocol {protocol}')
    return got, packet


def error(what, here, there, packet, key, inner, **want):
    """Sends an error; `key` are bytes that what comes out contains."""
    more = t.counter('related')
    got = t.passes(what, here, there, packet, key, ttl=63, inner=inner, **want)
    if got:
        t.equal(f'{what}: related with the mark', t.counter('related'), more + 1)
    return got


def quoted(packet_bytes, data=True):
    """What an error quotes of a packet: all, or the header and 8 bytes."""
    return packet_bytes if data else packet_bytes[:(20 if packet_bytes[0] >> 4 == 4 else 40) + 8]


def transits(f):
    sport = BASE
    icmp = ICMP if f == 4 else ICMPV6
    for protocol in UDP, TCP, SCTP, icmp:
        for kind, code, rest in kinds(f):
            sport += 1
            # SNAT: an error about what went out, from a host on the way.
            ident = sport if protocol == icmp else 53
            src, dst = 'c5', 's10' if protocol in (icmp, SCTP) else 's11'
            got, _ = opened(f, protocol, src, dst, sport, 53)
            if not got:
                continue
            token = t.tokens
            inner = {'src': addr(f, src), 'dst': addr(f, dst), 'sport': ident if protocol == icmp else sport}
            if protocol != icmp:
                inner['dport'] = 53
            name = f'protocol {protocol}, type {kind} code {code}'
            error(f'SNAT, {name}', server, client, icmp_error(addr(f, 'x9'), got.src, kind, code, got.raw, rest),
                  b'<token %06d>' % token, inner, src=addr(f, 'x9'), dst=addr(f, src), kind=kind, code=code, rest=rest)
            # DNAT: the same.
            got, _ = opened(f, protocol, src, 'q30', sport, 53)
            if got:
                inner['dst'] = addr(f, 'q30')
                error(f'DNAT, {name}', server, client, icmp_error(got.dst, got.src, kind, code, got.raw, rest),
                      b'<token %06d>' % t.tokens, inner, src=addr(f, 'q30'), dst=addr(f, src), kind=kind, code=code, rest=rest)
            # Both at once.
            got, _ = opened(f, protocol, src, 'q32', sport, 53)
            if got:
                t.equal('the source', got.src, addr(f, 'p10'))
                inner['dst'] = addr(f, 'q32')
                error(f'both, {name}', server, client, icmp_error(got.dst, got.src, kind, code, got.raw, rest),
                      b'<token %06d>' % t.tokens, inner, src=addr(f, 'q32'), dst=addr(f, src), kind=kind, code=code, rest=rest)
    t.point(f'IPv{f}: errors about what went out: outside and inside, all kinds and protocols')

    for protocol in UDP, TCP:
        sport += 1
        for public, private in ('s11', 's11'), ('q30', 's30'), ('q32', 's32'):
            got, _ = opened(f, protocol, 'c5', public, sport, 53)
            if not got:
                continue
            # The answer, about which the client complains.
            token = t.token()
            builder = (udp, {}) if protocol == UDP else (tcp, {'flags': SYN | ACK, 'seq': 9000, 'ack': got.seq + 1 + len(got.data)})
            answer = network(got.dst, got.src, protocol, builder[0](got.dst, got.src, 53, got.sport, token, **builder[1]))
            server.send(answer)
            back = client.get(token)
            if not back:
                t.wrong(f'{public}: no answer')
                continue
            kind, code, rest = kinds(f)[0]
            inner = {'src': addr(f, private), 'dst': got.src, 'sport': 53, 'dport': got.sport}
            error(f'{public}, protocol {protocol}', client, server,
                  icmp_error(addr(f, 'c5'), back.src, kind, code, back.raw, rest), token, inner,
                  src=got.src, dst=addr(f, private))
    t.point(f'IPv{f}: errors about what came back')


def edges(f):
    sport = BASE + 500
    kind, code, rest = kinds(f)[0]
    # Only what must be quoted, and a source port that is known.
    for protocol in UDP, TCP:
        sport += 1
        got, sent = opened(f, protocol, 'c5', 's10', sport, 53)
        if got:
            key = struct.pack('!HH', sport, 53)
            client.drain()
            error(f'short, protocol {protocol}', server, client,
                  icmp_error(addr(f, 'x9'), got.src, kind, code, quoted(got.raw, False)), key,
                  {'src': addr(f, 'c5'), 'dst': addr(f, 's10'), 'sport': sport, 'dport': 53,
                   'raw': lambda x, sent=sent: x[-8:-4] == quoted(sent, False)[-8:-4]}, dst=addr(f, 'c5'))
    t.point(f'IPv{f}: an error that quotes eight bytes')

    # A checksum of none in the quoted datagram stays.
    sport += 1
    token = t.token()
    a, b = addr(f, 'c5'), addr(f, 's10')
    got = t.passes('without checksum', client, server, network(a, b, UDP, udp(a, b, sport, 53, token, zero=True)), token, zero=True)
    if got:
        t.passes('quoted', server, client, icmp_error(addr(f, 'x9'), got.src, kind, code, got.raw), token,
                 inner={'src': a, 'sport': sport, 'zero': True}, dst=a)
    t.point(f'IPv{f}: a quoted datagram without checksum')

    # What is wrong is not translated.
    sport += 1
    got, _ = opened(f, UDP, 'c5', 's10', sport, 53)
    if got:
        token = b'<token %06d>' % t.tokens
        bad = bytearray(icmp_error(addr(f, 'x9'), got.src, kind, code, got.raw))
        bad[22 if f == 4 else 42] ^= 0x55
        t.stays('a wrong checksum', server, client, bytes(bad), token, 0.3)
        if f == 4:
            t.stays('a redirect', server, client, icmp_error(addr(f, 'x9'), got.src, 5, 1, got.raw, 0x0a000202), token, 0.3)
        other = network(addr(f, 'p10'), addr(f, 's10'), UDP, udp(addr(f, 'p10'), addr(f, 's10'), sport + 7000, 53, token))
        t.stays('of no connection', server, client, icmp_error(addr(f, 'x9'), got.src, kind, code, other), token, 0.3)
        # Nothing of that changed the connection.
        token = t.token()
        t.passes('the answer', server, client, network(got.dst, got.src, UDP, udp(got.dst, got.src, 53, got.sport, token)), token,
                 dst=addr(f, 'c5'), dport=sport)
    t.point(f'IPv{f}: errors that are wrong, and redirects, are not translated')


def own(f):
    """Errors that the router makes."""
    sport = BASE + 600
    a = addr(f, 'c5')
    kind, code = (3, 1) if f == 4 else (1, 3)
    sport += 1
    q, token = addr(f, 'q31'), t.token()
    before, related = t.counter('nat_new'), t.counter('related')
    t.passes('rejected', client, client, network(a, q, UDP, udp(a, q, sport, 53, token)), token, src=q, dst=a,
             kind=kind, code=code, inner={'src': a, 'dst': q, 'sport': sport, 'dport': 53})
    t.equal('related, with the mark', t.counter('related'), related + 1)
    # The datagram crosses prerouting's chain; the error none.
    t.equal('nat chains crossed', t.counter('nat_new'), before + 1)
    t.equal('unrelated', t.counter('unrelated'), 0)
    t.point(f'IPv{f}: DNAT and rejected: the error is from the public address, related, of the mark')

    sport += 1
    q, token = addr(f, 'q31'), t.token()
    got = t.passes('reset', client, client, network(a, q, TCP, tcp(a, q, sport, 80, token)), struct.pack('!HH', 80, sport),
                   src=q, dst=a, sport=80, dport=sport, flags=RST | ACK)
    if got:
        t.equal('the number it acknowledges', got.ack, 1001 + len(token))
    t.point(f'IPv{f}: DNAT and rejected: the reset is from the public address and port')

    # Time exceeded here: the quoted destination is the public one.
    kind, code = (11, 0) if f == 4 else (3, 0)
    sport += 1
    q, token = addr(f, 'q30'), t.token()
    t.passes('time exceeded', client, client, network(a, q, UDP, udp(a, q, sport, 53, token), ttl=1), token, dst=a,
             kind=kind, code=code, inner={'src': a, 'dst': q, 'sport': sport, 'dport': 53})
    # And of an answer, on its way back.
    got, _ = opened(f, UDP, 'c5', 's11', sport, 53)
    if got:
        token = t.token()
        t.passes('time exceeded of an answer', server, server,
                 network(got.dst, got.src, UDP, udp(got.dst, got.src, 53, got.sport, token), ttl=1), token, dst=got.dst,
                 kind=kind, code=code, inner={'src': got.dst, 'dst': got.src, 'sport': 53, 'dport': got.sport})
    t.point(f'IPv{f}: time exceeded in the router, both ways')

    # Too big for the way out.
    t.run('ip link set r1 mtu 1300')
    sport += 1
    q, token = addr(f, 'q30'), t.token()
    packet = bytearray(network(a, q, UDP, udp(a, q, sport, 53, token + bytes(1350))))
    if f == 4:
        packet[6], packet[10:12] = 0x40, b'\0\0'
        packet[10:12] = struct.pack('!H', checksum(bytes(packet[:20])))
    kind, code = (3, 4) if f == 4 else (2, 0)
    t.passes('too big', client, client, bytes(packet), token, dst=a, kind=kind, code=code, rest=1300,
             inner={'src': a, 'dst': q, 'sport': sport, 'dport': 53})
    t.run('ip link set r1 mtu 1500')
    t.point(f'IPv{f}: too big in the router')


for family in 4, 6:
    transits(family)
    edges(family)
    own(family)
t.end()
