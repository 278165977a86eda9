#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A helper in user space: reads queue 5, and does what the packets of its connections say.

"expect PORT CLASS" (to the server): the server will connect to the client's port.
"note TEXT": is kept about the connection. Each packet's connection is printed as JSON.
"""

import json

import nfnl
from nfnl import be16, be32, be8, text, tuple_of

PACKET, VERDICT, CONFIG = 0, 1, 2
ACCEPT = 1
QUEUE = 5
ANY = tuple_of("255.255.255.255", "255.255.255.255", 17, 0, 65535)


def answer(queue, message):
    found = dict(nfnl.split(message.raw))
    packet = found[10]
    shown = nfnl.decode(found[11], nfnl.CT) if 11 in found else {}
    words = packet[(packet[0] & 15) * 4 + 8:].decode(errors="replace").split()
    print(json.dumps({"words": words, **shown}), flush=True)
    pairs = [(2, be32(ACCEPT) + found[1][:4])]
    if words[:1] == ["expect"]:
        client, server = (shown["tuple_orig"]["ip"][name] for name in ("v4_src", "v4_dst"))
        pairs += [(11, []), (15, [
            (2, tuple_of(server, client, 17, 0, int(words[1]))), (3, ANY), (9, be32(int(words[2]))), (6, text(words[3])),
        ] if len(words) > 3 else [
            (2, tuple_of(server, client, 17, 0, int(words[1]))), (3, ANY), (9, be32(int(words[2]))),
        ])]
    elif words[:1] == ["note"]:
        pairs.append((11, [(5, [(1, text("made-up")), (2, words[1].encode())])]))
    queue.send(queue.message(nfnl.QUEUE, VERDICT, 0, pairs, 0, 0, QUEUE))


def main():
    queue = nfnl.Socket(timeout=None)
    queue.request(nfnl.QUEUE, CONFIG, 0, [(1, be8(1) + be8(0) + be16(2))], 0, res_id=QUEUE)
    queue.request(nfnl.QUEUE, CONFIG, 0, [(2, be32(0xFFFF) + be8(2)), (4, be32(2)), (5, be32(2))], 0, res_id=QUEUE)
    print(json.dumps({"words": ["ready"]}), flush=True)
    while True:
        for kind, flags, sequence, port, body in queue.receive():
            if kind == nfnl.QUEUE << 8 | PACKET:
                answer(queue, nfnl.Message(kind, flags, sequence, port, body))


if __name__ == "__main__":
    main()
