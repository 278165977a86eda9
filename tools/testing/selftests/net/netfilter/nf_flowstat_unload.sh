#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flowstat and nf_flowstat_proto go away, and namespaces do, while packets are
# in their hooks and readers in their files.
#
# needs: nf_flowstat nf_flowstat_proto
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

rounds=5
ktap_print_header
ktap_set_plan $((3 * rounds + 3))
trap 'kill "${traffic[@]}" 2>/dev/null; cleanup_all_ns' EXIT
traffic=()

setting=/proc/sys/net/netfilter/nf_flowstat_enable

# connect A B NUMBER: a link between two namespaces, 10.NUMBER.0.1 and .2.
connect() {
	ip link add "v$3" netns "$1" type veth peer name "w$3" netns "$2"
	ip -n "$1" address add "10.$3.0.1/24" dev "v$3"
	ip -n "$2" address add "10.$3.0.2/24" dev "w$3"
	ip -n "$1" address add "fd00:$3::1/64" dev "v$3" nodad
	ip -n "$2" address add "fd00:$3::2/64" dev "w$3" nodad
	ip -n "$1" link set "v$3" up
	ip -n "$2" link set "w$3" up
}

# load A NUMBER: traffic from A that does not end by itself. All output goes away:
# nothing may hold the pipes of who calls us.
load() {
	ip netns exec "$1" ping -fq "10.$2.0.2" >/dev/null 2>&1 &
	traffic+=($!)
	ip netns exec "$1" ping -fq "fd00:$2::2" >/dev/null 2>&1 &
	traffic+=($!)
	# A new flow with each packet: the destination port changes.
	# shellcheck disable=SC2016 # the inner shell's own
	ip netns exec "$1" bash -c 'while :; do
		for port in {1..2000}; do echo >"/dev/udp/$0/$port"; done
	done' "10.$2.0.2" >/dev/null 2>&1 &
	traffic+=($!)
}

setup_ns left right
# Set by setup_ns.
: "${left:?}" "${right:?}"
connect "$left" "$right" 1
load "$left" 1

# Readers of all files, while they are there.
ip netns exec "$left" bash -c 'while :; do
	cat /proc/net/nf_flowstat /proc/net/nf_flowstat_proto /proc/net/stat/nf_flowstat
	sleep 0.05
done' >/dev/null 2>&1 &
traffic+=($!)

on() {
	modprobe nf_flowstat_proto || return
	ip netns exec "$left" sh -c "echo 1 >$setting" &&
		ip netns exec "$right" sh -c "echo 1 >$setting"
}
flows_there() { [ -n "$(ip netns exec "$left" head -n 3 /proc/net/nf_flowstat)" ]; }
off() { modprobe -r nf_flowstat_proto && modprobe -r nf_flowstat; }

for ((round = 1; round <= rounds; round++)); do
	check "round $round: load under traffic" on
	check "round $round: flows are counted" slowwait 10 flows_there
	check "round $round: unload under traffic" slowwait 20 off
done

# Namespaces that go while their packets are under way. Those who send there are
# killed after, so that the last of them, not we, ends the namespace.
vanish() {
	local i
	on || return
	for i in 2 3 4 5; do
		setup_ns one two
		# Set by setup_ns.
		: "${one:?}" "${two:?}"
		connect "$one" "$two" "$i"
		ip netns exec "$one" sh -c "echo 1 >$setting" || return
		ip netns exec "$two" sh -c "echo 1 >$setting" || return
		traffic=()
		load "$one" "$i"
		sleep 1
		ip netns delete "$two"
		ip netns delete "$one"
		kill "${traffic[@]}"
		wait "${traffic[@]}" 2>/dev/null
		one='' two=''
	done
}
check 'namespaces are deleted under traffic' vanish
check 'unload after that' slowwait 20 off
check 'the kernel has nothing to say about it' clean
ktap_finished
