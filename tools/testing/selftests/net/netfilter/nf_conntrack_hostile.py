#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nf_conntrack_hostile.py GROUP PID: send packets that are not as they should be
from the client to the server, and see what the router makes of each: from the
statistics in the network namespace of process PID. A line for each that is not as
expected; exit status 1 if there was any."""

import socket
import struct
import sys
import time

CLIENT, ROUTER = bytes.fromhex('020000000102'), bytes.fromhex('020000000101')
PAIR4 = socket.inet_aton('10.0.1.2') + socket.inet_aton('10.0.2.2')
PAIR6 = socket.inet_pton(socket.AF_INET6, 'fd00:1::2') + socket.inet_pton(socket.AF_INET6, 'fd00:2::2')
with open('/sys/module/nf_conntrack/taint', encoding='ascii') as taint:
    OURS = 'O' in taint.read()
TCP, UDP, ICMP, ICMPV6, SCTP, GRE = 6, 17, 1, 58, 132, 47


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def with_checksum(data, at, pseudo=b'', wrong=False):
    """Writes the checksum of data to its byte `at`, if it is that long."""
    if len(data) < at + 2:
        return data
    value = checksum(pseudo + data) ^ (0x5555 if wrong else 0)
    return data[:at] + struct.pack('!H', value) + data[at + 2:]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def network(family, protocol, payload, length=None, extension=b'', first=None):
    """A packet; `extension` are IPv6's headers, the first of type `first`."""
    if family == 4:
        header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + PAIR4
        return with_checksum(header, 10) + payload
    payload = extension + payload
    first = protocol if first is None else first
    return struct.pack('!IHBB', 0x60000000, len(payload) if length is None else length, first, 64) + PAIR6 + payload


def pseudo(family, protocol, length):
    if family == 4:
        return PAIR4 + struct.pack('!HH', protocol, length)
    return PAIR6 + struct.pack('!II', length, protocol)


# Of a group's own: connections of others may still be there.
port = 20000 + sum(map(ord, sys.argv[1])) * 20


def ports():
    """Not used before: each packet stands for itself."""
    global port
    port += 1
    return struct.pack('!HH', port, 4000)


