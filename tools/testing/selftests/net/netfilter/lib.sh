# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the kselftests here share: the kernel's own shell library (setup_ns,
# cleanup_all_ns, busywait, …) and its TAP printers (ktap_*), both from the
# kselftests installed by set-up. Sourced, never run.

: "${KSELFTESTS:=/rustynat/build/kernel/$(cat /rustynat/build/release)/selftests}"
# shellcheck disable=SC1091 # made by set-up
. "$KSELFTESTS/kselftest/ktap_helpers.sh"
# shellcheck disable=SC1091
. "$KSELFTESTS/net/lib.sh"

# check WHAT COMMAND...: a test point that passes if COMMAND does. What COMMAND
# prints is shown only if it fails.
check() {
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then
		ktap_test_pass "$what"
	else
		ktap_test_fail "$what"
		printf '%s\n' "$output" | sed 's/^/# /'
	fi
}

# check_not WHAT COMMAND...: a test point that passes if COMMAND fails.
check_not() {
	local what=$1
	shift
	# shellcheck disable=SC2317 # called by check
	not() { ! "$@"; }
	check "$what" not "$@"
}

# skip_all WHY: end a test that cannot run here.
skip_all() {
	ktap_skip_all "$@"
	exit "$KSFT_SKIP"
}
