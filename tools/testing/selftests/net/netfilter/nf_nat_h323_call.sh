#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack_h323 and nf_nat_h323: whole calls, of which every connection that
# is told of is made and gets through: from behind SNAT, over IPv6 too, and to
# behind DNAT; expected connections are RELATED and have their master's mark; and
# the NAT half goes while calls are expected.
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
ip -n "$client" address add dead:1::99/64 dev c0 nodad
ip -n "$router" address add dead:1::1/64 dev r0 nodad
ip -n "$client" route add fd00:2::/64 via dead:1::1 src dead:1::99

# What is not RELATED comes from outside to port 1720 only.
rules <<-'END'
	table inet test {
		ct helper ras { type "RAS" protocol udp; }
		ct helper q931 { type "Q.931" protocol tcp; l3proto ip; }
		ct helper q931v6 { type "Q.931" protocol tcp; l3proto ip6; }
		chain helpers {
			type filter hook prerouting priority -150
			meta nfproto ipv4 tcp dport 1720 ct helper set "q931"
			meta nfproto ipv6 tcp dport 1720 ct helper set "q931v6"
			udp dport 1719 ct helper set "ras"
			tcp dport 1720 ct state new ct mark set 0x323
		}
		chain forward {
			type filter hook forward priority 0; policy drop
			ct state related ct mark 0x323 counter name related
			ct state established,related accept
			iifname r0 accept
			tcp dport 1720 accept
		}
		counter related { }
	}
	table inet nat {
		chain destination {
			type nat hook prerouting priority -100
			iifname r1 ip daddr 10.0.2.1 tcp dport 1720 dnat ip to 10.0.1.99
		}
		chain source {
			type nat hook postrouting priority 100
			oifname r1 ip saddr 10.0.1.99 snat ip to 10.0.2.1
			oifname r1 ip6 saddr dead:1::99 snat ip6 to fd00:2::1
		}
	}
END

call() {
	in_router conntrack -F
	timeout 60 python3 "$PWD/nf_nat_h323_call.py" "$client" "$server" "$1" || {
		in_router conntrack -L
		in_router conntrack -L expect
		return 1
	}
}

related() {
	in_router nft -j list counter inet test related | grep -o '"packets": [0-9]*' | grep -o '[0-9]*'
}

ktap_print_header
ktap_set_plan 7
check 'a call from behind SNAT' call snat
check 'its control connection and both streams are RELATED, with its mark' is "$(related)" 3
check 'a call from behind SNAT, IPv6' call snat6
check 'its streams are RELATED, with its mark' is "$(related)" 5
check 'a call to behind DNAT' call dnat
check 'its control connection and both streams are RELATED, with its mark' is "$(related)" 8

# Calls to who has registered are expected for as long as that lasts, and are
# translated by the NAT half, so they are not any more when that has gone.
late() {
	in_router conntrack -F >/dev/null 2>&1
	in_router nft flush chain inet nat destination
	mkfifo "$work/go"
	timeout 60 python3 "$PWD/nf_nat_h323_call.py" "$client" "$server" registered <"$work/go" >"$work/late" &
	exec 7>"$work/go"
	busywait 20000 grep -q called "$work/late" || { echo 'no call' && return 1; }
	in_router grep 'proto=6.*dport=1720' /proc/net/nf_conntrack_expect || { echo 'nothing expected' && return 1; }
	modprobe -r nf_nat_h323 || return 1
	echo >&7
	wait $!
	cat "$work/late"
	! in_router grep . /proc/net/nf_conntrack_expect && grep -q '^not called' "$work/late"
}
check 'a registered endpoint is called, until the NAT half goes' late
ktap_finished
