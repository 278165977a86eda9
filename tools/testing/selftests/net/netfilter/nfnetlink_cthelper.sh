#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nfnetlink_cthelper: helpers in user space are made, changed, listed and
# deleted, their connections' packets come by the queue, and what they expect is
# related; they go while rules, connections and expectations use them.
#
# needs: nfnetlink_cthelper
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 41
trap 'kill "${background[@]}" 2>/dev/null; cleanup_all_ns' EXIT
background=()
export PYTHONDONTWRITEBYTECODE=1

setup_ns client server
: "${client:?}" "${server:?}"
in_client() { ip netns exec "$client" "$@"; }
in_server() { ip netns exec "$server" "$@"; }
ip link add c0 netns "$client" type veth peer name s0 netns "$server"
ip -n "$client" address add 10.1.1.1/24 dev c0
ip -n "$server" address add 10.1.1.2/24 dev s0
ip -n "$client" link set c0 up
ip -n "$server" link set s0 up

# raw: Python on standard input, with nfnl and its socket.
raw() {
	in_client python3 -c "
import sys
from nfnl import *
nl = Socket()
NEW, GET, DELETE = range(3)
def policy(*classes, count=None):
    sets = [(2 + i, [(1, text(n)), (2, be32(m)), (3, be32(t))]) for i, (n, m, t) in enumerate(classes)]
    return [(1, be32(len(classes) if count is None else count))] + sets
USUAL = policy(('one', 2, 60), ('two', 1, 30))
def pairs(name='made-up', l3=2, l4=17, queue=5, rules=USUAL, length=8, status=1):
    found = [(1, text(name) if name else None), (2, [(1, be16(l3)), (2, be8(l4))] if l3 else None),
             (3, be32(queue)), (4, rules), (5, be32(length) if length is not None else None), (6, be32(status))]
    return [p for p in found if p[1] is not None]
def new(flags=CREATE, **what):
    return nl.error_of(HELPER, NEW, flags, pairs(**what))
def get(*of):
    return nl.request(HELPER, GET, 0, list(of))[0].decoded()
def same(a, b):
    if a != b:
        sys.exit(f'line {sys._getframe(1).f_lineno}: is {a!r}, should be {b!r}')
$(cat)"
}

listed() { in_client nfct list helper | grep -qE "$1"; }
check 'the module loads' modprobe nfnetlink_cthelper
check 'a helper' in_client nfct add helper ftp inet tcp
check 'is listed' listed 'ftp'
check 'is deleted' in_client nfct delete helper ftp
check_not 'and listed no more' listed ftp
check 'without any, flushing is fine' in_client nfct flush helper

check 'in messages: what is wrong' raw <<'PYTHON'
same(new(name=None), "EINVAL")
same(new(l3=None), "EINVAL")
same(new(rules=None), "EINVAL")
same(new(length=None), "EINVAL")
same(new(length=33), "ENOMEM")
same(new(name="n" * 16) in ("EINVAL", "ERANGE"), True)
same(new(rules=policy()), "EINVAL")
same(new(rules=policy(("a", 1, 1), count=5)) in ("EINVAL", "ERANGE", "EOVERFLOW"), True)
same(new(rules=policy(("a", 1, 1), count=0xFFFFFFFF)) in ("EINVAL", "ERANGE", "EOVERFLOW"), True)
same(new(rules=policy(("a", 1, 1), count=2)), "EINVAL")
same(new(rules=policy(("a", 256, 1))), "EINVAL")
same(new(rules=[(1, be32(1)), (2, [(1, text("a"))])]), "EINVAL")
same(nl.error_of(HELPER, NEW, CREATE, [(1, text("x")), (2, [(1, be16(2))])]), "EINVAL")
same(nl.error_of(HELPER, 3), "EINVAL")
same(nl.error_of(HELPER, GET, 0, [(1, text("nobody"))]), "ENOENT")
same([m.decoded() for m in nl.request(HELPER, GET, DUMP)], [])
PYTHON
check 'making and changing' raw <<'PYTHON'
same(new(), "")
same(new(flags=CREATE | EXCL), "EEXIST")
same(nl.error_of(HELPER, DELETE, 0, [(1, text("nobody"))]), "ENOENT")
made = {"name": "made-up", "queue_num": 5, "tuple": {"l3": 2, "l4": 17}, "priv_data_len": 8, "status": 1,
        "policy": {"num": 2, "set1": {"name": "one", "expect_max": 2, "expect_timeout": 60},
                   "set2": {"name": "two", "expect_max": 1, "expect_timeout": 30}}}
