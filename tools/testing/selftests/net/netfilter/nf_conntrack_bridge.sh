#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack_bridge: bridged packets are tracked, IPv4 and IPv6; fragments leave
# as they came, with their VLAN; clones of broadcast and multicast do no harm.
#
# needs: nf_conntrack nf_conntrack_bridge
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 21
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "${dir:-}"' EXIT
dir=$(mktemp -d)

modprobe nf_conntrack
setup_ns one two three bridge
: "${one:?}" "${two:?}" "${three:?}" "${bridge:?}"
# What lib.sh looks at.
# shellcheck disable=SC2034 # used there
router=$bridge
ip -n "$bridge" link add br0 type bridge
ip -n "$bridge" link set br0 up
i=0
for end in "$one" "$two" "$three"; do
	i=$((i + 1))
	ip link add e0 netns "$end" address 02:00:00:00:00:0$i type veth peer name p$i netns "$bridge"
	ip -n "$bridge" link set p$i up master br0
	ip -n "$end" address add 10.0.0.$i/24 dev e0
	ip -n "$end" address add fd00::$i/64 dev e0 nodad
	ip -n "$end" link set e0 up
	ip -n "$end" link add link e0 name e0.10 type vlan id 10
	ip -n "$end" address add 10.0.10.$i/24 dev e0.10
	ip -n "$end" address add fd00:10::$i/64 dev e0.10 nodad
	ip -n "$end" link set e0.10 up
	ip netns exec "$end" sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
done
in_one() { ip netns exec "$one" "$@"; }
in_bridge() { ip netns exec "$bridge" "$@"; }

rules <<'END'
table bridge test {
	counter others { }
	counter malformed { }
	counter opened { }
	chain forward {
		type filter hook forward priority 0; policy accept;
		ether type arp ct state untracked counter name others
		ct state invalid counter name malformed drop
		iifname "p2" ct state new tcp flags & (syn|ack) == syn counter name opened drop
	}
}
END
packets() { in_bridge nft list counter bridge test "$1" | awk '/packets/ { print $2 }'; }
listen "$two" TCP4 4000
listen "$two" TCP6 4000
listen "$one" TCP4 4001

check 'IPv4' send "$one" TCP4:10.0.0.2:4000
check 'IPv4: a connection' has_connection 'ipv4 .*tcp .*src=10.0.0.1 dst=10.0.0.2 .*dport=4000 .*\[ASSURED\]'
check 'IPv6' send "$one" 'TCP6:[fd00::2]:4000'
check 'IPv6: a connection' has_connection 'ipv6 .*tcp .*dst=fd00:0000:0000:0000:0000:0000:0000:0002 .*dport=4000 .*\[ASSURED\]'
check_not 'a rule for one direction' timeout 3 ip netns exec "$two" socat -u OPEN:/dev/null TCP4:10.0.0.1:4001,connect-timeout=2
check 'has seen a connection begin' above "$(packets opened)" 0
check 'what is not IP is not tracked' above "$(packets others)" 0

# fragments FAMILY [VLAN [all]]: those that come are those that were sent, except
# that a packet for all is one with its copies: no fragment is larger than one was.
fragments() {
	local i sizes='1240 1440 328'
	[ -z "${3:-}" ] || sizes='1440 1440 128'
	: >"$dir/sizes"
	ip netns exec "$two" python3 nf_conntrack_bridge.py capture e0 3 ${2:+"$2"} >"$dir/sizes" 2>&1 &
	for ((i = 0; i < 100; i++)); do
		! grep -q ready "$dir/sizes" || break
		sleep 0.1
	done
	in_one python3 nf_conntrack_bridge.py fragments e0 "$@"
	wait $!
	is "$(tail -n 1 "$dir/sizes")" "$sizes"
}
check 'IPv4 fragments' fragments 4
check 'IPv6 fragments' fragments 6
check 'fragments: a connection' has_connection 'ipv4 .*udp .*src=10.0.0.1 dst=10.0.0.2 sport=6000 dport=6001 '
check 'IPv4 fragments in a VLAN' fragments 4 10
check 'IPv6 fragments in a VLAN' fragments 6 10
pings() { in_one ping -q -c 3 -i 0.2 -s 4000 "$1"; }
check 'IPv4 fragments for all' fragments 4 '' all
check 'IPv6 fragments for all in a VLAN' fragments 6 10 all
check 'large pings' pings 10.0.0.2
check 'large pings in a VLAN' pings fd00:10::2
vlan_filtering() {
	in_bridge ip link set br0 type bridge vlan_filtering 1
	for i in 1 2 3; do in_bridge bridge vlan add dev p$i vid 10; done
	pings 10.0.10.2
	local rc=$?
	in_bridge ip link set br0 type bridge vlan_filtering 0
	return $rc
}
check 'large pings in a VLAN that the bridge filters' vlan_filtering

# The bridge's own host listens too, and a macvlan on top of it: clones.
clones() {
	in_bridge ip address add 10.0.0.9/24 dev br0
	in_bridge ip link add link br0 name mv0 type macvlan mode bridge
	in_bridge ip address add 10.0.0.8/24 dev mv0
	in_bridge ip link set mv0 up
	in_bridge sysctl -qw net.ipv4.icmp_echo_ignore_broadcasts=0
	in_bridge nft add table inet test
	in_bridge nft add chain inet test in '{ type filter hook input priority 0; }'
	in_bridge nft add rule inet test in ct state new counter
	ip -n "$one" route add 224.0.0.0/4 dev e0
	in_one ping -q -b -f -c 300 10.0.0.255 >/dev/null 2>&1
	in_one python3 -c '
import socket
for port in range(7000, 7300):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.bind(("", port))
    s.sendto(b"x", ("10.0.0.255", 7000))
    s.sendto(b"x", ("224.0.0.1", 7000))
    s.close()'
	above "$(connections | grep -c 'dst=10.0.0.255 sport=7[0-9]* dport=7000 ')" 250 &&
		above "$(connections | grep -c 'dst=224.0.0.1 sport=7[0-9]* dport=7000 ')" 250
}
check 'broadcast and multicast' clones

before=$(packets malformed)
check 'malformed packets' in_one python3 nf_conntrack_bridge.py malformed e0
check 'are INVALID' above "$(packets malformed)" "$before"
unload() {
	in_bridge nft flush ruleset
	in_one ping -q -c 1 10.0.0.2 >/dev/null &&
		modprobe -r nf_conntrack_bridge && ! grep -q '^nf_conntrack_bridge ' /proc/modules
}
check 'the module can go' unload
ktap_finished
