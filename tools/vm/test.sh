#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [CASE...]: is tools/vm/run to be believed? Faults are planted, and each
# must turn the run red. Prints TAP; the cases run side by side, so the points
# come without numbers.
set -u
. "$(dirname "$0")/lib.sh"
run=$TOP/tools/vm/run

# ends WITH OPTION... -- COMMAND...: the run must exit with status WITH. What it
# printed is then in $out, what it said about itself in $err.
ends() {
	local with=$1 rc=0
	shift
	"$run" "$@" >"$scratch/out" 2>"$scratch/err" || rc=$?
	out=$(<"$scratch/out") err=$(<"$scratch/err")
	[ "$rc" = "$with" ] || { problem="exit status $rc instead of $with: $out $err" && return 1; }
}

# The text $1 must contain $2.
has() {
	[[ $1 == *"$2"* ]] || { problem="no '$2' in: $1" && return 1; }
}

case_exit_status() { ends 7 -- sh -c 'echo to-stdout; echo to-stderr >&2; exit 7' && has "$out" to-stdout && has "$out" to-stderr; }
# shellcheck disable=SC2016 # not to be expanded
case_words() { ends 0 -- printf '<%s>' 'a  b' '$c' "d'e" && has "$out" "<a  b><\$c><d'e>"; }
case_timeout() { ends 124 --timeout 15 -- sleep 1000 && has "$err" 'not done after 15 seconds'; }
case_crash() { ends 70 -- sh -c 'echo before; echo c >/proc/sysrq-trigger; sleep 100' && has "$out" before && has "$err" 'sysrq triggered crash'; }
case_warning() { ends 70 -- sh -c 'echo "WARNING: planted at 0x0, CPU#0: test" >/dev/kmsg' && has "$err" 'WARNING: planted'; }
case_bug() { ends 70 -- sh -c 'echo "BUG: planted" >/dev/kmsg; exit 3' && has "$err" 'BUG: planted'; }
case_poweroff() { ends 71 -- sh -c 'busybox poweroff -f' && has "$err" 'ended before the command'; }
case_one_cpu() { ends 0 --cpus 1 -- nproc && has "<$out>" '<1>'; }
case_append() { ends 0 --append 'planted.word=1' --mem 512 -- cat /proc/cmdline && has "$out" planted.word=1; }

# A loop of so many instructions takes so much guest time, not more or less
# when the machine has other things to do.
case_icount() {
	ends 0 --icount -- sh -c 'nproc; cat /proc/uptime' && has "$out" '1
'
}

case_results() {
	local mark=/usr/share/vm-test-was-here
	ends 0 --modules stock --results "$scratch/results" -- \
		sh -c "modprobe nf_conntrack; touch $mark && echo yes >/results/file" &&
		has "$(cat "$scratch/results/file")" yes &&
		has "$(cat "$scratch/results/implementations")" 'nf_conntrack             stock' || return
	[ ! -e "$ROOT$mark" ] || { problem="the VM changed the build root" && return 1; }
}

# updates/ wins, and only what was named is there.
case_module_choice() {
	local file
	file=build/vm/base-$(kernel_release)/modules/kernel/net/netfilter/nf_nat.ko
	ends 0 --modules "stock,nf_nat=$file" -- sh -c 'modinfo -n nf_nat nf_conntrack' &&
		has "$out" /updates/nf_nat.ko && has "$out" /kernel/net/netfilter/nf_conntrack.ko
}

# nf_conntrack is the one that needs no other module of ours.
case_module_ours() {
	[ -e "$BUILD/modules/nf_conntrack.ko" ] || return 4
	ends 0 --modules stock,nf_conntrack=ours -- sh -c 'modprobe nf_conntrack && rustynat-impl' && has "$out" ours
}

case_module_unknown() { ends 71 --modules no_such=ours -- true && has "$err" no_such; }

# An interrupted run takes QEMU and its folder with it.
case_interrupt() {
	local pid tag="planted.interrupt=$$"
	"$run" --append "$tag" -- sleep 1000 >/dev/null 2>&1 &
	pid=$!
	sleep 4
	pgrep -f "qemu.*$tag" >/dev/null || { problem="QEMU did not start" && return 1; }
	kill "$pid"
	wait "$pid"
	sleep 1
	! pgrep -f "qemu.*$tag" >/dev/null || { problem="QEMU is still there" && return 1; }
}

case_virtme() {
	out=$("$TOP/tools/vm/virtme" 'uname -r; modprobe nf_conntrack; rustynat-impl; cut -d" " -f1 /proc/modules' 2>&1) || problem="exit status $?: $out"
	has "$out" "$(kernel_release)" && has "$out" nf_defrag_ipv4 &&
		has "$out" 'nf_conntrack             '
}

if [ "${1:-}" = --one ]; then
	name=${2#case_} problem='' out='' err='' rc=0
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	"$2" || rc=$?
	case $rc in
	0) echo "ok - vm: $name" ;;
	4) echo "ok - vm: $name # SKIP no module of ours is built" ;;
	*) printf 'not ok - vm: %s\n# %s\n' "$name" "${problem//$'\n'/$'\n'# }" ;;
	esac
	exit 0
fi

mapfile -t cases < <(compgen -A function | grep ^case_)
[ $# -eq 0 ] || cases=("${@/#/case_}")
echo "TAP version 13"
echo "1..${#cases[@]}"
"$run" --modules stock true || exit # what VMs share is made once, before
printf '%s\n' "${cases[@]}" | xargs -n 1 -P "$(nproc)" "$0" --one | tee "$BUILD/vm/test.log"
! grep -q '^not ok' "$BUILD/vm/test.log"
