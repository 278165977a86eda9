#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_mangle.py CLIENT ROUTER SERVER: FTP through translation, segment by segment:
what a payload becomes, and what becomes of the sequence numbers, acknowledgements
and SACK blocks behind one that grew or shrank. Names of network namespaces."""

import re
import struct
import sys
from ipaddress import ip_address

from nf_nat_packets import ACK, OURS, PSH, SYN, TCP, Test, addr, network, tcp

t = Test(*sys.argv[1:4])
# The control connection is marked for the helper by a rule.
t.rules('''
table inet t {
	ct helper ftp { type "ftp" protocol tcp; }
	chain helper { type filter hook prerouting priority -150; tcp dport 21 ct helper set "ftp"; }
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 198.51.100.1 dnat to 192.168.2.130
		ip daddr 198.51.100.222 dnat to 192.168.2.1
		ip6 daddr 2001:db8:1::1 dnat to fd00:22::82
		ip6 daddr 2001:db8:1::de dnat to fd00:22::1
	}
	chain post {
		type nat hook postrouting priority srcnat
		ip daddr 192.168.2.10 snat ip to 203.0.113.111
		ip6 daddr fd00:22::a snat ip6 to 2001:db8::6f
		ip daddr 192.168.2.11 snat ip to 203.0.113.1
		ip6 daddr fd00:22::b snat ip6 to 2001:db8::1
	}
}
''')


class End:
    """One end of a TCP connection: where it is, whom it sees, its numbers."""

    def __init__(self, link, family, own, port, seq):
        self.link, self.family, self.own, self.port, self.seq = link, family, own, port, seq
        self.peer = self.peer_port = None
        self.ack = 0

    def segment(self, data=b'', flags=ACK | PSH, seq=None, ack=None, options=b''):
        """A segment to the peer."""
        return network(self.own, self.peer, TCP, tcp(self.own, self.peer, self.port, self.peer_port, data, flags,
                                                     self.seq if seq is None else seq, self.ack if ack is None else ack, options))


def come(what, there, data=None, **want):
    """The next segment at an end, compared."""
    for got in there.link.packets(3):
        if got.protocol == TCP and got.dst == there.own and got.dport == there.port:
            wrong = got.differs({'ttl': 63, **want, **({} if data is None else {'data': data})})
            if wrong:
                t.wrong(f'{what}: {wrong}; came: {got}')
            return got
    t.wrong(f'{what}: nothing came')
    return None


SACK_OK = b'\x02\x04\x05\xb4\x04\x02'


def connect(family, client_name, server_name, dst, sport, seqs=(1000, 0xfffffff0), dport=21):
    """Opens a connection: both ends. The server's numbers wrap soon."""
    a = End(t.client, family, addr(family, client_name), sport, seqs[0])
    b = End(t.server, family, addr(family, server_name), dport, seqs[1])
    a.peer, a.peer_port = addr(family, dst), dport
    t.client.drain()
    t.server.drain()
    a.link.send(a.segment(flags=SYN, options=SACK_OK))
    got = come('SYN', b, flags=SYN)
    if not got:
        return None
    b.peer, b.peer_port = got.src, got.sport
    a.seq += 1
    b.ack = a.seq
    b.link.send(b.segment(flags=SYN | ACK, options=SACK_OK))
    come('SYN ACK', a, flags=SYN | ACK, src=a.peer)
    b.seq = b.seq + 1 & 0xffffffff
    a.ack = b.seq
    a.link.send(a.segment(flags=ACK))
    come('ACK', b, flags=ACK)
    return a, b


