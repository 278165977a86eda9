#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Expectations: they appear, are fulfilled, replaced, expire, and go with their
# helper, their master and their namespace.
#
# needs: nf_conntrack
# timeout: 200
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 18
trap 'kill "${background[@]}" 2>/dev/null; cleanup_all_ns' EXIT
background=()

rounds=3

setup() {
	setup_ns client server
	: "${client:?}" "${server:?}"
	ip link add c0 netns "$client" type veth peer name s0 netns "$server"
	ip -n "$client" address add 10.1.1.1/24 dev c0
	ip -n "$client" address add fd00::1/64 dev c0 nodad
	ip -n "$server" address add 10.1.1.2/24 dev s0
	ip -n "$server" address add fd00::2/64 dev s0 nodad
	ip -n "$client" link set c0 up
	ip -n "$server" link set s0 up
	# shellcheck disable=SC2016 # the shell's that socat starts
	for port in 21 2121 8888; do
		ip netns exec "$server" socat TCP6-LISTEN:$port,ipv6only=0,fork,reuseaddr \
			SYSTEM:'cat >/dev/null' >/dev/null 2>&1 &
		background+=($!)
	done
	for port in 8000 8001 9876; do
		ip netns exec "$client" socat -u TCP6-LISTEN:$port,ipv6only=0,fork,reuseaddr \
			/dev/null >/dev/null 2>&1 &
		background+=($!)
	done
	ip netns exec "$client" nft -f - <<'RULES'
table inet t {
	ct helper ftp { type "ftp" protocol tcp; l3proto inet; }
	ct expectation e {
		protocol tcp
		dport 9876
		timeout 8s
		size 1
		l3proto ip
	}
	counter fulfilled { }
	counter unexpected { }
	chain out {
		type filter hook output priority 0
		tcp dport { 21, 2121 } ct helper set "ftp"
		tcp dport 8888 ct state new ct expectation set "e"
	}
	chain in {
		type filter hook input priority 0
		tcp flags & (syn | ack) == syn ct state related counter name fulfilled
		tcp flags & (syn | ack) == syn ct state new counter name unexpected
	}
}
RULES
	busywait 5000 listening
}

listening() {
	[ "$(ip netns exec "$server" ss -Hltn | wc -l)" -ge 3 ] &&
		[ "$(ip netns exec "$client" ss -Hltn | wc -l)" -ge 3 ]
}

# control ADDRESS PORT LINE...: opens a control connection in the background,
# says the lines in it, each in a packet of its own, and keeps it open. (The
# helper looks at lines whose beginning it has seen.)
control() {
	local to=TCP:$1:$2
	shift 2
	{
		for line in 'USER anonymous' "$@"; do
			printf '%s\r\n' "$line"
			sleep 2
		done
		exec sleep 60
	} | ip netns exec "$client" socat -u - "$to" >/dev/null 2>&1 &
	background+=($!)
}

expectations() {
	ip netns exec "$client" cat /proc/net/nf_conntrack_expect
}

expected() {
	expectations | grep -qE "$1"
}

none() {
	[ -z "$(expectations)" ]
}

# connect PORT [ADDRESS]: the server connects to the client.
connect() {
	echo | ip netns exec "$server" socat -u - "TCP:${2:-10.1.1.1}:$1,connect-timeout=5"
}

counted() {
	ip netns exec "$client" nft list counter inet t "$1" |
		sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

has_counted() {
	local count
	count=$(counted "$1")
	printf 'counted %s, not %s\n' "$count" "$2"
	[ "$count" = "$2" ]
}

setup
v4='^(29[0-9]|300) l3proto = 2 proto=6 src=10.1.1.2 dst=10.1.1.1 sport=0 dport'
v6='l3proto = 10 proto=6 src=fd00:0000:0000:0000:0000:0000:0000:0002 dst=fd00:0000:0000:0000:0000:0000:0000:0001 sport=0 dport'

control 10.1.1.2 21 'PORT 10,1,1,1,31,64'
check 'a helper makes an expectation' busywait 15000 expected "$v4=8000 ftp$"
connect 8000
check 'its connection is related' has_counted fulfilled 1
check 'and fulfils it' busywait 2000 none
connect 8000
check 'once' has_counted unexpected 1

control '[fd00::2]' 2121 'EPRT |2|fd00::1|8001|'
check 'IPv6 too' busywait 15000 expected "$v6=8001 ftp$"
connect 8001 '[fd00::1]'
check 'IPv6: its connection is related' has_counted fulfilled 2

control 10.1.1.2 21 'PORT 10,1,1,1,31,64' 'PORT 10,1,1,1,31,65'
check 'one a connection, the newer one' busywait 15000 expected "$v4=8001 ftp$"
check_not 'the older one went' expected "dport=8000"

control 10.1.1.2 8888
short='^[0-8] l3proto = 2 proto=6 src=10.1.1.2 dst=10.1.1.1 sport=0 dport=9876 nft_ct_expect$'
check 'a rule makes an expectation' busywait 15000 expected "$short"
connect 9876
check 'a rule: its connection is related' has_counted fulfilled 3
control 10.1.1.2 8888
check 'another one' busywait 15000 expected "$short"
sleep 9
check_not 'is over after its time' expected 'dport=9876'
connect 9876
check 'and expects nothing then' has_counted unexpected 2

# Whose helper goes takes the expectations along, not the connections.
control 10.1.1.2 21 'PORT 10,1,1,1,31,66'
check 'before the helper goes' busywait 15000 expected "$v4=8002 ftp$"
ip netns exec "$client" nft delete table inet t
check 'the helper goes' busywait 5000 modprobe -r nf_conntrack_ftp
check 'with its expectations' none

# Namespaces end with expectations pending, and the module can go.
ends=0
for ((i = 0; i < rounds; i++)); do
	kill "${background[@]}" 2>/dev/null
	background=()
	cleanup_all_ns
	setup
	control 10.1.1.2 21 'PORT 10,1,1,1,31,64'
	if busywait 15000 expected "$v4=8000 ftp$"; then
		ends=$((ends + 1))
	else
		ip netns exec "$client" ss -tn | sed 's/^/# /'
	fi
done
check "pending when the namespace ends: $ends" [ "$ends" = "$rounds" ]
kill "${background[@]}" 2>/dev/null
cleanup_all_ns
check 'the module goes' busywait 20000 modprobe -r nf_conntrack_ftp nft_ct
ktap_finished
