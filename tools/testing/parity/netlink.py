#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0
"""Plays netlink messages, always the same ones, and writes down what comes of them: netlink.py FILE

In FILE there is a line for each message (>), each error, answer (<), echo (=) and event (!), which begins with the number of
the episode and of the message in it. Attributes are by name, and in order of these; answers and events to one message are
sorted. What is not the same from one run to the next (ids, times, the order in a table) is made so. Run in a
network namespace of its own.
"""

import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "selftests/net/netfilter"))
# pylint: disable=wrong-import-position
import nfnl
from nfnl import CONNTRACK, DUMP, EXPECT, HELPER, TIMEOUT
from nfnl_random import Generator, Request
from plain import plain

RIGHT, SPOILT, EACH = 35, 35, 18


class Player:
    """Plays, and writes."""

    def __init__(self, file):
        self.file = file
        self.nl = nfnl.Socket()
        self.events = nfnl.Socket(groups=nfnl.GROUPS, receive_buffer=1 << 20)
        self.events.socket.setblocking(False)

    def write(self, where, what, lines):
        for line in sorted(lines):
            self.file.write(f"{where} {what} {line}\n")

    def play(self, where, request, contents=True):
        """One message, with what comes of it; or without contents only whether it was refused."""
        answers, error = [], ""
        self.file.write(f"{where} > {request}\n")
        try:
            for message in self.nl.stream(*request.arguments()):
                if contents or message.type == nfnl.CT_STATS:
                    answers.append(plain(message, self.nl.port))
        except nfnl.Refused as refused:
            error = refused.name
        events = [plain(message, self.nl.port) for message in self.events.events()]
        stray, self.nl.stray = [plain(message, self.nl.port) for message in self.nl.stray], []
        # Of what has several faults the first that is seen is told.
        if request.faults > 1 and error in ("EINVAL", "ERANGE"):
            error = "EINVAL or ERANGE"
        if error:
            self.file.write(f"{where} {error}\n")
        if contents:
            self.write(where, "<", answers)
            self.write(where, "=", stray)
            self.write(where, "!", events)

    def forget(self):
        """Nothing is left of an episode; a helper in use is not deleted before its connections."""
        for subsystem, kind in ((CONNTRACK, nfnl.CT_DELETE), (EXPECT, nfnl.EXP_DELETE), (TIMEOUT, 2), (HELPER, 2)):
            self.nl.error_of(subsystem, kind, 0, [], 0)
        for _ in self.events.events():
            pass
        self.nl.stray = []

    def tables(self, where):
        """What an episode has made."""
        for subsystem, kind in ((CONNTRACK, nfnl.CT_GET), (EXPECT, nfnl.EXP_GET), (TIMEOUT, 1), (HELPER, 1)):
            self.play(where, Request(subsystem, kind, DUMP, [], 0))


def value_of(pairs, wanted):
    """A number among attributes, if it is one."""
    for kind, value in pairs:
        if kind & 0x3FFF == wanted and isinstance(value, bytes) and len(value) >= 4:
            return int.from_bytes(value[:4], "big")
    return None


def repeatable(request):
    """Whether what comes of a spoilt one is to be the same: nothing ends soon, or is counted."""
    if isinstance(request.pairs, bytes) or request.subsystem == CONNTRACK and request.kind == nfnl.CT_STATS_CPU \
            or request.subsystem == EXPECT and request.kind == nfnl.EXP_STATS_CPU:
        return False
    if request.subsystem == CONNTRACK:
        seconds = value_of(request.pairs, 7)
        return seconds is None or seconds > 500
    # Where ours is right on purpose: the differences of nfnetlink_cthelper.
    if request.subsystem == HELPER and (request.kind == 1 and request.flags & DUMP != DUMP or (value_of(request.pairs, 3) or 0) > 65535):
        return False
    if request.subsystem == EXPECT:
        # Of a new one stock does not read the timeout, ours does.
        seconds = value_of(request.pairs, 4)
        return seconds in (None, 300) or not request.flags & nfnl.CREATE and 50 < seconds < 8000000
    return True


def main():
    rng = random.Random(2026)
    make = Generator(rng, exact=True)
    with open(sys.argv[1], "w", encoding="ascii", errors="backslashreplace") as file:
        player = Player(file)
        for episode in range(RIGHT):
            player.forget()
            make.forget()
            for number in range(EACH):
                request = make.request()
                if rng.random() < 0.15:
                    request.flags |= nfnl.ECHO
                player.play(f"{episode}.{number}", request)
            player.tables(f"{episode}.end")
        for episode in range(RIGHT, RIGHT + SPOILT):
            player.forget()
            make.forget()
            for number in range(EACH):
                request = make.spoilt()
                if not repeatable(request):
                    continue
                # Ports that NAT chooses by chance.
                with_nat = request.subsystem == CONNTRACK and any(kind & 0x3FFF in (6, 13) for kind, _ in request.pairs)
                player.play(f"{episode}.{number}", request, not with_nat)
                if with_nat:
                    player.forget()
                    make.forget()
            player.tables(f"{episode}.end")
        player.forget()


main()
