#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Both ends of PPTP (RFC 2637), by hand, for nf_nat_pptp.sh.

nf_nat_pptp.py TEST CLIENT SERVER ROUTER DIAL KNOWN: the names of the three
namespaces, the address that the client dials, and the one that the server knows
it by. The client is the PNS, the server the PAC. A test fails if something is
not as it should be. NAT=1 in the environment says that call ids are translated.
"""

import os
import socket
import struct
import subprocess
import sys
import time

PNS = "10.0.1.2"
PAC = "10.0.2.2"
PPP = 0x880B
TRANSLATED = os.environ.get("NAT") == "1"


def check(what, right):
    if not right:
        sys.exit(what)


def same(what, found, wanted):
    check(f"{what}: {found!r}, should be {wanted!r}", found == wanted)


class Namespace:
    """A network namespace, by name."""

    # How long what does not come is waited for, seconds.
    patience = 5

    def __init__(self, name):
        self.name = name

    def socket(self, *arguments):
        """A socket in it."""
        with open("/proc/self/ns/net") as own, open(f"/var/run/netns/{self.name}") as other:
            os.setns(other.fileno(), os.CLONE_NEWNET)
            try:
                made = socket.socket(*arguments)
            finally:
                os.setns(own.fileno(), os.CLONE_NEWNET)
        made.settimeout(self.patience)
        return made

    def run(self, *command):
        """What a command says there."""
        return subprocess.run(("ip", "netns", "exec", self.name, *command), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def message(kind, body, length):
    """A control message: its body is so long, zeroes at the end."""
    body = body.ljust(length, b"\0")
    return struct.pack("!HHIHH", 12 + length, 1, 0x1A2B3C4D, kind, 0) + body


def start_request():
    return message(1, b"\1\0", 144)


def start_reply():
    return message(2, b"\1\0\1", 144)


def out_request(pns):
    return message(7, struct.pack("!H", pns), 156)


def out_reply(pac, pns, result=1):
    return message(8, struct.pack("!HHB", pac, pns, result), 20)


def in_request(pac):
    return message(9, struct.pack("!H", pac), 208)


def in_reply(pns, pac, result=1):
    return message(10, struct.pack("!HHB", pns, pac, result), 12)


def in_connect(pns):
    return message(11, struct.pack("!H", pns), 16)


def clear(pns):
    return message(12, struct.pack("!H", pns), 4)


def disconnect(pac):
    return message(13, struct.pack("!HB", pac, 4), 136)


def wan_error(pns):
    return message(14, struct.pack("!H", pns), 28)


def set_link(peer):
    return message(15, struct.pack("!HHII", peer, 0, 0xFFFFFFFF, 0xFFFFFFFF), 12)


ECHO = message(5, b"\0\0\0\7", 4)
STOP_REQUEST = message(3, b"\1", 4)
STOP_REPLY = message(4, b"\1", 4)


class Control:
    """A control connection, with both its ends."""

    def __init__(self, place, port=0):
        with place.server.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((PAC, 1723))
            listener.listen()
            self.pns = place.client.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.pns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.pns.bind((PNS, port))
            self.pns.connect((place.dial, 1723))
            self.pac, (known, self.outside) = listener.accept()
        same("the client's address", known, place.known)
        self.pac.settimeout(Namespace.patience)
        self.say(start_request())
        self.answer(start_reply())

    def say(self, sent, received=None):
        """The PNS says something; the PAC hears it so."""
        self.pns.sendall(sent)
        self.hear(self.pac, received or sent)

    def answer(self, sent, received=None):
        """The PAC says something; the PNS hears it so."""
        self.pac.sendall(sent)
        self.hear(self.pns, received or sent)

    @staticmethod
    def hear(end, wanted):
        found = b""
        while len(found) < len(wanted):
            found += end.recv(len(wanted) - len(found))
        same("message", found.hex(), wanted.hex())

    def id(self, pns):
        """By which the PAC knows the PNS's end of a call."""
        return self.outside if TRANSLATED else pns

    def call(self, pns, pac):
        """An outgoing call."""
        self.say(out_request(pns), out_request(self.id(pns)))
        self.answer(out_reply(pac, self.id(pns)), out_reply(pac, pns))

    def close(self):
        self.pns.close()
        self.pac.close()


