#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Events: the lives of a TCP and of a UDP connection in order, marks, labels,
# the expectations of an FTP session, groups, listeners in other namespaces, and
# a listener that is too slow: what it is told when it wants to be told all.
#
# needs: nf_conntrack nf_conntrack_netlink
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2016
. ./lib.sh

ktap_print_header
ktap_set_plan 53
# shellcheck disable=SC2046 # words on purpose
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
export PYTHONDONTWRITEBYTECODE=1
modprobe -a nf_conntrack nf_conntrack_netlink nf_conntrack_ftp
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
mkdir -p /etc/xtables
echo '77 red' | tee /etc/connlabel.conf >/etc/xtables/connlabel.conf
rules <<'END' || exit
table inet test {
	ct helper ftp {
		type "ftp" protocol tcp
	}
	chain tracked {
		type filter hook forward priority 0
		tcp dport 21 ct helper set "ftp"
		udp dport 4001 ct direction reply ct mark set 5
		udp sport 4001 ct mark set 5
		udp sport 4002 ct label set red
	}
}
END
logs=$(mktemp -d)
# listener NAME NAMESPACE ARGUMENT...: conntrack -E, written to $logs/NAME.
listener() {
	local name=$1 where=$2
	shift 2
	ip netns exec "$where" stdbuf -oL conntrack -E "$@" >"$logs/$name" 2>/dev/null &
	listeners+=($!)
}
listeners=()
listener all "$router" -o timestamp,id,labels
listener new "$router" -e NEW
listener updates "$router" -e UPDATES
listener destroy "$router" -e DESTROY
listener tcp "$router" -p tcp
listener expect "$router" expect
listener xml "$router" -o xml -p udp
listener ktimestamp "$router" -o ktimestamp -p udp -e NEW,DESTROY
listener client "$client"
setting timestamp 1
setting acct 1
# Each has its socket: the routing family apart, nine of netfilter's.
sockets() { [ "$(in_router cat /proc/net/netlink | awk '$2 == 12 && $4 != "00000000"' | wc -l)" -ge 8 ]; }
check 'listeners are there' busywait 20000 sockets

# events NAME PATTERN: how the events that match go on: kind, and state or marks.
# shellcheck disable=SC2317,SC2329 # called by check
events() {
	grep -E -- "$2" "$logs/$1" | sed -nE 's/.*\[(NEW|UPDATE|DESTROY)\] +[a-z0-9]+ +[0-9]+ +([0-9]+ )?([A-Z_0-9]* ?)?src=.*/\1 \3/p; ' | sed 's/ *$//'
}
# in_order NAME PATTERN EVENT...: exactly these, in this order.
# shellcheck disable=SC2317,SC2329
in_order() {
	local name=$1 pattern=$2
	shift 2
	arrived() { [ "$(events "$name" "$pattern" | wc -l)" -ge "$1" ]; }
	busywait 5000 arrived $#
	is "$(events "$name" "$pattern" | paste -sd ,)" "$(printf '%s\n' "$@" | paste -sd ,)"
}
# seen NAME PATTERN: an event that matches.
# shellcheck disable=SC2317,SC2329
seen() {
	found() { grep -qE -- "$2" "$logs/$1"; }
	busywait 5000 found "$@" || { cat "$logs/$1" && false; }
}

