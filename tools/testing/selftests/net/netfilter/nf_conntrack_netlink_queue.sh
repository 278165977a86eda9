#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packets that are queued or logged to user space bring their connections along
# (nfnetlink_queue, nfnetlink_log), and a verdict changes the connection: mark,
# labels, timeout, status, what it expects, and sequence numbers when the packet
# got longer.
#
# needs: nf_conntrack nf_conntrack_netlink
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh
. ./lib.sh

ktap_print_header
ktap_set_plan 35
# shellcheck disable=SC2046 # words on purpose
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
export PYTHONDONTWRITEBYTECODE=1
modprobe -a nf_conntrack nf_conntrack_netlink nfnetlink_queue nfnetlink_log
routed
# Longer than all of this takes.
setting udp_timeout 600
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
mkdir -p /etc/xtables
echo '77 red' | tee /etc/connlabel.conf >/etc/xtables/connlabel.conf
rules <<'END' || exit
table inet test {
	ct helper ftp {
		type "ftp" protocol tcp
	}
	chain prerouting {
		type filter hook prerouting priority -300
		udp dport 4007 notrack
		udp dport 4012 ct zone set 12
	}
	chain before {
		type filter hook forward priority -10
		udp dport 4003 ct mark set 0x1111
		udp dport 4012 ct mark set 0x12
		udp dport 4099 ct label set red
		tcp dport 21 ct helper set "ftp"
	}
	chain queued {
		type filter hook forward priority 0
		udp dport 4013 log group 1
		udp sport 4013 log group 1
		udp dport 4000-4012 queue num 1
		udp sport 4000 queue num 1
		tcp dport 21 queue num 1
	}
	chain postrouting {
		type nat hook postrouting priority srcnat
		ip protocol tcp oifname r1 masquerade
	}
}
END
seen=$(mktemp)
in_router python3 ./nf_conntrack_netlink_queue.py >"$seen" 2>"$seen.errors" &
ready() { grep -q '"ready"' "$seen"; }
check 'a reader of queue and log' busywait 20000 ready

# carried HOW PORT FILTER: a packet of this port came that way, of which FILTER (jq) is true.
carried() {
	busywait 5000 carried_now "$@" || { cat "$seen.errors" && grep "\"port\": $2" "$seen" && false; }
}
carried_now() {
	jq -se "map(select(.how == \"$1\" and .port == $2)) | any($3)" "$seen" >/dev/null 2>&1
}
# What is sent to these ports: once, without an answer.
for port in 4001 4002 4003 4004 4005 4006 4007 4008 4009 4010 4012; do
	in_client socat -u - "UDP4:10.0.2.2:$port" <<<hello
done
in_client socat -u - 'UDP6:[fd00:2::2]:4001' <<<hello

listed() { in_router conntrack -L "${@:2}" 2>/dev/null | grep -E -- "$1" || { in_router conntrack -L "${@:2}" && false; }; }
check 'a packet brings its connection' carried queue 4001 '.info == 2 and .tuple_orig.ip.v4_src == "10.0.1.2" and .tuple_orig.proto.dport == 4001
	and .tuple_reply.ip.v4_src == "10.0.2.2" and .mark == 0 and .status != null and .id != null and .timeout != null'
check 'IPv6 too' carried queue 4001 '.tuple_orig.ip.v6_src == "fd00:1::2"'
check 'which is not confirmed yet' carried queue 4001 '(.status / 8 | floor) % 2 == 0'
check 'a verdict sets the mark' busywait 5000 listed 'src=10.0.1.2 .*dport=4001 .*mark=119 '
check 'IPv6 too' busywait 5000 listed 'src=fd00:1::2 .*dport=4001 .*mark=119 '
check 'labels' busywait 5000 listed 'dport=4002 .*labels=red' -o labels
check 'the rule set a mark' carried queue 4003 '.mark == 4369'
check 'of which some bits' busywait 5000 listed 'dport=4003 .*mark=4385 '
timeout_is() { busywait 5000 listed "^udp +17 $1 .*dport=$2 "; }
check 'the timeout' timeout_is '(49[0-9]{2}|5000)' 4004
check 'the status' busywait 5000 listed 'dport=4005 .* \[ASSURED\]'
check 'a dropped packet leaves none' eval '! listed dport=4006'
check 'of what is not tracked there is none' carried queue 4007 '.info == null and .tuple_orig == null'
check 'a wrong status does no harm' busywait 5000 listed 'dport=4008 '
check 'nor wrong labels' busywait 5000 listed 'dport=4009 .*mark=0 '
check 'nor an unknown helper' busywait 5000 listed 'dport=4010 .*mark=0 '
check 'the zone' carried queue 4012 '.zone == 12 and .mark == 18'

# Both directions.
listen "$server" UDP4 4000
listen "$server" UDP4 4013
check 'an answer' send "$client" UDP4:10.0.2.2:4000
check 'its first packet' carried queue 4000 '.info == 2'
check 'the reply' carried queue 4000 '.info == 3 and (.status / 2 | floor) % 2 == 1 and .tuple_orig.proto.dport == 4000'
check 'logged: an answer' send "$client" UDP4:10.0.2.2:4013
check 'logged: the first packet' carried log 4013 '.info == 2 and .tuple_orig.ip.v4_dst == "10.0.2.2"'
reply_logged() { jq -se 'map(select(.how == "log" and .info == 3)) | any(.tuple_reply.proto.sport == 4013)' "$seen"; }
check 'logged: the reply' busywait 5000 reply_logged

# An FTP control connection behind NAT: a packet is made longer, and a connection
# expected, both by user space.
in_server modprobe nf_conntrack_ftp
listen "$server" TCP4 21
coproc ftp { ip netns exec "$client" socat - TCP4:10.0.2.2:21; }
# say WHAT [ANSWER]
say() {
	local answer
	printf '%s\r\n' "$1" >&"${ftp[1]}" && read -rt 10 answer <&"${ftp[0]}" && is "${answer%$'\r'}" "${2:-$1}"
}
check 'TCP: the helper is known' carried queue 21 '.help.name == "ftp"'
check 'TCP: the state' carried queue 21 '.protoinfo.tcp.state == 1'
check 'a line before' say 'HELP x'
check 'TCP: established' carried queue 21 '.protoinfo.tcp.state == 3 and .info == 0'
check 'a line made longer' say 'USER me' 'USER somebody'
check 'a line after' say 'NOOP'
adjusted() { in_router conntrack -L -p tcp -o extended 2>/dev/null | grep -q dport=21; }
check 'its sequence numbers are adjusted' adjusted
check 'a line made longer again' say 'USER me again' 'USER somebody again'
check 'and another after' say 'PWD'
check 'a line with an expectation' say 'SITE expect'
expected() { in_router conntrack -L expect 2>/dev/null | grep -E "$1" || { in_router conntrack -L expect && false; }; }
check 'which is there' busywait 5000 expected 'src=10.0.2.2 dst=10.0.1.2 sport=0 dport=5120 .*helper=ftp'
check 'the sequence adjustment is carried' carried queue 21 '.seq_adj_orig.offset_after == 6 or .seq_adj_orig.offset_after == 12'
ktap_finished
