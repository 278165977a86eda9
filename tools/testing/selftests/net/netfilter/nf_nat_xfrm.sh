#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat and IPsec: policies that are written for the translated addresses. What is
# masqueraded goes through the tunnel after it is, what comes back out of it passes the
# policy, and what comes in the clear does not.
#
# needs: nf_conntrack nf_nat
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 20
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe -a nf_conntrack nf_nat esp4 esp6
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
# Behind the server, and the address that the client gets.
ip -n "$server" address add 192.168.2.1/32 dev lo
ip -n "$server" address add fd00:22::1/128 dev lo nodad
for to in 192.168.2.1 fd00:22::1; do
	via=10.0.2.2 && [ $to = 192.168.2.1 ] || via=fd00:2::2
	ip -n "$router" route add $to via $via
	via=10.0.2.1 && [ $to = 192.168.2.1 ] || via=fd00:2::1
	public=203.0.113.1 && [ $to = 192.168.2.1 ] || public=2001:db8::1
	ip -n "$server" route add $public via $via src $to
done
rules <<'END'
table inet test {
	counter masked { }
	counter clear { }
	chain post {
		type nat hook postrouting priority srcnat
		ip daddr 192.168.2.1 snat ip to 203.0.113.1
		ip6 daddr fd00:22::1 snat ip6 to 2001:db8::1
	}
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 203.0.113.1 tcp dport 4001 dnat ip to 10.0.1.2:4000
		ip6 daddr 2001:db8::1 tcp dport 4001 dnat ip6 to [fd00:1::2]:4000
	}
}
END
# Who sends is seen at the server before and after decryption.
in_server nft -f - <<'END'
table inet seen {
	counter esp4 { }
	counter esp6 { }
	counter in4 { }
	counter in6 { }
	counter clear { }
	chain raw {
		type filter hook prerouting priority -300
		meta ipsec missing ip protocol esp counter name esp4
		meta ipsec missing ip6 nexthdr esp counter name esp6
		meta ipsec exists ip saddr 203.0.113.1 ip daddr 192.168.2.1 counter name in4
		meta ipsec exists ip6 saddr 2001:db8::1 ip6 daddr fd00:22::1 counter name in6
		meta ipsec missing ip daddr 192.168.2.1 counter name clear
		meta ipsec missing ip6 daddr fd00:22::1 counter name clear
	}
}
END
seen() { in_server nft -j list counter inet seen "$1" | jq '.nftables[1].counter.packets'; }

key='aead rfc4106(gcm(aes)) 0x0102030405060708090a0b0c0d0e0f1011121314 128'
# tunnel FAMILY ROUTER SERVER PUBLIC NET: states and policies of both.
tunnel() {
	local router_end=$2 server_end=$3 public=$4 net=$5 name spi=$((0x100 * $1))
	for name in "$router" "$server"; do
		# shellcheck disable=SC2086 # words on purpose
		ip -n "$name" xfrm state add src "$router_end" dst "$server_end" proto esp spi $spi mode tunnel $key
		# shellcheck disable=SC2086
		ip -n "$name" xfrm state add src "$server_end" dst "$router_end" proto esp spi $((spi + 1)) mode tunnel $key
	done
	ip -n "$router" xfrm policy add src "$public" dst "$net" dir out tmpl src "$router_end" dst "$server_end" proto esp mode tunnel
	for name in in fwd; do
		ip -n "$router" xfrm policy add src "$net" dst "$public" dir $name tmpl src "$server_end" dst "$router_end" proto esp mode tunnel
		ip -n "$server" xfrm policy add src "$public" dst "$net" dir $name tmpl src "$router_end" dst "$server_end" proto esp mode tunnel
	done
	ip -n "$server" xfrm policy add src "$net" dst "$public" dir out tmpl src "$server_end" dst "$router_end" proto esp mode tunnel
}
listen "$server" TCP4 4000
listen "$server" TCP6 4000
listen "$client" TCP4 4000
listen "$client" TCP6 4000
check 'before there is a tunnel: in the clear' in_client ping -qc 1 -W 3 192.168.2.1
check 'which is seen' above "$(seen clear)" 0
forget 2>/dev/null
tunnel 4 10.0.2.1 10.0.2.2 203.0.113.1 192.168.2.1
tunnel 6 fd00:2::1 fd00:2::2 2001:db8::1 fd00:22::1

# shellcheck disable=SC2016 # awk's own
error() { in_router awk -v name="$1" '$1 == name { print $2 }' /proc/net/xfrm_stat; }
for f in 4 6; do
	to=192.168.2.1 at=192.168.2.1 public=203.0.113.1 back=203.0.113.1
	[ $f = 4 ] || to=fd00:22::1 at='[fd00:22::1]' public=2001:db8::1 back='[2001:db8::1]'
	in_server nft reset counters >/dev/null
	check "IPv$f: ping" in_client ping -qc 2 -i 0.2 -W 5 $to
	check "IPv$f: TCP" send "$client" "TCP$f:$at:4000"
	check "IPv$f: through the tunnel" above "$(seen esp$f)" 4
	check "IPv$f: with the translated source" above "$(seen in$f)" 4
	check "IPv$f: nothing in the clear" is "$(seen clear)" 0
	check "IPv$f: from behind the tunnel to a translated destination" send "$server" "TCP$f:$back:4001"

	# The same reply without the tunnel: the policy wants it protected. It is
	# for the public address, and is compared as such.
	listen "$server" UDP$f 4000
	in_client socat -T 2 - "UDP$f:$at:4000,sp=6000" <<<hello >"$dir/answer" 2>&1
	check "IPv$f: UDP" grep -q hello "$dir/answer"
	before=$(error XfrmInTmplMismatch)
	before=$((before + $(error XfrmInNoPols) + $(error XfrmInPolBlock) + $(error XfrmFwdHdrError)))
	ip -n "$server" xfrm policy delete src $to dst $public dir out
	in_client socat -T 2 - "UDP$f:$at:4000,sp=6000" <<<hello >"$dir/answer" 2>&1
	check "IPv$f: an answer in the clear is not for the client" eval "! grep -q hello $dir/answer"
	after=$(error XfrmInTmplMismatch)
	after=$((after + $(error XfrmInNoPols) + $(error XfrmInPolBlock) + $(error XfrmFwdHdrError)))
	[ $f = 6 ] || check "a policy was what it failed for" above "$after" "$before"
done
check 'the rules go' in_router nft flush ruleset
ktap_finished
