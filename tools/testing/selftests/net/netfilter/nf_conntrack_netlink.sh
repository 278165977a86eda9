#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack_netlink with the stock conntrack tool: entries are made, listed in
# every format, got, changed, deleted by every filter, saved and restored; and
# what is wrong is refused.
#
# needs: nf_conntrack nf_conntrack_netlink
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2015
. ./lib.sh

# All of it happens in a namespace of its own, without traffic.
[ -n "${ALONE:-}" ] || ALONE=1 exec unshare -n "$0" "$@"

ktap_print_header
ktap_set_plan 250
modprobe -a nf_conntrack nf_conntrack_netlink
ip link set lo up
export PYTHONDONTWRITEBYTECODE=1
netfilter=/proc/sys/net/netfilter/nf_conntrack
mkdir -p /etc/xtables
printf '0 zero\n77 red\n127 last\n' | tee /etc/connlabel.conf >/etc/xtables/connlabel.conf

# What depends on the moment is T; columns are one space apart.
normal() { sed -E 's/ +/ /g; s/^((ipv[46] [0-9]+ )?[a-z0-9]+ [0-9]+) [0-9]+ /\1 T /; s/ use=[0-9]+//; s/(delta-time)=[0-9]+/\1=T/; s/^-A -t [0-9]+/-A/' | LC_ALL=C sort; }
list() { conntrack -L "$@" 2>/dev/null; }
count() { conntrack -C; }
flush() { conntrack -F >/dev/null 2>&1; }
# create WHAT LINE ARGUMENT...: an entry; it is listed as LINE.
create() {
	local what=$1 line=$2
	shift 2
	check "create: $what" made "$line" "$@"
}
# shellcheck disable=SC2317,SC2329 # called by check, as are others
made() {
	local line=$1
	shift
	conntrack -I "$@" && list | normal | grep -Fx -- "$line" || { list | normal && false; }
}
# refused TEXT COMMAND...: COMMAND fails and says TEXT.
# shellcheck disable=SC2317,SC2329
refused() {
	local text=$1 output
	shift
	! output=$("$@" 2>&1) && grep -F -- "$text" <<<"$output" || { echo "$output" && false; }
}

