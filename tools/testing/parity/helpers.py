#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0
"""Plays payloads past the helpers, always the same ones, and writes down what comes of them:
helpers.py FILE CLIENT ROUTER SERVER NAT

In FILE there is a line for each payload: who says what to whom, what the other end hears, and what is expected then.
The namespaces are given by name; there are rules that assign helpers, and NAT is the name of what else they do. Payloads
that ours take otherwise than stock on purpose (Documentation/differences.md) are not among these: they are played by the
selftests.
"""

import os
import pathlib
import re
import socket
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "selftests/net/netfilter")]
# pylint: disable=wrong-import-position
import nfnl
from plain import plain

CLIENT, SERVER = "10.0.1.2", "10.0.2.2"
# How long what does not come is waited for, seconds.
PATIENCE = 0.6


def inside(namespace, make):
    """What `make` makes in a namespace."""
    with open("/proc/self/ns/net") as own, open(f"/var/run/netns/{namespace}") as other:
        os.setns(other.fileno(), os.CLONE_NEWNET)
        try:
            return make()
        finally:
            os.setns(own.fileno(), os.CLONE_NEWNET)


def ber(tag, *contents):
    """An element of the Basic Encoding Rules."""
    body = b"".join(contents)
    length = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack("!H", len(body))
    return bytes([tag]) + length + body


def snmp(pdu, *values, version=b"\1"):
    """A message with these values, each tag and contents."""
    bindings = [ber(0x30, ber(6, b"\x2b\6\1"), ber(tag, value)) for tag, value in values]
    numbers = [ber(2, b"\1\2\3\4"), ber(2, b"\0"), ber(2, b"\0")]
    return ber(0x30, ber(2, version), ber(4, b"public"), ber(pdu, *numbers, ber(0x30, *bindings)))


def pptp(kind, body, length):
    """A control message."""
    return struct.pack("!HHIHH", 12 + length, 1, 0x1A2B3C4D, kind, 0) + body.ljust(length, b"\0")


def address(text):
    return socket.inet_aton(text)


# What is said, in one connection: by the client ("c") or the server ("s").
# Commands count from where lines are known to begin.
HELLO = [("s", b"220 hello\r\n"), ("c", b"USER me\r\n")]
FTP = (
    [*HELLO, ("c", line)] for line in (
        b"PORT 10,0,1,2,19,136\r\n", b"port 10,0,1,2,19,137\r\n", b"PORT 10,0,1,2,255,255\r\n", b"PORT 10,0,1,3,19,138\r\n",
        b"PORT 10,0,1,2,19,139\n", b"PORT 10,0,1,2,256,1\r\n", b"PORT 10,0,1,300,19,136\r\n",
        b"EPRT |1|10.0.1.2|5001|\r\n", b"eprt |1|10.0.1.2|5002|\r\n", b"EPRT !1!10.0.1.2!5003!\r\n", b"EPRT |2|fd00:1::2|5004|\r\n",
        b"EPRT |1|10.0.1.2|65535|\r\n", b"EPRT |1|10.0.1.2|65536|\r\n", b"EPRT |1|10.0.1.9|5005|\r\n",
        b"NOOP\r\n", b"XPORT 10,0,1,2,19,136\r\n", b"PORTS 10,0,1,2,19,136\r\n", b"EPSV\r\n",
    )
)
FTP_ANSWERS = (
    [*HELLO, ("s", line)] for line in (
        b"227 Entering Passive Mode (10,0,2,2,19,136).\r\n", b"227 =10,0,2,2,19,137\r\n", b"227 (10,0,2,9,19,138)\r\n",
        b"229 Extended (|||5006|)\r\n", b"229 (|||65535|)\r\n", b"229 (|||65536|)\r\n", b"229 (|||0|)\r\n", b"229 nothing\r\n",
        b"226 10,0,2,2,19,136\r\n", b"227-hello\r\n",
    )
)
IRC = (
    [("c", b"PRIVMSG bob :hello\r\n"), ("c", b"PRIVMSG bob :\1" + text + b"\1\r\n")] for text in (
        b"DCC SEND file 167772418 5000 4", b"DCC CHAT chat 167772418 5001", b"DCC TSEND file 167772418 5002 4",
        b"DCC SCHAT chat 167772418 5003", b"DCC MOVE file 167772418 5004 4", b"DCC SEND file 167772419 5005 4",
        b"DCC SEND file 167772418 0 4", b"DCC SEND file", b"DCC NOTHING file 167772418 5006 4", b"ACTION waves",
    )
)
TFTP = (
    [("c", packet)] for packet in (
        b"\0\1file\0octet\0", b"\0\2file\0octet\0", b"\0\3\0\1data", b"\0\4\0\1", b"\0\5\0\1no\0", b"\0\1", b"\1\1file\0octet\0",
    )
)
AMANDA = (
    [("c", b"Amanda 2.5 REQ HANDLE 000 SEQ 1\n"), ("s", b"Amanda 2.5 REP HANDLE 000 SEQ 1\n" + line + b"OPTIONS ;\n")] for line in (
        b"CONNECT DATA 1024 MESG 1025 INDEX 1026\n", b"CONNECT DATA 50000\n", b"CONNECT INDEX 1\n", b"CONNECT\n", b"DATA 1024\n",
        b"CONNECT STATE 1027\n",
    )
)
SANE = (
    [("c", struct.pack("!II", code, 0)), ("s", struct.pack("!III", *answer))] for code, answer in (
        (7, (0, 5000, 0)), (7, (0, 65535, 0)), (7, (1, 5000, 0)), (7, (0, 65536, 0)), (6, (0, 5000, 0)),
    )
)
START = [("c", pptp(1, b"\1\0", 144)), ("s", pptp(2, b"\1\0\1", 144))]
CALL = pptp(7, struct.pack("!H", 7), 156)
# The port of the client, which is its id outside.
PORT = 2000
PPTP = (
    [*START, ("c", CALL), ("s", pptp(8, struct.pack("!HHB", 99, known, result), 20)), *more] for known, result, more in (
        (PORT, 1, [("s", pptp(15, struct.pack("!H", PORT), 12)), ("s", pptp(14, struct.pack("!H", PORT), 28)),
                   ("c", pptp(15, struct.pack("!H", 99), 12)), ("c", pptp(12, struct.pack("!H", 7), 4))]),
        (7, 1, [("c", pptp(5, b"\0\0\0\1", 4)), ("c", pptp(12, struct.pack("!H", 7), 4))]),
        (PORT, 2, []), (7, 4, []), (8, 1, []),
    )
)
PPTP_ALONE = ([(by, text)] for by, text in (
    ("c", CALL), ("c", pptp(77, b"", 8)), ("c", b"what?"), ("s", pptp(8, struct.pack("!HHB", 99, 7, 1), 20)), ("c", pptp(7, b"", 10)),
))
OTHER = (2, b"\7")
SNMP = (
    [("c", text)] for text in (
        snmp(0xA0, (5, b"")), snmp(0xA7, (0x40, address(CLIENT)), OTHER, (0x40, address(SERVER)), (0x40, address(CLIENT))),
        snmp(0xA6, (0x40, address(CLIENT)), (4, address(CLIENT)), (0x44, address(CLIENT))), snmp(0xA7, version=b"\3"),
        snmp(0xA7, (0x40, b"\1\2\3")), snmp(0xA7, (0x40, address(CLIENT)), (4, b"x" * 300), (0x40, address(CLIENT))), b"no SNMP",
        snmp(0xA7, (0x40, address(CLIENT)))[:-1], snmp(0xA7, (0x40, address(CLIENT)), version=b"\0"), snmp(0xA7, (0x46, b"\1\2\3\4\5")),
    )
)

