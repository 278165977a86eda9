#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nf_nat_kinds.py CLIENT ROUTER SERVER: every kind of translation, for rules of nft,
iptables-nft and iptables-legacy. Names of network namespaces."""

import socket
import struct
import sys

from nf_nat_packets import (ACK, GRE, ICMP, ICMPV6, MAKE, PSH, SCTP, SYN, TCP, UDP, Packet, Test, addr, checksum,
                            gre, inside, network, pseudo, raw, tcp, udp)

t = Test(*sys.argv[1:4])
client, server = t.client, t.server
PORTS = ('tcp', 'udp', 'sctp', 'icmp')

# What the rules are: chain, destination, kind, where to, and an option. A
# destination or target is a name as in nf_nat_packets, with '-' a range, with '/'
# all of the network, after a colon come ports, after '<' a source.
RULES = [
    ('post', 's10', 'snat', 'p10'),
    ('post', 's11', 'snat', 'p11:4000-4999'),
    ('post', 's12', 'snat', 'p120-p127'),
    ('post', 's13', 'snat', 'p120-p127', 'persistent'),
    ('post', 's113', 'snat', 'p120-p127', 'persistent'),
    ('post', 's14', 'snat', 'p14', 'random'),
    ('post', 's15', 'snat', 'p15', 'random-fully'),
    ('post', 's16', 'masquerade', ''),
    ('post', 's216', 'masquerade', ''),
    ('post', 's17', 'masquerade', ':5000-5099'),
    ('post', 's18', 'masquerade', '', 'random'),
    ('post', 's118', 'masquerade', '', 'random-fully'),
    ('post', 's19', 'netmap', 'c/m'),
    ('pre', 'q30', 'dnat', 's30'),
    ('pre', 'q31', 'dnat', 's31:8000'),
    ('pre', 'q32', 'dnat', 's100-s107'),
    ('pre', 'q132', 'dnat', 's100-s107', 'persistent'),
    ('pre', 'q33', 'dnat', 's33:8000-8009'),
    ('pre', 'q34', 'dnat', 's34:6000-6010/5000'),
    ('pre', 'q35', 'redirect', ':9000'),
    ('pre', 'q36', 'dnat', 'c20'),
    ('post', 'c20', 'masquerade', ''),
    ('pre', 'n/', 'netmap', 'n/s'),
    ('out', 'q37', 'dnat', 's37:8037'),
    ('out', 'q41', 'redirect', ':9041'),
    ('in', 'C1:9100', 'snat', 'p40'),
    ('post', 's42', 'snat', 'p42'),
    ('pre', 'q42', 'dnat', 's42'),
    ('post', 's43<c6', 'snat', 'c7'),
]


def whole(family, letter):
    return addr(family, letter + '0').removesuffix('::0') + '::/64' if family == 6 else addr(family, letter + '0') + '/24'


def split(dst):
    """A rule's destination, source, port."""
    dst, _, source = dst.partition('<')
    dst, _, port = dst.partition(':')
    return dst, source, port


def nft_rule(family, chain, dst, kind, to, option=''):
    ip = 'ip6' if family == 6 else 'ip'
    dst, source, port = split(dst)
    match = f'add rule inet t {chain} {ip} daddr {whole(family, dst[0]) if dst.endswith("/") else addr(family, dst)} '
    match += f'{ip} saddr {addr(family, source)} ' if source else ''
    match += f'udp dport {port} ' if port else ''
    if kind == 'netmap':
        a, b = to.split('/')
        way = 'dnat' if chain == 'pre' else 'snat'
        return f'{match} {way} {ip} prefix to {ip} {"daddr" if chain == "pre" else "saddr"} map ' \
               f'{{ {whole(family, a)} : {whole(family, b)} }}'
    target, colon, ports = to.partition(':')
    if '/' in ports:
        return ''
    if colon:
        match += f'meta l4proto {{ {", ".join(PORTS)} }} '
    target = '-'.join(addr(family, name) for name in target.split('-')) if target else ''
    if colon and family == 6 and target:
        target = f'[{target}]'
    kind = f'{kind} {ip}' if target else kind
    option = option.replace('random-fully', 'fully-random')
    return f'{match} {kind} {"to " if to else ""}{target}{colon}{ports} {option}'


