# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../guest
#
# Loads the router's ruleset, which is what makes the kernel load connection
# tracking, and shows it as nft sees it.

section 'The ruleset of the router'
in_ns router nft -f ruleset.nft || fail 'nft did not take the ruleset'
in_ns router sysctl -qw net.netfilter.nf_conntrack_acct=1 \
	net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 || fail 'a sysctl of nf_conntrack is not there'

shown nft --stateless list ruleset
in_ns router nft --stateless list ruleset >"$work/ruleset" || fail 'nft does not list the ruleset'
# Comments in a column of their own.
sed 's/\t/  /g' "$work/ruleset" | awk '
	match($0, / comment "/) {
		comment = substr($0, RSTART + 10)
		sub(/"$/, "", comment)
		printf "%-69s # %s\n", substr($0, 1, RSTART - 1), comment
		next
	}
	/./' | indent | sed -E \
	-e "s/\b(accept|masquerade|dnat ip to [^ ]+)/$green\1$plain/" \
	-e "s/\bdrop\b/$red&$plain/" \
	-e "s/\bct (state|status) [a-z]+/$cyan&$plain/" \
	-e "s/# .*/$dim&$plain/"

# What must be there before traffic flows: a listener for events, and the flow
# lists of our first module.
events=''
if modprobe -q nf_conntrack_netlink; then
	in_ns router conntrack -E -o timestamp >"$work/events" 2>/dev/null &
	# shellcheck disable=SC2034 # 40-connections.sh and others
	events=$!
	# shellcheck disable=SC2016 # awk's
	until_true 'conntrack -E listens' in_ns router \
		awk '$2 == 12 && $4 != "00000000" { found = 1 } END { exit !found }' /proc/net/netlink
fi

flowstat=''
if modinfo -n nf_flowstat >/dev/null 2>&1; then
	modprobe nf_flowstat || fail 'the module nf_flowstat does not load'
	if modinfo -n nf_flowstat_proto >/dev/null 2>&1; then
		modprobe nf_flowstat_proto || fail 'the module nf_flowstat_proto does not load'
	fi
	for name in client router server; do
		in_ns $name sysctl -qw net.netfilter.nf_flowstat_timeout=300 \
			net.netfilter.nf_flowstat_enable=1 ||
			fail "nf_flowstat_enable cannot be set in the namespace $name"
	done
	# shellcheck disable=SC2034 # 70-flows.sh
	flowstat=1
fi
