#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""player.py CLIENT ROUTER SERVER SEQUENCES TRACES: plays sequences of packets (see
sequences.py) through the router between two namespaces, and writes down what came of
each packet: what went out on both sides, byte by byte, the connections with their
states, timeouts and counters, and the events."""

import json
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../selftests/net/netfilter'))
# pylint: disable=wrong-import-position
import nf_nat_packets as packets
import nfnl

FAMILIES = {4: {'c': '192.168.1.5', 's': '192.168.2.5'}, 6: {'c': 'fd00:11::5', 's': 'fd00:22::5'}}

# Ports choose what the router does: 7000 to 7099 a zone, 8000 to 8099 another
# destination, 9000 to 9099 another source. What connection tracking says of a packet
# is written into it.
RULES = '''
table inet play {
    chain raw {
        type filter hook prerouting priority -300
        meta l4proto { tcp, udp } th dport 7000-7099 ct zone set 7
        meta l4proto { tcp, udp } th sport 7000-7099 ct zone set 7
    }
    chain pre {
        type nat hook prerouting priority -100
        meta nfproto ipv4 tcp dport 8000-8099 dnat ip to 192.168.2.9:80
        meta nfproto ipv4 udp dport 8000-8099 dnat ip to 192.168.2.9:53
        meta nfproto ipv6 tcp dport 8000-8099 dnat ip6 to [fd00:22::9]:80
        meta nfproto ipv6 udp dport 8000-8099 dnat ip6 to [fd00:22::9]:53
    }
    chain post {
        type nat hook postrouting priority 100
        oifname "r1" meta l4proto { tcp, udp } th dport { 80, 9000-9099 } masquerade
        oifname "r1" meta l4proto { icmp, icmpv6 } masquerade
    }
    chain forward {
        type filter hook forward priority 0
%s        ct state new ct mark set 7
    }
}
''' % ''.join(f'        ct state {state} {ip} dscp set {number}\n' for ip in ('ip', 'ip6')
                for number, state in enumerate(('invalid', 'new', 'established', 'related', 'untracked'), 1))


class Player:
    """The router, its two links, its table and events."""

    def __init__(self, client, router, server):
        self.router = router
        self.links = [packets.Link(client, 'c0'), packets.Link(server, 's0')]
        with packets.inside(router):
            subprocess.run(['nft', '-f', '-'], input=RULES, text=True, check=True)
            subprocess.run(['sysctl', '-qw', 'net.netfilter.nf_conntrack_acct=1'], check=True)
            self.asks = nfnl.Socket()
            self.hears = nfnl.Socket(('new', 'update', 'destroy'), receive_buffer=1 << 20)
        for link in self.links:
            link.socket.setblocking(False)
        self.hears.socket.setblocking(False)
        self.last = [None, None]

    def came(self, side):
        """Packets that have come on a side."""
        link, found = self.links[side], []
        while True:
            try:
                frame, origin = link.socket.recvfrom(65536)
            except BlockingIOError:
                return found
            kind = frame[12:14]
            if origin[2] == 4 or kind not in (b'\x08\x00', b'\x86\xdd'):
                continue
            if kind == b'\x86\xdd' and frame[20] in (0, 58) and frame[54:55] in (b'\x85', b'\x86', b'\x87', b'\x88', b'\x3a'):
                continue
            found.append(frame[14:])

    def table(self):
        """The connections: everything that netlink shows but what no two runs have alike."""
        found = []
        for family in (socket.AF_INET, socket.AF_INET6):
            for message in self.asks.request(nfnl.CONNTRACK, nfnl.CT_GET, nfnl.DUMP, family=family):
                entry = message.decoded()
                for name in ('id', 'use', 'timestamp', 'secctx'):
                    entry.pop(name, None)
                found.append(entry)
        return sorted(found, key=lambda entry: json.dumps(entry, sort_keys=True))

    def events(self):
        """What was told since the last time."""
        found = []
        while True:
            try:
                for kind, flags, sequence, port, body in self.hears.receive():
                    if kind < 0x100:
                        continue
                    message = nfnl.Message(kind, flags, sequence, port, body)
                    entry = message.decoded()
                    for name in ('id', 'use', 'timestamp', 'secctx', 'timestamp_event'):
                        entry.pop(name, None)
                    entry['message'] = message.name + (' new' if flags & nfnl.CREATE else '')
                    found.append(entry)
            except BlockingIOError:
                return found

    def make(self, step, family):
        """The packet of a step. One from the server answers what it saw last."""
        way = step['way']
        src, dst = FAMILIES[family]['c'], FAMILIES[family]['s']
        sport, dport = step['sport'], step['dport']
        seen = self.last[1]
        if way:
            src, dst, sport, dport = dst, src, dport, sport
            if seen is not None:
                seen = packets.Packet(seen)
                src, dst = seen.dst, seen.src
                if seen.sport is not None and seen.protocol == step['protocol']:
                    sport, dport = seen.dport, seen.sport
        protocol = step['protocol']
        if step.get('error'):
            quoted = self.last[1 - way] or self.last[way]
            if quoted is None:
                return []
            about = packets.Packet(quoted)
            kind, code = step['error'][:2] if family == 4 else step['error'][2:]
            # From a host beyond the one that was asked.
            return [packets.icmp_error(about.dst if step['sender'] else FAMILIES[family]['s' if way else 'c'], about.src, kind, code,
                                       quoted[:step['quote']], rest=step.get('rest', 0))]
        if protocol == packets.TCP:
            data = packets.tcp(src, dst, sport, dport, b'x' * step['len'], step['flags'], step['seq'], step['ack'],
                               bytes.fromhex(step['options']))
            data = data[:14] + struct.pack('!H', step['window']) + data[16:]
            data = data[:16] + b'\0\0' + data[18:]
            whole = packets.pseudo(packets.raw(src), packets.raw(dst), protocol, len(data)) + data
            data = data[:16] + struct.pack('!H', packets.checksum(whole)) + data[18:]
        elif protocol == packets.UDP:
            data = packets.udp(src, dst, sport, dport, b'y' * step['len'], zero=step.get('zero', False) and family == 4)
        elif protocol == packets.SCTP:
            data = struct.pack('!HHII', sport, dport, step['tag'], 0)
            for kind, flags, body in step['chunks']:
                body = bytes.fromhex(body)
                data += struct.pack('!BBH', kind, flags, 4 + len(body)) + body + b'\0' * (-len(body) % 4)
            data = data[:8] + struct.pack('<I', packets.crc32c(data)) + data[12:]
        elif protocol == packets.ICMP:
            ident = seen.sport if way and seen is not None and not isinstance(seen, bytes) and seen.kind is not None else step['sport']
            data = packets.echo(src, dst, ident or 1, 0, b'z' * step['len'], reply=step['reply'])
            protocol = packets.ICMP if family == 4 else packets.ICMPV6
        if step.get('bad') and len(data) > 8:
            data = data[:-1] + bytes([data[-1] ^ 0x55])
        if step.get('pieces') and family == 4:
            cut = len(data) // 2 & ~7
            parts = [packets.network(src, dst, protocol, data[:cut], fragment=0x2000),
                     packets.network(src, dst, protocol, data[cut:], fragment=cut >> 3)]
            return parts[::step['pieces']]
        return [packets.network(src, dst, protocol, data)]

    def step(self, step, family):
        """Plays a step; what came of it."""
        if step.get('wait'):
            time.sleep(step['wait'])
        else:
            for packet in self.make(step, family):
                self.links[step['way']].send(packet)
        out = [self.came(0), self.came(1)]
        if not out[0] and not out[1]:
            time.sleep(0.002)
            out = [self.came(0), self.came(1)]
        for side, other in ((0, 1), (1, 0)):
            if out[side] and step.get('way') == other and not step.get('error'):
                self.last[side] = out[side][-1]
        return {'out': [[packet.hex() for packet in side] for side in out], 'table': self.table(), 'events': self.events()}

    def play(self, sequence):
        """Plays a sequence from an empty table."""
        self.asks.request(nfnl.CONNTRACK, nfnl.CT_DELETE, family=0)
        self.came(0), self.came(1), self.events()
        self.last = [None, None]
        return [self.step(step, sequence['family']) for step in sequence['steps']]


def main():
    client, router, server, sequences, traces = sys.argv[1:]
    player = Player(client, router, server)
    with open(sequences, encoding='ascii') as source, open(traces, 'w', encoding='ascii') as sink:
        for line in source:
            sequence = json.loads(line)
            sink.write(json.dumps({'name': sequence['name'], 'trace': player.play(sequence)}) + '\n')


main()
