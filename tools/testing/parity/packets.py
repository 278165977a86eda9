#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0
"""Plays packets through a router, always the same ones, and writes down what comes of them.

usage: packets.py FILE CLIENT ROUTER SERVER [--seed N] [--episodes N] [--only KIND:EPISODE [--keep N,N,...]...]

In FILE there is a line for each packet sent (>) with its number in the episode, each that came out of the router at the
client's side (c) or the server's (s), each event (!), and at the end of an episode each connection (=) and expectation (~).
A packet that was forwarded carries in its DSCP what it was to connection tracking. With --only one episode is
played, as often as there is --keep, each time with only the packets of these numbers.
"""

import argparse
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
from packets_made import KINDS
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
MARKER = 9
SHOWN = 84
RULES = """
flush ruleset
table inet t {
	ct helper ftp { type "ftp" protocol tcp; }
	ct helper tftp { type "tftp" protocol udp; }
	ct helper irc { type "irc" protocol tcp; }
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
    """Sends, and writes what comes of it."""

    def __init__(self, file, client, router, server):
        self.file = file
        self.test = wire.Test(client, router, server)
        self.links = {"c": self.test.client, "s": self.test.server}
        self.test.run(["nft", "-f", "-"], RULES)
        with wire.inside(router):
            self.nl = nfnl.Socket()
            self.events = nfnl.Socket(groups=nfnl.GROUPS, receive_buffer=1 << 20)
            for name, value in TIMEOUTS.items():
                self.setting(name, 1000 * value)
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
        """A packet in hexadecimal, without what is drawn by chance: ports that NAT chose, with their checksum."""
        if packet[0] >> 4 == 6 and packet[6] == 44:
            # The number of a fragment is drawn by chance.
            return shown(packet[:44] + bytes(4) + packet[48:])
        text = shown(packet)
        at, protocol = (40, packet[6]) if packet[0] >> 4 == 6 else (20, packet[9])
        check = {wire.TCP: 16, wire.UDP: 6, wire.SCTP: 8}.get(protocol)
        if check is None or len(packet) < at + check + 2 or packet[0] >> 4 == 4 and packet[6] & 0x1f or packet[7] and packet[0] >> 4 == 4:
            return text
        for place in (at, at + 2):
            if struct.unpack_from("!H", packet, place)[0] not in self.ports:
                size = 8 if protocol == wire.SCTP else 4
                text = text[:2 * place] + "port" + text[2 * place + 4:]
                text = text[:2 * (at + check)] + "s" * size + text[2 * (at + check) + size:]
        return text

    def learn(self, packets):
        """The ports of an episode."""
        self.ports = {MARKER}
        for _, packet in packets:
            at = 40 if packet[0] >> 4 == 6 else 20
            if len(packet) >= at + 4:
                self.ports.update(struct.unpack_from("!HH", packet, at))

    def write(self, where, lines):
        """Lines of an episode."""
        for line in lines:
            self.file.write(f"{where} {line}\n")

    def told(self):
        """Events, sorted: those of one packet have no order that matters."""
        return sorted("! " + self.plain(message) for message in self.events.events())

    def plain(self, message):
        """A message without ports that were drawn by chance, and what ours does better: see differences.md."""
        found = message.decoded()
        for name in ("tuple_orig", "tuple_reply", "tuple"):
            for port in ("sport", "dport"):
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

    def play(self, where, episode, keep=None):
        """An episode: settings and packets, each a side and bytes."""
        settings, packets = episode
        self.forget()
        self.settings(settings)
        self.learn(packets)
        for number, (side, packet) in enumerate(packets):
            if keep is not None and number not in keep:
                continue
            self.write(f"{where}.{number}", [f"> {side} {shown(packet)}"])
            self.links[side].send(packet)
            self.write(f"{where}.{number}", self.came() + self.told())
        for subsystem, kind, sign in ((CONNTRACK, nfnl.CT_GET, "="), (EXPECT, nfnl.EXP_GET, "~")):
            found = self.nl.request(subsystem, kind, nfnl.DUMP, [], 0)
            self.write(f"{where}.end", sorted(f"{sign} {self.plain(message)}" for message in found))


def main():
    """Plays."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("file")
    parser.add_argument("names", nargs=3)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--only")
    parser.add_argument("--keep", action="append", default=[])
    options = parser.parse_args()
    with open(options.file, "w", encoding="ascii", errors="backslashreplace") as file:
        player = Player(file, *options.names)
        for kind, make in KINDS.items():
            for number in range(options.episodes):
                where = f"{kind}:{number}"
                if options.only not in (None, where):
                    continue
                # What is played does not depend on what came before.
                episode = make(random.Random(f"{options.seed} {where}"))
                if not options.keep:
                    player.play(where, episode)
                for turn, keep in enumerate(options.keep):
                    player.play(f"{where}/{turn}", episode, {int(n) for n in keep.split(",")})
        player.forget()


main()
