// SPDX-License-Identifier: GPL-2.0
/* What helper exports; the functions are in abi/helper.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_nat_helper.h>

EXPORT_SYMBOL(__nf_nat_mangle_tcp_packet);
EXPORT_SYMBOL(nf_nat_follow_master);
EXPORT_SYMBOL(nf_nat_mangle_udp_packet);

EXPORT_SYMBOL_GPL(nf_nat_exp_find_port);
