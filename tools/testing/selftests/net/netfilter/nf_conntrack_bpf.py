#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""BPF programs that look connections and flows up, and make connections: what they get.

usage: nf_conntrack_bpf.py OBJECT connections|verifier|repeat COUNT
       nf_conntrack_bpf.py OBJECT flows DEVICE COMMAND...

Prints a line for each case, RESULT|WHAT: the result is ok, or says what was wrong. Run in a network
namespace of its own; `flows` prints what a program at the device's XDP has seen while COMMAND ran.
"""

import ctypes
import errno
import socket
import struct
import subprocess
import sys

bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
bpf.bpf_object__open_file.restype = ctypes.c_void_p
bpf.bpf_object__find_program_by_name.restype = ctypes.c_void_p
bpf.bpf_object__find_map_by_name.restype = ctypes.c_void_p
QUIET = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)

MARK, TIMEOUT, STATUS, SOURCE, DESTINATION = 1, 2, 4, 8, 16
SEEN_REPLY, ASSURED, CONFIRMED, DYING = 2, 4, 8, 1 << 9
SRC_NAT, DST_NAT = 1 << 4, 1 << 5
TCP, UDP = 6, 17
HZ = 250
# struct request, struct answer and struct flow of the programs.
REQUEST = struct.Struct("=6I16s16s2i2iBBHB3xI40s")
ANSWER = struct.Struct("=I i I I I I i i i i i I")
FLOW = struct.Struct("=I I i i I i i")
SIZE = REQUEST.size + ANSWER.size + FLOW.size
GUARD = 0x12345
OURS = bool(open("/sys/module/nf_conntrack/taint", encoding="ascii").read().strip())


class TestRun(ctypes.Structure):
    """struct bpf_test_run_opts"""

    _fields_ = [("sz", ctypes.c_size_t), ("data_in", ctypes.c_char_p), ("data_out", ctypes.c_void_p),
                ("data_size_in", ctypes.c_uint32), ("data_size_out", ctypes.c_uint32),
                ("ctx_in", ctypes.c_void_p), ("ctx_out", ctypes.c_void_p),
                ("ctx_size_in", ctypes.c_uint32), ("ctx_size_out", ctypes.c_uint32),
                ("retval", ctypes.c_uint32), ("repeat", ctypes.c_int), ("duration", ctypes.c_uint32),
                ("flags", ctypes.c_uint32), ("cpu", ctypes.c_uint32), ("batch_size", ctypes.c_uint32)]


class Programs:
    """Programs of the object, loaded; `log` is what the verifier says if it refuses."""

    def __init__(self, *names):
        self.object = ctypes.c_void_p(bpf.bpf_object__open_file(sys.argv[1].encode(), None))
        log = ctypes.create_string_buffer(1 << 20)
        for name in names:
            bpf.bpf_program__set_autoload(self.find(name), True)
            bpf.bpf_program__set_log_buf(self.find(name), log, ctypes.c_size_t(len(log)))
        self.error = bpf.bpf_object__load(self.object)
        self.log = log.value.decode(errors="replace")
        if not self.error:
            variables = ctypes.c_void_p(bpf.bpf_object__find_map_by_name(self.object, b".bss"))
            self.map = bpf.bpf_map__fd(variables)

    def loaded(self):
        """These programs; the log is shown if that cannot be."""
        if self.error:
            sys.exit(f"error {self.error}:\n" + "\n".join(self.log.splitlines()[-20:]))
        return self

    def find(self, name):
        return ctypes.c_void_p(bpf.bpf_object__find_program_by_name(self.object, name.encode()))

    def close(self):
        bpf.bpf_object__close(self.object)

    def read(self):
        """(answer, flow)"""
        state = ctypes.create_string_buffer(SIZE)
        assert not bpf.bpf_map_lookup_elem(self.map, ctypes.byref(ctypes.c_uint32()), state)
        return (ANSWER.unpack_from(state, REQUEST.size), FLOW.unpack_from(state, REQUEST.size + ANSWER.size))

    def run(self, name, request, repeat=1):
        state = ctypes.create_string_buffer(request.ljust(SIZE, b"\0"), SIZE)
        assert not bpf.bpf_map_update_elem(self.map, ctypes.byref(ctypes.c_uint32()), state, ctypes.c_uint64())
        options = TestRun(sz=ctypes.sizeof(TestRun), data_in=bytes(64), data_size_in=64, repeat=repeat)
        error = bpf.bpf_prog_test_run_opts(bpf.bpf_program__fd(self.find(name)), ctypes.byref(options))
        assert not error and options.retval == 0, f"{name}: {error}, returned {options.retval}"
        return Answer(*self.read()[0])


class Answer:
    """What a program has got."""

    def __init__(self, *values):
        (self.found, self.error, self.dir, self.zone_dir, self.status, self.mark, self.left, self.timeout,
         self.set_status, self.source, self.destination, self.inserted) = values


def packed(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


def tuple_of(source, destination, sport, dport):
    return packed(source) + packed(destination) + struct.pack("!HH", sport, dport)


def request(key, protocol=TCP, tuple_len=None, opts_len=16, netns=-1, zone=0, zone_dir=0, reserved=0,
            mark=None, timeout=None, status=None, source=None, destination=None):
    """`source` and `destination`: (address, port) to translate to."""
    values = (mark, timeout, status, source, destination)
    flags = sum(bit for bit, value in zip((MARK, TIMEOUT, STATUS, SOURCE, DESTINATION), values) if value is not None)
    ends = [end or ("0.0.0.0", 0) for end in (source, destination)]
    data = bytearray(REQUEST.pack(len(key) if tuple_len is None else tuple_len, opts_len, flags, mark or 0,
                                  timeout or 0, status or 0, *(packed(address) for address, _ in ends),
                                  *(port for _, port in ends), netns, GUARD, protocol, 0, zone, zone_dir, 0, key))
    if reserved:
        data[REQUEST.size - 40 - 4 - reserved] = 1
    return bytes(data)


def point(what, got, *wanted):
    """One line: got is one of what was wanted."""
    print("ok" if got in wanted else f"is {got!r}, should be {' or '.join(map(repr, wanted))}", what, sep="|")


def near(what, got, wanted):
    """Some jiffies or seconds less are right, too."""
    print("ok" if wanted - 10 * HZ <= got <= wanted else f"is {got}, should be about {wanted}", what, sep="|")


def tool(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=False).stdout


def listed(*words):
    """The tool's line of the connection that has all these words; without its time."""
    for line in tool("conntrack", "-L").splitlines() + tool("conntrack", "-L", "-f", "ipv6").splitlines():
        if all(word in line.split() for word in words):
            return " ".join(word for i, word in enumerate(line.split()) if i != 2 and not word.startswith("use="))
    return None


