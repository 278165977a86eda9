#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flow_table with flags offload, all at once for some seconds: hundreds of flows
# that begin and end, drivers that are slow, refuse, come and go, tables, devices,
# connections and modules that go. Nothing is left, and memory was not written to that
# was not there.
#
# needs: nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# may-skip: not on stock, which would not survive it
# timeout: 240
# vm: --append slub_debug=FZPU
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh
# shellcheck source=tools/testing/selftests/net/netfilter/nf_flow_offload_lib.sh
. ./nf_flow_offload_lib.sh

ktap_print_header
ktap_set_plan 6
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe -a nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# Stock leaves pointers to tables behind when there is no driver, and flows in hardware.
[ "$(grep -c O /sys/module/nf_flow_table/taint)" = 1 ] || skip_all 'not on stock, which would not survive it'
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
in_router sysctl -qw net.netfilter.nf_flowtable_udp_timeout=2 net.netfilter.nf_flowtable_tcp_timeout=2
servers
check 'the driver' insmod "$module"
say quiet 1

# Flows, from ever new ports.
# shellcheck disable=SC2016 # the inner shell's
in_client timeout 60 bash -c 'for i in $(seq 10000 20 60000); do
	for j in 0 4 8 12 16; do ./nf_flow_table.py udp 10.0.2.2 4000 $((i + j)) 3 >/dev/null 2>&1 & done
	./nf_flow_table.py tcp fd00:2::2 4000 $((i + 2)) 2000 reset >/dev/null 2>&1
	wait
done' &
load=$!
hardware 'counter;'
end=$((SECONDS + 25)) rounds=0
# Twice each, however slow the machine is.
while [ $SECONDS -lt $end ] || [ $rounds -lt 12 ]; do
	say slow $((rounds % 3 * 20)) used $((rounds & 1)) packets 1 bytes 100
	sleep 0.5
	case $((rounds % 6)) in
	0) hardware 'counter;' ;;
	1) forget ;;
	2) ip -n "$router" link set r1 down && ip -n "$router" link set r1 up ;;
	3) say refuse 1 && sleep 0.4 && say refuse 0 ;;
	4) rmmod nf_flow_recorder && sleep 0.2 && insmod "$module" && say quiet 1 && hardware '' ;;
	5)
		in_router nft flush ruleset
		busywait 5000 rmmod nft_flow_offload nf_flow_table_inet nf_flow_table
		modprobe -a nf_flow_table nf_flow_table_inet && hardware 'counter;'
		;;
	esac
	rounds=$((rounds + 1))
done >/dev/null 2>&1
kill $load 2>/dev/null
wait $load 2>/dev/null
check 'it goes on' in_client timeout 60 ./nf_flow_table.py paced 10.0.2.2 4000 9000 4 0.3
check 'in hardware' busywait 4000 has_connection 'udp.*sport=9000.*HW_OFFLOAD'
in_router nft flush ruleset
check 'hardware has nothing' is "$(wc -l <"$recorder/table")" 0
unloaded() {
	local name
	for name in nft_flow_offload nf_flow_table_inet nf_flow_table; do rmmod $name; done 2>/dev/null
	[ ! -e /sys/module/nf_flow_table ]
}
check 'the modules go' busywait 9000 unloaded
check 'and the driver' rmmod nf_flow_recorder
ktap_finished
