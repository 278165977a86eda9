# SPDX-License-Identifier: GPL-2.0
"""Makes episodes of what helpers read: the payloads of helpers.py, messages of H.323 and calls by SIP, in packets.

Payloads that ours takes otherwise on purpose (Documentation/differences.md) are not among them.
"""

import socket

import helpers
import nf_nat_packets as wire
from h323_messages import MESSAGES
from nf_nat_packets import ACK, PSH, SYN, TCP, UDP
from packets_made import OPENING, STRICT, Connection, Hosts, other

# Ports that payloads of helpers.py, of H.323 and of SIP announce: connections to some of them follow.
ANNOUNCED = {
    "ftp": (5001, 5002, 5006, 5127), "irc": (5000, 5001, 5002), "tftp": (2000,), "amanda": (1024, 1025, 50000), "sane": (5000,),
    "pptp": (), "snmp_trap": (), "RAS": (1720, 1719), "Q.931": (2000, 5000, 5001, 5002, 1503), "sip": (4000, 4001, 4002, 5060),
}
# Not read by stock, or not all of it.
OTHERWISE = ("Alerting", "Connect", "IRR")


def h323(how):
    """Plays of H.323: (who, message) each."""
    found = []
    for name, (kind, data) in MESSAGES.items():
        if kind == how and name not in OTHERWISE:
            found.append([("s" if name[1:3] == "CF" else "c", data if how == "ras" else b"\3\0" + (len(data) + 4).to_bytes(2, "big") + data)])
    return found


PLAYS = [(name, TCP if kind == socket.SOCK_STREAM else UDP, port, list(plays)) for name, kind, port, plays in helpers.PLAYS]
PLAYS += [("RAS", UDP, 1719, h323("ras")), ("Q.931", TCP, 1720, h323("call")), ("sip", UDP, 5060, None)]
# Those that know IPv6.
WIDE = ("ftp", "tftp", "amanda", "sane", "sip")


def message(first, *headers, body=""):
    """A message of SIP."""
    lines = [first, *headers]
    if body:
        lines.append("Content-Type: application/sdp")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def sip(rng, hosts):
    """A registration, or a call, as (who, text)."""
    own, known = hosts.address["c"]
    there, seen = hosts.address["s"]
    if hosts.family == 6:
        own, known, there, seen = (f"[{address}]" for address in (own, known, there, seen))
    branch, tag, call = (rng.randrange(10 ** 6) for _ in range(3))

    def session(who, port):
        kind = f"IN IP{hosts.family} {who.strip('[]')}"
        media = "".join(f"m={what} {port + 2 * n} RTP/AVP 0\r\n" for n, what in enumerate(("audio", "video")[:rng.choice([1, 1, 2])]))
        return f"v=0\r\no=- 1 1 {kind}\r\ns=-\r\nc={kind}\r\nt=0 0\r\n{media}"

    def request(name, to, number, *more, body=""):
        return message(f"{name} sip:bob@{known} SIP/2.0", f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{branch}", f"From: <sip:me@{own}>;tag={tag}",
                       f"To: <sip:bob@{known}>{to}", f"Call-ID: {call}@{own.strip('[]')}", f"CSeq: {number} {name}", *more, body=body)

    def answer(status, name, number, *more, body=""):
        # What the other end saw of the request.
        return message(f"SIP/2.0 {status}", f"Via: SIP/2.0/UDP {seen};branch=z9hG4bK{branch}", f"From: <sip:me@{seen}>;tag={tag}",
                       f"To: <sip:bob@{there}>;tag=9", f"Call-ID: {call}@x", f"CSeq: {number} {name}", *more, body=body)

    contact = f"Contact: <sip:me@{own}:5060>"
    if rng.random() < 0.4:
        seconds = rng.choice([60, 600, 3600])
        return [("c", request("REGISTER", "", 1, contact, f"Expires: {seconds}")),
                ("s", answer("200 OK", "REGISTER", 1, f"Contact: <sip:me@{seen}:5060>;expires={seconds}"))]
    said = [("c", request("INVITE", "", 1, contact, body=session(own, 4000)))]
    if rng.random() < 0.5:
        said.append(("s", answer("180 Ringing", "INVITE", 1)))
    if rng.random() < 0.2:
        return [*said, ("s", answer("486 Busy Here", "INVITE", 1))]
    said += [("s", answer("200 OK", "INVITE", 1, f"Contact: <sip:bob@{there}:5060>", body=session(there, 6000))), ("c", request("ACK", ";tag=9", 1))]
    if rng.random() < 0.5:
        said += [("c", request("BYE", ";tag=9", 2)), ("s", answer("200 OK", "BYE", 2))]
    return said


def addressed(data, hosts):
    """A payload with the addresses of these hosts instead of those that are in it."""
    for side, text, h323_text in (("c", "10.0.1.2", "10.0.1.99"), ("s", "10.0.2.2", "10.0.2.99")):
        own = hosts.address[side][0]
        if hosts.family == 6:
            data = data.replace(b"|1|" + text.encode(), b"|2|" + own.encode())
            continue
        for old in (text, h323_text):
            for form in (str.encode, lambda address: address.replace(".", ",").encode(), wire.raw,
                         lambda address: str(int.from_bytes(wire.raw(address), "big")).encode()):
                data = data.replace(form(old), form(own))
    return data.replace(b"fd00:1::2", hosts.address["c"][0].encode()) if hosts.family == 6 else data


def application(rng):
    """What is said in one connection, now and then twice or in two segments, and connections to what was announced."""
    name, protocol, port, plays = rng.choice(PLAYS)
    hosts = Hosts(rng, None if name in WIDE else 4)
    if hosts.family == 6:
        # FTP's commands of IPv4 are refused there: see differences.md.
        plays = plays and [play for play in plays if not any(b"227" in data or b"PORT" in data.upper() for _, data in play)]
    said = [(side, addressed(data, hosts)) for side, data in rng.choice(plays)] if plays else sip(rng, hosts)
    # By this port a client of PPTP is known outside, payloads of helpers.py say.
    sport = 5060 if name == "sip" else helpers.PORT
    packets = []
    if protocol == TCP:
        link = Connection(rng, hosts, port, sport)
        packets += [link.segment(side, flags, exact=True) for side, flags, _ in OPENING]
        link.settled = True
        for side, data in said:
            cut = rng.randrange(1, len(data)) if name in ("ftp", "sane") and rng.random() < 0.15 else len(data)
            for part in filter(None, (data[:cut], data[cut:])):
                packets.append(link.segment(side, PSH | ACK, part, exact=True))
                if rng.random() < 0.2:
                    packets.append(packets[-1])
            if rng.random() < 0.8:
                packets.append(link.segment(other(side), ACK, exact=True))
    else:
        for side, data in said:
            ports = (sport, port) if side == "c" else (port, sport)
            packets.append(hosts.packet(side, UDP, lambda a, b, ports=ports, data=data: wire.udp(a, b, *ports, data)))
            if rng.random() < 0.15:
                packets.append(packets[-1])
    for dport in ANNOUNCED[name]:
        for side in "cs":
            what = TCP if name in ("ftp", "irc", "amanda", "sane") or name == "Q.931" and dport < 5000 or dport == 1720 else UDP

            def make(a, b, dport=dport, what=what):
                return wire.tcp(a, b, 3001, dport, flags=SYN) if what == TCP else wire.udp(a, b, 3001, dport, b"media")

            if rng.random() < 0.5:
                packets.append(hosts.packet(side, what, make))
    return STRICT, packets
