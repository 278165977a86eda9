#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0
"""Plays packets through a router, always the same ones, and writes down what comes of them.

usage: packets.py CLIENT ROUTER SERVER FILE [--seed N] [--episodes N] [--kinds KIND,...] [--brief]
       packets.py CLIENT ROUTER SERVER FILE --cases FILE

In FILE there is a line for each packet sent (>) with its number in the episode, each that came out of the router at the
client's side (c) or the server's (s), each event (!), and at the end of an episode each connection (=), expectation (~)
and what was counted (#). A packet that was forwarded carries in its DSCP what it was to connection tracking. --brief: only
a line for each episode: its name, the number of packets, and a hash. In the file of cases there is a line for each
episode that is to be played, and the packets of it: SEED:KIND:NUMBER=N,N,...
"""

import argparse
import collections
import hashlib
import pathlib
import random
import struct
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "selftests/net/netfilter")]
# pylint: disable=wrong-import-position
import nf_nat_packets as wire
import nfnl
from nfnl import CONNTRACK, EXPECT
import packets_made
from packets_helpers import application
from packets_resets import resets
from plain import plain

# Far apart, and of 1,000 s each, so that what is left of one tells which it was.
TIMEOUTS = {
    "tcp_timeout_max_retrans": 2, "tcp_timeout_unacknowledged": 2, "tcp_timeout_syn_sent": 3, "tcp_timeout_syn_recv": 4,
    "tcp_timeout_fin_wait": 5, "tcp_timeout_close_wait": 6, "tcp_timeout_last_ack": 7, "tcp_timeout_time_wait": 8,
    "tcp_timeout_close": 9, "tcp_timeout_established": 50, "udp_timeout": 11, "udp_timeout_stream": 12,
    "icmp_timeout": 13, "icmpv6_timeout": 14, "generic_timeout": 15, "gre_timeout": 16, "gre_timeout_stream": 17,
    "sctp_timeout_closed": 18, "sctp_timeout_cookie_wait": 19, "sctp_timeout_cookie_echoed": 20,
    "sctp_timeout_established": 21, "sctp_timeout_shutdown_sent": 22, "sctp_timeout_shutdown_recd": 23,
    "sctp_timeout_shutdown_ack_sent": 24, "sctp_timeout_heartbeat_sent": 25,
}
KINDS = dict(packets_made.KINDS, resets=resets, application=application)
DAY = 86400
# Types of ICMP and ICMPv6 that have an id.
ECHO = (0, 8, 128, 129)
MARKER = 9
SHOWN = 84
# Of /proc/net/stat/nf_conntrack.
COUNTED = ("invalid", "insert_failed", "drop", "early_drop", "icmp_error")
RULES = """
flush ruleset
table inet t {
	ct helper ftp { type "ftp" protocol tcp; }
	ct helper tftp { type "tftp" protocol udp; }
	ct helper irc { type "irc" protocol tcp; }
	ct helper amanda { type "amanda" protocol udp; }
	ct helper sane { type "sane" protocol tcp; }
	ct helper pptp { type "pptp" protocol tcp; }
	ct helper snmp { type "snmp_trap" protocol udp; }
	ct helper sip { type "sip" protocol udp; }
	ct helper ras { type "RAS" protocol udp; }
	ct helper q931 { type "Q.931" protocol tcp; }
	chain raw {
		type filter hook prerouting priority raw
		udp dport 9 notrack
		th dport 4002 ct zone set 3
		th sport 4002 ct zone set 3
		th dport 4003 ct original zone set 4
	}
	chain helpers {
		type filter hook prerouting priority 0
		tcp dport 21 ct helper set "ftp"
		udp dport 69 ct helper set "tftp"
		tcp dport 6667 ct helper set "irc"
		udp dport 10080 ct helper set "amanda"
		tcp dport 6566 ct helper set "sane"
		tcp dport 1723 ct helper set "pptp"
		udp dport 162 ct helper set "snmp"
		udp dport 5060 ct helper set "sip"
		udp dport 1719 ct helper set "ras"
		tcp dport 1720 ct helper set "q931"
	}
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 203.0.113.5 dnat ip to 192.168.2.5
		ip daddr 203.0.113.6 meta l4proto { tcp, udp } th dport 80 dnat ip to 192.168.2.6:8080
		ip6 daddr 2001:db8::5 dnat ip6 to fd00:22::5
	}
	chain post {
		type nat hook postrouting priority srcnat
		ip saddr 192.168.1.7 snat ip to 198.51.100.7
		ip saddr 192.168.1.8 snat ip to 198.51.100.88
		ip6 saddr fd00:11::7 snat ip6 to 2001:db8:1::7
	}
	chain forward {
		type filter hook forward priority 0
		meta nfproto ipv4 goto v4
		goto v6
	}
	chain v4 {
		ct state new ip dscp set 1
		ct state established ct direction original ip dscp set 2
		ct state established ct direction reply ip dscp set 3
		ct state related ip dscp set 4
		ct state invalid ip dscp set 5
		ct status assured ip dscp set ip dscp | 8
	}
	chain v6 {
		ct state new ip6 dscp set 1
		ct state established ct direction original ip6 dscp set 2
		ct state established ct direction reply ip6 dscp set 3
		ct state related ip6 dscp set 4
		ct state invalid ip6 dscp set 5
		ct status assured ip6 dscp set ip6 dscp | 8
	}
}
"""


