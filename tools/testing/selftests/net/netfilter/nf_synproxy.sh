#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_synproxy_core: SYNs are answered by cookies and leave nothing behind, with
# the client's options in them; the connection to the server is joined to them by
# sequence numbers and timestamps.
#
# needs: nf_conntrack nf_synproxy_core
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 29
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe nf_conntrack
gcc -O2 -Wall -o "$dir/flood" nf_synproxy.c || skip_all 'no compiler'
routed
# Set by setup_ns.
: "${client:?}" "${server:?}" "${router:?}"
in_router sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
for name in r0 r1; do in_router ethtool -K $name tx off >/dev/null; done
ip netns exec "$server" ethtool -K s0 tx off >/dev/null
listen "$server" TCP4 8080
listen "$server" TCP6 8080
# The client's kernel knows nothing of what nf_synproxy.py sends.
rules "$client" <<<'table ip test { chain output { type filter hook output priority 0;
	ip protocol tcp tcp sport 20000-59999 tcp flags & rst == rst drop; }; }'
in_client sysctl -qw net.ipv4.ip_local_port_range='10000 19999'

nft_rules() {
	in_router nft flush ruleset
	rules <<<"table inet test {
		chain raw { type filter hook prerouting priority -300;
			tcp dport 8080 tcp flags & (fin|syn|rst|ack) == syn notrack; }
		chain forward { type filter hook forward priority 0;
			tcp dport 8080 ct state invalid,untracked synproxy $1;
			tcp dport 8080 ct state invalid drop; }; }"
	forget >/dev/null 2>&1
}
# counter COLUMN: of /proc/net/stat/synproxy, the sum over all CPUs.
counter() {
	local sum=0 n
	# shellcheck disable=SC2016 # awk's own
	for n in $(in_router awk -v i="$1" 'NR > 1 { print $i }' /proc/net/stat/synproxy); do sum=$((sum + 0x$n)); done
	echo "$sum"
}
by_hand() { in_client python3 nf_synproxy.py "$@"; }
answer() { is "$(by_hand syn "$1" "${3:-0}")" "$2"; }

