# SPDX-License-Identifier: GPL-2.0
"""Random messages to the conntrack, expectation, timeout and helper subsystems: right ones, and right ones spoilt.

The world is small (few addresses, ports, names), so that messages meet what others made.
"""

import struct

import nfnl
from nfnl import CONNTRACK, EXPECT, TIMEOUT, HELPER, CREATE, DUMP, EXCL, REPLACE, be16, be32, be8, text, tuple_of, tuples

V4 = ["10.0.0.1", "10.0.0.2", "192.0.2.1"]
V6 = ["fd00::1", "fd00::2", "2001:db8::1"]
PROTOCOLS = [6, 6, 17, 17, 1, 132, 47, 99]
HELPERS = ["ftp", "ftp", "tftp", "mine"]
EDGES = [0, 1, 2, 3, 7, 8, 14, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 42949673,
         1 << 31, (1 << 31) - 1, (1 << 32) - 1]


class Request:
    """What nfnl.Socket.request takes."""

    def __init__(self, subsystem, kind, flags, pairs, family=2, version=0, res_id=0):
        self.subsystem, self.kind, self.flags, self.pairs = subsystem, kind, flags, pairs
        self.family, self.version, self.res_id = family, version, res_id
        # How many things were spoilt in it.
        self.faults = 0

    def __str__(self):
        pairs = self.pairs.hex() if isinstance(self.pairs, bytes) else nfnl.decode(
            nfnl.attributes(self.pairs), nfnl.SCHEMAS.get(self.subsystem, {}))
        name = dict(enumerate(nfnl.MESSAGES.get(self.subsystem, []))).get(self.kind, self.kind)
        return f"{self.subsystem} {name} flags={self.flags:#x} family={self.family} version={self.version} {pairs}"

    def arguments(self):
        return self.subsystem, self.kind, self.flags, self.pairs, self.family, self.version, self.res_id


