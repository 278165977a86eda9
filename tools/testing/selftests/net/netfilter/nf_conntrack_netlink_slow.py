#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Listeners that are too slow: one that loses events is told so (ENOBUFS), one that asked for it loses no end.

Prints a line for each case, RESULT|WHAT: the result is ok, or says what was wrong.
"""

import errno
import os
import sys
import time

import nfnl
from nfnl import CONNTRACK, CREATE, DUMP, be32, tuples

MANY = 300


def case(what, got, wanted):
    print("ok" if got == wanted else f"is {got!r}, should be {wanted!r}", what, sep="|")


def entries():
    return nfnl.number_of("/proc/sys/net/netfilter/nf_conntrack_count")


def busywait(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def make(nl):
    for i in range(MANY):
        nl.request(CONNTRACK, nfnl.CT_NEW, CREATE, tuples("10.5.0.1", "10.5.0.2", 17, 1000 + i, 7) + [(7, be32(600))])


def flush(nl):
    nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)


def dying(nl):
    return [m.decoded() for m in nl.request(CONNTRACK, nfnl.CT_DYING, DUMP, family=0)]


def read_all(listener, wanted, seconds=30):
    """Names and ids of the events that come, and how often it was said that some were lost."""
    found, lost, end = [], 0, time.monotonic() + seconds
    listener.socket.settimeout(1)
    while len(found) < wanted and time.monotonic() < end:
        try:
            for kind, flags, sequence, port, body in listener.receive():
                message = nfnl.Message(kind, flags, sequence, port, body)
                found.append((message.name, message.decoded()["id"]))
        except TimeoutError:
            if not wanted - len(found) or lost and wanted == sys.maxsize:
                break
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            lost += 1
    return found, lost


def careless(nl):
    with nfnl.Socket(["new", "destroy"], receive_buffer=4096) as listener:
        make(nl)
        case("slow: all connections were made", entries(), MANY)
        flush(nl)
        case("slow: and went", busywait(lambda: entries() == 0), True)
        found, lost = read_all(listener, sys.maxsize, 5)
        case("slow: it got some of the events", 0 < len(found) < MANY, True)
        case("slow: and was told that some were lost", lost > 0, True)
        make(nl)
        found, _ = read_all(listener, 1)
        case("slow: once it has read, events come again", found[0][0], "NEW")
    flush(nl)


def careful(nl):
    listener = nfnl.Socket(["destroy"], receive_buffer=4096)
    listener.option(nfnl.NETLINK_BROADCAST_ERROR, 1)
    make(nl)
    ids = {m.decoded()["id"] for m in nl.request(CONNTRACK, nfnl.CT_GET, DUMP, family=0)}
    flush(nl)
    case("reliable: none is in the table", nl.request(CONNTRACK, nfnl.CT_GET, DUMP, family=0), [])
    waiting = dying(nl)
    case("reliable: some wait for their end to be told", 0 < len(waiting) < MANY, True)
    case("reliable: they are of those that went", {e["id"] for e in waiting} <= ids, True)
    case("reliable: and count still", entries() >= len(waiting), True)
    found, _ = read_all(listener, MANY, 60)
    case("reliable: every end was told", {i for name, i in found if name == "DELETE"}, ids)
    case("reliable: once", len(found), MANY)
    case("reliable: none waits any more", busywait(lambda: not dying(nl) and not entries()), True)

    make(nl)
    flush(nl)
    case("reliable: some wait again", bool(dying(nl)), True)
    listener.close()
    case("reliable: no longer when nobody listens", busywait(lambda: not dying(nl) and not entries()), True)


def gone():
    """The namespace ends while ends wait to be told."""
    child = os.fork()
    if not child:
        os.unshare(os.CLONE_NEWNET)
        nl = nfnl.Socket()
        listener = nfnl.Socket(["destroy"], receive_buffer=4096)
        listener.option(nfnl.NETLINK_BROADCAST_ERROR, 1)
        make(nl)
        flush(nl)
        os._exit(0 if dying(nl) else 1)
    case("a namespace ends while some wait", os.waitpid(child, 0)[1], 0)


def main():
    with nfnl.Socket() as nl:
        flush(nl)
        busywait(lambda: entries() == 0)
        careless(nl)
        busywait(lambda: entries() == 0)
        careful(nl)
    gone()


main()
