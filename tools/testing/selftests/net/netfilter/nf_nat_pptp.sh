#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nf_conntrack_pptp and nf_nat_pptp: calls of both directions are expected and
# end when they should, ids are translated, without NAT, with SNAT, with DNAT. Then
# with real peers: pptp-linux and pptpd, with pppd, and a ping through the tunnel.
#
# needs: nf_conntrack nf_nat nf_conntrack_pptp nf_nat_pptp
# timeout: 300
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh

ktap_print_header
ktap_set_plan 24
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns; rm -rf "$work"' EXIT

modprobe -a nf_nat_pptp ppp_async
routed
: "${client:?}" "${router:?}" "${server:?}"

# translate RULES: with these rules in chains destination and source.
translate() {
	rules <<-END
		flush ruleset
		table ip test {
			ct helper pptp { type "pptp" protocol tcp; }
			chain helpers {
				type filter hook prerouting priority -150
				tcp dport 1723 ct helper set "pptp"
			}
			chain destination {
				type nat hook prerouting priority -100
				$1
			}
			chain source {
				type nat hook postrouting priority 100
				$2
			}
			chain forward {
				type filter hook forward priority 0; policy drop
				ct state established,related accept
				iifname r0 ct state new tcp dport 1723 accept
			}
		}
	END
	in_router conntrack -F >/dev/null 2>&1
}

# play TEST: with the addresses that hold at the moment.
play() { NAT=$nat "$PWD/nf_nat_pptp.py" "$1" "$client" "$server" "$router" "$dial" "$known"; }

scripted() {
	local test
	for test in outgoing server_first incoming again; do
		check "$1: $test" play $test
	done
}

nat=0 dial=10.0.2.2 known=10.0.1.2
translate '' ''
scripted 'without NAT'
check 'without NAT: cut' play cut
nat=1 known=10.0.2.1
translate '' 'oifname r1 masquerade'
scripted SNAT
check 'SNAT: several' play several
check 'SNAT: race' play race
dial=10.0.1.1 known=10.0.1.2
translate 'iifname r0 dnat to 10.0.2.2' ''
scripted DNAT
known=10.0.2.77
ip -n "$router" address add 10.0.2.77/24 dev r1
translate 'iifname r0 dnat to 10.0.2.2' 'oifname r1 snat to 10.0.2.77'
check 'both: outgoing' play outgoing
check 'both: server_first' play server_first

# The modules go while a call is on, and with it what they have left behind.
unload() {
	mkfifo "$work/go"
	play hold <"$work/go" >"$work/hold" 2>&1 &
	local holder=$!
	exec 7>"$work/go"
	slowwait 10 grep -q ready "$work/hold" || { cat "$work/hold" && return 1; }
	rules <<<'flush ruleset'
	slowwait 10 modprobe -rq nf_nat_pptp && slowwait 10 modprobe -rq nf_conntrack_pptp || return 1
	echo >&7
	wait $holder
	in_router conntrack -D -p tcp >/dev/null 2>&1
	# The helper is gone, and its calls end with the control connection.
	! in_router conntrack -L -p gre 2>/dev/null | grep -v 'UNREPLIED' | grep key
}
check 'unload with a call' unload
modprobe nf_nat_pptp

# Real peers. The server gives the client 192.168.77.2 and is 192.168.77.1.
cat >"$work/pptpd.conf" <<END
ppp /usr/sbin/pppd
option $work/options
localip 192.168.77.1
remoteip 192.168.77.2-9
listen 10.0.2.2
END
printf '%s\n' noauth nobsdcomp nodeflate noccp lock nodefaultroute "logfile $work/server.log" debug >"$work/options"
ip netns exec "$server" pptpd -f -c "$work/pptpd.conf" -p "$work/pptpd.pid" >"$work/pptpd.log" 2>&1 &
wait_local_port_listen "$server" 1723 tcp

dial_in() {
	ip netns exec "$client" pppd pty "pptp $dial --nolaunchpppd --nobuffer --loglevel 2" nodetach noauth noccp \
		nobsdcomp nodeflate nodefaultroute noipdefault ipcp-accept-local ipcp-accept-remote \
		maxfail 1 debug >"$work/client.log" 2>&1 &
	echo $! >"$work/caller"
	slowwait 30 in_client ping -qc 3 -i 0.3 -W 2 192.168.77.1 || {
		cat "$work/client.log" "$work/server.log" "$work/pptpd.log"
		return 1
	}
}
one_call() {
	in_router conntrack -L -p gre 2>/dev/null | grep -E "$1" || { in_router conntrack -L && false; }
}
hang_up() {
	kill "$(cat "$work/caller")"
	# shellcheck disable=SC2317,SC2329 # called by slowwait
	no_call() {
		in_router conntrack -D -p tcp --state TIME_WAIT >/dev/null 2>&1
		! in_router conntrack -L -p gre 2>/dev/null | grep key
	}
	# Who hangs up may leave it at closing the control connection.
	slowwait 15 no_call || { in_router conntrack -L && false; }
}

dial=10.0.2.2
translate '' 'oifname r1 masquerade'
check 'pptp-linux and pptpd: SNAT: a ping through the tunnel' dial_in
check 'pptp-linux and pptpd: SNAT: an assured call' one_call 'src=10.0.1.2 dst=10.0.2.2 .*src=10.0.2.2 dst=10.0.2.1 .*ASSURED'
check 'pptp-linux and pptpd: SNAT: it ends with a hang-up' hang_up
dial=10.0.1.1
translate 'iifname r0 tcp dport 1723 dnat to 10.0.2.2' ''
check 'pptp-linux and pptpd: DNAT: a ping through the tunnel' dial_in
check 'pptp-linux and pptpd: DNAT: it ends with a hang-up' hang_up

none_left() { is "$(in_router cat /proc/net/nf_conntrack_expect)" ''; }
check 'nothing is expected any more' none_left
ktap_finished