class Place:
    """The client, the server, and what is between them."""

    def __init__(self, client, server, router, dial, known):
        self.client, self.server, self.router = map(Namespace, (client, server, router))
        self.dial, self.known = dial, known
        self.tunnels = {}
        for name, at, address in (("pns", self.client, PNS), ("pac", self.server, PAC)):
            self.tunnels[name] = at.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE)
            self.tunnels[name].bind((address, 0))

    def send(self, by, key, data=b"packet"):
        """A packet of a call to who has this id."""
        header = struct.pack("!HHHHI", 0x3001, PPP, len(data), key, 1)
        to = self.dial if by == "pns" else self.known
        self.tunnels[by].sendto(header + data, (to, 0))

    def arrives(self, by, key, seen, data=b"packet"):
        """A packet of a call, and what the other end sees of it."""
        self.send(by, key, data)
        other = self.tunnels["pac" if by == "pns" else "pns"]
        try:
            packet, (source, _) = other.recvfrom(2000)
        except TimeoutError:
            sys.exit(f"the packet of the {by.upper()} to {key} does not arrive")
        packet = packet[(packet[0] & 15) * 4:]
        same("from", source, self.known if by == "pns" else self.dial)
        same("id", struct.unpack("!H", packet[6:8])[0], seen)
        same("payload", packet[12:], data)

    def lost(self, by, key):
        """A packet that does not get through."""
        self.send(by, key)
        other = self.tunnels["pac" if by == "pns" else "pns"]
        other.settimeout(0.5)
        try:
            other.recvfrom(2000)
            sys.exit(f"the packet of the {by.upper()} to {key} arrives")
        except TimeoutError:
            other.settimeout(5)

    def expected(self):
        """How many connections are expected."""
        return self.router.run("cat", "/proc/net/nf_conntrack_expect").count("\n")

    def calls(self):
        """How many there are, whose packets have gone both ways."""
        lines = self.router.run("conntrack", "-L", "-p", "gre").splitlines()
        return sum("key" in line and "UNREPLIED" not in line for line in lines)

    def is_over(self):
        """No call, and none expected."""
        for _ in range(20):
            if self.expected() + self.calls() == 0:
                return
            time.sleep(0.1)
        sys.exit(f"{self.expected()} expected, {self.calls()} calls")


def outgoing(place):
    """The client calls; its packet is the first."""
    control = Control(place)
    control.call(7, 99)
    same("expected", place.expected(), 2)
    place.arrives("pns", 99, 99)
    same("expected with a call", place.expected(), 0)
    place.arrives("pac", control.id(7), 7)
    place.arrives("pns", 99, 99, b"another")
    same("calls", place.calls(), 1)
    control.answer(set_link(control.id(7)), set_link(7))
    control.say(set_link(99))
    control.answer(wan_error(control.id(7)), wan_error(7))
    control.say(ECHO)
    control.say(clear(7), clear(control.id(7)))
    control.answer(disconnect(99))
    place.is_over()
    place.lost("pac", control.id(7))
    place.lost("pns", 99)
    control.close()


def server_first(place):
    """The server's packet is the first; ids that are not the usual ones."""
    control = Control(place)
    control.call(0, 65535)
    place.arrives("pac", control.id(0), 0)
    same("expected with a call", place.expected(), 0)
    place.arrives("pns", 65535, 65535)
    same("calls", place.calls(), 1)
    control.close()
    place.router.run("conntrack", "-D", "-p", "tcp")
    place.is_over()


