#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the front door: a set-up that is interrupted goes on and leaves no
# mount behind, one that is done takes no time, modules are installed and taken
# away again, clear words where something is missing. Prints TAP.
set -u
. "$(dirname "$0")/../vm/lib.sh"
cd "$TOP" || exit 1

number=0 failures=0
check() {
	local name=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/out" 2>&1; then
		printf 'ok %d - %s\n' "$number" "$name"
	else
		failures=$((failures + 1))
		printf 'not ok %d - %s\n' "$number" "$name"
		sed 's/^/# /' "$work/out" | tail -n 15
	fi
}

work=$(mktemp -d "$BUILD/tools-test.XXXXXX")
trap 'BUILD=$work/build tools/vm/remove; rm -rf "$work"' EXIT
release=$(kernel_release)

# A set-up of its own, stopped in the middle of its second step.
interrupted() {
	BUILD=$work/build UNTIL=root_packages setsid tools/vm/setup >"$work/first" 2>&1 &
	local pid=$!
	for _ in $(seq 600); do
		grep -q 'Packages of the build root' "$work/first" && break
		sleep 0.2
	done
	sleep 3
	kill -TERM -- "-$pid"
	wait "$pid"
	# What ran in the build root dies with its namespace.
	for _ in $(seq 50); do
		pgrep -f "chroot $work/build/root" >/dev/null || break
		sleep 0.2
	done
	cat "$work/first"
	[ -e "$work/build/stamps/root" ] && [ ! -e "$work/build/stamps/root-packages" ]
}
no_mounts() { ! grep -F "$work" /proc/self/mounts; }
continued() {
	BUILD=$work/build UNTIL=root_packages tools/vm/setup || return
	[ -e "$work/build/stamps/root-packages" ]
}
quick() {
	local start=$SECONDS
	UNTIL=choose_kernel BUILD=$work/build tools/vm/setup && [ $((SECONDS - start)) -lt 20 ]
}
wrong_kernel() {
	! KVER=7.2.0 BUILD=$work/build UNTIL=choose_kernel tools/vm/setup >"$work/kver" 2>&1 &&
		cat "$work/kver" && grep -q '^error: kernel 7.2.0 is not offered' "$work/kver"
}
installed() {
	local modules=$work/dest/lib/modules/$release
	mkdir -p "$modules"
	: >"$modules/modules.order"
	: >"$modules/modules.builtin"
	DESTDIR=$work/dest RELEASE=$release tools/install install || return
	local ko
	for ko in build/modules/*.ko; do
		cmp "$ko" "$modules/updates/rustynat/$(basename "$ko")" || return
	done
	grep -q '^updates/rustynat/' "$modules/modules.dep"
}
uninstalled() {
	DESTDIR=$work/dest RELEASE=$release tools/install uninstall || return
	! grep -r rustynat "$work/dest/lib/modules/$release/modules.dep" &&
		[ ! -e "$work/dest/lib/modules/$release/updates/rustynat" ]
}
other_kernel() {
	! DESTDIR=$work/dest RELEASE=6.12.0-1-amd64 tools/install install >"$work/other" 2>&1 &&
		grep -q "^error: the modules are built for $release" "$work/other"
}

check "an interrupted set-up stops" interrupted
check "it leaves no mount behind" no_mounts
check "run again, it goes on where it was" continued
check "done, it takes no time" quick
check "a kernel that is not offered is named" wrong_kernel
check "modules are installed where modprobe finds them first" installed
check "they are taken away again" uninstalled
check "modules are refused to a kernel they are not for" other_kernel
printf '1..%d\n' "$number"
[ "$failures" = 0 ]
