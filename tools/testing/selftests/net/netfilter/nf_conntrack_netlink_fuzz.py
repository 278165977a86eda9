#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Throws messages at the netlink interfaces of connection tracking: nf_conntrack_netlink_fuzz.py [OPTION...]

Right ones, wrong ones, and noise (nfnl_random.py), from two processes at a time in one network
namespace, which it should be alone in. What comes back must be messages that can be read, or errors
that exist. Prints what went wrong, and at last how many messages there were and how they ended; the exit status
is 0 if nothing was wrong. --seed N --count M makes the same messages again.
"""

import argparse
import collections
import errno
import os
import random
import sys
import time

import nfnl
from nfnl_random import Generator, Request


def noise(rng):
    """Bytes of a message to one of the subsystems, or to none."""
    kind = rng.choice([1, 2, 8, 9, 1, 2, rng.randrange(14)]) << 8 | rng.choice([0, 1, 2, 3, rng.randrange(256)])
    return Request(kind >> 8, kind & 255, rng.choice([0, nfnl.CREATE, nfnl.DUMP]), rng.randbytes(rng.randrange(0, 200)), rng.randrange(256))


def harmless(request):
    """Whether it stays at home: not what belongs to other subsystems, and no search for modules with made-up names."""
    return request.subsystem in (nfnl.CONNTRACK, nfnl.EXPECT, nfnl.TIMEOUT, nfnl.HELPER)


class Fuzzer:
    """One process of it."""

    def __init__(self, seed, verbose):
        self.seed, self.rng = seed, random.Random(seed)
        self.make = Generator(self.rng)
        self.nl = nfnl.Socket(timeout=30)
        self.ends = collections.Counter()
        self.faults = 0
        self.verbose = verbose

    def fault(self, request, what):
        self.faults += 1
        print(f"seed {self.seed}, message {sum(self.ends.values())}: {what}: {request}", flush=True)

    def one(self, request):
        if self.verbose:
            print(request, flush=True)
        try:
            for message in self.nl.stream(*request.arguments()):
                message.decoded()
                if message.subsystem not in nfnl.MESSAGES:
                    self.fault(request, f"an answer of subsystem {message.subsystem}")
            self.ends["done"] += 1
        except nfnl.Refused as refused:
            self.ends[refused.name] += 1
            # An errno of user space's, not one of the kernel's own (512 and up).
            if refused.errno not in errno.errorcode:
                self.fault(request, f"error {refused.errno}")
            # A helper that wants more private data than there is room for is told ENOMEM.
            elif refused.name in ("ENOMEM", "EFAULT", "EIO") and request.subsystem != nfnl.HELPER:
                self.fault(request, refused.name)
        except (ValueError, KeyError, IndexError) as broken:
            self.fault(request, f"an answer that cannot be read ({broken!r})")
        except TimeoutError:
            self.fault(request, "no answer")

    def flush(self):
        self.make.forget()
        for subsystem, kind in ((nfnl.CONNTRACK, nfnl.CT_DELETE), (nfnl.EXPECT, nfnl.EXP_DELETE), (nfnl.TIMEOUT, 2), (nfnl.HELPER, 2)):
            self.nl.error_of(subsystem, kind, 0, [], 0)

    def run(self, seconds, count):
        end = time.monotonic() + seconds
        done = 0
        while time.monotonic() < end and (not count or done < count):
            how = self.rng.random()
            request = self.make.request() if how < 0.4 else self.make.spoilt() if how < 0.95 else noise(self.rng)
            if harmless(request):
                self.one(request)
            done += 1
            if not done % 300:
                self.flush()
        self.flush()
        print(f"{done} messages: " + ", ".join(f"{n} {name}" for name, n in self.ends.most_common()), flush=True)
        return self.faults == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--count", type=int, default=0, help="at most so many messages")
    parser.add_argument("--only", action="store_true", help="one process")
    parser.add_argument("--verbose", action="store_true", help="print each message before it is sent")
    options = parser.parse_args()
    children = []
    for number in range(1 if options.only else 2):
        seed = options.seed * 2 + number
        child = os.fork()
        if not child:
            good = Fuzzer(seed, options.verbose).run(options.seconds, options.count)
            sys.stdout.flush()
            os._exit(0 if good else 1)
        children.append(child)
    sys.exit(any([os.waitpid(child, 0)[1] for child in children]))


if __name__ == "__main__":
    main()
