# SPDX-License-Identifier: GPL-2.0
"""Episodes for packets.py: TCP with resets, and opening from both sides.

Ours believes fewer resets than stock, and learns nothing from what it does not believe (differences.md, TCP 1 to 3). So
that the others can be compared, these are not made: whoever makes an episode keeps book of what any router must believe.
"""

import struct

from nf_nat_packets import ACK, FIN, PSH, RST, SYN
from packets_made import MOD, RIGHT, Connection, other, tcp


def header(packet):
    """Sequence number, acknowledgement, control bits but PSH, window, bytes of options and of data."""
    at = 40 if packet[0] >> 4 == 6 else 20
    seq, ack, offset, flags, window = struct.unpack_from("!IIBBH", packet, at + 4)
    size = (offset >> 4) * 4
    return seq, ack, flags & ~PSH, window, size - 20, len(packet) - at - size


class Book:
    """What a router that saw these packets has surely believed: segments that come in order and acknowledge all that came."""

    def __init__(self):
        # By side: the number after what was believed, what that acknowledges, and up to where there is a window.
        self.ends, self.acked, self.edges = {"c": None, "s": None}, {"c": None, "s": None}, {"c": 0, "s": 0}
        # The number after a SYN that was not answered yet, and after the last.
        self.syns, self.began = {"c": None, "s": None}, {"c": None, "s": None}
        # The server was seen; it has sent a SYN; what came after that may have completed the handshake; there was one more SYN.
        self.replied = self.answered = self.opened = self.again = False
        # There was a FIN or a reset, after which any reset counts. The server may have begun another connection.
        self.closing = self.turned = False

    def see(self, side, packet):
        """A packet that was not lost."""
        seq, ack, flags, window, options, size = header(packet)
        if flags not in RIGHT or flags == SYN and side == "s" and self.ends[side] is not None and not self.opened:
            # No segment, or a SYN of who has answered one.
            return
        there, end = other(side), (seq + size + bool(flags & SYN) + bool(flags & FIN)) % MOD
        if flags & RST:
            self.closing |= self.exact(side, seq, ack if flags & ACK else None)
        elif flags == SYN:
            self.again |= self.answered
            self.turned |= self.opened and side == "s"
            if self.closing:
                # It may begin again.
                self.ends, self.closing = {"c": None, "s": None}, False
            self.syns = {side: end, there: None if self.answered else self.syns[there]}
            self.answered |= side == "s"
        elif flags == SYN | ACK and ack == self.syns[there]:
            self.ends = {side: end, there: ack}
            self.acked = {side: ack, there: None}
            self.edges = {side: end, there: (ack + max(window, 1)) % MOD}
        elif not flags & SYN and not options and self.ends == {side: seq, there: ack} and not later(seq, self.edges[side]):
            self.ends[side], self.acked[side] = end, ack
            edge = (ack + max(window, 1)) % MOD
            self.edges[there] = edge if later(edge, self.edges[there]) else self.edges[there]
            self.closing |= bool(flags & FIN)
        if flags & SYN:
            self.began[side] = end
        self.answered |= side == "s" and flags == SYN | ACK and self.began["c"] is not None
        self.opened |= self.answered and not flags & SYN
        self.replied |= side == "s"
        if self.answered and flags != SYN:
            # Only what comes next can answer a SYN that was let through.
            self.syns = {"c": None, "s": None}

    def exact(self, side, seq, ack):
        """Numbers of a reset that its receiver must believe, and whoever is between them."""
        there = other(side)
        return self.ends[side] == self.acked[there] == seq and ack in (None, self.ends[there])

    def agreed(self, side, seq, ack):
        """Whether stock and ours are of one mind about a reset with these numbers, 'ack' if it has one."""
        if self.turned:
            return False
        if not self.answered:
            # In SYN_SENT it must acknowledge the SYN: TCP 1. One of the client must not be followed by the first segments of the
            # server, which may not fit: TCP 3.
            return not self.replied if side == "c" else ack is not None and ack == self.syns["c"]
        if not self.opened:
            # In the handshake it must be in window. Stock asks less of one after another SYN, ours of one after its own: TCP 1.
            return not self.again and (self.ends[side] is not None if ack is None else ack == self.began[other(side)])
        # In a connection that is not about to end it must be exact, else stock moves its windows: TCP 1 and 2.
        return self.closing or self.exact(side, seq, ack)


def later(one, two):
    """One number comes after the other."""
    return 0 < (one - two) % MOD < 1 << 31


class Resetting(Connection):
    """With resets."""

    resets = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.book = Book()

    def step(self, script):
        packet = super().step(script)
        if not self.lost and header(packet[1])[2] in (RST, RST | ACK) and not self.book.answered:
            # Refused, or taken back: there is nothing any more.
            self.book = Book()
        elif not self.lost:
            self.book.see(*packet)
        return packet

    def segment(self, side, flags, data=b"", seq=None, ack=None, exact=False):
        here, control = self.streams[side], flags & ~PSH
        if control == SYN and side == "s" and self.book.syns["c"] is None and not self.book.answered:
            # It would be the one who opens.
            flags = ACK
        elif control == SYN:
            # A SYN ACK that was sent before does not answer this: TCP 3.
            self.sent = [packet for packet in self.sent if header(packet[1])[2] != SYN | ACK]
        elif control == SYN | ACK and side == "c" and self.streams["s"].next not in (self.book.syns["s"], self.book.ends["s"]):
            # No answer to a SYN that was believed: TCP 3.
            flags = ACK
        elif control == SYN | ACK and self.book.began[side] is not None and None in (self.book.ends[side], self.book.acked[side]):
            # Opening from both sides: it is the same SYN again, with an answer to the other.
            seq = self.book.began[side] - 1
        syn_at = here.syn_at
        # Nor does it if one that is newer came before.
        packet = super().segment(side, flags, data, seq, ack, exact or control == SYN and self.book.ends[side] is None)
        if control != SYN and (control, side) != (SYN | ACK, "s"):
            # Nothing that is INVALID has an answer, and a SYN ACK of the client is the same SYN again.
            here.syn_at = syn_at
        return packet

    def reset(self, side):
        here, there = self.streams[side].next, self.streams[other(side)].next
        flags = RST if side == "c" else RST | ACK
        if not self.book.agreed(side, here, there if flags & ACK else None):
            return self.segment(side, ACK, exact=True)
        packet = self.segment(side, flags, exact=True)
        # It may not be right any more when it is sent again.
        self.sent.pop()
        return packet


def resets(rng):
    """As tcp, with resets and simultaneous opening."""
    return tcp(rng, Resetting)
