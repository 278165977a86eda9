#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Helpers with the programs that people use, through SNAT and DNAT, where nothing
# gets through that was not announced: vsftpd with curl and lftp, in all modes and
# both families; tftpd-hpa with tftp-hpa; ngircd and a DCC sender; Net-SNMP's agent,
# traps and informs; nmblookup and a responder.
#
# needs: nf_conntrack nf_nat nf_conntrack_ftp nf_nat_ftp nf_conntrack_tftp nf_nat_tftp nf_conntrack_irc nf_nat_irc nf_conntrack_snmp nf_nat_snmp_basic nf_conntrack_netbios_ns
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 38
work=$(mktemp -d)
chmod 755 "$work"
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$work"' EXIT

modprobe -a nf_nat_ftp nf_nat_tftp nf_nat_irc nf_nat_snmp_basic nf_conntrack_netbios_ns
routed
: "${client:?}" "${router:?}" "${server:?}"
# What clients behind SNAT have, and what servers are known by: longer than theirs.
ip -n "$router" address add 10.0.2.211/24 dev r1
ip -n "$router" address add fd00:2::dead:beef/64 dev r1 nodad
ip -n "$router" address add 10.0.1.111/24 dev r0
ip -n "$router" address add fd00:1::dead:beef/64 dev r0 nodad
rules <<'END'
table inet test {
	ct helper ftp { type "ftp" protocol tcp; l3proto inet; }
	ct helper tftp { type "tftp" protocol udp; l3proto inet; }
	ct helper irc { type "irc" protocol tcp; l3proto inet; }
	ct helper snmp { type "snmp" protocol udp; l3proto ip; }
	ct helper trap { type "snmp_trap" protocol udp; l3proto ip; }
	chain helpers {
		type filter hook prerouting priority -150
		tcp dport 21 ct helper set "ftp"
		udp dport 69 ct helper set "tftp"
		tcp dport 6667 ct helper set "irc"
		udp dport 161 ct helper set "snmp"
		udp dport 162 ct helper set "trap"
	}
	chain destination {
		type nat hook prerouting priority -100
		ip daddr 10.0.1.111 dnat ip to 10.0.2.2
		ip6 daddr fd00:1::dead:beef dnat ip6 to fd00:2::2
	}
	chain source {
		type nat hook postrouting priority 100
		ct status dnat accept
		oifname r1 meta nfproto ipv4 snat ip to 10.0.2.211
		oifname r1 meta nfproto ipv6 snat ip6 to fd00:2::dead:beef
	}
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		iifname r0 ct state new tcp dport { 21, 6667 } accept
		iifname r0 ct state new udp dport { 69, 161, 162 } accept
	}
}
END
serve() { ip netns exec "$server" "$@" >>"$work/log" 2>&1 & }

# FTP.
mkdir "$work"/{ftp,empty,tftp,got}
dd if=/dev/urandom of="$work/ftp/file" bs=1000 count=100 2>/dev/null
cp "$work/ftp/file" "$work/tftp/file"
chmod -R a+rX "$work"
for family in 4 6; do
	listen='listen=YES listen_address=10.0.2.2'
	[ $family = 4 ] || listen='listen=NO listen_ipv6=YES listen_address6=fd00:2::2'
	# shellcheck disable=SC2086 # several words
	printf '%s\n' $listen background=NO anonymous_enable=YES no_anon_password=YES "anon_root=$work/ftp" \
		"secure_chroot_dir=$work/empty" connect_from_port_20=YES isolate=NO isolate_network=NO \
		xferlog_enable=NO >"$work/vsftpd.$family"
	serve vsftpd "$work/vsftpd.$family"
