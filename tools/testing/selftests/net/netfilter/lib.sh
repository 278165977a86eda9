# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the kselftests here share: the kernel's own shell library (setup_ns,
# cleanup_all_ns, busywait, …) and its TAP printers (ktap_*), both from the
# kselftests installed by set-up. Sourced, never run.

: "${KSELFTESTS:=/rustynat/build/kernel/$(cat /rustynat/build/release)/selftests}"
# shellcheck disable=SC1091 # made by set-up
. "$KSELFTESTS/kselftest/ktap_helpers.sh"
# shellcheck disable=SC1091
. "$KSELFTESTS/net/lib.sh"

# A debug kernel takes seconds to start a program: what must outlast that takes so many
# times as long.
# shellcheck disable=SC2034 # for tests
case $(uname -r) in *-debug) slow=4 ;; *) slow=1 ;; esac

# check WHAT COMMAND...: a test point that passes if COMMAND does. What COMMAND
# prints is shown only if it fails.
check() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then
		ktap_test_pass "$what"
	else
		ktap_test_fail "$what"
		printf '%s\n' "$output" | sed 's/^/# /'
	fi
}

# check_not WHAT COMMAND...: a test point that passes if COMMAND fails.
check_not() {
	local what=$1
	shift
	# shellcheck disable=SC2317 # called by check
	not() { ! "$@"; }
	check "$what" not "$@"
}

# skip_all WHY: end a test that cannot run here.
skip_all() {
	ktap_skip_all "$@"
	exit "$KSFT_SKIP"
}

# is IS SHOULD, above IS THAN: comparisons that say what was wrong.
is() { [ "$1" = "$2" ] || { echo "is '$1', should be '$2'" && false; }; }
above() { [ "$1" -gt "$2" ] || { echo "is $1, should be above $2" && false; }; }

# clean: the kernel has complained of nothing since the test began (all that there is
# of its log, if that is gone from it); what it says while it boots is not about us.
clean() {
	! dmesg | awk '/vm: the command begins/ { n = 0; next } { line[n++] = $0 } END { for (i = 0; i < n; i++) print line[i] }' |
		grep -E 'Objects remaining|still in use|WARNING:|\bBUG\b|Oops:|detected stall|refcount_t:|hung task|Poison|Redzone'
}

# routed: the namespaces client, router and server, each of the two at a link of
# its own to the router, with IPv4 (10.0.1.2, 10.0.2.2) and IPv6 (fd00:1::2,
# fd00:2::2), and in_client, in_router, in_server to run a command there.
# shellcheck disable=SC2016,SC2154,SC2317,SC2329 # set by setup_ns; called by tests
routed() {
	local end name device net host
	setup_ns client router server
	in_client() { ip netns exec "$client" "$@"; }
	in_router() { ip netns exec "$router" "$@"; }
	in_server() { ip netns exec "$server" "$@"; }
	ip link add c0 netns "$client" address 02:00:00:00:01:02 type veth peer \
		name r0 netns "$router" address 02:00:00:00:01:01
	ip link add s0 netns "$server" address 02:00:00:00:02:02 type veth peer \
		name r1 netns "$router" address 02:00:00:00:02:01
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
}

# nat_routed: as routed, for packets made by nf_nat_packets.py: with more networks
# behind both ends, where nothing answers but the test. (See its NETWORKS.)
# shellcheck disable=SC2154 # set by setup_ns
nat_routed() {
	local name to
	routed
	for name in "$client" "$server"; do
		ip netns exec "$name" nft -f - <<-'END'
			table inet silent {
				chain input {
					type filter hook input priority -500; policy drop
					icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
				}
			}
		END
	done
	in_router sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.r0.send_redirects=0 \
		net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000
	# Checksums are to be seen as they are.
	for name in r0 r1; do in_router ethtool -K $name tx off >/dev/null; done
	for to in '192.168.1.0/24 c' '198.51.100.0/24 c' '192.168.2.0/24 s' '203.0.113.0/24 s' '172.16.2.0/24 s' \
		'fd00:11::/64 c' '2001:db8:1::/64 c' 'fd00:22::/64 s' '2001:db8::/64 s' 'fd00:33::/64 s'; do
		case $to in
		*:*c) ip -n "$router" route add "${to% *}" via fd00:1::2 ;;
		*:*s) ip -n "$router" route add "${to% *}" via fd00:2::2 ;;
		*c) ip -n "$router" route add "${to% *}" via 10.0.1.2 ;;
		*s) ip -n "$router" route add "${to% *}" via 10.0.2.2 ;;
		esac
	done
	ip -n "$router" neigh replace 10.0.1.2 lladdr 02:00:00:00:01:02 dev r0 nud permanent
	ip -n "$router" neigh replace fd00:1::2 lladdr 02:00:00:00:01:02 dev r0 nud permanent
	ip -n "$router" neigh replace 10.0.2.2 lladdr 02:00:00:00:02:02 dev r1 nud permanent
	ip -n "$router" neigh replace fd00:2::2 lladdr 02:00:00:00:02:02 dev r1 nud permanent
}

