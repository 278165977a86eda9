#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What the flowtable's tests share: frames in encapsulations, made by hand and taken
to pieces, and PPPoE sessions of the kernel.

An end of a flow is a wire and a list of layers, the outermost first:
    ('vlan', TPID, ID)  ('pppoe', SESSION)  ('tunnel', OUR-END, THE-ROUTER'S)  ('esp', OUR-END, THE-ROUTER'S)
The null cipher makes ESP something that can be read.

nf_flow_frames.py pppoe DEVICE SESSION MAC: an interface for a session, in the namespace
where it is run, until it is killed; prints its name."""

import contextlib
import ctypes
import fcntl
import os
import select
import socket
import struct
import sys
import time

from nf_nat_packets import Packet, checksum, inside, network

VLAN, QINQ = 0x8100, 0x88a8
ESP = 50


def mac(net, host):
    """The hardware address of an end of link `net`: host 2 is ours, 1 the router."""
    return bytes([2, 0, 0, 0, net, host])


def tos(packet, value):
    """The packet with another DS field."""
    if packet[0] >> 4 == 6:
        return struct.pack('!I', 0x60000000 | value << 20 | int.from_bytes(packet[1:4], 'big') & 0xfffff) + packet[4:]
    header = packet[:1] + bytes([value]) + packet[2:10] + b'\0\0' + packet[12:20]
    return header[:10] + struct.pack('!H', checksum(header)) + header[12:] + packet[20:]


class Wire:
    """An end of a link, with the tags that the kernel takes off put on again."""

    def __init__(self, namespace, device, net):
        with inside(namespace):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 21)  # SO_RCVBUFFORCE
            self.socket.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
            self.socket.bind((device, 3))
        self.router, self.mine = mac(net, 1), mac(net, 2)

    def send(self, payload):
        """From the Ethernet type on."""
        self.socket.send(self.router + self.mine + payload)

    def frames(self, seconds):
        """What comes within a time, whole."""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(end - time.monotonic(), 0))[0]:
            frame, aux, _, origin = self.socket.recvmsg(65536, 256)
            if origin[2] == 4:  # our own
                continue
            for _, _, data in aux:
                status, _, _, _, _, tci, tpid = struct.unpack('IIIHHHH', data[:20])
                if status & 0x10:
                    frame = frame[:12] + struct.pack('!HH', tpid if status & 0x40 else VLAN, tci) + frame[12:]
            yield frame


class End:
    """An end of flows: `hosts` are its addresses by family."""

    def __init__(self, wire, hosts, layers=(), router_mac=None):
        self.wire, self.hosts, self.layers = wire, hosts, layers
        self.router_mac, self.sequence = router_mac or wire.router, 0

    def wrap(self, packet, pad=b''):
        """The packet as it comes to the router, from the Ethernet type on."""
        for layer in reversed([layer for layer in self.layers if layer[0] in ('tunnel', 'esp')]):
            kind, ours, routers = layer
            inner = 4 if packet[0] >> 4 == 4 else 41
            if kind == 'tunnel':
                packet = network(ours, routers, inner, packet, fragment=0x4000)
            else:
                self.sequence += 1
                spi = 0x100 if inner == 4 else 0x200
                fill = -(len(packet) + 2) % 4
                body = struct.pack('!II', spi, self.sequence) + packet + bytes(range(1, fill + 1)) + bytes([fill, inner])
                packet = network(ours, routers, ESP, body)
        payload = (b'\x08\x00' if packet[0] >> 4 == 4 else b'\x86\xdd') + packet
        for layer in reversed(self.layers):
            if layer[0] == 'pppoe':
                kind = b'\x00\x21' if packet[0] >> 4 == 4 else b'\x00\x57'
                payload = struct.pack('!HBBHH', 0x8864, 0x11, 0, layer[1], len(packet) + 2) + kind + packet
            elif layer[0] == 'vlan':
                payload = struct.pack('!HH', layer[1], layer[2]) + payload
        return payload + pad

    def send(self, packet, pad=b''):
        """A packet to the router."""
        self.wire.send(self.wrap(packet, pad))

    def unwrap(self, frame):
        """What is inside and what is wrong with what is around it, text; or None if it
        is no frame of this end's kind."""
        wrong, at = [], 12
        if frame[:6] != self.wire.mine or frame[6:12] != self.router_mac:
            wrong.append(f'addresses {frame[:12].hex(" ")}')
        for layer in self.layers:
            kind, = struct.unpack_from('!H', frame, at)
            if layer[0] == 'vlan':
                if kind != layer[1] or struct.unpack_from('!H', frame, at + 2)[0] != layer[2]:
                    return None
                at += 4
            elif layer[0] == 'pppoe':
                if kind != 0x8864:
                    return None
                head, code, session, length, protocol = struct.unpack_from('!BBHHH', frame, at + 2)
                packet = frame[at + 10:]
                want = (0x11, 0, layer[1], len(packet) + 2, 0x21 if packet[0] >> 4 == 4 else 0x57)
                if (head, code, session, length, protocol) != want:
                    wrong.append(f'PPPoE {frame[at + 2:at + 10].hex(" ")} before {len(packet)} bytes')
                return packet, wrong
        kind, = struct.unpack_from('!H', frame, at)
        packet = frame[at + 2:]
        if kind != (0x0800 if packet[:1] and packet[0] >> 4 == 4 else 0x86dd):
            return None
        for layer in self.layers:
            if layer[0] in ('tunnel', 'esp'):
                inner = self._inside(packet, layer, wrong)
                if inner is None:
                    return None
                packet = inner
        return packet, wrong

    def _inside(self, packet, layer, wrong):
        outer = Packet(packet)
        if outer.protocol not in (4, 41, ESP) or (outer.src, outer.dst) != (layer[2], layer[1]):
            return None
        wrong += [f'outer {kind} checksum' for kind in outer.bad]
        body = outer.body
        if layer[0] == 'esp':
            fill, inner = body[-2], body[-1]
            body = body[8:-2 - fill]
            if outer.protocol != ESP or inner != (4 if body[0] >> 4 == 4 else 41):
                wrong.append('not ESP of its kind')
            return body
        v6 = body[0] >> 4 == 6
        if outer.protocol != (41 if v6 else 4) or len(body) != len(packet) - (40 if v6 else 20):
            wrong.append('outer protocol or length')
        # As the inner one: hop limit, DS field, and whether it may be cut up.
        if v6:
            same = packet[7] == body[7] and (packet[0] & 15, packet[1] >> 4) == (body[0] & 15, body[1] >> 4)
        else:
            same = (packet[8], packet[1], packet[6] & 0xe0) == (body[8], body[1], body[6] & 0xe0)
        if not same:
            wrong.append(f'outer header {packet[:8].hex(" ")} {packet[8]} for {body[:8].hex(" ")} {body[8]}')
        return body

    def packets(self, seconds):
        """Packets that come within a time, and what is wrong around them."""
        for frame in self.wire.frames(seconds):
            found = self.unwrap(frame)
            if found:
                yield found

    def get(self, token, seconds=2):
        """The first packet with a token."""
        for packet, wrong in self.packets(seconds):
            if token in packet:
                return packet, wrong
        return None, []

    def drain(self):
        """Forgets what came."""
        for _ in self.wire.frames(0):
            pass


