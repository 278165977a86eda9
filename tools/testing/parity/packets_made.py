# SPDX-License-Identifier: GPL-2.0
"""Makes episodes for packets.py: what two hosts behind a router might send each other, and what nobody should.

An episode is settings and a list of packets: the side that sends it ('c', 's') and its bytes. It is made of a random number
generator alone, not of what came of it, so that any part of it can be played as well.
"""

import struct

import nf_nat_packets as wire
from nf_nat_packets import ACK, FIN, GRE, ICMP, ICMPV6, PSH, RST, SCTP, SYN, TCP, UDP

NOTHING = {"tcp_be_liberal": 0, "tcp_loose": 1, "tcp_max_retrans": 3, "tcp_ignore_invalid_rst": 0, "acct": 1}
STRICT = dict(NOTHING, tcp_loose=0)
# Client's host, what it sends to, and who answers that: plain, source or destination translated, both.
PAIRS = {
    4: [("c1", "s1", "s1"), ("c7", "s1", "s1"), ("c1", "p5", "s5"), ("c8", "p5", "s5")],
    6: [("c1", "s1", "s1"), ("c7", "s1", "s1"), ("c1", "p5", "s5")],
}
PUBLIC = {(4, "c7"): "q7", (4, "c8"): "q88", (6, "c7"): "q7"}
MOD = 1 << 32
# Control bits that can be, but PSH.
RIGHT = (SYN, SYN | ACK, ACK, FIN | ACK, RST, RST | ACK)


class Hosts:
    """Two who talk: each has an address, knows the other under another, and a side."""

    def __init__(self, rng, family=None):
        self.family = family or rng.choice([4, 4, 6])
        client, called, server = rng.choice(PAIRS[self.family])
        seen = PUBLIC.get((self.family, client), client)
        self.address = {"c": (self.name(client), self.name(called)), "s": (self.name(server), self.name(seen))}

    def name(self, name):
        """An address."""
        return wire.addr(self.family, name)

    def packet(self, side, protocol, payload, **more):
        """A packet from one of them to the other; it is made with their addresses."""
        here, there = self.address[side]
        return side, wire.network(here, there, protocol, payload(here, there), **more)


def other(side):
    """The other side."""
    return "s" if side == "c" else "c"


class Stream:
    """One direction of a TCP connection: where it is, and what was sent last."""

    def __init__(self, rng):
        self.isn = rng.choice([0, 1000, MOD - 3, rng.randrange(MOD)])
        self.next = self.isn
        self.syn = b""
        self.window = rng.choice([0, 500, 8192, 65535])
        # Numbers of the SYNs that the router saw: the highest and the last.
        self.syn_at = None


def options_of(rng):
    """Options of a SYN: most are sane."""
    parts = []
    if rng.random() < 0.7:
        parts.append(struct.pack("!BBH", 2, 4, rng.choice([536, 1460, 0, 65535])))
    if rng.random() < 0.6:
        parts.append(struct.pack("!BBB", 3, 3, rng.choice([0, 2, 7, 14, 15, 255])))
    if rng.random() < 0.6:
        parts.append(b"\4\2")
    if rng.random() < 0.4:
        parts.append(struct.pack("!BBII", 8, 10, rng.randrange(MOD), 0))
    rng.shuffle(parts)
    whole = b"".join(parts)
    if rng.random() < 0.06:
        whole += rng.choice([b"\3", b"\3\0", b"\3\2", b"\4\1", b"\2\4\5", b"\x13\xff", b"\0\3\3\7"])
    return whole[:40]


def sack(rng, stream):
    """A selective acknowledgement of what may or may not have been sent."""
    left = (stream.next + rng.choice([0, 10, 100, -100, 70000])) % MOD
    return b"\1\1" + struct.pack("!BBII", 5, 10, left, (left + rng.choice([1, 100, 5000])) % MOD)


