#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Random and spoilt netlink messages: nothing but errors comes back, and what they
# made is all given back: connections, expectations, policies, helpers, memory,
# modules. (That the kernel does not complain the runner watches.)
#
# Arguments: SEED [SECONDS], by default 1 and 10 for each of two rounds.
#
# needs: nf_conntrack nf_conntrack_netlink
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh
[ -n "${ALONE:-}" ] || ALONE=1 exec unshare -n "$0" "$@"

seed=${1:-1} seconds=${2:-10}
ktap_print_header
ktap_set_plan 14
export PYTHONDONTWRITEBYTECODE=1
modules=(nf_conntrack nf_conntrack_netlink nfnetlink_cttimeout nfnetlink_cthelper nf_conntrack_ftp nf_conntrack_tftp nf_nat nf_nat_ftp nf_nat_tftp)
modprobe -a "${modules[@]}"
ip link set lo up
nft -f - <<'END'
table inet track {
	chain output {
		type filter hook output priority 0
		ct state new
		ct label set 1
	}
}
END
# No search for what made-up helpers' names stand for: it takes most of the time.
modprobe_path=$(</proc/sys/kernel/modprobe)
echo >/proc/sys/kernel/modprobe
# References to the modules, and how much memory there is of each kind: caches of
# the slab allocator are looked at after what is unused was given back.
references() {
	local module
	for module in "${modules[@]}"; do
		[ ! -r "/sys/module/$module/refcnt" ] || echo "$module $(<"/sys/module/$module/refcnt")"
	done
}
objects() {
	local cache
	for cache in /sys/kernel/slab/{kmalloc,nf_conntrack}*; do
		[ ! -L "$cache" ] || continue
		echo 1 >"$cache/shrink" 2>/dev/null
		echo "${cache##*/} $(awk '{ print $1 }' "$cache/objects" 2>/dev/null)"
	done
}
settled() { [ "$(</proc/sys/net/netfilter/nf_conntrack_count)" = 0 ] && [ "$(conntrack -C expect)" = 0 ]; }
# Twice the same: what the first round has made once and for all is there then.
before=$(references)
ping -qi 0.01 127.0.0.1 >/dev/null &
background=$!
for round in 1 2; do
	said=$(timeout $((seconds * 4 + 60)) python3 ./nf_conntrack_netlink_fuzz.py --seed "$seed" --seconds "$seconds")
	status=$?
	# shellcheck disable=SC2001
	sed 's/^/# /' <<<"$said" | cut -c1-400
	check "round $round: nothing wrong came back" is "$status" 0
	check "round $round: there were messages" eval "[ \$(grep -cE '^[0-9]{2,} messages' <<<'$(grep messages <<<"$said")') = 2 ]"
	[ $round = 1 ] || kill $background
	conntrack -F >/dev/null 2>&1
	if [ $round = 1 ]; then
		kill -STOP $background
		conntrack -F >/dev/null 2>&1
	fi
	check "round $round: no connection and no expectation is left" busywait 20000 settled
	check "round $round: no policy of timeouts" is "$(nfct timeout list 2>&1)" ''
	check "round $round: no helper" is "$(nfct helper list 2>&1)" ''
	sleep 2
	if [ $round = 1 ]; then
		first=$(objects)
		kill -CONT $background
	else
		last=$(objects)
	fi
done
check 'modules: as many references as before' is "$(references)" "$before"
# Of each kind a few may be more, from what else the system does.
grown=$(join <(sort <<<"$first") <(sort <<<"$last") | awk '$3 > $2 + 200 { printf "%s: %d, then %d; ", $1, $2, $3 }')
join <(sort <<<"$first") <(sort <<<"$last") | awk '$2 != $3 { printf "# %s: %d, then %d\n", $1, $2, $3 }'
check 'memory: not more after the second round' is "$grown" ''
echo "$modprobe_path" >/proc/sys/kernel/modprobe
nft flush ruleset
check 'the modules go' busywait 20000 modprobe -r nfnetlink_cttimeout nfnetlink_cthelper nf_conntrack_netlink nf_nat_ftp nf_nat_tftp
check 'and come back' modprobe nf_conntrack_netlink
ktap_finished
