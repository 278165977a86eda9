#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat and devices: masquerading follows a device's addresses and is over when
# they go, redirection needs one; and translation without hooks, by the traffic
# control action ct on a switch.
#
# needs: nf_conntrack nf_nat
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 31
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe -a nft_masq nft_redir act_ct act_mirred cls_flower cls_matchall
routed
: "${client:?}" "${router:?}" "${server:?}"
ip -n "$router" address add 10.0.2.50/24 dev r1
rules <<'END'
table inet test {
	chain source {
		type nat hook postrouting priority 100
		oifname r1 masquerade
	}
	chain destination {
		type nat hook prerouting priority -100
		iifname r0 tcp dport 8888 redirect to :9999
	}
	chain out {
		type nat hook output priority -100
		tcp dport 8888 redirect to :9999
	}
}
END
for kind in TCP4 TCP6 UDP4 UDP6; do listen "$server" "$kind" 4000; done
listen "$router" TCP4 9999
listen "$router" TCP6 9999

for to in TCP4:10.0.2.2 "TCP6:[fd00:2::2]" UDP4:10.0.2.2 "UDP6:[fd00:2::2]"; do
	check "masquerade to $to" send "$client" "$to:4000"
done
for to in TCP4:10.0.2.2 "TCP6:[fd00:2::2]"; do
	check "redirect to the router, $to" send "$client" "$to:8888"
	check "redirect to the loopback, $to" send "$router" "$to:8888"
done

# tuple FAMILY HOST: an address as the table shows it.
six() { printf 'fd00:0002:0000:0000:0000:0000:0000:%04x' "0x$1"; }
ping_server() { in_client ping -c 1 -W 5 "$1"; }
gone() { busywait 5000 no_connection "$1"; }
no_connection() { ! connections | grep -q "$1"; }

check "masquerade, ICMP" ping_server 10.0.2.2
check "masquerade, ICMPv6" ping_server fd00:2::2
check "the device's first address is taken" has_connection 'icmp .*dst=10\.0\.2\.1 '
check "and that of IPv6" has_connection "icmpv6 .*dst=$(six 1) "

# An address goes, and what was masqueraded to it.
ip -n "$router" address delete 10.0.2.1/24 dev r1
check "without the address no connection" gone 'src=10\.0\.2\.2 dst=10\.0\.2\.1 '
check "those with other addresses stay" has_connection "dst=$(six 1) "
ip -n "$router" address add 10.0.2.50/24 dev r1 2>/dev/null
check "the next one is masqueraded to another address" ping_server 10.0.2.2
check "which is the device's" has_connection 'icmp .*dst=10\.0\.2\.50 '
ip -n "$router" address delete fd00:2::1/64 dev r1
check "the same for IPv6" gone "src=$(six 2) dst=$(six 1) "
check "others stay" has_connection 'icmp .*dst=10\.0\.2\.50 '
ip -n "$router" link set r1 down
check "without the device no connection" gone 'dst=10\.0\.2\.50 '
ip -n "$router" link set r1 up

# Nothing to translate to.
ip -n "$router" address flush dev r0
ip -n "$router" address flush dev r1
ip -n "$router" route add 10.0.1.0/24 dev r0
ip -n "$router" route add 10.0.2.0/24 dev r1
ip -n "$client" neighbour replace 10.0.1.1 lladdr 02:00:00:00:01:01 dev c0
ip -n "$router" neighbour replace 10.0.2.2 lladdr 02:00:00:00:02:02 dev r1
not_sent() { ! in_client timeout 10 socat -u /dev/null "TCP4:10.0.2.2:$1,connect-timeout=2"; }
check "redirection without an address: dropped" not_sent 8888
check "masquerading without an address: dropped" not_sent 4000
check "nothing is left of either" no_connection 'dport=\(8888\|4000\).*SYN_SENT'

