# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The network of the demonstration: three network namespaces, two links.
# Sourced, never run. The addresses are those set aside for documentation,
# and a private one behind the router.
# shellcheck disable=SC2034 # used by the sections

client4=192.168.1.2 client6=2001:db8:1::2
lan4=192.168.1.1 lan6=2001:db8:1::1
wan4=198.51.100.1 wan6=2001:db8:2::1
server4=198.51.100.2 server6=2001:db8:2::2

# in_ns NAMESPACE COMMAND...
in_ns() { ip netns exec "$@"; }

# connect NAME DEVICE ADDRESS4 ADDRESS6 NAME DEVICE ADDRESS4 ADDRESS6
connect() {
	ip link add "$2" netns "$1" type veth peer name "$6" netns "$5"
	local end
	for end in 1 5; do
		ip -n "${!end}" -batch - <<-END
			address add ${*:end+2:1}/24 dev ${*:end+1:1}
			address add ${*:end+3:1}/64 dev ${*:end+1:1} nodad
			link set ${*:end+1:1} up
		END
	done
}

listening() { in_ns "$1" ss -Hln"$2" "sport = :$3" | grep -q .; }

# serve NAMESPACE COMMAND...: a server, for as long as the demonstration.
serve() { in_ns "$@" </dev/null >/dev/null 2>&1 & }

make_network() {
	local name
	for name in client router server; do
		ip netns add "$name"
		ip -n "$name" link set lo up
		# No waiting for duplicates of addresses that we give out ourselves.
		in_ns "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
	in_ns router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

	connect client eth0 $client4 $client6 router lan $lan4 $lan6
	connect server eth0 $server4 $server6 router wan $wan4 $wan6
	ip -n client route add default via $lan4
	ip -n client route add default via $lan6
	# The server knows where IPv6 clients are. Of the private network behind
	# the router it knows nothing.
	ip -n server route add default via $wan6

	serve server socat TCP6-LISTEN:7,fork,reuseaddr PIPE
	serve server socat UDP6-RECVFROM:7,fork PIPE
	serve server iperf3 -s
	serve client socat TCP6-LISTEN:80,fork,reuseaddr PIPE
	until_true 'the servers listen' listening server t 7
	until_true 'the servers listen' listening server u 7
	until_true 'the servers listen' listening server t 5201
	until_true 'the servers listen' listening client t 80
}
