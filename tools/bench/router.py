# SPDX-License-Identifier: GPL-2.0
"""The network of the bench, in the VM: a sender, a router namespace that
forwards to a device that swallows everything, and packets to send through it.
One guest nanosecond is one instruction."""

import contextlib
import ctypes
import itertools
import mmap
import os
import socket
import struct
import subprocess
import sys
import time

ROUTER = "router"
PKTGEN = "/proc/net/pktgen"
TRACKED = "/proc/sys/net/netfilter/nf_conntrack_count"
# What the sender says it is, and where it sends to.
CLIENT = {4: "10.0.0.1", 6: "2001:db8:2::1"}
SERVER = {4: "192.0.2.1", 6: "2001:db8:1::1"}
# The router's own addresses, and where DNAT leads to.
OWN = {4: "198.51.100.1", 6: "2001:db8:1::ff"}
INNER = {4: "192.0.2.7", 6: "2001:db8:1::7"}
SYN, ACK, FIN, PSH = 2, 16, 1, 8
PORTS = itertools.cycle(range(2000, 65000))
# Seconds until nothing of a new or an old network goes on. They cost nothing where
# instructions are counted; tools/bench/native_guest has less.
QUIET = [10]


def say(text):
    """A line of progress for tools/bench/run."""
    print(f"> {text}", flush=True)


def sh(command):
    """Runs a shell command, which must succeed."""
    subprocess.run(["sh", "-ec", command], check=True)


def router(command):
    """Runs a shell command in the router namespace."""
    subprocess.run(["ip", "netns", "exec", ROUTER, "sh", "-ec", command], check=True)


def nft(rules):
    """Loads rules in the router namespace."""
    subprocess.run(["ip", "netns", "exec", ROUTER, "nft", "-f", "-"], check=True, input=rules, text=True)


@contextlib.contextmanager
def inside():
    """This process is in the router namespace."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{ROUTER}", os.O_RDONLY)
    os.setns(there, os.CLONE_NEWNET)
    try:
        yield
    finally:
        os.setns(here, os.CLONE_NEWNET)
        os.close(here)
        os.close(there)


def write(path, line):
    """Writes one line to a file of /proc."""
    with open(path, "w", encoding="ascii") as file:
        file.write(line + "\n")


def read(path):
    """The text of a file of /proc, without its last newline."""
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def topology():
    """A new router namespace, between a0 and b0: all begins alike."""
    if os.path.exists(f"/run/netns/{ROUTER}"):
        sh(f"ip link del a0; ip link del b0; ip netns del {ROUTER}")
        # Until the old one is gone, with all that it had.
        time.sleep(QUIET[0])
    sh(f"""
        sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ip netns add {ROUTER}
        ip link add a0 type veth peer name r0 netns {ROUTER}
        ip link add b0 type veth peer name r1 netns {ROUTER}
        ip link set a0 address 02:00:00:00:00:0a up
        ip link set b0 address 02:00:00:00:00:0b up
    """)
    router("""
        ip link set lo up
        ip link add sink type dummy
        ip link set sink up
        for dev in r0 r1; do
            ip link set $dev address 02:00:00:00:01:0${dev#r} up
            sysctl -qw net.ipv4.conf.$dev.rp_filter=0
        done
        sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0
        ip addr add 198.51.100.1/24 dev sink
        ip route add 192.0.2.0/24 dev sink
        ip route add 10.0.0.0/8 dev sink
        ip addr add 2001:db8:1::ff/64 dev sink nodad
        ip addr add 2001:db8:2::ff/64 dev sink nodad
        n=1
        for host in 192.0.2.1 192.0.2.7 10.0.0.1 2001:db8:1::1 2001:db8:1::7 2001:db8:2::1; do
            ip neigh add $host lladdr 02:00:00:00:02:0$n dev sink
            n=$((n + 1))
        done
    """)
    # What devices say of themselves when they come up is said.
    time.sleep(QUIET[0])


def way_back():
    """What goes to the sender leaves by the device that its packets come from:
    a flowtable knows a flow by its device."""
    router("""
        ip route replace 10.0.0.0/8 dev r0
        ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:0a dev r0
        ip addr del 2001:db8:2::ff/64 dev sink
        ip addr add 2001:db8:2::ff/64 dev r0 nodad
        ip neigh add 2001:db8:2::1 lladdr 02:00:00:00:00:0a dev r0
    """)


def settle():
    """Lets connections expire and background work come to its end, so that every
    row begins alike. Guest time passes quickly when there is nothing to do."""
    for _ in range(20):
        with inside():
            if not os.path.exists(TRACKED) or int(read(TRACKED)) < 10:
                return
        time.sleep(60)
    sys.exit("connections do not expire")


class Mark:
    """An instruction that does nothing, for tools/bench/profile.c to see: what
    follows is counted as set-up `number`, or with 0xff not any more."""

    def __init__(self, number):
        code = b"\x0f\x1f\x84\x00" + bytes([number]) + b"NFM\xc3"
        self.page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        self.page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.page))
        self.call = ctypes.CFUNCTYPE(None)(address)


MARKS, END = [Mark(0), Mark(1)], Mark(0xFF)
# The mark at which counting begins, while tools/bench/profile counts, and how
# many packets have come out while it did; or if none did, what was sent.
COUNTING, COUNTED = [None], [0]


def begin():
    """What follows is the packets."""
    if COUNTING[0]:
        COUNTED[0] = forwarded()
        COUNTING[0].call()


def end(sent):
    """The packets, or connections, are through: so many were sent."""
    if COUNTING[0]:
        END.call()
        COUNTED[0] = forwarded() - COUNTED[0] or sent


def forwarded():
    """Packets that came out of the router so far."""
    with inside():
        return next(int(line.split()[10]) for line in read("/proc/thread-self/net/dev").splitlines()
                    if line.split()[0] == "sink:")


def forwarded_all(needed, before):
    """Fails unless `needed` packets came out since."""
    if forwarded() - before != needed:
        sys.exit(f"{forwarded() - before} of {needed} packets were forwarded")


def pktgen(family, count, sources=(1024, 1), targets=(9, 1), back=None, lost=False):
    """Sends UDP packets; instructions for each. `sources`, `targets`: the first
    port and how many in turn; both together give as many flows as their least
    common multiple. `sources=None`: random ports on both ends. `back`: instead
    an answer, to this address from that one. `lost`: nothing is forwarded."""
    device = "b0" if back else "a0"
    to, source = back or (SERVER[family], CLIENT[family])
    write(f"{PKTGEN}/kpktgend_0", "rem_device_all")
    write(f"{PKTGEN}/kpktgend_0", f"add_device {device}")
    address = {
        4: [f"dst {to}", f"src_min {source}", f"src_max {source}"],
        6: [f"dst6 {to}", f"src6 {source}"],
    }[family]
    mode = "!" if sources else ""
    (source, many), (target, others) = (sources, targets) if sources else ((1, 65534), (1, 65534))
    flow = [f"udp_src_min {source}", f"udp_src_max {source + many}",
            f"udp_dst_min {target}", f"udp_dst_max {target + others}",
            f"flag {mode}UDPSRC_RND", f"flag {mode}UDPDST_RND"]
    if others == 1 and sources:
        flow[3] = f"udp_dst_max {target}"
    for line in [f"count {count}", f"pkt_size {60 if family == 4 else 80}", "clone_skb 0", "delay 0",
                 f"dst_mac 02:00:00:00:01:0{int(device == 'b0')}", *address, *flow]:
        write(f"{PKTGEN}/{device}", line)
    before = forwarded()
    begin()
    write(f"{PKTGEN}/pgctrl", "start")
    end(count)
    result = read(f"{PKTGEN}/{device}")
    if "Result: OK:" not in result:
        sys.exit(f"pktgen: {result}")
    took = float(result.split("OK: ")[1].split("(")[0])
    if lost is not None:
        forwarded_all(0 if lost else count, before)
    return took * 1000 / count


def checksum(data):
    """That of the internet."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def frame(family, protocol, payload, at, answer=None, to=None):
    """An Ethernet frame with its virtio header; the checksum at `at` in the
    payload, if any, is left to the device. `answer`: it is one, to this address
    from that one. `to`: not to the server."""
    to, source = answer or (to or SERVER[family], CLIENT[family])
    inet = socket.AF_INET if family == 4 else socket.AF_INET6
    hosts = socket.inet_pton(inet, source) + socket.inet_pton(inet, to)
    if family == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0) + hosts
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    else:
        head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + hosts
    ether = bytes([2, 0, 0, 0, 1, bool(answer)]) + bytes([2, 0, 0, 0, 0, 0x0B if answer else 0x0A])
    ether += struct.pack(">H", 0x0800 if family == 4 else 0x86DD)
    virtio = struct.pack("<BBHHHH", at is not None, 0, 0, 0, len(ether) + len(head) if at is not None else 0, at or 0)
    return virtio + ether + head + payload