class Generator:
    """Makes requests from a random.Random. With exact, none whose outcome is left to chance (ranges of NAT)."""

    def __init__(self, rng, exact=False):
        self.rng, self.exact, self.serial = rng, exact, 0
        self.forget()

    def forget(self):
        """The tables are empty."""
        # What was asked for lately: flows, masters, expectations.
        self.flows, self.masters, self.expected = [], [], []

    def remember(self, where, what):
        where.append(what)
        del where[:-6]
        return what

    def some(self, *attributes, chance=0.5):
        return [a for a in attributes if self.rng.random() < chance]

    def number(self):
        return self.rng.choice(EDGES) if self.rng.random() < 0.7 else self.rng.getrandbits(32)

    # Connections.

    def flow(self, fresh=False, known=0.7):
        """family, and the arguments of tuples()."""
        rng = self.rng
        if self.flows and not fresh and rng.random() < known:
            return rng.choice(self.flows)
        family = rng.choice([2, 2, 10])
        hosts = V4 if family == 2 else V6
        if fresh:
            self.serial += 1
            hosts = [f"10.77.{self.serial >> 8 & 255}.{self.serial & 255}"] if family == 2 else [f"fd77::{self.serial:x}"]
        protocol = rng.choice(PROTOCOLS)
        sport, dport = rng.randrange(1, 6), rng.choice([21, 69, 80, 443])
        if protocol == 1:
            protocol, dport = (1, 8 << 8) if family == 2 else (58, 128 << 8)
        return family, (rng.choice(hosts), rng.choice(hosts[1:] or hosts), protocol, sport, dport)

    def timeout(self):
        return (7, be32(self.rng.randrange(1, 9) * 1000))

    def nat(self, family):
        """CTA_NAT_SRC or CTA_NAT_DST."""
        rng = self.rng
        self.serial += 1
        host = f"10.88.{self.serial >> 8 & 255}.{self.serial & 255}" if family == 2 else f"fd88::{self.serial:x}"
        low, high = (1, 2) if family == 2 else (4, 5)
        inside = [(low, nfnl.address(host))]
        if rng.random() < 0.5:
            inside.append((high, nfnl.address(host)))
        if self.exact or rng.random() < 0.6:
            port = rng.randrange(1024, 60000)
            inside.append((3, [(1, be16(port)), (2, be16(port if self.exact else port + rng.randrange(0, 50)))]))
        return (rng.choice([6, 13]), inside)

    def protoinfo(self, protocol):
        rng = self.rng
        if protocol == 6:
            more = {}
            for name in ("flags_orig", "flags_reply"):
                if rng.random() < 0.5:
                    more[name] = (rng.choice([0, 1, 2, 4, 8, 0x20]), rng.choice([0, 1, 0x2F]))
            for name in ("wscale_orig", "wscale_reply"):
                if rng.random() < 0.4:
                    more[name] = rng.randrange(0, 15)
            return nfnl.tcp_info(rng.randrange(0, 10), **more)
        return nfnl.sctp_info(rng.randrange(0, 9), self.number(), self.number())

    def changes(self, protocol):
        """What can be told of a new one and of an old one."""
        rng = self.rng
        found = []
        if rng.random() < 0.4:
            found.append((8, be32(self.number())))
            found += self.some((21, be32(self.number())), chance=0.4)
        if rng.random() < 0.3:
            found.append((3, be32(rng.choice([8, 8, 2, 2, 6, 10, 14, 14, 0x408, 0x40E, 1, 0x10, 0x200, 0x3FFF]))))
        if protocol in (6, 132) and rng.random() < 0.5:
            found.append(self.protoinfo(protocol))
        if rng.random() < 0.2:
            size = rng.choice([4, 8, 16])
            found.append((22, rng.randbytes(size)))
            found += self.some((23, rng.randbytes(rng.choice([size, size, 4]))), chance=0.4)
        if rng.random() < 0.15:
            found.append((rng.choice([15, 16]), [(i, be32(self.number())) for i in (1, 2, 3)]))
        if rng.random() < 0.1:
            found.append((24, [(i, be32(self.number())) for i in (1, 2, 3)]))
        return found

    def create(self):
        rng = self.rng
        with_nat = rng.random() < 0.25
        family, flow = self.remember(self.flows, self.flow(with_nat, 0.1))
        protocol = flow[2]
        pairs = tuples(*flow) + [self.timeout()] + self.changes(protocol)
        if with_nat:
            pairs += [self.nat(family)]
        if rng.random() < 0.25:
            pairs.append((5, [(1, text(rng.choice(HELPERS)))]))
        if rng.random() < 0.15:
            pairs.append((18, be16(rng.choice([1, 2, 3]))))
        if rng.random() < 0.1:
            pairs.append((14, tuple_of(*self.flow(known=0.9)[1])))
        return Request(CONNTRACK, nfnl.CT_NEW, CREATE | rng.choice([0, EXCL, EXCL, REPLACE]), pairs, family)

    def update(self):
        family, flow = self.flow()
        pairs = self.rng.choice([tuples(*flow)[:1], tuples(*flow)[1:], tuples(*flow)])
        pairs = pairs + self.some(self.timeout()) + self.changes(flow[2])
        pairs += self.some((18, be16(self.rng.choice([1, 2]))), chance=0.1)
        return Request(CONNTRACK, nfnl.CT_NEW, self.rng.choice([0, 0, EXCL]), pairs, family)

    def one(self):
        family, flow = self.flow()
        pairs = self.rng.choice([tuples(*flow)[:1], tuples(*flow)[1:]])
        pairs = pairs + self.some((18, be16(self.rng.choice([1, 2]))), chance=0.2) + self.some((12, be32(self.number())), chance=0.1)
        return Request(CONNTRACK, self.rng.choice([nfnl.CT_GET, nfnl.CT_DELETE, nfnl.CT_GET_CTRZERO]), 0, pairs, family)

    def filtered(self):
        """A dump or a deletion."""
        rng = self.rng
        family, flow = self.flow()
        pairs = []
        if rng.random() < 0.4:
            pairs.append((8, be32(rng.choice([0, 1, 2, 3]))))
            pairs += self.some((21, be32(rng.choice([1, 3, 0xFF]))))
        if rng.random() < 0.3:
            pairs.append((3, be32(rng.choice([2, 4, 8, 0x10, 0x20]))))
            pairs += self.some((26, be32(rng.choice([2, 6, 8, 0x30]))))
        if rng.random() < 0.3:
            pairs.append((18, be16(rng.choice([0, 1, 2, 3]))))
        if rng.random() < 0.4 and family == 2:
            known = 0xB | (0x30 if flow[2] in (6, 17) else 0)
            flags = rng.getrandbits(12) & known
            inside = []
            if rng.random() < 0.8:
                inside.append((1, struct.pack("=I", flags)))
            if rng.random() < 0.4:
                inside.append((2, struct.pack("=I", rng.getrandbits(12) & known)))
            pairs += [(25, inside), *tuples(*flow)]
        kind, flags = rng.choice([(nfnl.CT_GET, DUMP), (nfnl.CT_GET, DUMP), (nfnl.CT_GET_CTRZERO, DUMP), (nfnl.CT_DELETE, 0)])
        return Request(CONNTRACK, kind, flags, pairs, rng.choice([0, family, family]), rng.choice([0, 0, 1]))

    def lists(self):
        kind, flags = self.rng.choice([(nfnl.CT_STATS, 0), (nfnl.CT_DYING, DUMP), (nfnl.CT_UNCONFIRMED, DUMP), (nfnl.CT_DYING, 0)])
        return Request(CONNTRACK, kind, flags, [], 0)

    # Expectations.

    def master(self):
        """A connection that may expect others."""
        rng = self.rng
        flow = self.remember(self.masters, (rng.choice(V4), rng.choice(V4[1:]), 6, rng.randrange(1, 6), 21))
        pairs = tuples(*flow) + [self.timeout(), (5, [(1, text("ftp"))]), nfnl.tcp_info(3)] + self.some((8, be32(7)))
        return Request(CONNTRACK, nfnl.CT_NEW, CREATE, pairs)

    def expect(self):
        rng = self.rng
        if not self.masters or rng.random() < 0.25:
            return self.master()
        master = tuple_of(*rng.choice(self.masters))
        if rng.random() < 0.5:
            expected = tuple_of(rng.choice(V4), rng.choice(V4), 6, 0, rng.randrange(5000, 5004))
            if self.expected and rng.random() < 0.3:
                expected = rng.choice(self.expected)
            self.remember(self.expected, expected)
            flags = rng.choice([CREATE, CREATE, CREATE | EXCL, 0])
            # 300 s is what the FTP helper's policy says.
            pairs = [(1, master), (2, expected), (3, tuple_of("255.255.255.255", "255.255.255.255", 6, 0, 65535)),
                     (4, be32(300 if flags and self.exact else rng.choice([100, 200, 300])))]
            pairs += self.some((9, be32(rng.choice([0, 0, 0, 1, 3, 4]))), (8, be32(rng.choice([0, 1, 2, 4, 3]))), chance=0.3)
            if rng.random() < 0.3:
                pairs.append((10, [(1, be32(rng.choice([0, 1]))), (2, tuple_of(rng.choice(V4), rng.choice(V4), 6, 77, 0))]))
            if rng.random() < 0.2:
                pairs.append((11, text(rng.choice(["nat-follow-master", "nobody"]))))
            return Request(EXPECT, nfnl.EXP_NEW, flags, pairs)
        expected = rng.choice(self.expected or [master])
        return rng.choice([
            Request(EXPECT, nfnl.EXP_GET, DUMP, [], rng.choice([0, 2, 10])),
            Request(EXPECT, nfnl.EXP_GET, DUMP, [(1, master)]),
            Request(EXPECT, nfnl.EXP_GET, 0, [(2, expected)]),
            Request(EXPECT, nfnl.EXP_GET, 0, [(1, expected)]),
            Request(EXPECT, nfnl.EXP_GET, 0, [(2, expected), (5, be32(self.number()))]),
            Request(EXPECT, nfnl.EXP_DELETE, 0, [(2, expected)]),
            Request(EXPECT, nfnl.EXP_DELETE, 0, [(6, text(rng.choice(HELPERS)))]),
        ])

    # Timeout policies and user-space helpers.

    def policy(self):
        rng = self.rng
        protocol = rng.choice([6, 17, 1, 58, 132, 47, 255, 99])
        data = [(rng.randrange(1, 13), be32(rng.choice([1, 10, 100, 1000]))) for _ in range(rng.randrange(4))]
        name, kind = (1, text(rng.choice(["a", "b", "c"]))), [(2, be16(rng.choice([2, 10]))), (3, be8(protocol))]
        return rng.choice([
            Request(TIMEOUT, 0, rng.choice([CREATE, CREATE | EXCL, CREATE | REPLACE]), [name, *kind, (4, data)]),
            Request(TIMEOUT, 0, CREATE, [name, *kind, (4, data)]),
            Request(TIMEOUT, 1, 0, [name]), Request(TIMEOUT, 1, DUMP, []), Request(TIMEOUT, 2, 0, [name]),
            Request(TIMEOUT, 3, 0, [*kind, (4, data)]), Request(TIMEOUT, 4, 0, kind),
        ])

    def helper(self):
        rng = self.rng
        name = (1, text(rng.choice(["mine", "other"])))
        of = (2, [(1, be16(rng.choice([2, 10]))), (2, be8(rng.choice([6, 17])))])
        count = rng.randrange(1, 5)
        policies = [(1, be32(count))] + [
            (2 + i, [(1, text(f"p{i}")), (2, be32(rng.choice([0, 1, 8, 255]))), (3, be32(300))]) for i in range(count)]
        whole = [name, of, (3, be32(rng.choice([0, 5]))), (4, policies), (5, be32(rng.choice([0, 4, 32]))), (6, be32(rng.choice([0, 1])))]
        return rng.choice([
            Request(HELPER, 0, rng.choice([CREATE, CREATE | EXCL, CREATE | REPLACE]), whole), Request(HELPER, 0, CREATE, whole),
            Request(HELPER, 1, 0, [name]), Request(HELPER, 1, DUMP, []), Request(HELPER, 2, 0, [name, of]),
        ])

    def request(self, others=True):
        """A right one. Without others: of the first two subsystems only."""
        makers = [self.create] * 12 + [self.update] * 5 + [self.one] * 4 + [self.filtered] * 4 + [self.lists] + [self.expect] * 6
        if others:
            makers += [self.policy] * 4 + [self.helper] * 3
        return self.rng.choice(makers)()

    # Spoiling.

    def spoil_value(self, value):
        rng = self.rng
        how = rng.randrange(7)
        if how == 0:
            return b""
        if how == 1:
            return value[:rng.randrange(len(value) + 1)]
        if how == 2:
            return value + rng.randbytes(rng.choice([1, 2, 4, 16, 200]))
        if how == 3:
            return rng.randbytes(len(value))
        if how == 4:
            return (rng.choice(EDGES) & (256 ** len(value) - 1)).to_bytes(len(value), "big") if value else b"\xff"
        if how == 5:
            return b"\xff" * len(value)
        return bytes(len(value))

    def spoil(self, pairs, depth=0):
        """One thing changed somewhere in a tree of attributes."""
        rng = self.rng
        pairs = list(pairs)
        if not pairs or rng.random() < 0.08:
            pairs.insert(rng.randrange(len(pairs) + 1), (rng.randrange(0, 40), rng.randbytes(rng.choice([0, 1, 2, 4, 8, 16]))))
            return pairs
        at = rng.randrange(len(pairs))
        kind, value = pairs[at]
        how = rng.randrange(9)
        if isinstance(value, list) and how < 6 and depth < 6:
            pairs[at] = (kind, self.spoil(value, depth + 1))
        elif how == 6:
            del pairs[at]
        elif how == 7:
            pairs[at] = (rng.choice([kind + 1, kind ^ 0x4000, 0, rng.randrange(0, 64), 0x3FFF]), value)
        elif how == 8:
            pairs.append((kind, value) if rng.random() < 0.5 else (kind, [(kind, value)] * rng.randrange(1, 4)))
        elif isinstance(value, list):
            pairs[at] = (kind, rng.choice([[], b"", rng.randbytes(8), nfnl.attributes(value)[:-3]]))
        else:
            pairs[at] = (kind, self.spoil_value(value))
        return pairs

    def spoilt(self, others=True):
        """A request with one to three things wrong."""
        rng = self.rng
        found = self.request(others)
        for _ in range(rng.choice([1, 1, 2, 3])):
            found.faults += 1
            how = rng.random()
            if how < 0.72:
                found.pairs = self.spoil(found.pairs)
            elif how < 0.79:
                found.family = rng.choice([0, 1, 2, 3, 5, 7, 10, 12, 13, 255])
            elif how < 0.84:
                found.flags = rng.choice([0, CREATE, EXCL, REPLACE, CREATE | EXCL, DUMP, CREATE | DUMP, 0xF00, nfnl.ECHO])
            elif how < 0.89:
                found.kind = rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 255])
            elif how < 0.91:
                found.version, found.res_id = rng.choice([1, 255]), rng.choice([0, 1, 65535])
            elif how < 0.93 and others:
                found.subsystem = rng.choice([1, 2, 8, 9])
        if rng.random() < 0.12:
            # The lengths inside lie.
            found.faults += 3
            raw = bytearray(nfnl.attributes(found.pairs))
            for _ in range(rng.choice([1, 1, 3])):
                if raw:
                    raw[rng.randrange(len(raw))] = rng.choice([0, 1, 3, 4, 5, 255, rng.randrange(256)])
            found.pairs = bytes(raw[:rng.choice([len(raw), len(raw), rng.randrange(len(raw) + 1)])])
        return found
