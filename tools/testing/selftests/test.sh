#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: does the runner of the kselftests see what it must? Tests that end in
# every way there is are planted; the summary must say so. Prints TAP.
export ONE_TRY=1
set -u
. "$(dirname "$0")/../../vm/lib.sh"

mkdir -p "$BUILD/vm"
planted=$(mktemp -d "$BUILD/vm/planted.XXXXXX")
trap 'rm -rf "$planted"' EXIT
release=$(kernel_release)
stock=build/vm/base-$release/modules/kernel/net/netfilter

# plant NAME HEAD COMMAND: a test of that name.
plant() {
	printf '#!/bin/bash\n# %s\n%s\n' "$2" "$3" >"$planted/$1.sh"
	chmod +x "$planted/$1.sh"
}
plant pass '' 'echo "ok 1 - all is well"'
plant exit_status '' 'exit 1'
plant not_ok '' 'echo "not ok 1 - planted"'
plant skip '' 'echo "SKIP: planted"; exit 4'
plant skip_declared 'may-skip: planted' 'echo "SKIP: planted"; exit 4'
plant kernel '' 'echo "WARNING: planted" >/dev/kmsg'
plant hang 'timeout: 15' 'sleep 1000'
plant needs 'needs: nf_conntrack' 'modprobe nf_conntrack'
plant stock_got_in '' 'modprobe nf_nat'

# The stock nf_nat stands in for ours and, not being ours, must be found out.
"$TOP/tools/vm/run" --modules stock true || exit
MODULES="stock,nf_nat=$stock/nf_nat.ko" TESTS=$planted LOGS=$planted/logs \
	"$TOP/tools/testing/selftests/run" --ours >"$planted/summary"
status=$?

# expect TEST RESULT TEXT: the row of TEST must say so.
expect() {
	if grep -E "^$1 +$2[ ,]" "$planted/summary" | grep -qF -- "$3"; then
		echo "ok - selftests: planted $1 ends as $2"
	else
		echo "not ok - selftests: planted $1 ends as $2"
		sed 's/^/# /' "$planted/summary"
		failed=1
	fi
}
failed=0
echo 'TAP version 13'
echo 1..11
expect pass pass ''
expect exit_status fail 'exit status 1'
expect not_ok fail planted
expect skip fail 'not declared as may-skip: SKIP: planted'
expect skip_declared skip 'SKIP: planted'
expect kernel fail 'kernel: WARNING: planted'
expect hang fail 'not done after 15 s'
expect needs fail 'needs nf_conntrack of ours'
expect stock_got_in fail 'stock got in: nf_nat'
expect 1 passed '1 passed, 7 failed, 1 skipped'
if [ "$status" = 1 ]; then
	echo 'ok - selftests: a run with failures fails'
else
	echo 'not ok - selftests: a run with failures fails'
	failed=1
fi
exit "$failed"
