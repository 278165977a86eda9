#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""sequences.py make SEED NUMBER: sequences of packets, a line of JSON each, the same for
the same seed.

sequences.py compare SEQUENCES STOCK OURS OUT: which of them ended differently, as
sequences that end with the first step that did. Those that are alike in what differs are
told apart from those that are not, by a word.

sequences.py shorter SEQUENCES OUT: for each of some sequences every one that is a step
shorter, or half as long, to be tried in their place.

sequences.py shortest SEQUENCES CANDIDATES OUT: of each sequence and its candidates that
still differ, the shortest."""

import collections
import json
import random
import sys

TCP, UDP, ICMP, SCTP = 6, 17, 1, 132
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
PORTS = (4000, 4000, 7000, 8000, 9000)


class Generator:
    """Makes sequences from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = 0

    def sequence(self, name):
        """One of them."""
        self.number += 1
        chance = self.random
        family = chance.choice((4, 4, 6))
        kind = chance.choice(('tcp', 'tcp', 'tcp', 'tcp games', 'udp', 'icmp', 'sctp'))
        self.ports = {'sport': 10000 + self.number % 50000, 'dport': chance.choice(PORTS) + chance.randrange(20)}
        steps = getattr(self, kind.replace(' ', '_'))()
        return {'name': name, 'kind': kind, 'family': family, 'steps': steps}

    def packet(self, protocol, way, **more):
        return {'protocol': protocol, 'way': way, **self.ports, **more}

    def maybe_error(self, steps):
        """Now and then an ICMP error about what was seen last."""
        chance = self.random
        if steps and chance.random() < 0.06:
            steps.append(self.packet(ICMP, chance.randrange(2), error=chance.choice(((3, 3, 1, 4), (3, 4, 2, 0), (11, 0, 3, 0))),
                                     sender=chance.random() < 0.5, quote=chance.choice((28, 48, 60, 100)),
                                     rest=chance.choice((0, 1280))))

    def segment(self, way, flags, seq, ack, length=0, window=None, options=''):
        return self.packet(TCP, way, flags=flags, seq=seq & 0xffffffff, ack=ack & 0xffffffff if flags & ACK else 0, len=length,
                           window=self.random.choice((65535, 8192, 1024)) if window is None else window, options=options,
                           bad=self.random.random() < 0.01)

    def tcp(self, games=False):
        """Two ends that follow the protocol, over a path that loses, repeats and
        exchanges; and, if there are games, a third who does not."""
        chance = self.random
        sent = [chance.getrandbits(32), chance.getrandbits(32)]
        scale = chance.choice(('', '01030307', '0103030e', '0402', '0402080a0000000100000000', '04020103030a'))
        syn = '020405b4' + scale
        steps = [self.segment(0, SYN, sent[0], 0, options=syn)]
        isn = list(sent)
        sent[0] += 1
        if chance.random() < 0.9:
            steps.append(self.segment(1, SYN | ACK, sent[1], sent[0], options=syn if chance.random() < 0.8 else ''))
            sent[1] += 1
            if chance.random() < 0.95:
                steps.append(self.segment(0, ACK, sent[0], sent[1]))
        closing = [False, False]
        for _ in range(chance.randrange(14)):
            way = chance.randrange(2)
            if games and chance.random() < 0.4:
                steps.append(self.game(way, sent, isn))
                continue
            what = chance.random()
            if what < 0.55:
                length = chance.choice((1, 10, 100, 1000)) if not closing[way] else 0
                steps.append(self.segment(way, ACK | (PSH if length else 0), sent[way], sent[1 - way], length))
                sent[way] += length
            elif what < 0.65:
                steps.append(self.segment(way, ACK, sent[way], sent[1 - way], window=chance.choice((0, 1, 65535))))
            elif what < 0.72 and len(steps) > 1:
                steps.append(dict(chance.choice(steps[-4:])))
            elif what < 0.80:
                steps.append(self.segment(way, ACK, sent[way] - chance.choice((1, 10)), sent[1 - way], chance.choice((1, 10, 20))))
            elif what < 0.92:
                steps.append(self.segment(way, FIN | ACK, sent[way], sent[1 - way]))
                if not closing[way]:
                    sent[way] += 1
                    closing[way] = True
            elif what < 0.94 and games:
                steps.append(self.segment(way, RST | ACK, sent[way], sent[1 - way]))
            elif what < 0.97:
                edges = '%08x%08x' % (sent[1 - way] & 0xffffffff, sent[1 - way] + 100 & 0xffffffff)
                steps.append(self.segment(way, ACK, sent[way], sent[1 - way] - 10, options='0101050a' + edges))
            else:
                steps.append(self.segment(0, SYN, sent[0] + 100000, 0, options=syn))
            self.maybe_error(steps)
        # Lost before the router, and exchanged on the way.
        steps = [step for step in steps if chance.random() > 0.05]
        for at in range(1, len(steps)):
            if chance.random() < 0.06:
                steps[at - 1], steps[at] = steps[at], steps[at - 1]
        return steps

    def game(self, way, sent, isn):
        """A segment of somebody who wants to do harm, or is confused."""
        chance = self.random
        near = chance.choice((0, 0, 1, -1, 100, -100, 70000, -70000, 1 << 31, chance.getrandbits(32)))
        kind = chance.choice((RST, RST, RST | ACK, SYN, SYN | ACK, ACK, FIN | ACK, FIN, SYN | FIN, 0, URG | ACK))
        base = chance.choice((sent, sent, isn))
        return self.segment(way, kind, base[way] + near, sent[1 - way] + chance.choice((0, 0, 1, -1, 100000, chance.getrandbits(32))),
                            chance.choice((0, 0, 10)))

    def tcp_games(self):
        return self.tcp(games=True)

    def udp(self):
        chance, steps = self.random, []
        for _ in range(chance.randrange(1, 8)):
            steps.append(self.packet(UDP, chance.choice((0, 0, 1)), len=chance.choice((0, 1, 7, 100, 200)), zero=chance.random() < 0.1,
                                     bad=chance.random() < 0.05, pieces=chance.choice((0, 0, 0, 1, -1))))
            if steps[-1]['len'] < 100:
                steps[-1]['pieces'] = 0
            if chance.random() < 0.05:
                steps.append({'wait': 2.2})
            self.maybe_error(steps)
        return steps

    def icmp(self):
        chance, steps = self.random, []
        for _ in range(chance.randrange(1, 7)):
            way = chance.choice((0, 0, 1))
            steps.append(self.packet(ICMP, way, reply=bool(way) ^ (chance.random() < 0.15), len=chance.choice((0, 8, 100)),
                                     bad=chance.random() < 0.05, pieces=0))
            self.maybe_error(steps)
        return steps

    def sctp(self):
        chance = self.random
        tags = [chance.getrandbits(32) | 1, chance.getrandbits(32) | 1]
        init = ['%08x%08x%04x%04x%08x' % (tag, 65536, 1, 1, 5) for tag in tags]
        steps = []

        def say(way, *chunks, tag=None):
            steps.append(self.packet(SCTP, way, tag=tags[1 - way] if tag is None else tag, chunks=[list(chunk) for chunk in chunks]))
        say(0, (1, 0, init[0]), tag=0)
        if chance.random() < 0.9:
            say(1, (2, 0, init[1]))
            say(0, (10, 0, '01020304'))
            if chance.random() < 0.9:
                say(1, (11, 0, ''))
        for _ in range(chance.randrange(8)):
            way = chance.randrange(2)
            kind, flags, body = chance.choice(((0, 3, '000000010000000000000000aabbccdd'), (3, 0, '000000010000ffff00000000'),
                                               (4, 0, '0001000401020304'), (5, 0, '0001000401020304'), (7, 0, '00000001'), (8, 0, ''),
                                               (14, 0, ''), (6, 0, ''), (9, 0, ''), (11, 0, ''), (1, 0, init[0])))
            tag = chance.getrandbits(32) if chance.random() < 0.15 else None
            if kind == 1:
                tag = 0
            say(way, (kind, flags, body), tag=tag)
            self.maybe_error(steps)
        if steps and chance.random() < 0.1:
            steps.pop(chance.randrange(len(steps)))
        return steps


