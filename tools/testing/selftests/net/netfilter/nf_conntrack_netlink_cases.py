#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Messages that are wrong, or have been trouble before: what comes back, and that nothing stays.

Prints a line for each case, RESULT|WHAT: the result is ok, or says what was wrong. Run in a network
namespace of its own.
"""

import os
import subprocess

import nfnl
from nfnl import CONNTRACK, EXPECT, CREATE, DUMP, EXCL, be16, be32, be8, text, tuples, tuple_of

OURS = bool(open("/sys/module/nf_conntrack_netlink/taint", encoding="ascii").read().strip())
A, B = "10.0.0.1", "10.0.0.2"
SECONDS = (7, be32(1000))
nl = nfnl.Socket()


def case(what, got, *wanted):
    """One line: got is one of what was wanted."""
    print("ok" if got in wanted else f"is {got!r}, should be {' or '.join(map(repr, wanted))}", what, sep="|")


def new(pairs, flags=CREATE | EXCL, family=2, **more):
    """The error of making a connection; what was made is removed."""
    error = nl.error_of(CONNTRACK, nfnl.CT_NEW, flags, pairs, family, **more)
    nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)
    return error


def dump(pairs=(), family=0, subsystem=CONNTRACK):
    return [m.decoded() for m in nl.request(subsystem, nfnl.CT_GET, DUMP, pairs, family)]


def entries():
    return nfnl.number_of("/proc/sys/net/netfilter/nf_conntrack_count")


def connections():
    """Of the requests that make, get and delete connections."""
    good = tuples(A, B)
    case("new: a good one", new(good + [SECONDS]), "")
    case("new: no tuple", new([SECONDS]), "EINVAL")
    case("new: one tuple", new(good[:1] + [SECONDS]), "EINVAL")
    case("new: no timeout", new(good), "EINVAL")
    case("new: not there, and not to be made", new(good + [SECONDS], 0), "ENOENT")
    case("new: the protocols differ", new([good[0], (2, tuple_of(B, A, 6, 2000, 1000)), SECONDS]), "EINVAL")
    for family in (0, 1, 7, 12, 255):
        case(f"new: family {family}", new(good + [SECONDS], family=family), "EOPNOTSUPP")
    case("new: addresses of another family", new(good + [SECONDS], family=10), "EINVAL")
    case("new: no addresses", new([(1, [(2, [(1, be8(17))])]), good[1], SECONDS]), "EINVAL")
    case("new: no ports", new([(1, [good[0][1][0], (2, [(1, be8(17))])]), good[1], SECONDS]), "EINVAL")
    case("new: a short status", new(good + [SECONDS, (3, be16(1))]), "ERANGE", "EINVAL")
    case("new: a short mark", new(good + [SECONDS, (8, be8(1))]), "ERANGE", "EINVAL")
    case("new: a port of one byte", new([(1, [good[0][1][0], (2, [(1, be8(17)), (2, be8(1)), (3, be16(1))])]), good[1], SECONDS]),
         "ERANGE", "EINVAL")
    case("new: an address of three bytes", new([(1, [(1, [(1, b"abc"), (2, b"abcd")]), good[0][1][1]]), good[1], SECONDS]),
         "ERANGE", "EINVAL")
    case("new: a zone twice", new([(1, tuple_of(A, B, zone=3)), good[1], (18, be16(4)), SECONDS]), "EINVAL")
    case("new: the time of the event", new(good + [SECONDS, (27, bytes(8))]), "EINVAL")
    case("new: a name that does not end", new(good + [SECONDS, (5, [(1, b"f" * 16)])]), "ERANGE", "EINVAL")
    case("new: a helper without a name", new(good + [SECONDS, (5, [])]), "EINVAL")
    case("new: a helper that nobody has", new(good + [SECONDS, (5, [(1, text("nobody"))])]), "EOPNOTSUPP")
    case("new: helper of another protocol", new(good + [SECONDS, (5, [(1, text("ftp"))])]), "EOPNOTSUPP")
    case("new: a master that is not there", new(good + [SECONDS, (14, tuple_of(A, B, 6, 1, 2))]), "ENOENT")
    case("new: part of a sequence adjustment",
         new(tuples(A, B, 6) + [SECONDS, (15, [(1, be32(1))]), (6, [(1, nfnl.address("10.9.9.9"))])]), "EINVAL", "")
    case("new: NAT addresses of another family", new(good + [SECONDS, (6, [(4, nfnl.address("fd00::1"))])]), "EINVAL", "")
    case("get: no tuple", nl.error_of(CONNTRACK, nfnl.CT_GET), "EINVAL")
    case("get: dying, one", nl.error_of(CONNTRACK, nfnl.CT_DYING), "EOPNOTSUPP")
    case("get: unconfirmed, one", nl.error_of(CONNTRACK, nfnl.CT_UNCONFIRMED), "EOPNOTSUPP")
    case("a message that does not exist", nl.error_of(CONNTRACK, 8), "EINVAL")
    case("expectation: a message that does not exist", nl.error_of(EXPECT, 4), "EINVAL")

    nl.request(CONNTRACK, nfnl.CT_NEW, CREATE, good + [SECONDS])
    found = nl.request(CONNTRACK, nfnl.CT_GET, 0, good[:1])[0].decoded()
    case("get: by the reply", nl.request(CONNTRACK, nfnl.CT_GET, 0, good[1:])[0].decoded()["id"], found["id"])
    wrong = be32(found["id"] ^ 1)
    case("delete: another id", nl.error_of(CONNTRACK, nfnl.CT_DELETE, 0, good[:1] + [(12, wrong)]), "ENOENT")
    case("update: labels of three bytes", nl.error_of(CONNTRACK, nfnl.CT_NEW, 0, good[:1] + [(22, b"abc")]), "EINVAL")
    case("update: a mask of another length", nl.error_of(CONNTRACK, nfnl.CT_NEW, 0, good[:1] + [(22, bytes(4)), (23, bytes(8))]), "EINVAL")
    case("update: too many labels", nl.error_of(CONNTRACK, nfnl.CT_NEW, 0, good[:1] + [(22, bytes(20))]), "ERANGE", "EINVAL")
    case("update: a new master", nl.error_of(CONNTRACK, nfnl.CT_NEW, 0, good + [(14, tuple_of(A, B))]), "EOPNOTSUPP")
    case("update: a helper afterwards", nl.error_of(CONNTRACK, nfnl.CT_NEW, 0, good + [(5, [(1, text("ftp"))])]), "EOPNOTSUPP")
    case("update: marked as dying", nl.error_of(CONNTRACK, nfnl.CT_NEW, 0, good[:1] + [(3, be32(1 << 9 | 8))]), "EBUSY")
    case("an update that was refused changed nothing", nl.request(CONNTRACK, nfnl.CT_GET, 0, good[:1])[0].decoded()["status"], found["status"])
    case("delete: this id", nl.error_of(CONNTRACK, nfnl.CT_DELETE, 0, good[:1] + [(12, be32(found["id"]))]), "")
    case("delete: it is gone", nl.error_of(CONNTRACK, nfnl.CT_DELETE, 0, good[:1]), "ENOENT")


def filters():
    """CVE-2020-25211 and the like: filters with what cannot be."""
    def wrong(pairs, family=2, kind=nfnl.CT_GET, flags=DUMP):
        return nl.error_of(CONNTRACK, kind, flags, pairs, family)

    def flags(orig=None, reply=None):
        return (25, [(k, v.to_bytes(4, "little")) for k, v in ((1, orig), (2, reply)) if v is not None])

    case("filter: a status of nothing", wrong([(3, be32(0))]), "EINVAL")
    case("filter: a mask without status", wrong([(26, be32(1)), (8, be32(1))]), "EINVAL")
    case("filter: a mask without mark", wrong([(21, be32(1)), (3, be32(2))]), "EINVAL")
    case("filter: flags without tuple", wrong([flags(1)]), "EINVAL")
    case("filter: flags that nobody knows", wrong([flags(0x80000000), tuples(A, B)[0]]), "EINVAL", "ERANGE")
    case("filter: ports without protocol", wrong([flags(0x10), tuples(A, B)[0]]), "EINVAL")
    for family in (3, 11, 13, 255):
        for kind, name in ((nfnl.CT_GET, "list"), (nfnl.CT_DELETE, "delete")):
            case(f"filter: a tuple of family {family}, {name}",
                 wrong([flags(0xFFF, 0xFFF), *tuples(A, B)], family, kind, DUMP if kind == nfnl.CT_GET else 0), "EOPNOTSUPP")
    for protocol in (0, 143, 255):
        case(f"filter: a tuple of protocol {protocol}", wrong([flags(0xFFF), (1, tuple_of(A, B, protocol))]), "", "EINVAL")


def protocols():
    """States that there are not: SCTP's (CVE-2026-31407) and TCP's, and window scales (CVE-2026-31495)."""
    for state in (0, 3, 7):
        case(f"SCTP: state {state}", new(tuples(A, B, 132) + [SECONDS, nfnl.sctp_info(state)]), "")
    for state in (9, 10, 100, 255):
        case(f"SCTP: state {state}", new(tuples(A, B, 132) + [SECONDS, nfnl.sctp_info(state)]), "EINVAL", "ERANGE")
    case("SCTP: a state and no tags", new(tuples(A, B, 132) + [SECONDS, (4, [(3, [(1, be8(3))])])]), "EINVAL")
    for state in (0, 3, 9):
        case(f"TCP: state {state}", new(tuples(A, B, 6) + [SECONDS, nfnl.tcp_info(state)]), "")
    for state in (10, 15, 100, 255):
        case(f"TCP: state {state}", new(tuples(A, B, 6) + [SECONDS, nfnl.tcp_info(state)]), "EINVAL", "ERANGE")
    tcp = tuples(A, B, 6)
    for scale in (14, 15, 31, 32, 255):
        error = nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, tcp + [
            SECONDS, nfnl.tcp_info(3, wscale_orig=scale, wscale_reply=scale, flags_orig=(1, 1), flags_reply=(1, 1))])
        got = dump()[0]["protoinfo"]["tcp"] if not error else {}
        sane = error in ("EINVAL", "ERANGE") or (got["wscale_orig"] <= 14 and got["wscale_reply"] <= 14)
        case(f"TCP: window scale {scale} ({error or 'taken as ' + str(got['wscale_orig'])})", sane, True)
        nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)


MASTER = tuples(A, B, 6, 1024, 21)


def expectation(port=5000, master=MASTER, **more):
    """Attributes of one: from B to A's port."""
    found = {
        1: master[0][1], 2: tuple_of(B, A, 6, 0, port), 3: tuple_of("255.255.255.255", "255.255.255.255", 6, 0, 65535),
        4: be32(300), 9: be32(0),
    }
    names = {"timeout": 4, "id": 5, "help_name": 6, "zone": 7, "flags": 8, "klass": 9, "nat": 10, "fn": 11}
    found.update({names[name]: value for name, value in more.items()})
    return [(k, v) for k, v in found.items() if v is not None]


