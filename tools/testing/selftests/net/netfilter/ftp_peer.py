#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A small FTP server (RFC 959, RFC 2428): ftp_peer.py [ADDRESS [PORT]].

RETR N sends N times 1,000 bytes, as slowly as SITE PAUSE SECONDS told it before (a pause after each). The data
connection is made by PORT, EPRT, PASV or EPSV.
"""

import ipaddress
import re
import socket
import sys
import threading
import time

BLOCK = bytes(range(250)) * 4


class Control:
    """A control connection."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("r", encoding="latin-1", newline="\r\n")
        self.pause = 0.0
        self.listener = None
        self.target = None

    def say(self, line):
        self.connection.sendall(line.encode() + b"\r\n")

    def listen(self):
        family = self.connection.family
        self.listener = socket.create_server((self.connection.getsockname()[0], 0), family=family)
        self.listener.settimeout(60)
        return self.listener.getsockname()[1]

    def data(self):
        """The data connection."""
        if self.target:
            # From the address that the client knows.
            return socket.create_connection(self.target, timeout=60, source_address=(self.connection.getsockname()[0], 0))
        with self.listener:
            return self.listener.accept()[0]

    def send(self, blocks):
        try:
            with self.data() as data:
                self.say("150 it comes")
                for _ in range(blocks):
                    data.sendall(BLOCK)
                    time.sleep(self.pause)
            self.say("226 that was all")
        except OSError as error:
            self.say(f"425 {error}")

    def command(self, verb, argument):
        """The answer to a line, or None if it was given."""
        if verb == "PORT":
            n = [int(x) for x in argument.split(",")]
            self.target = (".".join(map(str, n[:4])), n[4] * 256 + n[5])
        elif verb == "EPRT":
            _, _, host, port, _ = argument.split(argument[0])
            self.target = (str(ipaddress.ip_address(host)), int(port))
        elif verb in ("PASV", "EPSV"):
            self.target = None
            port = self.listen()
            if verb == "EPSV":
                return f"229 here (|||{port}|)"
            host = self.connection.getsockname()[0].replace(".", ",")
            return f"227 here ({host},{port // 256},{port % 256})"
        elif verb == "RETR":
            return self.send(int(argument))
        elif verb == "SITE":
            self.pause = float(re.sub(r"(?i)pause *", "", argument))
        return {"USER": "230 welcome", "QUIT": "221 bye"}.get(verb, "200 yes")

    def run(self):
        self.say("220 ready")
        try:
            for line in self.lines:
                verb, _, argument = line.strip().partition(" ")
                answer = self.command(verb.upper(), argument)
                if answer:
                    self.say(answer)
                if verb.upper() == "QUIT":
                    break
        except OSError:
            pass
        self.connection.close()


def main():
    host = sys.argv[1] if len(sys.argv) > 1 else "::"
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 21
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.create_server((host, port), family=family, dualstack_ipv6=host == "::")
    while True:
        connection = server.accept()[0]
        # The address to name in PASV: not as a mapped one.
        if connection.getsockname()[0].startswith("::ffff:"):
            connection = Mapped(connection)
        threading.Thread(target=Control(connection).run, daemon=True).start()


class Mapped:
    """A connection of IPv4 at a socket of IPv6."""

    family = socket.AF_INET

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def getsockname(self):
        host, port = self.connection.getsockname()[:2]
        return host.removeprefix("::ffff:"), port


if __name__ == "__main__":
    main()
