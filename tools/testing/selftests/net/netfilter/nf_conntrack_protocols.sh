#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack on a router between a client and a server: what rules and
# /proc/net/nf_conntrack see of every protocol over IPv4 and IPv6, of errors and of
# fragments.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 55
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe nf_conntrack
routed
# Set by setup_ns.
: "${client:?}" "${server:?}"

# All that passes is written down with its state, once.
rules <<'END' || exit
table inet test {
	set seen {
		typeof meta nfproto . meta l4proto . ct state . ct direction
		flags dynamic
		size 1024
	}
	set marked {
		typeof meta l4proto . ct state . ct mark
		flags dynamic
		size 1024
	}
	counter long { }
	counter lasting { }
	counter assured { }
	chain prerouting {
		type filter hook prerouting priority 0
		meta l4proto udp meta length > 2500 counter name long
		meta l4proto icmp meta length > 2500 counter name long
		meta l4proto ipv6-icmp meta length > 2500 counter name long
	}
	chain forward {
		type filter hook forward priority 0
		update @seen { meta nfproto . meta l4proto . ct state . ct direction }
		udp dport 4999 ct state new ct mark set 7
		update @marked { meta l4proto . ct state . ct mark }
		meta l4proto tcp ct expiration > 1h counter name lasting
		meta l4proto udp ct status assured counter name assured
	}
}
END

# seen FAMILY PROTOCOL STATE DIRECTION
seen() {
	in_router nft list set inet test seen | grep -E "ipv$1 \. $2 \. $3 \. $4\>" ||
		{ in_router nft list set inet test seen && false; }
}
new_and_reply() { seen "$1" "$2" new original && seen "$1" "$2" established reply; }
never() { ! in_router nft list set inet test seen | grep -E "ipv$1 \. $2 \. invalid"; }
named() { in_router nft -j list counter inet test "$1" | jq '.nftables[1].counter.packets'; }

