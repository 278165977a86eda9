# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh, ../guest
#
# What our first module has seen, a list in each namespace.

if [ -n "$flowstat" ]; then
	section 'Flows' 'what nf_flowstat, in Rust, saw in each namespace'
	for name in client router server; do
		shown "ip netns exec $name cat /proc/net/nf_flowstat"
		in_ns $name cat /proc/net/nf_flowstat >"$work/flows" ||
			fail "there is no /proc/net/nf_flowstat in the namespace $name"
		lines=$(wc -l <"$work/flows")
		[ "$lines" -gt 1 ] || fail "nf_flowstat saw nothing in the namespace $name" "$(<"$work/flows")"
		head -n 7 "$work/flows" | indent
		[ "$lines" -le 7 ] || printf '    %s... and %d more lines%s\n' "$dim" $((lines - 7)) "$plain"
	done
fi
