# SPDX-License-Identifier: GPL-2.0
"""nfnetlink spoken by hand: messages of the conntrack, expectation, timeout, helper and queue subsystems.

Numbers and names are those of <linux/netfilter/nfnetlink*.h>. What is sent need not be right:
attributes are pairs of a number and bytes or a list of attributes.
"""

import errno
import os
import socket
import struct

# Subsystems and their messages.
CONNTRACK, EXPECT, QUEUE, TIMEOUT, HELPER = 1, 2, 3, 8, 9
CT_NEW, CT_GET, CT_DELETE, CT_GET_CTRZERO, CT_STATS_CPU, CT_STATS, CT_DYING, CT_UNCONFIRMED = range(8)
EXP_NEW, EXP_GET, EXP_DELETE, EXP_STATS_CPU = range(4)
MESSAGES = {
    CONNTRACK: ["NEW", "GET", "DELETE", "GET_CTRZERO", "GET_STATS_CPU", "GET_STATS", "GET_DYING", "GET_UNCONFIRMED"],
    EXPECT: ["NEW", "GET", "DELETE", "GET_STATS_CPU"],
    QUEUE: ["PACKET", "VERDICT", "CONFIG", "VERDICT_BATCH"],
    TIMEOUT: ["NEW", "GET", "DELETE", "DEFAULT_SET", "DEFAULT_GET"],
    HELPER: ["NEW", "GET", "DEL"],
}
# Flags of a request, and of a reply.
REQUEST, MULTI, ACK, ECHO, DUMP_INTR, DUMP_FILTERED = 1, 2, 4, 8, 0x10, 0x20
REPLACE, EXCL, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
DUMP = 0x300
# Multicast groups.
GROUPS = {"new": 1, "update": 2, "destroy": 3, "exp_new": 4, "exp_update": 5, "exp_destroy": 6}
# Status bits.
EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED, SRC_NAT, DST_NAT, SEQ_ADJUST = (1 << i for i in range(7))
FIXED_TIMEOUT = 1 << 10

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 4, 5, 10, 11
NESTED = 0x8000

# What attributes are: name, and how the value is read: a number of bits, big
# endian; text; bytes; an address; or the attributes inside.
IP = {1: ("v4_src", "ip"), 2: ("v4_dst", "ip"), 3: ("v6_src", "ip"), 4: ("v6_dst", "ip")}
PROTO = {
    1: ("num", 8), 2: ("sport", 16), 3: ("dport", 16), 4: ("icmp_id", 16), 5: ("icmp_type", 8),
    6: ("icmp_code", 8), 7: ("icmpv6_id", 16), 8: ("icmpv6_type", 8), 9: ("icmpv6_code", 8),
}
TUPLE = {1: ("ip", IP), 2: ("proto", PROTO), 3: ("zone", 16)}
COUNTERS = {1: ("packets", 64), 2: ("bytes", 64)}
SEQADJ = {1: ("correction_pos", 32), 2: ("offset_before", 32), 3: ("offset_after", 32)}
NAT = {
    1: ("v4_minip", "ip"), 2: ("v4_maxip", "ip"), 3: ("proto", {1: ("min", 16), 2: ("max", 16)}),
    4: ("v6_minip", "ip"), 5: ("v6_maxip", "ip"),
}
TCP = {
    1: ("state", 8), 2: ("wscale_orig", 8), 3: ("wscale_reply", 8), 4: ("flags_orig", "bytes"), 5: ("flags_reply", "bytes"),
}
SCTP = {1: ("state", 8), 2: ("vtag_orig", 32), 3: ("vtag_reply", 32)}
CT = {
    1: ("tuple_orig", TUPLE), 2: ("tuple_reply", TUPLE), 3: ("status", 32),
    4: ("protoinfo", {1: ("tcp", TCP), 3: ("sctp", SCTP)}), 5: ("help", {1: ("name", "text"), 2: ("info", "bytes")}),
    6: ("nat_src", NAT), 7: ("timeout", 32), 8: ("mark", 32), 9: ("counters_orig", COUNTERS),
    10: ("counters_reply", COUNTERS), 11: ("use", 32), 12: ("id", 32), 13: ("nat_dst", NAT), 14: ("tuple_master", TUPLE),
    15: ("seq_adj_orig", SEQADJ), 16: ("seq_adj_reply", SEQADJ), 18: ("zone", 16), 19: ("secctx", {1: ("name", "text")}),
    20: ("timestamp", {1: ("start", 64), 2: ("stop", 64)}), 21: ("mark_mask", 32), 22: ("labels", "bytes"),
    23: ("labels_mask", "bytes"), 24: ("synproxy", {1: ("isn", 32), 2: ("its", 32), 3: ("tsoff", 32)}),
    25: ("filter", {1: ("orig_flags", "bytes"), 2: ("reply_flags", "bytes")}), 26: ("status_mask", 32),
    27: ("timestamp_event", 64),
}
STATS_CPU = dict(enumerate((
    None, ("searched", 32), ("found", 32), ("new", 32), ("invalid", 32), ("ignore", 32), ("delete", 32),
    ("delete_list", 32), ("insert", 32), ("insert_failed", 32), ("drop", 32), ("early_drop", 32), ("error", 32),
    ("search_restart", 32), ("clash_resolve", 32), ("chain_toolong", 32))))
