# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How the demonstration looks: titles, steps, tables. Sourced, never run.
# shellcheck disable=SC2034 # colours are used by the sections

if [ -n "${DEMO_COLOUR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m'
	blue=$'\e[34m' magenta=$'\e[35m' cyan=$'\e[36m' plain=$'\e[0m'
else
	bold='' dim='' red='' green='' yellow='' blue='' magenta='' cyan='' plain=''
fi
columns=98

# repeat TEXT COUNT
repeat() {
	local i
	for ((i = 0; i < $2; i++)); do printf '%s' "$1"; done
}

# title TEXT: the headline of it all.
title() {
	printf '\n %s%s%s\n %s%s%s\n' "$bold" "$1" "$plain" "$bold" "$(repeat ━ $((columns - 1)))" "$plain"
}

# section TITLE [REMARK]: a new part begins.
section() {
	local rest=$((columns - ${#1} - 5))
	printf '\n %s━━ %s %s%s\n' "$bold" "$1" "$(repeat ━ "$rest")" "$plain"
	if [ $# -gt 1 ]; then printf '    %s%s%s\n' "$dim" "$2" "$plain"; fi
}

# shown COMMAND...: print a command line as a person would have typed it.
shown() { printf '    %s$ %s%s\n' "$bold" "$*" "$plain"; }

# indent: show standard input, indented and not wider than the page.
indent() {
	local line
	while IFS= read -r line; do
		line=${line//$'\t'/    }
		printf '    %s\n' "${line:0:columns-4}"
	done
}

# shorten: write IPv6 addresses as people do; /proc gives them in full.
shorten() { sed -E 's/:0{1,3}([0-9a-f])/:\1/g; s/(:0){2,}:/::/g'; }

# fail WHAT [DETAILS]: the end.
fail() {
	printf '\n%s demo: FAILED: %s%s\n' "$red" "$1" "$plain"
	if [ -n "${2:-}" ]; then indent <<<"$2"; fi
	exit 1
}

# step FROM TO PROTOCOL FAMILY WHAT COMMAND...: one act of traffic. COMMAND
# succeeds if it went as it should, and says in a line what came of it.
step() {
	local from=$1 to=$2 protocol=$3 family=$4 what=$5 result
	shift 5
	printf '    %-6s ─► %-6s  %-4s %-4s  %-38s ' "$from" "$to" "$protocol" "$family" "$what"
	if result=$("$@" 2>&1); then
		steps=$((steps + 1))
		printf '%s✔%s %s\n' "$green" "$plain" "${result##*$'\n'}"
	else
		printf '%s✘%s\n' "$red" "$plain"
		fail "$from to $to, $protocol over $family: $what" "$result"
	fi
}

# The number of acts of traffic that went well.
steps=0

# until_true WHAT COMMAND...: wait for something that takes a moment.
until_true() {
	local what=$1 i
	shift
	for ((i = 0; i < 100; i++)); do
		if "$@" >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	fail "waited 10 s in vain: $what"
}
