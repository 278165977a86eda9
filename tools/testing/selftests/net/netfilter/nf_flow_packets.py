#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""nf_flow_packets.py CLIENT ROUTER SERVER: what flows' packets look like. Names of
network namespaces, of which nf_flow_packets.sh has made routers and ends of
encapsulations."""

import struct
import sys
import time

from nf_flow_frames import QINQ, VLAN, End, Wire, mac, pppoe, tos
from nf_nat_packets import ACK, GRE, OURS, SYN, TCP, UDP, Packet, Test, inside, network, raw, tcp, udp

t = Test(*sys.argv[1:4])
client, router, server = sys.argv[1:4]

PPP = []


def session(device, number, net):
    """A PPPoE session of the router's, to the client's end of a link."""
    name, files = pppoe(router, device, number, mac(net[1], 2))
    PPP.append(files)
    t.run(f'ip link set {name} mtu 1492 up && ip route add 192.168.{net[0]}.0/24 dev {name} && '
          f'ip -6 route add fd00:{net[0]}::/64 dev {name}')


def end(net, number, *layers, link=None):
    """The end of network `net` at link `number`."""
    return End(wires[number], {4: f'192.168.{net}.7', 6: f'fd00:{net}::7'}, layers, link)


wires = {number: Wire(client, f'c{number}', number) for number in range(11, 17)}
session('r12', 0x1234, (64, 12))
session('r12.6', 0x77, (65, 12))
FAR = End(Wire(server, 's0', 2), {4: '192.168.2.5', 6: 'fd00:22::5'})
ENDS = {
    'plain': end(61, 11),
    'VLAN': end(62, 11, ('vlan', VLAN, 5)),
    'QinQ': end(63, 11, ('vlan', QINQ, 7), ('vlan', VLAN, 5)),
    'PPPoE': end(64, 12, ('pppoe', 0x1234)),
    'PPPoE in VLAN': end(65, 12, ('vlan', VLAN, 6), ('pppoe', 0x77)),
    'bridge': end(66, 13),
    'bridge with VLANs': end(67, 14, link=mac(14, 1)),
    'bridge with VLANs, tagged': end(68, 15, ('vlan', VLAN, 10), link=mac(14, 1)),
    'tunnel': end(69, 11, ('tunnel', None, None)),
    'tunnel in VLAN': end(70, 11, ('vlan', VLAN, 5), ('tunnel', None, None)),
    'IPsec': end(71, 16, ('esp', None, None)),
}
# What of a packet of 1500 bytes may be the packet's.
MTU = {'PPPoE': 1492, 'PPPoE in VLAN': 1492}
SNAT, DNAT = {4: '203.0.113.1', 6: '2001:db8::1'}, {4: '198.51.101.9', 6: '2001:db8:3::9'}
RULES = '''
table inet t {
    flowtable f { hook ingress priority 0; devices = { r11, r12, r13, r14, r15, r16, r1 }; counter; }
    chain forward {
        type filter hook forward priority 0
        meta l4proto { tcp, udp, gre } ct state established flow add @f
    }
    chain pre {
        type nat hook prerouting priority dstnat
        ip daddr 198.51.101.9 meta l4proto { tcp, udp } dnat ip to 192.168.2.5:4000
        ip6 daddr 2001:db8:3::9 meta l4proto { tcp, udp } dnat ip6 to [fd00:22::5]:4000
    }
    chain post {
        type nat hook postrouting priority srcnat
        meta l4proto { tcp, udp } ct status dnat snat ip to 203.0.113.1
        meta l4proto { tcp, udp } ct status dnat snat ip6 to 2001:db8::1
    }
}
'''


def ends(name, family):
    """A near end, with what its tunnel is in a family."""
    near = ENDS[name]
    if not near.layers or near.layers[-1][0] not in ('tunnel', 'esp'):
        return near
    net = {'tunnel': 61, 'tunnel in VLAN': 62, 'IPsec': 71}.get(name)
    ours = f'10.0.{net}.2' if family == 4 else f'fd00:{net}:1::2'
    routers = f'10.0.{net}.1' if family == 4 else f'fd00:{net}:1::1'
    return End(near.wire, near.hosts, (*near.layers[:-1], (near.layers[-1][0], ours, routers)))


class Flow:
    """A flow between two ends, and how many bytes and packets went by."""

    number = 5000

    def __init__(self, name, family, protocol, nat=False, far=FAR):
        Flow.number += 1
        self.name, self.family, self.protocol, self.nat = name, family, protocol, nat
        self.near, self.far, self.sport = ends(name, family), far, Flow.number
        self.seq, self.count = [1000, 9000], [[0, 0], [0, 0]]
        near, far = self.near.hosts[family], far.hosts[family]
        # As the near end sees it, and as the far end does: source, destination, ports.
        self.here = (near, DNAT[family] if nat else far, self.sport, 4040 if nat else 4000)
        self.there = (SNAT[family] if nat else near, far, self.sport, 4000)

    def make(self, addresses, data, ttl=64, flags=ACK | 8, seq=0, ack=0, ds=0xb8):
        """A packet of the flow's protocol."""
        src, dst, sport, dport = addresses
        if self.protocol == TCP:
            body = tcp(src, dst, sport, dport, data, flags, seq, ack)
        elif self.protocol == UDP:
            body = udp(src, dst, sport, dport, data)
        else:
            body = struct.pack('!HH', 0, 0x0800) + data
        return tos(network(src, dst, self.protocol, body, ttl, fragment=0x4000), ds)

    def ways(self, back):
        """Who sends, who gets, and the addresses that the packet has there."""
        if back:
            (a, b, c, d), (e, f, g, h) = self.there, self.here
            return self.far, self.near, (b, a, d, c), (f, e, h, g)
        return self.near, self.far, self.here, self.there

    def passes(self, back=False, size=40, pad=b'', what='', **other):
        """Sends a packet, and compares what comes out, byte by byte."""
        sender, receiver, before, after = self.ways(back)
        token = t.token()
        data = token + bytes(max(size - len(token), 0))
        if self.protocol == TCP:
            other.setdefault('seq', self.seq[back])
            other.setdefault('ack', self.seq[not back] if other.get('flags', ACK) & ACK else 0)
            if other.get('flags', 0) & SYN:
                data = b''
            self.seq[back] += len(data) + bool(other.get('flags', 0) & SYN)
        packet, want = self.make(before, data, **other), self.make(after, data, ttl=63, **other)
        if not data:
            token = want[24 if self.family == 4 else 44:][:8]
        sender.send(packet, pad)
        got, wrong = receiver.get(token)
        what = f'{self.name} IPv{self.family} {"back" if back else "there"} {what}'
        self.count[back][0] += 1
        self.count[back][1] += len(packet)
        if not got:
            t.wrong(f'{what}: nothing came of {Packet(packet)}')
            return False
        if wrong:
            t.wrong(f'{what}: {", ".join(wrong)}')
        if got[:len(want)] != want or (got != want and OURS):
            t.wrong(f'{what}: {Packet(got)} is not {Packet(want)}: {got[:60].hex()} {want[:60].hex()}')
        return not wrong and got == want

    def begin(self):
        """Packets until a rule has made a flow of it."""
        if self.protocol == TCP:
            self.passes(flags=SYN)
            self.passes(back=True, flags=SYN | ACK)
            self.passes(flags=ACK)
        else:
            self.passes()
            self.passes(back=True)
            self.passes()
        lines = [line for line in t.connections() if f'sport={self.sport} ' in line or self.protocol == GRE and ' gre ' in line]
        if not lines or '[OFFLOAD]' not in lines[0]:
            t.wrong(f'{self.name} IPv{self.family}: no flow: {lines}')

    def counted(self):
        """What connection tracking has counted is what went by."""
        for line in t.connections():
            if f'sport={self.sport} ' in line:
                words = dict(word.split('=') for word in reversed(line.split()) if '=' in word)
                packets = [int(word.split('=')[1]) for word in line.split() if word.startswith('packets=')]
                numbers = [int(word.split('=')[1]) for word in line.split() if word.startswith('bytes=')]
                t.equal(f'{self.name} IPv{self.family} packets', packets, [self.count[0][0], self.count[1][0]])
                if OURS:
                    t.equal(f'{self.name} IPv{self.family} bytes', numbers, [self.count[0][1], self.count[1][1]])
                return words
        return t.wrong(f'{self.name} IPv{self.family}: connection is gone')


