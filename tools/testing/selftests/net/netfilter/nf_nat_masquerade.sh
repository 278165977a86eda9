#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_nat with real connections: masquerading follows addresses and devices,
# SO_ORIGINAL_DST behind a redirection, segments that the device was to cut and
# checksums that it was to make, rules and modules that come and go and namespaces that
# end under traffic.
#
# needs: nf_conntrack nf_nat
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

rounds=2
ktap_print_header
ktap_set_plan $((26 + 3 * rounds))
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT

modprobe -a nf_conntrack nf_nat
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
on() {
	rules <<-'END'
		table inet test {
			chain pre {
				type nat hook prerouting priority dstnat
				tcp dport 4100-4109 redirect to :4100
				ip daddr 10.0.1.1 tcp dport 4001 dnat ip to 10.0.2.2:4000
				ip6 daddr fd00:1::1 tcp dport 4001 dnat ip6 to [fd00:2::2]:4000
			}
			chain post {
				type nat hook postrouting priority srcnat
				oifname r1 masquerade
			}
		}
	END
}
on
host() { [ "$1" = 4 ] && echo "10.0.$2.$3" || echo "fd00:$2::$3"; }
# As /proc/net/nf_conntrack has it.
long() { [ "$1" = 4 ] && echo "10.0.$2.$3" || printf 'fd00:%04d:0000:0000:0000:0000:0000:%04d' "$2" "$3"; }

in_it=()
# Streams, with all that devices can do for them, and without.
for f in 4 6; do
	ip netns exec "$server" ./nf_nat_masquerade.py sink $f "" 4000 >"$dir/server$f" 2>&1 &
	ip netns exec "$router" ./nf_nat_masquerade.py sink $f "" 4100 >"$dir/router$f" 2>&1 &
	in_it+=($!)
	ready() { grep -q ready "$dir/$1$f"; }
	check "IPv$f: the ends are there" eval 'slowwait 60 ready server && slowwait 60 ready router'
	for offload in on off; do
		for device in client:c0 router:r0 router:r1 server:s0; do
			name=${device%:*}
			ip netns exec "${!name}" ethtool -K "${device#*:}" tx $offload tso $offload gso $offload gro $offload >/dev/null
		done
		sent=$(in_client ./nf_nat_masquerade.py send $f "$(host $f 2 2)" 4000)
		got=$(tail -n 1 "$dir/server$f")
		check "IPv$f: a megabyte masqueraded, offload $offload" is "$got" "none 2 clean $(host $f 2 1) $sent"
		sent=$(in_client ./nf_nat_masquerade.py send $f "$(host $f 1 1)" 4001)
		got=$(tail -n 1 "$dir/server$f")
		check "IPv$f: a megabyte to another address and port, offload $offload" is "$got" "none 2 clean $(host $f 2 1) $sent"
	done
	sent=$(in_client ./nf_nat_masquerade.py send $f "$(host $f 2 2)" 4107)
	check "IPv$f: the original destination of what is redirected" \
		is "$(tail -n 1 "$dir/router$f")" "$(host $f 2 2) 4107 clean $(host $f 1 2) $sent"
	sent=$(in_client ./nf_nat_masquerade.py send $f "$(host $f 1 1)" 4100)
	check "IPv$f: and of what is not" is "$(tail -n 1 "$dir/router$f")" "$(host $f 1 1) 4100 clean $(host $f 1 2) $sent"
done

# Addresses and devices that go.
in_router sysctl -qw net.ipv4.conf.r1.promote_secondaries=1
# address add|del FAMILY HOST: of the router, at the server's side.
address() {
	local more=(dev r1)
	[ "$2" = 4 ] || [ "$1" = del ] || more+=(nodad)
	ip -n "$router" address "$1" "$(host "$2" 2 "$3")/$([ "$2" = 4 ] && echo 24 || echo 64)" "${more[@]}"
}
mapped() { connections | grep -q "dst=$1 "; }
not_mapped() { ! mapped "$1"; }
for f in 4 6; do
	address add $f 77
	forget 2>/dev/null
	in_client ping -$f -qc 1 "$(host $f 2 2)" >/dev/null
	check "IPv$f: a mapping" slowwait 5 eval "mapped $(long $f 2 1) || mapped $(long $f 2 77)"
	mapped "$(long $f 2 1)" && gone=1 stays=77 || gone=77 stays=1
	address del $f "$gone"
	check "IPv$f: the address goes, and the mapping" slowwait 10 not_mapped "$(long $f 2 "$gone")"
	in_client ping -$f -qc 1 "$(host $f 2 2)" >/dev/null
	check "IPv$f: the next one has the other address" slowwait 5 mapped "$(long $f 2 "$stays")"
done
in_client ping -4 -qc 1 10.0.1.1 >/dev/null
ip -n "$router" link set r1 down
check 'the device goes down, and its mappings' slowwait 10 eval 'not_mapped "10\.0\.2\.[0-9]*" && not_mapped "fd00:0002:.*"'
check 'others stay' has_connection 'icmp .* dst=10\.0\.1\.1 .*src=10\.0\.1\.1 '
ip -n "$router" link set r1 up

# Under traffic rules and modules go and come.
ip -n "$router" address flush dev r1 scope global
for name in 4 6; do
	address add $name 1
	ip netns exec "$client" ./nf_nat_masquerade.py udp $name "$(host $name 2 2)" 5000 >/dev/null 2>&1 &
done
ip netns exec "$client" ping -fq 10.0.2.2 >/dev/null 2>&1 &
off() {
	in_router nft flush ruleset
	modprobe -r nft_masq nft_redir nft_nat nft_chain_nat nf_nat && [ ! -e /sys/module/nf_nat ]
}
some() { connections | grep -q 'udp .* dst=10\.0\.2\.1 '; }
six() { connections | grep -q 'udp .* dst=fd00:0002:0000:0000:0000:0000:0000:0001 '; }
for ((round = 1; round <= rounds; round++)); do
	check "round $round: connections are translated" eval 'slowwait 20 some && slowwait 20 six'
	check "round $round: the modules go" slowwait 20 off
	none() { ! some; }
	check "round $round: with what they translated" slowwait 10 none
	modprobe nf_nat
	on
done
check 'and it goes on' slowwait 20 some

# The router's namespace ends while the client still sends. What ran in it goes first,
# or it would keep it.
kill "${in_it[@]}"
ip netns delete "$router"
unloads() { modprobe -r nft_masq nft_redir nft_nat nft_chain_nat nf_nat; }
ended() { ! ip netns list | grep -q "$router"; }
check 'the router ends under traffic' slowwait 10 ended
# With it goes its end of the links.
no_link() { ! ip -n "$client" link show c0; }
check 'and is gone' slowwait 30 no_link
# shellcheck disable=SC2046 # words on purpose
kill $(jobs -p) 2>/dev/null
check 'the modules can go' slowwait 30 unloads
ktap_finished