def incoming(place):
    """The server calls."""
    control = Control(place)
    control.answer(in_request(99))
    control.say(in_reply(7, 99), in_reply(control.id(7), 99))
    control.answer(in_connect(control.id(7)), in_connect(7))
    place.arrives("pac", control.id(7), 7)
    place.arrives("pns", 99, 99)
    control.say(STOP_REQUEST)
    control.answer(STOP_REPLY)
    place.is_over()
    control.close()


def again(place):
    """Calls one after the other; what is refused is not expected; a repetition."""
    control = Control(place)
    control.say(out_request(5), out_request(control.id(5)))
    control.answer(out_reply(0, control.id(5), 4), out_reply(0, 5, 4))
    same("expected when refused", place.expected(), 0)
    for pns, pac in ((5, 1), (6, 2), (5, 1)):
        # Two messages in a segment, and one of them twice.
        control.say(ECHO + out_request(pns), ECHO + out_request(control.id(pns)))
        for _ in range(2):
            control.answer(out_reply(pac, control.id(pns)), out_reply(pac, pns))
        same("expected", place.expected(), 2)
        place.arrives("pns", pac, pac)
        place.arrives("pac", control.id(pns), pns)
        control.answer(disconnect(pac))
        place.is_over()
    # Another one's id is no answer.
    control.say(out_request(5), out_request(control.id(5)))
    other = control.id(5) ^ 1
    control.answer(out_reply(1, other), out_reply(1, other))
    same("expected by a wrong answer", place.expected(), 0)
    control.close()


def several(place):
    """Two control connections whose clients have the same id: only under NAT."""
    first, second = Control(place), Control(place)
    first.call(7, 98)
    second.call(7, 99)
    place.arrives("pns", 99, 99)
    place.arrives("pns", 98, 98)
    place.arrives("pac", first.id(7), 7)
    place.arrives("pac", second.id(7), 7)
    same("calls", place.calls(), 2)
    first.answer(disconnect(98))
    place.lost("pac", first.id(7))
    place.arrives("pac", second.id(7), 7)
    first.close()
    second.close()
    place.router.run("conntrack", "-D", "-p", "tcp")
    place.is_over()


def cut(place):
    """A message in two segments says nothing; the connection goes on."""
    control = Control(place)
    request = out_request(7)
    for piece in (request[:20], request[20:]):
        control.say(piece)
        time.sleep(0.1)
    control.answer(out_reply(99, 7))
    same("expected", place.expected(), 0)
    control.call(7, 99)
    same("expected", place.expected(), 2)
    control.close()
    place.router.run("conntrack", "-D", "-p", "tcp")
    place.is_over()


def race(place):
    """Calls, while control connections are removed at any time."""
    Namespace.patience = 0.3
    remove = ("ip", "netns", "exec", place.router.name, "sh", "-c", "while :; do conntrack -D -p tcp; sleep 0.02; done")
    calls, end = 0, time.monotonic() + 5
    with subprocess.Popen(remove, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as remover:
        while time.monotonic() < end:
            control = None
            try:
                control = Control(place)
                for pac in range(1, 9):
                    control.call(7, pac)
                    calls += 1
                    place.send("pns", pac)
                    place.send("pac", control.id(7))
                    control.answer(disconnect(pac))
            except (OSError, SystemExit):
                pass
            if control:
                control.close()
        remover.kill()
    # The loop's own child may be at work still.
    time.sleep(0.2)
    check("there was no call", calls)
    place.router.run("conntrack", "-D", "-p", "tcp")
    place.is_over()


def hold(place):
    """A call that stays until a line is read from standard input."""
    control = Control(place)
    control.call(7, 99)
    place.arrives("pns", 99, 99)
    place.arrives("pac", control.id(7), 7)
    print("ready", flush=True)
    sys.stdin.readline()
    control.close()


def main():
    name, *arguments = sys.argv[1:]
    globals()[name.replace("-", "_")](Place(*arguments))


if __name__ == "__main__":
    main()
