#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# IPVS's persistence of SIP calls, which reads messages with nf_conntrack_sip: what
# has one Call-ID goes to one server, whoever sends it from whatever port.
#
# needs: nf_conntrack nf_nat nf_conntrack_sip
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 16
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$dir"' EXIT
cat >"$dir/sip.py" <<'END'
# server ADDRESS: says who it is. ask PORT CALL-ID [HEADER [END-OF-LINE]]: what it says.
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == 'server':
    sock.bind((sys.argv[2], 5060))
    while True:
        _, peer = sock.recvfrom(65536)
        sock.sendto(sys.argv[2].encode(), peer)
port, call, header, end = sys.argv[2:] + ['Call-ID: ', '\r\n'][len(sys.argv) - 4:]
lines = ['OPTIONS sip:bob@10.0.100.100 SIP/2.0', f'Via: SIP/2.0/UDP 10.0.1.2:{port};branch=z9hG4bK{port}',
         'Max-Forwards: 70', 'From: <sip:alice@10.0.1.2>;tag=1', 'To: <sip:bob@10.0.100.100>']
if call:
    lines.append(header + call)
lines += ['CSeq: 1 OPTIONS', 'Content-Length: 0', '', '']
sock.bind(('0.0.0.0', int(port)))
sock.settimeout(3)
sock.sendto(end.join(lines).encode(), ('10.0.100.100', 5060))
print(sock.recv(100).decode())
END

modprobe -a nf_conntrack nf_nat nf_conntrack_sip
check 'the persistence engine loads' modprobe ip_vs_pe_sip
check 'and has nf_conntrack_sip' grep -q '^nf_conntrack_sip .*ip_vs_pe_sip' /proc/modules
routed
# Set by setup_ns.
: "${client:?}" "${router:?}" "${server:?}"
ip -n "$server" address add 10.0.2.3/24 dev s0
for address in 10.0.2.2 10.0.2.3; do
	in_server python3 "$dir/sip.py" server $address >/dev/null 2>&1 &
done
both() { [ "$(in_server ss -uln | grep -c :5060)" = 2 ]; }
busywait 5000 both
ip -n "$router" address add 10.0.100.100/32 dev lo
in_router sysctl -qw net.ipv4.vs.conntrack=1
check 'a service with it' in_router ipvsadm -A -u 10.0.100.100:5060 -s rr -p 120 --pe sip
for address in 10.0.2.2 10.0.2.3; do
	in_router ipvsadm -a -u 10.0.100.100:5060 -r $address:5060 -m
done
# one_of ANSWER [NOT]: it is a server, and not that one.
one_of() { [[ $1 =~ ^10\.0\.2\.[23]$ && $1 != "${2:-}" ]] || { echo "is '$1'" && false; }; }
ask() { in_client timeout 20 python3 "$dir/sip.py" ask "$@"; }

first=$(ask 6000 f81d4fae@alice)
check 'the first call: a server' one_of "$first"
second=$(ask 6001 a84b4c76e66710@alice)
check 'the second call: the other one' one_of "$second" "$first"
for port in 6002 6003 6004; do
	check "the first call, from port $port" is "$(ask $port f81d4fae@alice)" "$first"
	check "the second call, from port 1$port" is "$(ask 1$port a84b4c76e66710@alice)" "$second"
done
check 'its short name' is "$(ask 6005 f81d4fae@alice 'i: ')" "$first"
check 'lines that end in LF' is "$(ask 6006 a84b4c76e66710@alice 'Call-ID:  ' $'\n')" "$second"
check 'the table has the call' eval "in_router cat /proc/net/ip_vs_conn | grep 'sip f81d4fae@alice'"
check_not 'without a Call-ID there is no server' ask 6007 ''
# Calls are remembered for as long as their namespace is there.
in_router ipvsadm -C
# shellcheck disable=SC2046 # words on purpose
kill $(jobs -p) 2>/dev/null
cleanup_all_ns
check 'all of them can go' busywait 20000 modprobe -r ip_vs_pe_sip nf_conntrack_sip
ktap_finished
