#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# BPF programs at XDP and TC look connections up, make and change them, translate
# them, and look flows up; what they must not do the verifier sees, in the same
# words; and the modules can be unloaded then, with nothing left.
#
# needs: nf_conntrack nf_nat nf_flow_table nf_flow_table_inet
# may-skip: the debug kernels have no BTF
# timeout: 600
# vm: --append slub_debug=FZPU
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
[ -e /sys/kernel/btf/vmlinux ] || skip_all 'a kernel without BTF'
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; ip netns del bpf-other 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT
export PYTHONDONTWRITEBYTECODE=1

modprobe -a nf_conntrack nf_nat nf_flow_table nf_flow_table_inet nf_conntrack_netlink
object=$dir/programs.o
clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c nf_conntrack_bpf.bpf.c -o "$object" ||
	skip_all 'no compiler for BPF'
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
# Another namespace, which the router knows by number 7.
ip netns add bpf-other
ip -n "$router" netns set bpf-other 7
for name in "$router" bpf-other; do
	ip netns exec "$name" nft 'table inet track { chain c { type filter hook input priority 0; ct state new; }; }'
done
bpf() { in_router ./nf_conntrack_bpf.py "$object" "$@"; }

# Each line RESULT|WHAT is a test point.
points() {
	local got what
	while IFS='|' read -r got what; do
		if [ "$got" = ok ]; then
			ktap_test_pass "$what"
		else
			ktap_test_fail "$what"
			echo "# $got"
		fi
	done <"$1"
}
# group COMMAND...: a command, and the points that it has made.
group() {
	check "$1: comes to its end" "$@"
	points "$dir/points"
}
to_points() { bpf "$@" >"$dir/points"; }

connections() { to_points connections; }
verifier() { to_points verifier; }
again() { to_points repeat 3000; }
group connections
group verifier
group again

# Flows: 20 packets there and back, by IPv4 and IPv6.
fast() {
	in_router nft 'table inet fast { flowtable fast { hook ingress priority 0; devices = { r0, r1 }; };
		chain forward { type filter hook forward priority 0; meta l4proto udp ct state established flow add @fast; }; }'
}
listen "$server" UDP4 7777
listen "$server" UDP6 7777
talk='import socket, sys
to = sys.argv[1]
s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((to, 7777))
for _ in range(20):
    s.send(b"x")
    s.recv(10)'
seen() { bpf flows r0 ip netns exec "$client" python3 -c "$talk" "$1" | tee "$dir/seen"; }
says() { grep -E "$1" "$dir/seen" || { cat "$dir/seen" && false; }; }

seen 10.0.2.2 >/dev/null
check 'no table: no flow' says 'packets=20 hits=0 error=ENOENT'
check 'options of another size, another family' says 'short=EINVAL family=EAFNOSUPPORT'
fast
for to in 10.0.2.2 fd00:2::2; do
	in_router conntrack -F 2>/dev/null
	seen "$to" >/dev/null
	check "$to: flows are found" says 'packets=20 hits=1[5-9] error=ENOENT'
	check "$to: what the program reads of them" says ' same=1 mtu=1500 '
done
in_router nft delete table inet fast
seen 10.0.2.2 >/dev/null
check 'the table is gone: no flow' says 'packets=20 hits=0 error=ENOENT'
# The same device in two tables: that of the first counts, as long as it is there.
fast
in_router nft 'table inet later { flowtable fast { hook ingress priority 10; devices = { r0 }; }; }'
seen 10.0.2.2 >/dev/null
check 'two tables: flows of the first' says 'hits=1[5-9] '
in_router nft delete table inet fast
seen 10.0.2.2 >/dev/null
check 'the second has none' says 'packets=20 hits=0 error=ENOENT'
in_router nft delete table inet later

# shellcheck disable=SC2046 # words on purpose
kill $(jobs -p) 2>/dev/null
ip netns del bpf-other
cleanup_all_ns
# All of it goes: no program holds a module any more.
unload() {
	modprobe -rq nft_flow_offload nft_ct nf_flow_table_inet nf_flow_table nf_conntrack_netlink nf_nat nf_conntrack
	! grep -E '^(nf_conntrack|nf_nat|nf_flow_table) ' /proc/modules
}
check 'the modules go' busywait 20000 unload
check 'and come again' modprobe -a nf_conntrack nf_nat nf_flow_table
# As many as were made, which those were that came to their end.
ktap_set_plan $((KTAP_TESTNO - 1))
ktap_finished
