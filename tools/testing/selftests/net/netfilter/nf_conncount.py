#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""TCP connections by the dozen, for nf_conncount.sh.

serve ADDRESS PORT        accepts, and closes when the peer does; answers "bye\n"
                          by closing first
open ADDRESS PORT N [SOURCE [SOURCE-PORT]]
                          connects N times at once, says how many were accepted
                          within 2 s, and holds these until standard input ends
once ADDRESS PORT SOURCE-PORT
                          connects from that port, has the peer close, closes
"""

import os
import selectors
import socket
import sys
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(address, port):
    listener = socket.socket(family(address))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen(1024)
    listener.setblocking(False)
    poll = selectors.DefaultSelector()
    poll.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in poll.select():
            if key.fileobj is listener:
                peer, _ = listener.accept()
                poll.register(peer, selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(4096)
            except OSError:
                data = b""
            if data and not data.startswith(b"bye"):
                key.fileobj.send(data)
                continue
            poll.unregister(key.fileobj)
            key.fileobj.close()


def connecting(address, port, source=None, source_port=0):
    peer = socket.socket(family(address))
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if source or source_port:
        peer.bind((source or "", int(source_port)))
    peer.setblocking(False)
    peer.connect_ex((address, int(port)))
    return peer


def hold(address, port, number, source=None, source_port=0):
    # The ends of others' standard input, which this one would keep open.
    os.closerange(3, 256)
    poll = selectors.DefaultSelector()
    peers = [connecting(address, port, source, source_port) for _ in range(int(number))]
    for peer in peers:
        poll.register(peer, selectors.EVENT_WRITE)
    accepted, end = [], time.monotonic() + 2
    # Less than the 1 s after which a SYN is sent again, from the last answer on.
    while (left := end - time.monotonic()) > 0 and len(accepted) < len(peers):
        for key, _ in poll.select(min(left, 0.7)):
            poll.unregister(key.fileobj)
            if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                accepted.append(key.fileobj)
    for peer in peers:
        if peer not in accepted:
            peer.close()
    print(len(accepted), flush=True)
    sys.stdin.read()
    alive = 0
    for peer in accepted:
        peer.setblocking(True)
        peer.settimeout(2)
        try:
            peer.send(b"hello")
            alive += peer.recv(5) == b"hello"
        except OSError:
            pass
        peer.close()
    print(alive, flush=True)


def once(address, port, source_port):
    peer = connecting(address, port, None, source_port)
    peer.setblocking(True)
    peer.settimeout(3)
    peer.send(b"bye\n")
    if peer.recv(1):
        sys.exit("more than the end came")
    peer.close()


if __name__ == "__main__":
    {"serve": serve, "open": hold, "once": once}[sys.argv[1]](*sys.argv[2:])