def forget():
    """In both namespaces."""
    tool("conntrack", "-F")
    tool("ip", "netns", "exec", "bpf-other", "conntrack", "-F")


def wrong(kind, where, key):
    """Of what is refused: the error."""
    programs = Programs(f"{where}_{kind}").loaded()
    name = f"{where}_{kind}"

    def error(what, wanted, **more):
        answer = programs.run(name, request(key, **more))
        point(f"{name}: {what}", (answer.found, answer.error), (0, wanted))

    for size in range(0, 21):
        if size not in (12, 16):
            error(f"options of {size} bytes", GUARD if size < 8 else -errno.EINVAL, opts_len=size)
    for size in (0, 1, 11, 13, 35, 37, 40):
        error(f"a tuple of {size} bytes", -errno.EAFNOSUPPORT, tuple_len=size)
    for place in (1, 2, 3):
        error(f"reserved byte {4 - place}", -errno.EINVAL, reserved=place)
    error("a zone in short options", -errno.EINVAL, opts_len=12, zone=1)
    error("namespace -2", -errno.EINVAL, netns=-2)
    error("namespace 61455", -errno.ENONET, netns=61455)
    for protocol in (0, 1, 132, 255):
        error(f"protocol {protocol}", -errno.EPROTO, protocol=protocol)
    error("protocol and tuple", -errno.EPROTO, protocol=1, tuple_len=3)
    error("tuple and namespace that is not there", -errno.EAFNOSUPPORT, netns=61455, tuple_len=3)
    error("protocol and namespace", -errno.EPROTO if kind == "lookup" else -errno.EINVAL, protocol=1, netns=-2)
    programs.close()