def slow():
    """Packets that the stack has forwarded."""
    total = 0
    with inside(router):
        for name in ('snmp', 'snmp6'):
            with open(f'/proc/thread-self/net/{name}', encoding='ascii') as file:
                lines = [line.split() for line in file]
            if name == 'snmp':
                total += int(lines[1][lines[0].index('ForwDatagrams')])
            else:
                total += sum(int(line[1]) for line in lines if line[0] == 'Ip6OutForwDatagrams')
    return total


def fast(flow, there=3, back=3, **other):
    """Packets that the stack must not see."""
    before = slow()
    for i in range(max(there, back)):
        if i < there:
            flow.passes(**{'size': 40 + i, **other})
        if i < back:
            flow.passes(back=True, **{'size': 41 + i, **other})
    t.equal(f'{flow.name} IPv{flow.family}: packets that the stack forwarded', slow() - before, 0)


def around(name):
    """One kind of encapsulation."""
    flows = {}
    for family in (4, 6):
        for protocol, nat in ((UDP, False), (TCP, True), (TCP, False), (UDP, True)):
            flow = Flow(name, family, protocol, nat)
            flow.begin()
            fast(flow)
            flow.counted()
            flows[family, protocol, nat] = flow
    t.point(f'{name}: packets as they should be')
    for family in (4, 6):
        limits(name, family, flows[family, UDP, True])
    t.point(f'{name}: what is not for the fast path')
    for family in (4, 6):
        hostile(flows[family, UDP, True])
    t.point(f'{name}: cut short and contradictory')