def nft_rules():
    chains = (('pre', 'prerouting', 'dstnat'), ('out', 'output', '-100'), ('in', 'input', '100'),
              ('post', 'postrouting', 'srcnat'))
    lines = ['table inet t {']
    lines += [f'chain {name} {{ type nat hook {hook} priority {priority}; }}' for name, hook, priority in chains]
    lines += ['}'] + [nft_rule(family, *rule) for rule in RULES for family in (4, 6)]
    return '\n'.join(lines) + '\n'


def xt_rules(family):
    lines = ['*nat']
    for chain, dst, kind, to, *option in RULES:
        chain = {'pre': 'PREROUTING', 'post': 'POSTROUTING', 'in': 'INPUT', 'out': 'OUTPUT'}[chain]
        dst, source, port = split(dst)
        match = f'-A {chain} -d {whole(family, dst[0]) if dst.endswith("/") else addr(family, dst)}'
        match += f' -s {addr(family, source)}' if source else ''
        match += f' -p udp --dport {port}' if port else ''
        option = f'--{option[0]}' if option else ''
        if kind == 'netmap':
            a, b = to.split('/')
            source = f'-s {whole(family, a)} ' if chain == 'POSTROUTING' else ''
            lines.append(f'{match} {source}-j NETMAP --to {whole(family, b)}')
            continue
        target, colon, ports = to.partition(':')
        target = '-'.join(addr(family, name) for name in target.split('-')) if target else ''
        if target and colon and family == 6:
            target = f'[{target}]'
        word = {'snat': '--to-source ', 'dnat': '--to-destination ', 'masquerade': '--to-ports ', 'redirect': '--to-ports '}
        to = word[kind] + target + colon * bool(target) + ports if to else ''
        protocols = [p for p in PORTS if p != 'icmp' or family == 4 and kind in ('snat', 'dnat')] if colon else ['']
        lines += [f'{match} {"-p " + p if p else ""} -j {kind.upper()} {to} {option}' for p in protocols]
    return '\n'.join(lines + ['COMMIT\n'])


def flow(what, family, protocol, here, there, src, sport, dst, dport, /, **want):
    """A connection: what is sent comes out as wanted, the answer comes back as if
    nothing had been translated, and so it goes on. The first packet that came."""
    make, a, b, token = MAKE[protocol], addr(family, src), addr(family, dst), t.token()
    what = f'{what}, protocol {protocol}'
    expected = {'src': a, 'dst': b, 'sport': sport, 'dport': dport, 'ttl': 63, 'data': lambda got: token in got, **want}
    if protocol in (ICMP, ICMPV6):
        if 'dport' not in want:
            expected.pop('dport')
        sport = dport
        expected['sport'] = want.get('sport', sport)
    if protocol == GRE:
        sport, expected['sport'] = dport, None
    first = t.passes(what, here, there, network(a, b, protocol, make(a, b, sport, dport, token)), token, **expected)
    if not first:
        return None
    back = (first.dst, first.src, first.dport, first.sport, token)
    reply = {ICMP: {'reply': True}, ICMPV6: {'reply': True}, TCP: {'flags': SYN | ACK, 'seq': 7000, 'ack': 1001 + len(token)},
             SCTP: {'tag': 0x11223344}}.get(protocol, {})
    if protocol == GRE:
        back = (first.dst, first.src, first.dport, 0, token)
    wanted = {'src': b, 'dst': a, 'sport': dport, 'dport': sport, 'ttl': 63, 'data': expected['data']}
    if protocol == GRE:
        wanted.update(sport=None, dport=dport)
    t.passes(f'{what}, answer', there, here, network(first.dst, first.src, protocol, make(*back, **reply)), token, **wanted)
    # The same mapping for what comes later.
    more = {TCP: {'flags': ACK | PSH, 'seq': 1001 + len(token), 'ack': 7001 + len(token), 'options': b'\x01\x01'}}.get(protocol, {})
    if protocol != SCTP:
        for field in ('src', 'dst', 'sport', 'dport'):
            expected[field] = getattr(first, field)
        if protocol == TCP:
            expected.update(seq=1001 + len(token), ack=7001 + len(token), flags=ACK | PSH)
        t.passes(f'{what}, more', here, there, network(a, b, protocol, make(a, b, sport, dport, token, **more)), token, **expected)
    return first


def protocols(family):
    return TCP, UDP, ICMP if family == 4 else ICMPV6, SCTP, GRE


def with_ports(family):
    """Protocols for a rule with ports."""
    return (TCP, UDP, SCTP) + ((ICMP,) if family == 4 else ())


