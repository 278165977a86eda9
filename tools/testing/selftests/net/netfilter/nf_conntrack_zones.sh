#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack and zones: the same addresses and ports are different connections in
# different zones, of both directions, of one, and of the packet's mark.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 14
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe nf_conntrack
routed
# Set by setup_ns.
: "${client:?}" "${server:?}"
listen "$server" UDP4 4000
forwarded='chain forward { type filter hook forward priority 0; ct state new counter; }'
# zones RULE...: the rules of the router from now on, with an empty table.
zones() {
	in_router nft flush ruleset
	rules <<<"table inet test { chain raw { type filter hook prerouting priority -300; $*; }; $forwarded; }"
	forget >/dev/null 2>&1
}
exchange() { send "$client" UDP4:10.0.2.2:4000,sp=5000,reuseaddr; }
lines() { is "$(connections | grep -c "$1")" "$2" || { connections && false; }; }
# The line with the zones where they belong.
there='src=10.0.1.2 dst=10.0.2.2 sport=5000 dport=4000 '
back='src=10.0.2.2 dst=10.0.1.2 sport=4000 dport=5000 '

zones 'ct zone set 5'
check 'a zone' exchange
check 'a zone: connection' has_connection "udp .* $there$back.* zone=5 use="
check 'a zone: one connection' lines sport=5000 1
in_zone() { in_router conntrack -L -w "$1" 2>/dev/null | grep dport=4000; }
check 'a zone: user space finds it by its zone' in_zone 5
check_not 'a zone: and not in another' in_zone 6

zones 'iifname r0 ct zone set 6'
check 'a zone in which no reply comes' exchange
check 'the reply is another connection' lines sport=5000 2
check 'with no answer for either' lines '\[UNREPLIED\]' 2

zones 'iifname r0 ct original zone set 7'
check 'a zone for the original direction' exchange
check 'a zone for the original direction: connection' has_connection "udp .* ${there}zone-orig=7 $back"
check 'a zone for the original direction: one connection' lines sport=5000 1

# The zone from the mark; only iptables and tc have that.
in_router nft flush ruleset
mark_zone() {
	in_router iptables-legacy -t raw -A PREROUTING -j MARK --set-mark 9 &&
		in_router iptables-legacy -t raw -A PREROUTING -j CT --zone mark &&
		in_router iptables-legacy -A FORWARD -m conntrack --ctstate NEW && forget
}
check 'a zone from the mark' mark_zone
exchange >/dev/null
check 'a zone from the mark: connection' has_connection "udp .* $there$back.* zone=9 use="
check 'a zone from the mark: one connection' lines sport=5000 1
ktap_finished