def pppoe(namespace, device, session, peer):
    """A PPP interface over a PPPoE session without discovery, until what comes back is
    forgotten: its name, and files. Without a namespace: in this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    with inside(namespace) if namespace else contextlib.nullcontext():
        sock = socket.socket(24, socket.SOCK_STREAM, 0)  # PF_PPPOX, PX_PROTO_OE
        address = struct.pack('=HI', 24, 0) + struct.pack('!H', session) + peer + device.encode().ljust(16, b'\0')
        if libc.connect(sock.fileno(), address, len(address)):
            raise OSError(ctypes.get_errno(), 'PPPoE')
        number = bytearray(4)
        fcntl.ioctl(sock, 0x80047437, number)  # PPPIOCGCHAN
        channel, unit = os.open('/dev/ppp', os.O_RDWR), os.open('/dev/ppp', os.O_RDWR)
        fcntl.ioctl(channel, 0x40047438, number)  # PPPIOCATTCHAN
        number = bytearray(struct.pack('i', -1))
        fcntl.ioctl(unit, 0xc004743e, number)  # PPPIOCNEWUNIT
        fcntl.ioctl(channel, 0x4004743a, number)  # PPPIOCCONNECT
    return f'ppp{struct.unpack("i", number)[0]}', (sock, channel, unit)


if __name__ == '__main__':
    name, files = pppoe(None, sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4].replace(':', '')))
    print(name, flush=True)
    while files:
        time.sleep(3600)
