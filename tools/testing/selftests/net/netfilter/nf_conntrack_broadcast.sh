#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack_netbios_ns and nf_conntrack_snmp with nf_conntrack_broadcast: the
# answers to a host's broadcast query are RELATED, from its network, for a time;
# nothing else is. The modules go while queries and answers are under way.
#
# needs: nf_conntrack nf_conntrack_broadcast nf_conntrack_netbios_ns nf_conntrack_snmp
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

rounds=3
ktap_print_header
ktap_set_plan $((29 + 2 * rounds))
work=$(mktemp -d)
trap 'kill "${started[@]}" 2>/dev/null || :; cleanup_all_ns; rm -rf "$work"' EXIT
started=()

setup_ns host peer
# Set by setup_ns.
: "${host:?}" "${peer:?}"
in_host() { ip netns exec "$host" "$@"; }

# The host's network is 10.1.0.0/24; the peer answers from a foreign one, too.
ip link add h0 netns "$host" type veth peer name p0 netns "$peer"
ip -n "$host" address add 10.1.0.1/24 broadcast 10.1.0.255 dev h0
ip -n "$host" address add 10.1.0.77/24 dev h0
ip -n "$peer" address add 10.1.0.2/24 broadcast 10.1.0.255 dev p0
ip -n "$peer" address add 10.1.0.3/24 dev p0
ip -n "$peer" address add 10.2.0.9/24 dev p0
ip -n "$host" link set h0 up
ip -n "$peer" link set p0 up
ip -n "$host" route add 10.2.0.0/24 dev h0

# What is asked at all addresses of the peer is answered from all, and from a
# wrong port; as many seconds later as the query says.
cat >"$work/answer" <<'PYTHON'
import select, socket, sys, time

