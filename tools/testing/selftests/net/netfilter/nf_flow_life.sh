#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flow_table: what happens to flows: connections that are busy or idle for longer than
# their time, what is counted, routes and devices that change, under traffic and
# without; sessions of PPPoE that carry a stream; and the flows of tc's ct action.
#
# needs: nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 38
dir=$(mktemp -d)
export PYTHONDONTWRITEBYTECODE=1
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe -a nf_conntrack nf_nat nf_flow_table nf_flow_table_inet act_ct cls_flower 8021q pppoe
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
in_router sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_flowtable_udp_timeout=60

# table FLAGS [DEVICES]
table() {
	in_router nft delete table inet test 2>/dev/null
	rules <<-END
		table inet test {
			flowtable fast { hook ingress priority 0; devices = { ${2:-r0, r1} }; $1 }
			counter forwarded { }
			chain forward {
				type filter hook forward priority 0
				counter name forwarded
				meta l4proto { tcp, udp } ct state established flow add @fast
			}
		}
	END
}
forwarded() { in_router nft -j reset counter inet test forwarded | jq '.nftables[1].counter.packets'; }
flow() { in_client timeout 60 ./nf_flow_table.py "$@"; }
load() { in_client timeout $((100 * slow)) ./nf_flow_table.py "$@" >"$dir/load" 2>&1 & }
offloaded() { busywait 9000 has_connection "$1.*OFFLOAD"; }
given_back() { busywait $((8000 * slow)) not_offloaded "$1"; }
not_offloaded() { connections | grep -E "$1" | grep -qv OFFLOAD; }
gone() { busywait $((10000 * slow)) eval "! connections | grep -qE '$1'"; }
# between IS LEAST MOST
between() {
	if [ "${1:-0}" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		echo "is $1, should be $2 to $3"
		connections
		return 1
	fi
}
# counts PATTERN FIELD: what both directions have, the original one first.
counts() { connections | grep -E "$1" | head -n 1 | grep -oE "$2=[0-9]+" | cut -d= -f2 | xargs; }

for f in 4 6; do
	in_server ./nf_flow_table.py udp-server $f 4000 >"$dir/peers$f" 2>&1 &
	listen "$server" "TCP$f" 4000
done
busywait 3000 in_server sh -c 'ss -uln | grep -q :4000'

# Busy for longer than connection tracking would keep it without a word, then idle.
in_router sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=$((7 * slow)) net.netfilter.nf_conntrack_udp_timeout=$((7 * slow)) \
	net.netfilter.nf_flowtable_udp_timeout=$((4 * slow)) net.netfilter.nf_conntrack_tcp_timeout_established=$((12 * slow)) \
	net.netfilter.nf_flowtable_tcp_timeout=$((4 * slow))
table 'counter;'
packets=$((24 * slow))
in_client timeout $((100 * slow)) ./nf_flow_table.py paced 10.0.2.2 4000 6000 $packets 0.5 >"$dir/paced" 2>&1 &
paced=$!
in_client timeout $((100 * slow)) ./nf_flow_table.py tcp 10.0.2.2 4000 6001 5000 idle >"$dir/idle" 2>&1 &
check 'idle TCP: is a flow' offloaded 'tcp.*sport=6001'
check 'idle TCP: given back' given_back 'tcp.*sport=6001'
wait $paced
check 'busy UDP: every datagram came back' is $? 0
check 'busy UDP: still a flow' offloaded 'udp.*sport=6000'
check 'busy UDP: all are counted' is "$(counts 'udp.*sport=6000' packets)" "$packets $packets"
check 'busy UDP: the chain saw the first' between "$(forwarded)" 1 30
check 'busy UDP: given back' given_back 'udp.*sport=6000'
check 'busy UDP: and forgotten in time' gone 'udp.*sport=6000'
check 'idle TCP: and forgotten in time' gone 'tcp.*sport=6001'
in_router sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=120 net.netfilter.nf_conntrack_udp_timeout=30 \
	net.netfilter.nf_flowtable_udp_timeout=60 net.netfilter.nf_conntrack_tcp_timeout_established=86400 \
	net.netfilter.nf_flowtable_tcp_timeout=60

# What is counted, of a stream and with and without the flag.
flow tcp 10.0.2.2 4000 6010 500000 idle >"$dir/stream" 2>&1 &
busywait 9000 grep -q 'done' "$dir/stream"
read -r there back <<<"$(counts 'tcp.*sport=6010' bytes)"
check 'TCP: bytes are counted' between "$there" 500000 620000
check 'TCP: in both directions' between "$back" 500000 620000
table ''
flow udp 10.0.2.2 4000 6011 40 >/dev/null
check 'without the flag: not counted' between "$(counts 'udp.*sport=6011' packets | cut -d' ' -f1)" 1 6
table 'counter;'

# A route that is changed, taken away, and whose MTU is.
for f in 4 6; do
	to=10.0.2.2 net=10.0.2.0/24 big=1390 && [ $f = 4 ] || to=fd00:2::2 net=fd00:2::/64
	[ $f = 4 ] && host=$to/32 || host=$to/128
	# For IPv6 the device's counts otherwise.
	mtu=(mtu 1300) && [ $f = 4 ] || mtu=(mtu lock 1300)
	ip -n "$router" route replace "$host" dev r1 "${mtu[@]}"
	flow udp $to 4000 6020 5 >/dev/null
	check "IPv$f: the route's MTU" is "$(flow large $to 4000 6020 $big)" 1300
	ip -n "$router" route delete "$host"
	flow udp $to 4000 6021 5 >/dev/null
	check "IPv$f: a flow" offloaded 'udp.*sport=6021'
	ip -n "$router" route add blackhole "$host"
	check_not "IPv$f: no way any more" in_client timeout 2 ./nf_flow_table.py udp $to 4000 6021 1
	ip -n "$router" route delete blackhole "$host"
	check "IPv$f: and again" flow udp $to 4000 6021 5
done

# Under traffic: routes, connections, neighbours, devices.
load paced 10.0.2.2 4000 6030 $((800 * slow)) 0.004
load=$!
for _ in 1 2 3 4; do
	ip -n "$router" route add 10.0.2.2/32 dev r1
	in_router conntrack -D -p udp --sport 6030 >/dev/null 2>&1
	ip -n "$router" neigh flush dev r1
	ip -n "$router" route delete 10.0.2.2/32
	ip -n "$router" link set r1 mtu 1400
	ip -n "$router" link set r1 mtu 1500
	sleep 0.3
done
wait $load
check 'routes, connections and neighbours change under traffic' is $? 0
check 'it is a flow at the end' offloaded 'udp.*sport=6030'
ip -n "$router" link add link r0 name r5 type vlan id 5
ip -n "$client" link add link c0 name c5 type vlan id 5
for end in "$router:r5:1" "$client:c5:2"; do
	IFS=: read -r ns device host <<<"$end"
	ip -n "$ns" address add "10.0.5.$host/24" dev "$device"
	ip -n "$ns" link set "$device" up
done
ip -n "$server" route add 10.0.5.0/24 via 10.0.2.1
ip -n "$client" route add 10.0.2.2/32 via 10.0.5.1
check 'a flow in a VLAN' flow udp 10.0.2.2 4000 6031 20
check 'which is one' offloaded 'src=10.0.5.2.*sport=6031'
ip -n "$router" link delete r5
check 'the VLAN goes: given back' given_back 'src=10.0.5.2.*sport=6031'
ip -n "$client" link delete c5

# PPPoE: streams are cut up before they are wrapped.
mac() { echo "02:00:00:00:01:0$1"; }
ip netns exec "$router" ./nf_flow_frames.py pppoe r0 7 "$(mac 2)" >"$dir/ppp0" 2>&1 &
ip netns exec "$client" ./nf_flow_frames.py pppoe c0 7 "$(mac 1)" >"$dir/ppp1" 2>&1 &
busywait 5000 grep -q ppp "$dir/ppp0"
busywait 5000 grep -q ppp "$dir/ppp1"
ppp=$(<"$dir/ppp0")
for end in "$router:$ppp:1:2" "$client:$(<"$dir/ppp1"):2:1"; do
	IFS=: read -r ns device host peer <<<"$end"
	ip -n "$ns" address add "10.0.7.$host" peer "10.0.7.$peer" dev "$device"
	ip -n "$ns" link set "$device" mtu 1492 up
done
ip -n "$server" route add 10.0.7.0/24 via 10.0.2.1
ip -n "$client" route add 10.0.2.2/32 via 10.0.7.1
forwarded >/dev/null
flow tcp 10.0.2.2 4000 6040 600000 idle >"$dir/stream" 2>&1 &
check 'PPPoE: a stream' busywait 20000 grep -q 'done' "$dir/stream"
check 'PPPoE: past the chain' between "$(forwarded)" 1 24
# Stock does not look at the route of what leaves directly.
ours=$(grep -c O /sys/module/nf_flow_table/taint)
ip -n "$router" link set "$ppp" down
if [ "$ours" = 1 ]; then
	check 'PPPoE: the session goes: given back' given_back 'src=10.0.7.2.*sport=6040'
else
	ktap_test_skip 'PPPoE: the session goes: given back'
fi
ip -n "$client" route delete 10.0.2.2/32 2>/dev/null

# The namespace goes under traffic, with its flows.
setup_ns other
: "${other:?}"
ip link add o0 netns "$client" type veth peer name o1 netns "$other"
ip link add o2 netns "$server" type veth peer name o3 netns "$other"
for end in "$client:o0:8:2" "$other:o1:8:1" "$other:o3:9:1" "$server:o2:9:2"; do
	IFS=: read -r ns device net host <<<"$end"
	ip -n "$ns" address add "10.0.$net.$host/24" dev "$device"
	ip -n "$ns" link set "$device" up
done
ip -n "$client" route add 10.0.9.0/24 via 10.0.8.1
ip -n "$server" route add 10.0.8.0/24 via 10.0.9.1
ip netns exec "$other" sysctl -qw net.ipv4.ip_forward=1
ip netns exec "$other" nft -f - <<'END'
table ip t {
	flowtable f { hook ingress priority 0; devices = { o1, o3 }; }
	chain forward { type filter hook forward priority 0; meta l4proto udp ct state established flow add @f; }
}
END
load paced 10.0.9.2 4000 6050 4000 0.001
check 'another namespace: a flow' busywait 9000 has_connection 'udp.*sport=6050.*OFFLOAD' "$other"
check 'goes under traffic' ip netns delete "$other"

# tc: connections of zone 5 become flows of the action's own table.
in_router nft flush ruleset
forget 2>/dev/null
for device in r0 r1; do
	in_router tc qdisc add dev $device clsact
	for family in '1 ip' '2 ipv6'; do
		read -r prio protocol <<<"$family"
		in_router tc filter add dev $device ingress prio "$prio" protocol "$protocol" \
			flower ct_state -trk action ct zone 5 pipe action goto chain 1
		in_router tc filter add dev $device ingress prio "$prio" protocol "$protocol" \
			chain 1 flower ct_state +trk+new action ct commit zone 5
	done
done
for f in 4 6; do
	to=10.0.2.2 kind=ipv4 && [ $f = 4 ] || to=fd00:2::2 kind=ipv6
	check "act_ct IPv$f: UDP" flow udp $to 4000 6060 30
	check "act_ct IPv$f: is a flow" has_connection "$kind.*udp.*sport=6060.*OFFLOAD.*zone=5"
	flow tcp $to 4000 6061 200000 fin >"$dir/tcp" 2>&1
	check "act_ct IPv$f: TCP ends" given_back "$kind.*tcp.*sport=6061.*zone=5"
done
for device in r0 r1; do in_router tc qdisc delete dev $device clsact; done
check 'act_ct: its flows are given back' given_back 'udp.*sport=6060.*zone=5'
check 'all modules go' eval "busywait 5000 modprobe -r act_ct && rmmod nft_flow_offload nf_flow_table_inet nf_flow_table"
ktap_finished