def say(what, here, there, line, want=None, more=None, before=0):
    """A line is sent and must come as wanted, with the number moved by what was
    added before; then the acknowledgement, which comes back as if nothing had been.
    What this line itself adds is returned."""
    seq = here.seq
    here.link.send(here.segment(line))
    got = come(what, there, want or line, seq=seq + before & 0xffffffff, ack=there.seq, flags=ACK | PSH, **(more or {}))
    here.seq = here.seq + len(line) & 0xffffffff
    if not got:
        return 0
    there.ack = seq + before + len(got.data) & 0xffffffff
    there.link.send(there.segment(flags=ACK))
    come(f'{what}: ACK', here, b'', ack=here.seq, flags=ACK)
    return len(got.data) - len(line)


def port_command(family, address, port):
    if family == 4:
        return b'PORT %s,%d,%d\r\n' % (address.replace('.', ',').encode(), port >> 8, port & 255)
    return b'EPRT |2|%s|%d|\r\n' % (address.encode(), port)


def active(family, dst, grows):
    """The client tells its address; the payload grows or shrinks by that."""
    name = 'c5' if grows else 'c222'
    ends = connect(family, name, dst, dst, 30000 + grows)
    if not ends:
        return
    a, b = ends
    say('greeting', b, a, b'220 hello\r\n')
    say('USER', a, b, b'USER me\r\n')
    command = port_command(family, a.own, 8000)
    wanted = port_command(family, ip_address(b.peer).exploded, 8000)
    if family == 6 and not grows:
        # It cannot shrink: this address is told at full length. It stays as long as it is.
        command = port_command(family, ip_address(a.own).exploded, 8000)
    moved = say('the command', a, b, command, wanted)
    if moved == 0 if grows or family == 4 else moved != 0:
        t.wrong(f'the payload changed by {moved}')
    # The same once more, as if the acknowledgement had been lost: the same comes.
    a.link.send(a.segment(command, seq=a.seq - len(command)))
    come('the command once more', b, wanted, seq=b.ack - len(wanted) & 0xffffffff)
    t.point(f'IPv{family}: active, {"growing" if grows else "shrinking"}: the command, and its retransmission')

    say('answer', b, a, b'200 well\r\n')
    say('after it', a, b, b'NOOP 1\r\n', before=moved)
    # Behind the correction: data with a gap, and the SACK for what is behind it.
    first, second = b'NOOP 22\r\n', b'NOOP 333\r\n'
    a.link.send(a.segment(second, seq=a.seq + len(first)))
    got = come('behind a gap', b, second, seq=b.ack + len(first))
    if got:
        left, right = got.seq, got.seq + len(second)
        b.link.send(b.segment(flags=ACK, options=b'\x01\x01\x05\x0a' + struct.pack('!II', left, right)))
        block = struct.pack('!II', a.seq + len(first), a.seq + len(first) + len(second))
        come('SACK', a, ack=a.seq, options=lambda o: o == b'\x01\x01\x05\x0a' + block)
    a.link.send(a.segment(first))
    come('the gap is filled', b, first, seq=b.ack)
    a.seq += len(first) + len(second)
    b.ack += len(first) + len(second)
    b.link.send(b.segment(flags=ACK))
    come('all is acknowledged', a, ack=a.seq)
    sack = len(first) + len(second)
    # What was before the correction comes again: unmoved.
    a.link.send(a.segment(b'USER me\r\n', seq=1001))
    come('an old segment', b, b'USER me\r\n', seq=1001)
    # A second command: corrections add up.
    more = say('a second command', a, b, port_command(family, a.own, 8001), port_command(family, ip_address(b.peer).exploded, 8001), before=moved)
    say('after both', a, b, b'NOOP 4444\r\n', before=moved + more)
    say('the other direction', b, a, b'200 fine, and long enough\r\n')
    t.point(f'IPv{family}: active, {"growing" if grows else "shrinking"}: numbers, SACK, what is sent again')

    # Two blocks, at an odd place.
    left = b.ack - sack
    b.link.send(b.segment(flags=ACK, options=b'\x01\x01\x01\x05\x12' +
                          b''.join(struct.pack('!I', left + n & 0xffffffff) for n in (4, 8, 0, 2))))
    blocks = b''.join(struct.pack('!I', a.seq - sack + n & 0xffffffff) for n in (4, 8, 0, 2))
    come('two SACK blocks', a, ack=a.seq, options=lambda o: o[:21] == b'\x01\x01\x01\x05\x12' + blocks)
    what = f'IPv{family}: active, {"growing" if grows else "shrinking"}: SACK blocks at an odd place'
    if OURS:
        t.point(what)
    else:
        t.skip(what, 'stock makes the checksum wrong')

    # The connection that was told of.
    d = End(t.server, family, b.own, 20, 5000)
    d.peer, d.peer_port = b.peer, 8001
    e = End(t.client, family, a.own, 8001, 6000)
    d.link.send(d.segment(flags=SYN))
    got = come('data connection', e, flags=SYN, src=a.peer, sport=20, dport=8001)
    if got:
        e.peer, e.peer_port, e.ack = got.src, got.sport, 5001
        e.link.send(e.segment(flags=SYN | ACK))
        come('its answer', d, flags=SYN | ACK, src=b.peer, sport=8001, ack=5001)
    t.point(f'IPv{family}: active: the data connection comes to the client')


