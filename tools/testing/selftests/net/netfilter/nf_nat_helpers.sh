#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat under helpers: payloads that grow and shrink, many times in one
# connection, with checksums that hardware completes and with such that it does
# not; the connections that are told of find their way.
#
# needs: nf_conntrack nf_nat
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 14
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe -a nf_nat_ftp nf_nat_tftp nf_nat_sip
routed
: "${client:?}" "${router:?}" "${server:?}"
# Addresses that are longer and shorter than those they stand for.
ip -n "$client" address add 10.0.1.222/24 dev c0
ip -n "$router" address add 10.0.2.211/24 dev r1
ip -n "$router" address add fd00:2::dead:beef/64 dev r1 nodad
ip -n "$router" address add 10.0.1.111/24 dev r0
rules <<'END'
table inet test {
	ct helper ftp { type "ftp" protocol tcp; l3proto inet; }
	ct helper tftp { type "tftp" protocol udp; l3proto inet; }
	ct helper sip { type "sip" protocol udp; l3proto inet; }
	chain helpers {
		type filter hook prerouting priority -150
		tcp dport { 21, 2121 } ct helper set "ftp"
		udp dport 69 ct helper set "tftp"
		udp dport 5060 ct helper set "sip"
	}
	chain destination {
		type nat hook prerouting priority -100
		ip daddr 10.0.1.1 tcp dport 2121 dnat ip to 10.0.2.2:21
		ip daddr 10.0.1.111 tcp dport 2121 dnat ip to 10.0.2.2:21
		ip6 daddr fd00:1::1 tcp dport 2121 dnat ip6 to [fd00:2::2]:21
	}
	chain source {
		type nat hook postrouting priority 100
		oifname r1 ip saddr 10.0.1.2 snat ip to 10.0.2.211
		oifname r1 ip saddr 10.0.1.222 masquerade
		oifname r1 ip6 saddr fd00:1::/64 snat ip6 to fd00:2::dead:beef
	}
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		iifname r0 ct state new tcp dport 21 accept
		iifname r0 ct state new udp dport { 69, 5060 } accept
	}
}
END

serve() {
	local log
	log=$(mktemp)
	ip netns exec "$server" "$PWD/nf_nat_helpers.py" "$@" >"$log" 2>&1 &
	busywait 20000 grep -q ready "$log"
}

serve ftp-server 10.0.2.2 21
serve ftp-server fd00:2::2 21
serve tftp-server 10.0.2.2 69
serve sip-server 10.0.2.2 5060

run() { in_client "$PWD/nf_nat_helpers.py" "$@"; }

# offload on|off: with off no device completes checksums, and the receiver
# verifies what the router wrote.
offload() {
	local device
	for device in "$client c0" "$router r0" "$router r1" "$server s0"; do
		ip netns exec "${device% *}" ethtool -K "${device#* }" tx "$1" gso "$1" gro "$1" \
			>/dev/null 2>&1
	done
}

offload off
check "FTP, active, PORT grows" run ftp-client 10.0.2.2 21 active 4 10.0.1.2
check "FTP, active, PORT shrinks" run ftp-client 10.0.2.2 21 active 4 10.0.1.222
check "FTP over IPv6, active, EPRT grows" run ftp-client fd00:2::2 21 active 4
check "FTP, passive, to another address" run ftp-client 10.0.1.111 2121 passive 4 10.0.1.2
check "FTP over IPv6, passive, to another address" run ftp-client fd00:1::1 2121 passive 2
check "SIP, a longer address" run sip-client 10.0.2.2 5060 10.0.1.2 10.0.2.211
check "SIP, a shorter address" run sip-client 10.0.2.2 5060 10.0.1.222 10.0.2.1
forget >/dev/null 2>&1
offload on
check "offloaded: FTP, active, PORT grows" run ftp-client 10.0.2.2 21 active 4 10.0.1.2
check "offloaded: FTP over IPv6, active, EPRT grows" run ftp-client fd00:2::2 21 active 2
check "offloaded: SIP, a longer address" run sip-client 10.0.2.2 5060 10.0.1.2 10.0.2.211
check "TFTP" run tftp-client 10.0.2.2 69

# Two clients that tell of the same port.
both() {
	run ftp-client 10.0.2.2 21 active 3 10.0.1.2 &
	local one=$!
	run ftp-client 10.0.2.2 21 active 3 10.0.1.222 && wait "$one"
}
check "two clients at once" both

# What was told of is over with the control connections.
check "no expectation is left" is "$(in_router cat /proc/net/nf_conntrack_expect | grep -c 'ftp')" 0
modprobe -r nf_nat_ftp nf_nat_tftp
check "the control connection without the NAT half of its helper" run ftp-client 10.0.2.2 21 passive 1 10.0.1.2
ktap_finished
