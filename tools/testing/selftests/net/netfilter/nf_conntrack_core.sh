#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Small things of the core that others rely on, and that the stock module does
# the same way: references of connections that netlink inserts, the order of
# SO_ORIGINAL_DST's errors, statistics of ICMP errors, sizes that are refused.
#
# needs: nf_conntrack
# vm: --append slub_debug=FZPU
# timeout: 200
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

trap cleanup_all_ns EXIT
ktap_print_header
ktap_set_plan 11
modprobe nf_conntrack
modprobe nf_conntrack_netlink

setup_ns left right
# Set by setup_ns.
: "${left:?}" "${right:?}"
ip link add v netns "$left" type veth peer name w netns "$right"
ip -n "$left" address add 10.1.0.1/24 dev v
ip -n "$right" address add 10.1.0.2/24 dev w
ip -n "$left" link set v up
ip -n "$right" link set w up
ip netns exec "$right" nft 'table ip t { chain c { type filter hook input priority 0; ct state new counter; }; }'

in_left() { ip netns exec "$left" "$@"; }
count() { in_left cat /proc/sys/net/netfilter/nf_conntrack_count; }
count_is() { [ "$(count)" = "$1" ]; }

# One reference is the table's, one the reader's.
insert() { in_left conntrack -I -p udp -s 10.8.0.1 -d 10.8.0.2 --sport "$1" --dport 53 -t 100; }
insert_many() {
	local port
	for port in {1..20}; do insert "$port" || return; done
}
check 'netlink inserts connections' insert_many
check 'the table has a reference to each' \
	[ "$(in_left grep -c 'sport=53 dport=.* use=2$' /proc/net/nf_conntrack)" = 20 ]
check_not 'not one twice' insert 1
delete() { in_left conntrack -D -p udp -s 10.8.0.1 -d 10.8.0.2 --sport 1 --dport 53; }
check 'netlink deletes one' delete
check 'it is gone' count_is 19
in_left conntrack -F >/dev/null 2>&1
check 'they are freed when they are flushed' slowwait 5 count_is 0

# The errors of getsockopt(SO_ORIGINAL_DST) for sockets without a connection.
cat >"${TMPDIR:-/tmp}/sockopt.py" <<'EOF'
import errno, socket
def error(family, kind, size):
    s = socket.socket(family, kind)
    try:
        s.getsockopt(socket.SOL_IP if family == socket.AF_INET else 41, 80, size)
    except OSError as e:
        return errno.errorcode[e.errno]
    return 'none'
for family, full in ((socket.AF_INET, 16), (socket.AF_INET6, 28)):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for size in (4, full):
            print(error(family, kind, size), end=' ')
EOF
# Needs the options, which are there with the module.
errors=$(in_left python3 "${TMPDIR:-/tmp}/sockopt.py")
four='EINVAL ENOENT ENOPROTOOPT ENOPROTOOPT'
check "SO_ORIGINAL_DST: $errors" [ "$errors" = "$four $four " ]

# An ICMP error about a connection that is not there is an error, not invalid.
cat >"${TMPDIR:-/tmp}/icmp.py" <<'EOF'
from scapy.all import *
send(IP(dst='10.1.0.2')/ICMP(type=3, code=3)/IP(src='10.1.0.2', dst='10.1.0.1')/UDP(sport=5, dport=6),
     count=5, verbose=0)
EOF
# statistic COLUMN: its sum over all processors.
statistic() {
	local sum=0 value
	for value in $(ip netns exec "$right" tail -n +2 /proc/net/stat/nf_conntrack |
		tr -s ' ' | cut -d ' ' -f "$1"); do
		sum=$((sum + 16#$value))
	done
	echo "$sum"
}
invalid=$(statistic 5) icmp_error=$(statistic 13)
in_left python3 "${TMPDIR:-/tmp}/icmp.py" >/dev/null 2>&1
check 'ICMP errors about nothing count as errors' [ $(($(statistic 13) - icmp_error)) = 5 ]
check 'and not as invalid' [ $(($(statistic 5) - invalid)) = 0 ]

setting=/proc/sys/net/netfilter/nf_conntrack_buckets
# shellcheck disable=SC2317 # called by check_not
refused() { echo "$1" >$setting; }
check_not 'a table of -1 buckets is refused' refused -1
check 'the kernel has nothing to say about it' clean
ktap_finished