# What follows looks at connection tracking in the router, or in another
# namespace if that is given last.

# rules: nft reads rules for the router from standard input.
# shellcheck disable=SC2120 # most have no argument
rules() { ip netns exec "${1:-$router}" nft -f -; }

# setting NAME [VALUE [NAMESPACE]]: get or set net.netfilter.nf_conntrack_NAME.
setting() {
	local file=/proc/sys/net/netfilter/nf_conntrack_$1
	if [ -n "${2:-}" ]; then
		ip netns exec "${3:-$router}" sh -c "echo '$2' >$file"
	else
		ip netns exec "${3:-$router}" cat "$file"
	fi
}

# connections [NAMESPACE]: the table. has_connection PATTERN [NAMESPACE]: a line
# of it matches.
connections() { ip netns exec "${1:-$router}" cat /proc/net/nf_conntrack; }
has_connection() { connections "${2:-}" | grep -E "$1" || { connections "${2:-}" && false; }; }

# statistic NAME [NAMESPACE]: the sum over all CPUs.
# shellcheck disable=SC2016 # awk's own
statistic() {
	local cpu sum=0 column
	column=$(ip netns exec "${2:-$router}" awk -v name="$1" \
		'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) print i }' /proc/net/stat/nf_conntrack)
	for cpu in $(ip netns exec "${2:-$router}" awk -v i="$column" 'NR > 1 { print $i }' /proc/net/stat/nf_conntrack); do
		sum=$((sum + 0x$cpu))
	done
	echo "$sum"
}

# forget: removes all connections of the router; count_is N: that many are there.
forget() { in_router conntrack -F; }
count_is() { is "$(setting count '' "${2:-}")" "$1"; }

# wait_local_port_listen NAMESPACE PORT PROTOCOL: as the kernel's own, which waits for
# little more than a second; programs may take longer to start here.
wait_local_port_listen() {
	local pattern
	pattern=":$(printf %04X "$2") "
	[ "$3" != tcp ] || pattern+=0A
	# shellcheck disable=SC2016,SC2317,SC2329 # awk's own; called by slowwait
	listens() { ip netns exec "$1" awk '{ print $2 " " $4 }' "/proc/net/$2" "/proc/net/${2}6" | grep -q "$pattern"; }
	slowwait 20 listens "$1" "$3"
}

# listen NAMESPACE KIND PORT: an echo server of socat's KIND (as TCP4); of a
# protocol that has no ports PORT is the protocol.
listen() {
	local mode=LISTEN options=fork,reuseaddr
	case $2 in
	IP*) mode=RECVFROM ;;
	*6) options+=,ipv6only=1 ;;
	esac
	ip netns exec "$1" socat "$2-$mode:$3,$options" PIPE >/dev/null 2>&1 &
	case $2 in
	TCP*) wait_local_port_listen "$1" "$3" tcp ;;
	UDP*) wait_local_port_listen "$1" "$3" udp ;;
	IP*) wait_local_port_listen "$1" "$3" raw ;;
	SCTP*)
		# shellcheck disable=SC2016,SC2317,SC2329 # awk's own; called by slowwait
		bound() { ip netns exec "$1" awk '$6 == port { found = 1 } END { exit !found }' port="$2" /proc/net/sctp/eps; }
		slowwait 20 bound "$1" "$3"
		;;
	*) sleep 2 ;;
	esac
}

# send NAMESPACE SOCAT-ADDRESS: a line there must come back. Not all protocols can
# be closed in one direction only: wait for the answer first.
send() {
	local answer
	answer=$(mktemp)
	# shellcheck disable=SC2094 # that is what it waits for
	{ echo hello && slowwait 10 test -s "$answer"; } | ip netns exec "$1" timeout 20 socat -t 1 - "$2" >"$answer"
	is "$(cat "$answer"; rm "$answer")" hello
}
