#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack_h323 and nf_nat_h323: messages encoded by others pass without NAT
# and with SNAT; what they become and what is expected is in nf_nat_h323.expected.
# That is what the stock modules make of them, but for Alerting and Connect, which
# these do not read, and IRR, in which these write one address of three.
#
# nf_nat_h323.sh --print: only show it.
#
# needs: nf_conntrack nf_nat nf_conntrack_h323 nf_nat_h323
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$work"' EXIT

modprobe -a nf_nat_h323
routed
: "${client:?}" "${router:?}" "${server:?}"
ip -n "$client" address add 10.0.1.99/24 dev c0
ip -n "$server" address add 10.0.2.99/24 dev s0
ip -n "$server" route add 10.0.1.99/32 via 10.0.2.1

# translate NAME RULES: with these rules in chain source.
translate() {
	in_router nft -f - <<-END || return 1
		flush ruleset
		table ip test {
			ct helper ras { type "RAS" protocol udp; }
			ct helper q931 { type "Q.931" protocol tcp; }
			chain helpers {
				type filter hook prerouting priority -150
				udp dport 1719 ct helper set "ras"
				tcp dport 1720 ct helper set "q931"
			}
			chain source {
				type nat hook postrouting priority 100
				$2
			}
		}
	END
	printf '#### %s\n' "$1"
	python3 "$PWD/nf_nat_h323.py" "$client" "$router" "$server"
}

both() {
	translate plain '' && translate snat 'oifname r1 ip saddr 10.0.1.99 snat to 10.0.2.1'
}

if [ "${1:-}" = --print ]; then
	both
	exit
fi
ktap_print_header
ktap_set_plan 2
check 'messages are played' both
both >"$work/is" 2>&1
check 'they become what they should' diff -u <(sed 1d nf_nat_h323.expected) "$work/is"
ktap_finished
