#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What nf_nat_peers.sh has no program for.

nf_nat_peers.py names ADDRESS: answers NetBIOS name queries (RFC 1002) for the
name PEER with that address. dcc-get SERVER: waits on an IRC server (RFC 1459) for
what is offered, and prints from where and what it got. dcc-send SERVER ADDRESS:
offers it there.
"""

import ipaddress
import re
import socket
import struct
import sys

DATA = b"what is sent"


def names(address):
    """Second level encoding: a letter for each half of a byte."""
    wanted = b"PEER".ljust(16)[:15]
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("", 137))
    answers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    answers.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    print("ready", flush=True)
    while True:
        query, asker = listener.recvfrom(600)
        encoded = query[13:45]
        name = bytes((a - 65) << 4 | (b - 65) for a, b in zip(encoded[::2], encoded[1::2]))
        if name[:15] != wanted:
            continue
        head = query[:2] + struct.pack("!HHHHH", 0x8580, 0, 1, 0, 0)
        entry = query[12:46] + struct.pack("!HHIHH", 0x20, 1, 60, 6, 0) + socket.inet_aton(address)
        listener.sendto(head + entry, asker)


class Irc:
    """A user of an IRC server."""

    def __init__(self, server, nick):
        self.socket = socket.create_connection((server, 6667), timeout=20)
        self.lines = self.socket.makefile("r", encoding="latin-1", newline="\r\n")
        self.say(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        self.wait(" 001 ")

    def say(self, *lines):
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode("latin-1"))

    def wait(self, text):
        for line in self.lines:
            if line.startswith("PING"):
                self.say("PONG" + line.strip()[4:])
            if text in line:
                return line
        sys.exit(f"the server closes before {text!r}")


def dcc_get(server):
    irc = Irc(server, "bob")
    print("ready", flush=True)
    offer = irc.wait("DCC SEND")
    address, port = re.search(r"\x01DCC SEND \S+ (\d+) (\d+)", offer).groups()
    address = str(ipaddress.ip_address(int(address)))
    print(f"offered by {address}", flush=True)
    with socket.create_connection((address, int(port)), timeout=20) as data:
        print("got", data.recv(100).decode(), flush=True)


def dcc_send(server, address):
    irc = Irc(server, "alice")
    with socket.create_server((address, 0)) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        irc.say(f"PRIVMSG bob :\x01DCC SEND file {int(ipaddress.ip_address(address))} {port} {len(DATA)}\x01")
        with listener.accept()[0] as data:
            data.sendall(DATA)
            data.recv(1)


def main():
    kind, *arguments = sys.argv[1:]
    globals()[kind.replace("-", "_")](*arguments)


if __name__ == "__main__":
    main()
