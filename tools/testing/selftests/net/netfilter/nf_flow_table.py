#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The ends of flows.

usage: nf_flow_table.py udp ADDRESS PORT SOURCE-PORT NUMBER [SIZE]
           sends NUMBER datagrams, of each of which an echo must come back; prints
           the TTLs that echoes come with, once each
       nf_flow_table.py paced ADDRESS PORT SOURCE-PORT NUMBER SECONDS
           the same, so many seconds apart; what does not come back is sent again
       nf_flow_table.py udp-server FAMILY PORT
           echoes datagrams, each with the TTL that it came with in its first byte;
           prints the address of each new peer
       nf_flow_table.py tcp ADDRESS PORT SOURCE-PORT BYTES [fin|reset|idle]
           sends so many bytes that are echoed, and ends so; idle: keeps the
           connection until killed
       nf_flow_table.py large ADDRESS PORT SOURCE-PORT SIZE
           sends datagrams of SIZE bytes that must not be cut up until it is told
           that they are too large; prints the MTU it is told
       nf_flow_table.py truncated DEVICE MAC
           sends frames that end everywhere: VLAN, PPPoE, IPIP and all in plain
"""

import contextlib
import errno
import socket
import struct
import sys
import time

IP_RECVTTL, IP_MTU, IP_MTU_DISCOVER, IP_PMTUDISC_DO = 12, 14, 10, 2
IPV6_MTU, IPV6_MTU_DISCOVER = 24, 23


def family_of(address):
    """IPv6 has colons."""
    return socket.AF_INET6 if ':' in address else socket.AF_INET


def opened(address, source_port, kind):
    """A socket that is connected from a port."""
    sock = socket.socket(family_of(address), kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('::' if ':' in address else '0.0.0.0', source_port))
    sock.settimeout(5)
    return sock


def udp(address, port, source_port, number, size=64):
    """Sends datagrams, and wants all echoes."""
    sock = opened(address, source_port, socket.SOCK_DGRAM)
    sock.connect((address, port))
    ttls = set()
    for i in range(number):
        data = struct.pack('!BI', 0, i) + bytes(size)
        sock.send(data)
        answer = sock.recv(65536)
        if answer[1:] != data[1:]:
            sys.exit(f'{i}: not what was sent')
        ttls.add(answer[0])
    print(*sorted(ttls))


def paced(address, port, source_port, number, seconds):
    """Sends datagrams in time, each until its echo comes."""
    sock = opened(address, source_port, socket.SOCK_DGRAM)
    sock.connect((address, port))
    sock.settimeout(1)
    for i in range(number):
        data = struct.pack('!BI', 0, i) + bytes(64)
        for _ in range(8):
            with contextlib.suppress(OSError):
                sock.send(data)
                while sock.recv(65536)[1:] != data[1:]:
                    pass
                break
        else:
            sys.exit(f'{i}: does not come back')
        time.sleep(float(seconds))


def udp_server(family, port):
    """Echoes."""
    ipv6 = family == 6
    sock = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    if ipv6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    sock.bind(('::' if ipv6 else '0.0.0.0', port))
    peers = set()
    while True:
        data, ancillary, _, peer = sock.recvmsg(65536, 64)
        ttl = struct.unpack('i', ancillary[0][2][:4])[0]
        if peer[:2] not in peers:
            peers.add(peer[:2])
            print(peer[0], peer[1], flush=True)
        with contextlib.suppress(OSError):
            sock.sendto(bytes([ttl]) + data[1:], peer)


def tcp(address, port, source_port, number, end='fin'):
    """Sends bytes, and wants them back."""
    sock = opened(address, source_port, socket.SOCK_STREAM)
    sock.settimeout(20)
    sock.connect((address, port))
    chunk = bytes(range(256)) * 16
    sent = 0
    while sent < number:
        sock.sendall(chunk)
        got = b''
        while len(got) < len(chunk):
            more = sock.recv(65536)
            if not more:
                sys.exit('closed')
            got += more
        if got != chunk:
            sys.exit('not what was sent')
        sent += len(chunk)
    print('done', flush=True)
    if end == 'idle':
        time.sleep(3600)
    if end == 'reset':
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def large(address, port, source_port, size):
    """Until somebody on the way says how large they may be."""
    sock = opened(address, source_port, socket.SOCK_DGRAM)
    ipv6 = ':' in address
    sock.setsockopt(socket.IPPROTO_IPV6 if ipv6 else socket.IPPROTO_IP,
                    IPV6_MTU_DISCOVER if ipv6 else IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    sock.connect((address, port))
    for _ in range(50):
        try:
            sock.send(bytes(size))
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            print(sock.getsockopt(socket.IPPROTO_IPV6 if ipv6 else socket.IPPROTO_IP,
                                  IPV6_MTU if ipv6 else IP_MTU))
            return
        time.sleep(0.1)
    sys.exit('nobody says so')


def ipv4(protocol, payload, source=bytes([10, 0, 1, 2]), destination=bytes([10, 0, 2, 2])):
    """A header with a right checksum, and what follows."""
    header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0,
                         source, destination)
    total = sum(struct.unpack('!10H', header)) % 0xffff
    return header[:10] + struct.pack('!H', ~total & 0xffff) + header[12:] + payload


def truncated(device, mac):
    """Frames that end where they should not."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    ethernet = bytes.fromhex(mac.replace(':', '')) + bytes.fromhex('020000000102')
    datagram = ipv4(17, struct.pack('!HHHH', 6000, 4000, 16, 0) + bytes(8))
    segment = ipv4(6, struct.pack('!HHIIBBHHH', 6001, 4000, 1, 1, 0x50, 0x10, 100, 0, 0))
    ipv6 = bytes.fromhex('60000000001011ff') + bytes(32) + bytes(16)
    inner = [(b'\x08\x00', packet) for packet in (datagram, segment, ipv4(4, datagram), ipv4(4, segment))]
    inner += [(b'\x86\xdd', ipv6), (b'\x86\xdd', bytes.fromhex('60000000003829ff') + bytes(32) + ipv6)]
    frames = [kind + packet for kind, packet in inner]
    frames += [b'\x81\x00\x00\x05' + frame for frame in frames]
    frames += [b'\x88\xa8\x00\x07' + frame for frame in frames]
    for kind, packet in inner:
        ppp = b'\x00\x21' if kind == b'\x08\x00' else b'\x00\x57'
        session = b'\x88\x64\x11\x00\x00\x09' + struct.pack('!H', len(packet) + 2) + ppp + packet
        frames += [session, b'\x81\x00\x00\x05' + session]
    for frame in frames:
        for end in range(2, len(frame) + 1):
            with contextlib.suppress(OSError):
                sock.send(ethernet + frame[:end])


def main():
    """By the first argument."""
    what, *rest = sys.argv[1:]
    rest = [int(word) if word.isdecimal() else word for word in rest]
    {'udp': udp, 'paced': paced, 'udp-server': udp_server, 'tcp': tcp, 'large': large,
     'truncated': truncated}[what](*rest)


if __name__ == '__main__':
    main()