def read(name):
    with open(name, encoding='ascii') as file:
        return [json.loads(line) for line in file]


def write(name, lines):
    with open(name, 'w', encoding='ascii') as file:
        for line in lines:
            file.write(json.dumps(line) + '\n')


def aged(entry):
    """A connection without its timeout, and that."""
    entry = dict(entry)
    return entry.pop('timeout', None), entry


def same_list(stock, ours):
    """Lists of connections or events; timeouts may be a second apart, as time passes."""
    if len(stock) != len(ours):
        return 'number'
    for a, b in zip(stock, ours):
        (old, a), (new, b) = aged(a), aged(b)
        if a != b:
            return ' '.join(sorted(key for key in a.keys() | b.keys() if a.get(key) != b.get(key)))
        if old != new and (old is None or new is None or abs(old - new) > 1):
            return f'timeout {old} {new}'
    return ''


def difference(stock, ours):
    """What is different of two steps; empty if nothing is."""
    for part in ('out', 'table', 'events'):
        if part == 'out':
            what = '' if stock[part] == ours[part] else 'packets'
        else:
            what = same_list(stock[part], ours[part])
        if what:
            return f'{part}: {what}'
    return ''


def compare(sequences, stock, ours, out):
    stock = {line['name']: line['trace'] for line in read(stock)}
    ours = {line['name']: line['trace'] for line in read(ours)}
    found, packets = [], 0
    for sequence in read(sequences):
        name = sequence['name']
        packets += len(sequence['steps'])
        for number, (a, b) in enumerate(zip(stock[name], ours[name], strict=True)):
            what = difference(a, b)
            if what:
                found.append({**sequence, 'what': what, 'steps': sequence['steps'][:number + 1], 'stock': a, 'ours': b})
                break
    write(out, found)
    kinds = collections.Counter(f'{line["kind"]}: {line["what"]}' for line in found)
    print(f'{len(ours)} sequences, {packets} packets, {len(found)} differ')
    for kind, number in kinds.most_common():
        print(f'  {number} {kind}')


def shorter(sequences, out):
    lines = []
    for line in read(sequences):
        steps, name = line['steps'], line['name']
        some = [steps[:at] + steps[at + 1:] for at in range(len(steps) - 1)]
        if len(steps) > 4:
            some.append(steps[len(steps) // 2:])
            some += [steps[:at] + steps[at + 2:] for at in range(len(steps) - 2)]
        for number, candidate in enumerate(some):
            lines.append({'name': f'{name}~{number}', 'kind': line['kind'], 'family': line['family'], 'steps': candidate})
    write(out, lines)


def shortest(sequences, candidates, out):
    best = {line['name']: line for line in read(sequences)}
    for line in read(candidates):
        name = line['name'].rsplit('~', 1)[0]
        if len(line['steps']) < len(best[name]['steps']):
            best[name] = {**line, 'name': name}
    write(out, best.values())


def main():
    command, *arguments = sys.argv[1:]
    if command == 'make':
        seed, number = map(int, arguments)
        generator = Generator(seed)
        for index in range(number):
            print(json.dumps(generator.sequence(f'{seed}.{index}')))
    else:
        {'compare': compare, 'shorter': shorter, 'shortest': shortest}[command](*arguments)


main()
