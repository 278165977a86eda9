# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../guest
#
# What our first module has seen: the busiest flows of each namespace, and its
# sums by protocol, which a second Rust module computes.

if [ -n "$flowstat" ]; then
	section 'Flows' 'seen by nf_flowstat, a flow for each direction; the busiest of each namespace'
	printf '    %s%-7s %-4s %-7s %21s    %-21s %9s %12s%s\n' "$bold" '' '' '' from to packets bytes "$plain"
	for name in client router server; do
		in_ns $name cat /proc/net/nf_flowstat >"$work/flows" ||
			fail "there is no /proc/net/nf_flowstat in the namespace $name"
		[ -s "$work/flows" ] || fail "nf_flowstat saw nothing in the namespace $name"
		shorten <"$work/flows" | sed -E 's/\b[a-z]+=//g' |
			awk '{ print $NF, $0 }' | sort -rn | head -n 4 |
			while read -r bytes family protocol _ source destination rest; do
				# ICMP has type, code and id instead of two ports.
				read -r -a number <<<"$rest"
				if [[ $protocol != icmp* ]]; then
					source+=" ${number[0]}" destination+=" ${number[1]}"
				fi
				printf '    %-7s %s %-7s %21s ─► %-21s %9d %12d\n' "$name" "${family/ip/IP}" "$protocol" \
					"$source" "$destination" "${number[-2]}" "$bytes"
			done
	done

	if [ -e /sys/module/nf_flowstat_proto ]; then
		shown 'ip netns exec router cat /proc/net/nf_flowstat_proto'
		in_ns router cat /proc/net/nf_flowstat_proto >"$work/flows" ||
			fail 'there is no /proc/net/nf_flowstat_proto'
		awk '!/ flows=0 / { printf "%-5s %-7s %-10s %-15s %s\n", $1, $2, $3, $4, $5 }' "$work/flows" | indent
	fi
fi