# Entries of every protocol, with and without NAT.
at='-s 10.0.0.1 -d 10.0.0.2'
at6='-s fd00::1 -d fd00::2'
# shellcheck disable=SC2086 # words on purpose
{
	create 'TCP' 'tcp 6 T ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1 [ASSURED] mark=5' \
		-p tcp $at --sport 1 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 1000 -m 5
	create 'TCP, IPv6' 'tcp 6 T SYN_SENT src=fd00::1 dst=fd00::2 sport=1 dport=80 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=80 dport=1 mark=0' \
		-p tcp $at6 --sport 1 --dport 80 --state SYN_SENT -t 1000
	create 'UDP' 'udp 17 T src=10.0.0.1 dst=10.0.0.2 sport=2 dport=53 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=2 mark=6' \
		-p udp $at --sport 2 --dport 53 -t 1000 -m 6
	create 'UDP, IPv6' 'udp 17 T src=fd00::1 dst=fd00::2 sport=2 dport=53 src=fd00::2 dst=fd00::1 sport=53 dport=2 mark=0' \
		-p udp $at6 --sport 2 --dport 53 -t 1000 -u SEEN_REPLY
	create 'ICMP' 'icmp 1 T src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=9 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=9 mark=0' \
		-p icmp $at --icmp-type 8 --icmp-code 0 --icmp-id 9 -t 1000
	create 'ICMPv6' 'icmpv6 58 T src=fd00::1 dst=fd00::2 type=128 code=0 id=9 [UNREPLIED] src=fd00::2 dst=fd00::1 type=129 code=0 id=9 mark=0' \
		-p icmpv6 $at6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9 -t 1000
	create 'SCTP' 'sctp 132 T ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=3 dport=4 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=4 dport=3 mark=0' \
		-p sctp $at --orig-port-src 3 --orig-port-dst 4 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2 -t 1000
	create 'SCTP, IPv6' 'sctp 132 T COOKIE_WAIT src=fd00::1 dst=fd00::2 sport=3 dport=4 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=4 dport=3 mark=0' \
		-p sctp $at6 --orig-port-src 3 --orig-port-dst 4 --state COOKIE_WAIT --orig-vtag 1 --reply-vtag 2 -t 1000
	create 'GRE' 'gre 47 T src=10.0.0.1 dst=10.0.0.2 srckey=0x1 dstkey=0x2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 srckey=0x2 dstkey=0x1 mark=0' \
		-p gre $at --srckey 1 --dstkey 2 -t 1000
	create 'another protocol' 'unknown 99 T src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 mark=0' \
		-p 99 $at -t 1000
	create 'source NAT' 'tcp 6 T SYN_SENT src=10.0.0.1 dst=10.0.0.3 sport=1 dport=80 [UNREPLIED] src=10.0.0.3 dst=10.9.9.9 sport=80 dport=1 mark=0' \
		-p tcp -s 10.0.0.1 -d 10.0.0.3 --sport 1 --dport 80 --state SYN_SENT -t 1000 --src-nat 10.9.9.9
	create 'source NAT, port' 'udp 17 T src=10.0.0.1 dst=10.0.0.3 sport=1 dport=80 [UNREPLIED] src=10.0.0.3 dst=10.9.9.9 sport=80 dport=777 mark=0' \
		-p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1 --dport 80 -t 1000 --src-nat 10.9.9.9:777
	create 'destination NAT' 'udp 17 T src=10.0.0.1 dst=10.0.0.4 sport=1 dport=80 [UNREPLIED] src=10.8.8.8 dst=10.0.0.1 sport=5555 dport=1 mark=0' \
		-p udp -s 10.0.0.1 -d 10.0.0.4 --sport 1 --dport 80 -t 1000 --dst-nat 10.8.8.8:5555
	create 'NAT both ways' 'tcp 6 T ESTABLISHED src=10.0.0.1 dst=10.0.0.5 sport=1 dport=80 src=10.8.8.8 dst=10.9.9.9 sport=80 dport=1 [ASSURED] mark=0' \
		-p tcp -s 10.0.0.1 -d 10.0.0.5 --sport 1 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 1000 --src-nat 10.9.9.9 --dst-nat 10.8.8.8
	create 'NAT, IPv6' 'tcp 6 T SYN_SENT src=fd00::1 dst=fd00::3 sport=1 dport=80 [UNREPLIED] src=fd00::3 dst=fd00::9 sport=80 dport=1 mark=0' \
		-p tcp -s fd00::1 -d fd00::3 --sport 1 --dport 80 --state SYN_SENT -t 1000 --src-nat fd00::9
	create 'a zone' 'udp 17 T src=10.0.0.1 dst=10.0.0.2 sport=2 dport=53 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=2 mark=0 zone=7' \
		-p udp $at --sport 2 --dport 53 -t 1000 -w 7
	create 'a zone of one direction' 'udp 17 T src=10.0.0.1 dst=10.0.0.2 sport=2 dport=54 zone-orig=8 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=54 dport=2 mark=0' \
		-p udp $at --sport 2 --dport 54 -t 1000 --orig-zone 8
	create 'a zone of the other' 'udp 17 T src=10.0.0.1 dst=10.0.0.2 sport=2 dport=55 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=55 dport=2 zone-reply=9 mark=0' \
		-p udp $at --sport 2 --dport 55 -t 1000 --reply-zone 9
}
check 'count' is "$(count)" 18
check 'count: the same in the file' is "$(<${netfilter}_count)" 18
check 'list: all of them' is "$(list | wc -l)" 18
inserted() { conntrack -S | sed -nE 's/.* insert=([0-9]+) .*/\1/p' | awk "{ n += \$1 } END { print n }"; }
check 'statistics: a line for each processor' is "$(conntrack -S | wc -l)" "$(nproc)"
check 'statistics: the fields' is "$(conntrack -S | sed -nE '1 { s/=[0-9]+//g; s/[ \t]+/ /g; p }')" \
	'cpu found invalid insert insert_failed drop early_drop error search_restart clash_resolve chaintoolong '