def both(where, what):
    """The programs; those that write marks and translate are for ours only."""
    return [f"{where}_{what}"] + OURS * [f"{where}_{what}_all"]


def look_up(where):
    programs, name = Programs(*both(where, "lookup")).loaded(), f"{where}_lookup"

    def look(key, **more):
        return programs.run(name, request(key, **more))

    here = ("conntrack", "-I", "-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "80",
            "--state", "ESTABLISHED", "-u", "SEEN_REPLY")
    tool(*here, "-t", "500", "-m", "42")
    tool(*here, "-t", "600", "-m", "43", "-w", "5")
    tool("conntrack", "-I", "-p", "udp", "-s", "fd00::1", "-d", "fd00::2", "--sport", "7", "--dport", "53", "-t", "100",
         "-m", "9")
    there = tuple_of("10.0.0.1", "10.0.0.2", 1, 80)
    back = tuple_of("10.0.0.2", "10.0.0.1", 80, 1)
    for size in (12, 16):
        answer = look(there, opts_len=size)
        point(f"{name}: IPv4, options of {size}", (answer.found, answer.error, answer.dir, answer.mark), (1, GUARD, 0, 42))
        point(f"{name}: its status, {size}", answer.status & 0xf, SEEN_REPLY | CONFIRMED)
        near(f"{name}: its time, {size}", answer.left, 500 * HZ)
        point(f"{name}: its answer, {size}", look(back, opts_len=size).dir, 1)
        point(f"{name}: the zone's directions, {size}", answer.zone_dir, 3 if size == 16 else 0)
    point(f"{name}: another protocol", look(there, protocol=UDP).error, -errno.ENOENT)
    point(f"{name}: another port", look(tuple_of("10.0.0.1", "10.0.0.2", 2, 80)).error, -errno.ENOENT)
    answer = look(tuple_of("fd00::1", "fd00::2", 7, 53), protocol=UDP)
    point(f"{name}: IPv6", (answer.found, answer.dir, answer.mark), (1, 0, 9))
    answer = look(tuple_of("fd00::2", "fd00::1", 53, 7), protocol=UDP)
    point(f"{name}: IPv6, its answer", (answer.found, answer.dir, answer.mark), (1, 1, 9))
    point(f"{name}: IPv6, other protocol", look(tuple_of("fd00::1", "fd00::2", 7, 53)).error, -errno.ENOENT)
    point(f"{name}: zone 5", look(there, zone=5).mark, 43)
    point(f"{name}: zone 5, both", look(there, zone=5, zone_dir=3).mark, 43)
    point(f"{name}: zone 6", look(there, zone=6).error, -errno.ENOENT)

    tool("ip", "netns", "exec", "bpf-other", *here, "-t", "500", "-m", "77")
    point(f"{name}: another namespace", look(there, netns=7).mark, 77)
    point(f"{name}: another namespace, no such", look(back, netns=7, protocol=UDP).error, -errno.ENOENT)

    answer = look(there, timeout=100_000, status=CONFIRMED | SEEN_REPLY | ASSURED)
    point(f"{name}: changes", (answer.timeout, answer.set_status, answer.mark), (0, 0, 42))
    near(f"{name}: changed time", answer.left, 100 * HZ)
    point(f"{name}: the tool sees them", listed("sport=1", "mark=42"),
         "tcp 6 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1 [ASSURED] mark=42")
    for status in (0, SEEN_REPLY | ASSURED, CONFIRMED | SEEN_REPLY, CONFIRMED | SEEN_REPLY | ASSURED | DYING):
        point(f"{name}: status {status:#x}", look(there, status=status).set_status, -errno.EBUSY)
    if OURS:
        point(f"{name}: a mark is set", programs.run(f"{name}_all", request(there, mark=99)).mark, 99)
        point(f"{name}: the tool sees it", "mark=99" in (listed("sport=1", "mark=99") or ""), True)
    forget()
    programs.close()


