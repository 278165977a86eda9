#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Segments by hand, for nf_synproxy.sh: run in the client's namespace, whose
kernel must not answer (the test drops its RSTs).

syn OPTIONS [FLAGS]    sends a SYN with these options and more flags (hexadecimal),
                       prints the options of the SYN ACK, its flags and window
handshake OPTIONS [KEEPALIVE]
                       goes on to the end: the ACK, the server's window, data and
                       its echo, then FIN; says what is wrong. With KEEPALIVE the
                       first ACK is lost on the server's side, and asked for again
echo ADDRESS           by the kernel's TCP: a megabyte there and back, so little at a
                       time that the server's echo has room for it
badack                 an ACK that nobody has given a cookie for: no answer
"""

import os
import random
import socket
import struct
import sys
import time

CLIENT, SERVER, PORT = "10.0.1.2", "10.0.2.2", int(os.environ.get("PORT", "8080"))
FIN, SYN, RST, PSH, ACK, ECE, CWR = 1, 2, 4, 8, 16, 64, 128


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(source, destination, length):
    return socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack(">BBH", 0, 6, length)


class Segment:
    """A segment that came: its header's fields, options as a dictionary."""

    def __init__(self, packet):
        ihl = (packet[0] & 15) * 4
        length = struct.unpack(">H", packet[2:4])[0]
        self.raw = packet[ihl:length]
        self.valid = checksum(pseudo(SERVER, CLIENT, len(self.raw)) + self.raw) == 0
        ports = struct.unpack(">HHIIBBH", self.raw[:16])
        self.source, self.destination, self.seq, self.ack, offset, self.flags, self.window = ports
        end = (offset >> 4) * 4
        self.option_bytes, self.data = self.raw[20:end], self.raw[end:]
        self.options = {}
        at = 0
        while at < len(self.option_bytes) and self.option_bytes[at]:
            if self.option_bytes[at] == 1:
                at += 1
                continue
            kind, size = self.option_bytes[at], self.option_bytes[at + 1]
            self.options[kind] = self.option_bytes[at + 2 : at + size]
            at += size


