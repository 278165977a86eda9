#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flow_table: packets of flows go past the forward chain, translated, with a hop
# less, counted; and flows end: by FIN and RST, in time, with a device, a route, a
# connection, and with the table.
#
# needs: nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 60
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe -a nf_conntrack nf_nat nf_flow_table nf_flow_table_inet 8021q
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
# A VLAN beside the link.
ip -n "$client" link add link c0 name c5 type vlan id 5
ip -n "$router" link add link r0 name r5 type vlan id 5
ip -n "$client" address add 10.0.5.2/24 dev c5
ip -n "$router" address add 10.0.5.1/24 dev r5
ip -n "$client" link set c5 up
ip -n "$router" link set r5 up
ip -n "$server" route add 10.0.5.0/24 via 10.0.2.1
in_router sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_flowtable_udp_timeout=60

ruleset() {
	rules <<-END
		table inet test {
			flowtable fast { hook ingress priority 0; devices = { r0, r1 }; counter; }
			counter forwarded { }
			chain forward {
				type filter hook forward priority 0
				counter name forwarded
				meta l4proto { tcp, udp } ct state established flow add @fast
			}
			$1
		}
	END
}
forwarded() { in_router nft -j reset counter inet test forwarded | jq '.nftables[1].counter.packets'; }
# few WHAT...: what ran had only its first packets forwarded by the chain.
few() { between "$1" 1 "${2:-6}"; }
flow() { in_client timeout 60 ./nf_flow_table.py "$@"; }
offloaded() { busywait 3000 has_connection "$1.*OFFLOAD"; }
given_back() { busywait 8000 not_offloaded "$1"; }
not_offloaded() { connections | grep -E "$1" | grep -qv OFFLOAD; }
# remaining PATTERN: seconds that the connection has left.
# shellcheck disable=SC2016 # awk's own
remaining() { connections | grep -E "$1" | head -n 1 | awk '{ print $5 }'; }
# between IS LEAST MOST
between() {
	if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		echo "is $1, should be $2 to $3"
		connections
		return 1
	fi
}
counted() { connections | grep -E "$1" | grep -oE 'packets=[0-9]+' | head -n 1; }

for f in 4 6; do
	ip netns exec "$server" ./nf_flow_table.py udp-server $f 4000 >"$dir/peers$f" 2>&1 &
	listen "$server" "TCP$f" 4000
done
busywait 3000 ip netns exec "$server" sh -c 'ss -uln | grep -q :4000'

ruleset ''
for f in 4 6; do
	to=10.0.2.2 && [ $f = 4 ] || to=fd00:2::2
	forwarded >/dev/null
	check "IPv$f: UDP, with a hop less" is "$(flow udp $to 4000 6000 50)" 63
	check "IPv$f: UDP past the chain" few "$(forwarded)"
	check "IPv$f: UDP is offloaded" offloaded 'udp.*sport=6000'
	check "IPv$f: UDP is counted" is "$(counted 'udp.*sport=6000.*OFFLOAD')" packets=50
	check "IPv$f: TCP" flow tcp $to 4000 6100 200000
	check "IPv$f: TCP past the chain" few "$(forwarded)" 16
	check "IPv$f: 1400 bytes" flow udp $to 4000 6000 5 1400
	forget 2>/dev/null
done

# The VLAN's packets come in by the link.
forwarded >/dev/null
check 'VLAN' is "$(in_client timeout 60 ./nf_flow_table.py udp 10.0.2.2 4000 6001 1)" 63
ip -n "$client" route add 10.0.2.0/24 via 10.0.5.1
check 'VLAN: UDP' is "$(flow udp 10.0.2.2 4000 6002 50)" 63
check 'VLAN: past the chain' few "$(forwarded)" 9
check 'VLAN: offloaded' offloaded 'src=10.0.5.2.*sport=6002'
ip -n "$client" route delete 10.0.2.0/24 via 10.0.5.1
forget 2>/dev/null

# Translated.
in_router nft delete table inet test
ruleset 'chain post { type nat hook postrouting priority srcnat; oifname r1 masquerade; }
	chain pre { type nat hook prerouting priority dstnat; ip daddr 192.0.2.1 meta l4proto udp dnat to 10.0.2.2:4000
		ip6 daddr 2001:db8::1 meta l4proto udp dnat to [fd00:2::2]:4000
		ip daddr 192.0.2.1 meta l4proto tcp dnat to 10.0.2.2:4000
		ip6 daddr 2001:db8::1 meta l4proto tcp dnat to [fd00:2::2]:4000; }'
for f in 4 6; do
	to=192.0.2.1 seen=10.0.2.1 && [ $f = 4 ] || to=2001:db8::1 seen=fd00:2::1
	forwarded >/dev/null
	check "IPv$f: SNAT and DNAT, UDP" is "$(flow udp $to 4040 6200 50)" 63
	check "IPv$f: UDP past the chain" few "$(forwarded)"
	check "IPv$f: from the router's address" grep -q "^$seen 6200" "$dir/peers$f"
	check "IPv$f: SNAT and DNAT, TCP" flow tcp $to 4040 6300 200000
	check "IPv$f: TCP past the chain" few "$(forwarded)" 16
done
forget 2>/dev/null
in_router nft delete table inet test
ruleset ''

