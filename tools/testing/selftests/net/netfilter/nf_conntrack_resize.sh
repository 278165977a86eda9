#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack and the size of its table: it follows the number of connections by
# itself and can be set, and whatever happens to it, under traffic, no connection
# is lost.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

number=20000
ktap_print_header
ktap_set_plan 18
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -f "$batch"' EXIT
batch=$(mktemp)

modprobe nf_conntrack hashsize=1024
parameter=/sys/module/nf_conntrack/parameters/hashsize
buckets() { sysctl -n net.netfilter.nf_conntrack_buckets; }
check 'the size at load is as asked' is "$(buckets) $(cat $parameter)" '1024 1024'
check 'the largest number of connections follows' is "$(sysctl -n net.nf_conntrack_max)" 8192
sysctl -qw net.nf_conntrack_max=100000

routed
# Set by setup_ns.
: "${client:?}" "${server:?}"
rules <<<'table inet test { chain forward { type filter hook forward priority 0; ct state new counter; }; }'
listen "$server" TCP4 4000
coproc talk { ip netns exec "$client" socat -t 5 - TCP4:10.0.2.2:4000; }
say() {
	local answer
	echo "$1" >&"${talk[1]}" && read -rt 10 answer <&"${talk[0]}" && is "$answer" "$1"
}
check 'a TCP connection' say one

awk -v n=$number 'BEGIN { for (i = 0; i < n; i++)
	printf "-I -p udp -s 10.9.%d.%d -d 10.8.0.1 --sport %d --dport 53 -t 3600\n", i / 250, i % 250 + 1, 1024 + i }' >"$batch"
in_client ping -fq 10.0.2.2 >/dev/null &
check "$number connections at once" in_router conntrack -R "$batch"
all_there() { is "$(connections | grep -c dst=10.8.0.1)" $((number)); }
# Each line has both directions.
check 'all are listed' all_there
some_found() {
	local i
	for ((i = 1; i < number; i += number / 20)); do
		in_router conntrack -G -p udp -s "10.9.$((i / 250)).$((i % 250 + 1))" -d 10.8.0.1 \
			--sport $((1024 + i)) --dport 53 || return
	done
}
check 'those that are looked up are found' some_found
if grep -q O /sys/module/nf_conntrack/taint; then
	grown() { above "$(buckets)" $number; }
	check 'the table grew by itself' slowwait 90 grown
	check 'the parameter says so as well' is "$(cat $parameter)" "$(buckets)"
else
	ktap_test_skip 'the table grew by itself'
	ktap_test_skip 'the parameter says so as well'
fi

resize() { echo "$1" >/proc/sys/net/netfilter/nf_conntrack_buckets && is "$(buckets)" "$2"; }
check 'set by sysctl, larger' resize 131072 131072
check 'all are listed after that' all_there
by_parameter() { echo 4096 >$parameter && is "$(buckets)" 4096; }
check 'set by parameter, smaller' by_parameter
check 'all are listed after that' all_there
back_and_forth() {
	local i
	for i in 1 2 3 4 5; do
		resize 65536 65536 && resize 2048 2048 || return
	done
}
check 'set again and again under traffic' back_and_forth
check 'all are listed after that' all_there
check 'those that are looked up are found after that' some_found
check 'the TCP connection goes on' say two
check_not 'no table without a bucket' eval 'echo 0 >/proc/sys/net/netfilter/nf_conntrack_buckets'
# shellcheck disable=SC2046 # words on purpose
kill $(jobs -p) 2>/dev/null
forget >/dev/null 2>&1
gone() { above 10 "$(setting count)"; }
check 'all are gone in the end' slowwait 20 gone
ktap_finished
