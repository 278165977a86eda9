#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_h323_call.py HIDDEN OTHER WAY: a call from one network namespace to
another, for nf_nat_h323_call.sh: set-up, the control connection, streams and their
reports, each where the messages say. WAY has the caller behind the router's
address (snat, snat6), or the one that is called (dnat), or a gatekeeper is told
where it can be called (registered).

Messages are those of h323_messages.py, with other addresses.
"""

import ctypes
import ipaddress
import socket
import sys

from h323_messages import MESSAGES

NEWNET = 0x40000000
HIDDEN = {4: "10.0.1.99", 6: "dead:1::99"}
# Who the other one is, and where it reaches the hidden one.
OTHER = {"snat": "10.0.2.99", "dnat": "10.0.2.99", "snat6": "fd00:2::2"}
OUTSIDE = {"snat": "10.0.2.1", "dnat": "10.0.2.1", "snat6": "fd00:2::1"}


def enter(name):
    with open(f"/run/netns/{name}", encoding="ascii") as namespace:
        if ctypes.CDLL(None).setns(namespace.fileno(), NEWNET):
            raise OSError("setns")


def packed(address, port):
    return ipaddress.ip_address(address).packed + port.to_bytes(2, "big")


def tpkt(data):
    return b"\x03\0" + (len(data) + 4).to_bytes(2, "big") + data


class End:
    """One of the two; its sockets are in its namespace."""

    def __init__(self, namespace, address):
        self.namespace, self.address = namespace, address

    def socket(self, kind, port=0):
        enter(self.namespace)
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.settimeout(10)
        made.bind((self.address, port))
        if kind == socket.SOCK_STREAM and port:
            made.listen()
        return made

    def connect(self, address, port):
        made = self.socket(socket.SOCK_STREAM)
        made.connect((address, port))
        return made


def told(sender, receiver, name, others=()):
    """Sends a message; what the receiver has of it."""
    data = tpkt(MESSAGES[name][1])
    for old, new in others:
        data = data.replace(old, new)
    sender.sendall(data)
    got = b""
    while len(got) < len(data):
        part = receiver.recv(65536)
        if not part:
            break
        got += part
    assert len(got) == len(data), (name, len(got))
    return got


def port_of(message, address):
    """The port behind an address, which must be there."""
    wanted = ipaddress.ip_address(address).packed
    at = message.find(wanted)
    assert at >= 0, f"no {address} in {message.hex()}"
    return int.from_bytes(message[at + len(wanted):][:2], "big")


def streams(message, outside, hidden, other):
    """Both streams that a message tells of reach who hides."""
    first = port_of(message, outside)
    own = ipaddress.ip_address(hidden.address).packed
    assert own not in message, message.hex()
    for port, last in ((5000, first & ~1), (5001, first | 1)):
        at = hidden.socket(socket.SOCK_DGRAM, port)
        sender = other.socket(socket.SOCK_DGRAM)
        sender.sendto(b"stream %d" % port, (outside, last))
        data, peer = at.recvfrom(100)
        assert data == b"stream %d" % port, data
        at.sendto(b"answer", peer)
        data, peer = sender.recvfrom(100)
        assert (data, peer[:2]) == (b"answer", (outside, last)), (data, peer)
        at.close()
        sender.close()


def outgoing(hidden, other, way):
    """The hidden one calls: its set-up tells where its control connection is."""
    outside, family = OUTSIDE[way], 6 if way == "snat6" else 4
    listener = other.socket(socket.SOCK_STREAM, 1720)
    control = hidden.socket(socket.SOCK_STREAM, 2000)
    signal = hidden.connect(other.address, 1720)
    answer, peer = listener.accept()
    assert peer[0] == outside, peer
    name = {4: "Setup", 6: "Setup from IPv6"}[family]
    message = told(signal, answer, name)
    wanted = port_of(message, outside)
    if family == 6:
        # Its first stream is in the same message.
        rest = message[message.find(packed(outside, wanted)) + 18:]
        streams(rest, outside, hidden, other)
        return [signal, answer, control], wanted
    called = other.connect(outside, wanted)
    accepted, peer = control.accept()
    assert peer[0] == other.address, peer
    streams(told(accepted, called, "OpenLogicalChannel"), outside, hidden, other)
    return [signal, answer, called, accepted], wanted


def incoming(hidden, other):
    """The hidden one is called; its answer tells where its control connection is."""
    outside = OUTSIDE["dnat"]
    listener = hidden.socket(socket.SOCK_STREAM, 1720)
    control = hidden.socket(socket.SOCK_STREAM, 2000)
    signal = other.connect(outside, 1720)
    answer, _ = listener.accept()
    # Whom the caller calls is told to the one that it is.
    message = told(signal, answer, "Setup", [
        (packed("10.0.1.99", 2000), packed("10.0.2.99", 2000)),
        (packed("10.0.2.99", 1720), packed(outside, 1720))])
    assert packed("10.0.1.99", 1720) in message, message.hex()
    message = told(answer, signal, "Connect")
    called = other.connect(outside, port_of(message, outside))
    accepted, _ = control.accept()
    streams(told(accepted, called, "OpenLogicalChannelAck", [
        (packed("10.0.1.99", 5002), packed("10.0.1.99", 5000)),
        (packed("10.0.1.99", 5003), packed("10.0.1.99", 5001))]), outside, hidden, other)


def registered(hidden, other):
    """The hidden one registers with a gatekeeper and is called; and again when the
    NAT half has gone."""
    outside = OUTSIDE["snat"]
    keeper = other.socket(socket.SOCK_DGRAM, 1719)
    endpoint = hidden.socket(socket.SOCK_DGRAM, 1719)
    listener = hidden.socket(socket.SOCK_STREAM, 1720)
    endpoint.sendto(MESSAGES["RRQ"][1], (other.address, 1719))
    message, peer = keeper.recvfrom(65536)
    wanted = port_of(message, outside)
    keeper.sendto(MESSAGES["RCF of 65535 s"][1].replace(packed("10.0.1.99", 1720), packed(outside, wanted)), peer)
    message = endpoint.recv(65536)
    assert packed("10.0.1.99", 1720) in message, message.hex()
    call = other.connect(outside, wanted)
    accepted, peer = listener.accept()
    assert peer[0] == other.address, peer
    for one in (call, accepted):
        one.close()
    print("called", flush=True)
    sys.stdin.readline()
    try:
        other.connect(outside, wanted)
        print("called again")
    except OSError as error:
        print(f"not called: {error}")


def main():
    hidden_name, other_name, way = sys.argv[1:4]
    kind = "snat" if way == "registered" else way
    hidden = End(hidden_name, HIDDEN[6 if kind == "snat6" else 4])
    other = End(other_name, OTHER[kind])
    if way == "dnat":
        incoming(hidden, other)
    elif way == "registered":
        registered(hidden, other)
    else:
        outgoing(hidden, other, way)


main()
