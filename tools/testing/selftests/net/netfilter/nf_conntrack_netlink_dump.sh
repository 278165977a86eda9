#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Dumps of a large table while entries come and go and while the table changes its
# size: what lives through a dump is in it, once.
#
# Argument: how many entries, by default 20,000 (a million: give the VM 4 GB).
#
# needs: nf_conntrack nf_conntrack_netlink
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 19
modprobe -a nf_conntrack nf_conntrack_netlink
export PYTHONDONTWRITEBYTECODE=1
size=/sys/module/nf_conntrack/parameters/hashsize
flag=$(mktemp -u)
stop=$flag.stop
before=$(<$size)
entries=${1:-20000}
setup_ns box
: "${box:?}"
echo 2000000 >/proc/sys/net/netfilter/nf_conntrack_max
# Long chains, so that dumps stop within one.
echo $((entries / 5)) >$size
# The size is set outside, where that is allowed.
while [ ! -e "$stop" ]; do
	if [ -e "$flag" ]; then
		for n in 3 1 5; do
			echo $((entries / n)) >$size
			sleep 0.03
		done
	else
		sleep 0.1
	fi
done &
resizer=$!
trap 'touch "$stop"; cleanup_all_ns' EXIT
while IFS='|' read -r result what; do
	case $result in
	'#'*) echo "$result" ;;
	*) check "$what" is "$result" ok ;;
	esac
done < <(ip netns exec "$box" python3 ./nf_conntrack_netlink_dump.py "$entries" "$flag" 2>&1)
touch "$stop"
wait "$resizer"
echo "$before" >$size
check 'the modules can go afterwards' eval 'cleanup_all_ns; busywait 20000 modprobe -r nf_conntrack_netlink'
ktap_finished