def make(where):
    programs, name = Programs(*both(where, "make")).loaded(), f"{where}_make"

    def new(key, **more):
        return programs.run(name, request(key, **more))

    there = tuple_of("10.0.0.1", "10.0.0.2", 1, 80)
    answer = new(there)
    point(f"{name}: plain", (answer.found, answer.error, answer.inserted, answer.mark), (1, GUARD, 1, 0))
    near(f"{name}: ten seconds", answer.left, 10 * HZ)
    point(f"{name}: its status", answer.status & ~SEEN_REPLY, CONFIRMED)
    point(f"{name}: the zone's directions", answer.zone_dir, 3)
    point(f"{name}: listed", listed("sport=1"),
         "tcp 6 NONE src=10.0.0.1 dst=10.0.0.2 sport=1 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1 mark=0")
    answer = new(there)
    point(f"{name}: once only", (answer.found, answer.inserted), (1, 0))
    point(f"{name}: nor the other way", new(tuple_of("10.0.0.2", "10.0.0.1", 80, 1)).inserted, 0)
    point(f"{name}: in another zone", new(there, zone=4).inserted, 1)
    point(f"{name}: listed there", bool(listed("sport=1", "zone=4")), True)
    point(f"{name}: short options", new(tuple_of("10.0.0.1", "10.0.0.2", 2, 80), opts_len=12).inserted, 1)
    answer = new(tuple_of("fd00::1", "fd00::2", 7, 53), protocol=UDP, timeout=90_000, status=SEEN_REPLY | ASSURED)
    point(f"{name}: IPv6 with time and status", (answer.inserted, answer.set_status), (1, 0))
    near(f"{name}: its time", answer.left, 90 * HZ)
    point(f"{name}: listed, IPv6", listed("sport=7"),
         "udp 17 src=fd00::1 dst=fd00::2 sport=7 dport=53 src=fd00::2 dst=fd00::1 sport=53 dport=7 [ASSURED] mark=0")
    answer = new(tuple_of("10.0.0.1", "10.0.0.2", 3, 80), status=CONFIRMED)
    point(f"{name}: may not be called confirmed", (answer.set_status, answer.inserted), (-errno.EBUSY, 1))
    point(f"{name}: another namespace", new(tuple_of("10.0.0.1", "10.0.0.2", 9, 80), netns=7, timeout=60_000).inserted, 1)
    point(f"{name}: not here", listed("sport=9"), None)
    point(f"{name}: but there", "sport=9" in tool("ip", "netns", "exec", "bpf-other", "conntrack", "-L"), True)
    if OURS:
        translate(programs, f"{name}_all")
    forget()
    programs.close()


def translate(programs, name):
    """What the programs for ours do besides."""
    def new(key, **more):
        return programs.run(name, request(key, **more))

    point(f"{name}: a mark", new(tuple_of("10.1.0.1", "10.1.0.2", 4, 80), mark=6).mark, 6)
    point(f"{name}: listed with it", bool(listed("sport=4", "mark=6")), True)
    answer = new(tuple_of("10.1.0.1", "10.1.0.2", 5, 80), source=("192.0.2.1", 4000), destination=("192.0.2.2", 8080))
    point(f"{name}: NAT", (answer.source, answer.destination, answer.inserted), (0, 0, 1))
    point(f"{name}: its status", answer.status & (SRC_NAT | DST_NAT), SRC_NAT | DST_NAT)
    point(f"{name}: listed, NAT", listed("sport=5"),
         "tcp 6 NONE src=10.1.0.1 dst=10.1.0.2 sport=5 dport=80 [UNREPLIED] src=192.0.2.2 dst=192.0.2.1 sport=8080 dport=4000 mark=0")
    new(tuple_of("10.1.0.1", "10.1.0.2", 6, 80), source=("192.0.2.1", -1))
    point(f"{name}: NAT without a port", listed("sport=6"),
         "tcp 6 NONE src=10.1.0.1 dst=10.1.0.2 sport=6 dport=80 [UNREPLIED] src=10.1.0.2 dst=192.0.2.1 sport=80 dport=6 mark=0")
    new(tuple_of("fd00::1", "fd00::2", 8, 80), destination=("fd00::3", 81))
    point(f"{name}: NAT, IPv6", listed("sport=8"),
         "tcp 6 NONE src=fd00::1 dst=fd00::2 sport=8 dport=80 [UNREPLIED] src=fd00::3 dst=fd00::1 sport=81 dport=8 mark=0")
    # Above 65535 there is nothing: the lower half counts.
    new(tuple_of("10.1.0.1", "10.1.0.2", 15, 80), destination=("192.0.2.2", 65536 + 90))
    point(f"{name}: NAT to a port that is too high", "dst=10.1.0.1 sport=90" in (listed("sport=15") or ""), True)


