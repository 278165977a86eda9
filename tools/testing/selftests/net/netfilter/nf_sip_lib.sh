# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of SIP share: the router, its addresses and rules. Sourced after
# lib.sh, never run.

# sip_routed: as routed. 10.0.1.2, 10.0.1.4 and fd00:1::2 are shown outside as longer
# addresses, 10.0.1.222 as a shorter one, 10.0.1.3 and fd00:1::3 as they are;
# who calls 10.0.1.111 or fd00:1::111 gets the server. Only calls from the client
# may go through, and what is expected.
# shellcheck disable=SC2154 # set by setup_ns
sip_routed() {
	routed
	ip -n "$client" address add 10.0.1.3/24 dev c0
	ip -n "$client" address add 10.0.1.4/24 dev c0
	ip -n "$client" address add 10.0.1.222/24 dev c0
	ip -n "$client" address add fd00:1::3/64 dev c0 nodad
	ip -n "$server" address add 10.0.2.3/24 dev s0
	ip -n "$router" address add 10.0.1.111/24 dev r0
	ip -n "$router" address add fd00:1::111/64 dev r0 nodad
	ip -n "$router" address add 10.0.2.211/24 dev r1
	ip -n "$router" address add fd00:2::dead:beef/64 dev r1 nodad
	rules <<-'END'
		table inet test {
			ct helper sip-udp { type "sip" protocol udp; l3proto inet; }
			ct helper sip-tcp { type "sip" protocol tcp; l3proto inet; }
			counter media-in { }
			counter media-out { }
			chain helpers {
				type filter hook prerouting priority -150
				iifname r0 udp dport 5060 ct helper set "sip-udp"
				iifname r0 tcp dport 5060 ct helper set "sip-tcp"
			}
			chain destination {
				type nat hook prerouting priority -100
				ip daddr 10.0.1.111 meta l4proto { tcp, udp } th dport 5060 dnat ip to 10.0.2.2
				ip6 daddr fd00:1::111 meta l4proto { tcp, udp } th dport 5060 dnat ip6 to fd00:2::2
			}
			chain source {
				type nat hook postrouting priority 100
				oifname r1 ip saddr { 10.0.1.2, 10.0.1.4 } snat ip to 10.0.2.211
				oifname r1 ip saddr 10.0.1.222 snat ip to 10.0.2.1
				oifname r1 ip6 saddr fd00:1::2 snat ip6 to fd00:2::dead:beef
			}
			chain forward {
				type filter hook forward priority 0; policy drop
				iifname r0 udp dport != 5060 counter name media-out
				iifname r1 udp sport != 5060 counter name media-in
				ct state established,related accept
				iifname r0 ct state new meta l4proto { tcp, udp } th dport 5060 accept
			}
		}
	END
}