# Name, protocol, port, and what is said. Answers of SNMP's agents under DNAT differ on purpose.
PLAYS = (
    ("ftp", socket.SOCK_STREAM, 21, FTP), ("ftp", socket.SOCK_STREAM, 21, FTP_ANSWERS), ("irc", socket.SOCK_STREAM, 6667, IRC),
    ("tftp", socket.SOCK_DGRAM, 69, TFTP), ("amanda", socket.SOCK_DGRAM, 10080, AMANDA), ("sane", socket.SOCK_STREAM, 6566, SANE),
    ("pptp", socket.SOCK_STREAM, 1723, PPTP), ("pptp", socket.SOCK_STREAM, 1723, PPTP_ALONE), ("snmp_trap", socket.SOCK_DGRAM, 162, SNMP),
)


class Stage:
    """Where it is played."""

    def __init__(self, file, client, router, server, nat):
        self.file, self.client, self.router, self.server, self.nat = file, client, router, server, nat
        self.port = PORT
        self.netlink = inside(router, nfnl.Socket)

    def socket(self, namespace, kind, name):
        made = inside(namespace, lambda: socket.socket(socket.AF_INET, kind))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(name)
        made.settimeout(5)
        return made

    def ends(self, kind, port):
        """The client's and the server's end of a new connection."""
        to = ("10.0.1.1" if self.nat == "dnat" else SERVER, port)
        server = self.socket(self.server, kind, (SERVER, port))
        # PPTP's id is to be the same each time, others have a port for each connection.
        self.port += port != 1723
        client = self.socket(self.client, kind, (CLIENT, PORT if port == 1723 else self.port))
        if kind == socket.SOCK_STREAM:
            server.listen()
            client.connect(to)
            listener, (server, _) = server, server.accept()
            listener.close()
        else:
            client.connect(to)
        return client, server

    def hear(self, end):
        """What arrives, and from where."""
        end.settimeout(PATIENCE)
        try:
            return end.recvfrom(65536)
        except (TimeoutError, OSError):
            return None, None

    def expected(self):
        """What is expected, without times: as the file and as netlink show it."""
        def read():
            with open(f"/proc/{os.getpid()}/net/nf_conntrack_expect") as file:
                return file.read()
        lines = inside(self.router, read).splitlines()
        messages = self.netlink.request(nfnl.EXPECT, nfnl.EXP_GET, nfnl.DUMP, [], 0)
        return [*(re.sub(r"^\d+ ", "", line) for line in lines), *(plain(message, self.netlink.port) for message in messages)]

    def play(self, name, kind, port, said):
        """One connection."""
        client, server = self.ends(kind, port)
        peer = None
        for by, text in said:
            if by == "c":
                client.send(text)
                heard, peer = self.hear(server)
            elif kind == socket.SOCK_STREAM:
                server.send(text)
                heard, _ = self.hear(client)
            elif peer is not None:
                server.sendto(text, peer)
                heard, _ = self.hear(client)
            else:
                heard = None
            what = "nothing" if heard is None else "the same" if heard == text else f"{heard!r}"
            self.file.write(f"{self.nat} {name} {by} {text!r} is heard as {what}\n")
            for line in sorted(self.expected()):
                self.file.write(f"{self.nat} {name}   expected: {line}\n")
        for end in client, server:
            # At once, whatever is under way.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
        inside(self.router, lambda: os.system("conntrack -F >/dev/null 2>&1"))


def main():
    name, *where = sys.argv[1:]
    with open(name, "a", encoding="utf-8") as file:
        stage = Stage(file, *where)
        for name, kind, port, plays in PLAYS:
            for said in plays:
                stage.play(name, kind, port, said)


if __name__ == "__main__":
    main()
