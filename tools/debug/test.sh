#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [KIND]: is a debug kernel (default kasan) to be believed? Faults are
# planted, each in a boot of its own, and each must turn the run red. Prints TAP.
set -eu
. "$(dirname "$0")/../vm/lib.sh"
kind=${1:-kasan}
"$TOP/tools/vm/enter" tools/debug/build "$kind" planted

# What the kernel says of each. The last one is none, and must go well.
declare -A says=(
	[leak]='kmemleak: [0-9]+ new suspected memory leaks'
	[atomic]='BUG: scheduling while atomic|BUG: sleeping function called from invalid context'
	[order]='WARNING: possible (circular locking dependency|recursive locking)'
	[unguarded]='WARNING: suspicious RCU usage'
	[active]='ODEBUG: free active'
)
[ "$kind" != kasan ] || says+=(
	[freed]='BUG: KASAN: slab-use-after-free in (freed|planted_init)'
	[bounds]='BUG: KASAN: slab-out-of-bounds in (bounds|planted_init)'
)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
# point WHAT PASSED
point() {
	[ "$2" = 1 ] || { failed=1 && sed 's/^/# /' "$scratch/errors"; }
	[ "$2" = 1 ] || printf 'not '
	echo "ok - $kind: $1"
}
# plant FAULT: the exit status of its run.
plant() {
	local status=0
	"$TOP/tools/vm/run" --kernel "$kind" --modules stock --timeout 300 -- \
		insmod "build/debug/$kind/planted/planted.ko" "fault=$1" >"$scratch/output" 2>"$scratch/errors" || status=$?
	echo "$status"
}

echo 'TAP version 13'
echo "1..$((${#says[@]} + 1))"
for fault in "${!says[@]}"; do
	passed=0
	if [ "$(plant "$fault")" = 70 ] && grep -qE "\] (${says[$fault]})" "$scratch/errors"; then passed=1; fi
	point "planted '$fault' is reported" "$passed"
done
passed=0
if [ "$(plant none)" = 0 ]; then passed=1; fi
point 'nothing is reported where nothing was planted' "$passed"
exit "$failed"
