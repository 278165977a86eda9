#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_h323.py CLIENT ROUTER SERVER: plays H.323 messages through a router, and
prints what arrives and what the router expects then, for nf_nat_h323.sh.

The caller is 10.0.1.99, the other end 10.0.2.99.
"""

import ctypes
import os
import re
import socket
import subprocess
import sys

from h323_messages import MESSAGES

CLIENT, ROUTER, SERVER = sys.argv[1:4]
INSIDE, OUTSIDE = "10.0.1.99", "10.0.2.99"
NEWNET = 0x40000000


def enter(name):
    with open(f"/run/netns/{name}", encoding="ascii") as namespace:
        if ctypes.CDLL(None).setns(namespace.fileno(), NEWNET):
            raise OSError("setns")


def made(name, family, kind):
    """A socket in a namespace."""
    enter(name)
    made_socket = socket.socket(family, kind)
    made_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made_socket.settimeout(5)
    return made_socket


def conntrack(*arguments):
    command = ["ip", "netns", "exec", ROUTER, "conntrack", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def expected():
    """What the router expects, without times, sorted."""
    lines = []
    for line in conntrack("-L", "expect").splitlines():
        line = re.sub(r"^\d+ ", "", line)
        lines.append(re.sub(r" (master-)?(zone|use)=\d+", "", line).strip())
    return sorted(lines)


def show(name, data, back):
    """A message as it arrives, where it differs, and what is expected."""
    changed = [at for at, (a, b) in enumerate(zip(data, back)) if a != b]
    parts = []
    while changed:
        start = end = changed[0]
        while changed and changed[0] <= end + 5:
            end = changed.pop(0)
        parts.append(f"{start}: {data[start:end + 1].hex()} -> {back[start:end + 1].hex()}")
    print(f"== {name}: {len(data)} {len(back)}")
    for part in parts:
        print("   " + part)
    for line in expected():
        print("   " + line)
    sys.stdout.flush()


def tpkt(data):
    return b"\x03\0" + (len(data) + 4).to_bytes(2, "big") + data


def received(peer, wanted):
    data = b""
    while len(data) < wanted:
        try:
            part = peer.recv(65536)
        except socket.timeout:
            break
        if not part:
            break
        data += part
    return data


def ras(names, reply):
    """Datagrams, in one flow; those in reply come from the server."""
    conntrack("-F")
    server = made(SERVER, socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((OUTSIDE, 1719))
    client = made(CLIENT, socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((INSIDE, 1719))
    known = None
    for name in names:
        data = MESSAGES[name][1]
        if name in reply:
            server.sendto(data, known)
            back = client.recv(65536)
        else:
            client.sendto(data, (OUTSIDE, 1719))
            try:
                back, known = server.recvfrom(65536)
            except socket.timeout:
                back = b""
        show(name, data, back)
    client.close()
    server.close()


def stream(port, segments, answers=()):
    """A connection; each segment is (name, bytes)."""
    conntrack("-F")
    listener = made(SERVER, socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((OUTSIDE, port))
    listener.listen()
    client = made(CLIENT, socket.AF_INET, socket.SOCK_STREAM)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.bind((INSIDE, 33000))
    client.connect((OUTSIDE, port))
    server, _ = listener.accept()
    server.settimeout(5)
    for name, data in segments:
        client.sendall(data)
        show(name, data, received(server, len(data)))
    for name, data in answers:
        server.sendall(data)
        show(name, data, received(client, len(data)))
    # No TIME_WAIT: the next one uses the port again.
    linger = b"\x01\0\0\0\0\0\0\0"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.close()
    server.close()
    listener.close()


def main():
    for name, (how, data) in MESSAGES.items():
        if how == "call":
            stream(1720, [(name, tpkt(data))])
    calls = {name: tpkt(data) for name, (how, data) in MESSAGES.items() if how == "call"}
    one, two = calls["Setup"], calls["Setup with fast start"]
    stream(1720, [("two in a segment", one + two)])
    stream(1720, [("a header", one[:4]), ("its message", one[4:])])
    stream(1720, [("again", two), ("and again", two)])
    stream(1720, [], [("answer: " + name, calls[name]) for name in ("Connect", "Alerting")])
    ras(["GRQ", "GCF", "RRQ", "RCF of 65537 s", "ARQ of the caller", "ARQ of the called", "LRQ",
         "IRR", "RRQ", "ACF", "LCF", "URQ"], ("GCF", "RCF of 65537 s", "ACF", "LCF"))
    ras(["RRQ with everything", "RCF", "DRQ"], ("RCF",))


main()
