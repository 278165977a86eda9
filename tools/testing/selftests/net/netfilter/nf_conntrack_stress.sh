#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that changes the table at once, on all processors: new flows, the
# same flow from two processors, NAT, answers, deletion, listing, insertion by
# netlink, a full table, another size, rules and namespaces that come and go,
# conntrackd listening. Nothing of it is left afterwards.
#
# needs: nf_conntrack
# vm: --append slub_debug=FZPU
# timeout: 500
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

seconds=${SECONDS_OF_STRESS:-40}
pause='' resize=0.2
[ "$slow" = 1 ] || pause='; sleep 4' resize=1
sysctl=/proc/sys/net/netfilter
jobs=()
stop_jobs() {
	[ ${#jobs[@]} -gt 0 ] || return 0
	kill "${jobs[@]}" 2>/dev/null
	wait "${jobs[@]}" 2>/dev/null
	jobs=()
}
trap 'stop_jobs; cleanup_all_ns' EXIT

ktap_print_header
ktap_set_plan 8

# job COMMAND...: in the background, behind what we do ourselves; it may not hold
# the pipes of who calls us.
job() {
	nice -n 10 "$@" >/dev/null 2>&1 &
	jobs+=($!)
}
# forever NS COMMAND: a shell command in a namespace, over and over.
forever() {
	job ip netns exec "$1" bash -c "while :; do $2$pause; done"
}

# Each packet is a flow of its own. Two senders with the same seed send the same
# flows at the same time. The fourth in a hundred flows is that of the third, the
# other way round. Checksums of UDP are left out, TCP's are right.
cat >"${TMPDIR:-/tmp}/flood.py" <<'EOF'
import random, socket, struct, sys, time
to, seed, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
rnd = random.Random(seed)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def total(data):
    n = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return n ^ 0xffff
dst = socket.inet_aton(to)
sent = 0
while True:
    # Others need the processors, too.
    sent += 1
    if sent % 100 == 0:
        time.sleep(0.05)
    src = bytes([10, 9, rnd.randrange(256), rnd.randrange(1, 255)])
    sport, dport = rnd.randrange(1, 65536), rnd.randrange(1, 65536)
    if kind == 'udp':
        body = struct.pack('!HHHH', sport, dport, 12, 0) + b'data'
        proto = 17
    else:
        flags = rnd.choice([2, 2, 2, 0x10, 4, 0x11, 0x12])
        head = struct.pack('!HHIIBBHHH', sport, dport, rnd.getrandbits(32), 0, 0x50, flags, 8192, 0, 0)
        check = total(src + dst + struct.pack('!HH', 6, len(head)) + head)
        body = head[:16] + struct.pack('!H', check) + head[18:]
        proto = 6
    ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0) + src + dst
    try:
        for _ in range(rnd.choice([1, 1, 2])):
            s.sendto(ip + body, (to, 0))
    except OSError:
        pass
EOF
flood="python3 ${TMPDIR:-/tmp}/flood.py"

rules='table ip stress {
	chain prerouting { type nat hook prerouting priority -100; udp dport < 20000 dnat to 10.1.0.2:1000-1100; }
	chain output { type filter hook output priority 0; ct state new counter; }
	chain input { type filter hook input priority 0; ct state invalid counter; tcp dport < 30000 reject with tcp reset; udp dport < 30000 reject; }
	chain postrouting { type nat hook postrouting priority 100; udp sport < 30000 masquerade; }
}'

# connect A B NUMBER
connect() {
	ip link add "v$3" netns "$1" type veth peer name "w$3" netns "$2"
	ip -n "$1" address add "10.$3.0.1/16" dev "v$3"
	ip -n "$2" address add "10.$3.0.2/16" dev "w$3"
	ip -n "$1" link set lo up
	ip -n "$2" link set lo up
	ip -n "$1" link set "v$3" up
	ip -n "$2" link set "w$3" up
	# Answers to the senders' made up addresses go back, and are dropped there.
	ip -n "$2" route add 10.9.0.0/16 via "10.$3.0.1"
	ip -n "$1" route add blackhole 10.9.0.0/16
	ip netns exec "$2" sysctl -q net.ipv4.conf.all.rp_filter=0 "net.ipv4.conf.w$3.rp_filter=0"
	ip netns exec "$2" sysctl -q net.ipv4.icmp_ratelimit=0
}

setup_ns left right
# Set by setup_ns.
: "${left:?}" "${right:?}"
begin() {
	connect "$left" "$right" 1 &&
		ip netns exec "$left" nft "$rules" &&
		ip netns exec "$right" nft "$rules"
}
check 'rules that need connection tracking and NAT' begin
set_timeouts() {
	ip netns exec "$1" sysctl -q net.netfilter.nf_conntrack_udp_timeout=3 \
		net.netfilter.nf_conntrack_udp_timeout_stream=3 \
		net.netfilter.nf_conntrack_tcp_timeout_syn_sent=2 \
		net.netfilter.nf_conntrack_acct=1 \
		net.netfilter.nf_conntrack_timestamp=1
}
set_timeouts "$left"
set_timeouts "$right"

