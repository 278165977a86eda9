#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat: ICMP and ICMPv6 errors about translated connections, outside and inside, in
# both directions, from a host beyond, from the other end, from the router itself;
# which of them are RELATED, have the mark, and cross no nat chain.
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
./nf_nat_icmp.py "$client" "$router" "$server"
