# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh, ../guest
#
# The connection table, while two TCP connections are open.

{ echo 'still here' && sleep 120; } | in_ns client socat - "TCP4:$server4:7" >/dev/null 2>&1 &
{ echo 'still here' && sleep 120; } | in_ns client socat - "TCP6:[$server6]:7" >/dev/null 2>&1 &
established() { [ "$(in_ns client ss -Hnt state established 'dport = :7' | wc -l)" -ge 2 ]; }
until_true 'two connections are open' established
sleep 1

section 'The connection table' 'one of each kind; ► as it was begun, ◄ what answers look like on arrival'
if [ -n "$events" ]; then
	shown conntrack -L -o extended
	for family in ipv4 ipv6; do
		in_ns router conntrack -L -f $family -o extended 2>"$work/error" ||
			fail 'conntrack -L does not work' "$(<"$work/error")"
	done >"$work/table"
else
	printf '    %s(conntrack -L needs nf_conntrack_netlink, which is not there)%s\n' "$dim" "$plain"
	shown cat /proc/net/nf_conntrack
	in_ns router cat /proc/net/nf_conntrack >"$work/full" ||
		fail 'there is no /proc/net/nf_conntrack'
	shorten <"$work/full" >"$work/table"
fi
[ "$(grep -c ESTABLISHED "$work/table")" -ge 2 ] ||
	fail 'two open connections are not in the table' "$(<"$work/table")"
grep -q "src=$client4 dst=$server4 .*src=$server4 dst=$wan4 " "$work/table" ||
	fail 'no masqueraded connection is in the table' "$(<"$work/table")"

# Kind: family, protocol and state. An entry is three lines, or it would be
# wider than a page.
awk -v bold="$bold" -v dim="$dim" -v cyan="$cyan" -v magenta="$magenta" -v plain="$plain" '
	{
		state = $6 ~ /=/ ? "" : $6
		if (seen[$1 $3 state]++) next
		original = reply = flags = rest = ""
		tuples = 0
		for (i = state == "" ? 6 : 7; i <= NF; i++) {
			if ($i ~ /^src=/) tuples++
			if ($i ~ /^\[/) flags = flags " " $i
			else if ($i ~ /^(mark|use|zone|secctx|delta-time)=/) rest = rest " " $i
			else if (tuples == 1) original = original " " $i
			else reply = reply " " $i
		}
		printf "    %s%s  %-7s%s %s%s%s%s%s\n", bold, $1 == "ipv4" ? "IPv4" : "IPv6", $3, plain,
			state == "" ? "" : state "  ", $5 " s ", flags, dim rest, plain
		printf "       %s►%s%s\n       %s◄%s%s\n", cyan, original, plain, magenta, reply, plain
	}' "$work/table"
printf '    %s%d connections in all%s\n' "$dim" "$(wc -l <"$work/table")" "$plain"