STATS = {1: ("entries", 32), 2: ("max_entries", 32)}
EXP = {
    1: ("master", TUPLE), 2: ("tuple", TUPLE), 3: ("mask", TUPLE), 4: ("timeout", 32), 5: ("id", 32),
    6: ("help_name", "text"), 7: ("zone", 16), 8: ("flags", 32), 9: ("class", 32),
    10: ("nat", {1: ("dir", 32), 2: ("tuple", TUPLE)}), 11: ("fn", "text"),
}
EXP_STATS = {1: ("new", 32), 2: ("create", 32), 3: ("delete", 32)}
POLICY = {1: ("name", "text"), 2: ("expect_max", 32), 3: ("expect_timeout", 32)}
SCHEMAS = {
    CONNTRACK: CT,
    EXPECT: EXP,
    TIMEOUT: {
        1: ("name", "text"), 2: ("l3proto", 16), 3: ("l4proto", 8),
        4: ("data", {i: (str(i), 32) for i in range(1, 16)}), 5: ("use", 32),
    },
    HELPER: {
        1: ("name", "text"), 2: ("tuple", {1: ("l3", 16), 2: ("l4", 8)}), 3: ("queue_num", 32),
        4: ("policy", {1: ("num", 32), **{i: (f"set{i - 1}", POLICY) for i in range(2, 6)}}),
        5: ("priv_data_len", 32), 6: ("status", 32),
    },
    QUEUE: {
        1: ("packet_hdr", "bytes"), 3: ("mark", 32), 5: ("ifindex_indev", 32), 6: ("ifindex_outdev", 32),
        10: ("payload", "bytes"), 11: ("ct", CT), 12: ("ct_info", 32), 13: ("cap_len", 32), 14: ("skb_info", 32),
        15: ("exp", EXP),
    },
}


def pad(data):
    return data + bytes(-len(data) % 4)


def attribute(kind, value):
    """An attribute: bytes as they are, or a list of attributes."""
    if isinstance(value, list):
        kind, value = kind | NESTED, attributes(value)
    return pad(struct.pack("=HH", len(value) + 4, kind) + value)


def attributes(pairs):
    return b"".join(attribute(kind, value) for kind, value in pairs)


def be8(n):
    return struct.pack("!B", n)


def be16(n):
    return struct.pack("!H", n)


def be32(n):
    return struct.pack("!I", n & 0xFFFFFFFF)


def text(string):
    return string.encode() + b"\0"


def address(string):
    return socket.inet_pton(socket.AF_INET6 if ":" in string else socket.AF_INET, string)


