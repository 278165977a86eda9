# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every tool here shares: where things are, how they speak, and the one
# way into the build root. Sourced, never run.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
BUILD=${BUILD:-$TOP/build}
# shellcheck disable=SC2034
ROOT=$BUILD/root
# The checkout as seen from inside the build root.
# shellcheck disable=SC2034
INSIDE=/rustynat

export LC_ALL=C.UTF-8
export DEBIAN_FRONTEND=noninteractive

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
	_bold=$'\e[1m' _red=$'\e[31m' _plain=$'\e[0m'
else
	_bold='' _red='' _plain=''
fi

# A step has begun.
say() { printf '%s==> %s%s\n' "$_bold" "$*" "$_plain" >&2; }

# One clear line, and the end.
die() {
	printf '%serror: %s%s\n' "$_red" "$*" "$_plain" >&2
	exit 1
}

# quietly LOG COMMAND...: run COMMAND with its output in LOG and a dot every
# few seconds; show the end of LOG if it fails.
quietly() {
	local log=$1 pid dots
	shift
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	(while sleep 4; do printf . >&2; done) &
	dots=$!
	if wait "$pid"; then
		kill "$dots" 2>/dev/null
		wait "$dots" 2>/dev/null
		printf '\n' >&2
	else
		local rc=$?
		kill "$dots" 2>/dev/null
		wait "$dots" 2>/dev/null
		printf '\n' >&2
		tail -n 25 "$log" >&2
		printf '(the whole log: %s)\n' "$log" >&2
		return "$rc"
	fi
}

# in_root COMMAND...: run COMMAND in the build root, as its root user, with the
# checkout at $INSIDE. All mounts live in a mount namespace of their own, so
# none can outlive the command.
in_root() { "$TOP/tools/vm/enter" "$@"; }

# The kernel release that everything is built for (written by tools/vm/setup).
kernel_release() {
	[ -s "$BUILD/release" ] || die "no kernel set up yet: run 'make setup'"
	cat "$BUILD/release"
}
