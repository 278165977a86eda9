#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Dumps of a large table while it changes: nf_conntrack_netlink_dump.py ENTRIES FILE

What lives through a whole dump is in it exactly once. While FILE exists the size of the table is changed, by the
test that runs this. Prints a line for each case, RESULT|WHAT: the result is ok, or says what was wrong. Run in a
network namespace of its own.
"""

import collections
import errno
import os
import pathlib
import re
import signal
import struct
import sys
import time

import nfnl
from nfnl import CONNTRACK, CREATE, DUMP, be32, tuples

OURS = bool(open("/sys/module/nf_conntrack_netlink/taint", encoding="ascii").read().strip())
ENTRIES, RESIZE = int(sys.argv[1]), pathlib.Path(sys.argv[2])
# Entry N is from 11.x.y.z, x.y.z being N; those that come and go are from 12.x.y.z. Odd ones have mark 1.
STAYING, PASSING = b"\x0b", b"\x0c"
SOURCE = re.compile(rb"\x08\x00\x01\x00([\x0b\x0c])(...)\x08\x00\x02\x00", re.DOTALL)
BATCH = 100


def key(number):
    return struct.pack("!I", number)[1:]


def case(what, got, wanted=True):
    print("ok" if got == wanted else f"is {got!r}, should be {wanted!r}", what, sep="|", flush=True)


class Table:
    """Makes and deletes many entries: messages are cut from one that is right, and sent a hundred at a time."""

    def __init__(self):
        self.nl = nfnl.Socket(timeout=60)
        self.parts = {}
        for kind, flags, more in ((nfnl.CT_NEW, CREATE, [(7, be32(100000))]), (nfnl.CT_DELETE, 0, [])):
            for mark in (0, 1):
                pairs = tuples("10.99.99.99", "10.3.0.1", 17, 1, 2)
                whole = self.nl.message(CONNTRACK, kind, flags, pairs + more + ([(8, be32(mark))] if not kind else []))
                self.parts[kind, mark] = whole.split(nfnl.address("10.99.99.99"))

    def each(self, kind, numbers, prefix):
        """The first error, by name, or ''."""
        numbers, error = list(numbers), ""
        self.nl.socket.settimeout(0.001)
        for start in range(0, len(numbers), BATCH):
            self.nl.send(b"".join(
                (prefix + key(number)).join(self.parts[kind, number & 1]) for number in numbers[start:start + BATCH]))
            try:
                # Errors come without being asked for.
                while True:
                    for what, _, _, _, body in self.nl.receive():
                        if what == nfnl.NLMSG_ERROR:
                            error = error or errno.errorcode[-struct.unpack_from("=i", body)[0]]
            except (TimeoutError, BlockingIOError):
                pass
        return error


class Dump:
    """A dump: how often each staying one came, how many messages there were, how many with NLM_F_DUMP_INTR."""

    def __init__(self, pairs=(), slow=0.0):
        self.seen = collections.Counter()
        self.messages = self.interrupted = self.passing = 0
        started = time.monotonic()
        with nfnl.Socket(timeout=60) as nl:
            nl.send(nl.message(CONNTRACK, nfnl.CT_GET, DUMP, list(pairs), 0))
            while not self.take(nl.socket.recv(1 << 18)):
                time.sleep(slow)
        self.seconds = time.monotonic() - started

    def take(self, data):
        """True if that was the end."""
        for which, number in SOURCE.findall(data):
            if which == STAYING:
                self.seen[number] += 1
            else:
                self.passing += 1
        at = 0
        while at + 16 <= len(data):
            length, kind, flags = struct.unpack_from("=IHH", data, at)
            if kind in (nfnl.NLMSG_DONE, nfnl.NLMSG_ERROR):
                return True
            self.messages += 1
            self.interrupted += bool(flags & nfnl.DUMP_INTR)
            at += max(16, length + (-length % 4))
        return False

    def missing(self, numbers):
        return sum(key(n) not in self.seen for n in numbers)

    def twice(self):
        return sum(n > 1 for n in self.seen.values())


def churn(table, numbers):
    """Makes and deletes the passing ones until killed."""
    child = os.fork()
    if not child:
        own = Table()
        while True:
            own.each(nfnl.CT_NEW, numbers, PASSING)
            own.each(nfnl.CT_DELETE, numbers, PASSING)
    return child


def end(child):
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main():
    table = Table()
    everyone = range(ENTRIES)
    odd = range(1, ENTRIES, 2)
    case("no error while they are made", table.each(nfnl.CT_NEW, everyone, STAYING), "")
    case("as many as there should be", nfnl.number_of("/proc/sys/net/netfilter/nf_conntrack_count"), ENTRIES)
    dump = Dump()
    print(f"# {dump.messages} entries in {dump.seconds:.1f} s")
    case("at rest: each once", (len(dump.seen), dump.twice(), dump.missing(everyone)), (ENTRIES, 0, 0))
    case("at rest: not said to be interrupted", dump.interrupted, 0)
    dump = Dump([(8, be32(1)), (21, be32(1))])
    case("at rest: by mark", (dump.messages, dump.twice(), dump.missing(odd)), (len(odd), 0, 0))

    passing = range(3000)
    child = churn(table, passing)
    time.sleep(1)
    missing = twice = interrupted = came = 0
    for number in range(3):
        dump = Dump(slow=0.002 * number)
        print(f"# {dump.messages} entries in {dump.seconds:.1f} s, {dump.passing} of them passing, {dump.twice()} twice")
        missing, twice = missing + dump.missing(everyone), twice + dump.twice()
        interrupted, came = interrupted + dump.interrupted, came + dump.passing
    case("others come and go: they did", came > 0)
    case("others come and go: none is missing", missing, 0)
    # Stock begins a chain again if the entry that was next in it has gone.
    case("others come and go: each once", twice if OURS else 0, 0)
    case("others come and go: not said to be interrupted", interrupted, 0)
    dump = Dump([(8, be32(1)), (21, be32(1)), (3, be32(8))])
    case("others come and go: by mark, none is missing", dump.missing(odd), 0)
    case("others come and go: by mark, only those", dump.messages - dump.passing, len(odd) + (0 if OURS else sum(
        n - 1 for n in dump.seen.values())))

    RESIZE.touch()
    missing = twice = interrupted = 0
    for number in range(3):
        dump = Dump(slow=0.002 * (number + 1))
        print(f"# {dump.messages} entries in {dump.seconds:.1f} s, {dump.missing(everyone)} missing, {dump.twice()} twice")
        missing, twice, interrupted = missing + dump.missing(everyone), twice + dump.twice(), interrupted + dump.interrupted
    RESIZE.unlink()
    # Stock walks the buckets by number, whatever is in them now.
    case("the size changes: none is missing", missing if OURS else 0, 0)
    case("the size changes: each once", twice if OURS else 0, 0)
    case("the size changes: not said to be interrupted", interrupted, 0)
    end(child)
    # Some of the passing are there, some are not.
    table.each(nfnl.CT_DELETE, passing, PASSING)

    # Every other one goes while it is read.
    with nfnl.Socket(timeout=60) as nl:
        half = Dump.__new__(Dump)
        half.seen, half.messages, half.interrupted, half.passing = collections.Counter(), 0, 0, 0
        nl.send(nl.message(CONNTRACK, nfnl.CT_GET, DUMP, [], 0))
        half.take(nl.socket.recv(1 << 18))
        table.each(nfnl.CT_DELETE, odd, STAYING)
        while not half.take(nl.socket.recv(1 << 18)):
            pass
    case("half of them go: none of the others is missing", half.missing(range(0, ENTRIES, 2)), 0)
    case("half of them go: each once", half.twice() if OURS else 0, 0)
    case("half of them go: the rest is there", nfnl.number_of("/proc/sys/net/netfilter/nf_conntrack_count"), ENTRIES // 2)
    with nfnl.Socket(timeout=60) as nl:
        nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)
    case("flush: all gone", Dump().messages, 0)


main()
