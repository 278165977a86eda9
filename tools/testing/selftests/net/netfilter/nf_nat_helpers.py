#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Both ends of the protocols that nf_nat_helpers.sh has translated.

nf_nat_helpers.py KIND ADDRESS ...: see the functions. A server says 'ready' when
it listens; a client fails if something is not as it should be.
"""

import ftplib
import socket
import socketserver
import sys
import threading
from ipaddress import ip_address

DATA = b"0123456789abcdef" * 4096


def family(address):
    """The address family."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Ftp(socketserver.StreamRequestHandler):
    """A control connection: enough of RFC 959 and RFC 2428 for ftplib."""

    active = None
    passive = None

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 ready")
        for line in self.rfile:
            verb, _, rest = line.decode().strip().partition(" ")
            method = getattr(self, "do_" + verb.lower(), None)
            if method is None:
                self.say("502 what?")
            elif method(rest):
                break

    def do_user(self, _):
        self.say("230 in")

    def do_type(self, _):
        self.say("200 type")

    def do_noop(self, rest):
        # Long lines, so that segments follow whose numbers are shifted.
        self.say("200 " + rest)

    def do_port(self, rest):
        numbers = [int(number) for number in rest.split(",")]
        host = ".".join(str(number) for number in numbers[:4])
        self.active = (host, numbers[4] * 256 + numbers[5])
        self.same_host(host)

    def do_eprt(self, rest):
        _, _, host, port, _ = rest.split("|")
        self.active = (host, int(port))
        self.same_host(host)

    def same_host(self, host):
        """The client is to be where the control connection comes from."""
        if ip_address(host) == ip_address(self.client_address[0]):
            self.say("200 port")
        else:
            self.say(f"501 {host} is not {self.client_address[0]}")

    def listen(self):
        self.passive = socket.create_server(
            (self.request.getsockname()[0], 0), family=self.request.family
        )
        return self.passive.getsockname()

    def do_pasv(self, _):
        host, port = self.listen()
        numbers = host.split(".") + [str(port >> 8), str(port & 255)]
        self.say("227 Entering Passive Mode (" + ",".join(numbers) + ").")

    def do_epsv(self, _):
        port = self.listen()[1]
        self.say(f"229 Entering Extended Passive Mode (|||{port}|)")

    def do_retr(self, _):
        self.say("150 here it comes")
        if self.active:
            data = socket.create_connection(self.active, timeout=10)
        else:
            data = self.passive.accept()[0]
            self.passive.close()
        data.sendall(DATA)
        data.close()
        self.active = None
        self.say("226 done")

    def do_quit(self, _):
        self.say("221 bye")
        return True


class FtpServer(socketserver.ThreadingTCPServer):
    """Control connections at a port."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address, port):
        self.address_family = family(address)
        super().__init__((address, port), Ftp)


def ftp_server(address, port):
    """ADDRESS PORT: serves until it is killed."""
    server = FtpServer(address, int(port))
    print("ready", flush=True)
    server.serve_forever()


def ftp_client(address, port, mode, rounds, source=""):
    """ADDRESS PORT active|passive ROUNDS [SOURCE]: gets a file so many times."""
    ftp = ftplib.FTP(timeout=15)
    ftp.connect(address, int(port), source_address=(source, 0) if source else None)
    ftp.login()
    ftp.set_pasv(mode == "passive")
    for i in range(int(rounds)):
        got = bytearray()
        ftp.retrbinary("RETR file", got.extend)
        if got != DATA:
            sys.exit(f"round {i}: {len(got)} bytes, or others")
        answer = ftp.voidcmd("NOOP " + "x" * (17 * i + 1))
        if answer != "200 " + "x" * (17 * i + 1):
            sys.exit(f"round {i}: {answer}")
    ftp.quit()


def tftp_server(address, port):
    """ADDRESS PORT: answers every request from a port of its own."""
    control = socket.socket(family(address), socket.SOCK_DGRAM)
    control.bind((address, int(port)))
    print("ready", flush=True)

    def answer(client):
        with socket.socket(family(address), socket.SOCK_DGRAM) as transfer:
            transfer.bind((address, 0))
            transfer.settimeout(5)
            # One block of less than 512 bytes is all of it.
            transfer.sendto(b"\0\3\0\1" + DATA[:100], client)
            transfer.recv(4)

    while True:
        _, client = control.recvfrom(600)
        threading.Thread(target=answer, args=(client,), daemon=True).start()


def tftp_client(address, port):
    """ADDRESS PORT: reads a file of one block."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as transfer:
        transfer.settimeout(5)
        transfer.sendto(b"\0\1file\0octet\0", (address, int(port)))
        block, server = transfer.recvfrom(600)
        if block != b"\0\3\0\1" + DATA[:100]:
            sys.exit(f"got {block!r}")
        if server[1] == int(port):
            sys.exit("the transfer has the port of the request")
        transfer.sendto(b"\0\4\0\1", server)


def sip_server(address, port):
    """ADDRESS PORT: sends back what it gets."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as phone:
        phone.bind((address, int(port)))
        print("ready", flush=True)
        while True:
            message, client = phone.recvfrom(4000)
            # Not in SIP, so that it is not changed back.
            phone.sendto(b"GOT " + message.hex().encode(), client)


def sip_client(address, port, source, expected):
    """ADDRESS PORT SOURCE EXPECTED: what is told there of SOURCE is EXPECTED."""
    body = f"v=0\r\no=- 1 1 IN IP4 {source}\r\ns=-\r\nc=IN IP4 {source}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    head = (
        f"INVITE sip:bob@{address} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {source}:5060;branch=z9hG4bK1\r\n"
        f"From: <sip:alice@{source}>;tag=1\r\n"
        f"To: <sip:bob@{address}>\r\n"
        "Call-ID: 1\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:alice@{source}:5060>\r\n"
        "Content-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.socket(family(address), socket.SOCK_DGRAM) as phone:
        phone.bind((source, 5060))
        phone.settimeout(5)
        phone.sendto((head + body).encode(), (address, int(port)))
        answer = phone.recv(16000)
    got = bytes.fromhex(answer.removeprefix(b"GOT ").decode()).decode()
    wanted = body.replace(source, expected)
    for line in (
        f"Via: SIP/2.0/UDP {expected}:5060",
        f"Contact: <sip:alice@{expected}:5060>",
        f"o=- 1 1 IN IP4 {expected}\r\n",
        f"c=IN IP4 {expected}\r\n",
        f"Content-Length: {len(wanted)}\r\n",
    ):
        if line not in got:
            sys.exit(f"no {line!r} in {got!r}")
    if source in got:
        sys.exit(f"{source} in {got!r}")


def main():
    kind, *arguments = sys.argv[1:]
    globals()[kind.replace("-", "_")](*arguments)


if __name__ == "__main__":
    main()
