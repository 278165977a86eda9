#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flow_table: what packets look like that flows send on, byte by byte, in every
# encapsulation, translated and not; and what is not for the fast path.
#
# needs: nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT
modprobe -a nf_conntrack nf_nat nf_flow_table nf_flow_table_inet 8021q pppoe ipip ip6_tunnel bridge esp4 esp6
nat_routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
# Much is to be set up: one ip and one bridge do it.
on_router() { echo "$*" >>"$dir/ip"; }
on_bridges() { echo "$*" >>"$dir/bridge"; }
do_it() {
	ip -n "$router" -batch "$dir/ip"
	[ ! -e "$dir/bridge" ] || ip netns exec "$router" bridge -batch "$dir/bridge"
	rm -f "$dir/ip" "$dir/bridge"
}
# More links to the client.
for i in 11 12 13 14 15 16; do
	hex=$(printf %02x $i)
	ip link add c$i netns "$client" address "02:00:00:00:$hex:02" type veth peer \
		name r$i netns "$router" address "02:00:00:00:$hex:01"
	ip -n "$client" link set c$i up
	on_router link set r$i up
	in_router ethtool -K r$i tx off >/dev/null
done

# What the server sends may be too large for the others.
ip -n "$server" link set s0 mtu 1600
on_router link set r1 mtu 1600

# behind NUMBER DEVICE [MAC]: networks behind it.
behind() {
	if [ -n "${3:-}" ]; then
		on_router address add "10.0.$1.1/24" dev "$2"
		on_router address add "fd00:$1:1::1/64" dev "$2" nodad
		on_router neigh replace "10.0.$1.2" lladdr "$3" dev "$2" nud permanent
		on_router neigh replace "fd00:$1:1::2" lladdr "$3" dev "$2" nud permanent
		on_router route add "192.168.$1.0/24" via "10.0.$1.2" dev "$2"
		on_router route add "fd00:$1::/64" via "fd00:$1:1::2" dev "$2"
	else
		on_router route add "192.168.$1.0/24" dev "$2"
		on_router route add "fd00:$1::/64" dev "$2"
	fi
}
vlan() { on_router link add link "$1" name "$2" type vlan protocol "$3" id "$4" && on_router link set "$2" up; }

behind 61 r11 02:00:00:00:0b:02
vlan r11 r11.5 802.1q 5
behind 62 r11.5 02:00:00:00:0b:02
vlan r11 r11.7 802.1ad 7
vlan r11.7 r11.7.5 802.1q 5
behind 63 r11.7.5 02:00:00:00:0b:02
vlan r12 r12.6 802.1q 6
# A bridge, and one with VLANs: its ports 14 without a tag, 15 with tag 10.
on_router link add br0 type bridge
on_router link set r13 master br0
on_router link set br0 address 02:00:00:00:0d:01 up
on_router link add br1 type bridge vlan_filtering 1 vlan_default_pvid 0
for i in 14 15; do on_router link set r$i master br1; done
on_router link set br1 address 02:00:00:00:0e:01 up
on_bridges vlan add dev r14 vid 10 pvid untagged
on_bridges vlan add dev r15 vid 10
on_bridges vlan add dev br1 vid 10 self
vlan br1 br1.10 802.1q 10
do_it
behind 66 br0 02:00:00:00:0d:02
behind 67 br1.10 02:00:00:00:0e:02
on_router address add 10.0.68.1/24 dev br1.10
on_router address add fd00:68:1::1/64 dev br1.10 nodad
on_router neigh replace 10.0.68.2 lladdr 02:00:00:00:0f:02 dev br1.10 nud permanent
on_router neigh replace fd00:68:1::2 lladdr 02:00:00:00:0f:02 dev br1.10 nud permanent
on_router route add 192.168.68.0/24 via 10.0.68.2 dev br1.10
on_router route add fd00:68::/64 via fd00:68:1::2 dev br1.10
for port in 'r13 0d' 'r14 0e vlan 10' 'r15 0f vlan 10'; do
	read -r device number tag <<<"$port"
	on_bridges fdb replace "02:00:00:00:$number:02" dev "$device" master static "$tag"
done
# Tunnels, the second in a VLAN.
tunnel() {
	on_router link add "tun$1" type ipip local "$2" remote "$3" ttl inherit tos inherit
	on_router link add "tun6$1" type ip6tnl mode ip6ip6 local "$4" remote "$5" encaplimit none \
		tclass inherit hoplimit 63
	on_router link set "tun$1" up
	on_router link set "tun6$1" up
	on_router route add "192.168.$1.0/24" dev "tun$1"
	on_router route add "fd00:$1::/64" dev "tun6$1"
}
tunnel 69 10.0.61.1 10.0.61.2 fd00:61:1::1 fd00:61:1::2
tunnel 70 10.0.62.1 10.0.62.2 fd00:62:1::1 fd00:62:1::2
# IPsec with a cipher that hides nothing.
on_router address add 10.0.71.1/24 dev r16
on_router address add fd00:71:1::1/64 dev r16 nodad
on_router neigh replace 10.0.71.2 lladdr 02:00:00:00:10:02 dev r16 nud permanent
on_router neigh replace fd00:71:1::2 lladdr 02:00:00:00:10:02 dev r16 nud permanent
on_router route add 192.168.71.0/24 via 10.0.71.2
on_router route add fd00:71::/64 via fd00:71:1::2
ipsec() {
	for spi in "$1 $2 $3" "$1 $3 $2"; do
		read -r number from to <<<"$spi"
		ip -n "$router" xfrm state add src "$from" dst "$to" proto esp spi "$number" mode tunnel \
			enc 'ecb(cipher_null)' '' auth digest_null ''
	done
	on_router xfrm policy add dst "$4" dir out tmpl src "$2" dst "$3" proto esp mode tunnel
	on_router xfrm policy add src "$4" dir fwd tmpl src "$3" dst "$2" proto esp mode tunnel
	on_router xfrm policy add src "$4" dir in tmpl src "$3" dst "$2" proto esp mode tunnel
}
do_it
ipsec 0x100 10.0.71.1 10.0.71.2 192.168.71.0/24
ipsec 0x200 fd00:71:1::1 fd00:71:1::2 fd00:71::/64
do_it
# shellcheck disable=SC2086 # words on purpose
PYTHONDONTWRITEBYTECODE=1 ./nf_flow_packets.py "$client" "$router" "$server" ${FLOWS:-}
