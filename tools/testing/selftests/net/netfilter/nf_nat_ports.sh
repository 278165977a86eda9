#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat and ports: what happens when they run out, that the last one is found, 60,000
# mappings to one destination (MAPPINGS: another number), and that a mapping does not
# take a port away from a service of the router.
#
# needs: nf_conntrack nf_nat
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
modprobe -a nf_conntrack nf_nat
nat_routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
ip -n "$router" route add 192.168.96.0/19 via 10.0.1.2
ip -n "$router" route add 10.9.0.0/16 via 10.0.1.2
sysctl -qw net.netfilter.nf_conntrack_max=200000 || sysctl -qw net.nf_conntrack_max=200000
in_router sysctl -qw net.netfilter.nf_conntrack_udp_timeout=600
# Stock's table has the size it is given.
echo 65536 >/sys/module/nf_conntrack/parameters/hashsize
./nf_nat_ports.py "$client" "$router" "$server" "${MAPPINGS:-60000}"