def expect(pairs, flags=CREATE | EXCL):
    return nl.error_of(EXPECT, nfnl.EXP_NEW, flags, pairs)


def expectations():
    """Of a master with the FTP helper."""
    case("expectation: no master", expect(expectation()), "ENOENT")
    case("expectation: list of a master that is not there", nl.error_of(EXPECT, nfnl.EXP_GET, DUMP, [(1, MASTER[0][1])]), "ENOENT")
    # The module is asked for while the lock is given up: try again.
    helped = MASTER + [SECONDS, (5, [(1, text("ftp"))]), nfnl.tcp_info(3)]
    case("a master with a helper", nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, helped), "")
    case("which is listed", dump()[0].get("help"), {"name": "ftp"})
    without = tuples(A, B, 6, 1025, 22)
    nl.request(CONNTRACK, nfnl.CT_NEW, CREATE, without + [SECONDS])
    case("expectation: of a master without helper", expect(expectation(master=without)), "EOPNOTSUPP")
    for left_out in (1, 2, 3):
        case(f"expectation: attribute {left_out} left out", expect([p for p in expectation() if p[0] != left_out]), "EINVAL")
    case("expectation: not there, and not to be made", expect(expectation(), 0), "ENOENT")
    case("expectation: class 1 of a helper with one (CVE-2026-43025)", expect(expectation(klass=be32(1))), "EINVAL")
    case("expectation: class 4294967295", expect(expectation(klass=be32(0xFFFFFFFF))), "EINVAL")
    case("expectation: unknown flags", expect(expectation(flags=be32(0x80))), "EINVAL", "ERANGE")
    case("expectation: unknown function", expect(expectation(fn=text("nobody"))), "EINVAL")
    for direction in (2, 100):
        case(f"expectation: NAT direction {direction} (CVE-2026-31407)",
             expect(expectation(nat=[(1, be32(direction)), (2, tuple_of(A, B, 6, 1, 2))])), "ERANGE", "EINVAL")
    case("expectation: NAT without a tuple", expect(expectation(nat=[(1, be32(0))])), "EINVAL")
    case("none was made", dump(subsystem=EXPECT), [])

    case("expectation: a good one", expect(expectation()), "")
    case("expectation: the same", expect(expectation()), "EEXIST")
    case("expectation: the same, updated", expect(expectation(timeout=be32(100)), CREATE), "")
    listed = dump(subsystem=EXPECT)
    case("expectation: one is listed", len(listed), 1)
    case("expectation: it has no NAT (CVE-2026-43026)", "nat" in listed[0], False)
    case("expectation: its timeout", listed[0]["timeout"] in (98, 99, 100), True)
    case("expectation: its helper", listed[0].get("help_name"), "ftp")
    case("expectation: listed by its master", len(nl.request(EXPECT, nfnl.EXP_GET, DUMP, [(1, MASTER[0][1])])), 1)
    case("expectation: not by another", len(nl.request(EXPECT, nfnl.EXP_GET, DUMP, [(1, without[0][1])])), 0)
    this = [(2, tuple_of(B, A, 6, 0, 5000))]
    wrong = (5, be32(listed[0]["id"] ^ 1))
    case("expectation: get with another id (CVE-2024-44944)", nl.error_of(EXPECT, nfnl.EXP_GET, 0, this + [wrong]), "ENOENT")
    case("expectation: delete with another id", nl.error_of(EXPECT, nfnl.EXP_DELETE, 0, this + [wrong]), "ENOENT")
    case("expectation: get", nl.request(EXPECT, nfnl.EXP_GET, 0, this)[0].decoded()["id"], listed[0]["id"])
    case("expectation: delete by another helper's name", nl.error_of(EXPECT, nfnl.EXP_DELETE, 0, [(6, text("tftp"))]), "")
    case("expectation: is still there", len(dump(subsystem=EXPECT)), 1)
    case("expectation: delete by its helper's name", nl.error_of(EXPECT, nfnl.EXP_DELETE, 0, [(6, text("ftp"))]), "")
    case("expectation: is gone", nl.error_of(EXPECT, nfnl.EXP_GET, 0, this), "ENOENT")

    nat = [(1, be32(1)), (2, tuple_of("10.7.7.7", B, 6, 77, 0))]
    case("expectation: with NAT", expect(expectation(nat=nat)), "")
    got = dump(subsystem=EXPECT)[0]["nat"]
    case("expectation: its NAT", (got["dir"], got["tuple"]["ip"]["v4_src"], got["tuple"]["proto"]["sport"]), (1, "10.7.7.7", 77))
    case("expectation: delete", nl.error_of(EXPECT, nfnl.EXP_DELETE, 0, this), "")
    case("expectation: delete again", nl.error_of(EXPECT, nfnl.EXP_DELETE, 0, this), "ENOENT")

    # 42949673 s are more than 2^32 jiffies. With stock's update it is over at once.
    for seconds in (8589934, 42949673, 0xFFFFFFFF):
        error = expect(expectation(timeout=be32(seconds)))
        left = [e["timeout"] for e in dump(subsystem=EXPECT)]
        case(f"expectation: {seconds} s", error in ("EINVAL", "ERANGE") or bool(left) and left[0] > 290, True)
        expect(expectation(), CREATE)
        error = expect(expectation(timeout=be32(seconds)), 0)
        left = [e["timeout"] for e in dump(subsystem=EXPECT)]
        fine = error in ("EINVAL", "ERANGE") or bool(left) and left[0] > 1000000
        case(f"expectation: {seconds} s afterwards", fine or not OURS, True)
        nl.request(EXPECT, nfnl.EXP_DELETE)
    case("expectation: flush", dump(subsystem=EXPECT), [])
    for seconds in (8589934, 42949673, 0xFFFFFFFF):
        nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, tuples(A, B, 17) + [(7, be32(seconds))])
        got = nl.request(CONNTRACK, nfnl.CT_GET, 0, tuples(A, B, 17)[:1])[0].decoded()["timeout"]
        # As long as can be: 2^31 jiffies, of which debug kernels have 100 a second.
        case(f"a connection of {seconds} s", any(most - 600 < got <= most for most in (2**31 // 250, min(seconds, 2**31 // 100))), True)
        nl.request(CONNTRACK, nfnl.CT_DELETE, 0, tuples(A, B, 17)[:1])


def resumed():
    """Dumps whose place goes away between two reads (CVE-2025-38721, CVE-2025-39764, CVE-2026-23458, CVE-2026-43450)."""
    unfinished = 0
    for victim in ("the one at hand", "all", "the master"):
        nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)
        nl.request(CONNTRACK, nfnl.CT_NEW, CREATE, MASTER + [SECONDS, (5, [(1, text("ftp"))]), nfnl.tcp_info(3)])
        # Expectations have one class here, which allows one at a time for each master.
        masters = [tuples(A, B, 6, 2000 + i, 21) for i in range(150)]
        for i, master in enumerate(masters):
            nl.request(CONNTRACK, nfnl.CT_NEW, CREATE, master + [SECONDS, (5, [(1, text("ftp"))])])
            expect(expectation(6000 + i, master))
        for subsystem in (EXPECT, CONNTRACK):
            if victim == "the master" and subsystem == CONNTRACK:
                continue
            with nfnl.Socket() as reader:
                # The first read is a page of it; the rest is made when that is read.
                reader.send(reader.message(subsystem, nfnl.CT_GET, DUMP, family=0))
                done = any(kind == nfnl.NLMSG_DONE for kind, *_ in reader.receive())
                unfinished += not done
                if victim == "the one at hand":
                    for e in dump(subsystem=subsystem)[1::2]:
                        t = e["tuple_orig" if subsystem == CONNTRACK else "tuple"]
                        one = tuple_of(t["ip"]["v4_src"], t["ip"]["v4_dst"], 6, t["proto"]["sport"], t["proto"]["dport"])
                        nl.error_of(subsystem, nfnl.CT_DELETE, 0, [(1 if subsystem == CONNTRACK else 2, one)])
                elif victim == "all":
                    nl.request(subsystem, nfnl.CT_DELETE, family=0)
                else:
                    nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)
                while not done:
                    done = any(kind == nfnl.NLMSG_DONE for kind, *_ in reader.receive())
        # A dump that nobody reads to the end.
        with nfnl.Socket() as reader:
            reader.send(reader.message(EXPECT, nfnl.EXP_GET, DUMP, [(1, MASTER[0][1])]))
    case("dumps resumed where it went away", unfinished, 5)
    nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)


