#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One allocation in a hundred fails: first those of the packets' way, then those of
# commands. Connections and packets may be lost by that, memory and counts may not.
#
# needs: nf_conntrack nf_nat nf_conntrack_netlink
# timeout: 400
. ./mix.sh

ktap_print_header
ktap_set_plan 14
mix_begin
check 'traffic gets through' mix_reaches

check 'allocations that may not sleep fail' \
	fault failslab ignore-gfp-wait=Y task-filter=N interval=1 times=-1 probability=1
mix_traffic
mix_others
sleep "${SECONDS_OF_STRESS:-40}"
stop_jobs
fault failslab probability=0
check 'traffic gets through when they do no more' slowwait 30 mix_reaches

# Of the commands below, by a mark that their children inherit.
# shellcheck disable=SC2016 # the inner shell's own
failing() {
	job ip netns exec "$router" bash -c "while :; do
		(echo 1 >/proc/self/make-it-fail; $1)
		sleep 0.05
	done"
}
# Not those of processes' memory: this kernel itself does not get over them (a page
# fault that fails for want of memory, in a copy from or to a process).
caches() {
	local cache
	for cache in /sys/kernel/slab/{kmalloc-*,nf_*,skbuff_*,nft_*}; do
		[ ! -w "$cache/failslab" ] || echo 1 >"$cache/failslab"
	done
	grep -q 1 /sys/kernel/slab/nf_conntrack/failslab && grep -q 1 /sys/kernel/slab/kmalloc-64/failslab
}
check 'of all caches for objects of modules' caches
check 'allocations of some commands fail, all of them' \
	fault failslab cache-filter=Y ignore-gfp-wait=N task-filter=Y probability=1
mix_traffic
failing 'exec conntrack -L'
failing 'exec conntrack -I -p tcp -s 10.8.0.1 -d 10.8.0.2 --sport 5 --dport 80 -t 3 --state SYN_SENT --src-nat 10.8.0.9'
failing 'exec conntrack -D -p udp'
failing 'exec timeout 2 conntrack -E'
failing "exec nft '$mix_rules'"
failing 'exec sysctl -qw net.netfilter.nf_conntrack_buckets=8192'
failing 'exec sysctl -qw net.netfilter.nf_conntrack_buckets=1024'
failing 'exec nft add table inet a'
# shellcheck disable=SC2016 # the inner shell's own
failing 'ns=fail-$BASHPID; ip netns add $ns && ip netns exec $ns nft "table ip a { chain b { type nat hook output priority 0; masquerade; }; }"; echo 0 >/proc/self/make-it-fail; ip netns delete $ns'
sleep "${SECONDS_OF_STRESS:-40}"
stop_jobs
fault failslab probability=0
rules <<<"$mix_rules"
check 'traffic gets through afterwards' slowwait 30 mix_reaches
mix_end

# The same while modules come: each load goes wrong at another allocation, and
# leaves nothing. What a module needs is there already, and stays.
loads() {
	local module=$1 failed=0 loaded=0
	fault failslab cache-filter=Y ignore-gfp-wait=N task-filter=Y probability=1 || return 1
	for _ in {1..30}; do
		# shellcheck disable=SC2016 # the inner shell's own
		if bash -c 'echo 1 >/proc/self/make-it-fail; exec modprobe "$0"' "$module" 2>/dev/null; then
			loaded=$((loaded + 1))
		else
			failed=$((failed + 1))
		fi
		rmmod "$module" 2>/dev/null
	done
	fault failslab probability=0
	echo "# $module: $loaded loads, $failed that failed"
	[ "$failed" -gt 0 ] && modprobe "$module"
}
modprobe -a nf_defrag_ipv4 nf_defrag_ipv6 nfnetlink
for module in nf_conntrack nf_nat nf_conntrack_netlink; do
	if loads $module; then ktap_test_pass "$module loads, or does not"; else ktap_test_fail "$module loads, or does not"; fi
done
check 'and they go' modprobe -r nf_nat nf_conntrack_netlink nf_conntrack
ktap_finished