done
wait_local_port_listen "$server" 21 tcp
got_file() { cmp "$work/got/file" "$work/ftp/file" && rm "$work/got/file"; }
with_curl() {
	in_client timeout 20 curl -sS --no-ftp-skip-pasv-ip -o "$work/got/file" "$@" && got_file
}
with_lftp() {
	in_client timeout 20 lftp -c "set net:timeout 8; set net:max-retries 1; set ftp:fix-pasv-address no
		set ftp:passive-mode $2; set ftp:prefer-epsv $3; open ftp://$1; get file -o $work/got/file" && got_file
}
for way in 'SNAT 10.0.2.2' 'DNAT 10.0.1.111' 'SNAT [fd00:2::2]' 'DNAT [fd00:1::dead:beef]'; do
	host=${way#* }
	check "FTP: $way: curl, EPSV" with_curl "ftp://$host/file"
	check "FTP: $way: curl, EPRT" with_curl -P - "ftp://$host/file"
	check "FTP: $way: lftp, EPSV" with_lftp "$host" on yes
	check "FTP: $way: lftp, active" with_lftp "$host" off no
	[[ $host != \[* ]] || continue
	check "FTP: $way: curl, PASV" with_curl --disable-epsv "ftp://$host/file"
	check "FTP: $way: curl, PORT" with_curl --disable-eprt -P - "ftp://$host/file"
	check "FTP: $way: lftp, PASV" with_lftp "$host" on no
done

# TFTP.
: >"$work/tftp/put"
chmod a+w "$work/tftp/put"
serve in.tftpd -L -a 10.0.2.2:69 -s "$work/tftp"
serve in.tftpd -L -a '[fd00:2::2]:69' -s "$work/tftp"
wait_local_port_listen "$server" 69 udp
tftp_get() {
	(cd "$work/got" && in_client timeout 20 tftp -m binary "$1" -c get file) && got_file
}
tftp_put() {
	: >"$work/tftp/put"
	(cd "$work/ftp" && in_client timeout 20 tftp -m binary "$1" -c put file put)
	cmp "$work/ftp/file" "$work/tftp/put"
}
check 'TFTP: SNAT: get' tftp_get 10.0.2.2
check 'TFTP: SNAT: put' tftp_put 10.0.2.2
check 'TFTP: DNAT: get' tftp_get 10.0.1.111
check 'TFTP over IPv6: SNAT: get' tftp_get fd00:2::2
check 'TFTP over IPv6: DNAT: get' tftp_get fd00:1::dead:beef

# IRC. Who gets the file is at the server.
printf '%s\n' '[Global]' 'Name = irc.test' 'Info = test' 'Listen = 10.0.2.2' 'Ports = 6667' 'ServerUID = root' \
	'ServerGID = root' '[Options]' 'DNS = no' 'Ident = no' 'PAM = no' >"$work/ngircd.conf"
serve ngircd -n -f "$work/ngircd.conf"
wait_local_port_listen "$server" 6667 tcp
dcc() {
	ip netns exec "$server" "$PWD/nf_nat_peers.py" dcc-get 10.0.2.2 >"$work/dcc" 2>&1 &
	local receiver=$!
	busywait 10000 grep -q ready "$work/dcc"
	in_client "$PWD/nf_nat_peers.py" dcc-send "$1" 10.0.1.2
	wait $receiver
	is "$(tail -n 2 "$work/dcc")" "offered by $2"$'\n'"got what is sent"
}
check 'IRC: SNAT: DCC SEND' dcc 10.0.2.2 10.0.2.211

# SNMP. The log of traps has the agent's address and the values.
printf 'disableAuthorization yes\n' >"$work/snmptrapd.conf"
printf 'agentAddress udp:10.0.2.2:161\nrocommunity public\n' >"$work/snmpd.conf"
ip netns exec "$server" snmptrapd -f -n -m '' -Lo -C -c "$work/snmptrapd.conf" -On -F '%a %v\n' udp:10.0.2.2:162 >"$work/traps" 2>&1 &
serve snmpd -f -C -c "$work/snmpd.conf" -m '' -Lo -I ip,ipaddr,ipAddressTable,system_mib
wait_local_port_listen "$server" 162 udp
wait_local_port_listen "$server" 161 udp
address=1.3.6.1.2.1.4.20.1.1
trap_says() {
	local before
	before=$(wc -l <"$work/traps")
	in_client timeout 20 "${@:2}" || return 1
	# shellcheck disable=SC2317,SC2329 # called by busywait
	new_trap() { tail -n +$((before + 1)) "$work/traps" | grep -E "$1"; }
	busywait 5000 new_trap "$1" >/dev/null || { cat "$work/traps" && false; }
}
values="$address.1 a 10.0.1.2 $address.2 a 10.0.1.3"
told="IpAddress: 10.0.2.211.*IpAddress: 10.0.1.3"
# shellcheck disable=SC2086 # several words
{
	check 'SNMP: SNAT: a trap of version 1' trap_says "^10.0.2.211 .*$told" \
		snmptrap -m '' -v 1 -c public 10.0.2.2 1.3.6.1.4.1.1 10.0.1.2 6 1 1 $values
	check 'SNMP: SNAT: a trap of version 2c' trap_says "$told" \
		snmptrap -m '' -v 2c -c public 10.0.2.2 1 1.3.6.1.4.1.1 $values
	check 'SNMP: SNAT: an inform, answered' trap_says "$told" \
		snmpinform -m '' -v 2c -c public -r 0 -t 5 10.0.2.2 1 1.3.6.1.4.1.1 $values
}
ask() { is "$(in_client timeout 20 snmpget -m '' -Oqv -v "$1" -c public -r 1 -t 5 "$2" $address.10.0.2.2)" "$3"; }
check 'SNMP: DNAT: an agent tells of its address, version 1' ask 1 10.0.1.111 10.0.1.111
check 'SNMP: DNAT: an agent tells of its address, version 2c' ask 2c 10.0.1.111 10.0.1.111
check 'SNMP: SNAT: an agent tells of its address' ask 2c 10.0.2.2 10.0.2.2

# NetBIOS names: a host asks its network, and lets in only what it knows of.
ip -n "$client" address add 10.0.9.2/24 broadcast + dev c0
ip -n "$router" address add 10.0.9.1/24 broadcast + dev r0
ip netns exec "$client" nft -f - <<-'END'
	table ip test {
		ct helper names { type "netbios-ns" protocol udp; }
		chain asked {
			type filter hook output priority 0
			udp dport 137 ct helper set "names"
		}
		chain heard {
			type filter hook input priority 0; policy drop
			ct state established,related accept
		}
	}
END
ip netns exec "$router" "$PWD/nf_nat_peers.py" names 10.0.9.1 >"$work/names" 2>&1 &
busywait 10000 grep -q ready "$work/names"
look_up() { in_client timeout 20 nmblookup -B 10.0.9.255 "$1" | grep -F "10.0.9.1 $1<00>"; }
check 'NetBIOS: nmblookup' look_up PEER
check_not 'NetBIOS: nmblookup: nobody of that name' look_up NOBODY
unhelped() { in_client nft flush chain ip test asked; }
check 'NetBIOS: without the helper' unhelped
check_not 'NetBIOS: nmblookup hears nothing' look_up PEER
ktap_finished