def segment(family, flags, seq, ack, port, data=b"", answer=None):
    """A TCP segment."""
    ports = (80, port) if answer else (port, 80)
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65000, 0, 0) + data
    return frame(family, 6, tcp, 16, answer)


def datagram(family, data, port):
    """A UDP datagram for the router itself, with a checksum as from a wire."""
    length = 8 + len(data)
    inet = socket.AF_INET if family == 4 else socket.AF_INET6
    hosts = socket.inet_pton(inet, CLIENT[family]) + socket.inet_pton(inet, OWN[family])
    udp = struct.pack(">HHHH", 1024, port, length, 0) + data
    check = checksum(hosts + struct.pack(">HH", 17, length) + udp)
    return frame(family, 17, udp[:6] + struct.pack(">H", check) + data, None, to=OWN[family])


def echo(family, number, answer=None):
    """An ICMP echo request or its reply."""
    kind = ((0 if answer else 8) if family == 4 else (129 if answer else 128))
    icmp = struct.pack(">BBHHH", kind, 0, 0, number, 1) + bytes(8)
    if family == 4:
        icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
        return frame(4, 1, icmp, None, answer)
    return frame(6, 58, icmp, 2, answer)


def packet_socket(device, bypass=True):
    """A socket that sends whole frames."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
    if bypass:
        sock.setsockopt(263, 20, 1)  # PACKET_QDISC_BYPASS
    sock.bind((device, 0))
    return sock


def send(sock, frames, before=()):
    """Sends frames; instructions for each, those of this program included, but
    not those for what is sent before."""
    transmit, clock = sock.send, time.clock_gettime_ns
    for one in before:
        transmit(one)
    begin()
    start = clock(time.CLOCK_MONOTONIC)
    for one in frames:
        transmit(one)
    took = clock(time.CLOCK_MONOTONIC) - start
    end(len(frames))
    return took / len(frames)