nft_rules 'mss 1460 wscale 7 timestamp sack-perm'
check 'nft: IPv4' send "$client" TCP4:10.0.2.2:8080
check 'nft: IPv6' send "$client" "TCP6:[fd00:2::2]:8080"
check 'a connection' has_connection 'tcp .* dport=8080 .*\[ASSURED\]'
check 'a megabyte there and back, IPv4' by_hand echo 10.0.2.2
check 'a megabyte there and back, IPv6' by_hand echo fd00:2::2
# shellcheck disable=SC2016 # awk's own
server_counter() { ip netns exec "$server" nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'; }
if [ -e /proc/net/stat/nf_conntrack_invalid ]; then
	# Stock shifts the echo in its own ACK, and the server refuses that.
	check 'the server takes the proxy'\''s ACK' is "$(server_counter TcpExtTSEcrRejected)" 0
else
	ktap_test_skip 'the server takes the proxy'\''s ACK'
fi

# MSS 1400, SACK permitted, timestamp 1, window scale 5.
full=020405780402080a000000010000000001030305
stamp=00000001
check 'options: all' answer "$full" "flags=0x12 window=0 2:05b4 3:07 4: 8:$stamp"
check 'options: no timestamp, and so nothing else' answer 020405780402010303050000 'flags=0x12 window=0 2:05b4'
check 'options: no window scale' answer 020405780402080a0000000100000000 "flags=0x12 window=0 2:05b4 4: 8:$stamp"
check 'options: none' answer '' 'flags=0x12 window=0'
check 'options: a lone byte at the end' answer 020405780402080a000000010000000001030305010101fe "flags=0x12 window=0 2:05b4 3:07 4: 8:$stamp"
check 'options: a length of zero' answer 0204057803000000 'flags=0x12 window=0 2:05b4'
check 'options: a length of one' answer 0204057808010000 'flags=0x12 window=0 2:05b4'
check 'options: a length behind the end' answer 02040578080a0000 'flags=0x12 window=0 2:05b4'
check 'by hand, with timestamps' is "$(by_hand handshake "$full" 2>&1)" 'done'
sacked() { is "$(server_counter TcpExtTCPSACKDiscard)" 0 && above "$(server_counter TcpExtTCPSackRecovery)" 0; }
check 'what is acknowledged selectively is shifted, too' sacked
check 'by hand, without' is "$(by_hand handshake 02040578 2>&1)" 'done'

# The server does not hear the SYN at first.
keepalive() {
	local said
	mkfifo "$dir/in"
	rules "$server" <<<'table ip deaf { chain in { type filter hook input priority 0; tcp flags & (syn|ack) == syn drop; }; }'
	by_hand handshake "$full" again <"$dir/in" >"$dir/out" 2>&1 &
	exec 8>"$dir/in"
	busywait 10000 grep -q deaf "$dir/out"
	ip netns exec "$server" nft delete table ip deaf
	echo >&8
	exec 8>&-
	wait $!
	said=$(tail -n 1 "$dir/out")
	is "$said" 'done'
}
# shellcheck disable=SC2016 # awk's own
heading=$(in_router awk 'NR == 1 { print $1, $2, $3, $4, $5, $6 }' /proc/net/stat/synproxy)
check 'statistics have names' is "$heading" 'entries syn_received cookie_invalid cookie_valid cookie_retrans conn_reopened'
before=$(counter 5)
check 'the client asks again' keepalive
check 'and that is counted' above "$(counter 5)" "$before"

before=$(counter 3)
check 'an ACK without a cookie' by_hand badack
check 'and that is counted' above "$(counter 3)" "$before"

refused() { ! in_client timeout 10 socat -u TCP4:10.0.2.2:8080 - 2>"$dir/why" && grep -q 'Connection re' "$dir/why"; }
rules "$server" <<<'table ip closed { chain in { type filter hook input priority 0; tcp dport 8080 reject with tcp reset; }; }'
check 'a server that refuses' refused
ip netns exec "$server" nft delete table ip closed

# A hundred thousand SYNs, and a client among them.
many=$((100000 / slow / slow))
ip -n "$router" route add 198.18.0.0/15 via 10.0.1.2
ip netns exec "$client" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.c0.rp_filter=0
forget >/dev/null 2>&1
received=$(counter 2)
in_client "$dir/flood" 10.0.2.2 8080 $many >"$dir/sent" &
flood=$!
among() { send "$client" TCP4:10.0.2.2:8080; }
check 'a client in a flood' among
wait "$flood"
check "$many SYNs were sent and answered" above "$(($(counter 2) - received))" $((many - 1))
few() { is "$(in_router conntrack -L 2>/dev/null | grep -vc 'dst=10.0.2.2 .*src=10.0.2.2')" 0; }
check 'and left nothing in the table' few

iptables_rules() {
	local ip
	in_router nft flush ruleset
	for ip in ip ip6; do
		in_router ${ip}tables-legacy -t raw -A PREROUTING -p tcp --dport 8081 --syn -j CT --notrack
		in_router ${ip}tables-legacy -A FORWARD -p tcp --dport 8081 -m conntrack --ctstate INVALID,UNTRACKED \
			-j SYNPROXY --ecn --sack-perm --timestamp --wscale 7 --mss 1460 || return
	done
	listen "$server" TCP4 8081
	listen "$server" TCP6 8081
	send "$client" TCP4:10.0.2.2:8081 && send "$client" "TCP6:[fd00:2::2]:8081"
}
check 'iptables: IPv4 and IPv6' iptables_rules
# shellcheck disable=SC2317 # called by check
ecn() { PORT=8081 answer "$full" "flags=0x52 window=0 2:05b4 3:07 4: 8:$stamp" c0; }
check 'iptables: ECN, and all options' ecn
both() {
	nft_rules 'mss 1460 wscale 7 timestamp sack-perm'
	send "$client" TCP4:10.0.2.2:8080 && send "$client" TCP4:10.0.2.2:8081
}
check 'iptables and nft side by side' both
ktap_finished
