#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The security mark of a connection, under SELinux without a policy (it knows the
# contexts of its own beginning): kept, given back to packets, and told by name.
#
# needs: nf_conntrack nf_conntrack_netlink
# may-skip: the debug kernels have no SELinux
# vm: --append security=selinux
# timeout: 200
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
grep -q ' selinux_' /proc/kallsyms || skip_all 'a kernel without SELinux'
ktap_set_plan 8
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
modprobe -a nf_conntrack nf_conntrack_netlink
setup_ns router
# Set by setup_ns.
: "${router:?}"
ip -n "$router" link set lo up
check 'SELinux runs' is "$(tr -d '\0\n' </proc/self/attr/current)" kernel
check 'rules' rules <<'END'
table inet test {
	secmark unlabeled { "unlabeled" }
	counter restored { }
	chain output {
		type filter hook output priority 0
		udp dport 4000 ct state new meta secmark set "unlabeled" ct secmark set meta secmark
		udp sport 4000 meta secmark set ct secmark
	}
	chain input {
		type filter hook input priority 0
		udp sport 4000 meta secmark & 0xffffffff != 0 counter name restored
	}
}
END
listen "$router" UDP4 4000
conntracked() { ip netns exec "$router" conntrack "$@" 2>/dev/null; }
ip netns exec "$router" conntrack -E -o extended >"/tmp/secmark.events" 2>/dev/null &
sleep 1
check 'a connection' send "$router" UDP4:127.0.0.1:4000
check 'its context in the list' eval "conntracked -L | grep -E 'dport=4000 .* secctx=unlabeled '"
check 'in XML' eval "conntracked -L -o xml | grep -F '<secctx>unlabeled</secctx>'"
check 'in the file' has_connection 'dport=4000 .* secctx=unlabeled '
check 'in events' busywait 10000 grep -q 'NEW.*secctx=unlabeled' /tmp/secmark.events
check 'packets of its answer have it' eval \
	"[ \"\$(ip netns exec $router nft -j list counter inet test restored | jq '.nftables[1].counter.packets')\" -ge 1 ]"
ktap_finished
