# SPDX-License-Identifier: GPL-2.0
"""What the tests of nf_nat share: packets made by hand, sent from the links of the
client and the server, captured there, and compared field by field; TAP lines.

The router is between the two. Behind the client are the hosts 192.168.1.N and
fd00:11::N, behind the server 192.168.2.N and fd00:22::N; nothing answers for them
but the test. An address in a test is a name such as 'c5': a letter for the network
(NETWORKS) and the host's number."""

import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
import time

TCP, UDP, ICMP, ICMPV6, SCTP, GRE = 6, 17, 1, 58, 132, 47
NAMES = {TCP: 'tcp', UDP: 'udp', ICMP: 'icmp', ICMPV6: 'icmpv6', SCTP: 'sctp', GRE: 'gre'}
# The letters: hosts behind the client and the server, public addresses that
# sources get, public addresses that are sent to, other networks for whole-network
# maps, the links, the server's side of the router.
NETWORKS = {
    4: {'c': '192.168.1.%d', 's': '192.168.2.%d', 'p': '203.0.113.%d', 'q': '198.51.100.%d',
        'm': '203.0.114.%d', 'n': '198.51.101.%d', 'C': '10.0.1.%d', 'S': '10.0.2.%d', 'x': '172.16.2.%d'},
    6: {'c': 'fd00:11::%x', 's': 'fd00:22::%x', 'p': '2001:db8::%x', 'q': '2001:db8:1::%x',
        'm': '2001:db8:2::%x', 'n': '2001:db8:3::%x', 'C': 'fd00:1::%x', 'S': 'fd00:2::%x', 'x': 'fd00:33::%x'},
}
MACS = {'c0': (bytes.fromhex('020000000101'), bytes.fromhex('020000000102')),
        's0': (bytes.fromhex('020000000201'), bytes.fromhex('020000000202'))}


with open('/sys/module/nf_nat/taint', encoding='ascii') as taint:
    OURS = 'O' in taint.read()


def addr(family, name):
    """'c5' as text, in a family."""
    return NETWORKS[family][name[0]] % int(name[1:])


def raw(address):
    """An address in text as bytes."""
    return socket.inet_pton(socket.AF_INET6 if ':' in address else socket.AF_INET, address)


def text(data):
    """An address in bytes as text."""
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def checksum(data):
    """The Internet checksum; 0 over data that has it right in it."""
    total = int.from_bytes(data + b'\0' * (len(data) % 2), 'big') % 0xffff
    return ~total & 0xffff if total or not any(data) else 0


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()


def crc32c(data):
    """SCTP's checksum."""
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def pseudo(src, dst, protocol, length):
    """The pseudo header of TCP, UDP and ICMPv6."""
    if len(src) == 4:
        return src + dst + struct.pack('!HH', protocol, length)
    return src + dst + struct.pack('!II', length, protocol)


def network(src, dst, protocol, payload, ttl=64, extension=b'', fragment=None):
    """A packet between two addresses in text. `extension`: IPv6's headers before the
    payload, the type of the first one before them. `fragment`: offset and flags."""
    a, b = raw(src), raw(dst)
    if len(a) == 4:
        header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 7, fragment or 0, ttl, protocol, 0) + a + b
        return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + payload
    first = protocol
    if extension:
        first, payload = extension[0], extension[1:] + payload
    return struct.pack('!IHBB', 0x60000000, len(payload), first, ttl) + a + b + payload


def _sum(src, dst, protocol, data, at):
    value = checksum(pseudo(raw(src), raw(dst), protocol, len(data)) + data)
    return data[:at] + struct.pack('!H', value or 0xffff) + data[at + 2:]