def sources(f, base):
    for protocol in protocols(f):
        flow('SNAT', f, protocol, client, server, 'c5', base, 's10', 53, src=addr(f, 'p10'))
    t.point(f'{NAME}: IPv{f}: SNAT, the port stays')

    for sport, ports in (100, range(1, 512)), (600, range(512, 1024)), (7000 + base, range(1024, 65536)):
        for protocol in (TCP, UDP, SCTP):
            flow('SNAT', f, protocol, client, server, 'c1', sport, 's10', 99, src=addr(f, 'p10'))
            got = flow('SNAT, clash', f, protocol, client, server, 'c2', sport, 's10', 99, src=addr(f, 'p10'), sport=ports)
            if got and got.sport == sport:
                t.wrong(f'the source port {sport} is used twice')
    ping = protocols(f)[2]
    flow('SNAT', f, ping, client, server, 'c1', base, 's10', 77, src=addr(f, 'p10'))
    got = flow('SNAT, clash', f, ping, client, server, 'c2', base, 's10', 77, src=addr(f, 'p10'), sport=range(65536))
    if got and got.sport == 77:
        t.wrong('the identifier 77 is used twice')
    t.point(f'{NAME}: IPv{f}: SNAT, a port or identifier that is in use changes, within its kind')

    for protocol in with_ports(f):
        more = {'dport': range(4000, 5000)} if protocol == ICMP else {}
        flow('ports', f, protocol, client, server, 'c5', base, 's11', 53, src=addr(f, 'p11'), sport=range(4000, 5000), **more)
        flow('ports', f, protocol, client, server, 'c6', 4321, 's11', 4321, src=addr(f, 'p11'), sport=4321)
    t.point(f'{NAME}: IPv{f}: SNAT to ports')

    pool = {addr(f, f'p{n}') for n in range(120, 128)}
    used, kept = set(), {}
    for n in range(1, 17):
        got = flow('range', f, UDP, client, server, f'c{n}', base, 's12', 53, src=lambda a: a in pool, sport=range(1024, 65536))
        used.add(got and got.src)
        for to in 's13', 's113':
            got = flow('persistent', f, UDP, client, server, f'c{n}', base, to, 53, src=lambda a: a in pool, sport=range(1024, 65536))
            kept.setdefault(n, set()).add(got and got.src)
    if len(used) < 2:
        t.wrong(f'of eight addresses only {used} are used')
    if any(len(a) > 1 for a in kept.values()):
        t.wrong(f'persistent: more than one address for a client: {kept}')
    if len(set().union(*kept.values())) < 2:
        t.wrong('persistent: the same address for all clients')
    t.point(f'{NAME}: IPv{f}: SNAT to addresses, persistent or not')

    for to, public in ('s14', 'p14'), ('s15', 'p15'), ('s18', 'S1'), ('s118', 'S1'):
        same = 0
        for protocol in (TCP, UDP, SCTP):
            for sport in range(base, base + 3):
                got = flow('random', f, protocol, client, server, 'c5', sport, to, 53, src=addr(f, public), sport=range(1024, 65536))
                same += got is not None and got.sport == sport
        if same > 1:
            t.wrong(f'{to}: {same} of 9 ports are not random')
    t.point(f'{NAME}: IPv{f}: SNAT and MASQUERADE, random and fully random')

    for protocol in protocols(f):
        flow('MASQUERADE', f, protocol, client, server, 'c5', base + 50, 's16', 53, src=addr(f, 'S1'))
    for protocol in (TCP, UDP, SCTP):
        flow('MASQUERADE', f, protocol, client, server, 'c5', base + 50, 's17', 53, src=addr(f, 'S1'), sport=range(5000, 5100))
    t.point(f'{NAME}: IPv{f}: MASQUERADE, with and without ports')

    # Whose port was changed keeps the mapping, whatever the destination.
    for protocol in (TCP, UDP, SCTP):
        flow('of another', f, protocol, client, server, 'c8', base + 60, 's16', 54, src=addr(f, 'S1'), sport=base + 60)
        got = flow('first', f, protocol, client, server, 'c9', base + 60, 's16', 54, src=addr(f, 'S1'), sport=range(1024, 65536))
        for port in 54, 55:
            flow('then', f, protocol, client, server, 'c9', base + 60, 's216', port, src=addr(f, 'S1'), sport=got and got.sport)
    t.point(f'{NAME}: IPv{f}: a source keeps its mapping for other destinations')

    for protocol in protocols(f):
        flow('NETMAP', f, protocol, client, server, 'c77', base, 's19', 53, src=addr(f, 'm77'))
        flow('NETMAP', f, protocol, client, server, 'c5', base, 'n78', 54, dst=addr(f, 's78'))
    t.point(f'{NAME}: IPv{f}: NETMAP, both ways')

    for protocol in protocols(f):
        flow('none', f, protocol, client, server, 'c5', base, 's20', 53)
        flow('none', f, protocol, server, client, 's5', base, 'c21', 53)
    for protocol in (TCP, UDP, SCTP):
        flow('SNAT to a host', f, protocol, client, server, 'c6', base + 1, 's43', 53, src=addr(f, 'c7'))
        got = flow('the host itself', f, protocol, client, server, 'c7', base + 1, 's43', 53, sport=range(1024, 65536))
        if got and got.sport == base + 1:
            t.wrong('a source port is used twice')
    t.point(f'{NAME}: IPv{f}: no rule: nothing changes but a port that another one was given')


