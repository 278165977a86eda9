#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Calls between real SIP agents (SIPp), with sound: over UDP and TCP, IPv4 and IPv6,
# as they are, with the caller's address translated, and with the called one's.
#
# needs: nf_conntrack nf_nat nf_conntrack_sip nf_nat_sip
# timeout: 400
# shellcheck source=tools/testing/selftests/net/netfilter/lib.sh disable=SC2119
. ./lib.sh
# shellcheck source=tools/testing/selftests/net/netfilter/nf_sip_lib.sh
. ./nf_sip_lib.sh

ktap_print_header
command -v sipp >/dev/null || skip_all "no sipp"
trap 'kill $(jobs -p) 2>/dev/null; cleanup_all_ns' EXIT
modprobe -a nf_conntrack_sip nf_nat_sip
sip_routed
: "${client:?}" "${router:?}" "${server:?}"
here=$PWD
cd /tmp || exit
export TERM=dumb
head -c 8000 /dev/zero >sound.raw

# answer ADDRESS TRANSPORT: takes calls, and sends sound back.
answer() {
	ip netns exec "$server" sipp -sn uas -i "$1" -mi "$1" -mp 7000 -p 5060 -t "$2" -rtp_echo -nostdin \
		>uas.log 2>&1 </dev/null &
	answering=$!
	case $2 in
	t*) wait_local_port_listen "$server" 5060 tcp ;;
	*) wait_local_port_listen "$server" 5060 udp ;;
	esac
}

packets() { in_router nft list counter inet test "$1" | sed -n 's/.*packets \([0-9]*\).*/\1/p'; }

# call FROM TO TRANSPORT: three calls; sound passes in both directions.
call() {
	local from=$1 to=$2 transport=$3 rc=0
	forget >/dev/null 2>&1
	in_router nft reset counters >/dev/null
	ip netns exec "$client" timeout 60 sipp -sf "$here/nf_nat_sip_call.xml" -i "$from" -mi "$from" -p 5060 \
		-t "$transport" -m 3 -l 3 -r 2 -nostdin -timeout 50 -recv_timeout 20000 \
		-trace_err -error_file uac.errors "$to" >uac.log 2>&1 </dev/null || rc=$?
	if [ "$rc" != 0 ]; then
		echo "sipp: $rc"
		tail -n 40 uac.log uac.errors
		return 1
	fi
	above "$(packets media-out)" 20 && above "$(packets media-in)" 20
}

ktap_set_plan 16
for transport in u1 t1; do
	name=UDP
	[ $transport = u1 ] || name=TCP
	answer 10.0.2.2 $transport
	check "$name: as it is" call 10.0.1.3 10.0.2.2:5060 $transport
	check "$name: the caller is shown as a longer address" call 10.0.1.2 10.0.2.2:5060 $transport
	check "$name: the caller is shown as a shorter address" call 10.0.1.222 10.0.2.2:5060 $transport
	check "$name: to another address" call 10.0.1.3 10.0.1.111:5060 $transport
	check "$name: both" call 10.0.1.2 10.0.1.111:5060 $transport
	kill "$answering" && wait "$answering" 2>/dev/null
	answer fd00:2::2 $transport
	check "$name over IPv6: as it is" call fd00:1::3 "[fd00:2::2]:5060" $transport
	check "$name over IPv6: the caller is shown as another" call fd00:1::2 "[fd00:2::2]:5060" $transport
	check "$name over IPv6: to another address" call fd00:1::3 "[fd00:1::111]:5060" $transport
	kill "$answering" && wait "$answering" 2>/dev/null
done
ktap_finished