def limits(name, family, flow):
    """Sizes, hop limits, fragments, options; padding."""
    mtu = MTU.get(name, 1500)
    if name.startswith('tunnel'):
        mtu -= 20 if family == 4 else 40
    if name == 'IPsec':
        return
    head = 28 if family == 4 else 48
    fast(flow, 0, 1, size=mtu - head, what='as large as may be')
    sender, receiver, before, after = flow.ways(True)
    too_large = flow.make(before, t.token() + bytes(mtu - head - 13), ds=0)
    sender.drain()
    count = slow()
    sender.send(too_large)
    told = [Packet(packet) for packet, _ in sender.packets(0.2)]
    told = [packet.rest for packet in told if packet.kind in ((3,) if family == 4 else (2,))]
    t.equal(f'{name} IPv{family}: told the MTU', told, [mtu])
    t.equal(f'{name} IPv{family}: the stack saw what is too large', slow() - count, 1)
    fast(flow, 0, 1, what='after one that is too large')
    # The last hop.
    sender, receiver, before, after = flow.ways(False)
    sender.drain()
    sender.send(flow.make(before, t.token(), ttl=1))
    kinds = [Packet(packet).kind for packet, _ in sender.packets(0.2)]
    t.equal(f'{name} IPv{family}: time exceeded', kinds, [11 if family == 4 else 3])
    # Padding, as the smallest frame has.
    if OURS:
        flow.passes(size=15, pad=bytes(18), what='padded')
    if family == 4:
        # In two parts: the stack has them whole.
        token, count = t.token(), slow()
        body = udp(*before, bytes(64) + token)
        for part, where in ((body[:64], 0x2000), (body[64:], 8)):
            sender.send(network(before[0], before[1], UDP, part, fragment=where))
        got, _ = receiver.get(token)
        t.equal(f'{name}: fragments come', bool(got), True)
        t.equal(f'{name}: fragments are for the stack', slow() - count, 1)
    count = slow()
    token = t.token()
    packet = network(before[0], before[1], UDP, udp(*before, token))
    if family == 4:
        head = struct.pack('!BBH', 0x46, 0, len(packet) + 4) + packet[4:10] + b'\0\0' + packet[12:20] + b'\1\1\1\0'
        total = sum(struct.unpack('!12H', head)) % 0xffff
        packet = head[:10] + struct.pack('!H', ~total & 0xffff) + head[12:] + packet[20:]
    else:
        packet = network(before[0], before[1], UDP, udp(*before, token), extension=bytes([60, 17, 0, 1, 4, 0, 0, 0, 0]))
    sender.send(packet)
    got, _ = receiver.get(token)
    t.equal(f'{name} IPv{family}: options come', bool(got), True)
    t.equal(f'{name} IPv{family}: options are for the stack', slow() - count, 1)


