// SPDX-License-Identifier: GPL-2.0
/* What ovs exports; the functions are in abi/ovs.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_helper.h>

EXPORT_SYMBOL_GPL(nf_ct_add_helper);
EXPORT_SYMBOL_GPL(nf_ct_handle_fragments);
EXPORT_SYMBOL_GPL(nf_ct_helper);
EXPORT_SYMBOL_GPL(nf_ct_skb_network_trim);