def destinations(f, base):
    for protocol in protocols(f):
        flow('DNAT', f, protocol, client, server, 'c5', base, 'q30', 53, dst=addr(f, 's30'))
    for protocol in with_ports(f):
        if protocol != ICMP:
            flow('DNAT', f, protocol, client, server, 'c5', base, 'q31', 80, dst=addr(f, 's31'), dport=8000)
            flow('ports', f, protocol, client, server, 'c5', base, 'q33', 80, dst=addr(f, 's33'), dport=range(8000, 8010))
            if NAME != 'nft':
                flow('offset', f, protocol, client, server, 'c5', base, 'q34', 5003, dst=addr(f, 's34'), dport=6003)
    pool = {addr(f, f's{n}') for n in range(100, 108)}
    kept = set()
    used = set()
    for sport in range(base, base + 4):
        got = flow('persistent', f, UDP, client, server, 'c5', sport, 'q132', 53, dst=lambda a: a in pool)
        kept.add(got and got.dst)
        for host in 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8':
            got = flow('range', f, UDP, client, server, host, sport, 'q32', 53, dst=lambda a: a in pool)
            used.add(got and got.dst)
    if len(kept) != 1:
        t.wrong(f'persistent: more than one destination: {kept}')
    if len(used) < 2:
        t.wrong(f'of eight addresses only {used} are used')
    t.point(f'{NAME}: IPv{f}: DNAT, to ports and addresses')

    for protocol in protocols(f):
        flow('hairpin', f, protocol, client, client, 'c5', base, 'q36', 53, src=addr(f, 'C1'), dst=addr(f, 'c20'))
    t.point(f'{NAME}: IPv{f}: hairpin: out where it came in')

    for protocol in protocols(f):
        flow('both', f, protocol, client, server, 'c5', base, 'q42', 53, src=addr(f, 'p42'), dst=addr(f, 's42'))
    t.point(f'{NAME}: IPv{f}: source and destination at once')


