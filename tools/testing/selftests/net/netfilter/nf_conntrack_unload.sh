#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack is unloaded and loaded again while packets are on their way through
# it, with the allocator watching for what is written where it should not be.
#
# needs: nf_conntrack
# timeout: 400
# vm: --append slub_debug=FZPU,nf_conntrack,nf_conntrack_expect
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

rounds=3
ktap_print_header
ktap_set_plan $((3 * rounds + 4))
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
# Traffic that does not end by itself, a new connection with each packet in part.
in_client ping -fq 10.0.2.2 >/dev/null 2>&1 &
in_client ping -fq fd00:2::2 >/dev/null 2>&1 &
# shellcheck disable=SC2016 # the inner shell's own
in_client bash -c 'while :; do
	for port in {1..2000}; do echo >"/dev/udp/10.0.2.2/$port"; done
done' >/dev/null 2>&1 &
listen "$server" TCP4 4000
in_client bash -c 'while :; do
	echo hello | socat -t 1 - TCP4:10.0.2.2:4000
done' >/dev/null 2>&1 &
# Readers of the files, while they are there.
in_router bash -c 'while :; do
	cat /proc/net/nf_conntrack /proc/net/nf_conntrack_expect /proc/net/stat/nf_conntrack
	sleep 0.1
done' >/dev/null 2>&1 &

on() {
	modprobe nf_conntrack && rules <<-'END'
		table inet test {
			chain forward {
				type filter hook forward priority 0
				ct state new counter
			}
		}
	END
}
some() { above "$(setting count)" 20; }
off() {
	in_router nft flush ruleset
	modprobe -r nft_ct && modprobe -rq nf_conntrack_netlink
	modprobe -r nf_conntrack && [ ! -e /sys/module/nf_conntrack ]
}
for ((round = 1; round <= rounds; round++)); do
	check "round $round: load under traffic" on
	check "round $round: connections are there" slowwait 20 some
	[ $round -gt 1 ] || check 'the allocator watches' is "$(cat /sys/kernel/slab/nf_conntrack/poison)" 1
	check "round $round: unload under traffic" slowwait 30 off
done
nothing_left() {
	[ ! -e /proc/net/nf_conntrack ] && [ ! -e /proc/net/nf_conntrack_expect ] &&
		[ ! -e /proc/net/stat/nf_conntrack ] && [ ! -e /proc/sys/net/nf_conntrack_max ] &&
		[ ! -e /proc/sys/net/netfilter/nf_conntrack_count ] && [ ! -e /sys/kernel/slab/nf_conntrack ]
}
check 'nothing is left behind' nothing_left
hooks() { in_router nft list hooks | grep conntrack; }
check_not 'and no hook' hooks
check 'the kernel has nothing to say about it' clean
ktap_finished