same(get((1, text("made-up"))), made)
same(get((2, [(1, be16(2)), (2, be8(17))])), made)
# What is not said stays.
same(nl.error_of(HELPER, NEW, 0, pairs(length=None, rules=None, queue=6, status=0)), "")
same(get()["queue_num"], 6)
same(get()["status"], 0)
same(get()["policy"], made["policy"])
same(new(rules=policy(("one", 0, 5), ("two", 3, 6))), "")
same(get()["policy"]["set1"]["expect_max"], 255)
same(get()["policy"]["set2"], {"name": "two", "expect_max": 3, "expect_timeout": 6})
# All of a change is made, or none.
same(new(rules=policy(("one", 7, 7), ("other", 7, 7))), "EBUSY")
same(new(rules=policy(("one", 7, 7), ("two", 300, 7))), "EINVAL")
same(new(rules=policy(("one", 7, 7))), "EBUSY")
same(new(length=9), "EBUSY")
same(get()["policy"]["set1"]["expect_max"], 255)
# Another family or protocol is another one; no limit is the usual limit.
same(new(l3=10), "")
same(new(l4=6, rules=policy(*[(f"class{i}", 0, 0) for i in range(4)]), length=0), "")
same(get((2, [(1, be16(2)), (2, be8(6))]))["policy"]["num"], 4)
same(len(nl.request(HELPER, GET, DUMP)), 3)
same(nl.error_of(HELPER, DELETE, 0, [(2, [(1, be16(10)), (2, be8(17))])]), "")
same(len(nl.request(HELPER, GET, DUMP)), 2)
same(nl.error_of(HELPER, DELETE), "")
same(len(nl.request(HELPER, GET, DUMP)), 0)
same(nl.error_of(HELPER, DELETE), "")
PYTHON
modprobe nf_conntrack_ftp
check 'one of the kernel has the name' raw <<'PYTHON'
same(new(name="ftp", l4=6), "EBUSY")
same(len(nl.request(HELPER, GET, DUMP)), 0)
same(nl.error_of(HELPER, DELETE, 0, [(1, text("ftp"))]) in ("", "ENOENT"), True)
PYTHON
check 'which stays' modprobe -r nf_conntrack_ftp
check 'a long list shows what stays while others go' raw <<'PYTHON'
many = [f"many{i:03}" for i in range(160)]
for name in many:
    nl.request(HELPER, NEW, CREATE, pairs(name=name, l4=int(name[-1]) + 1))
same(sorted(m.decoded()["name"] for m in nl.request(HELPER, GET, DUMP)), many)
gone = set(many[1::4])
seen = []
other = Socket()
for i, message in enumerate(other.stream(HELPER, GET, DUMP)):
    seen.append(message.decoded()["name"])
    if i == 3:
        for name in gone:
            nl.request(HELPER, DELETE, 0, [(1, text(name))])
same(sorted({name for name in seen if name not in gone}), [name for name in many if name not in gone])
same(nl.error_of(HELPER, DELETE), "")
PYTHON
not_whole='not for whom the whole system is not'
if unshare -Ur true 2>/dev/null; then
	check "$not_whole" in_client unshare -Urn python3 -c "
from nfnl import *
import sys
sys.exit(Socket().error_of(HELPER, 1, 0, []) != 'EPERM')"
else
	ktap_test_skip "$not_whole: in a chroot, as the debug kernel's tests are, there are no namespaces of users"
fi

# At work.
check 'one at queue 5' raw <<'PYTHON'
same(new(), "")
PYTHON
in_client iptables -t raw -A OUTPUT -p udp --dport 6000 -j CT --helper made-up
in_client iptables -A INPUT -m conntrack --ctstate RELATED -p udp -j ACCEPT
check 'a rule gives it' is "$(in_client iptables -t raw -S OUTPUT | grep -c 'helper made-up')" 1
check_not 'not to another protocol' in_client iptables -t raw -A OUTPUT -p tcp --dport 6000 -j CT --helper made-up
in_server socat -u UDP4-RECV:6000 - >/tmp/said 2>/dev/null &
background+=($!)
wait_local_port_listen "$server" 6000 udp
say() { echo "$*" | in_client socat -u - UDP4:10.1.1.2:6000,sourceport="${from:-7000}"; }
arrived() { grep -qx "$1" /tmp/said; }
say nobody reads
check 'nobody reads: packets go on' busywait 5000 arrived 'nobody reads'
in_client python3 ./nfnetlink_cthelper_program.py >/tmp/shown 2>/tmp/shown.errors &
background+=($!)
shown() { jq -se "any($1)" /tmp/shown >/dev/null 2>&1 || { cat /tmp/shown /tmp/shown.errors && false; }; }
check 'the program runs' busywait 20000 shown '.[]; .words[0] == "ready"'
say hello
check 'it sees packets' busywait 5000 shown '.[]; .words[0] == "hello" and .help.name == "made-up"'
check 'which go on' busywait 5000 arrived hello
check 'the connection has it' raw <<'PYTHON'
flows = [m.decoded() for m in nl.request(CONNTRACK, CT_GET, DUMP)]
same([flow["help"]["name"] for flow in flows if flow["tuple_orig"]["proto"]["dport"] == 6000], ["made-up"])
PYTHON
say note abcd
check 'what it notes' busywait 5000 arrived 'note abcd'
say again
check 'it is shown again' busywait 5000 shown ".[]; .words[0] == \"again\" and .help.info == \"6162636400000000\""

