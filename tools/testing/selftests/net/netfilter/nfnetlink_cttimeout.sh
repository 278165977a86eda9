#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nfnetlink_cttimeout: policies are made, listed, replaced and deleted; rules
# give them to connections; one that is deleted while it is used goes from the
# connections and stays with the rules; namespaces and the module end with them.
#
# needs: nfnetlink_cttimeout
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 42
trap 'kill "${background[@]}" 2>/dev/null; cleanup_all_ns' EXIT
background=()

setup_ns host other
: "${host:?}" "${other:?}"
in_host() { ip netns exec "$host" "$@"; }
in_other() { ip netns exec "$other" "$@"; }
for ns in "$host" "$other"; do ip -n "$ns" link set lo up; done

policies() { in_host nfct list timeout; }
listed() { policies | grep -qF -- "$1" || { policies && false; }; }

# raw NAMESPACE: Python on standard input, with nfnl and its socket.
raw() {
	ip netns exec "$1" python3 -c "
import errno, sys
from nfnl import *
nl = Socket()
$(cat)"
}

# left PORT: the seconds that the UDP flow to this port has left, if there is one.
left() { in_host conntrack -L -p udp --dport "$1" 2>/dev/null | awk '{ print $3; exit }'; }
# between LEAST PORT MOST
between() {
	local seconds
	seconds=$(left "$2")
	echo "$seconds s are left"
	[ -n "$seconds" ] && [ "$seconds" -ge "$1" ] && [ "$seconds" -le "$3" ]
}
say() { in_host sh -c "echo x | socat -u - UDP4:127.0.0.1:$1,sourceport=${2:-7000}"; }

# What it is for.
check 'a policy of TCP' in_host nfct add timeout tcp1 inet tcp established 100 close 10 close_wait 12
check 'of UDP' in_host nfct add timeout udp1 inet udp unreplied 500 replied 600
check 'of UDP, IPv6' in_host nfct add timeout udp6 inet6 udp unreplied 77
check 'of ICMP' in_host nfct add timeout icmp1 inet icmp timeout 9
check 'of other protocols' in_host nfct add timeout generic1 inet generic timeout 8
check 'of SCTP' in_host nfct add timeout sctp1 inet sctp established 4000
check 'listed: TCP' in_host sh -c "nfct get timeout tcp1 | tr -d '\n' | grep -E 'ESTABLISHED = 100.*CLOSE_WAIT = 12.*CLOSE = 10'"
check 'listed: UDP' in_host sh -c "nfct get timeout udp1 | tr -d '\n' | grep -E 'UNREPLIED = 500.*REPLIED = 600'"
check_not 'a name is taken' in_host nfct add timeout udp1 inet udp unreplied 1
check_not 'in this namespace only' sh -c "ip netns exec $other nfct list timeout | grep udp1"
check 'another namespace has its own' in_other nfct add timeout udp1 inet udp unreplied 1

check 'in messages: errors, replacing, all attributes' raw "$host" <<'PYTHON'
NEW, GET, DELETE, SET, DEFAULT = range(5)
def new(name=text("x"), l3=be16(2), l4=be8(17), data=((1, be32(5)),), flags=CREATE):
    pairs = [(1, name), (2, l3), (3, l4), (4, list(data) if data is not None else None)]
    return nl.error_of(TIMEOUT, NEW, flags, [p for p in pairs if p[1] is not None])
def get(name):
    return nl.request(TIMEOUT, GET, 0, [(1, text(name))])[0].decoded()
def same(a, b):
    if a != b:
        sys.exit(f"line {sys._getframe(1).f_lineno}: is {a!r}, should be {b!r}")
for missing in ("name", "l3", "l4", "data"):
    same(new(**{missing: None}), "EINVAL")
