#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Whether what SIP messages announce can be reached, and nothing else.

nf_conntrack_sip_calls.py CLIENT ROUTER SERVER WHAT: see the functions. Fails if
something is not as it should be."""

import re
import socket
import sys
import time

from nf_conntrack_sip_cases import (
    INVITE, INVITE6, NETWORKS, OK, OK6, PORT, REGISTER, Namespace, Wire, bound, registered, request, whole,
)

LONGER = NETWORKS['LONGER']


def fail(what):
    sys.exit(what)


class Test:
    """The namespaces, and sockets in them."""

    def __init__(self, client, _router, server):
        self.spaces = {'c': Namespace(client), 's': Namespace(server)}

    def socket(self, end, address, port):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        new = self.spaces[end].socket(family, socket.SOCK_DGRAM)
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        new.bind((address, port))
        new.settimeout(2)
        return new

    def wire(self, network='LONGER', **arguments):
        return Wire(self.spaces, NETWORKS[network], **arguments)


def say(wire, step):
    """Plays a step; what arrives."""
    end, *messages = step
    got = wire.send(end, b''.join(whole(message, wire) for message in messages))
    if got is None:
        fail(f'lost: {messages}')
    return got


def arrives(sender, to, receiver, data=b'hello'):
    """What arrives of a datagram, and from where; nothing if it does not."""
    sender.sendto(data, to)
    try:
        return receiver.recvfrom(65536)
    except TimeoutError:
        return None


def calls(test):
    """A phone that has registered is called, from where it registered, as long as
    it is registered."""
    wire = test.wire()
    outside = (LONGER['OUTSIDE'], PORT)
    phone = wire.ends['c']
    phone.settimeout(1.5)
    call = wire.text('OPTIONS sip:alice@[OUTSIDE]:5060 SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n').encode()
    say(wire, REGISTER)
    if arrives(test.socket('s', LONGER['SERVER'], 5080), outside, phone, call):
        fail('called before the registrar said yes')
    say(wire, registered(bound(6)))
    start = time.monotonic()
    if arrives(test.socket('s', '10.0.2.3', 5080), outside, phone, call):
        fail('called by somebody else')
    for port in 5081, 5082:
        caller = test.socket('s', LONGER['SERVER'], port)
        got = arrives(caller, outside, phone, call)
        if got is None:
            fail(f'not called from port {port}')
        if b'sip:alice@10.0.1.2:5060 ' not in got[0]:
            fail(f'called as {got[0]}')
        # The answer comes from where the phone was called.
        answer = arrives(phone, got[1], caller, b'SIP/2.0 200 x\r\nCSeq: 1 OPTIONS\r\nContact: <sip:a@10.0.1.2>\r\n\r\n')
        if answer is None or answer[1] != outside or b'<sip:a@10.0.2.211:5060>' not in answer[0]:
            fail(f'answer: {answer}')
    time.sleep(max(0, start + 9 - time.monotonic()))
    if arrives(test.socket('s', LONGER['SERVER'], 5083), outside, phone, call):
        fail('called when the time was over')


def media(test, network='LONGER'):
    """Media pass in both directions, from and to the ports that were told; after
    the call's end no new ones do."""
    wire = test.wire(network)
    names = NETWORKS[network]
    six = ':' in names['CLIENT']
    say(wire, INVITE6 if six else INVITE)
    say(wire, OK6 if six else OK)
    ends = {
        (end, port): test.socket(end, names[who], port)
        for end, who in (('c', 'CLIENT'), ('s', 'SERVER'))
        for port in (20000, 20001, 20010)
    }
    # The first of a pair from one side, the second from the other.
    for port, order in (20000, 'sc'), (20001, 'cs'):
        for side in order:
            if side == 's':
                got = arrives(ends['s', port], (names['OUTSIDE'], port), ends['c', port])
                wanted = (names['TARGET'], port)
            else:
                got = arrives(ends['c', port], (names['TARGET'], port), ends['s', port])
                wanted = (names['OUTSIDE'], port)
            if got is None or got[1][:2] != wanted:
                fail(f'port {port} from {side}: {got}')
    say(wire, ('c', request('BYE', number=2)))
    if arrives(ends['s', 20010], (names['OUTSIDE'], 20010), ends['c', 20010]):
        fail('media after the end')