def unprivileged():
    """Without rights."""
    child = os.fork()
    if not child:
        os.setuid(65534)
        with nfnl.Socket() as other:
            refused = [other.error_of(s, k, f) for s in (CONNTRACK, EXPECT) for k, f in ((0, CREATE), (1, DUMP), (2, 0))]
        os._exit(0 if set(refused) == {"EPERM"} else 1)
    case("without rights", os.waitpid(child, 0)[1], 0)


def references():
    """Errors behind which something was held already (CVE-2023-7192): it is given back."""
    case("references: nothing is left", entries(), 0)
    helped = MASTER + [SECONDS, (5, [(1, text("ftp"))])]
    nl.request(CONNTRACK, nfnl.CT_NEW, CREATE, tuples(A, B, 6, 7, 7) + [SECONDS])
    for _ in range(20):
        # After the helper was taken: a status, a state, a master that is not, the reply of another.
        nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, helped + [(3, be32(1 << 9))])
        nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, helped + [nfnl.tcp_info(200)])
        nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, helped + [(14, tuple_of(A, B, 6, 9, 9))])
        nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, [MASTER[0], tuples(A, B, 6, 7, 7)[1], SECONDS, (5, [(1, text("ftp"))])])
        nl.error_of(CONNTRACK, nfnl.CT_NEW, CREATE, [
            MASTER[0], tuples(A, B, 6, 7, 7)[1], SECONDS, (5, [(1, text("ftp"))]), (14, tuple_of(A, B, 6, 7, 7))])
    case("references: of the one that was there", dump()[0]["use"], 1)
    nl.request(CONNTRACK, nfnl.CT_DELETE, family=0)
    case("references: nothing is left", entries(), 0)
    going = subprocess.run(["modprobe", "-r", "nf_conntrack_ftp"], check=False)
    case("references: the helper can go", going.returncode, 0)


for group in (connections, filters, protocols, expectations, resumed, unprivileged, references):
    group()
