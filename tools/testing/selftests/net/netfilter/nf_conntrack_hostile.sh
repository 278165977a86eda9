#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack and packets that are not as they should be: each is INVALID, leaves
# no connection behind, and the log says why.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 20
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe -a nf_conntrack nf_log_syslog
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
rules <<<'table inet test { chain forward { type filter hook forward priority 0; ct state new accept; }; }'
ip -n "$client" link set c0 mtu 9000
ip -n "$router" link set r0 mtu 9000
ip -n "$router" link set r1 mtu 9000
ip -n "$server" link set s0 mtu 9000
# Nothing comes back: what is counted was sent by the client.
in_server nft -f - <<'END'
table inet test {
	chain input {
		type filter hook input priority 0; policy drop
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
	}
}
END
ip netns exec "$router" sleep 600 &
reader=$!
sysctl -qw net.netfilter.nf_log_all_netns=1
in_router sysctl -qw net.netfilter.nf_log.2=nf_log_ipv4 net.netfilter.nf_log.10=nf_log_ipv6
setting log_invalid 255
dmesg -C

hostile() { in_client "$PWD/nf_conntrack_hostile.py" "$1" "$reader"; }
logged() { dmesg | grep -F "nf_ct_proto_$1: "; }
for group in tcp4,6 tcp6 udp4,17 udp6 icmp4,1 icmp6,58 sctp4,132 sctp6 gre4 gre6 ipv6 long6; do
	IFS=, read -r group protocol <<<"$group"
	check "$group" hostile "$group"
	[ -z "$protocol" ] || check "$group: the log says why" logged "$protocol"
done
setting log_invalid 0
dmesg -C
hostile udp4 >/dev/null
check_not 'without log_invalid the log says nothing' logged 17
check 'forget all' forget
check 'nothing is left' slowwait 10 count_is 0
ktap_finished
