# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh, ../guest
#
# What every rule has counted. The traffic was made so that each did.

section 'Counters' 'nft list ruleset: what each rule matched'
in_ns router nft list ruleset >"$work/counters" || fail 'nft does not list the ruleset'
printf '    %s%10s %14s  %-9s %s%s\n' "$bold" packets bytes chain rule "$plain"
while IFS=$'\t' read -r packets bytes chain rule; do
	printf '    %10d %14d  %s%-9s%s %s\n' "$packets" "$bytes" "$dim" "$chain" "$plain" "$rule"
	[ "$packets" -gt 0 ] || fail "a rule has counted nothing: $rule"
done < <(awk '
	$1 == "chain" { chain = $2 }
	match($0, /counter packets [0-9]+ bytes [0-9]+/) {
		split(substr($0, RSTART, RLENGTH), word, " ")
		rule = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH + 1)
		comment = rule
		sub(/.*comment "/, "(", comment)
		sub(/"$/, ")", comment)
		sub(/ ?comment ".*/, "", rule)
		gsub(/^[ \t]+/, "", rule)
		printf "%s\t%s\t%s\t%s\n", word[3], word[5], chain, rule == "" ? comment : rule
	}' "$work/counters")
