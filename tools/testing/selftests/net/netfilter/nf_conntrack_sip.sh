#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# SIP: what messages lead to and how they are translated, compared with what was
# written down in nf_conntrack_sip.expected (with the argument --all, that is what
# this prints; with --common, the part that is the same with the stock modules); what is
# announced can be reached; parameters; the modules come and go.
#
# needs: nf_conntrack nf_nat nf_conntrack_sip nf_nat_sip
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh
# shellcheck source=tools/testing/selftests/net/netfilter/nf_sip_lib.sh
. ./nf_sip_lib.sh

trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
modprobe -a nf_conntrack_sip nf_nat_sip
sip_routed
: "${client:?}" "${router:?}" "${server:?}"
names=("$client" "$router" "$server")
cases() { ./nf_conntrack_sip_cases.py "${names[@]}" "$@"; }

case ${1:-} in
--common | --all)
	cases "${1#--all}"
	exit
	;;
esac
ktap_print_header
ktap_set_plan 23

# Ours does all of it, stock what comes before the first of those that differ.
all_cases() {
	if grep -q O /sys/module/nf_conntrack_sip/taint; then
		cases | diff -u nf_conntrack_sip.expected -
	else
		cases --common | diff -u <(sed '/^== odd-port/,$d' nf_conntrack_sip.expected) -
	fi
}
check "messages lead to what was written down" all_cases

# What is expected after a case is there until the next one.
expected() { in_router cat /proc/net/nf_conntrack_expect; }
expects() { expected | grep -E "$1" || { expected && false; }; }
parameter() { echo "$2" >"/sys/module/nf_conntrack_sip/parameters/$1"; }
after() { cases "$1" >/dev/null && expects "$2"; }

parameter sip_direct_media 0
check "media elsewhere, with sip_direct_media=0" \
	after elsewhere 'src=0.0.0.0 dst=192.0.2.9 .*dport=20001 sip/audio'
ip -n "$router" route add 192.0.2.0/24 via 10.0.2.2
parameter sip_external_media 1
check_not "media beyond the peer, with sip_external_media=1" after elsewhere 'dst=192.0.2.9'
ip -n "$router" route replace 192.0.2.0/24 via 10.0.1.2
check "media on this side, with sip_external_media=1" after elsewhere 'dst=192.0.2.9'
parameter sip_direct_media 1
parameter sip_external_media 0
check "calls from the registrar" \
	after register-port 'src=10.0.2.2 dst=10.0.2.211 .*dport=5070 PERMANENT,INACTIVE sip/signalling'
parameter sip_direct_signalling 0
check "calls from anywhere, with sip_direct_signalling=0" \
	after register-port 'src=0.0.0.0 dst=10.0.2.211 .*dport=5070'
parameter sip_direct_signalling 1
parameter sip_timeout 1234
cases options >/dev/null
check "sip_timeout" has_connection 'udp +17 12[123][0-9] src=10.0.1.2 '
parameter sip_timeout 3600

calls() { forget >/dev/null 2>&1; ./nf_conntrack_sip_calls.py "${names[@]}" "$@"; }
check "who registers is called, for as long as that holds" calls calls
check "answers at another port" calls answers-elsewhere
for network in PLAIN LONGER SHORTER BACK BOTH LONGER6; do
	check "media pass: $network" calls media $network
done
check "two phones with the same ports" calls two-phones
for network in LONGER SHORTER LONGER6; do
	check "a long stream of messages: $network" calls stream $network
done

check "hostile messages" calls hostile

# Modules go while something is expected.
cases early >/dev/null
is_gone() { ! expects "$1"; }
check "the NAT half goes, and what it would translate" \
	eval 'expects dst=10.0.2.211 && modprobe -r nf_nat_sip && is_gone dst=10.0.2.211'
check "calls without it" eval 'cases call | grep -q "expected.*dst=10.0.1.3 .*dport=20010 sip/video"'
in_router nft flush ruleset
forget >/dev/null 2>&1
check "the helper goes" busywait 10000 modprobe -r nf_conntrack_sip
ktap_finished