def bound(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.bind((address, port))
    return s

answers = {}
for port in 137, 161:
    froms = [bound(a, port) for a in ("10.1.0.2", "10.1.0.3", "10.2.0.9")]
    for s in froms:
        answers[s] = [s]
    answers[bound("", port)] = [*froms, bound("10.1.0.2", port + 1000)]
open(sys.argv[1], "w").close()
while True:
    for s in select.select(list(answers), [], [])[0]:
        query, asker = s.recvfrom(100)
        time.sleep(int(query))
        for by in answers[s]:
            by.sendto(b"here", asker)
PYTHON

# ask ADDRESS PORT [SECONDS-UNTIL-ANSWERED [QUERIES]]: from whom answers come. What
# was expected when the last query was answered is in the file seen.
cat >"$work/ask" <<'PYTHON'
import socket, sys, time

seen, address, port, *more = sys.argv[1:]
late, times, *_ = more + ["0", "1"][len(more):]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.bind(("10.1.0.1", 0))
found = set()
for _ in range(int(times)):
    s.sendto(late.encode(), (address, int(port)))
    end = time.monotonic() + int(late) + 2
    while (left := end - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            found.add("%s:%d" % s.recvfrom(100)[1])
            with open("/proc/net/nf_conntrack_expect") as now, open(seen, "w") as to:
                to.write(now.read())
        except TimeoutError:
            break
print(*sorted(found))
PYTHON

ip netns exec "$peer" python3 "$work/answer" "$work/ready" >/dev/null 2>&1 &
started+=($!)
slowwait 30 test -e "$work/ready"

ask() { in_host python3 "$work/ask" "$work/seen" "$@"; }
is() { [ "$1" = "$2" ] || { echo "is '$1', should be '$2'" && false; }; }
hears() { local from=$1 && shift && is "$(ask "$@")" "$from"; }
expected() { in_host cat /proc/net/nf_conntrack_expect; }
# count EXTENDED-REGEX: as many expectations are like that.
count() { expected | grep -cE "$1"; }
# seen N EXTENDED-REGEX: N expectations were like that when the last answer came.
seen() { is "$(grep -cE "$2" "$work/seen")" "$1"; }
nothing_expected() { is "$(expected)" ''; }
loaded() { [ -d "/sys/module/$1" ]; }
gone() { ! loaded "$1"; }

# rules [HOOK]: the helpers are given to what passes HOOK.
rules() {
	in_host nft -f - <<NFT
flush ruleset
table ip t {
	ct helper netbios { type "netbios-ns" protocol udp; l3proto ip; }
	ct helper snmp { type "snmp" protocol udp; l3proto ip; }
	chain assign {
		type filter hook ${1:-output} priority 0;
		udp dport 137 ct helper set "netbios"
		udp dport 161 ct helper set "snmp"
	}
	chain in {
		type filter hook input priority 0; policy drop;
		ct state related,established accept
	}
}
NFT
}

no_helpers() {
	in_host nft -f - <<NFT
flush ruleset
table ip t {
	chain in {
		type filter hook input priority 0; policy drop;
		ct state related,established accept
	}
}
NFT
}

all=10.1.0.255
check 'rules without helpers' no_helpers
check 'netbios-ns: no answer without the helper' hears '' $all 137
check 'snmp: no answer without the helper' hears '' $all 161

check 'rules that name helpers' rules
check 'load nf_conntrack_netbios_ns' loaded nf_conntrack_netbios_ns
check 'load nf_conntrack_snmp' loaded nf_conntrack_snmp
check 'and nf_conntrack_broadcast' loaded nf_conntrack_broadcast
parameter() {
	local file=/sys/module/$1/parameters/timeout
	is "$(stat -c %a "$file") $(cat "$file")" "400 $2"
}
check 'netbios-ns: parameter timeout' parameter nf_conntrack_netbios_ns 3
check 'snmp: parameter timeout' parameter nf_conntrack_snmp 30

check 'netbios-ns: answers of the network' hears '10.1.0.2:137 10.1.0.3:137' $all 137
like='PERMANENT.* netbios-ns'
check 'netbios-ns: one expectation, permanent' seen 1 "$like"
check 'netbios-ns: it expires' slowwait 10 nothing_expected
check 'netbios-ns: a late answer is none' hears '' $all 137 5
check 'netbios-ns: a query again, an answer again' hears '10.1.0.2:137 10.1.0.3:137' $all 137 0 2
check 'netbios-ns: still one expectation' seen 1 "$like"
check 'snmp: answers of the network' hears '10.1.0.2:161 10.1.0.3:161' $all 161
like='PERMANENT.* snmp'
check 'snmp: one expectation, permanent' seen 1 "$like"
check 'snmp: a late answer' hears '10.1.0.2:161 10.1.0.3:161' $all 161 5
check 'snmp: an expectation for each asker' seen 2 "$like"
expectation() {
	local line='proto=17 src=10\.1\.0\.(0|255) dst=10\.1\.0\.1 sport=161 dport=[0-9]+'
	grep -qE "$line" "$work/seen" || { cat "$work/seen" && false; }
}
check 'snmp: from the network, port 161, to the asker' expectation

none_of_netbios() { [ "$(count netbios-ns)" = 0 ]; }
slowwait 10 none_of_netbios
check 'unicast: the answer' hears 10.1.0.2:137 10.1.0.2 137
check 'unicast: nothing is expected' is "$(count netbios-ns)" 0

# What others broadcast is not for the host to expect answers to.
received() {
	rules input && ip netns exec "$peer" timeout 30 python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(b"0", ("10.1.0.255", 137))' && is "$(count netbios-ns)" 0
}
check 'a received broadcast: nothing is expected' received

# Under NAT, SNMP's payload is nf_nat_snmp_basic's: it drops what is no SNMP.
nat() {
	rules && in_host nft -f - <<NFT
table ip n {
	chain out {
		type nat hook postrouting priority 100;
		ip daddr 10.1.0.2 snat to 10.1.0.77
	}
}
NFT
}
check 'rules with NAT' nat
check 'under NAT: the answer' hears 10.1.0.2:161 10.1.0.2 161
check 'load nf_nat_snmp_basic' modprobe nf_nat_snmp_basic
check 'nf_nat_snmp_basic drops what it cannot read' hears '' 10.1.0.2 161
off() { modprobe -r nf_nat_snmp_basic; }
check 'unload nf_nat_snmp_basic' slowwait 10 off

in_host bash -c "while :; do
	for port in 137 161; do echo 0 | socat -t 0.02 - UDP-DATAGRAM:$all:\$port,broadcast; done
done" >/dev/null 2>&1 &
started+=($!)
busy() { [ "$(count netbios-ns)" -gt 0 ] && [ "$(count snmp)" -gt 0 ]; }
unload() {
	no_helpers
	# What the kernel has not yet freed of the rules keeps the modules.
	slowwait 10 modprobe -rq nf_conntrack_netbios_ns
	slowwait 10 modprobe -rq nf_conntrack_snmp
	modprobe -rq nf_conntrack_broadcast
	gone nf_conntrack_netbios_ns && gone nf_conntrack_snmp &&
		gone nf_conntrack_broadcast && nothing_expected
}
for ((round = 1; round <= rounds; round++)); do
	loading() { rules && slowwait 20 busy; }
	check "round $round: load under traffic" loading
	check "round $round: unload under traffic" unload
done
check 'the kernel has nothing to say about it' clean
ktap_finished