# The ends of flows.
in_router sysctl -qw net.netfilter.nf_flowtable_udp_timeout=3 net.netfilter.nf_flowtable_tcp_timeout=3
flow tcp 10.0.2.2 4000 7000 5000 fin >/dev/null
check 'FIN: given back' given_back 'tcp.*sport=7000'
check 'FIN: in state CLOSE' has_connection 'CLOSE .*sport=7000'
check 'FIN: not for long' between "$(remaining 'tcp.*sport=7000')" 0 10
flow tcp 10.0.2.2 4000 7000 5000 fin >/dev/null
check 'the same port again' offloaded 'tcp.*sport=7000'
flow tcp 10.0.2.2 4000 7001 5000 reset >/dev/null
check 'RST: given back' given_back 'tcp.*sport=7001'
check 'RST: in state CLOSE' has_connection 'CLOSE .*sport=7001'
in_client ./nf_flow_table.py tcp 10.0.2.2 4000 7002 5000 idle >"$dir/idle" 2>&1 &
busywait 5000 grep -q 'done' "$dir/idle"
check 'idle: offloaded' offloaded 'tcp.*sport=7002'
check 'idle: given back' given_back 'tcp.*sport=7002'
check 'idle: still established' has_connection 'ESTABLISHED .*sport=7002'
check 'idle: with the time of its state, less what it was idle' between "$(remaining 'tcp.*sport=7002')" 86300 86400
flow udp 10.0.2.2 4000 7003 5 >/dev/null
check 'UDP: offloaded' offloaded 'udp.*sport=7003'
check 'UDP: given back' given_back 'udp.*sport=7003'
check 'UDP: with its time' between "$(remaining 'udp.*sport=7003')" 100 117

in_router sysctl -qw net.netfilter.nf_flowtable_udp_timeout=30
flow udp 10.0.2.2 4000 7004 5 >/dev/null
check 'UDP: no time to live meanwhile' offloaded 'udp.*17 src.*sport=7004'
ip -n "$router" link set r1 down
check 'device down: given back' given_back 'udp.*sport=7004'
ip -n "$router" link set r1 up
ip -n "$router" address add fd00:2::1/64 dev r1 nodad 2>/dev/null
flow udp 10.0.2.2 4000 7005 5 >/dev/null
check 'offloaded again' offloaded 'udp.*sport=7005'
# Another way to the same server.
ip -n "$server" address add 10.0.9.2/24 dev s0
ip -n "$router" address add 10.0.9.1/24 dev r1
forwarded >/dev/null
ip -n "$router" route add 10.0.2.2/32 via 10.0.9.2 dev r1
check 'route change: goes on' flow udp 10.0.2.2 4000 7005 5
check 'route change: the chain saw it' few "$(forwarded)" 10
ip -n "$router" route delete 10.0.2.2/32
flow udp 10.0.2.2 4000 7005 5 >/dev/null
forwarded >/dev/null
in_router conntrack -D -p udp --sport 7005 >/dev/null 2>&1
check 'conntrack -D: goes on' flow udp 10.0.2.2 4000 7005 5
check 'conntrack -D: the chain saw it' few "$(forwarded)" 10

# Path MTU: too large is for the stack, which says so.
flow udp 10.0.2.2 4000 7006 5 >/dev/null
flow udp fd00:2::2 4000 7006 5 >/dev/null
ip -n "$router" link set r1 mtu 1300
check 'IPv4: told the MTU' is "$(flow large 10.0.2.2 4000 7006 1390)" 1300
check 'IPv6: told the MTU' is "$(flow large fd00:2::2 4000 7006 1390)" 1300
ip -n "$router" link set r1 mtu 1500

# TTL
flow udp 10.0.2.2 4000 7007 5 >/dev/null
check 'TTL 1 is for the stack' eval 'in_client traceroute -4 -U -p 4000 -q 1 -m 2 10.0.2.2 2>/dev/null | grep -q 10.0.1.1 ||
	in_client ping -t 1 -c 1 -W 2 10.0.2.2 | grep -qi exceeded'

check 'truncated frames' in_client ./nf_flow_table.py truncated c0 02:00:00:00:01:01
check 'go on after them' is "$(flow udp 10.0.2.2 4000 7008 20)" 63

check 'its file' grep -q wq_stats /proc/net/stat/nf_flowtable
check_not 'hardware is refused' eval 'echo "table inet hw { flowtable f { hook ingress priority 0; devices = { r0 }; flags offload; }; }" | rules'
check 'in use' eval '! rmmod nf_flow_table_inet 2>/dev/null'

# Under traffic.
in_client timeout 100 ./nf_flow_table.py udp 10.0.2.2 4000 7009 1500 >"$dir/load" 2>&1 &
load=$!
for _ in 1 2 3; do
	sleep 0.5
	in_router nft delete table inet test
	ruleset ''
done
wait $load
check 'the table goes and comes under traffic' is $? 0
in_client timeout 100 ./nf_flow_table.py udp 10.0.2.2 4000 7010 1000 >"$dir/load" 2>&1 &
load=$!
sleep 0.5
in_router nft flush ruleset
check 'modules go under traffic' rmmod nft_flow_offload nf_flow_table_inet nf_flow_table
wait $load
check 'which goes on' is $? 0
check 'and they come back' modprobe -a nf_flow_table nf_flow_table_inet
ktap_finished
