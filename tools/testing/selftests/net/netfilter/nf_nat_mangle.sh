#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat_ftp on nf_nat, active and passive, behind source and destination translation:
# payloads that grow and shrink, sequence numbers, acknowledgements and SACK blocks
# after them, retransmissions, expected connections: compared byte by byte.
#
# needs: nf_conntrack nf_nat
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
modprobe -a nf_conntrack nf_nat nf_nat_ftp
nat_routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
./nf_nat_mangle.py "$client" "$router" "$server"
