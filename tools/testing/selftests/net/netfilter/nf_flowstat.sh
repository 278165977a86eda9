#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_flowstat and nf_flowstat_proto: what they count on a router between a client
# and a server, over IPv4 and IPv6, and what their sysctls do.
#
# needs: nf_flowstat nf_flowstat_proto
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 36
trap cleanup_all_ns EXIT

check 'modprobe nf_flowstat' modprobe nf_flowstat
check 'modprobe nf_flowstat_proto' modprobe nf_flowstat_proto

setup_ns client router server
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
in_client() { ip netns exec "$client" "$@"; }
in_router() { ip netns exec "$router" "$@"; }

ip link add c0 netns "$client" type veth peer name r0 netns "$router"
ip link add s0 netns "$server" type veth peer name r1 netns "$router"
for end in client,c0,1,2 router,r0,1,1 router,r1,2,1 server,s0,2,2; do
	IFS=, read -r name device net host <<<"$end"
	ip -n "${!name}" address add "10.0.$net.$host/24" dev "$device"
	ip -n "${!name}" address add "fd00:$net::$host/64" dev "$device" nodad
	ip -n "${!name}" link set "$device" up
done
ip -n "$client" route add default via 10.0.1.1
ip -n "$server" route add default via 10.0.2.1
ip -n "$client" route add default via fd00:1::1
ip -n "$server" route add default via fd00:2::1
in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# setting NAME [VALUE] [NAMESPACE]: get or set a sysctl of the router.
setting() {
	local file=/proc/sys/net/netfilter/nf_flowstat_$1
	if [ $# -gt 1 ]; then
		ip netns exec "${3:-$router}" sh -c "echo '$2' >$file"
	else
		in_router cat "$file"
	fi
}

# counter NAME [NAMESPACE]: the sum over all CPUs.
counter() {
	# shellcheck disable=SC2016 # awk's own
	ip netns exec "${2:-$router}" awk -v name="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
		NR > 1 { sum += $column }
		END { print sum + 0 }' /proc/net/stat/nf_flowstat
}

flows() { ip netns exec "${1:-$router}" cat /proc/net/nf_flowstat; }
has_flow() { flows "${2:-}" | grep -E "$1"; }
is() { [ "$1" = "$2" ] || { echo "is '$1', should be '$2'" && false; }; }
above() { [ "$1" -gt "$2" ] || { echo "is $1, should be above $2" && false; }; }

# exchange FAMILY udp|tcp SERVER: a line to the server and back.
exchange() {
	local peer answer listener
	peer="${2^^}$1"
	ip netns exec "$server" timeout 20 socat "$peer-LISTEN:4000,reuseaddr" PIPE >/dev/null 2>&1 &
	listener=$!
	sleep 1
	answer=$(echo hello | in_client socat -t 3 - "$peer:$3:4000")
	kill "$listener" 2>/dev/null
	wait "$listener" 2>/dev/null
	is "$answer" hello
}

# Off by default.

check 'it is off by default' is "$(setting enable)" 0
check 'ping over IPv4 while off' in_client ping -qc 2 -i 0.2 10.0.2.2
check 'while off no flow is there' is "$(flows)" ''
check 'while off nothing is counted' is "$(counter pre_routing)$(counter forward)" 00

# Counting. Nothing is to be forgotten meanwhile, however slow the machine.

setting timeout 3600
check 'switch it on' setting enable 1
check 'ping over IPv4' in_client ping -qc 3 -i 0.2 10.0.2.2
check 'ping over IPv6' in_client ping -qc 3 -i 0.2 fd00:2::2
check 'UDP over IPv4' exchange 4 udp 10.0.2.2
check 'UDP over IPv6' exchange 6 udp '[fd00:2::2]'
check 'TCP over IPv4' exchange 4 tcp 10.0.2.2
check 'TCP over IPv6' exchange 6 tcp '[fd00:2::2]'

# 20 of IPv4 or 40 of IPv6, 8 of ICMP, 56 of data.
check 'ICMP requests: flow, packets, bytes' \
	has_flow '^ipv4 icmp 1 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=[0-9]+ packets=3 bytes=252$'
check 'ICMP replies: flow, packets, bytes' \
	has_flow '^ipv4 icmp 1 src=10.0.2.2 dst=10.0.1.2 type=0 code=0 id=[0-9]+ packets=3 bytes=252$'
one=fd00:0001:0000:0000:0000:0000:0000:0002
two=fd00:0002:0000:0000:0000:0000:0000:0002
check 'ICMPv6 requests: flow, packets, bytes' \
	has_flow "^ipv6 icmpv6 58 src=$one dst=$two type=128 code=0 id=[0-9]+ packets=3 bytes=312\$"
check 'UDP over IPv4: flow, packets, bytes' \
	has_flow '^ipv4 udp 17 src=10.0.1.2 dst=10.0.2.2 sport=[0-9]+ dport=4000 packets=1 bytes=34$'
check 'UDP over IPv6: flow, packets, bytes' \
	has_flow "^ipv6 udp 17 src=$one dst=$two sport=[0-9]+ dport=4000 packets=1 bytes=54\$"
check 'TCP over IPv4: flow' \
	has_flow '^ipv4 tcp 6 src=10.0.1.2 dst=10.0.2.2 sport=[0-9]+ dport=4000 packets=[0-9]+ bytes=[0-9]+$'
check 'TCP over IPv6: flow of the reply' \
	has_flow "^ipv6 tcp 6 src=$two dst=$one sport=4000 dport=[0-9]+ packets=[0-9]+ bytes=[0-9]+\$"
check 'forwarded packets are counted' above "$(counter forward)" 20
check 'nothing was unreadable' is "$(counter invalid)" 0
check 'the number of flows is that of the lines' is "$(setting count)" "$(flows | wc -l)"

# The second module: sums of what the first has, once all is quiet.
setting enable 0
sums() {
	local field=$1
	flows | sed -nE "s/^(ipv[46]) ([a-z0-9]+) .* $field=([0-9]+).*/\1 \2 \3/p" |
		awk '{ sum[$1 " " $2] += $3 } END { for (key in sum) print key, sum[key] }' | sort
}
sums_of_module() {
	in_router sed -nE "s/^(ipv[46]) ([a-z0-9]+) .*\b$1=([0-9]+).*/\1 \2 \3/p" /proc/net/nf_flowstat_proto |
		grep -v ' 0$' | sort
}
check 'nf_flowstat_proto: the sums of packets agree' is "$(sums_of_module packets)" "$(sums packets)"
check 'nf_flowstat_proto: the sums of bytes agree' is "$(sums_of_module bytes)" "$(sums bytes)"

# Switched off.

before=$(counter pre_routing)
check 'ping while switched off again' in_client ping -qc 2 -i 0.2 10.0.2.2
check 'counters stand still then' is "$(counter pre_routing)" "$before"

# Namespaces.

check 'other namespaces have no flows' is "$(flows "$client")$(flows "$server")" ''
setting enable 1 "$client"
in_client ping -qc 1 10.0.2.2 >/dev/null
check 'a namespace has its own flows' has_flow '^ipv4 icmp .* packets=1 bytes=84$' "$client"
check 'and not those of others' is "$(flows "$server")" ''

# Settings.

refused() { ! setting "$@" 2>/dev/null; }
limits() {
	refused enable 2 && refused enable -1 && refused enable on &&
		refused max -1 && refused max 4294967296 && refused count 1
}
check 'values out of range are refused' limits

setting enable 1
setting max "$(setting count)"
full=$(counter full)
in_client ping -qc 2 -i 0.2 10.0.2.2 >/dev/null
check 'the largest number of flows holds' above "$(counter full)" "$full"

setting max 65536
setting timeout 1
in_client ping -qc 1 10.0.2.2 >/dev/null
gone() { ! has_flow '^ipv4 icmp .* type=8 .* packets=1 bytes=84$'; }
check 'a flow is forgotten after its timeout' slowwait 20 gone

# The ends.

check 'the C export is there' \
	grep -E ' T nf_flowstat_count[[:space:]]+\[nf_flowstat\]' /proc/kallsyms
check_not 'nf_flowstat stays while the other module uses it' rmmod nf_flowstat
ends() {
	modprobe -r nf_flowstat_proto && modprobe -r nf_flowstat &&
		[ ! -e /proc/sys/net/netfilter/nf_flowstat_enable ] &&
		[ ! -e /proc/net/nf_flowstat ] && [ ! -e /proc/net/stat/nf_flowstat ]
}
check 'both are unloaded and leave nothing behind' ends
ktap_finished