def passive(family, dst, server_name, grows):
    """The server tells its address; the client must see the public one."""
    ends = connect(family, 'c5', server_name, dst, 31000 + grows)
    if not ends:
        return
    a, b = ends
    say('greeting', b, a, b'220 hello\r\n')
    say('PASV', a, b, b'PASV\r\n' if family == 4 else b'EPSV\r\n')
    if family == 4:
        def tell(address):
            return b'227 Entering Passive Mode (%s,31,64).\r\n' % address.replace('.', ',').encode()
        moved = say('227', b, a, tell(b.own), tell(a.peer))
        if (moved > 0) != grows or not moved:
            t.wrong(f'the payload was to {"grow" if grows else "shrink"}, {moved}')
    else:
        moved = say('229', b, a, b'229 Entering Extended Passive Mode (|||8000|)\r\n')
        t.equal('moved', moved, 0)
    # The server's numbers wrap about here.
    say('next', a, b, b'RETR x\r\n')
    say('answer', b, a, b'150 here it comes\r\n', before=moved)
    say('end', b, a, b'226 that was it\r\n', before=moved)
    data = connect(family, 'c5', server_name, dst, 32000 + grows, (100, 200), 8000)
    if data:
        token = t.token()
        say('data', data[1], data[0], token)
    t.point(f'IPv{family}: passive, DNAT, {"growing" if grows else "shrinking"}: the answer, numbers over their wrap, the data connection')


def collide(family):
    """Two clients tell of the same port: one has to change."""
    told = []
    for name in 'c5', 'c6':
        ends = connect(family, name, 's10', 's10', 33000)
        if not ends:
            return
        a, b = ends
        say('greeting', b, a, b'220 hello\r\n')
        say('USER', a, b, b'USER me\r\n')
        a.link.send(a.segment(port_command(family, a.own, 8100)))
        got = come('the command', b)
        match = re.search(rb',(\d+),(\d+)\r' if family == 4 else rb'\|()(\d+)\|\r', got.data if got else b'')
        if not match:
            t.wrong(f'no port in {got}')
            return
        told.append((a, b, int(match[1] or 0) * 256 + int(match[2])))
    for a, b, port in told:
        d = End(t.server, family, b.own, 20, 5000)
        d.peer, d.peer_port = b.peer, port
        e = End(t.client, family, a.own, 8100, 6000)
        d.link.send(d.segment(flags=SYN))
        come('data connection', e, flags=SYN, src=b.own)
    t.equal('ports', len({port for _, _, port in told}), 2)
    t.point(f'IPv{family}: two clients with the same port: each gets its own connection')


for f in 4, 6:
    active(f, 's10', True)
    active(f, 's11', False)
    passive(f, 'q222', 's1', True)
    passive(f, 'q1', 's130', False)

for f in 4, 6:
    collide(f)
t.end()