check 'statistics: insertions' is "$(inserted)" 18

# The formats.
listed() { list "${@:2}" | normal | grep -Ex -- "$1" || { list "${@:2}" && false; }; }
check 'list: by family' is "$(list -f ipv6 | wc -l)" 5
check 'list: by protocol' is "$(list -p sctp | wc -l)" 2
check 'list: extended' listed 'ipv4 2 udp 17 T src=10.0.0.1 dst=10.0.0.4 sport=1 dport=80 \[UNREPLIED\] src=10.8.8.8 dst=10.0.0.1 sport=5555 dport=1 mark=0' -o extended
check 'list: extended, IPv6' listed 'ipv6 10 udp 17 T src=fd00::1 dst=fd00::2 sport=2 dport=53 src=fd00::2 dst=fd00::1 sport=53 dport=2 mark=0' -o extended
check 'list: id' is "$(list -o id | grep -cE ' id=[0-9]+$')" 18
check 'list: ids differ' is "$(list -o id | sed 's/.* id=//' | sort -u | wc -l)" 18
check 'list: ids stay' is "$(list -o id | sed 's/.* id=//' | sort)" "$(list -o id | sed 's/.* id=//' | sort)"
check 'list: XML' is "$(list -o xml -p tcp -d 10.0.0.5 | sed -E 's/<(timeout|id)>[0-9]+/<\1>N/g')" "<?xml version=\"1.0\" encoding=\"utf-8\"?>
<conntrack>
<flow><meta direction=\"original\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>10.0.0.1</src><dst>10.0.0.5</dst></layer3>\
<layer4 protonum=\"6\" protoname=\"tcp\"><sport>1</sport><dport>80</dport></layer4></meta>\
<meta direction=\"reply\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>10.8.8.8</src><dst>10.9.9.9</dst></layer3>\
<layer4 protonum=\"6\" protoname=\"tcp\"><sport>80</sport><dport>1</dport></layer4></meta>\
<meta direction=\"independent\"><state>ESTABLISHED</state><timeout>N</timeout><mark>0</mark><use>1</use><id>N</id><assured/></meta></flow>
</conntrack>"
check 'list: save' listed '-A -u SEEN_REPLY,ASSURED -s 10.0.0.1 -d 10.0.0.5 -g 10.8.8.8 -n 10.9.9.9 -p tcp --sport 1 --dport 80 --reply-port-src 80 --reply-port-dst 1 --state ESTABLISHED' -o save
check 'list: dying, none' is "$(conntrack -L dying 2>&1)" 'conntrack v1.4.8 (conntrack-tools): 0 flow entries have been shown.'
check 'list: unconfirmed, none' is "$(conntrack -L unconfirmed 2>&1)" 'conntrack v1.4.8 (conntrack-tools): 0 flow entries have been shown.'

# One of them.
tcp="-p tcp $at --sport 1 --dport 80"
udp="-p udp $at --sport 2 --dport 53"
get() { conntrack -G "$@" 2>/dev/null | normal; }
# shellcheck disable=SC2086
{
	check 'get' is "$(get $tcp)" 'tcp 6 T ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1 [ASSURED] mark=5'
	check 'get: what is not there' refused "such conntrack doesn't exist" conntrack -G -p tcp $at --sport 9 --dport 80
	check 'create: what is there' refused 'Such conntrack exists' conntrack -I $tcp --state ESTABLISHED -t 10
	check 'create: the reply of what is there' refused 'Such conntrack exists' \
		conntrack -I -p udp -s 10.0.0.2 -d 10.0.0.1 --sport 53 --dport 2 -r 10.0.0.1 -q 10.0.0.7 --reply-port-src 2 --reply-port-dst 53 -t 10
	check 'what was refused left nothing' is "$(count)" 18
	check 'delete: what is not there' refused '0 flow entries have been deleted' conntrack -D $tcp -w 3
}

