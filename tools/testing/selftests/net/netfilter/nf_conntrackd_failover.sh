#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two routers with conntrackd between them (FTFW mode). While a client behind
# source NAT downloads by TCP and an FTP server has told it where to connect to,
# the one router dies: the other one takes its links over, and both the download
# and the FTP session go on, its data connection included. So does an FTP session
# without NAT in which the server connects to the client. (With NAT that one does
# not on any kernel: conntrackd tells its peer neither of the NAT of what is
# expected nor of corrections of sequence numbers.)
#
# needs: nf_conntrack nf_conntrack_netlink
# timeout: 240
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2016,SC2119,SC2120,SC2317
. ./lib.sh

ktap_print_header
ktap_set_plan 32
# shellcheck disable=SC2046 # words on purpose
trap 'kill -KILL $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
export PYTHONDONTWRITEBYTECODE=1
modprobe -a nf_conntrack nf_conntrack_netlink nf_conntrack_ftp nf_nat_ftp
setup_ns client primary backup server
# Set by setup_ns.
: "${client:?}" "${primary:?}" "${backup:?}" "${server:?}"
in_client() { ip netns exec "$client" "$@"; }
in_server() { ip netns exec "$server" "$@"; }
temporary=$(mktemp -d)

# The links to client and server go from one router to the other; a third one is
# between the routers.
ip link add c0 netns "$client" type veth peer name r0 netns "$primary"
ip link add s0 netns "$server" type veth peer name r1 netns "$primary"
ip link add sync netns "$primary" type veth peer name sync netns "$backup"
ip -n "$client" address add 10.0.1.2/24 dev c0
ip -n "$server" address add 10.0.2.2/24 dev s0
ip -n "$server" address add 10.0.2.3/24 dev s0
ip -n "$client" link set c0 up
ip -n "$server" link set s0 up
ip -n "$client" route add default via 10.0.1.1
ip -n "$server" route add default via 10.0.2.1
ip -n "$primary" address add 10.0.9.1/24 dev sync
ip -n "$backup" address add 10.0.9.2/24 dev sync
for router in "$primary" "$backup"; do
	ip -n "$router" link set sync up
	ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
	# Nothing else may be opened, but for what is expected.
	rules "$router" <<'END' || exit
table ip router {
	ct helper ftp {
		type "ftp" protocol tcp
	}
	counter related { }
	counter refused { }
	chain helpers {
		type filter hook forward priority -10
		tcp dport 21 ct helper set "ftp"
	}
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established accept
		ct state related counter name related accept
		iifname r0 tcp dport { 21, 4000 } tcp flags & (syn | ack) == syn accept
		counter name refused
	}
	chain postrouting {
		type nat hook postrouting priority srcnat
		oifname r1 ip daddr 10.0.2.2 snat to 10.0.2.1
	}
}
END
done
# the_router NAMESPACE: which has the links and addresses from now on.
the_router() {
	local from=$primary link
	[ "$1" = "$primary" ] || for link in r0 r1; do
		ip -n "$from" link set "$link" netns "$1" || return
	done
	for link in r0,10.0.1.1 r1,10.0.2.1; do
		ip -n "$1" address add "${link#*,}/24" dev "${link%,*}" && ip -n "$1" link set "${link%,*}" up || return
	done
}
the_router "$primary"

# daemon NAME NAMESPACE OWN OTHER; tell NAME ARGUMENT...
daemon() {
	cat >"$temporary/$1.conf" <<END
Sync {
	Mode FTFW { }
	UDP {
		IPv4_address 10.0.9.$3
		IPv4_Destination_Address 10.0.9.$4
		Port 3780
		Interface sync
		Checksum on
	}
	Options {
		ExpectationSync On
	}
}
General {
	Systemd off
	HashSize 1024
	HashLimit 4096
	LogFile $temporary/$1.log
	LockFile $temporary/$1.lock
	UNIX {
		Path $temporary/$1.ctl
	}
	Filter From Userspace {
		Protocol Accept {
			TCP
		}
		Address Ignore {
			IPv4_address 127.0.0.1
		}
	}
}
END
	ip netns exec "$2" conntrackd -C "$temporary/$1.conf" >"$temporary/$1.output" 2>&1 &
}
tell() { ip netns exec "${!1}" conntrackd -C "$temporary/$1.conf" "${@:2}" 2>&1; }
daemon primary "$primary" 1 2
primary_daemon=$!
daemon backup "$backup" 2 1
answers() { tell "$1" -s | grep -q 'cache internal'; }
check 'conntrackd, on the primary' busywait 20000 answers primary
check 'conntrackd, on the backup' busywait 20000 answers backup

# What goes on: a download of 600 blocks that are made as they are sent, and
# FTP sessions that are told when to go on.
in_server python3 ./ftp_peer.py 0.0.0.0 >"$temporary/ftp" 2>&1 &
download_server='import socket, time
server = socket.create_server(("", 4000))
peer = server.accept()[0]
for i in range(600):
    peer.sendall(i.to_bytes(4, "big") * 500)
    time.sleep(0.02)
'
download_client='import socket, sys
peer = socket.create_connection(("10.0.2.2", 4000), timeout=60)
data = b""
while more := peer.recv(65536):
    data += more
    print(len(data), flush=True)
