#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Frames by hand, for nf_conntrack_bridge.sh.

fragments DEVICE FAMILY [VLAN] [all]
                                  sends a UDP packet in fragments of 1240, 1440 and
                                  328 bytes from 10.0.0.1 or fd00::1 to .2, or to
                                  all on the link
capture DEVICE NUMBER [VLAN]      prints the lengths of the data of that many
                                  fragments
malformed DEVICE                  sends what is no IP packet, as one
"""

import socket
import struct
import sys

SOURCE, DESTINATION = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
# IPv6: only the last one may be shorter than 1280 bytes with its headers.
SIZES = [1240, 1440, 328]


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(number, offset, more, data):
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), number, (more << 13) | offset >> 3, 64, 17, 0,
        socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2"),
    )
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + data


def ipv6(number, offset, more, data):
    ends = [socket.inet_pton(socket.AF_INET6, f"fd00::{i}") for i in (1, 2)]
    fragment = struct.pack(">BBHI", 17, 0, offset | more, number)
    return struct.pack(">IHBB", 6 << 28, 8 + len(data), 44, 64) + b"".join(ends) + fragment + data


def opened(device):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind((device, 0))
    return raw


def link(kind, vlan=None, destination=DESTINATION):
    tag = struct.pack(">HH", 0x8100, int(vlan)) if vlan else b""
    return destination + SOURCE + tag + struct.pack(">H", kind)


def fragments(device, family, vlan=None, everyone=""):
    payload = bytes(range(256)) * 12
    payload = payload[: sum(SIZES) - 8]
    ends = {
        "4": socket.inet_aton("10.0.0.1") + socket.inet_aton("10.0.0.2"),
        "6": b"".join(socket.inet_pton(socket.AF_INET6, f"fd00::{i}") for i in (1, 2)),
    }[family]
    udp = struct.pack(">HHHH", 6000, 6001, sum(SIZES), 0)
    check = checksum(ends + struct.pack(">II", sum(SIZES), 17) + udp + payload)
    data = udp[:6] + struct.pack(">H", check) + payload
    build, kind = (ipv4, 0x0800) if family == "4" else (ipv6, 0x86DD)
    raw, offset, header = opened(device), 0, link(kind, vlan, b"\xff" * 6 if everyone else DESTINATION)
    for size in SIZES:
        more = offset + size < len(data)
        raw.send(header + build(0x1234, offset, more, data[offset : offset + size]))
        offset += size


def capture(device, number, vlan=None):
    raw = opened(device)
    raw.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the tag
    raw.settimeout(10)
    print("ready", flush=True)
    sizes = []
    while len(sizes) < int(number):
        try:
            frame, auxiliary, _, _ = raw.recvmsg(65536, 256)
        except TimeoutError:
            break
        tag = None
        for _, _, data in auxiliary:
            status, tci = struct.unpack("=I12xH", data[:18])
            if status & 0x10:
                tag = tci
        kind, packet = struct.unpack(">H", frame[12:14])[0], frame[14:]
        if kind == 0x8100:
            tag, kind, packet = *struct.unpack(">HH", frame[14:18]), frame[18:]
        if vlan and tag != int(vlan):
            continue
        if kind == 0x0800 and packet[9] == 17 and struct.unpack(">H", packet[6:8])[0] & 0x3FFF:
            sizes.append(struct.unpack(">H", packet[2:4])[0] - 20)
        elif kind == 0x86DD and packet[6] == 44 and packet[40] == 17:
            sizes.append(struct.unpack(">H", packet[4:6])[0] - 8)
    print(*sizes)


def malformed(device):
    raw = opened(device)
    good = ipv4(1, 0, 0, b"\x17\x70\x17\x71\0\x10\0\0" + b"x" * 8)
    for length in (0, 5, 19, 37, 65535):
        raw.send(link(0x0800) + good[:2] + struct.pack(">H", length) + good[4:] + b"\0" * 10)
    for first in (0x40, 0x44, 0x4F, 0x65, 0x00):
        raw.send(link(0x0800) + bytes([first]) + good[1:] + b"\0" * 10)
    for size in (0, 1, 19):
        raw.send(link(0x0800) + good[:size])
        raw.send(link(0x86DD) + good[:size])
    whole = ipv6(1, 0, 0, b"\0" * 16)
    for length in (0, 7, 25, 65535):
        raw.send(link(0x86DD) + whole[:4] + struct.pack(">H", length) + whole[6:])


if __name__ == "__main__":
    {"fragments": fragments, "capture": capture, "malformed": malformed}[sys.argv[1]](*sys.argv[2:])