def udp_socket(f, port, address=''):
    s = socket.socket(socket.AF_INET6 if f == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.bind((address, port))
    return s


def local(f, base):
    kind = socket.AF_INET6 if f == 6 else socket.AF_INET
    with inside(t.router):
        sink = udp_socket(f, 9000)
        service = udp_socket(f, 9100, addr(f, 'C1'))
        own_sink = udp_socket(f, 9041, '127.0.0.1' if f == 4 else '::1')
        tcp_sink = socket.create_server(('', 9000), family=kind)
        out, around, stream = (socket.socket(kind, k) for k in (socket.SOCK_DGRAM, socket.SOCK_DGRAM, socket.SOCK_STREAM))
    for s in out, around, stream, tcp_sink:
        s.settimeout(5)

    # REDIRECT of what comes in.
    a, q, token = addr(f, 'c5'), addr(f, 'q35'), t.token()
    client.send(network(a, q, UDP, udp(a, q, base, 53, token)))
    try:
        data, peer = sink.recvfrom(100)
        t.equal('the redirected datagram', (data, *peer[:2]), (token, a, base))
        sink.sendto(token, peer)
        got = client.get(token)
        wrong = got.differs({'src': q, 'dst': a, 'sport': 53, 'dport': base, 'ttl': 64}) if got else 'none came'
        if wrong:
            t.wrong(f'the answer of what was redirected: {wrong}')
    except TimeoutError:
        t.wrong('nothing was redirected')
    token = t.token()
    got = t.passes('TCP redirected', client, client, network(a, q, TCP, tcp(a, q, base, 80, options=b'\x02\x04\x05\xb4')),
                   raw(q) + raw(a), src=q, dst=a, sport=80, dport=base, flags=SYN | ACK, ttl=64)
    if got:
        client.send(network(a, q, TCP, tcp(a, q, base, 80, token, ACK | PSH, 1001, got.seq + 1)))
        try:
            peer, name = tcp_sink.accept()
            peer.settimeout(5)
            t.equal('the redirected stream', (peer.recv(100), *name[:2]), (token, a, base))
            peer.close()
        except TimeoutError:
            t.wrong('no stream was redirected')
    t.point(f'{NAME}: IPv{f}: REDIRECT')
    client.drain()

    # The router's own: another destination, and another way there. The route to q is
    # over the client.
    q, to, token = addr(f, 'q37'), addr(f, 's37'), t.token()
    out.connect((q, 53))
    own, port = out.getsockname()[:2]
    t.equal('the own address', own, addr(f, 'C1'))
    out.send(token)
    got = server.get(token)
    wrong = got.differs({'src': own, 'dst': to, 'sport': port, 'dport': 8037, 'ttl': 64}) if got else 'nothing came'
    if wrong:
        t.wrong(f'DNAT of the own: {wrong}')
    server.send(network(to, own, UDP, udp(to, own, 8037, port, token)))
    try:
        t.equal('the answer', out.recv(100), token)
    except (TimeoutError, OSError) as problem:
        t.wrong(f'DNAT of the own: no answer: {problem}')
    stream.setblocking(False)
    stream.connect_ex((q, 80))
    stream.settimeout(5)
    port = stream.getsockname()[1]
    got = server.get(raw(own) + raw(to))
    wrong = got.differs({'sport': port, 'dport': 8037, 'flags': lambda x: x & (SYN | ACK) == SYN, 'ttl': 64}) if got else 'nothing came'
    if wrong:
        t.wrong(f'DNAT of the own stream: {wrong}')
    else:
        server.send(network(to, own, TCP, tcp(to, own, 8037, port, b'', SYN | ACK, 5000, got.seq + 1)))
        try:
            server.get(raw(own) + raw(to))
            stream.send(token)
            got = server.get(token)
            wrong = got.differs({'sport': port, 'dport': 8037, 'seq': got.seq, 'ack': 5001}) if got else 'nothing came'
            if wrong:
                t.wrong(f'DNAT of the own stream: {wrong}')
            t.equal('its peer', stream.getpeername()[:2], (q, 80))
        except OSError as problem:
            t.wrong(f'DNAT of the own stream: {problem}')
    t.point(f'{NAME}: IPv{f}: local: DNAT with another way out')

    around.connect((addr(f, 'q41'), 53))
    token = t.token()
    around.send(token)
    try:
        data, peer = own_sink.recvfrom(100)
        t.equal('what the own is redirected to', data, token)
        own_sink.sendto(token, peer)
        t.equal('the answer', around.recv(100), token)
    except OSError as problem:
        t.wrong(f'REDIRECT of the own: {problem}')
    t.point(f'{NAME}: IPv{f}: local: REDIRECT')

    # The source of what is for the router; the answer goes another way than its
    # address says.
    a, own, token = addr(f, 'c5'), addr(f, 'C1'), t.token()
    client.send(network(a, own, UDP, udp(a, own, base, 9100, token)))
    try:
        data, peer = service.recvfrom(100)
        t.equal('from', (data, *peer[:2]), (token, addr(f, 'p40'), base))
        service.sendto(token, peer)
        got = client.get(token)
        wrong = got.differs({'src': own, 'dst': a, 'sport': 9100, 'dport': base}) if got else 'none came'
        if wrong:
            t.wrong(f'answer: {wrong}')
    except TimeoutError:
        t.wrong('nothing came')
    t.point(f'{NAME}: IPv{f}: local: SNAT in INPUT')
    for s in sink, own_sink, service, tcp_sink, out, around, stream:
        s.close()
    client.drain()
    server.drain()


def odd(f, base):
    """What is not a plain packet."""
    a, b, token = addr(f, 'c5'), addr(f, 's10'), t.token()
    got = t.passes('UDP without checksum', client, server, network(a, b, UDP, udp(a, b, base, 5, token, zero=True)), token,
                   src=addr(f, 'p10'), sport=base, zero=True)
    if got:
        t.passes('its answer', server, client, network(b, got.src, UDP, udp(b, got.src, 5, base, token, zero=True)), token,
                 src=b, dst=a, zero=True)
    t.point(f'{NAME}: IPv{f}: UDP without checksum stays so')

    # A datagram whose checksum comes out as zero is sent with 0xffff.
    for n in range(2):
        token, p = t.token(), addr(f, 'p10')
        data = struct.pack('!HHHH', base + 1 + n, 6, 8 + len(token) + 2, 0) + token
        rest = checksum(pseudo(raw(p), raw(b), UDP, len(data) + 2) + data + b'\0\0')
        data = data[8:] + struct.pack('!H', rest)
        t.passes('the checksum is 0xffff', client, server, network(a, b, UDP, udp(a, b, base + 1 + n, 6, data)), token,
                 src=p, sport=base + 1 + n, zero=False, raw=lambda packet: b'\xff\xff' + token[:4] in packet)
    t.point(f'{NAME}: IPv{f}: a checksum never becomes none')

    one, two = t.token(), t.token()
    data = udp(a, b, base, 7, one + bytes(1400 - len(one)) + two)
    at = 1200
    if f == 4:
        pieces = [network(a, b, UDP, data[:at], fragment=0x2000), network(a, b, UDP, data[at:], fragment=at // 8)]
    else:
        def header(word):
            return bytes([44, UDP, 0]) + struct.pack('!HI', word, base)
        pieces = [network(a, b, UDP, data[:at], extension=header(1)), network(a, b, UDP, data[at:], extension=header(at))]
    server.drain()
    for piece in pieces:
        client.send(piece)
    parts = sorted((p for p in server.packets(0.5) if one in p.raw or two in p.raw), key=lambda p: p.fragment & 0x1ff8 if f == 4 else p.fragment)
    t.equal('fragments', len(parts), 2)
    for part in parts:
        wrong = part.differs({'src': addr(f, 'p10'), 'dst': b, 'ttl': 63})
        if wrong:
            t.wrong(wrong)
    wrong = Packet(network(addr(f, 'p10'), b, UDP, b''.join(p.body for p in parts))).differs({'sport': base, 'dport': 7}) if parts else ''
    if wrong:
        t.wrong(f'put together: {wrong}')
    t.point(f'{NAME}: IPv{f}: fragments')

    if f == 6:
        token = t.token()
        extension = bytes([60, UDP, 0, 1, 4, 0, 0, 0, 0])
        t.passes('extension header', client, server, network(a, b, UDP, udp(a, b, base, 8, token), extension=extension), token,
                 src=addr(f, 'p10'), sport=base)
        t.point(f'{NAME}: IPv6: behind an extension header')
    token = t.token()
    got = t.passes('PPTP\'s GRE', client, server, network(a, b, GRE, gre(a, b, 0x77, 0, token, 1)), token, src=addr(f, 'p10'), dport=0x77)
    t.point(f'{NAME}: IPv{f}: GRE of version 1: the call stays')

    # The broken: none comes out translated with a good checksum.
    token = t.token()
    broken = bytearray(network(a, b, UDP, udp(a, b, base, 9, token)))
    broken[-1] ^= 1
    client.send(bytes(broken))
    got = server.get(token[:-1], 0.3)
    if got and not got.bad:
        t.wrong('a wrong checksum became a right one')
    t.point(f'{NAME}: IPv{f}: a wrong checksum stays wrong')


def load(name):
    """Rules in one of three languages, and none of another."""
    t.run('nft flush ruleset; conntrack -F 2>&1')
    if name == 'nft':
        t.rules(nft_rules())
        return
    for f, program in (4, 'iptables'), (6, 'ip6tables'):
        flavour = name.removeprefix('iptables-')
        t.run([f'{program}-{flavour}-restore'], xt_rules(f))


BASE = 20000
for NAME in sys.argv[4:] or ['nft', 'iptables-nft', 'iptables-legacy']:
    load(NAME)
    for family in 4, 6:
        sources(family, BASE)
        destinations(family, BASE)
        local(family, BASE)
        if NAME != 'iptables-nft':
            odd(family, BASE + 500)
    BASE += 1000
t.end()