# Changes.
update() { conntrack -U "$@" >/dev/null 2>&1; }
left() { get "$@" | wc -l; }
timeout_of() { conntrack -G "$@" 2>/dev/null | awk '{ print $3 }'; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "$1 is not between $2 and $3" && false; }; }
# shellcheck disable=SC2086
{
	check 'a timeout' between "$(timeout_of $tcp)" 900 1000
	check 'update: mark' update $tcp -m 0x1234
	check 'the mark' eval "get $tcp | grep -q 'mark=4660$'"
	check 'update: some bits of the mark' update $tcp -m 0x50/0xf0
	check 'the others stay' eval "get $tcp | grep -q 'mark=4692$'"
	check 'update: timeout' update $tcp -t 5000
	check 'the timeout' between "$(timeout_of $tcp)" 4900 5000
	check 'update: status' update $udp -u SEEN_REPLY,ASSURED
	check 'the status' eval "get $udp | grep -q 'dport=2 \[ASSURED\]'"
	check 'update: status cannot go back' eval "conntrack -U $udp -u UNSET; get $udp | grep -q ASSURED"
	check 'update: fixed timeout' update $udp -u SEEN_REPLY,ASSURED,FIXED_TIMEOUT
	check 'fixed: another timeout is refused' refused 'CAP_NET_ADMIN' conntrack -U $udp -t 20
	check 'update: state' update $tcp --state CLOSE_WAIT
	check 'the state' eval "get $tcp | grep -q ' CLOSE_WAIT '"
	check 'update: all of a kind' update -p icmp -m 77
	check 'their marks' eval "list -p icmp | grep -q mark=77"
	check 'update: what is not there' eval "conntrack -U -p tcp -d 10.7.7.7 -m 1 2>&1 | grep -q ' 0 flow entries have been updated'"
	check_not 'update: no NAT afterwards' conntrack -U $tcp --src-nat 10.1.1.1
}

# Labels, which there are when a rule wants them.
nft -f - <<'END'
table ip labels {
	chain never {
		ct label set zero
	}
}
END
# shellcheck disable=SC2086
{
	create 'with labels on' 'udp 17 T src=10.0.0.1 dst=10.0.0.2 sport=5 dport=5 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=5 dport=5 mark=0' \
		-p udp $at --sport 5 --dport 5 -t 1000
	labelled="-p udp $at --sport 5 --dport 5"
	check 'labels: none' eval "list -o labels $labelled | grep -vq labels="
	check 'labels: add' update $labelled --label-add red
	check 'labels: add another' update $labelled --label-add last
	check 'labels: listed' eval "list -o labels $labelled | grep -q ' labels=red,last$'"
	check 'labels: not asked for' eval "list $labelled | grep -vq labels="
	check 'labels: a filter' is "$(list -l red | wc -l)" 1
	check 'labels: a filter for what none has' is "$(list -l zero | wc -l)" 0
	check 'labels: delete' update $labelled --label-del red
	check 'labels: the other stays' eval "list -o labels $labelled | grep -q ' labels=last$'"
	check 'labels: delete all' update $labelled --label-del
	check 'labels: none again' eval "list -o labels $labelled | grep -vq labels="
}
nft delete table ip labels

