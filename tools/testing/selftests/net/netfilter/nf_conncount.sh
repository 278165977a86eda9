#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conncount: counts are exact for any key, at any rate, over TIME_WAIT and in
# zones; connections that have ended are not counted.
#
# needs: nf_conntrack nf_conncount
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 17
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "${dir:-}"' EXIT

modprobe nf_conntrack
routed
# Set by setup_ns.
: "${client:?}" "${server:?}" "${router:?}"
ip -n "$client" address add 10.0.1.3/24 dev c0
ip netns exec "$server" python3 nf_conncount.py serve 0.0.0.0 4000 >/dev/null 2>&1 &
ip netns exec "$server" python3 nf_conncount.py serve fd00:2::2 4000 >/dev/null 2>&1 &
wait_local_port_listen "$server" 4000 tcp

# hold NAME ARGUMENT...: connections by "open", kept until "release NAME"; how many
# there are is in the variable held.
dir=$(mktemp -d)
declare -A inputs holders
hold() {
	local name=$1 i
	shift
	mkfifo "$dir/$name"
	ip netns exec "$client" python3 nf_conncount.py open "$@" <"$dir/$name" >"$dir/$name.out" 2>&1 &
	holders[$name]=$!
	exec {fd}>"$dir/$name"
	inputs[$name]=$fd
	for ((i = 0; i < 300; i++)); do
		[ ! -s "$dir/$name.out" ] || break
		sleep 0.1
	done
	held=$(head -n 1 "$dir/$name.out")
}
# release NAME: ends them; how many still answered is in the variable alive.
release() {
	fd=${inputs[$1]}
	exec {fd}>&-
	wait "${holders[$1]}"
	alive=$(sed -n 2p "$dir/$1.out")
	rm -f "$dir/$1" "$dir/$1.out"
}
# limit RULE...: the router's rules from now on, with an empty table.
limit() {
	in_router nft flush ruleset
	rules <<<"table inet test { $*; }"
	forget >/dev/null 2>&1
}

limit 'chain forward { type filter hook forward priority 0; tcp dport 4000 ct state new ct count over 5 drop; }'
hold a 10.0.2.2 4000 8
check 'as many as the limit says' is "$held" 5
hold b 10.0.2.2 4000 3
check 'and no more' is "$held" 0
release b
release a
check 'those that were let in live' is "$alive" 5
hold a 10.0.2.2 4000 8
check 'when they have ended there is room at once' is "$held" 5
release a

limit 'chain forward { type filter hook forward priority 0; tcp dport 4000 ct state new ct count over 100 drop; }'
hold a 10.0.2.2 4000 200
check 'many in one moment' is "$held" 100
release a
hold a 10.0.2.2 4000 200
check 'and again when all have ended' is "$held" 100
release a

limit 'chain forward { type filter hook forward priority 0; tcp dport 4000 ct state new ct count over 1 drop; }'
again() {
	local i
	for i in 1 2 3 4 5; do
		ip netns exec "$client" python3 nf_conncount.py once 10.0.2.2 4000 5000 || return
	done
}
check 'the same ports again, out of TIME_WAIT, count once' again

# What was dropped is not a connection.
limit 'chain forward { type filter hook forward priority 0; udp dport 4001 ct count over 3 drop; }'
flows() {
	ip netns exec "$client" python3 -c '
import socket
for port in range(10000, 13000):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    s.sendto(b"x", ("10.0.2.2", 4001))
    s.close()'
	is "$(in_router conntrack -L -p udp --dport 4001 2>/dev/null | wc -l)" 3
}
check 'three thousand at once' flows
forget >/dev/null 2>&1
check 'and once more, all of them forgotten' flows

limit 'set peers { type ipv4_addr; size 1000; flags dynamic; }
	chain forward { type filter hook forward priority 0;
		tcp dport 4000 ct state new add @peers { ip saddr ct count over 2 } drop; }'
hold a 10.0.2.2 4000 4 10.0.1.2
first=$held
hold b 10.0.2.2 4000 4 10.0.1.3
check 'a set: each key has a count of its own' is "$first $held" '2 2'
release a
hold a 10.0.2.2 4000 4 10.0.1.2
check 'a set: one ends, the other does not' is "$held" 2
release a
release b

in_router nft flush ruleset
xt() { in_router "$1tables-legacy" "${@:2}"; }
xt ip -A FORWARD -p tcp --syn --dport 4000 -m connlimit --connlimit-above 3 --connlimit-mask 32 -j DROP
xt ip6 -A FORWARD -p tcp --syn --dport 4000 -m connlimit --connlimit-above 2 --connlimit-mask 128 -j DROP
hold a 10.0.2.2 4000 6 10.0.1.2
first=$held
hold b 10.0.2.2 4000 6 10.0.1.3
check 'connlimit: each address has a count of its own' is "$first $held" '3 3'
release a
release b
hold a fd00:2::2 4000 5
check 'connlimit: IPv6' is "$held" 2
release a

# In a zone of the original direction; the key has the zone too.
xt ip -t raw -A PREROUTING -s 10.0.1.3 -j CT --zone-orig 7
hold a 10.0.2.2 4000 6 10.0.1.3
first=$held
hold b 10.0.2.2 4000 6 10.0.1.3
check 'connlimit: a zone for one direction' is "$first $held" '3 0'
release a
release b
hold a 10.0.2.2 4000 6 10.0.1.3
check 'connlimit: a zone for one direction, and all have ended' is "$held" 3
release a
xt ip -t raw -F
xt ip -F
xt ip6 -F

# 300 keys, one connection each, then all gone.
xt ip -A FORWARD -p udp --dport 4002 -m connlimit --connlimit-above 1 --connlimit-mask 32 -j DROP
keys() {
	ip -n "$client" route add local 198.18.0.0/16 dev lo 2>/dev/null
	ip -n "$router" route replace 198.18.0.0/16 via 10.0.1.2
	forget >/dev/null 2>&1
	ip netns exec "$client" python3 -c '
import socket
for host in range(1, 301):
    for port in (4000, 4001):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND
        s.bind((f"198.18.{host >> 8}.{host & 255}", port))
        s.sendto(b"x", ("10.0.2.2", 4002))
        s.close()'
	is "$(in_router conntrack -L -p udp --dport 4002 2>/dev/null | wc -l)" 300
}
check 'connlimit: hundreds of keys' keys
xt ip -F
unload() {
	in_router nft flush ruleset
	modprobe -r nft_connlimit xt_connlimit && modprobe -r nf_conncount && ! grep -q '^nf_conncount ' /proc/modules
}
check 'the module can go' unload
ktap_finished