def split(data):
    """The attributes in data, as pairs of number and bytes. What is cut off is left out."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if not 4 <= length <= len(data):
            break
        yield kind & 0x3FFF, data[4:length]
        data = data[length + (-length % 4):]


def decode(data, schema):
    """Attributes by name. One without a name keeps its number, so that nothing is lost."""
    found = {}
    for kind, value in split(data):
        known = schema.get(kind)
        if not known:
            found[str(kind)] = value.hex()
            continue
        name, how = known
        if isinstance(how, dict):
            found[name] = decode(value, how)
        elif how == "text":
            found[name] = value.rstrip(b"\0").decode(errors="replace")
        elif how == "ip" and len(value) in (4, 16):
            found[name] = socket.inet_ntop(socket.AF_INET if len(value) == 4 else socket.AF_INET6, value)
        elif isinstance(how, int) and len(value) * 8 == how:
            found[name] = int.from_bytes(value, "big")
        else:
            found[name] = value.hex()
    return found


class Refused(OSError):
    """An error reply, with what the kernel says of it."""

    def __init__(self, number, message="", offset=None):
        super().__init__(number, os.strerror(number))
        self.name = "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, str(number))
        self.message, self.offset = message, offset


class Message:
    """A message from the kernel."""

    def __init__(self, kind, flags, sequence, port, body):
        self.subsystem, self.type = kind >> 8, kind & 0xFF
        self.flags, self.sequence, self.port = flags, sequence, port
        self.family, self.version, self.res_id = struct.unpack_from("!BBH", body)
        self.raw = body[4:]

    @property
    def name(self):
        return MESSAGES[self.subsystem][self.type]

    def decoded(self):
        schema = SCHEMAS[self.subsystem]
        if self.subsystem == CONNTRACK and self.type in (CT_STATS_CPU, CT_STATS):
            schema = STATS if self.type == CT_STATS else STATS_CPU
        elif self.subsystem == EXPECT and self.type == EXP_STATS_CPU:
            schema = EXP_STATS
        return decode(self.raw, schema)


class Socket:
    """A netlink socket of netfilter's."""

    sequence = 0

    def __init__(self, groups=(), receive_buffer=None, timeout=20.0, ext_ack=True):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.bind((0, 0))
        self.socket.settimeout(timeout)
        if ext_ack:
            self.option(NETLINK_EXT_ACK, 1)
        for group in groups:
            self.option(NETLINK_ADD_MEMBERSHIP, GROUPS.get(group, group))
        self.port = self.socket.getsockname()[0]
        # What came that was no answer: events that NLM_F_ECHO asked for.
        self.stray = []

    def option(self, name, value):
        self.socket.setsockopt(SOL_NETLINK, name, value)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def message(self, subsystem, kind, flags, pairs=(), family=socket.AF_INET, version=0, res_id=0):
        """A message, not sent; pairs may be bytes already."""
        Socket.sequence += 1
        body = pairs if isinstance(pairs, bytes) else attributes(pairs)
        head = struct.pack("!BBH", family, version, res_id)
        length = 16 + len(head) + len(body)
        return struct.pack("=IHHII", length, subsystem << 8 | kind, flags | REQUEST, Socket.sequence, self.port) + head + body

    def send(self, data):
        self.socket.send(data)

    def receive(self):
        """What comes in one read, as (kind, flags, sequence, port, body)."""
        data = self.socket.recv(1 << 18)
        while len(data) >= 16:
            length, kind, flags, sequence, port = struct.unpack_from("=IHHII", data)
            if not 16 <= length <= len(data):
                raise ValueError("a message that is longer than what came")
            yield kind, flags, sequence, port, data[16:length]
            data = data[length + (-length % 4):]

    def events(self, timeout=None):
        """Messages as they come, until none has come for so long."""
        if timeout is not None:
            self.socket.settimeout(timeout)
        while True:
            try:
                batch = list(self.receive())
            except (TimeoutError, BlockingIOError):
                return
            for kind, flags, sequence, port, body in batch:
                if kind >= 0x100:
                    yield Message(kind, flags, sequence, port, body)

    def stream(self, subsystem, kind, flags=0, pairs=(), family=socket.AF_INET, version=0, res_id=0):
        """Send a request; the messages of the answer as they come, to the end. An error is raised."""
        # With a dump that is not made (nothing can be there) the ACK is all that comes.
        self.send(self.message(subsystem, kind, flags | ACK, pairs, family, version, res_id))
        wanted = Socket.sequence
        while True:
            for what, answer_flags, sequence, port, body in self.receive():
                if sequence != wanted:
                    if what >= 0x100:
                        self.stray.append(Message(what, answer_flags, sequence, port, body))
                    continue
                if what in (NLMSG_ERROR, NLMSG_DONE):
                    number = struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
                    if number:
                        raise Refused(-number, *self.reason(what, answer_flags, body))
                    return
                yield Message(what, answer_flags, sequence, port, body)

    @staticmethod
    def reason(what, flags, body):
        """The text and the offset of an extended acknowledgement."""
        if not flags & NLM_F_ACK_TLVS:
            return "", None
        skip = 4
        if what == NLMSG_ERROR:
            length = struct.unpack_from("=I", body, 4)[0]
            skip += 16 if flags & NLM_F_CAPPED else length + (-length % 4)
        found = dict(split(body[skip:]))
        offset = struct.unpack("=I", found[2])[0] if 2 in found else None
        return found.get(1, b"").rstrip(b"\0").decode(errors="replace"), offset

    def request(self, *arguments, **options):
        """As stream, all of it."""
        return list(self.stream(*arguments, **options))

    def error_of(self, *arguments, **options):
        """The name of the error that a request is answered with, or '' for none."""
        try:
            self.request(*arguments, **options)
        except Refused as refused:
            return refused.name
        return ""