# shellcheck disable=SC2086 # a command and its argument
{
	job ip netns exec "$left" $flood 10.1.0.2 1 udp
	job ip netns exec "$left" $flood 10.1.0.2 1 udp
	job ip netns exec "$left" $flood 10.1.0.2 2 tcp
	job ip netns exec "$right" $flood 10.1.0.1 3 udp
}
forever "$right" 'conntrack -L; conntrack -S; sleep 0.5'
forever "$right" 'cat /proc/net/nf_conntrack /proc/net/nf_conntrack_expect /proc/net/stat/nf_conntrack; sleep 0.5'
forever "$left" 'sleep 2; conntrack -F'
forever "$right" 'conntrack -D -p udp; sleep 0.5; conntrack -D -p tcp; sleep 0.5; conntrack -U -p udp -m 1'
# shellcheck disable=SC2016 # the inner shell's own
forever "$left" 'for port in {1..50}; do
	sleep 0.3
	conntrack -I -p udp -s 10.8.0.1 -d 10.8.0.2 --sport $port --dport 53 -t 2
	conntrack -I -p tcp -s 10.8.0.1 -d 10.8.0.2 --sport $port --dport 80 -t 3 --state SYN_SENT
	conntrack -D -p udp -s 10.8.0.1 -d 10.8.0.2 --sport $port
done'
forever "$left" 'timeout 5 conntrack -E; sleep 1'
# Hooks and NAT go with the rules, and come again under traffic.
export RULES=$rules
# shellcheck disable=SC2016 # the inner shell's own
forever "$right" 'sleep 3; nft flush ruleset; sleep 0.2; nft "$RULES"; sleep 1; nft "flush ruleset; $RULES"'
cat >"${TMPDIR:-/tmp}/conntrackd.conf" <<EOF
General {
	HashSize 4096
	HashLimit 65536
	LockFile ${TMPDIR:-/tmp}/conntrackd.lock
	UNIX { Path ${TMPDIR:-/tmp}/conntrackd.ctl }
}
Stats { LogFile off }
EOF
forever "$right" "timeout 20 conntrackd -C ${TMPDIR:-/tmp}/conntrackd.conf"
# shellcheck disable=SC2016 # the inner shell's own
job bash -c 'while :; do
	for size in 1024 65536 4096 262144 2048; do
		echo $size; sleep $0
	done
done >'"$sysctl/nf_conntrack_buckets" $resize
# Above what the tests themselves need, below what the senders make.
job bash -c 'while :; do
	sysctl net.netfilter.nf_conntrack_max=262144; sleep 3
	sysctl net.netfilter.nf_conntrack_max=200; sleep 1
done'

# On a slow machine it goes on until there was one that had connections.
most=0 rounds=0 end=$((SECONDS + seconds))
while [ "$SECONDS" -lt "$end" ] || [ "$most" = 0 ] && [ "$SECONDS" -lt $((end + 120 * slow)) ]; do
	setup_ns one two
	# Set by setup_ns.
	: "${one:?}" "${two:?}"
	connect "$one" "$two" 2
	ip netns exec "$two" nft "${rules//10.1.0/10.2.0}"
	# shellcheck disable=SC2086 # a command and its argument
	job timeout $((60 * slow)) ip netns exec "$one" $flood 10.2.0.2 "$rounds" udp
	tracks() { [ "$(ip netns exec "$two" cat "$sysctl/nf_conntrack_count")" -gt 50 ]; }
	slowwait $((45 * slow)) tracks
	count=$(ip netns exec "$two" cat "$sysctl/nf_conntrack_count")
	[ "$count" -le "$most" ] || most=$count
	ip netns delete "$two"
	ip netns delete "$one"
	one='' two='' rounds=$((rounds + 1))
done
echo "# $rounds namespaces with up to $most connections each"
cat_stats() { ip netns exec "$right" cat /proc/net/stat/nf_conntrack; }
cat_stats | sed 's/^/# /'
check 'connections in namespaces that come and go' [ "$most" -gt 0 ]
full() { [ "$(ip netns exec "$right" cat "$sysctl/nf_conntrack_count")" -gt 0 ]; }
check 'they were tracked in those that stay' slowwait $((10 * slow)) full
stop_jobs
# What resized and limited the table is over: set both as they should be.
check 'the table has the size that is set last' \
	bash -c "echo 4096 >$sysctl/nf_conntrack_buckets && [ \$(cat $sysctl/nf_conntrack_buckets) = 4096 ]"
empty() { [ "$(ip netns exec "$1" cat "$sysctl/nf_conntrack_count")" = 0 ]; }
all_empty() {
	ip netns exec "$left" conntrack -F
	ip netns exec "$right" conntrack -F
	empty "$left" && empty "$right"
}
check 'no connection is left' slowwait 20 all_empty
ip netns exec "$right" cat "$sysctl/nf_conntrack_count" | sed 's/^/# count: /'
ip netns exec "$left" cat "$sysctl/nf_conntrack_count" | sed 's/^/# count: /'
cleanup_all_ns
unload() {
	modprobe -qr nft_reject_ipv4 nft_masq nft_chain_nat nft_ct nft_nat nf_conntrack_netlink nf_nat
	modprobe -r nf_conntrack
	[ ! -e /sys/module/nf_conntrack ]
}
check 'the module can be unloaded' slowwait 30 unload
no_cache() { [ ! -e /sys/kernel/slab/nf_conntrack ]; }
check 'and with it its cache, empty' slowwait 5 no_cache
check 'the kernel has nothing to say about it' clean
ktap_finished
