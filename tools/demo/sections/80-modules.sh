# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables: ../lib.sh, ../network.sh, ../guest
#
# Which implementation of each module did all that.

section 'Who did it' 'the modules of the family that were loaded; what ours cannot do yet ran on the stock module'
printf '    %s%-24s %-14s %9s  %s%s\n' "$bold" module implementation 'size' description "$plain"
rustynat-impl >"$work/implementations"
[ -s "$work/implementations" ] || fail 'rustynat-impl lists no module'
while read -r module implementation; do
	case $implementation in
	ours) colour=$green text='ours (Rust)' ;;
	stock) colour=$yellow text='stock (C)' ;;
	*) colour=$red text=$implementation ;;
	esac
	size=$(awk -v m="$module" '$1 == m { printf "%d KiB", $2 / 1024 }' /proc/modules)
	description=$(modinfo -F description "$module")
	printf '    %-24s %s%-14s%s %9s  %s\n' "$module" "$colour" "$text" "$plain" "$size" "${description:0:42}"
done <"$work/implementations"

printf '\n    %s%d of %d acts of traffic went as they should%s\n' "$green" "$steps" "$steps" "$plain"