# Filters, of lists and of deletions: each takes from these seven what has these
# source ports.
saved=$(mktemp)
cat >"$saved" <<'END'
-A -t 1000 -u SEEN_REPLY,ASSURED -s 10.1.0.1 -d 10.1.0.2 -p tcp --sport 1 --dport 80 --state ESTABLISHED -m 1
-A -t 1000 -u SEEN_REPLY -s 10.1.0.1 -d 10.1.0.3 -p tcp --sport 2 --dport 81 --state SYN_RECV -m 0x12
-A -t 1000 -u UNSET -s 10.2.0.1 -d 10.1.0.2 -p udp --sport 3 --dport 80 -m 0x22
-A -t 1000 -u UNSET -w 7 -s 10.2.0.1 -d 10.1.0.2 -p udp --sport 4 --dport 80
-A -t 1000 -u UNSET -s 10.2.0.1 -d 10.1.0.4 -n 10.9.0.1 -p udp --sport 5 --dport 90
-A -t 1000 -u UNSET -s 10.2.0.1 -d 10.1.0.4 -g 10.9.0.2 -p udp --sport 6 --dport 91
-A -t 1000 -u SEEN_REPLY,ASSURED -s fd00::1 -d fd00::2 -p tcp --sport 7 --dport 80 --state ESTABLISHED
END
ports() { sed -nE 's/^[a-z].*\<sport=([0-9]+) dport=.*sport=.*/\1/p' | sort -n | paste -sd ' '; }
# filtered PORTS FILTER...
filtered() {
	local wanted=$1 gone
	shift
	flush
	conntrack -R "$saved" >/dev/null 2>&1
	check "filter $*: list" is "$(list "$@" | ports)" "$wanted"
	gone=$(conntrack -D "$@" 2>/dev/null | ports)
	check "filter $*: delete" is "$gone, $(<${netfilter}_count) stay" "$wanted, $((7 - $(wc -w <<<"$wanted"))) stay"
}
filtered '1 2' -s 10.1.0.1
filtered '3 4 5 6' -s 10.2.0.0/16
filtered '1 3 4' -d 10.1.0.2
filtered '6' -r 10.9.0.2
filtered '5' -q 10.9.0.1
filtered '3 4 5 6' -p udp
filtered '5' -p udp --sport 5
filtered '3 4' -p udp --dport 80
filtered '2' -p tcp --reply-port-src 81
filtered '1' -m 1
filtered '2 3' -m 2/0xf
filtered '4' -w 7
filtered '1 7' -u ASSURED
filtered '5' -n
filtered '6' -g
filtered '5' -n 10.9.0.1
filtered '7' -f ipv6
filtered '1' -p tcp --state ESTABLISHED -d 10.1.0.2

# Saved and restored.
flush
check 'flush' is "$(count)" 0
conntrack -R "$saved" >/dev/null 2>&1
before=$(list -o save | normal)
list -o save >"$saved.again"
flush
check 'restore' conntrack -R "$saved.again"
check 'as it was' is "$(list -o save | normal)" "$before"
flush

# Counters and time.
echo 1 >${netfilter}_acct
echo 1 >${netfilter}_timestamp
create 'with counters' 'udp 17 T src=10.0.0.1 dst=10.0.0.2 sport=2 dport=53 packets=0 bytes=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=53 dport=2 packets=0 bytes=0 mark=0 delta-time=T' \
	-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 2 --dport 53 -t 1000
nft -f - <<'END'
table ip track {
	chain output {
		type filter hook output priority 0
		ct state new
	}
}
END
echo -n hello >/dev/udp/127.0.0.1/4000
counted() { list "$@" | sed -nE 's/.*dport=4000 (packets=[0-9]+ bytes=[0-9]+) .*/\1/p'; }
check 'counters' is "$(counted)" 'packets=1 bytes=33'
check 'counters: listed and reset' is "$(counted -z)" 'packets=1 bytes=33'
check 'counters: they were' is "$(counted)" 'packets=0 bytes=0'
check 'time' eval "list -o ktimestamp | grep -qE ' \[start=.* $(date +%Y)\]'"
nft delete table ip track
flush

# What is wrong, and expectations: messages by hand.
while IFS='|' read -r result what; do
	check "$what" is "$result" ok
done < <(python3 ./nf_conntrack_netlink_cases.py)
check 'nothing is left' is "$(count)" 0
check 'expectations: none is left' is "$(conntrack -C expect)" 0
ktap_finished