class Connection:
    """A TCP connection, and what can go wrong with it."""

    resets = False

    def __init__(self, rng, hosts, dport, sport):
        self.rng, self.hosts = rng, hosts
        self.ports = {"c": (sport, dport), "s": (dport, sport)}
        self.streams = {"c": Stream(rng), "s": Stream(rng)}
        self.sent, self.steps, self.settled, self.lost = [], 0, False, False

    def shift(self):
        """How far off a number is: mostly not at all."""
        rng = self.rng
        if rng.random() < 0.82:
            return 0
        return rng.choice([-1, 1, -100, 100, -1400, 1400, -9000, 9000, 66000, -66000, 1 << 20, 1 << 31, rng.randrange(MOD)])

    def segment(self, side, flags, data=b"", seq=None, ack=None, exact=False):
        """A segment; what is in it counts as sent if it is exact."""
        here, there = self.streams[side], self.streams[other(side)]
        if self.settled:
            # Only what was settled at first: inside of what a helper made longer ours does not go as far back as stock.
            ack = there.isn + 1
        off = (0, 0) if exact else (self.shift(), self.shift())
        if flags & SYN and flags & ~PSH in RIGHT:
            # Of these ours learns less than stock if they do not fit: see differences.md, TCP 3.
            off = (off[0] if self.steps > 3 and not flags & ACK else 0, 0)
        seq = (here.next if seq is None else seq) + off[0]
        ack = (there.next if ack is None else ack) + off[1] if flags & ACK else 0
        if flags & ~PSH == SYN | ACK and there.syn_at != ((ack - 1) % MOD,) * 2:
            # It answers no SYN, or one of several: see differences.md, TCP 3.
            flags &= ~SYN
        if flags & SYN:
            options = here.syn = here.syn or options_of(self.rng)
        else:
            # One that is wrong makes the segment INVALID, after which a helper does not know where lines begin.
            # In a reset ours does not look at it: see differences.md, TCP 1.
            plain = flags & RST or not flags & ACK or self.settled
            options = sack(self.rng, there) if not plain and self.rng.random() < 0.08 else b""
        sport, dport = self.ports[side]
        window = here.window if exact or self.rng.random() < 0.9 else self.rng.choice([0, 1, 65535])

        def make(a, b):
            made = wire.tcp(a, b, sport, dport, data, flags, seq % MOD, ack % MOD, options)
            made = made[:14] + struct.pack("!HHH", window, 0, 0) + made[20:]
            return wire._sum(a, b, TCP, made, 16)  # pylint: disable=protected-access

        if off == (0, 0) and flags & ~PSH in RIGHT:
            here.next = (seq + len(data) + bool(flags & SYN) + bool(flags & FIN)) % MOD
        if flags & SYN and not self.lost:
            highest = here.syn_at[0] if here.syn_at else seq
            here.syn_at = (highest if (highest - seq) % MOD < 1 << 31 else seq) % MOD, seq % MOD
        packet = self.hosts.packet(side, TCP, make)
        self.sent.append(packet)
        return packet

    def step(self, script):
        """The next of what is planned, or something else."""
        rng = self.rng
        self.steps += 1
        if rng.random() < 0.25 and self.sent:
            kind = rng.random()
            side = rng.choice("cs")
            if kind < 0.35:
                return rng.choice(self.sent)
            if kind < 0.85 or not self.resets:
                flags = rng.choice([SYN, SYN | ACK, ACK, PSH | ACK, FIN | ACK, FIN, 0, SYN | FIN, 0x3f])
                return self.segment(side, flags, b"x" * rng.choice([0, 0, 1, 100]))
            return self.reset(side)
        if not script:
            return self.segment(rng.choice("cs"), ACK, b"y" * rng.choice([0, 10, 1000]))
        side, flags, size = script.pop(0)
        if flags & RST:
            return self.reset(side)
        return self.segment(side, flags, b"z" * size, exact=rng.random() < 0.9)

    def reset(self, side):
        """A reset, by who sets 'resets'."""
        raise NotImplementedError