# Everything goes while it is in use.
ip -n "$router" address add 10.0.2.1/24 dev r1
ping_server 10.0.2.2 >/dev/null
in_router nft flush ruleset
check "rules and modules go" busywait 10000 modprobe -r nft_masq nft_redir
# shellcheck disable=SC2046 # numbers
kill $(jobs -p) 2>/dev/null
cleanup_all_ns

# A switch that translates: no address of its own, no hooks.
setup_ns a switch b
: "${a:?}" "${switch:?}" "${b:?}"
ip link add a0 netns "$a" address 02:00:00:00:03:01 type veth peer name s0 netns "$switch"
ip link add b0 netns "$b" address 02:00:00:00:03:02 type veth peer name s1 netns "$switch"
ip -n "$a" address add 10.1.1.1/24 dev a0
ip -n "$b" address add 10.1.1.2/24 dev b0
ip -n "$a" address add fd01::1/64 dev a0 nodad
ip -n "$b" address add fd01::2/64 dev b0 nodad
ip -n "$a" link set a0 up && ip -n "$b" link set b0 up
ip -n "$switch" link set s0 up && ip -n "$switch" link set s1 up
ip -n "$a" neighbour add 10.1.1.88 lladdr 02:00:00:00:03:02 dev a0
ip -n "$a" neighbour add fd01::2 lladdr 02:00:00:00:03:02 dev a0
ip -n "$b" neighbour add 10.1.1.99 lladdr 02:00:00:00:03:01 dev b0
ip -n "$b" neighbour add fd01::99 lladdr 02:00:00:00:03:01 dev b0
# filter DEVICE PRIORITY CHAIN PROTOCOL REST...
filter() {
	local device=$1 priority=$2 chain=$3 protocol=$4
	shift 4
	ip netns exec "$switch" tc filter add dev "$device" ingress prio "$priority" \
		chain "$chain" protocol "$protocol" "$@"
}
for device in s0,s1 s1,s0; do
	ip netns exec "$switch" tc qdisc add dev "${device%,*}" clsact
	filter "${device%,*}" 9 0 arp matchall action mirred egress redirect dev "${device#*,}"
	for protocol in ip,1 ipv6,2; do
		filter "${device%,*}" "${protocol#*,}" 0 "${protocol%,*}" flower ct_state -trk \
			action ct zone 1 nat pipe action goto chain 1
		for state in est,3 rel,5; do
			filter "${device%,*}" $((${protocol#*,} + ${state#*,})) 1 "${protocol%,*}" \
				flower ct_state "+trk+${state%,*}" action mirred egress redirect dev "${device#*,}"
		done
	done
done
filter s0 1 1 ip flower dst_ip 10.1.1.2 ct_state +trk+new \
	action ct commit zone 1 nat src addr 10.1.1.99 pipe action mirred egress redirect dev s1
filter s0 1 1 ip flower dst_ip 10.1.1.88 ct_state +trk+new \
	action ct commit zone 1 nat dst addr 10.1.1.2 port 4000 pipe action mirred egress redirect dev s1
filter s0 2 1 ipv6 flower ct_state +trk+new \
	action ct commit zone 1 nat src addr fd01::99 pipe action mirred egress redirect dev s1
for kind in TCP4 TCP6 UDP4 UDP6; do listen "$b" "$kind" 4000; done
for to in TCP4:10.1.1.2 UDP4:10.1.1.2 "TCP6:[fd01::2]" "UDP6:[fd01::2]"; do
	check "action ct, source, $to" send "$a" "$to:4000"
done
check "action ct, the source is another one" has_connection 'dst=10\.1\.1\.99 .*zone=1' "$switch"
refused() { is "$(echo | ip netns exec "$a" timeout 5 socat -t 3 - "$1" 2>&1 | grep -c refused)" 1; }
check "action ct, an ICMP error comes back" refused UDP4:10.1.1.2:4001
check "action ct, an ICMPv6 error comes back" refused "UDP6:[fd01::2]:4001"
check "action ct, destination and port" send "$a" TCP4:10.1.1.88:4444
ktap_finished
