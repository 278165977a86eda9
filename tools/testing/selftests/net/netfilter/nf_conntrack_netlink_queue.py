#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A reader of queue 1 and of log group 1 that asks for connections, and changes them by its verdicts.

What the verdict on a packet does is told by its destination port, see VERDICTS. Each packet is
printed: how it came (queue or log), the port, and what it carried of its connection, as JSON.
"""

import json
import select
import struct

import nfnl
from nfnl import be16, be32, be8, text, tuple_of

LOG = 4
PACKET, VERDICT, CONFIG = 0, 1, 2
DROP, ACCEPT = 0, 1
RED = (1 << 77).to_bytes(16, "little")

# Destination port: verdict, attributes of the connection.
VERDICTS = {
    4001: (ACCEPT, [(8, be32(0x77))]),
    4002: (ACCEPT, [(22, RED), (23, RED)]),
    4003: (ACCEPT, [(8, be32(0x20)), (21, be32(0xF0))]),
    4004: (ACCEPT, [(7, be32(5000))]),
    4005: (ACCEPT, [(3, be32(nfnl.ASSURED | nfnl.SEEN_REPLY | nfnl.FIXED_TIMEOUT))]),
    4006: (DROP, None),
    # What cannot be: to take back that it is confirmed, half a label, an unknown helper.
    4008: (ACCEPT, [(3, be32(0))]),
    4009: (ACCEPT, [(22, b"abc")]),
    4010: (ACCEPT, [(5, [(1, text("nobody"))])]),
}
# With SITE expect: a connection to the client.
TO_COME = [(2, tuple_of("10.0.2.2", "10.0.1.2", 6, 0, 5120)), (3, tuple_of("255.255.255.255", "255.255.255.255", 6, 0, 65535))]


def checksum(data):
    """Of the internet: RFC 1071."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def replaced(packet, old, new):
    """An IPv4 packet of TCP with other data."""
    head = (packet[0] & 15) * 4
    start = head + (packet[head + 12] >> 4) * 4
    data = packet[start:].replace(old, new)
    tcp = bytearray(packet[head:start] + data)
    tcp[16:18] = bytes(2)
    tcp[16:18] = be16(checksum(packet[12:20] + struct.pack("!HH", 6, len(tcp)) + bytes(tcp)))
    ip = bytearray(packet[:head])
    ip[2:4] = be16(head + len(tcp))
    ip[10:12] = bytes(2)
    ip[10:12] = be16(checksum(bytes(ip)))
    return bytes(ip + tcp)


def port_and_data(packet):
    head = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    protocol = packet[9] if packet[0] >> 4 == 4 else packet[6]
    start = head + (8 if protocol == 17 else (packet[head + 12] >> 4) * 4)
    return protocol, *struct.unpack_from("!HH", packet, head), packet[start:]


def show(how, port, found, info):
    print(json.dumps({"how": how, "port": port, "info": info, **found}), flush=True)


def queued(queue, message):
    """A packet from the queue: show it, give its verdict."""
    found = dict(nfnl.split(message.raw))
    packet = found[10]
    protocol, source, destination, data = port_and_data(packet)
    shown = nfnl.decode(found[11], nfnl.CT) if 11 in found else {}
    show("queue", destination if destination == 21 or 4000 <= destination < 4100 else source, shown,
         int.from_bytes(found[12], "big") if 12 in found else None)
    verdict, connection = VERDICTS.get(destination, (ACCEPT, None))
    answer = [(2, be32(verdict) + found[1][:4])]
    if protocol == 6 and b"SITE expect" in data:
        connection = []
        answer.append((15, TO_COME))
    if protocol == 6 and b"USER me" in data:
        connection = []
        answer.append((10, replaced(packet, b"USER me", b"USER somebody")))
    if connection is not None:
        answer.append((11, connection))
    queue.send(queue.message(nfnl.QUEUE, VERDICT, 0, answer, 0, 0, 1))


def main():
    queue, log = nfnl.Socket(), nfnl.Socket()
    queue.request(nfnl.QUEUE, CONFIG, 0, [(1, be8(1) + be8(0) + be16(2))], 0, res_id=1)
    queue.request(nfnl.QUEUE, CONFIG, 0, [(2, be32(0xFFFF) + be8(2)), (4, be32(2)), (5, be32(2))], 0, res_id=1)
    log.request(LOG, 1, 0, [(1, be8(1))], 0, res_id=1)
    log.request(LOG, 1, 0, [(2, be32(0xFFFF) + be8(2) + be8(0)), (6, be16(4)), (5, be32(1))], 0, res_id=1)
    print(json.dumps({"how": "ready"}), flush=True)
    while True:
        for ready in select.select([queue.socket, log.socket], [], [])[0]:
            source = queue if ready is queue.socket else log
            for kind, flags, sequence, port, body in source.receive():
                if kind == nfnl.QUEUE << 8 | PACKET:
                    queued(queue, nfnl.Message(kind, flags, sequence, port, body))
                elif kind == LOG << 8 | PACKET:
                    found = dict(nfnl.split(body[4:]))
                    shown = nfnl.decode(found[18], nfnl.CT) if 18 in found else {}
                    show("log", port_and_data(found[9])[2], shown, int.from_bytes(found[19], "big") if 19 in found else None)


if __name__ == "__main__":
    main()
