#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The bench runs: one row, ours and stock, in a VM each. Prints TAP.
set -eu
. "$(dirname "$0")/../vm/lib.sh"

BENCH_OUT=$(mktemp -d)
export BENCH_OUT
trap 'rm -rf "$BENCH_OUT"' EXIT
row='IPv4 ICMP established'
"$TOP/tools/bench/run" --modules "${MODULES:-ours}" --only "$row" >"$BENCH_OUT/table" || true
sed 's/^/# /' "$BENCH_OUT/table"

# Without tracking, stock and its spread, ours and its spread, the ratio.
if grep -qE "^$row( +[0-9]+){5} +[0-9]+\.[0-9]{2}$" "$BENCH_OUT/table"; then
	echo "ok - bench: a row is measured on both sides"
else
	echo "not ok - bench: a row is measured on both sides"
	exit 1
fi
