#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every time that a packet's bytes could be moved (to be made writable or linear)
# they are: whoever kept a pointer into them reads freed memory, which this kernel
# notices. The tests that change packets run so.
#
# needs: nf_conntrack nf_nat
# timeout: 900
. ./mix.sh

# None with a socket of SCTP: the kernel's own keeps a pointer into the packet that opens
# an association (KASAN says sctp_unpack_cookie).
tests=(nf_nat_helpers nf_nat_mangle nf_nat_icmp nf_nat_kinds nf_conntrack_hostile)
ktap_print_header
ktap_set_plan $((${#tests[@]} + 2))
check 'every packet is moved' fault fail_skb_realloc interval=1 times=-1 probability=100
for test in "${tests[@]}"; do
	check "$test" "./$test.sh"
done
check 'no more' fault fail_skb_realloc probability=0
ktap_finished