def udp(src, dst, sport, dport, data=b'', zero=False):
    """A UDP datagram, without its network header."""
    data = struct.pack('!HHHH', sport, dport, 8 + len(data), 0) + data
    return data if zero else _sum(src, dst, UDP, data, 6)


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def tcp(src, dst, sport, dport, data=b'', flags=SYN, seq=1000, ack=0, options=b''):
    """A TCP segment, without its network header."""
    options += b'\1' * (-len(options) % 4)
    head = struct.pack('!HHIIHHHH', sport, dport, seq & 0xffffffff, ack & 0xffffffff,
                       (5 + len(options) // 4) << 12 | flags, 60000, 0, 0)
    return _sum(src, dst, TCP, head + options + data, 16)


def sctp(_src, _dst, sport, dport, data=b'', tag=0):
    """An SCTP INIT with a parameter that nobody must know; or with a tag, its ACK."""
    value = struct.pack('!IIHHI', 0x11223344, 65536, 1, 1, 5)
    value += struct.pack('!HH', 0x8001, 4 + len(data)) + data + b'\0' * (-len(data) % 4)
    chunk = struct.pack('!BBH', 2 if tag else 1, 0, 4 + len(value)) + value
    head = struct.pack('!HHI', sport, dport, tag)
    return head + struct.pack('<I', crc32c(head + b'\0\0\0\0' + chunk)) + chunk


def echo(src, dst, ident, _dport, data=b'', reply=False):
    """An echo request or reply, of the family of the addresses."""
    v6 = ':' in src
    kind = (129 if reply else 128) if v6 else (0 if reply else 8)
    data = struct.pack('!BBHHH', kind, 0, 0, ident, 1) + data
    if v6:
        return _sum(src, dst, ICMPV6, data, 2)
    return data[:2] + struct.pack('!H', checksum(data)) + data[4:]


def gre(_src, _dst, key, _dport, data=b'', version=0):
    """GRE with a key; version 1 is PPTP's."""
    if version:
        return struct.pack('!HHHHI', 0x3001, 0x880b, len(data), key, 1) + data
    return struct.pack('!HHI', 0x2000, 0x0800, key) + data


MAKE = {UDP: udp, TCP: tcp, SCTP: sctp, ICMP: echo, ICMPV6: echo, GRE: gre}


def icmp_error(src, dst, kind, code, quoted, rest=0, ttl=64):
    """An ICMP or ICMPv6 error that quotes a packet."""
    data = struct.pack('!BBHI', kind, code, 0, rest) + quoted
    if ':' in src:
        return network(src, dst, ICMPV6, _sum(src, dst, ICMPV6, data, 2), ttl)
    return network(src, dst, ICMP, data[:2] + struct.pack('!H', checksum(data)) + data[4:], ttl)


class Packet:
    """A packet taken to pieces: family, src, dst, ttl, protocol, sport, dport (an
    echo's identifier is both; a GRE key is dport), data (what follows the
    transport header), bad (which checksums are wrong), raw, and for a TCP segment
    flags, seq, ack, options. An ICMP error has kind, code, rest and, in `inner`, what it
    quotes; the checksums of a quoted packet count if it is whole."""

    def __init__(self, packet, quoted=False):
        self.raw, self.bad, self.inner, self.fragment = packet, [], None, 0
        self.sport = self.dport = self.kind = self.code = self.flags = None
        self.family = packet[0] >> 4
        whole = False
        if self.family == 4:
            size = (packet[0] & 15) * 4
            total, = struct.unpack_from('!H', packet, 2)
            self.fragment, self.ttl, self.protocol = struct.unpack_from('!HBB', packet, 6)
            a, b = packet[12:16], packet[16:20]
            if checksum(packet[:size]):
                self.bad.append('IP')
            whole = len(packet) >= total
            body = packet[size:total]
        else:
            total, self.protocol, self.ttl = struct.unpack_from('!HBB', packet, 4)
            a, b = packet[8:24], packet[24:40]
            whole = len(packet) >= 40 + total
            body = packet[40:40 + total]
            while self.protocol in (0, 43, 60):
                self.protocol, body = body[0], body[8 + body[1] * 8:]
            if self.protocol == 44:
                self.protocol = body[0]
                self.fragment, = struct.unpack_from('!H', body, 2)
                body = body[8:]
        self.src, self.dst = text(a), text(b)
        self.body = body
        if self.fragment & (0xfff9 if self.family == 6 else 0x3fff):
            self.data = body
            return
        self._transport(body, a, b, whole, quoted)

    def _transport(self, body, a, b, whole, quoted):
        full = pseudo(a, b, self.protocol, len(body)) + body
        self.data = b''
        if self.protocol == UDP:
            self.sport, self.dport, _, value = struct.unpack_from('!HHHH', body)
            self.data, self.zero = body[8:], value == 0
            if value and whole and checksum(full):
                self.bad.append('UDP')
        elif self.protocol == TCP and len(body) >= 20:
            self.sport, self.dport, self.seq, self.ack, word = struct.unpack_from('!HHIIH', body)
            self.flags, size = word & 0x1ff, (word >> 12) * 4
            self.options, self.data = body[20:size], body[size:]
            if whole and checksum(full):
                self.bad.append('TCP')
        elif self.protocol in (TCP, SCTP) and len(body) >= 8:
            self.sport, self.dport = struct.unpack_from('!HH', body)
            self.data = body[12:]
            if self.protocol == SCTP and whole:
                if struct.unpack_from('<I', body, 8)[0] != crc32c(body[:8] + b'\0\0\0\0' + body[12:]):
                    self.bad.append('SCTP')
        elif self.protocol == GRE:
            flags, = struct.unpack_from('!H', body)
            if flags & 7:
                self.dport, self.data = struct.unpack_from('!H', body, 6)[0], body[12:]
            else:
                self.dport, self.data = struct.unpack_from('!I', body, 4)[0], body[8:]
        elif self.protocol in (ICMP, ICMPV6):
            self.kind, self.code = body[0], body[1]
            if whole and checksum(body if self.protocol == ICMP else full):
                self.bad.append('ICMP')
            if self.kind in ((8, 0) if self.protocol == ICMP else (128, 129)):
                self.sport = self.dport = struct.unpack_from('!H', body, 4)[0]
                self.data = body[8:]
            elif self.kind in ((3, 4, 5, 11, 12) if self.protocol == ICMP else (1, 2, 3, 4)) and not quoted:
                self.rest, = struct.unpack_from('!I', body, 4)
                self.inner = Packet(body[8:], quoted=True)

    def __str__(self):
        name = NAMES.get(self.protocol, self.protocol)
        what = f'{name} {self.src} {self.sport} > {self.dst} {self.dport} ttl {self.ttl}'
        if self.kind is not None:
            what += f' type {self.kind} code {self.code}'
        if self.flags is not None:
            what += f' flags {self.flags} seq {self.seq} ack {self.ack}'
        if self.bad:
            what += f' BAD CHECKSUM {self.bad}'
        if self.data:
            what += f' {bytes(self.data[:60])}'
        return what + (f' [{self.inner}]' if self.inner else '')

    def differs(self, want):
        """What is not as wanted: a text, empty if all is. A wanted range contains the
        field; a function is asked."""
        wrong = [f'{kind} checksum' for kind in self.bad]
        for field, value in want.items():
            got = getattr(self, field)
            if field == 'inner':
                more = got.differs(value) if got else 'nothing is quoted'
                wrong += [f'quoted: {more}'] if more else []
            elif not (value(got) if callable(value) else got in value if isinstance(value, range) else got == value):
                wrong.append(f'{field} is {got}, should be {"otherwise" if callable(value) else value}')
        return ', '.join(wrong)


_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(namespace):
    """What is done here is done in a network namespace."""
    with open('/proc/self/ns/net', 'rb') as home, open(f'/run/netns/{namespace}', 'rb') as there:
        os.setns(there, os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(home, os.CLONE_NEWNET)


class Link:
    """An end of a link: sends frames to the router, sees what the router sends."""

    def __init__(self, namespace, device, buffer=1 << 20):
        with inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.setsockopt(socket.SOL_SOCKET, 33, buffer)  # SO_RCVBUFFORCE
            self.socket.bind((device, 3))
        self.router, self.mine = MACS[device]

    def send(self, packet):
        """A packet to the router."""
        kind = b'\x08\x00' if packet[0] >> 4 == 4 else b'\x86\xdd'
        self.socket.send(self.router + self.mine + kind + packet)

    def packets(self, seconds):
        """Every packet that comes within a time, taken to pieces."""
        return map(Packet, self.raw_packets(seconds))

    def raw_packets(self, seconds):
        """Every packet that comes within a time, as bytes."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if not select.select([self.socket], [], [], max(left, 0))[0]:
                return
            frame, origin = self.socket.recvfrom(65536)
            if origin[2] == 4 or frame[12:14] not in (b'\x08\x00', b'\x86\xdd'):  # our own; ARP
                continue
            if frame[12:14] == b'\x86\xdd' and frame[20] in (0, 58) and frame[54:55] in (b'\x85', b'\x86', b'\x87', b'\x88', b'\x3a'):
                continue  # neighbour discovery
            yield frame[14:]

    def get(self, token, seconds=3):
        """The first packet that contains a token; None if none comes."""
        for packet in self.packets(seconds):
            if token in packet.raw:
                return packet
        return None

    def drain(self):
        """Forgets what came."""
        for _ in self.packets(0):
            pass


class Test:
    """TAP, and the router: the links of both sides, rules, files."""

    def __init__(self, client, router, server, buffer=1 << 20):
        self.client, self.server = Link(client, 'c0', buffer), Link(server, 's0', buffer)
        self.router, self.count, self.failed, self.tokens = router, 0, 0, 0
        self.problems = []

    def token(self):
        """Bytes that only one packet has."""
        self.tokens += 1
        return b'<token %06d>' % self.tokens

    def run(self, command, given=None):
        """A command in the router; what it printed. Ends the test if it fails."""
        with inside(self.router):
            done = subprocess.run(command, input=given, text=True, capture_output=True, check=False,
                                  shell=isinstance(command, str))
        if done.returncode:
            print(f'# {command}: {done.stderr}{given or ""}')
            self.point(f'{command}', False)
            self.end()
        return done.stdout

    def rules(self, nft):
        """Replaces the rules of the router."""
        self.run(['nft', '-f', '-'], 'flush ruleset\n' + nft)

    def wrong(self, problem):
        """Something is not as it should be: the next point fails."""
        self.problems.append(problem)

    def equal(self, what, got, want):
        """A comparison."""
        if got != want:
            self.wrong(f'{what} is {got}, should be {want}')

    def point(self, what, good=True):
        """A test point: good if nothing was wrong since the last one."""
        self.count += 1
        good = good and not self.problems
        self.failed += not good
        print(f'{"" if good else "not "}ok {self.count} {what}')
        for problem in self.problems[:12]:
            print(f'#   {problem}')
        self.problems = []
        sys.stdout.flush()
        return good

    def skip(self, what, why):
        """A test point that does not count here."""
        self.count += 1
        self.problems = []
        print(f'ok {self.count} {what} # SKIP {why}')

    def end(self):
        """The plan, and the end."""
        print(f'1..{self.count}')
        sys.exit(self.failed != 0)

    def passes(self, what, here, there, packet, token, /, **want):
        """Sends a packet and compares what comes out: the packet or None."""
        here.send(packet)
        got = there.get(token)
        if not got:
            sent = Packet(packet)
            self.wrong(f'{what}: nothing came of {sent}')
        else:
            wrong = got.differs(want)
            if wrong:
                self.wrong(f'{what}: {wrong}; came: {got}')
        return got

    def stays(self, what, here, there, packet, token, seconds=0.5):
        """Sends a packet that must not come out."""
        here.send(packet)
        got = there.get(token, seconds)
        if got:
            self.wrong(f'{what}: came: {got}')

    def connections(self):
        """The table of connections of the router."""
        with inside(self.router), open('/proc/thread-self/net/nf_conntrack', encoding='ascii') as table:
            return table.read().splitlines()

    def statistics(self, *names):
        """The sum of counters of /proc/net/stat/nf_conntrack."""
        with inside(self.router), open('/proc/thread-self/net/stat/nf_conntrack', encoding='ascii') as table:
            head, *rows = [line.split() for line in table]
        return sum(int(row[head.index(name)], 16) for row in rows for name in names)

    def counter(self, name, table='inet t'):
        """The packets of a named counter of nft."""
        words = self.run(f'nft list counter {table} {name}').split()
        return int(words[words.index('packets') + 1])
