#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: the demonstration as a test. Prints TAP, a point for each act of
# traffic and one for the whole; and plants a fault that it must report.
set -u
# shellcheck source=tools/vm/lib.sh
. "$(dirname "$0")/../vm/lib.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

# result STATUS NAME: a point; with the end of the log if it is red.
result() {
	if [ "$1" = 0 ]; then
		echo "ok - demo: $2"
	else
		failed=1
		echo "not ok - demo: $2"
		tail -n 25 "$log" | sed 's/^/# /'
	fi
}

status=0
"$TOP/tools/demo/run" >"$log" 2>&1 || status=$?
sed -nE 's/^ +((client|server) ─► .*[^ ]) +✔ .*/ok - demo: \1/p' "$log" | tr -s ' '
result "$status" 'all of it'

# A router that forwards nothing new: the first act cannot go well.
status=0
"$TOP/tools/vm/run" --quiet --timeout 300 -- \
	sh -c 'cp -r tools/demo /tmp/demo && sed -i "s/ct state new counter accept/ct state new counter drop/" /tmp/demo/ruleset.nft && exec /tmp/demo/guest' \
	>"$log" 2>&1 || status=$?
[ "$status" = 1 ] && grep -q 'demo: FAILED: client to server, ICMP over IPv4' "$log"
result $? 'a planted fault is reported'
exit "$failed"
