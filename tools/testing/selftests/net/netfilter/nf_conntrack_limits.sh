#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack with a full table: what is there stays, what is new is dropped and
# counted, and connections without an answer make room.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 16
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe nf_conntrack
routed
# Set by setup_ns.
: "${client:?}" "${server:?}"
rules <<<'table inet test { chain forward { type filter hook forward priority 0; ct state new counter; }; }'

# A TCP connection that stays and echoes what comes in: assured.
listen "$server" TCP4 4000
coproc talk { ip netns exec "$client" socat -t 5 - TCP4:10.0.2.2:4000; }
say() {
	local answer
	echo "$1" >&"${talk[1]}" && read -rt 10 answer <&"${talk[0]}" && is "$answer" "$1"
}
check 'a TCP connection' say one
# assured NUMBER: so many more connections that nothing makes room for.
assured() {
	local i
	for ((i = 0; i < $1; i++)); do
		in_router conntrack -I -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport $((1000 + i)) --dport 80 \
			--state ESTABLISHED -t 600 -u ASSURED || return
	done
}
check 'ten more' assured 10
check 'the number is that of the lines' count_is "$(connections | wc -l)"

limit=/proc/sys/net/netfilter/nf_conntrack_max
setting count >$limit
check 'the largest number is that of net.nf_conntrack_max' is "$(sysctl -n net.nf_conntrack_max)" "$(cat $limit)"
check 'and namespaces see it' is "$(setting max)" "$(cat $limit)"
dropped=$(statistic drop)
count=$(setting count)
dmesg -C
# shellcheck disable=SC2016 # the inner shell's own
flood() { in_client bash -c 'for port in {1..50}; do echo >/dev/udp/10.0.2.2/$port; done'; }
flood 2>/dev/null
check 'the table is full: no more connections' count_is "$count"
check 'the table is full: packets are counted' above "$(statistic drop)" "$dropped"
said() { dmesg | grep -E 'nf_conntrack: nf_conntrack: table full in netns [0-9]+, dropping packet'; }
check 'the table is full: the log says so' said
seldom() { above 15 "$(said | wc -l)"; }
check 'but not for each packet' seldom
check 'the connection that is there goes on' say two

# Room is made by connections that are not assured.
echo $((count + 20)) >$limit
flood 2>/dev/null
early=$(statistic early_drop)
flood 2>/dev/null
check 'connections without an answer make room' above "$(statistic early_drop)" "$early"
below() { above $((count + 21)) "$(setting count)"; }
check 'and the limit holds' below
check 'all that is assured is there' is "$(connections | grep -c ASSURED)" "$((count > 11 ? 11 : count))"
check 'the connection goes on' say three

echo $((count + 100)) >$limit
flood 2>/dev/null
check 'with a higher limit there are more' above "$(setting count)" $((count + 40))
refused() {
	! echo 0 >$limit && ! echo -1 >$limit && ! ip netns exec "$router" sh -c \
		'echo 7 >/proc/sys/net/netfilter/nf_conntrack_max'
} 2>/dev/null
check 'no limit of none, and none set in a namespace' refused
ktap_finished