print("all" if data == b"".join(i.to_bytes(4, "big") * 500 for i in range(600)) else "wrong", flush=True)
'
# session SERVER passive|active FILE: waits for FILE; says line by line, what became of it.
session='import ftplib, os, socket, sys, time
server, passive = sys.argv[1], sys.argv[2] == "passive"
ftp = ftplib.FTP(timeout=60)
ftp.connect(server)
ftp.sendcmd("USER me")
def agree():
    if passive:
        return ftp.makepasv()
    listener = socket.create_server(("10.0.1.2", 0))
    listener.settimeout(60)
    ftp.sendport("10.0.1.2", listener.getsockname()[1])
    return listener
def fetch(blocks, agreed):
    ftp.putcmd(f"RETR {blocks}")
    data = socket.create_connection(agreed, timeout=60) if passive else agreed.accept()[0]
    got = 0
    while more := data.recv(65536):
        got += len(more)
    ftp.getresp()
    ftp.getresp()
    return data.getpeername()[0], got
agreed = agree()
print("told", flush=True)
while not os.path.exists(sys.argv[3]):
    time.sleep(0.1)
ftp.sendcmd("NOOP")
print("alive", flush=True)
print(*fetch(50, agreed), flush=True)
print(*fetch(1, agree()), flush=True)
print(ftp.quit(), flush=True)
'
in_server python3 -c "$download_server" &
wait_local_port_listen "$server" 21 tcp
wait_local_port_listen "$server" 4000 tcp
in_client python3 -c "$download_client" >"$temporary/download" 2>&1 &
for mode in 'passive 10.0.2.2' 'active 10.0.2.3'; do
	read -r mode host <<<"$mode"
	in_client python3 -c "$session" "$host" "$mode" "$temporary/go" >"$temporary/$mode" 2>&1 &
done
# line MODE N WHAT: the N-th line of that session.
line() {
	arrived() { [ "$(wc -l <"$temporary/$1")" -ge "$2" ]; }
	busywait 30000 arrived "$1" "$2"
	is "$(sed -n "$2p" "$temporary/$1")" "$3" || { cat "$temporary/$1" && false; }
}
check 'FTP, passive and with NAT: the client knows where to connect to' line passive 1 told
check 'FTP, active: so does the server' line active 1 told
begun() { [ "$(tail -n 1 "$temporary/download")" -gt 10000 ]; }
check 'the download has begun' busywait 20000 begun
of_primary() { ip netns exec "$primary" conntrack -L "$@" 2>/dev/null; }
of_backup() { ip netns exec "$backup" conntrack -L "$@" 2>/dev/null; }
check 'primary: the download, with NAT' eval 'of_primary -p tcp --dport 4000 | grep -q "dst=10.0.2.1 .*ASSURED"'
check 'primary: the FTP session, with NAT' eval 'of_primary -p tcp --dport 21 | grep -q "src=10.0.2.2 dst=10.0.2.1 .*ASSURED"'
passive='src=10.0.1.2 dst=10.0.2.2 sport=0 dport=[0-9]+ .*master-dst=10.0.2.2 .*helper=ftp'
active='src=10.0.2.3 dst=10.0.1.2 sport=0 dport=[0-9]+ .*master-dst=10.0.2.3 .*helper=ftp'
check 'primary: what is expected, passive' eval 'of_primary expect | grep -qE "$passive"'
check 'primary: what is expected, active' eval 'of_primary expect | grep -qE "$active"'
check 'backup: not in its table yet' is "$(of_backup | grep -c tcp)" 0

external() { tell backup -e "$1" | grep -qE "$2"; }
check 'backup: it heard of the download' busywait 10000 external ct 'ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=[0-9]+ dport=4000 '
check 'backup: and of the FTP session' busywait 10000 external ct 'ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=[0-9]+ dport=21 '
check 'backup: and of what is expected, passive' busywait 10000 external expect "$passive"
check 'backup: and of what is expected, active' busywait 10000 external expect "$active"

# The primary dies; the backup commits what it knows and takes the links.
kill -KILL "$primary_daemon"
wait "$primary_daemon" 2>/dev/null
before=$(tail -n 1 "$temporary/download")
check 'backup: commits connections' tell backup -c ct
check 'backup: and what is expected' tell backup -c exp
check 'backup: the download, with NAT' eval 'of_backup -p tcp --dport 4000 | grep -q "src=10.0.2.2 dst=10.0.2.1 sport=4000 .*ASSURED"'
check 'backup: the FTP session' eval 'of_backup -p tcp --dport 21 | grep -q "src=10.0.2.2 dst=10.0.2.1 sport=21 .*ASSURED"'
check 'backup: what is expected, passive' eval 'of_backup expect | grep -qE "$passive"'
check 'backup: what is expected, active' eval 'of_backup expect | grep -qE "$active"'
check 'it is the router' the_router "$backup"
touch "$temporary/go"
for mode in passive active; do
	[ $mode = passive ] && host=10.0.2.2 || host=10.0.2.3
	check "FTP, $mode: the control connection lives" line $mode 2 alive
	check "FTP, $mode: so does the data connection" line $mode 3 "$host 50000"
	check "FTP, $mode: and another one" line $mode 4 "$host 1000"
	check "FTP, $mode: to the end" line $mode 5 '221 bye'
done
# shellcheck disable=SC2016 # jq's own
named() { ip netns exec "$backup" nft -j list counter ip router "$1" | jq '.nftables[1].counter.packets'; }
check 'FTP: they came as related' is "$(named related)" 4
finished() { grep -q '^all' "$temporary/download"; }
check "the download goes on ($before bytes were there) and is whole" busywait 60000 finished
check 'nothing was refused' is "$(named refused)" 0
ktap_finished