def hostile(flow):
    """Frames that end everywhere, and that say what is not so: nothing comes of them."""
    flow.far.drain()
    sender, _, before, _ = flow.ways(False)
    whole = sender.wrap(flow.make(before, t.token()))
    for cut in range(2, len(whole)):
        sender.wire.send(whole[:cut])
    # Lengths: each 16 bits that are one, larger, smaller, none at all.
    inner = len(whole) - len(flow.make(before, t.token()))
    at = [inner + (2 if flow.family == 4 else 4)]
    for layer in sender.layers:
        if layer[0] == 'pppoe':
            at.append(inner - 4)
        elif layer[0] == 'tunnel':
            at.append(inner - (18 if flow.family == 4 else 36))
    for offset in at:
        length, = struct.unpack_from('!H', whole, offset)
        for value in (length + 1, length - 1, 0xffff, 0, 1, 7, 20):
            sender.wire.send(whole[:offset] + struct.pack('!H', value) + whole[offset + 2:])
    came = [packet.hex() for packet, _ in flow.far.packets(0.2) if raw(flow.there[0]) in packet[:24]]
    if came and OURS:
        t.wrong(f'{flow.name} IPv{flow.family}: came {came}')
    elif came:
        print(f'# {flow.name} IPv{flow.family}: {len(came)} contradictory packets came')
    fast(flow, 1, 1, what='after hostile frames')


def others():
    """Frames that only look like the flow's."""
    flow = Flow('VLAN', 4, UDP)
    flow.begin()
    for strange in (('vlan', VLAN, 9), ('vlan', QINQ, 5)):
        near, count = End(flow.near.wire, {}, [strange]), slow()
        near.send(flow.make(flow.here, t.token()))
        time.sleep(0.05)
        t.equal(f'{strange}: packets that the stack forwarded', slow() - count, 0)
    t.equal('strange VLANs: came', [str(p) for p, _ in flow.far.packets(0.2)], [])
    fast(flow, 1, 1)
    flow = Flow('PPPoE', 4, UDP)
    flow.begin()
    near, count = End(flow.near.wire, {}, [('pppoe', 0x1235)]), slow()
    near.send(flow.make(flow.here, t.token()))
    t.equal('strange session: came', [str(p) for p, _ in flow.far.packets(0.2)], [])
    fast(flow, 1, 1)
    t.point('other tags and sessions are not the flow')


def between():
    """From one encapsulation into another."""
    for name, other in (('QinQ', 'PPPoE in VLAN'), ('tunnel', 'bridge with VLANs, tagged'), ('VLAN', 'PPPoE')):
        for family in (4, 6):
            for protocol in (UDP, TCP):
                flow = Flow(name, family, protocol, far=ENDS[other])
                flow.begin()
                fast(flow)
                flow.counted()
        t.point(f'{name} and {other}')


def gre():
    """A tunnel of somebody else's goes by."""
    for name in ('plain', 'VLAN'):
        for family in (4, 6):
            flow = Flow(name, family, GRE)
            flow.begin()
            fast(flow)
            t.run('conntrack -F 2>/dev/null')
            if not OURS:
                time.sleep(1.5)
    t.point('GRE')


def ipsec():
    """What is decrypted is not for a flow that anybody could send in the clear for."""
    for family in (4, 6):
        flow = Flow('IPsec', family, UDP)
        for back in (False, True, True):
            flow.passes(back=back)
        line = [line for line in t.connections() if f'sport={flow.sport} ' in line][0]
        t.equal(f'IPv{family}: is a flow', '[OFFLOAD]' in line, True)
        fast(flow, 0, 3)
        before = slow()
        flow.passes()
        t.equal(f'IPv{family}: decrypted, and forwarded by the stack', slow() - before, 0)
        flow.counted()
    t.point('IPsec: both ways')
    for family in (4, 6):
        flow = Flow('IPsec', family, UDP)
        for back in (False, True, True):
            flow.passes(back=back)
        clear = End(flow.near.wire, flow.near.hosts)
        token = t.token()
        clear.send(flow.make(flow.here, token))
        got, _ = flow.far.get(token, 0.3)
        if OURS or not got:
            t.equal(f'IPv{family}: in the clear', got, None)
        else:
            print(f'# IPv{family}: came in the clear')
    t.point('IPsec: nothing in the clear')


t.rules(RULES)
t.run('sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_flowtable_udp_timeout=600 '
      'net.netfilter.nf_flowtable_tcp_timeout=600')
only = sys.argv[4:]
for each in ENDS:
    if each != 'IPsec' and (not only or each in only):
        around(each)
for each in (others, between, gre, ipsec):
    if not only or each.__name__ in only:
        each()
t.end()