# The ends of a connection as the table shows them.
declare -A from=([4]=10.0.1.2 [6]=fd00:0001:0000:0000:0000:0000:0000:0002)
declare -A to=([4]=10.0.2.2 [6]=fd00:0002:0000:0000:0000:0000:0000:0002)
declare -A address=([4]=10.0.2.2 [6]=fd00:2::2)
declare -A ip=([4]='ipv4     2' [6]='ipv6     10')
for f in 4 6; do
	there="src=${from[$f]} dst=${to[$f]}" back="src=${to[$f]} dst=${from[$f]}"
	end='mark=0 (secctx=[^ ]* )?(zone=0 )?use=[0-9]+$'
	peer=${address[$f]}
	[ $f = 4 ] || peer="[$peer]"

	if [ $f = 4 ]; then icmp=icmp line='icmp     1' types='type=8 code=0' answer='type=0 code=0'
	else icmp=ipv6-icmp line='icmpv6   58' types='type=128 code=0' answer='type=129 code=0'; fi
	check "IPv$f: ping" in_client ping -qc 2 -i 0.2 "${address[$f]}"
	check "IPv$f: ping: states" new_and_reply $f "$icmp"
	check "IPv$f: ping: the second request is of the connection" seen $f "$icmp" established original
	check "IPv$f: ping: connection" has_connection \
		"^${ip[$f]} $line [0-9]+ $there $types id=[0-9]+ $back $answer id=[0-9]+ $end"

	listen "$server" UDP$f 4000
	check "IPv$f: UDP" send "$client" "UDP$f:$peer:4000,sp=5000"
	check "IPv$f: UDP: states" new_and_reply $f udp
	check "IPv$f: UDP: connection, not assured" has_connection \
		"^${ip[$f]} udp      17 ([12]?[0-9]|30) $there sport=5000 dport=4000 $back sport=4000 dport=5000 $end"

	listen "$server" TCP$f 4000
	check "IPv$f: TCP" send "$client" "TCP$f:$peer:4000"
	check "IPv$f: TCP: states" new_and_reply $f tcp
	check "IPv$f: TCP: connection that was closed" has_connection \
		"^${ip[$f]} tcp      6 [0-9]+ (TIME_WAIT|CLOSE) $there sport=[0-9]+ dport=4000 $back sport=4000 dport=[0-9]+ \[ASSURED\] $end"
	in_client socat -u "EXEC:sleep 60" "TCP$f:$peer:4000,sp=501$f" &
	established() {
		has_connection "^${ip[$f]} tcp      6 43[0-9]{4} ESTABLISHED $there sport=501$f dport=4000 .* \[ASSURED\] "
	}
	check "IPv$f: TCP: connection that is open" slowwait 10 established

	listen "$server" IP$f 253
	check "IPv$f: protocol 253" send "$client" "IP$f-DATAGRAM:$peer:253"
	check "IPv$f: protocol 253: states" new_and_reply $f 253
	check "IPv$f: protocol 253: connection" has_connection "^${ip[$f]} unknown  253 (5[0-9]{2}|600) $there $back $end"

	if modprobe -q sctp; then
		listen "$server" SCTP$f 4000
		check "IPv$f: SCTP" send "$client" "SCTP$f:$peer:4000"
		check "IPv$f: SCTP: states" new_and_reply $f sctp
		check "IPv$f: SCTP: connection" has_connection \
			"^${ip[$f]} sctp     132 [0-9]+ [A-Z_]+ $there sport=[0-9]+ dport=4000 .*\[ASSURED\] $end"
	else
		ktap_test_skip "IPv$f: SCTP" && ktap_test_skip "IPv$f: SCTP: states" && ktap_test_skip "IPv$f: SCTP: connection"
	fi

	kind=$([ $f = 4 ] && echo gre || echo ip6gre)
	outside=$([ $f = 4 ] && echo 10.0 || echo fd00)
	dot=$([ $f = 4 ] && echo . || echo ::)
	sep=$([ $f = 4 ] && echo . || echo :)
	ip -n "$client" link add "g$f" type "$kind" local "$outside${sep}1${dot}2" remote "$outside${sep}2${dot}2"
	ip -n "$server" link add "g$f" type "$kind" local "$outside${sep}2${dot}2" remote "$outside${sep}1${dot}2"
	ip -n "$client" address add "172.16.$f.1/24" dev g$f
	ip -n "$server" address add "172.16.$f.2/24" dev g$f
	ip -n "$client" link set g$f up
	ip -n "$server" link set g$f up
	check "IPv$f: GRE" in_client ping -qc 2 -i 0.2 -W 5 172.16.$f.2
	check "IPv$f: GRE: states" new_and_reply $f gre
	check "IPv$f: GRE: connection" has_connection \
		"^${ip[$f]} gre      47 [0-9]+ timeout=30, stream_timeout=180 $there srckey=0x0 dstkey=0x0 $back srckey=0x0 dstkey=0x0 .*use="

	# A closed port: the error belongs to the connection and has its mark.
	in_client bash -c "echo >/dev/udp/${address[$f]}/4999" 2>/dev/null
	related() {
		in_router nft list set inet test marked | grep -E "\<$icmp \. related \. 0x0+7\>" && seen "$f" "$icmp" related reply
	}
	check "IPv$f: an ICMP error is RELATED and has the mark" slowwait 5 related

	before=$(named long)
	check "IPv$f: fragments of a ping" in_client ping -qc 1 -s 3000 "${address[$f]}"
	check "IPv$f: fragments are seen as one" above "$(named long)" "$before"
	check "IPv$f: nothing was INVALID" never $f '[a-z0-9-]+'
done
check 'a TCP connection expires after more than an hour' above "$(named lasting)" 0

# A stream: more than two seconds of packets there and back.
(for _ in 1 2 3 4 5 6 7; do echo hello && sleep 0.5; done) |
	in_client socat -t 1 - UDP4:10.0.2.2:4000,sp=5002 >/dev/null
check 'UDP: a stream is assured' has_connection ' udp +17 (1[01][0-9]|120) .* sport=5002 .*\[ASSURED\]'
check 'UDP: rules see that it is' above "$(named assured)" 0

# Without a checksum; 11 is SO_NO_CHECK, 101 UDP_NO_CHECK6_TX.
in_client socat -u - UDP4:10.0.2.2:4000,sp=5003,setsockopt-int=1:11:1 <<<hello
in_client socat -u - 'UDP6:[fd00:2::2]:4000,sp=5004,setsockopt-int=17:101:1' <<<hello
check 'UDP without a checksum' has_connection ' udp .* sport=5003 .* mark='
check 'UDP without a checksum over IPv6' has_connection ' udp .* sport=5004 .* mark='

# The end. What is closed may still say so after the first time.
left() { forget >/dev/null 2>&1 && count_is 0; }
# shellcheck disable=SC2046 # words on purpose
kill $(jobs -p) 2>/dev/null
check 'forget all' forget
check 'nothing is left' slowwait 10 left
ktap_finished