same(new(l4=be8(99)), "EOPNOTSUPP")
same(new(l4=be8(136)), "EOPNOTSUPP")
same(new(name=text("n" * 32)) in ("ERANGE", "EINVAL"), True)
same(new(name=text("n" * 31)), "")
same(nl.error_of(TIMEOUT, DELETE, 0, [(1, text("n" * 31))]), "")
same(new(), "")
same(new(), "EBUSY")
same(new(flags=CREATE | EXCL), "EEXIST")
same(new(l4=be8(6), flags=CREATE | REPLACE), "EINVAL")
same(new(l3=be16(10), flags=CREATE | REPLACE), "EINVAL")
same(get("x"), {"name": "x", "l3proto": 2, "l4proto": 17, "use": 1, "data": {"1": 5, "2": 120}})
same(new(data=[(2, be32(7))], flags=CREATE | REPLACE), "")
same(get("x")["data"], {"1": 30, "2": 7})
same(nl.error_of(TIMEOUT, GET, 0, [(1, text("nobody"))]), "ENOENT")
same(nl.error_of(TIMEOUT, DELETE, 0, [(1, text("nobody"))]), "ENOENT")
same(nl.error_of(TIMEOUT, GET), "EINVAL")
same(nl.error_of(TIMEOUT, 5), "EINVAL")
same(nl.error_of(TIMEOUT, DELETE, 0, [(1, text("x"))]), "")
# Every protocol shows as many as it has.
for protocol, count in ((6, 11), (17, 2), (132, 9), (47, 2), (1, 1), (58, 1), (255, 1)):
    same(new(name=text("p"), l4=be8(protocol), data=[(n, be32(n + 50)) for n in range(1, count + 1)]), "")
    same(get("p")["data"], {str(n): n + 50 for n in range(1, count + 1)})
    same(nl.error_of(TIMEOUT, DELETE, 0, [(1, text("p"))]), "")
# Seconds that are too many, and attributes that are wrong.
for seconds in (8589934, 42949673, 0xFFFFFFFF):
    same(new(data=[(1, be32(seconds))]), "")
    same(nl.error_of(TIMEOUT, DELETE, 0, [(1, text("x"))]), "")
same(new(data=[(1, b"\1")]) in ("ERANGE", "EINVAL"), True)
new(data=[(9, be32(1)), (100, be32(1))])
nl.error_of(TIMEOUT, DELETE, 0, [(1, text("x"))])
same(new(data=[]), "")
same(get("x")["data"], {"1": 30, "2": 120})
same(nl.error_of(TIMEOUT, DELETE, 0, [(1, text("x"))]), "")
PYTHON

# The defaults of the namespace.
check 'the usual timeouts' in_host sh -c "nfct default-get timeout inet udp | tr -d '\n' | grep -E 'UNREPLIED = 30.*REPLIED = 120'"
check 'are set' in_host nfct default-set timeout inet udp unreplied 33
check 'they are the settings' is "$(setting udp_timeout '' "$host")" 33
check 'the other one stays' is "$(setting udp_timeout_stream '' "$host")" 120
check 'and the other namespace' is "$(setting udp_timeout '' "$other")" 30
check 'TCP' in_host nfct default-set timeout inet tcp close 17
check 'TCP: it is the setting' is "$(setting tcp_timeout_close '' "$host")" 17
check 'ICMP, GRE, SCTP and the rest' raw "$host" <<'PYTHON'
for protocol, count in ((6, 11), (17, 2), (132, 9), (47, 2), (1, 1), (58, 1), (255, 1)):
    got = nl.request(TIMEOUT, 4, 0, [(2, be16(2)), (3, be8(protocol))])[0].decoded()
    if len(got["data"]) != count or got["l4proto"] != protocol:
        sys.exit(f"protocol {protocol}: {got}")
    error = nl.error_of(TIMEOUT, 3, 0, [(2, be16(2)), (3, be8(protocol)), (4, [(1, be32(44))])])
    got = nl.request(TIMEOUT, 4, 0, [(2, be16(2)), (3, be8(protocol))])[0].decoded()
    if error or got["data"]["1"] != 44:
        sys.exit(f"protocol {protocol} after setting it: {error} {got}")
if nl.error_of(TIMEOUT, 4, 0, [(2, be16(2)), (3, be8(99))]) != "EOPNOTSUPP":
    sys.exit("protocol 99")
PYTHON

