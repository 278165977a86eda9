#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_masquerade.py WHAT FAMILY ADDRESS PORT [NAMESPACE]: ends of real
connections for nf_nat_masquerade.sh.

sink: listens at PORT and prints for every connection, a line each: the original
destination, whether the bytes that no address fills are zero, the peer, how much
came and its digest. send: connects and sends a megabyte, prints the digest.
udp: sends datagrams from changing ports, without end."""

import hashlib
import socket
import struct
import sys

what, family, address, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
V6 = family == '6'
FAMILY = socket.AF_INET6 if V6 else socket.AF_INET
DATA = hashlib.sha256(b'seed').digest() * 32768


def original(peer):
    """SO_ORIGINAL_DST (80 at either level): address, port, whether padding is zero."""
    if V6:
        data = peer.getsockopt(socket.IPPROTO_IPV6, 80, 28)
        kind, number, flow, where, scope = struct.unpack('=H2sI16sI', data)
        return socket.inet_ntop(FAMILY, where), number, kind == FAMILY and flow == scope == 0
    data = peer.getsockopt(socket.IPPROTO_IP, 80, 16)
    kind, number, where, padding = struct.unpack('=H2s4s8s', data)
    return socket.inet_ntop(FAMILY, where), number, kind == FAMILY and padding == bytes(8)


if what == 'sink':
    server = socket.create_server((address, port), family=FAMILY)
    server.settimeout(240)
    print('ready', flush=True)
    while True:
        peer, name = server.accept()
        peer.settimeout(60)
        try:
            where, number, clean = original(peer)
            where = f'{where} {struct.unpack("!H", number)[0]} {"clean" if clean else "dirty"}'
        except OSError as problem:
            where = f'none {problem.errno} clean'
        total, digest = 0, hashlib.sha256()
        while data := peer.recv(65536):
            total += len(data)
            digest.update(data)
        peer.sendall(b'done')
        peer.close()
        print(where, name[0], total, digest.hexdigest(), flush=True)
elif what == 'send':
    with socket.create_connection((address, port), 60) as stream:
        stream.sendall(DATA)
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(10) == b'done'
    print(len(DATA), hashlib.sha256(DATA).hexdigest())
elif what == 'udp':
    n = 0
    while True:
        s = socket.socket(FAMILY, socket.SOCK_DGRAM)
        for _ in range(3):
            try:
                s.sendto(b'hello', (address, port + n % 7))
            except OSError:
                pass
        s.close()
        n += 1