# TCP: open, speak, close, delete.
for f in 4 6; do
	listen "$server" TCP$f 4000
	[ $f = 4 ] && peer=10.0.2.2 || peer='[fd00:2::2]'
	send "$client" "TCP$f:$peer:4000" >/dev/null
	bare=${peer//[\[\]]/}
	closed() { in_router conntrack -L -p tcp -d "$bare" 2>/dev/null | grep -q TIME_WAIT; }
	check "IPv$f: a TCP connection comes to its end" busywait 5000 closed
	in_router conntrack -D -p tcp -d "$bare" >/dev/null 2>&1
	check "IPv$f: its events" in_order all "src=.* dst=$bare sport=[0-9]+ dport=4000" 'NEW SYN_SENT' 'UPDATE SYN_RECV' \
		'UPDATE ESTABLISHED' 'UPDATE FIN_WAIT' 'UPDATE LAST_ACK' 'UPDATE TIME_WAIT' 'DESTROY TIME_WAIT'
done
check 'it was assured when established' seen all '\[UPDATE\] tcp .* ESTABLISHED .*dport=4000 .*\[ASSURED\]'
check 'not before' eval '! grep -E "SYN_RECV .*ASSURED" "$logs/all"'
check 'its timeouts are those of the states' seen all '\[UPDATE\] tcp +6 (59|60) SYN_RECV'
check 'the end tells what went through' seen all '\[DESTROY\] tcp .*dst=10.0.2.2 .* packets=[0-9]+ bytes=[0-9]+ .* packets=[0-9]+ bytes='
check 'and how long it lasted' seen all '\[DESTROY\] tcp .* delta-time=[0-9]+'
check 'each has a time' eval '! grep -vE "^\[[0-9]{10}\.[0-9]{6}\]" "$logs/all"'
# shellcheck disable=SC2016 # awk's own
check 'times do not go back' awk -F '[][.]' '{ t = $2 * 1000000 + $3; if (t < last) exit 1; last = t }' "$logs/all"
check 'one id for each of them' is "$(grep 'dport=4000' "$logs/all" | grep -oE ' id=[0-9]+' | sort -u | wc -l)" 2

# UDP: asked, answered, once more later, over.
listen "$server" UDP4 4000
listen "$server" UDP4 4001
listen "$server" UDP4 4002
for _ in 1 2 3 4; do
	echo hello
	sleep 1
done | in_client socat -t 1 - UDP4:10.0.2.2:4000,sourceport=4444 >/dev/null
in_router conntrack -D -p udp --dport 4000 >/dev/null 2>&1
check 'UDP: its events' in_order all 'udp .*sport=4444 dport=4000' NEW UPDATE UPDATE DESTROY
nth() { grep -E "$2" "$logs/all" | sed -n "$1p" | grep -E "$3" || { cat "$logs/all" && false; }; }
# Whole seconds, of what is left when the event is written.
check 'UDP: unreplied' nth 1 'sport=4444 dport=4000' 'udp +17 (29|30) .*\[UNREPLIED\]'
check 'UDP: replied' nth 2 'sport=4444 dport=4000' 'udp +17 (29|30) src=[^[]*$'
check 'UDP: a stream' nth 3 'sport=4444 dport=4000' 'udp +17 (119|120) .*\[ASSURED\]'
send "$client" UDP4:10.0.2.2:4001 >/dev/null
check 'a mark' seen all '\[UPDATE\] udp .*dport=4001 .*mark=5 '
send "$client" UDP4:10.0.2.2:4002 >/dev/null
check 'a label' seen all '\[UPDATE\] udp .*dport=4002 .*labels=red'
in_router conntrack -U -p udp --dport 4001 -m 99 >/dev/null 2>&1
check 'a mark set by the tool' seen all '\[UPDATE\] udp .*dport=4001 .*mark=99 '

# Over by itself: seen when a packet looks for it again.
in_router conntrack -I -p udp -s 10.0.1.2 -d 10.0.2.2 --sport 5555 --dport 4009 -t 1 >/dev/null 2>&1
check 'made by the tool' seen all '\[NEW\] udp +17 [01] src=10.0.1.2 dst=10.0.2.2 sport=5555 dport=4009 .*\[USERSPACE\] portid=[0-9]+'
sleep 2
in_client socat -u - UDP4:10.0.2.2:4009,sourceport=5555 <<<hello
check 'one that is over, and the next' in_order all 'udp .*sport=5555 dport=4009' NEW DESTROY NEW
in_client ping -qc 1 10.0.2.2 >/dev/null
check 'ICMP' in_order all 'icmp .*src=10.0.1.2' NEW UPDATE

# An FTP session.
in_server python3 ./ftp_peer.py >"$logs/ftp" 2>&1 &
wait_local_port_listen "$server" 21 tcp
session=$(
	cat <<'END'
import ftplib, sys
for active in (True, False):
    for host in sys.argv[1:]:
        with ftplib.FTP(timeout=60) as ftp:
            ftp.connect(host)
            ftp.set_pasv(not active)
            ftp.voidcmd('USER me')
            got = []
            ftp.retrbinary('RETR 3', got.append)
            print(active, host, sum(map(len, got)))
END
)
check 'FTP: four sessions' is "$(in_client timeout 60 python3 -c "$session" 10.0.2.2 fd00:2::2 | paste -sd ,)" \
	'True 10.0.2.2 3000,True fd00:2::2 3000,False 10.0.2.2 3000,False fd00:2::2 3000'
check 'FTP: expected, from the server' seen expect '\[NEW\] (300|299) proto=6 src=10.0.2.2 dst=10.0.1.2 sport=0 dport=[0-9]+ mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.0.1.2 master-dst=10.0.2.2 sport=[0-9]+ dport=21 class=0 helper=ftp'
check 'FTP: expected, from the client' seen expect '\[NEW\] (300|299) proto=6 src=10.0.1.2 dst=10.0.2.2 '
check 'FTP: the same for IPv6' seen expect '\[NEW\] (300|299) proto=6 src=fd00:2::2 dst=fd00:1::2 '
check 'FTP: fulfilled' seen expect '\[DESTROY\] [0-9]+ proto=6 src=10.0.2.2 dst=10.0.1.2 '
check 'FTP: as many gone as came' is "$(grep -c DESTROY "$logs/expect")" "$(grep -c NEW "$logs/expect")"
check 'FTP: four of them' is "$(grep -c NEW "$logs/expect")" 4

# Groups and namespaces.
only() { [ -s "$logs/$1" ] && ! grep -v "\[$2\]" "$logs/$1"; }
check 'only new ones' only new NEW
check 'only updates' only updates UPDATE
check 'only ends' only destroy DESTROY
check 'all of them are somewhere' is "$(cat "$logs"/{new,updates,destroy} | wc -l)" "$(wc -l <"$logs/all")"
check 'a filter of the listener' eval '[ -s "$logs/tcp" ] && ! grep -v " tcp " "$logs/tcp"'
check 'XML' seen xml '^<flow type="new"><meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>10.0.1.2</src>'
check 'from when to when' seen ktimestamp '\[DESTROY\] .*\[start=.* [0-9]{4}\] \[stop=.* [0-9]{4}\]'
check 'another namespace hears nothing' is "$(cat "$logs/client")" ''
kill "${listeners[@]}"

# A listener with room for a few messages only, first one that does not mind, then
# one that wants to be told of every end.
while IFS='|' read -r result what; do
	check "$what" is "$result" ok
done < <(in_router python3 ./nf_conntrack_netlink_slow.py 2>&1)
ktap_finished
