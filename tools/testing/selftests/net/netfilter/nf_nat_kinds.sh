#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat: every kind of translation, for every protocol and both families, forwarded
# and local, under rules of nft, iptables-nft and iptables-legacy. What is sent by
# hand on one side is captured on the other and compared field by field.
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
# shellcheck disable=SC2086 # words on purpose
./nf_nat_kinds.py "$client" "$router" "$server" ${KINDS:-}
