#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""SIP messages, played through a router: what arrives, and what is expected then.

nf_conntrack_sip_cases.py CLIENT ROUTER SERVER [--common | CASE...]: the names of
the three namespaces, laid out by `routed` of lib.sh with the rules of
nf_conntrack_sip.sh. Prints a transcript. With --common only the cases in which
the stock modules do the same, byte for byte.

In messages, CLIENT and SERVER stand for the addresses of the two ends, OUTSIDE for
that under which the server knows the client, TARGET for that under which the client
knows the server."""

import os
import re
import socket
import struct
import subprocess
import sys

PORT = 5060
# Networks of the cases: how the router translates depends on the client's address
# and on the one that it calls.
PLAIN = {'CLIENT': '10.0.1.3', 'SERVER': '10.0.2.2', 'OUTSIDE': '10.0.1.3', 'TARGET': '10.0.2.2'}
LONGER = {'CLIENT': '10.0.1.2', 'SERVER': '10.0.2.2', 'OUTSIDE': '10.0.2.211', 'TARGET': '10.0.2.2'}
SHORTER = {'CLIENT': '10.0.1.222', 'SERVER': '10.0.2.2', 'OUTSIDE': '10.0.2.1', 'TARGET': '10.0.2.2'}
SECOND = {'CLIENT': '10.0.1.4', 'SERVER': '10.0.2.2', 'OUTSIDE': '10.0.2.211', 'TARGET': '10.0.2.2'}
BACK = {'CLIENT': '10.0.1.3', 'SERVER': '10.0.2.2', 'OUTSIDE': '10.0.1.3', 'TARGET': '10.0.1.111'}
BOTH = {'CLIENT': '10.0.1.2', 'SERVER': '10.0.2.2', 'OUTSIDE': '10.0.2.211', 'TARGET': '10.0.1.111'}
PLAIN6 = {'CLIENT': 'fd00:1::3', 'SERVER': 'fd00:2::2', 'OUTSIDE': 'fd00:1::3', 'TARGET': 'fd00:2::2'}
LONGER6 = {'CLIENT': 'fd00:1::2', 'SERVER': 'fd00:2::2', 'OUTSIDE': 'fd00:2::dead:beef', 'TARGET': 'fd00:2::2'}
NETWORKS = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, dict)}


class Namespace:
    """Sockets of a namespace."""

    def __init__(self, name):
        self.file = os.open(f'/run/netns/{name}', os.O_RDONLY)

    def socket(self, family, kind):
        home = os.open('/proc/self/ns/net', os.O_RDONLY)
        os.setns(self.file)
        try:
            return socket.socket(family, kind)
        finally:
            os.setns(home)
            os.close(home)


class Wire:
    """A client and a server with the router between them, over UDP."""

    def __init__(self, spaces, network, port=PORT, transport='UDP'):
        self.network = network
        self.transport = transport
        family = socket.AF_INET6 if ':' in network['CLIENT'] else socket.AF_INET
        kind = socket.SOCK_DGRAM if transport == 'UDP' else socket.SOCK_STREAM
        self.ends = {'c': spaces['c'].socket(family, kind), 's': spaces['s'].socket(family, kind)}
        for end in self.ends.values():
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            end.settimeout(2)
        self.ends['c'].bind((network['CLIENT'], port))
        self.ends['s'].bind((network['SERVER'], PORT))
        self.listener = None
        self.peer = None
        if kind == socket.SOCK_STREAM:
            self.listener = self.ends['s']
            self.listener.listen(1)
            self.ends['c'].connect((network['TARGET'], PORT))
            self.ends['s'], _ = self.listener.accept()
            for end in self.ends.values():
                end.settimeout(2)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # The next case has the same ports.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def close(self):
        for end in (*self.ends.values(), self.listener):
            if end is not None:
                end.close()

    def text(self, message):
        """The message with addresses instead of names."""
        for name, address in self.network.items():
            message = message.replace('[' + name + ']', f'[{address}]' if ':' in address else address)
            message = message.replace(name, address)
        return message.replace('TRANSPORT', self.transport)

    def send(self, end, data):
        """Sends it from one end; what arrives at the other one."""
        if self.transport != 'UDP':
            self.ends[end].sendall(data)
        elif end == 'c':
            self.ends['c'].sendto(data, (self.network['TARGET'], PORT))
        else:
            self.ends['s'].sendto(data, self.peer)
        other = self.ends['s' if end == 'c' else 'c']
        try:
            got = other.recvfrom(65536) if self.transport == 'UDP' else (other.recv(65536), None)
        except TimeoutError:
            return None
        if end == 'c':
            self.peer = got[1]
        return got[0]


def lines(*parts):
    return ''.join(part + '\r\n' for part in parts)


def sdp(who, *media, session=True):
    """A session description by somebody."""
    family = 'IN IP6 ' if '6' in who else 'IN IP4 '
    who = who.strip('46')
    head = ['v=0', f'o=- 1 1 {family}{who}', 's=-']
    if session:
        head.append(f'c={family}{who}')
    return lines(*head, 't=0 0', *media)


AUDIO = 'm=audio 20000 RTP/AVP 0'
VIDEO = 'm=video 20010 RTP/AVP 31'


def request(method, *headers, number=1, body=''):
    """A request of the client to the server."""
    return (lines(f'{method} sip:bob@[TARGET]:5060 SIP/2.0', 'Via: SIP/2.0/TRANSPORT [CLIENT]:5060;branch=z9hG4bK1',
                  'From: <sip:alice@[CLIENT]>;tag=1', 'To: <sip:bob@[TARGET]>', 'Call-ID: 1', f'CSeq: {number} {method}',
                  *headers), body)


def response(code, method, *headers, number=1, body=''):
    """What the server answers."""
    return (lines(f'SIP/2.0 {code} x', 'Via: SIP/2.0/TRANSPORT [OUTSIDE]:5060;branch=z9hG4bK1',
                  'From: <sip:alice@[OUTSIDE]>;tag=1', 'To: <sip:bob@[TARGET]>;tag=2', 'Call-ID: 1',
                  f'CSeq: {number} {method}', *headers), body)


CONTACT = 'Contact: <sip:alice@[CLIENT]:5060>'
# Each step: which end sends what.
INVITE = ('c', request('INVITE', CONTACT, body=sdp('CLIENT4', AUDIO, VIDEO)))
OK = ('s', response(200, 'INVITE', 'Contact: <sip:bob@[SERVER]>', body=sdp('SERVER4', AUDIO, VIDEO)))
INVITE6 = ('c', request('INVITE', CONTACT, body=sdp('CLIENT6', AUDIO, VIDEO)))
OK6 = ('s', response(200, 'INVITE', 'Contact: <sip:bob@[SERVER]>', body=sdp('SERVER6', AUDIO, VIDEO)))
REGISTER = ('c', request('REGISTER', CONTACT, 'Expires: 3600', number=7))


def registered(*headers, code=200, number=7):
    return ('s', response(code, 'REGISTER', *headers, number=number))


def bound(expires):
    return f'Contact: <sip:alice@[OUTSIDE]:5060>;expires={expires}'


def invite(body, *headers):
    return ('c', request('INVITE', CONTACT, *headers, body=body))


# name: networks, steps. Those in which ours does the same as stock.
COMMON = {
    'call': ('PLAIN LONGER SHORTER BACK BOTH', [INVITE, OK, ('c', request('BYE', number=2))]),
    'call6': ('PLAIN6 LONGER6', [INVITE6, OK6, ('c', request('BYE', number=2))]),
    'early': ('PLAIN LONGER', [INVITE, ('s', response(183, 'INVITE', body=sdp('SERVER4', AUDIO)))]),
    'refused': ('PLAIN LONGER', [INVITE, ('s', response(486, 'INVITE'))]),
    'refused-other': ('PLAIN', [INVITE, ('s', response(486, 'INVITE', number=9))]),
    'cancel': ('PLAIN LONGER', [INVITE, ('c', request('CANCEL')), ('s', response(487, 'INVITE'))]),
    'update': ('PLAIN LONGER', [('c', request('UPDATE', body=sdp('CLIENT4', AUDIO))),
                                ('s', response(200, 'UPDATE', body=sdp('SERVER4', AUDIO)))]),
    'prack': ('PLAIN LONGER', [('c', request('PRACK', body=sdp('CLIENT4', AUDIO))),
                               ('s', response(200, 'PRACK', body=sdp('SERVER4', AUDIO)))]),
    'ack': ('PLAIN LONGER', [('c', request('ACK', body=sdp('CLIENT4', VIDEO)))]),
    'again': ('PLAIN LONGER', [INVITE, invite(sdp('CLIENT4', 'm=audio 30000 RTP/AVP 0'))]),
    'media-address': ('PLAIN LONGER', [invite(sdp('CLIENT4', AUDIO, 'c=IN IP4 CLIENT', session=False))]),
    'elsewhere': ('PLAIN', [invite(sdp('CLIENT4', AUDIO).replace('c=IN IP4 CLIENT', 'c=IN IP4 192.0.2.9'))]),
    'fax': ('PLAIN LONGER', [invite(sdp('CLIENT4', 'm=image 20002 udptl t38'))]),
    'unused': ('PLAIN LONGER', [invite(sdp('CLIENT4', 'm=text 20002 x', 'm=video 0 RTP/AVP 31', AUDIO))]),
    'port-1023': ('PLAIN', [invite(sdp('CLIENT4', 'm=audio 1023 RTP/AVP 0'))]),
    'port-65536': ('PLAIN', [invite(sdp('CLIENT4', 'm=audio 65536 RTP/AVP 0'))]),
    'nowhere': ('PLAIN', [invite(sdp('CLIENT4', AUDIO, session=False))]),
    'no-cseq': ('PLAIN', [('c', ('INVITE sip:bob@[TARGET] SIP/2.0\r\nCall-ID: 1\r\n', ''))]),
    'options': ('PLAIN LONGER', [('c', request('OPTIONS', CONTACT)), ('s', response(200, 'OPTIONS'))]),
    'register': ('PLAIN LONGER SHORTER', [REGISTER, registered(bound(60)), registered(bound(0))]),
    'register-refused': ('PLAIN', [REGISTER, registered(code=401)]),
    'register-other': ('PLAIN', [REGISTER, registered(bound(60), number=6), registered(code=100)]),
    'register-refresh': ('PLAIN LONGER', [REGISTER, registered(bound(60)), REGISTER, registered('Expires: 30', CONTACT.replace('CLIENT', 'OUTSIDE'))]),
    'register-none': ('PLAIN', [REGISTER, registered()]),
    'register-nothing': ('PLAIN', [('c', request('REGISTER', CONTACT, 'Expires: 0', number=7))]),
    'register-third': ('PLAIN', [('c', request('REGISTER', 'Contact: <sip:x@192.0.2.7>;expires=9', number=7))]),
    'register-port': ('LONGER', [('c', request('REGISTER', 'm: <sip:a@[CLIENT]:5070>;expires=9', number=7))]),
    'register-tcp': ('PLAIN', [('c', request('REGISTER', 'Contact: <sip:a@[CLIENT];transport=TCP>;expires=9', number=7))]),
    'register-bad': ('PLAIN', [('c', request('REGISTER', 'Contact: <sip:a@[CLIENT]>;expires=x', number=7))]),
    'via': ('LONGER', [('c', (lines('OPTIONS sip:[TARGET] SIP/2.0', 'v: SIP/2.0/UDP [CLIENT]:5060;maddr=[CLIENT];rport',
                                    'CSeq: 1 OPTIONS'), '')),
                       ('s', (lines('SIP/2.0 200 x', 'Via: SIP/2.0/UDP [OUTSIDE]:5060;received=OUTSIDE;rport=5060',
                                    'CSeq: 1 OPTIONS'), ''))]),
    'others': ('LONGER', [('c', (lines('OPTIONS sip:192.0.2.1 SIP/2.0', 'Via: SIP/2.0/UDP 192.0.2.2:5060',
                                       'f: <sip:a@192.0.2.3>', 't: sip:b@[CLIENT]:5070', 'CSeq: 1 OPTIONS',
                                       'm: <sip:a@192.0.2.5>, <sip:a@[CLIENT]>', 'Contact: sip:b@[CLIENT]:5060;q=0.1'), ''))]),
    'folded': ('LONGER', [('c', (lines('OPTIONS sip:[TARGET] SIP/2.0', 'Via:', ' SIP/2.0/UDP [CLIENT]:5060', 'CSeq:', '\t1 OPTIONS',
                                       'Contact :', '  <sip:a@[CLIENT]>,', '  <sip:b@[CLIENT]>'), ''))]),
    'not-sip': ('LONGER', [('c', (b'*** CLIENT and more than that', None))]),
}
# name: networks, steps. Those over TCP, where all steps' parts are one segment.
COMMON_TCP = {
    'tcp-call': ('PLAIN LONGER SHORTER BACK', [INVITE, OK, ('c', request('BYE', number=2))]),
    'tcp-call6': ('PLAIN6 LONGER6', [INVITE6, OK6, ('c', request('BYE', number=2))]),
    'tcp-register': ('LONGER', [REGISTER, registered(bound(60))]),
    'tcp-two': ('PLAIN LONGER', [('c', INVITE[1], request('OPTIONS', CONTACT, number=2)), OK]),
}
# Where ours does otherwise: Documentation/differences.md.
OWN = {
    'odd-port': ('PLAIN', [invite(sdp('CLIENT4', 'm=audio 20001 RTP/AVP 0'))]),
    'no-length': ('LONGER', [('c', ('INVITE sip:bob@[TARGET] SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n' + sdp('CLIENT4', AUDIO), None))]),
    'named-owner': ('LONGER', [invite(sdp('CLIENT4', AUDIO).replace('o=- 1 1 IN IP4 CLIENT', 'o=- 1 1 IN IP4 host'))]),
    'four-streams': ('LONGER', [invite(sdp('CLIENT4', AUDIO, VIDEO, 'm=image 20020 udptl t38', 'm=audio 20030 RTP/AVP 0'))]),
    'route': ('LONGER', [('c', request('OPTIONS', 'Route: <sip:[TARGET];lr>, <sip:[CLIENT];lr>'))]),
    'two-addresses': ('LONGER', [invite(sdp('CLIENT4', AUDIO, VIDEO, 'c=IN IP4 192.0.2.9'))]),
    'held': ('LONGER', [invite(sdp('CLIENT4', 'm=audio 0 RTP/AVP 0'))]),
    'blank-first': ('LONGER', [('c', ('\r\n\r\nOPTIONS sip:[TARGET] SIP/2.0\r\nCSeq: 1 OPTIONS\r\n' + CONTACT + '\r\n\r\n', None))]),
}
OWN_TCP = {
    # A message in another one's body, which begins a segment.
    'tcp-inside': ('PLAIN', [('c', ('MESSAGE sip:bob@[TARGET] SIP/2.0\r\nCSeq: 1 MESSAGE\r\nContent-Length: 900\r\n\r\n', None)),
                             ('c', INVITE[1])]),
    'tcp-blank': ('LONGER', [('c', ('\r\n\r\n', None), request('OPTIONS', CONTACT), ('\r\n', None), request('OPTIONS', CONTACT))]),
}


def whole(message, wire):
    """The bytes of a message, with its length."""
    head, body = message
    if body is None:
        return head if isinstance(head, bytes) else wire.text(head).encode()
    body = wire.text(body)
    return wire.text(f'{head}Content-Length: {len(body)}\r\n\r\n{body}').encode()


def expectations(router):
    """What the router expects, without what changes by itself."""
    table = subprocess.run(['ip', 'netns', 'exec', router, 'cat', '/proc/net/nf_conntrack_expect'],
                           check=True, capture_output=True, text=True).stdout
    return sorted(re.sub(r'^\s*\S+ ', '', line) for line in table.splitlines())


def play(spaces, router, case, name, steps, transport):
    """One case in one network."""
    subprocess.run(['ip', 'netns', 'exec', router, 'conntrack', '-F'], check=False, capture_output=True)
    wire = Wire(spaces, NETWORKS[name], transport=transport)
    for number, (end, *messages) in enumerate(steps):
        print(f'== {case} {name} {number} from {end}')
        got = wire.send(end, b''.join(whole(message, wire) for message in messages))
        if got is None:
            print('nothing arrives')
        else:
            print(got.decode(errors='replace').replace('\r\n', '\n'))
        for line in expectations(router):
            print('expected:', line)
    wire.close()


def main():
    client, router, server, *wanted = filter(None, sys.argv[1:])
    spaces = {'c': Namespace(client), 's': Namespace(server)}
    sets = [(COMMON, 'UDP'), (COMMON_TCP, 'TCP')]
    print('# SPDX-License-Identifier: GPL-2.0')
    if wanted == ['--common']:
        wanted = []
    else:
        sets += [(OWN, 'UDP'), (OWN_TCP, 'TCP')]
    for cases, transport in sets:
        for case, (networks, steps) in cases.items():
            if wanted and case not in wanted:
                continue
            for name in networks.split():
                play(spaces, router, case, name, steps, transport)


if __name__ == '__main__':
    main()