def tcp(family, flags, doff=5, cut=None, options=b'', wrong=False):
    data = ports() + struct.pack('!IIHHHH', 1000, 0, (doff if not options else 5 + len(options) // 4) << 12 | flags, 1024, 0, 0)
    data = (data + options)[:cut]
    return network(family, TCP, with_checksum(data, 16, pseudo(family, TCP, len(data)), wrong))


def udp(family, length=None, cut=None, data=b'hello', wrong=False):
    data = (ports() + struct.pack('!HH', 8 + len(data) if length is None else length, 0) + data)[:cut]
    return network(family, UDP, with_checksum(data, 6, pseudo(family, UDP, len(data)), wrong))


def icmp(family, kind, code=0, rest=b'\0\1\0\1', cut=None, wrong=False):
    data = (struct.pack('!BBH', kind, code, 0) + rest)[:cut]
    protocol = ICMP if family == 4 else ICMPV6
    return network(family, protocol, with_checksum(data, 2, b'' if family == 4 else pseudo(6, ICMPV6, len(data)), wrong))


def sctp(family, chunks, tag=0, cut=None, wrong=False):
    data = ports() + struct.pack('!II', tag, 0) + chunks
    data = data[:8] + struct.pack('<I', crc32c(data) ^ (1 if wrong else 0)) + data[12:]
    return network(family, SCTP, data[:cut])


def chunk(kind, body=b'', length=None):
    return struct.pack('!BBH', kind, 0, 4 + len(body) if length is None else length) + body


def gre(family, flags, protocol, rest=b''):
    return network(family, GRE, struct.pack('!HH', flags, protocol) + rest)


def six(first, extension, length=None, data=b'farewell'):
    """UDP behind IPv6 extension headers."""
    data = ports() + struct.pack('!HH', 8 + len(data), 0) + data
    data = with_checksum(data, 6, pseudo(6, UDP, len(data)))
    return network(6, UDP, data, length, extension, first)


FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
INIT = struct.pack('!IIHHI', 1, 1500, 1, 1, 1)
OPTIONS = bytes([UDP, 0, 1, 4, 0, 0, 0, 0])
MORE = bytes([60, 0, 1, 4, 0, 0, 0, 0])
# The longest that fits with one PadN, 248 bytes; and data that does not fit into
# a page, so that only the first bytes of the packet are linear.
LONG = bytes([60, 30, 1, 244]) + bytes(244)
PAGES = bytes(4500)

# What stock does with each, too: invalid, error (counted as icmp_error), new (a connection), or nothing (none of them:
# not tracked, or not yet complete).
GROUPS = {
    'tcp': lambda f: [
        ('sane', tcp(f, SYN), 'new'),
        ('4 bytes', tcp(f, SYN, cut=4), 'invalid'),
        ('8 bytes', tcp(f, SYN, cut=8), 'invalid'),
        ('19 bytes', tcp(f, SYN, cut=19), 'invalid'),
        ('data offset 4', tcp(f, SYN, doff=4), 'invalid'),
        ('data offset 0', tcp(f, SYN, doff=0), 'invalid'),
        ('data offset past the end', tcp(f, SYN, doff=15), 'invalid'),
        ('no flags', tcp(f, 0), 'invalid'),
        ('SYN and FIN', tcp(f, SYN | FIN), 'invalid'),
        ('SYN and RST', tcp(f, SYN | RST), 'invalid'),
        ('all flags', tcp(f, 63), 'invalid'),
        ('FIN alone', tcp(f, FIN), 'invalid'),
        ('RST of nothing', tcp(f, RST), 'invalid'),
        ('SYN and ACK of nothing', tcp(f, SYN | ACK), 'invalid'),
        ('wrong checksum', tcp(f, SYN, wrong=True), 'invalid'),
        ('option of length 0', tcp(f, SYN, options=b'\3\0\0\0'), 'new'),
        ('option past the end', tcp(f, SYN, options=b'\1\1\3\50'), 'new'),
        ('middle of a connection', tcp(f, ACK), 'new'),
    ],
    'udp': lambda f: [
        ('sane', udp(f), 'new'),
        ('3 bytes', udp(f, cut=3), 'invalid'),
        ('7 bytes', udp(f, cut=7), 'invalid'),
        ('length past the end', udp(f, length=100), 'invalid'),
        ('length 7', udp(f, length=7), 'invalid'),
        ('length 0', udp(f, length=0), 'invalid'),
        ('wrong checksum', udp(f, wrong=True), 'invalid'),
    ],
    'icmp': lambda f: [
        ('sane', icmp(f, 8 if f == 4 else 128), 'new'),
        ('4 bytes', icmp(f, 8 if f == 4 else 128, cut=4), 'error'),
        ('7 bytes', icmp(f, 8 if f == 4 else 128, cut=7), 'error'),
        ('reply to nothing', icmp(f, 0 if f == 4 else 129, rest=b'\7\7\0\1'), 'invalid'),
        ('no such type', icmp(f, 200, rest=b'\7\7\0\1'), 'error' if f == 4 else 'invalid'),
        ('wrong checksum', icmp(f, 8 if f == 4 else 128, rest=b'\6\6\0\1', wrong=True), 'error'),
        ('error about nothing', icmp(f, 3 if f == 4 else 1, 3, bytes(4)), 'error'),
        ('error about a cut header', icmp(f, 3 if f == 4 else 1, 3, bytes(4) + udp(f)[:10]), 'error'),
        ('error about a cut port', icmp(f, 3 if f == 4 else 1, 3, bytes(4) + udp(f)[:(20 if f == 4 else 40) + 2]), 'error'),
        ('error about what is not there', icmp(f, 3 if f == 4 else 1, 3, bytes(4) + udp(f)), 'error'),
        ('error about an error', icmp(f, 3 if f == 4 else 1, 3, bytes(4) + icmp(f, 3 if f == 4 else 1, 3)), 'error'),
    ],
    'sctp': lambda f: [
        ('sane', sctp(f, chunk(1, INIT)), 'new'),
        ('3 bytes', sctp(f, b'', cut=3), 'invalid'),
        ('11 bytes', sctp(f, b'', cut=11), 'invalid'),
        ('no chunk', sctp(f, b''), 'invalid'),
        ('chunk of length 0', sctp(f, chunk(1, INIT, length=0)), 'invalid'),
        ('second chunk of length 0', sctp(f, chunk(0, bytes(12)) + chunk(0, length=0), tag=1), 'invalid'),
        ('INIT and another', sctp(f, chunk(1, INIT) + chunk(3, bytes(12))), 'invalid'),
        ('INIT with a tag', sctp(f, chunk(1, INIT), tag=7), 'invalid'),
        ('INIT ACK of nothing', sctp(f, chunk(2, INIT), tag=7), 'invalid'),
        ('INIT cut short', sctp(f, chunk(1, INIT[:3])), 'invalid'),
        ('ABORT of nothing', sctp(f, chunk(6), tag=7), 'invalid'),
        ('wrong checksum', sctp(f, chunk(1, INIT), wrong=True), 'invalid'),
    ],
    'gre': lambda f: [
        ('sane', gre(f, 0, 0x800, bytes(20)), 'new'),
        # Stock takes it for one of the first connection, see differences.md.
        ('PPTP without a key', gre(f, 1, 0x880b, bytes(8)), 'invalid' if OURS else 'nothing'),
        ('PPTP of another protocol', gre(f, 0x2001, 0x800, bytes(8)), 'invalid'),
        # Of the first connection, which has no keys either.
        ('PPTP cut short', gre(f, 0x2001, 0x880b), 'nothing'),
    ],
    'long': lambda f: [
        ('long options', six(60, LONG + OPTIONS, data=PAGES), 'new'),
        ('long options five times', six(60, LONG * 5 + OPTIONS, data=PAGES), 'new'),
        ('long options without end', network(6, UDP, PAGES, None, LONG * 2 + bytes([60, 255]) + LONG[2:], 60), 'invalid'),
        ('no next header behind long options', network(6, UDP, PAGES, None, LONG * 2 + bytes([59]) + LONG[1:], 60), 'invalid'),
    ],
    'ipv6': lambda f: [
        ('options', six(60, OPTIONS), 'new'),
        ('options five times', six(60, MORE * 5 + OPTIONS), 'new'),
        ('options past the end', network(6, UDP, b'', None, bytes([UDP, 200, 1, 4, 0, 0, 0, 0]), 60), 'invalid'),
        ('half of a header', network(6, UDP, b'', None, bytes([UDP]), 60), 'invalid'),
        ('nothing behind', network(6, UDP, b'', None, OPTIONS, 60), 'invalid'),
        ('no next header', network(6, UDP, b'', None, b'', 59), 'invalid'),
        ('options until the end', network(6, UDP, b'', None, MORE * 100, 60), 'invalid'),
        ('second half of a packet', six(44, struct.pack('!BBHI', UDP, 0, 64, 7)), 'nothing'),
        ('first half of a packet', six(44, struct.pack('!BBHI', UDP, 0, 1, 8)), 'nothing'),
        ('fragment of itself alone', six(44, struct.pack('!BBHI', UDP, 0, 0, 9)), 'new'),
    ],
}


def statistics(pid):
    with open(f'/proc/{pid}/net/stat/nf_conntrack') as file:
        names, *cpus = [line.split() for line in file]
    # INVALID are those that either of these counts.
    return int(cpus[0][0], 16), *(sum(int(cpu[names.index(name)], 16) for cpu in cpus) for name in ('invalid', 'icmp_error'))


def main():
    group, pid = sys.argv[1:]
    name, family = group[:-1], int(group[-1])
    if name == 'ipv':
        name = 'ipv6'
    packets = GROUPS[name](family)
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(('c0', 0))
    kind = struct.pack('!H', 0x800 if family == 4 else 0x86dd)
    head = b''
    if group == 'long6':
        # SOL_PACKET, PACKET_VNET_HDR: how much of it is to be linear.
        out.setsockopt(263, 15, 1)
        head = struct.pack('<BBHHHH', 0, 0, 14 + 40, 0, 0, 0)
    bad = 0
    for name, packet, expected in packets:
        connections, *before = statistics(pid)
        out.send(head + ROUTER + CLIENT + kind + packet)
        end = time.monotonic() + (0.3 if expected == 'nothing' else 3)
        got = 'nothing'
        while got == 'nothing' and time.monotonic() < end:
            now, *counted = statistics(pid)
            if counted != before:
                got = 'invalid' if counted[0] > before[0] else 'error'
            elif now > connections:
                got = 'new'
        if got in ('invalid', 'error') and statistics(pid)[0] > connections:
            got += ', but there is a connection more'
        if got != expected:
            print(f'{name}: {got}, should be {expected}')
            bad = 1
    sys.exit(bad)


main()