class Client:
    """One connection from a port of its own."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.port = random.randrange(20000, 60000)
        self.seq = random.randrange(1 << 32)

    def send(self, flags, seq, ack=0, options=b"", data=b"", window=64240):
        options += b"\0" * (-len(options) % 4)
        header = struct.pack(
            ">HHIIBBHHH", self.port, PORT, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
            (20 + len(options)) << 2, flags, window, 0, 0,
        )
        segment = header + options + data
        check = checksum(pseudo(CLIENT, SERVER, len(segment)) + segment)
        self.socket.sendto(segment[:16] + struct.pack(">H", check) + segment[18:], (SERVER, 0))

    def receive(self, wanted=lambda segment: True, timeout=4.0):
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                packet = self.socket.recv(65535)
            except TimeoutError:
                return None
            segment = Segment(packet)
            if segment.destination == self.port and segment.source == PORT and wanted(segment):
                assert segment.valid, "a wrong checksum came"
                return segment
        return None


def syn(options, flags="0"):
    client = Client()
    client.send(SYN | int(flags, 16), client.seq, options=bytes.fromhex(options))
    answer = client.receive()
    assert answer, "no answer"
    assert answer.ack == (client.seq + 1) & 0xFFFFFFFF, "it acknowledges something else"
    show = sorted((kind, body.hex() if kind != 8 else body[4:].hex()) for kind, body in answer.options.items())
    print(f"flags={answer.flags:#x} window={answer.window}", *(f"{kind}:{body}" for kind, body in show))


def handshake(options, keepalive=""):
    client = Client()
    options = bytes.fromhex(options)
    stamped = b"\x08\x0a" in options
    client.send(SYN, client.seq, options=options)
    answer = client.receive(lambda s: s.flags & SYN)
    assert answer, "no SYN ACK"
    clock = 1000

    def stamps(echo):
        nonlocal clock
        clock += 1
        return b"\1\1\x08\x0a" + struct.pack(">I", clock) + echo if stamped else b""

    echo = answer.options[8][:4] if stamped else b""
    isn = answer.seq
    client.send(ACK, client.seq + 1, isn + 1, stamps(echo))
    if keepalive:
        # The server does not hear the SYN: the client asks, one number back.
        assert client.receive(timeout=1.5) is None, "an answer of a server that is deaf"
        print("deaf", flush=True)
        sys.stdin.readline()
        client.send(ACK, client.seq, isn + 1, stamps(echo))
    opened = client.receive(lambda s: s.flags & 0x17 == ACK)
    assert opened, "the window was not opened"
    assert opened.window, "a window of 0"
    assert opened.seq == (isn + 1) & 0xFFFFFFFF, "the number after the cookie is another"
    assert opened.ack == (client.seq + 1) & 0xFFFFFFFF, "it acknowledges something else"
    if stamped:
        before, now = struct.unpack(">I", echo)[0], struct.unpack(">I", opened.options[8][:4])[0]
        # The server's clock goes on from where the cookie was.
        assert (now - before) & 0xFFFFFFFF < 1000, f"timestamp jumps by {(now - before) & 0xFFFFFFFF}"
        echo = opened.options[8][:4]
    client.send(ACK | PSH, client.seq + 1, isn + 1, stamps(echo), b"hello\n")
    back = client.receive(lambda s: s.data)
    assert back, "no echo"
    assert back.data == b"hello\n" and back.seq == (isn + 1) & 0xFFFFFFFF, "another echo"
    if stamped:
        value, echoed = struct.unpack(">II", back.options[8])
        assert 1000 < echoed <= clock, f"echo of a timestamp that was not sent: {echoed}"
        assert (value - before) & 0xFFFFFFFF < 20000, "timestamp jumps"
        echo = back.options[8][:4]
    sent, got = client.seq + 7, (isn + 7) & 0xFFFFFFFF
    if b"\x04\x02" in options:
        # As if that first echo had been lost: the server's numbers in an option.
        for _ in range(2):
            client.send(ACK | PSH, sent, isn + 1, stamps(echo), b"x" * 1200)
            sent += 1200
        late = client.receive(lambda s: s.data and s.seq == got)
        assert late, "nothing more"
        end = (late.seq + len(late.data)) & 0xFFFFFFFF
        sack = b"\1\1\x05\x0a" + struct.pack(">II", late.seq, end)
        client.send(ACK, sent, isn + 1, stamps(echo) + sack)
        again = client.receive(lambda s: s.data and s.seq == (isn + 1) & 0xFFFFFFFF)
        assert again, "what was lost is not sent again"
        while True:
            client.send(ACK, sent, end, stamps(echo))
            if end == (got + 2400) & 0xFFFFFFFF:
                break
            more = client.receive(lambda s: s.data and s.seq == end)
            assert more, "the end of it did not come"
            end = (end + len(more.data)) & 0xFFFFFFFF
        got = end
    client.send(FIN | ACK, sent, got, stamps(echo))
    end = client.receive(lambda s: s.flags & FIN)
    assert end and end.seq == got, "no end, or another"
    client.send(ACK, sent + 1, end.seq + 1, stamps(echo))
    print("done")


def echo(address):
    data, block = os.urandom(1 << 20), 1 << 15
    with socket.create_connection((address, PORT), 20) as peer:
        peer.settimeout(60)
        for at in range(0, len(data), block):
            peer.sendall(data[at : at + block])
            got = b""
            while len(got) < block:
                part = peer.recv(block)
                assert part, f"the end after {at + len(got)} bytes"
                got += part
            assert got == data[at : at + block], f"other bytes behind {at}"


def badack():
    client = Client()
    client.send(ACK, client.seq, random.randrange(1 << 32))
    assert client.receive(timeout=1) is None, "an answer"


if __name__ == "__main__":
    {"syn": syn, "handshake": handshake, "echo": echo, "badack": badack}[sys.argv[1]](*sys.argv[2:])