def connections():
    key = tuple_of("10.0.0.1", "10.0.0.2", 1, 80)
    for where in ("xdp", "tc"):
        wrong("lookup", where, key)
        wrong("make", where, key)
        look_up(where)
        make(where)


REFUSED = {
    "leak": "Unreleased reference",
    "leak_made": "Unreleased reference",
    "release_made": "bpf_ct_release R1 expected pointer to STRUCT nf_conn but",
    "insert_found": "bpf_ct_insert_entry R1 expected pointer to STRUCT nf_conn___init but",
    "set_timeout_found": "bpf_ct_set_timeout R1 expected pointer to STRUCT nf_conn___init but",
    "set_status_found": "bpf_ct_set_status R1 expected pointer to STRUCT nf_conn___init but",
    "change_timeout_made": "bpf_ct_change_timeout R1 expected pointer to STRUCT nf_conn but",
    "change_status_made": "bpf_ct_change_status R1 expected pointer to STRUCT nf_conn but",
    "nat_found": "bpf_ct_set_nat_info R1 expected pointer to STRUCT nf_conn___init but",
    "write_status": "no write support to nf_conn at off",
    "write_status_made": "no write support to nf_conn at off",
    "write_more": "beyond the member of nf_conn ended at",
    "null": "Possibly NULL pointer passed to",
    "no_tuple": "Possibly NULL pointer passed to trusted R2",
    "skb_at_xdp": "R1 pointer type STRUCT __sk_buff must point to scalar",
    "flow_at_tc": "calling kernel function bpf_xdp_flow_lookup is not allowed",
}


def verifier():
    """Programs that must not be loaded, for the right reason."""
    for name, reason in REFUSED.items():
        if name.startswith("write_") and not OURS:
            reason = "only read is supported"
        programs = Programs(f"refuse_{name}")
        last = " / ".join(programs.log.splitlines()[-4:])
        point(f"verifier: {name}", "loaded" if not programs.error else
             reason if reason in programs.log else last, reason)
        programs.close()


def repeat(count):
    """Lookups, insertions and failed ones, many times."""
    programs = Programs(*both("tc", "lookup"), *both("xdp", "lookup"), *both("tc", "make"), *both("xdp", "make")).loaded()
    there = tuple_of("10.0.0.1", "10.0.0.2", 1, 80)
    last = "_all" if OURS else ""
    for where in ("xdp", "tc"):
        programs.run(f"{where}_make{last}", request(there, timeout=1000_000, source=("192.0.2.1", 9)), count)
        answer = programs.run(f"{where}_lookup{last}", request(there, mark=3, timeout=1000_000), count)
        point(f"{where}: looked up again and again", (answer.found, answer.mark), (1, 3 if OURS else 0))
    point("one of them stays", len(tool("conntrack", "-L").splitlines()), 1)
    programs.close()


def flows(device, command):
    """What a program at XDP sees while a command runs: in words."""
    programs = Programs("flow").loaded()
    index = socket.if_nametoindex(device)
    program, generic = bpf.bpf_program__fd(programs.find("flow")), 2
    assert not bpf.bpf_xdp_attach(index, program, generic, None)
    try:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        packets, hits, error, iif, mtu, short, family = programs.read()[1]
    finally:
        bpf.bpf_xdp_detach(index, generic, None)
        programs.close()
    name = {0: "0"} | {-number: name for number, name in errno.errorcode.items()}
    print(f"packets={packets} hits={hits} error={name[error]} same={int(iif == index)} mtu={mtu} "
          f"short={name[short]} family={name[family]}")


def main():
    bpf.libbpf_set_print(QUIET)
    match sys.argv[2:]:
        case ["connections"]:
            connections()
        case ["verifier"]:
            verifier()
        case ["repeat", count]:
            repeat(int(count))
        case ["flows", device, *command]:
            flows(device, command)
        case _:
            sys.exit(__doc__)


main()