def shown(packet):
    """Bytes in hexadecimal; of many the first, and what tells whether the rest is the same."""
    if len(packet) <= SHOWN:
        return packet.hex()
    return f"{packet[:SHOWN].hex()}..{len(packet)}.{zlib.crc32(packet[SHOWN:]):08x}"


class Player:
    """Sends, and tells what comes of it."""

    def __init__(self, client, router, server):
        self.test = wire.Test(client, router, server)
        self.links = {"c": self.test.client, "s": self.test.server}
        self.test.run(["nft", "-f", "-"], RULES)
        with wire.inside(router):
            self.nl = nfnl.Socket()
            self.events = nfnl.Socket(groups=nfnl.GROUPS, receive_buffer=1 << 20)
            for name, value in TIMEOUTS.items():
                self.setting(name, 1000 * value)
            # A fragment that waits in vain is told of when its time is up: not while another episode is played.
            self.setting("frag6_timeout", DAY)
            pathlib.Path("/proc/sys/net/ipv4/ipfrag_time").write_text(f"{DAY}\n", encoding="ascii")
        self.events.socket.setblocking(False)
        self.marks = 0
        self.ports = set()

    @staticmethod
    def setting(name, value):
        """net.netfilter.nf_conntrack_NAME."""
        pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_" + name).write_text(f"{value}\n", encoding="ascii")

    def settings(self, settings):
        """Those of an episode."""
        with wire.inside(self.test.router):
            for name, value in settings.items():
                self.setting(name, value)

    def came(self):
        """What came out on both sides before packets that are sent now, which pass any rule."""
        self.marks += 1
        mark = b"<mark %08d>" % self.marks
        for side, other in (("c", "s"), ("s", "c")):
            here, there = wire.addr(4, f"{side}250"), wire.addr(4, f"{other}250")
            self.links[side].send(wire.network(here, there, wire.UDP, wire.udp(here, there, 9, MARKER, mark)))
        got = []
        for side, link in self.links.items():
            for packet in link.raw_packets(5):
                if mark in packet:
                    break
                if b"<mark " not in packet:
                    got.append(f"{side} {self.hidden(packet)}")
            else:
                got.append(f"{side} the mark is missing")
        return got

    def hidden(self, packet):
        """A packet in hexadecimal, without what is drawn by chance: ports and ids that NAT chose, with what they are summed up in,
        and the numbers of IPv6's fragments."""
        hide = set()
        self.chosen(packet, 0, hide)
        if not hide:
            return shown(packet)
        return shown(bytes(0 if at in hide else byte for at, byte in enumerate(packet))) + f" but {min(hide)}"

    def chosen(self, packet, start, hide):
        """The places in a packet that begins at `start` of what was drawn by chance."""
        if len(packet) < start + 20:
            return
        wide = packet[start] >> 4 == 6
        at, protocol = (start + 40, packet[start + 6]) if wide else (start + 20, packet[start + 9])
        if wide and protocol == 44 and len(packet) >= at + 8:
            hide.update(range(at + 4, at + 8))
            if packet[at + 2] or packet[at + 3] & 0xf8:
                return
            at, protocol = at + 8, packet[at]
        elif not wide and (packet[start + 6] & 0x1f or packet[start + 7]):
            return
        check = {wire.TCP: 16, wire.UDP: 6, wire.SCTP: 8}.get(protocol)
        if check is not None and len(packet) >= at + 4:
            for place in (at, at + 2):
                if struct.unpack_from("!H", packet, place)[0] not in self.ports:
                    hide.update((place, place + 1))
                    hide.update(range(at + check, at + check + (4 if protocol == wire.SCTP else 2)))
        elif protocol in (wire.ICMP, wire.ICMPV6) and len(packet) > at:
            if packet[at] in ECHO:
                if len(packet) >= at + 6 and struct.unpack_from("!H", packet, at + 4)[0] not in self.ports:
                    hide.update(range(at + 2, at + 6))
            elif start == 0 and packet[at] in (1, 2, 3, 4, 5, 11, 12):
                self.chosen(packet, at + 8, hide)
                if hide:
                    hide.update((at + 2, at + 3))

    def learn(self, packets):
        """The ports and ids of an episode."""
        self.ports = {MARKER}
        for _, packet in packets:
            at = 40 if packet[0] >> 4 == 6 else 20
            if len(packet) >= at + 4:
                self.ports.update(struct.unpack_from("!HH", packet, at))
            if len(packet) >= at + 6 and packet[at] in ECHO:
                self.ports.update(struct.unpack_from("!H", packet, at + 4))

    def counted(self):
        """What the router has counted."""
        return [self.test.statistics(name) for name in COUNTED]

    def told(self):
        """Events, sorted: those of one packet have no order that matters. What is expected twice because of it counts once:
        see differences.md, nf_conntrack_h323."""
        lines, expected = [], collections.Counter()
        for message in self.events.events():
            line = self.plain(message)
            if message.subsystem == EXPECT:
                expected[line.split("{", 1)[1]] += 1 if message.type == nfnl.EXP_NEW else -1
            else:
                lines.append("! " + line)
        lines += (f"! EXP {'NEW' if count > 0 else 'DELETE'} {{{line}" for line, count in expected.items() if count)
        return sorted(lines)

    def plain(self, message):
        """A message without ports that were drawn by chance, and what ours does better: see differences.md."""
        found = message.decoded()
        for name in ("tuple_orig", "tuple_reply", "tuple"):
            for port in ("sport", "dport", "icmp_id", "icmpv6_id"):
                proto = found.get(name, {}).get("proto", {})
                if port in proto and proto[port] not in self.ports:
                    proto[port] = "port"
        info = found.get("protoinfo", {}).get("tcp", {})
        for flags in ("flags_orig", "flags_reply"):
            if flags in info:
                # What was acknowledged is known (0x20): ours learns it from the first packet.
                info[flags] = f"{int(info[flags][:2], 16) & ~0x20:02x}{info[flags][2:]}"
        return plain(message, self.nl.port, found)

    def forget(self):
        """Nothing is left of what was before."""
        for subsystem, kind in ((CONNTRACK, nfnl.CT_DELETE), (EXPECT, nfnl.EXP_DELETE)):
            self.nl.error_of(subsystem, kind, 0, [], 0)
        for _ in self.events.events():
            pass

    def play(self, episode, keep=None):
        """An episode: settings and packets, each a side and bytes. What came of it, as lines."""
        settings, packets = episode
        self.forget()
        self.settings(settings)
        self.learn(packets)
        before = self.counted()
        lines = []
        for number, (side, packet) in enumerate(packets):
            if keep is not None and number not in keep:
                continue
            self.links[side].send(packet)
            lines += [f"{number} {line}" for line in (f"> {side} {shown(packet)}", *self.came(), *self.told())]
        for subsystem, kind, sign in ((CONNTRACK, nfnl.CT_GET, "="), (EXPECT, nfnl.EXP_GET, "~")):
            found = self.nl.request(subsystem, kind, nfnl.DUMP, [], 0)
            lines += sorted(f"end {sign} {self.plain(message)}" for message in found)
        counted = (f"{name}={now - then}" for name, now, then in zip(COUNTED, self.counted(), before))
        return [*lines, f"end # {' '.join(counted)}"]


def episode_of(where):
    """The episode with a name. It does not depend on what is played before it."""
    return KINDS[where.split(":")[1]](random.Random(where))


def main():
    """Plays."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs=3)
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--episodes", type=int, default=120)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--cases")
    options = parser.parse_args()
    player = Player(*options.names)
    with open(options.file, "w", encoding="ascii", errors="backslashreplace") as file:
        if options.cases:
            for turn, line in enumerate(pathlib.Path(options.cases).read_text(encoding="ascii").split()):
                where, _, numbers = line.partition("=")
                for told in player.play(episode_of(where), {int(number) for number in numbers.split(",")}):
                    file.write(f"{turn} {told}\n")
            return
        kinds = options.kinds.split(",")
        for number in range(options.episodes):
            where = f"{options.seed}:{kinds[number % len(kinds)]}:{number // len(kinds)}"
            episode = episode_of(where)
            told = player.play(episode)
            if options.brief:
                told = [f"{len(episode[1])} {hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:16]}"]
            file.writelines(f"{where} {line}\n" for line in told)
        player.forget()


main()
