#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack and network namespaces: each has its connections, settings and
# statistics, settings of the whole machine are read-only in them, and they can be
# deleted under traffic.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 15
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe nf_conntrack
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
track='table inet test { chain input { type filter hook input priority 0; ct state new counter; }; }'

in_client ping -qc 1 10.0.2.2 >/dev/null
check 'without a rule nothing is tracked' is "$(setting count)$(setting count '' "$server")" 00
rules <<<"${track//input/forward}"
in_client ping -qc 1 10.0.2.2 >/dev/null
check 'with a rule it is' count_is 1
check 'but not in another namespace' is "$(connections "$server")" ''
rules "$server" <<<"$track"
in_client ping -qc 1 10.0.2.2 >/dev/null
check 'that one has its own connections' count_is 1 "$server"
check 'and statistics' above "$(statistic insert)" "$(($(statistic insert "$server") - 1))"
in_router conntrack -F >/dev/null 2>&1
check 'forgetting in one does not in the other' is "$(setting count)$(setting count '' "$server")" 01
in_router nft flush ruleset
in_client ping -qc 1 10.0.2.2 >/dev/null
check 'without the rule again nothing is tracked' count_is 0

setting udp_timeout 77
check 'a timeout is of one namespace' is "$(setting udp_timeout) $(setting udp_timeout '' "$server")" '77 30'
setting acct 1
check 'a switch is of one namespace' is "$(setting acct) $(setting acct '' "$server")" '1 0'
setup_ns later
# Set by setup_ns.
: "${later:?}"
check 'a new namespace begins with the defaults' is \
	"$(setting udp_timeout '' "$later") $(setting acct '' "$later")" '30 0'
read_only() {
	local file
	for file in netfilter/nf_conntrack_buckets netfilter/nf_conntrack_expect_max netfilter/nf_conntrack_count; do
		[ "$(ip netns exec "$later" stat -c %a "/proc/sys/net/$file")" = 444 ] || { echo "$file" && return 1; }
	done
	! ip netns exec "$later" test -e /proc/sys/net/nf_conntrack_max ||
		[ "$(ip netns exec "$later" stat -c %a /proc/sys/net/nf_conntrack_max)" = 444 ]
}
check 'settings of the machine are read-only in namespaces' read_only

# Namespaces that go while their packets are under way.
vanish() {
	local one two traffic
	for _ in 1 2 3; do
		setup_ns one two
		# Set by setup_ns.
		: "${one:?}" "${two:?}"
		ip link add v0 netns "$one" type veth peer name w0 netns "$two"
		ip -n "$one" address add 10.3.0.1/24 dev v0
		ip -n "$two" address add 10.3.0.2/24 dev w0
		ip -n "$one" link set v0 up
		ip -n "$two" link set w0 up
		rules "$one" <<<"$track" && rules "$two" <<<"$track"
		ip netns exec "$one" ping -fq 10.3.0.2 >/dev/null 2>&1 &
		traffic=$!
		# shellcheck disable=SC2016 # the inner shell's own
		ip netns exec "$one" bash -c 'while :; do
			for port in {1..2000}; do echo >"/dev/udp/10.3.0.2/$port"; done
		done' >/dev/null 2>&1 &
		traffic+=" $!"
		sleep 1
		[ "$(setting count '' "$two")" -gt 1 ] || return
		ip netns delete "$two"
		ip netns delete "$one"
		# shellcheck disable=SC2086 # words on purpose
		kill $traffic
		one='' two=''
	done 2>&1
}
check 'namespaces are deleted under traffic' vanish
none_left() { [ "$(ip netns list | wc -l)" = 4 ]; }
check 'and go away' slowwait 20 none_left
check 'settings of the others are as they were' is "$(setting udp_timeout)" 77
check 'the kernel has nothing to say about it' clean
ktap_finished