# In rules.
in_host iptables -t raw -A OUTPUT -p udp --dport 5000 -j CT --timeout udp1
check 'a rule has it' is "$(in_host iptables -t raw -S OUTPUT | grep -c 'timeout udp1')" 1
check_not 'not for another protocol' in_host iptables -t raw -A OUTPUT -p tcp -j CT --timeout udp1
check_not 'nor for another family' in_host ip6tables -t raw -A OUTPUT -p udp -j CT --timeout udp1
check_not 'nor one that is not there' in_host iptables -t raw -A OUTPUT -p udp -j CT --timeout nobody
# Tracking is on for whom asks for it.
in_host iptables -A OUTPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
in_host socat UDP4-RECV:5000,reuseaddr /dev/null >/dev/null 2>&1 &
background+=($!)
in_host socat UDP4-RECV:5001,reuseaddr /dev/null >/dev/null 2>&1 &
background+=($!)
wait_local_port_listen "$host" 5001 udp
say 5000
check 'its connections have it' between 490 5000 500
say 5001
check 'others do not' between 20 5001 44
check 'it is replaced' raw "$host" <<'PYTHON'
sys.exit(nl.error_of(TIMEOUT, 0, CREATE | REPLACE, [(1, text("udp1")), (2, be16(2)), (3, be8(17)), (4, [(1, be32(400))])]) or 0)
PYTHON
say 5000
check 'for those that have it already' between 390 5000 400
check_not 'the module stays' modprobe -r nfnetlink_cttimeout
check 'deleted while it is used' in_host nfct delete timeout udp1
check_not 'it has no name any more' in_host nfct get timeout udp1
say 5000
check 'connections go on without' between 20 5000 44
say 5000 7001
in_host conntrack -D -p udp --sport 7000 >/dev/null 2>&1
check 'the rule keeps it' between 390 5000 400
check_not 'and so the module' modprobe -r nfnetlink_cttimeout
check 'a new one of this name is another' in_host nfct add timeout udp1 inet udp unreplied 300
in_host iptables -t raw -F

# An object of nft has the same timeouts, but no name here.
in_host nft -f - <<'RULES'
table ip t {
	ct timeout n {
		protocol udp
		l3proto ip
		policy = { unreplied : 300, replied : 20 }
	}
	chain out {
		type filter hook output priority -100
		udp dport 5002 ct timeout set "n"
	}
}
RULES
in_host socat UDP4-RECV:5002,reuseaddr /dev/null >/dev/null 2>&1 &
background+=($!)
wait_local_port_listen "$host" 5002 udp
say 5002
check 'an object of nft' between 290 5002 300
in_host nft delete table ip t

# Long lists, while entries come and go.
check 'a long list shows each once, and what stays, while others go' raw "$host" <<'PYTHON'
def names():
    return [m.decoded()["name"] for m in nl.request(TIMEOUT, 1, DUMP)]
before = names()
many = [f"many{i:04}" for i in range(600)]
for name in many:
    nl.request(TIMEOUT, 0, CREATE, [(1, text(name)), (2, be16(2)), (3, be8(6)), (4, [(1, be32(5))])])
if sorted(names()) != sorted(before + many):
    sys.exit("the list is not what was made")
other = Socket()
gone = set(many[1::2])
seen = []
for i, message in enumerate(other.stream(TIMEOUT, 1, DUMP)):
    seen.append(message.decoded()["name"])
    if i == 3:
        # A part was read: what follows is made when it is asked for.
        for name in gone:
            nl.request(TIMEOUT, 2, 0, [(1, text(name))])
left = [name for name in seen if name not in gone]
if sorted(left) != sorted(before + many[0::2]) or len(set(seen)) != len(seen):
    sys.exit(f"seen {len(seen)} ({len(set(seen))} different), {len(left)} that stayed of {len(before) + len(many[0::2])}")
PYTHON
check 'flush' in_host nfct flush timeout
check 'nothing is left' is "$(policies)" ''
in_host iptables -F
check 'the module goes' sh -c "ip netns exec $other nfct flush timeout; rmmod nfnetlink_cttimeout"

# Namespaces end with policies in rules and connections.
gone() { ! lsmod | grep -q ^nfnetlink_cttimeout || rmmod nfnetlink_cttimeout; }
for _ in 1 2 3; do
	kill "${background[@]}" 2>/dev/null
	background=()
	cleanup_all_ns
	setup_ns host
	ip -n "$host" link set lo up
	in_host nfct add timeout udp1 inet udp unreplied 500
	in_host nfct add timeout udp2 inet udp unreplied 500
	in_host iptables -t raw -A OUTPUT -p udp --dport 5000 -j CT --timeout udp1
	in_host iptables -A OUTPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
	say 5000
done
check 'until the namespace ends' between 490 5000 500
cleanup_all_ns
check 'then it goes' busywait 20000 gone
ktap_finished