def two_phones(test):
    """Two phones tell of the same ports behind the same address."""
    phones = []
    for network in 'LONGER', 'SECOND':
        wire = test.wire(network, port=5060 if network == 'LONGER' else 5062)
        got = say(wire, INVITE).decode()
        port = int(re.search('m=audio ([0-9]+)', got)[1])
        if '\r\nc=IN IP4 10.0.2.211\r\n' not in got:
            fail(got)
        phones.append((port, test.socket('c', NETWORKS[network]['CLIENT'], 20000)))
        wire.close()
    if phones[0][0] == phones[1][0]:
        fail('both at the same port')
    caller = test.socket('s', LONGER['SERVER'], 30000)
    for port, phone in phones:
        if arrives(caller, (LONGER['OUTSIDE'], port), phone, str(port).encode()) is None:
            fail(f'not reached at {port}')


def answers_elsewhere(test):
    """A phone that sends from a high port and says in Via that it listens at the
    usual one."""
    wire = test.wire(port=49152)
    listening = test.socket('c', LONGER['CLIENT'], PORT)
    say(wire, REGISTER)
    wire.ends['s'].sendto(whole(registered()[1], wire), wire.peer)
    try:
        got, sender = listening.recvfrom(65536)
    except TimeoutError:
        fail('no answer at the usual port')
    if sender != (LONGER['TARGET'], PORT) or not got.startswith(b'SIP/2.0 200'):
        fail(f'{got} from {sender}')


def stream(test, network='LONGER'):
    """Many messages over TCP that change their lengths, in both directions, also
    several in a segment, and in pieces."""
    wire = test.wire(network, transport='TCP')
    six = ':' in NETWORKS[network]['CLIENT']
    ask, answer = (INVITE6, OK6) if six else (INVITE, OK)
    shown, seen = say(wire, ask), say(wire, answer)
    for _ in range(20):
        if say(wire, ask) != shown or say(wire, answer) != seen:
            fail('the same message is another one now')
    # Whole messages only, so that all of them are translated.
    one = whole(ask[1], wire)
    for count in (2, 1) * 5:
        wire.ends['c'].sendall(one * count)
        got = receive(wire.ends['s'], len(shown) * count)
        if got != shown * count:
            fail(f'{count} messages: {got}')
    # One in two pieces passes as it is, and what follows is right.
    for cut in 1, 100, len(one) - 200, len(one) - 1:
        wire.ends['c'].sendall(one[:cut])
        got = receive(wire.ends['s'], cut)
        wire.ends['c'].sendall(one[cut:] + one)
        got += receive(wire.ends['s'], len(one) - cut + len(shown))
        if got != one + shown:
            fail(f'cut at {cut}: {got}')
    if say(wire, answer) != seen:
        fail('the last answer')


def hostile(test):
    """What parsers stumbled over: nothing of the inside is let out, and calls go on."""
    wire = test.wire()
    contact = '<sip:alice@[CLIENT]>'
    names = LONGER['CLIENT'].encode()

    def arrives_as(text):
        return wire.send('c', wire.text(text).encode())

    # As many contacts as may be written, and too many: then nothing arrives.
    for count, passes in (100, True), (200, False), (2000, False):
        got = arrives_as('REGISTER sip:r SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: ' + ','.join([contact] * count) + '\r\n\r\n')
        if passes != (got is not None) or names in (got or b''):
            fail(f'{count} contacts: {got}')
    # Cut where something should follow.
    for text in (
        'OPTIONS sip:a@[CLIENT]:50', 'OPTIONS sip:a@[CLIENT]:5060', 'OPTIONS sip:a SIP/2.0\r\nContact', 'OPTIONS sip:a SIP/2.0\r\nContact:',
        'OPTIONS sip:a SIP/2.0\r\nContact:\r\n \t', 'SIP/2.0 200 x\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n',
        'INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nm=audio 0 x\r\n', 'INVITE sip:a SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\no=',
        'REGISTER sip:a SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: <sip:[CLIENT]:65535>;expires=4294967295',
    ):
        if arrives_as(text) is None:
            fail(f'lost: {text}')
    say(wire, INVITE)
    say(wire, OK)
    wire.close()
    # Lengths that wrap: what follows is no message.
    for length in 4294967328, 4294967295, 18446744073709551648:
        wire = test.wire(transport='TCP')
        text = f'MESSAGE sip:a SIP/2.0\r\nContact: {contact}\r\nContent-Length: {length}\r\n\r\n' + ' ' * 32
        data = wire.text(text).encode() + whole(INVITE[1], wire)
        got = wire.send('c', data)
        if got != data:
            fail(f'length {length}: {got}')
        wire.close()


def receive(end, length):
    """So many bytes."""
    got = b''
    while len(got) < length:
        part = end.recv(length - len(got))
        if not part:
            break
        got += part
    return got


def main():
    client, router, server, what, *arguments = sys.argv[1:]
    globals()[what.replace('-', '_')](Test(client, router, server), *arguments)


if __name__ == '__main__':
    main()