OPENING = [("c", SYN, 0), ("s", SYN | ACK, 0), ("c", ACK, 0)]
TALK = [("c", PSH | ACK, 100), ("s", ACK, 0), ("s", PSH | ACK, 1000), ("c", ACK, 0)]
CLOSINGS = [
    [("c", FIN | ACK, 0), ("s", ACK, 0), ("s", FIN | ACK, 0), ("c", ACK, 0)],
    [("s", FIN | ACK, 0), ("c", FIN | ACK, 0), ("s", ACK, 0)],
    [("c", FIN | ACK, 0), ("s", FIN | ACK, 0), ("c", ACK, 0), ("s", ACK, 0)],
    [("c", RST, 0)],
    [("s", RST | ACK, 0)],
]


def tcp(rng, connection=Connection):
    """Connections with loss, repetition, numbers that are off, and reuse."""
    hosts = Hosts(rng)
    settings = dict(NOTHING, tcp_be_liberal=int(rng.random() < 0.15), tcp_loose=0, tcp_ignore_invalid_rst=int(rng.random() < 0.2))
    packets = []
    for _ in range(2):
        link = connection(rng, hosts, rng.choice([80, 80, 4002, 4003]), rng.randrange(2000, 60000))
        script = list(OPENING) + list(TALK) * rng.choice([0, 1, 2]) + list(rng.choice(CLOSINGS if link.resets else CLOSINGS[:3]))
        if link.resets and rng.random() < 0.15:
            script[:2] = [("c", SYN, 0), ("s", SYN, 0), ("c", SYN | ACK, 0), ("s", SYN | ACK, 0)]
        if rng.random() < 0.3:
            script += [("c", SYN, 0), ("s", SYN | ACK, 0), ("c", ACK, 0)]
        for _ in range(len(script) + 6):
            # Some are lost before the router sees them; seldom those that open, or there would be little to see.
            link.lost = rng.random() < (0.08 if link.steps > 3 else 0.01)
            packet = link.step(script)
            if not link.lost:
                packets.append(packet)
    return settings, packets


def middle(rng):
    """Connections that are picked up in their middle, and end in order or go on."""
    hosts = Hosts(rng)
    link = Connection(rng, hosts, rng.choice([80, 4002, 4003]), rng.randrange(2000, 60000))
    script = list(TALK) * rng.choice([1, 2]) + list(rng.choice([*CLOSINGS[:3], [], []]))
    # What is acknowledged first is 0: of other numbers stock learns when the other side is seen, see differences.md, TCP 4.
    link.streams[other(script[0][0])].next = 0
    packets = []
    for number in range(len(script)):
        side, flags, size = script[number]
        packet = link.segment(side, flags, b"m" * size, exact=number == 0 or rng.random() < 0.8)
        if number == 0 or rng.random() > 0.1:
            packets += [packet] * rng.choice([1, 1, 1, 1, 2, 5])
    return dict(NOTHING), packets


def udp(rng):
    """Datagrams, their answers, fragments of them, and errors about them."""
    hosts = Hosts(rng)
    packets = []
    flows = [(rng.randrange(2000, 60000), rng.choice([80, 4000, 4002, 4003])) for _ in range(3)]
    for number in range(18):
        sport, dport = rng.choice(flows)
        side = rng.choice("ccs")
        ports = (sport, dport) if side == "c" else (dport, sport)
        data = b"%02d" % number * rng.choice([0, 1, 10, 300])

        def make(a, b, ports=ports, data=data):
            return wire.udp(a, b, *ports, data, zero=rng.random() < 0.1 and ":" not in a)

        kind = rng.random()
        if kind < 0.55:
            packets.append(hosts.packet(side, UDP, make))
        elif kind < 0.75:
            packets += fragments(rng, hosts, side, UDP, make)
        elif kind < 0.85:
            # A length that does not fit, or a checksum that is wrong.
            packets.append(hosts.packet(side, UDP, lambda a, b: spoil(rng, make(a, b))))
        else:
            packets.append(error_about(rng, hosts, other(side), hosts.packet(side, UDP, make)[1]))
    return NOTHING, packets


