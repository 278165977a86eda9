#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flow_table with flags offload: what hardware is told of flows, rule by rule, by a
# driver that writes it down (nf_flow_recorder, of tools/testing/selftests/modules): all
# of what stock tells it, and where that is less, all that there is. Hardware forgets
# flows once, however they end; its counters keep them; what it refuses goes on without
# it; drivers, modules and namespaces go while it is being asked.
#
# needs: nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# timeout: 900
# vm: --append slub_debug=FZPU,flow_offload,nf_conntrack
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh
# shellcheck source=tools/testing/selftests/net/netfilter/nf_flow_offload_lib.sh
. ./nf_flow_offload_lib.sh

ktap_print_header
ktap_set_plan 63
dir=$(mktemp -d)
export PYTHONDONTWRITEBYTECODE=1
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe -a nf_conntrack nf_nat nf_flow_table nf_flow_table_inet act_ct cls_flower 8021q pppoe bridge
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
# What stock does otherwise, or not at all: see differences.md.
ours=$(grep -c O /sys/module/nf_flow_table/taint)
in_router sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_flowtable_udp_timeout=60
# Neighbours are known when the first flow begins.
for end in 10.0.1.2:1:r0 fd00:1::2:1:r0 10.0.2.2:2:r1 fd00:2::2:2:r1; do
	device=${end##*:} net=${end%:*}
	ip -n "$router" neigh replace "${net%:*}" lladdr "02:00:00:00:0${net##*:}:02" dev "$device" nud permanent
done
servers

# mac LINK: the changes of hardware addresses of what the router sends there.
mac() { echo "eth+4=00000200/ffff0000 eth+8=00000${1}01/00000000 eth+0=02000000/00000000 eth+4=0${1}020000/0000ffff"; }
# told LINE...: these rules, in order, and no others.
told() { busywait 3000 all_told "$@" >/dev/null || all_told "$@"; }
all_told() { is "$(grep -E '^(replace|refuse)' "$log")" "$(printf '%s\n' "$@")"; }
# forgotten NUMBER: so many rules are forgotten by now, each once, and none is left.
forgotten() { busywait 9000 all_forgotten "$1" >/dev/null || all_forgotten "$1"; }
all_forgotten() {
	is "$(grep -c '^destroy' "$log") $(sort "$log" | grep '^destroy' | uniq -d | wc -l) $(wc -l <"$recorder/table")" "$1 0 0"
}
in_hardware() { busywait 4000 has_connection "$1.*HW_OFFLOAD"; }
not_in_hardware() { busywait 4000 eval "! connections | grep -E '$1' | grep -q HW_OFFLOAD"; }
flow() { in_client timeout 60 ./nf_flow_table.py "$@"; }
none_left() { [ "$(wc -l <"$recorder/table")" = 0 ]; }
# end_all: connections and flows, and what was written down.
end_all() {
	forget 2>/dev/null
	busywait 9000 none_left >/dev/null
	again
}

check 'the driver' insmod "$module"
check 'a table for it' hardware 'counter;'
# bound DEVICE: how often it is; transactions that load modules are tried again.
bound() { echo $(($(grep -c "^bind $1" "$log") - $(grep -c "^unbind $1" "$log"))); }
check 'is bound to it' is "$(bound r0) $(bound r1)" '1 1'

for f in 4 6; do
	if [ $f = 4 ]; then to=10.0.2.2 from=10.0.1.2 n=0800; else to=fd00:2::2 from=fd00:1::2 n=86dd; fi
	again
	check "IPv$f: UDP" flow udp $to 4000 6000 5
	check "IPv$f: UDP: the connection says so" in_hardware 'udp.*sport=6000'
	check "IPv$f: UDP: its rules" told \
		"replace r0 $n 17 $from>$to 6000>4000 : $(mac 2) to=r1" \
		"replace r1 $n 17 $to>$from 4000>6000 : $(mac 1) to=r0"
	in_router conntrack -D -p udp --sport 6000 >/dev/null 2>&1
	check "IPv$f: conntrack -D: forgotten, once" forgotten 2
	again
	flow tcp $to 4000 6001 5000 idle >"$dir/idle" 2>&1 &
	check "IPv$f: TCP: its rules" told \
		"replace r0 $n 6 $from>$to 6001>4000 flags 00/05 : $(mac 2) to=r1" \
		"replace r1 $n 6 $to>$from 4000>6001 flags 00/05 : $(mac 1) to=r0"
	kill %% 2>/dev/null
	end_all
done

# The ends of flows.
again
flow tcp 10.0.2.2 4000 6100 5000 fin >/dev/null
check 'FIN: forgotten, once' forgotten 2
check 'FIN: the connection says so' not_in_hardware 'tcp.*sport=6100'
again
flow tcp 10.0.2.2 4000 6101 5000 reset >/dev/null
check 'RST: forgotten, once' forgotten 2
end_all
flow udp 10.0.2.2 4000 6102 5 >/dev/null
check 'a flow' in_hardware 'udp.*sport=6102'
ip -n "$router" link set r1 down
check 'device down: forgotten by then' all_forgotten 2
ip -n "$router" link set r1 up
ip -n "$router" address add fd00:2::1/64 dev r1 nodad 2>/dev/null
ip -n "$router" neigh replace 10.0.2.2 lladdr 02:00:00:00:02:02 dev r1 nud permanent
ip -n "$router" neigh replace fd00:2::2 lladdr 02:00:00:00:02:02 dev r1 nud permanent
end_all

# Counters: hardware says that it is in use, and then no more.
in_router sysctl -qw net.netfilter.nf_flowtable_udp_timeout=3
flow udp 10.0.2.2 4000 6103 5 >/dev/null
busywait 3000 has_connection 'udp.*sport=6103.*HW_OFFLOAD' >/dev/null
say used 1 packets 10 bytes 5000000000
sleep 7
check 'in use in hardware: it stays' in_hardware 'udp.*sport=6103'
check 'what hardware counted is counted' above "$(counted 'udp.*sport=6103' packets)" 14
if [ "$ours" = 1 ]; then
	check 'however much' above "$(counted 'udp.*sport=6103' bytes)" 5000000000
else
	ktap_test_skip 'however much'
fi
say used 0 packets 0 bytes 0
check 'not in use: forgotten, once' forgotten 2
check 'not in use: given back' eval "connections | grep 'udp.*sport=6103' | grep -qv OFFLOAD"
in_router sysctl -qw net.netfilter.nf_flowtable_udp_timeout=60
end_all
if [ "$ours" = 1 ]; then
	check 'nothing is asked of what is gone' eval "! grep -q 'gone:' $log"
else
	ktap_test_skip 'nothing is asked of what is gone'
fi

# Refused: the software's. And again, when it would be taken.
say refuse 1
check 'refused: goes on' flow udp 10.0.2.2 4000 6104 20
check 'refused: is a flow' has_connection 'udp.*sport=6104.*\[OFFLOAD'
check 'refused: was asked' grep -q '^refuse r0' "$log"
say refuse 0
flow paced 10.0.2.2 4000 6104 4 0.6 >/dev/null
check 'and taken later' in_hardware 'udp.*sport=6104'
end_all

# Translated.
hardware 'counter;' 'chain post { type nat hook postrouting priority srcnat; oifname r1 masquerade; }
	chain pre { type nat hook prerouting priority dstnat; ip daddr 192.0.2.1 meta l4proto { tcp, udp } dnat to 10.0.2.2:4000
		ip6 daddr 2001:db8::1 meta l4proto { tcp, udp } dnat to [fd00:2::2]:4000; }'
again
check 'IPv4: SNAT and DNAT' flow udp 192.0.2.1 4040 6200 5
check 'IPv4: the rules' told \
	"replace r0 0800 17 10.0.1.2>192.0.2.1 6200>4040 : $(mac 2) ip4+12=0a000201/00000000 udp+0=18380000/0000ffff ip4+16=0a000202/00000000 udp+0=00000fa0/ffff0000 csum=11 to=r1" \
	"replace r1 0800 17 10.0.2.2>10.0.2.1 4000>6200 : $(mac 1) ip4+16=0a000102/00000000 udp+0=00001838/ffff0000 ip4+12=c0000201/00000000 udp+0=0fc80000/0000ffff csum=11 to=r0"
end_all
check 'IPv6: SNAT and DNAT' flow tcp 2001:db8::1 4040 6200 5000 reset
check 'IPv6: the rules' told \
	"replace r0 86dd 6 fd00:1::2>2001:db8::1 6200>4040 flags 00/05 : $(mac 2) ip6+8=fd000002/00000000 ip6+12=00000000/00000000 ip6+16=00000000/00000000 ip6+20=00000001/00000000 tcp+0=18380000/0000ffff ip6+24=fd000002/00000000 ip6+28=00000000/00000000 ip6+32=00000000/00000000 ip6+36=00000002/00000000 tcp+0=00000fa0/ffff0000 to=r1" \
	"replace r1 86dd 6 fd00:2::2>fd00:2::1 4000>6200 flags 00/05 : $(mac 1) ip6+24=fd000001/00000000 ip6+28=00000000/00000000 ip6+32=00000000/00000000 ip6+36=00000002/00000000 tcp+0=00001838/ffff0000 ip6+8=20010db8/00000000 ip6+12=00000000/00000000 ip6+16=00000000/00000000 ip6+20=00000001/00000000 tcp+0=0fc80000/0000ffff to=r0"
end_all
check 'IPv4: SNAT alone' flow tcp 10.0.2.2 4000 6201 5000 reset
check 'IPv4: SNAT alone: the rules' told \
	"replace r0 0800 6 10.0.1.2>10.0.2.2 6201>4000 flags 00/05 : $(mac 2) ip4+12=0a000201/00000000 tcp+0=18390000/0000ffff csum=9 to=r1" \
	"replace r1 0800 6 10.0.2.2>10.0.2.1 4000>6201 flags 00/05 : $(mac 1) ip4+16=0a000102/00000000 tcp+0=00001839/ffff0000 csum=9 to=r0"
end_all
hardware 'counter;'

# tagged WHAT NET TAGS PUSHES: a flow whose client is behind tags: the tags among the
# rule's keys, which stock does not say drivers to use, and what is pushed.
tagged() {
	local pops='' tags="$3 "
	again
	flow udp 10.0.2.2 4000 6300 5 >/dev/null
	for _ in $4; do pops+=' pop'; done
	[ "$ours" = 1 ] || tags=''
	check "$1: the rules" told \
		"replace r0 ${tags}0800 17 10.0.$2.2>10.0.2.2 6300>4000 : $(mac 2)$pops to=r1" \
		"replace r1 0800 17 10.0.2.2>10.0.$2.2 4000>6300 : $(mac 1) $4 to=r0"
	end_all
}
# behind NET DEVICE: the client is reached there.
behind() {
	local end ns device host
	for end in "$router:r$2:1" "$client:c$2:2"; do
		IFS=: read -r ns device host <<<"$end"
		ip -n "$ns" address add "10.0.$1.$host/24" dev "$device"
		ip -n "$ns" link set "$device" up
	done
	ip -n "$router" neigh replace "10.0.$1.2" lladdr 02:00:00:00:01:02 dev "r$2" nud permanent
	ip -n "$server" route replace "10.0.$1.0/24" via 10.0.2.1
	ip -n "$client" route replace 10.0.2.2/32 via "10.0.$1.1"
}
vlans() {
	ip -n "$router" link add link "r$1" name "r$2" type vlan proto "$3" id "$4"
	ip -n "$client" link add link "c$1" name "c$2" type vlan proto "$3" id "$4"
	ip -n "$router" link set "r$2" up
	ip -n "$client" link set "c$2" up
}
vlans 0 5 802.1q 5
behind 5 5
tagged 'VLAN' 5 'vlan 5/8100' 'push=5/8100'
vlans 5 6 802.1q 6
behind 6 6
tagged 'two VLANs' 6 'vlan 5/8100 cvlan 6/8100' 'push=5/8100 push=6/8100'
vlans 0 7 802.1ad 7
vlans 7 8 802.1q 8
behind 8 8
if [ "$ours" = 1 ]; then
	tagged 'QinQ' 8 'vlan 7/88a8 cvlan 8/8100' 'push=7/88a8 push=8/8100'
else
	ktap_test_skip 'QinQ: the rules'
fi
for name in 5 7; do ip -n "$router" link delete r$name; ip -n "$client" link delete c$name; done

# PPPoE
ip netns exec "$router" ./nf_flow_frames.py pppoe r0 7 02:00:00:00:01:02 >"$dir/ppp0" 2>&1 &
sessions=($!)
ip netns exec "$client" ./nf_flow_frames.py pppoe c0 7 02:00:00:00:01:01 >"$dir/ppp1" 2>&1 &
sessions+=($!)
busywait 5000 grep -q ppp "$dir/ppp0" >/dev/null
busywait 5000 grep -q ppp "$dir/ppp1" >/dev/null
for end in "$router:$(<"$dir/ppp0"):1:2" "$client:$(<"$dir/ppp1"):2:1"; do
	IFS=: read -r ns device host peer <<<"$end"
	ip -n "$ns" address add "10.0.9.$host" peer "10.0.9.$peer" dev "$device"
	ip -n "$ns" link set "$device" mtu 1492 up
done
ip -n "$server" route add 10.0.9.0/24 via 10.0.2.1
ip -n "$client" route replace 10.0.2.2/32 via 10.0.9.1
again
flow udp 10.0.2.2 4000 6301 5 >/dev/null
check 'PPPoE: the rules' told \
	"replace r0 0800 17 10.0.9.2>10.0.2.2 6301>4000 : $(mac 2) to=r1" \
	"replace r1 0800 17 10.0.2.2>10.0.9.2 4000>6301 : $(mac 1) pppoe=7 to=r0"
end_all
# Who lives in a namespace keeps it.
kill "${sessions[@]}"
ip -n "$client" route delete 10.0.2.2/32 2>/dev/null

# A bridge's port.
ip -n "$router" link add br0 address 02:00:00:00:01:01 type bridge
ip -n "$router" address flush dev r0 scope global
ip -n "$router" link set r0 master br0
ip -n "$router" link set br0 up
ip -n "$router" address add 10.0.1.1/24 dev br0
ip -n "$router" neigh replace 10.0.1.2 lladdr 02:00:00:00:01:02 dev br0 nud permanent
flow udp 10.0.2.2 4000 6302 5 >/dev/null
again
end_all
flow udp 10.0.2.2 4000 6302 5 >/dev/null
check 'bridge: the rules' told \
	"replace r0 0800 17 10.0.1.2>10.0.2.2 6302>4000 : $(mac 2) to=r1" \
	"replace r1 0800 17 10.0.2.2>10.0.1.2 4000>6302 : $(mac 1) to=r0"

# The table goes: stock's hardware is left with its flows.
again
in_router nft delete table inet test
if [ "$ours" = 1 ]; then
	check 'the table goes: forgotten by then' all_forgotten 2
	check 'nothing is left behind' eval "! grep -q 'left behind' $log"
else
	ktap_test_skip 'the table goes: forgotten by then'
	ktap_test_skip 'nothing is left behind'
fi
check 'unbound' is "$(sort "$log" | grep unbind | paste -sd ' ')" 'unbind r0 unbind r1'
forget 2>/dev/null

# What hardware is being asked, while the table, the modules and the namespace go.
many() {
	for i in 0 1 2 3 4 5 6 7; do flow udp 10.0.2.2 4000 "64$i$1" 2 >/dev/null & pids+=($!); done
	wait "${pids[@]}"
	pids=()
}
say slow 100
for _ in 1 2; do
	hardware ''
	many 0
	many 1
	in_router nft flush ruleset
	again
done
check 'the table goes while hardware is being told' is "$(wc -l <"$recorder/table")" 0
hardware ''
many 2
in_router nft flush ruleset
modprobe -r act_ct
# unloaded: the flowtable's modules, once nobody uses them.
unloaded() {
	local name
	for name in nft_flow_offload nf_flow_table_inet nf_flow_table; do rmmod $name; done 2>/dev/null
	[ ! -e /sys/module/nf_flow_table ]
}
check 'the modules go' busywait 5000 unloaded
check 'and come back' modprobe -a nf_flow_table nf_flow_table_inet
hardware ''
many 3
say slow 0
# shellcheck disable=SC2016 # awk's own
waiting() { in_router awk 'NR > 1 { n += $1 + $2 + $3 } END { print n + 0 }' /proc/net/stat/nf_flowtable; }
none_waits() { is "$(waiting)" 0; }
if [ -e /proc/net/stat/nf_flowtable ]; then
	check 'none waits in the end' busywait 9000 none_waits
	check 'counters: their form' in_router awk 'NR > 1 && (length != 26 || NF != 3) { exit 1 }' /proc/net/stat/nf_flowtable
else
	# Debian's stock module is built without.
	ktap_test_skip 'none waits in the end'
	ktap_test_skip 'counters: their form'
fi

# The driver goes: the software's.
check 'the driver goes' rmmod nf_flow_recorder
check 'no flow is in hardware' eval '! connections | grep -q HW_OFFLOAD'
check 'they go on' flow udp 10.0.2.2 4000 6430 5
# And comes back to a table that is not its own.
in_router nft flush ruleset
unsupported() { hardware '' 2>&1 | grep -q 'Operation not supported'; }
if [ "$ours" = 1 ]; then
	check 'without a driver: refused' unsupported
	check 'which leaves nothing for the next one' eval "insmod $module && hardware '' && flow udp 10.0.2.2 4000 6500 5"
	check 'its flows are in hardware' in_hardware 'udp.*sport=6500'
else
	# Stock leaves a pointer to the table behind.
	ktap_test_skip 'without a driver: refused'
	insmod "$module" && hardware ''
	ktap_test_skip 'which leaves nothing for the next one'
	ktap_test_skip 'its flows are in hardware'
fi
# tc's ct action has a table of its own, and says what is to be done itself.
in_router nft flush ruleset
forget 2>/dev/null
# Outside of the first namespace it does not say by which device packets come.
for device in r0 r1; do
	if [ $device = r0 ]; then say tc 1; else say tc 0; fi
	in_router tc qdisc add dev $device clsact
	in_router tc filter add dev $device ingress prio 1 protocol ip \
		flower ct_state -trk action ct zone 5 nat pipe action goto chain 1
	in_router tc filter add dev $device ingress prio 1 protocol ip chain 1 \
		flower ct_state +trk+new action ct commit zone 5 nat src addr 10.0.2.9 port 5000
	in_router tc filter add dev $device ingress prio 2 protocol ip chain 1 \
		flower ct_state +trk+est action pass
done
in_router sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.r0.rp_filter=0
ip -n "$server" neigh replace 10.0.2.9 lladdr 02:00:00:00:02:01 dev s0 nud permanent
again
check 'act_ct' flow paced 10.0.2.2 4000 6600 6 0.5
check 'act_ct: the connection says so' in_hardware 'udp.*sport=6600'
check 'act_ct: there' grep -qE '^replace none 0800 17 10.0.1.2>10.0.2.2 6600>4000 : ip4\+12=0902000a/00000000 udp\+0=88130000/0000ffff ct=original/0$' "$log"
check 'act_ct: and back' grep -qE '^replace none 0800 17 10.0.2.2>10.0.2.9 4000>5000 : ip4\+16=0201000a/00000000 udp\+2=c8190000/0000ffff ct=reply/0$' "$log"
in_router conntrack -D -p udp --orig-port-src 6600 >/dev/null 2>&1
# It begins the flow anew when answers come.
balanced() { is "$(grep -c '^destroy' "$log") $(wc -l <"$recorder/table")" "$(grep -c '^replace' "$log") 0"; }
check 'act_ct: forgotten, once each' eval 'busywait 9000 balanced >/dev/null || balanced'
for device in r0 r1; do in_router tc qdisc delete dev $device clsact; done
busywait 5000 modprobe -r act_ct
check 'act_ct goes' eval '! grep -q act_ct /proc/modules'
hardware ''

say slow 100
many 4
check 'the namespace goes while hardware is being told' ip netns delete "$router"
check 'and all modules' busywait 60000 unloaded
if [ "$ours" = 1 ]; then
	check 'nothing is left behind of it' eval "! grep -q 'left behind' $log"
else
	ktap_test_skip 'nothing is left behind of it'
fi
check 'and the driver' rmmod nf_flow_recorder
ktap_finished
