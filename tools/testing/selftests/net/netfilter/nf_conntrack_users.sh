#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Stock modules that track and translate by themselves, on ours: tc's act_ct, Open
# vSwitch, and ip_vs_ftp, which rewrites what a server says.
#
# needs: nf_conntrack nf_nat nf_conncount
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 23
export PYTHONDONTWRITEBYTECODE=1
dir=$(mktemp -d)
cleanup() {
	local file
	for file in "$dir"/*.pid; do [ ! -s "$file" ] || kill "$(<"$file")"; done
	# shellcheck disable=SC2046 # words on purpose
	kill $(jobs -p)
	cleanup_all_ns
	rm -rf "$dir"
}
trap 'cleanup 2>/dev/null' EXIT

modprobe -a nf_conntrack nf_nat act_ct cls_flower openvswitch ip_vs_ftp
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
in_server python3 ./ftp_peer.py 0.0.0.0 21 >/dev/null 2>&1 &
wait_local_port_listen "$server" 21 tcp

# who NAMESPACE PORT: a server that says who it talks to. ask NAMESPACE SOCAT-ADDRESS
who() {
	# shellcheck disable=SC2016 # socat's
	ip netns exec "$1" socat "$3-LISTEN:$2,fork,reuseaddr${4:-}" 'SYSTEM:echo $SOCAT_PEERADDR $SOCAT_PEERPORT' >/dev/null 2>&1 &
	wait_local_port_listen "$1" "$2" tcp
}
ask() { ip netns exec "$1" timeout 20 socat -t 5 - "$2" </dev/null; }
# between ANSWER ADDRESS FIRST LAST: it came from there, from one of these ports.
between() {
	echo "is $1"
	[[ $1 =~ ^$2\ ([0-9]+)$ ]] && ((BASH_REMATCH[1] >= $3 && BASH_REMATCH[1] <= $4))
}

# tc: what leaves for the server in zone 5 gets another source; answers are led back.
ip -n "$server" neigh add 10.0.2.9 lladdr 02:00:00:00:02:01 dev s0
ip -n "$server" neigh add fd00:2::9 lladdr 02:00:00:00:02:01 dev s0
in_router tc qdisc add dev r1 clsact
for family in 'ip 10 addr 10.0.2.9' 'ipv6 20 addr fd00:2::9'; do
	read -r protocol prio address <<<"$family"
	# shellcheck disable=SC2086 # words on purpose
	in_router tc filter add dev r1 egress protocol "$protocol" flower ip_proto tcp \
		action ct commit zone 5 mark 77 nat src $address port 5000-5100
	in_router tc filter add dev r1 ingress protocol "$protocol" flower ip_proto tcp \
		action ct zone 5 nat pipe action goto chain 1
	in_router tc filter add dev r1 ingress chain 1 prio "$prio" protocol "$protocol" flower ct_state +trk+est ct_zone 5 ct_mark 77 action pass
	in_router tc filter add dev r1 ingress chain 1 prio $((prio + 1)) protocol "$protocol" flower ct_state +trk+new action drop
done
who "$server" 4000 TCP4
who "$server" 4006 TCP6 ,ipv6only=1
check 'act_ct: the source is translated' between "$(ask "$client" TCP4:10.0.2.2:4000)" 10.0.2.9 5000 5100
check 'act_ct: also for IPv6' between "$(ask "$client" 'TCP6:[fd00:2::2]:4006')" '\[fd00:0002:0000:0000:0000:0000:0000:0009\]' 5000 5100
check 'act_ct: the connection, its zone and its mark' has_connection \
	'tcp .*src=10.0.1.2 dst=10.0.2.2 .*src=10.0.2.2 dst=10.0.2.9 .*mark=77 zone=5 '
check 'act_ct: and that of IPv6' has_connection 'ipv6 .*dst=fd00:0002:0000:0000:0000:0000:0000:0009 .*zone=5 '
# shellcheck disable=SC2317 # called by check
established() {
	in_router tc -s -j filter show dev r1 ingress chain 1 |
		jq -e '[.[] | select(.options.keys.ct_state == "+trk+est") | .options.actions[0].stats.packets] | add > 4'
}
check 'act_ct: answers are of an established connection' established
check_not 'act_ct: new ones from there are dropped' ask "$server" TCP4:10.0.1.2:21,connect-timeout=2
in_router tc qdisc del dev r1 clsact
check 'act_ct: without it there is no translation' between "$(ask "$client" TCP4:10.0.2.2:4000)" 10.0.1.2 1024 65535
check 'forget them' forget

# Open vSwitch: a bridge between two, which translates in zone 7.
setup_ns left right switch
: "${left:?}" "${right:?}" "${switch:?}"
ip link add l0 netns "$left" address 02:00:00:00:03:02 type veth peer name l1 netns "$switch"
ip link add r0 netns "$right" address 02:00:00:00:03:03 type veth peer name r1 netns "$switch"
ip -n "$left" address add 10.0.3.2/24 dev l0
ip -n "$right" address add 10.0.3.3/24 dev r0
ip -n "$right" neigh add 10.0.3.9 lladdr 02:00:00:00:03:02 dev r0
for end in "$left:l0" "$right:r0" "$switch:l1" "$switch:r1"; do
	ip -n "${end%:*}" link set "${end#*:}" up
	ip netns exec "${end%:*}" ethtool -K "${end#*:}" tx off >/dev/null
done
export OVS_RUNDIR=$dir OVS_LOGDIR=$dir OVS_DBDIR=$dir
db=unix:$dir/db.sock
in_switch() { ip netns exec "$switch" "$@"; }
in_vswitchd() { in_switch ovs-appctl -t "$dir/ovs-vswitchd.$(<"$dir/vswitchd.pid").ctl" "$@"; }
# shellcheck disable=SC2317 # called by check
switched() {
	ovsdb-tool create "$dir/conf.db" /usr/share/openvswitch/vswitch.ovsschema &&
		in_switch ovsdb-server "$dir/conf.db" --remote="p$db" --pidfile="$dir/db.pid" --detach --no-chdir \
			--log-file="$dir/db.log" &&
		ovs-vsctl --db="$db" --no-wait init &&
		in_switch ovs-vswitchd "$db" --pidfile="$dir/vswitchd.pid" --detach --no-chdir --log-file="$dir/vswitchd.log" &&
		in_switch ovs-vsctl --db="$db" --timeout=60 add-br br0 -- set bridge br0 fail-mode=secure \
			-- add-port br0 l1 -- set interface l1 ofport_request=1 \
			-- add-port br0 r1 -- set interface r1 ofport_request=2 &&
		in_switch ovs-ofctl add-flows br0 - <<-'END'
			table=0,priority=10,arp,actions=normal
			table=0,priority=9,ip,actions=ct(table=1,zone=7,nat)
			table=1,in_port=1,ip,ct_state=+trk+new,actions=ct(commit,zone=7,nat(src=10.0.3.9:6000-6100),exec(load:0x63->NXM_NX_CT_MARK[])),2
			table=1,in_port=1,ip,ct_state=+trk+est,ct_mark=0x63,actions=2
			table=1,in_port=2,ip,ct_state=+trk+est,ct_mark=0x63,actions=1
			table=1,in_port=2,ip,ct_state=+trk+rel,actions=1
		END
}
check 'Open vSwitch: it is there' switched
who "$right" 4000 TCP4
who "$left" 4000 TCP4
check 'Open vSwitch: the source is translated' between "$(ask "$left" TCP4:10.0.3.3:4000)" 10.0.3.9 6000 6100
check 'Open vSwitch: the connection, its zone and its mark' has_connection \
	'tcp .*src=10.0.3.2 dst=10.0.3.3 .*src=10.0.3.3 dst=10.0.3.9 .*mark=99 zone=7 ' "$switch"
check 'Open vSwitch: it lists them' eval \
	"in_switch ovs-appctl -t '$dir'/ovs-vswitchd.\$(<'$dir/vswitchd.pid').ctl dpctl/dump-conntrack zone=7 |
		grep -E 'tcp,orig=.src=10.0.3.2,dst=10.0.3.3.*dst=10.0.3.9.*zone=7,mark=99'"
# shellcheck disable=SC2317 # called by check
refused() {
	ip netns exec "$left" timeout 20 python3 - <<-'END'
		import socket
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
		    sock.connect(("10.0.3.3", 4010))
		    sock.settimeout(10)
		    sock.send(b"x")
		    try:
		        sock.recv(10)
		    except ConnectionRefusedError:
		        raise SystemExit(0)
		    raise SystemExit(1)
	END
}
check 'Open vSwitch: an error comes back (a port where nobody listens)' refused
check_not 'Open vSwitch: new ones from there are dropped' ask "$right" TCP4:10.0.3.2:4000,connect-timeout=2
check 'Open vSwitch: it forgets them' eval \
	"in_switch ovs-appctl -t '$dir'/ovs-vswitchd.\$(<'$dir/vswitchd.pid').ctl dpctl/flush-conntrack zone=7 && count_is 0 '$switch'"

# Limits of zones: eight begin, three may.
# shellcheck disable=SC2317 # called by check
limited() {
	ip netns exec "$left" python3 - <<-'END'
		import socket
		for port in range(4020, 4028):
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
		        sock.sendto(b"x", ("10.0.3.3", port))
	END
	busywait 5000 eval "in_vswitchd dpctl/ct-get-limits zone=7 | grep zone=7,limit=3,count=$1" &&
		is "$(connections "$switch" | grep -c 'udp .*dst=10.0.3.3 .*zone=7 ')" 3
}
check 'Open vSwitch: a limit' in_vswitchd dpctl/ct-set-limits default=0 zone=7,limit=3
check 'Open vSwitch: a zone has no more connections' limited 3
in_vswitchd dpctl/flush-conntrack zone=7
check 'Open vSwitch: the same again when they are gone' limited 3
in_vswitchd dpctl/ct-del-limits zone=7

# IPVS: a service at another address, whose length differs from the server's.
ip -n "$router" address add 10.0.100.100/32 dev lo
in_router sysctl -qw net.ipv4.vs.conntrack=1
in_router ipvsadm -A -t 10.0.100.100:21 -s rr
in_router ipvsadm -a -t 10.0.100.100:21 -r 10.0.2.2:21 -m
cat >"$dir/ftp.py" <<'END'
import ftplib, sys
with ftplib.FTP() as ftp:
    ftp.connect("10.0.100.100", 21, 20)
    ftp.sendcmd("USER me")
    ftp.set_pasv(True)
    got = []
    for _ in range(2):
        sock = ftp.transfercmd("RETR 50")
        count = 0
        while data := sock.recv(65536):
            count += len(data)
        got += [sock.getpeername()[0], str(count)]
        sock.close()
        ftp.voidresp()
    print(*got)
END
check 'ip_vs_ftp: the service is there' eval "in_router ipvsadm -Ln | grep 10.0.2.2:21"
check 'ip_vs_ftp: data comes from where the client was told' is "$(in_client timeout 60 python3 "$dir/ftp.py" 2>&1)" \
	'10.0.100.100 50000 10.0.100.100 50000'
check 'ip_vs_ftp: the connection' has_connection 'tcp .*src=10.0.1.2 dst=10.0.100.100 .*dport=21 src=10.0.2.2 dst=10.0.1.2 sport=21 '
check 'ip_vs_ftp: and those of the data' has_connection 'tcp .*src=10.0.1.2 dst=10.0.100.100 .*src=10.0.2.2 dst=10.0.1.2 sport=[0-9]{4}'

trap - EXIT
cleanup 2>/dev/null
check 'all of them can go' busywait 20000 modprobe -r ip_vs_ftp openvswitch act_ct nf_nat
ktap_finished
