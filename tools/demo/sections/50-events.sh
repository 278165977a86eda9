# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh, ../guest
#
# The life of one connection as conntrack -E told it while it happened.

if [ -n "$events" ]; then
	kill "$events"
	wait "$events" 2>/dev/null || true

	section 'Events' 'the life of one connection, the echo over TCP and IPv4, at the router'
	shown conntrack -E -o timestamp
	port=$(sed -nE "s/.*\[NEW\] tcp .* dst=$server4 sport=([0-9]+) dport=7 .*/\1/p" "$work/events" | head -n 1)
	[ -n "$port" ] || fail 'conntrack -E did not tell of a new connection' "$(tail -n 20 "$work/events")"
	grep "\[NEW\] tcp .* sport=$port \|\[[UD][A-Z]*\] tcp .* sport=$port " "$work/events" >"$work/life" || true
	grep -q 'UPDATE.*ESTABLISHED' "$work/life" ||
		fail 'conntrack -E did not tell that the connection was established' "$(<"$work/life")"
	awk -v green="$green" -v yellow="$yellow" -v red="$red" -v plain="$plain" '
		{
			at = $1
			gsub(/[][]/, "", at)
			if (!begin) begin = at
			event = $2
			colour = event == "[NEW]" ? green : event == "[DESTROY]" ? red : yellow
			what = ""
			for (i = 5; i <= NF && $i !~ /=/; i++) what = what (i == 5 && $i ~ /^[0-9]+$/ ? sprintf("%6d s  ", $i) : $i " ")
			if (event == "[DESTROY]") what = "            "
			flags = ""
			for (; i <= NF; i++) if ($i ~ /^\[/) flags = flags $i " "
			printf "    %8.1f ms  %s%-9s%s %-22s %s\n", (at - begin) * 1000, colour, event, plain, what, flags
		}' "$work/life"
	printf '    %s%d new, %d changed, %d gone in all%s\n' "$dim" \
		"$(grep -c '\[NEW\]' "$work/events")" "$(grep -c '\[UPDATE\]' "$work/events")" \
		"$(grep -c '\[DESTROY\]' "$work/events")" "$plain"
fi
