# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A mix of traffic through a router that translates, and of what else touches
# connections meanwhile: listings, deletions, other rules, other sizes, namespaces
# that come and go. Sourced by the tests beside it.
cd ../../testing/selftests/net/netfilter || exit 1
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

jobs=()
# job COMMAND...: in the background until stop_jobs.
job() {
	"$@" >/dev/null 2>&1 </dev/null &
	jobs+=($!)
}
# forever NAMESPACE COMMAND: a shell command there, over and over.
forever() { job ip netns exec "$1" bash -c "while :; do $2; done"; }
stop_jobs() {
	[ ${#jobs[@]} -gt 0 ] || return 0
	kill "${jobs[@]}" 2>/dev/null
	wait "${jobs[@]}" 2>/dev/null
	jobs=()
}
trap 'stop_jobs; cleanup_all_ns' EXIT

mix_rules='table inet mix
delete table inet mix
table inet mix {
	ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
	ct timeout brief { protocol tcp; l3proto ip; policy = { syn_sent: 5, close: 2 }; }
	chain prerouting {
		type nat hook prerouting priority -100
		tcp dport 8000-8100 dnat ip to 10.0.2.2:4000
		udp dport 9000 redirect to :9001
	}
	chain postrouting {
		type nat hook postrouting priority 100
		meta nfproto ipv4 oifname "r1" masquerade
		meta nfproto ipv6 udp sport < 30000 oifname "r1" masquerade
	}
	chain forward {
		type filter hook forward priority 0
		ct state new tcp dport 21 ct helper set "ftp"
		ct state new tcp dport 8080 ct timeout set "brief"
		ct state invalid counter
		ct state established,related counter accept
		ct mark set meta mark
	}
}'

# mix_begin: the router, its rules, and who answers.
mix_begin() {
	routed
	# Set by setup_ns.
	: "${client:?}" "${router:?}" "${server:?}"
	check 'a router that translates' rules <<<"$mix_rules"
	in_router sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1 \
		net.netfilter.nf_conntrack_udp_timeout=3 net.netfilter.nf_conntrack_udp_timeout_stream=3 \
		net.netfilter.nf_conntrack_icmp_timeout=3 net.netfilter.nf_conntrack_tcp_timeout_time_wait=2
	listen "$server" TCP4 4000
	listen "$server" TCP6 4006
	listen "$server" UDP4 5000
	listen "$server" UDP6 5006
}

# mix_traffic: all kinds of it, from the client.
mix_traffic() {
	job ip netns exec "$client" ping -i 0.02 -q 10.0.2.2
	job ip netns exec "$client" ping -i 0.02 -q -s 4000 10.0.2.2
	job ip netns exec "$client" ping -i 0.02 -q -s 4000 fd00:2::2
	# shellcheck disable=SC2016 # the inner shell's own
	forever "$client" 'for port in {1..300}; do echo >"/dev/udp/10.0.2.2/$port"; echo >"/dev/udp/fd00:2::2/$port"; done; sleep 0.1'
	forever "$client" 'echo hello | timeout 5 socat -t 0.1 - TCP4:10.0.2.2:4000; sleep 0.1'
	forever "$client" 'echo hello | timeout 5 socat -t 0.1 - TCP6:[fd00:2::2]:4006; sleep 0.1'
	forever "$client" 'echo hello | timeout 5 socat -t 0.1 - TCP4:10.0.1.1:8010; sleep 0.1'
	forever "$client" 'echo hello | timeout 5 socat -t 0.1 - UDP4:10.0.2.2:5000; sleep 0.1'
	forever "$client" 'timeout 1 socat - TCP4:10.0.2.2:81; timeout 1 socat - SCTP4:10.0.2.2:82; sleep 0.1'
}

# mix_others: what administrators do meanwhile.
mix_others() {
	forever "$router" 'conntrack -L; conntrack -L expect; conntrack -S; cat /proc/net/nf_conntrack /proc/net/stat/nf_conntrack; sleep 0.3'
	forever "$router" 'conntrack -D -p udp; sleep 0.5; conntrack -U -p tcp -m 7; sleep 0.5; conntrack -F; sleep 1'
	forever "$router" 'timeout 3 conntrack -E; timeout 1 conntrack -E expect'
	# shellcheck disable=SC2016 # the inner shell's own
	forever "$router" 'for port in {1..20}; do
		conntrack -I -p udp -s 10.8.0.1 -d 10.8.0.2 --sport $port --dport 53 -t 2
		conntrack -I -p tcp -s 10.8.0.1 -d 10.8.0.2 --sport $port --dport 80 -t 3 --state SYN_SENT --src-nat 10.8.0.9
		conntrack -D -p udp -s 10.8.0.1 -d 10.8.0.2 --sport $port
	done'
	job ip netns exec "$router" bash -c "while :; do nft '$mix_rules'; sleep 0.7; done"
	# shellcheck disable=SC2016 # the inner shell's own
	job bash -c 'while :; do for size in 1024 16384 2048; do echo $size >/proc/sys/net/netfilter/nf_conntrack_buckets; sleep 0.4; done; done'
	# shellcheck disable=SC2016 # the inner shell's own
	job bash -c 'while :; do
		ns=mix-$RANDOM
		ip netns add $ns
		ip -n $ns link set lo up
		ip netns exec $ns nft "table inet x { chain y { type filter hook output priority 0; ct state new counter; }; }"
		ip netns exec $ns ping -c 3 -i 0.1 127.0.0.1
		ip netns delete $ns
		sleep 0.2
	done'
}

# mix_reaches: traffic gets through, translated or not.
mix_reaches() {
	send "$client" TCP4:10.0.2.2:4000 && send "$client" TCP4:10.0.1.1:8020 &&
		send "$client" 'TCP6:[fd00:2::2]:4006' && send "$client" UDP4:10.0.2.2:5000
}

# mix_end: nothing is left in the table, and the modules go, with all they had.
# shellcheck disable=SC2317,SC2329 # called by check
mix_end() {
	mix_emptied() {
		in_router conntrack -F
		count_is 0
	}
	check 'no connection is left' slowwait 20 mix_emptied
	cleanup_all_ns
	# The one that was there when its maker was stopped.
	ip netns list | sed -nE 's/^((mix|fail)-[0-9]*).*/\1/p' | xargs -rn 1 ip netns delete
	unload() {
		modprobe -qr nft_masq nft_redir nft_nat nft_chain_nat nft_ct nf_conntrack_netlink nfnetlink_cttimeout \
			nf_nat_ftp nf_conntrack_ftp nf_nat nft_objref
		modprobe -r nf_conntrack || lsmod | grep -E '^nf|^Module'
		[ ! -e /sys/module/nf_conntrack ]
	}
	check 'the modules can be unloaded' slowwait 60 unload
	no_cache() { [ ! -e /sys/kernel/slab/nf_conntrack ] && [ ! -e /sys/kernel/slab/nf_conntrack_expect ]; }
	check 'and with them their caches, empty' slowwait 5 no_cache
}

# fault NAME KEY=VALUE...: settings of a fault injector. Its own messages have a
# call trace, which is what a complaint looks like.
fault() {
	local name=$1 word
	shift
	for word in verbose=0 "$@"; do
		echo "${word#*=}" >"/sys/kernel/debug/$name/${word%%=*}" || return 1
	done
}