def spoil(rng, data):
    """Bytes changed, or missing."""
    if rng.random() < 0.5:
        return data[:rng.randrange(len(data) + 1)]
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1:]


def fragments(rng, hosts, side, protocol, make):
    """A packet in two or three fragments, in some order; now and then one is missing or there twice."""
    # What waits for one that is missing must not meet a later packet's.
    ident = rng.randrange(1, 65536)
    here, there = hosts.address[side]
    whole = make(here, there)
    size = max(8, len(whole) // 2 // 8 * 8)
    parts = [(at, whole[at:at + size]) for at in range(0, len(whole), size)]
    made = []
    for at, part in parts:
        more = at + size < len(whole)
        if hosts.family == 4:
            packet = bytearray(wire.network(here, there, protocol, part, fragment=at // 8 | (0x2000 if more else 0)))
            packet[4:6] = struct.pack("!H", ident)
            packet[10:12] = b"\0\0"
            packet[10:12] = struct.pack("!H", wire.checksum(bytes(packet[:20])))
            made.append((side, bytes(packet)))
        else:
            head = bytes([44, protocol, 0]) + struct.pack("!HI", at | more, ident)
            made.append((side, wire.network(here, there, protocol, part, extension=head)))
    if rng.random() < 0.5:
        rng.shuffle(made)
    if rng.random() < 0.15:
        made.pop()
    elif rng.random() < 0.15:
        made.append(made[0])
    return made


def error_about(rng, hosts, side, packet):
    """An ICMP error from one side about a packet that it got: what it quotes has its view of the addresses."""
    here, there = hosts.address[side]
    head = 40 if hosts.family == 6 else 20
    at = 24 if hosts.family == 6 else 16
    # As it was when it arrived: the addresses are those that this side knows.
    quoted = bytearray(packet)
    size = 16 if hosts.family == 6 else 4
    quoted[at - size:at] = wire.raw(there)
    quoted[at:at + size] = wire.raw(here)
    quoted = bytes(quoted)
    if rng.random() < 0.25:
        # Of less than eight bytes the ports are translated by ours: see differences.md.
        quoted = quoted[:rng.choice([head, head + 8, head + 8, head - 4])]
    kinds = [(1, 4), (3, 0), (2, 0), (4, 1)] if hosts.family == 6 else [(3, 3), (3, 1), (11, 0), (12, 0), (3, 4), (5, 1), (4, 0)]
    kind, code = rng.choice(kinds)
    made = wire.icmp_error(here, there, kind, code, quoted, rest=1300 if (kind, code) in ((2, 0), (3, 4)) else 0)
    if rng.random() < 0.1:
        made = made[:head] + spoil(rng, made[head:])
    return side, made


def icmp(rng):
    """Echoes, answers without a question, other messages, errors about echoes and about errors."""
    hosts = Hosts(rng)
    protocol = ICMPV6 if hosts.family == 6 else ICMP
    packets = []
    idents = [rng.randrange(1, 65536) for _ in range(3)]
    for number in range(16):
        ident, side, kind = rng.choice(idents), rng.choice("cccs"), rng.random()
        reply = rng.random() < (0.1 if side == "c" else 0.9)
        packet = hosts.packet(side, protocol, lambda a, b, i=ident, r=reply, n=number: wire.echo(a, b, i, 0, b"%02d" % n, reply=r))
        if kind < 0.6:
            packets.append(packet)
        elif kind < 0.7:
            packets.append((side, packet[1][:-2]))
        elif kind < 0.95:
            made = error_about(rng, hosts, other(side), packet[1])
            packets.append(error_about(rng, hosts, side, made[1]) if rng.random() < 0.2 else made)
        else:
            packets += fragments(rng, hosts, side, protocol, lambda a, b, i=ident: wire.echo(a, b, i, 0, b"f" * 200))
    return NOTHING, packets


def chunk(kind, flags=0, value=b""):
    """An SCTP chunk."""
    return struct.pack("!BBH", kind, flags, 4 + len(value)) + value + bytes(-len(value) % 4)


def sctp(rng):
    """Associations: most as they should be, with wrong tags, chunks out of turn, collisions and restarts."""
    hosts = Hosts(rng)
    sport, dport = rng.randrange(2000, 60000), rng.choice([80, 4002])
    tags = {"c": rng.randrange(1, MOD), "s": rng.randrange(1, MOD)}

    def init(side):
        return struct.pack("!IIHHI", tags[side], 65536, 1, 1, 5)

    chunks = {
        "data": lambda side: chunk(0, 3, struct.pack("!IHHI", 1, 0, 0, 0) + b"data"), "init": lambda side: chunk(1, 0, init(side)),
        "init_ack": lambda side: chunk(2, 0, init(side) + struct.pack("!HH4s", 7, 8, b"cook")), "sack": lambda side: chunk(3, 0, bytes(12)),
        "heartbeat": lambda side: chunk(4, 0, b"\0\1\0\10beat"), "heartbeat_ack": lambda side: chunk(5, 0, b"\0\1\0\10beat"),
        "abort": lambda side: chunk(6, rng.choice([0, 0, 1])), "shutdown": lambda side: chunk(7, 0, bytes(4)), "shutdown_ack": lambda side: chunk(8),
        "cookie_echo": lambda side: chunk(10, 0, b"cook"), "cookie_ack": lambda side: chunk(11),
        "shutdown_complete": lambda side: chunk(14, rng.choice([0, 0, 1])), "unknown": lambda side: chunk(rng.choice([63, 130, 192]), 0, b"what"),
    }
    script = [("c", "init"), ("s", "init_ack"), ("c", "cookie_echo"), ("s", "cookie_ack"), ("c", "data"), ("s", "sack")]
    script += rng.choice([[("c", "shutdown"), ("s", "shutdown_ack"), ("c", "shutdown_complete")], [("s", "heartbeat"), ("c", "heartbeat_ack")],
                          [("s", "shutdown"), ("c", "shutdown_ack"), ("s", "shutdown_complete")], [("c", "abort")], [("s", "data"), ("c", "sack")]])
    packets = []
    for _ in range(len(script) + 5):
        if script and rng.random() < 0.8:
            side, name = script.pop(0)
            strange = False
        else:
            # The client is the first to be seen, and two are left out that ours takes otherwise: see differences.md, SCTP 3 and 4.
            sides = "c" if ("c", "init") in script else "cs"
            side, name = rng.choice(sides), rng.choice(list(chunks))
            while (side, name) == ("c", "init_ack") or name == "shutdown_ack" and sides == "c":
                side, name = rng.choice(sides), rng.choice(list(chunks))
            strange = rng.random() < 0.3
        tag = 0 if name == "init" else tags[other(side)]
        if strange:
            tag = rng.choice([0, tags[side], rng.randrange(MOD)])
        body = chunks[name](side)
        if name in ("cookie_echo", "sack") and rng.random() < 0.3:
            body += chunks["data"](side)
        ports = (sport, dport) if side == "c" else (dport, sport)
        head = struct.pack("!HHI", *ports, tag)
        whole = head + struct.pack("<I", wire.crc32c(head + bytes(4) + body)) + body
        packets.append(hosts.packet(side, SCTP, lambda a, b, whole=whole: whole))
    return NOTHING, packets


def others(rng):
    """Other protocols: GRE with and without keys, what has no ports, extension headers, truncated ones."""
    hosts = Hosts(rng)
    packets = []
    for number in range(14):
        side, kind = rng.choice("ccs"), rng.random()
        if kind < 0.4:
            packets.append(hosts.packet(side, GRE, lambda a, b, n=number: wire.gre(a, b, n % 2, 0, b"gre")))
        elif kind < 0.7:
            packets.append(hosts.packet(side, rng.choice([253, 4, 50]), lambda a, b: b"something"))
        elif kind < 0.85 and hosts.family == 6:
            extension = bytes([60, 17, 0, 1, 4, 0, 0, 0, 0])
            packets.append(hosts.packet(side, UDP, lambda a, b: wire.udp(a, b, 7, 4000, b"after options"), extension=extension))
        else:
            protocol = rng.choice([TCP, UDP, SCTP, GRE, ICMP])
            # GRE of less than 8 bytes, or of a version that is not known, is translated by ours: see differences.md.
            size, first = (rng.randrange(8, 12), 8) if protocol == GRE else (rng.randrange(12), 1)
            packets.append(hosts.packet(side, protocol, lambda a, b, s=size, f=first: bytes(range(f, s + f))))
    return NOTHING, packets


LINES = {
    21: [b"USER me\r\n", b"PORT %s,20,7\r\n", b"PORT 1,2,3,4,5\r\n", b"PORT 300,1,1,1,1,1\r\n", b"EPRT |1|%d|5001|\r\n", b"PASV\r\n",
         b"227 here (%s,30,1)\r\n", b"229 here (|||7000|)\r\n", b"227 no\r\n", b"PORT %s,20", b"EPRT |2|%d|5002|\r\n", b"EPSV\r\n"],
    # Announcements of what cannot be differ: see differences.md.
    6667: [b"NICK me\r\n", b"PRIVMSG you :\1DCC SEND file %n 5000 100\1\r\n", b"PRIVMSG you :\1DCC CHAT chat %n 5001\1\r\n",
           b"PRIVMSG you :\1DCC SEND file 1 0 100\1\r\n", b"PRIVMSG you :\1DCC\1\r\n", b"PRIVMSG you :DCC CHAT chat %n 5002\r\n"],
}


def helper(rng):
    """Sessions of FTP and IRC that announce connections, and those; requests of TFTP."""
    hosts = Hosts(rng)
    port = rng.choice([21, 21, 6667, 69])
    if port == 69:
        sport = rng.randrange(2000, 60000)
        data = rng.choice([b"\0\1file\0octet\0", b"\0\2file\0octet\0", b"\0\5\0\1no\0", b"\0", b"\0\1"])
        return NOTHING, [
            hosts.packet("c", UDP, lambda a, b: wire.udp(a, b, sport, 69, data)),
            hosts.packet("s", UDP, lambda a, b: wire.udp(a, b, 1069, sport, b"\0\3\0\1data")),
            hosts.packet("c", UDP, lambda a, b: wire.udp(a, b, sport, 1069, b"\0\4\0\1")),
        ]
    link = Connection(rng, hosts, port, rng.randrange(2000, 60000))
    packets = [link.segment(side, flags, exact=True) for side, flags, _ in OPENING]
    link.settled = True
    for number in range(6):
        # The first line is read as such by ours only if it begins the connection's text.
        line = rng.choice(LINES[port]) if number else LINES[port][0]
        side = "s" if line[:1] == b"2" else "c"
        own = hosts.address[side][0]
        if hosts.family == 4:
            number = str(int.from_bytes(wire.raw(own), "big")).encode()
            line = line.replace(b"%n", number).replace(b"%s", own.replace(".", ",").encode())
        line = line.replace(b"%d", own.encode())
        packets.append(link.segment(side, PSH | ACK, line, exact=True))
        if rng.random() < 0.3:
            packets.append(packets[-1])
        if rng.random() < 0.7:
            packets.append(link.segment(other(side), ACK, exact=True))
    for dport in (5127, 5001, 7681, 7000, 5000):
        side = rng.choice("cs")

        def make(a, b, dport=dport):
            return wire.tcp(a, b, 20, dport, flags=SYN)

        packets.append(hosts.packet(side, TCP, make))
    return STRICT, packets


KINDS = {"tcp": tcp, "middle": middle, "udp": udp, "icmp": icmp, "sctp": sctp, "others": others, "helper": helper}
