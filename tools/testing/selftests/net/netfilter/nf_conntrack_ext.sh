#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack: what can hang on a connection. Counters, time, marks, labels,
# helpers and what they expect, timeouts, events, the original destination; and
# packets that are not tracked.
#
# needs: nf_conntrack
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 27
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT

modprobe nf_conntrack
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
mkdir -p /etc/xtables
# nft reads the one, conntrack the other.
echo '77 red' | tee /etc/connlabel.conf >/etc/xtables/connlabel.conf
rules <<'END' || exit
table inet test {
	ct helper ftp {
		type "ftp" protocol tcp
	}
	ct timeout short {
		protocol udp
		l3proto ip
		policy = { unreplied : 1000, replied : 2000 }
	}
	counter untracked { }
	counter related { }
	chain prerouting {
		type filter hook prerouting priority -300
		udp dport 4009 notrack
	}
	chain forward {
		type filter hook forward priority 0
		tcp dport 21 ct helper set "ftp"
		udp dport 4001 ct timeout set "short"
		udp dport 4002 ct label set red
		udp dport 4003 ct mark set 0x1234
		ct state untracked counter name untracked
		ct state related tcp dport 5120 counter name related
	}
	chain nat {
		type nat hook prerouting priority dstnat
		tcp dport 4010 redirect to :4011
	}
}
END
named() { in_router nft -j list counter inet test "$1" | jq '.nftables[1].counter.packets'; }

# Counters and time.
setting acct 1
setting timestamp 1
in_client ping -qc 3 -i 0.3 10.0.2.2 >/dev/null
check 'counters' has_connection 'icmp .* id=[0-9]+ packets=3 bytes=252 src=.* packets=3 bytes=252 mark=0 '
check 'time since it began' has_connection ' icmp .* delta-time=[0-9]+ use='
setting acct 0
setting timestamp 0
in_client ping -qc 1 10.0.2.1 >/dev/null
in_client ping -6qc 1 fd00:2::2 >/dev/null
check 'without the setting, none' has_connection '^ipv6 .* icmpv6 .* id=[0-9]+ mark=0 (secctx=[^ ]* )?(zone=0 )?use='

# Timeouts, labels, marks, none.
listen "$server" UDP4 4001
send "$client" UDP4:10.0.2.2:4001 >/dev/null
for port in 4002 4003 4009; do
	in_client socat -u - "UDP4:10.0.2.2:$port" <<<hello
done
check 'a timeout policy' has_connection ' udp +17 (9[0-9]{2}|1000) .* dport=4001 '
check 'a label' eval 'in_router conntrack -L -l red 2>&1 | grep dport=4002'
check 'only where it was set' eval '! in_router conntrack -L -l red 2>/dev/null | grep -v dport=4002'
check 'a mark' has_connection ' dport=4003 .* mark=4660 '
in_router conntrack -U -p udp --dport 4003 --mark 7 >/dev/null 2>&1
check 'a mark changed from user space' has_connection ' dport=4003 .* mark=7 '
check 'not tracked: rules see that' above "$(named untracked)" 0
check_not 'not tracked: no connection' has_connection ' dport=4009 '

# A helper, what it expects, and what comes of that.
listen "$server" TCP4 21
coproc ftp { ip netns exec "$client" socat - TCP4:10.0.2.2:21; }
say() {
	local answer
	printf '%s\r\n' "$1" >&"${ftp[1]}" && read -rt 10 answer <&"${ftp[0]}" && is "${answer%$'\r'}" "$1"
}
check 'a control connection' say 'USER me'
check 'with a PORT command' say 'PORT 10,0,1,2,20,0'
expected() { in_router grep -E "$1" /proc/net/nf_conntrack_expect; }
check 'the connection to come' expected \
	'^[0-9]+ l3proto = 2 proto=6 src=10\.0\.2\.2 dst=10\.0\.1\.2 sport=0 dport=5120 .*ftp$'
check 'the number of them' is "$(in_router conntrack -L expect 2>/dev/null | wc -l)" 1
listen "$client" TCP4 5120
check 'it comes' send "$server" TCP4:10.0.1.2:5120
check 'and is RELATED' above "$(named related)" 0
check_not 'and expected no more' expected dport=5120

# Events.
events() {
	local out
	out=$(mktemp)
	setting events "$1"
	in_router timeout 4 conntrack -E -p icmp >"$out" 2>/dev/null &
	sleep 1.5
	in_client ping -qc 1 10.0.2.2 >/dev/null
	wait $!
	cat "$out"
}
check 'events: none with 0' is "$(events 0)" ''
seen=$(events 1)
both() { grep -E '\[NEW\] icmp .*UNREPLIED' <<<"$1" && grep -E '\[UPDATE\] icmp .*id=' <<<"$1"; }
check 'events: new and update with 1' both "$seen"
seen=$(events 2)
check 'events: new and update with 2' both "$seen"
setting events 2
check_not 'events: 3 is no value' setting events 3

# The original destination of what was redirected.
original=$(
	cat <<'END'
import socket, struct, sys
family = socket.AF_INET6 if sys.argv[1] == '6' else socket.AF_INET
server = socket.socket(family)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('', 4011))
server.listen()
server.settimeout(20)
peer = server.accept()[0]
if family == socket.AF_INET:
    port, address, rest = struct.unpack('!2xH4s8s', peer.getsockopt(socket.IPPROTO_IP, 80, 16))
    # Not what was in the kernel's memory (CVE-2006-1343).
    assert rest == bytes(8), rest
else:
    port, address = struct.unpack('!2xH4x16s4x', peer.getsockopt(socket.IPPROTO_IPV6, 80, 28))
print(socket.inet_ntop(family, address), port)
END
)
listening() { in_router ss -Hltn | grep -q ':4011\>'; }
original_of() {
	local out
	out=$(mktemp)
	in_router python3 -c "$original" "$1" >"$out" 2>&1 &
	slowwait 20 listening
	in_client socat -u - "TCP$1:$2:4010" <<<hello
	wait $!
	is "$(cat "$out")" "$3 4010"
}
check 'the original destination, IPv4' original_of 4 10.0.2.2 10.0.2.2
check 'the original destination, IPv6' original_of 6 '[fd00:2::2]' fd00:2::2
none() {
	in_router python3 -c 'import socket
s = socket.socket()
try: s.getsockopt(0, 80, 16)
except OSError as e: print(e.errno)'
}
check 'a socket without a connection has none' is "$(none)" 2

check 'forget all' forget
check 'nothing is left' slowwait 10 count_is 0
check 'the helper goes away' eval 'in_router nft flush ruleset; modprobe -r nf_conntrack_ftp'
ktap_finished