expected() { in_client conntrack -L expect 2>/dev/null | grep -E "$1"; }
none() { ! expected .; }
related() {
	in_client iptables -Z INPUT
	echo x | in_server socat -u - "UDP4:10.1.1.1:$1,sourceport=${2:-9000}"
	in_client iptables -nvxL INPUT | awk '/RELATED/ { exit $1 != 1 }'
}
say expect 6001 0
check 'what it expects' busywait 5000 expected '^(60|59|5[0-8]) proto=17 src=10.1.1.2 dst=10.1.1.1 sport=0 dport=6001 .*class=0 .*helper=made-up'
check 'is related' related 6001
check 'and fulfilled' busywait 5000 none
say expect 6002 1
check 'of another class' busywait 5000 expected '^(30|2[0-9]) .* dport=6002 .*class=1 '
say expect 6003 1
check 'of which there is one' busywait 5000 expected 'dport=6003 '
check_not 'the older one went' expected 'dport=6002 '
say expect 6004 2
sleep 1
check_not 'a class that it has not' expected 'dport=6004 '
check 'another queue' raw <<'PYTHON'
same(nl.error_of(HELPER, NEW, 0, pairs(length=None, rules=None, queue=9)), "")
PYTHON
say not here
check 'packets go there' busywait 5000 arrived 'not here'
check_not 'and not to the program' grep 'not.*here' /tmp/shown

# The FTP helper of conntrackd.
cat >/tmp/helpers.conf <<'CONF'
General {
	LockFile /tmp/helpers.lock
	UNIX {
		Path /tmp/helpers.ctl
	}
	LogFile /tmp/helpers.log
	Syslog off
}
Helper {
	Type ftp inet tcp {
		QueueNum 3
		QueueLen 1024
		Policy ftp {
			ExpectMax 1
			ExpectTimeout 200
		}
	}
}
CONF
in_client nfct add helper ftp inet tcp
in_client conntrackd -C /tmp/helpers.conf >/tmp/helpers.out 2>&1 &
background+=($!)
at_work() { in_client nfct list helper | tr -d '\n' | grep -E 'ftp.*queuenum = 3'; }
check "conntrackd's FTP helper" busywait 10000 at_work
in_client iptables -t raw -A OUTPUT -p tcp --dport 21 -j CT --helper ftp
in_server socat TCP4-LISTEN:21,fork,reuseaddr SYSTEM:'cat >/dev/null' >/dev/null 2>&1 &
background+=($!)
wait_local_port_listen "$server" 21 tcp
for line in 'USER anonymous' 'PORT 10,1,1,1,31,64'; do
	printf '%s\r\n' "$line"
	sleep 2
done | in_client socat -u -t 1 - TCP4:10.1.1.2:21 &
background+=($!)
check 'makes an expectation' busywait 10000 expected '^(200|19[0-9]) proto=6 src=10.1.1.2 dst=10.1.1.1 sport=0 dport=8000 .*helper=ftp'
check 'is deleted at work' in_client nfct delete helper ftp inet tcp
check_not 'with its expectation' expected 'dport=8000'

# It goes while all use it.
check_not 'the module stays' modprobe -r nfnetlink_cthelper
check 'deleted while it is used' in_client nfct delete helper made-up inet udp
check 'what it expected is gone' none
say after
check 'its connections go on' busywait 5000 arrived after
in_client iptables -t raw -F
kill "${background[@]}" 2>/dev/null
in_client conntrack -F >/dev/null 2>&1
check 'the module goes' busywait 10000 modprobe -r nfnetlink_cthelper
ktap_finished