# Attributes of connections.

PORTS = (6, 17, 33, 132, 136)


def tuple_of(source, destination, protocol=17, sport=1000, dport=2000, zone=None):
    """A tuple: of ICMP the ports are id and type << 8 | code, of GRE the keys."""
    wide = ":" in source
    ip = [(3 if wide else 1, address(source)), (4 if wide else 2, address(destination))]
    proto = [(1, be8(protocol))]
    if protocol in (1, 58):
        base = 4 if protocol == 1 else 7
        proto += [(base, be16(sport)), (base + 1, be8(dport >> 8)), (base + 2, be8(dport & 255))]
    elif protocol in PORTS or protocol == 47:
        proto += [(2, be16(sport)), (3, be16(dport))]
    found = [(1, ip), (2, proto)]
    return found + ([(3, be16(zone))] if zone is not None else [])


ECHO_REPLY = {8 << 8: 0, 128 << 8: 129 << 8}


def tuples(source, destination, protocol=17, sport=1000, dport=2000, reply=None):
    """The tuples of both directions; reply is (source, destination, sport, dport) if there is NAT."""
    if reply is None:
        ports = (sport, ECHO_REPLY.get(dport, dport)) if protocol in (1, 58) else (dport, sport)
        reply = (destination, source, *ports)
    return [
        (1, tuple_of(source, destination, protocol, sport, dport)),
        (2, tuple_of(reply[0], reply[1], protocol, reply[2], reply[3])),
    ]


def tcp_info(state, **more):
    """CTA_PROTOINFO of TCP: wscale_orig, wscale_reply, flags_orig, flags_reply (pairs of flags and mask)."""
    found = [(1, be8(state))]
    for number, name in ((2, "wscale_orig"), (3, "wscale_reply")):
        if name in more:
            found.append((number, be8(more[name])))
    for number, name in ((4, "flags_orig"), (5, "flags_reply")):
        if name in more:
            found.append((number, bytes(more[name])))
    return (4, [(1, found)])


def sctp_info(state, orig=1, reply=2):
    return (4, [(3, [(1, be8(state)), (2, be32(orig)), (3, be32(reply))])])


def number_of(name, fallback=0):
    """A number from a file below /proc or /sys."""
    try:
        with open(name, encoding="ascii") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return fallback
